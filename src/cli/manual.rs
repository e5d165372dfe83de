//! `promptops completions` and `promptops man`: what the argument parser knows, for shells and for `man`. Knows no command's work.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::{Arguments, CompletionsArguments, ManArguments};
use super::exit::{CommandError, Outcome};

/// Prints the completions of a shell.
///
/// # Errors
/// See [`CommandError`].
pub fn completions(arguments: &CompletionsArguments) -> Result<Outcome, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut shown(&Arguments::command()), "promptops", &mut script);
    print(&script)
}

/// The commands that people see: a shell would offer the hidden ones as well.
fn shown(all: &Command) -> Command {
    let below: Vec<Command> = all.get_subcommands().filter(|below| !below.is_hide_set()).cloned().collect();
    let root = Command::new("promptops").args(all.get_arguments().cloned()).subcommands(below);
    root.version(env!("CARGO_PKG_VERSION"))
}

/// Prints the manual page of `promptops`, or writes that of every command into a folder.
///
/// # Errors
/// See [`CommandError`].
pub fn pages(arguments: &ManArguments) -> Result<Outcome, CommandError> {
    // Each command's own page and `--help` say what `help` would.
    let mut root = Arguments::command().disable_help_subcommand(true);
    root.build();
    let Some(folder) = &arguments.output else { return print(&page(root)?) };
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let mut left = vec![root];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|below| !below.is_hide_set()).cloned());
        let file = folder.join(Man::new(command.clone()).get_filename());
        std::fs::write(&file, page(command)?).map_err(|error| unwritable(&file, &error))?;
    }
    Ok(Outcome::Passed)
}

/// One manual page.
fn page(command: Command) -> Result<Vec<u8>, CommandError> {
    let mut page = Vec::new();
    let man = Man::new(command).source(concat!("promptops ", env!("CARGO_PKG_VERSION"))).manual("PromptOps");
    man.render(&mut page).map_err(|error| CommandError::Bug(format!("a manual page cannot be rendered: {error}")))?;
    Ok(page)
}

fn print(text: &[u8]) -> Result<Outcome, CommandError> {
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(text).and_then(|()| out.flush());
    printed.map_err(|error| CommandError::World(format!("standard output cannot be written: {error}")))?;
    Ok(Outcome::Passed)
}

fn unwritable(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Input(format!("cannot write {}: {error}; name another folder", path.display()))
}
