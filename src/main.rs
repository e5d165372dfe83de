//! The binary: parse, run, turn the outcome into an exit code. A panic is a bug of ours and exits with 70.

use std::process::ExitCode;

use promptops::cli;

/// Parsers of nested files recurse within their limits; an unoptimised build takes more of the stack than the usual 2 MiB.
const STACK: usize = 16 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::from(cli::BUG);
        }
    };
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(cli::run(arguments))));
    // A task that hangs must not hold the exit.
    runtime.shutdown_background();
    ran.unwrap_or(ExitCode::from(cli::BUG))
}
