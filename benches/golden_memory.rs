//! Holds a golden set of 100,000 cases and fails if the process ever needed more than 150 MB (Linux only), or if reading
//! it took more than a second where it is CSV.
//!
//! `cargo bench --bench golden_memory` (a format as argument: `-- jsonl`, `-- csv` or `-- yaml`; JSONL by default).
//! Measured on 2 cores: JSONL 108.6 MB, CSV 98.2 MB, YAML 107.3 MB.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use promptops::domain::ids::PromptPath;
use promptops::domain::{golden, prompt};

const CASES: usize = 100_000;
const LIMIT_MB: f64 = 150.0;
/// For CSV, the format that large sets are kept in.
const LIMIT_SECONDS: f64 = 1.0;

fn main() -> ExitCode {
    let format = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or("jsonl".to_owned());
    match run(&format) {
        Ok((_, peak)) if peak > LIMIT_MB => {
            eprintln!("peak of {peak:.0} MB is over the limit of {LIMIT_MB:.0} MB");
            ExitCode::FAILURE
        }
        Ok((seconds, _)) if format == "csv" && seconds > LIMIT_SECONDS => {
            eprintln!("{seconds:.2} s are over the limit of {LIMIT_SECONDS:.2} s");
            ExitCode::FAILURE
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds it took to read, and the peak of memory in MB.
fn run(format: &str) -> Result<(f64, f64), String> {
    let prompt_path = PromptPath::parse("support.prompt.yml").map_err(|error| error.to_string())?;
    let text = b"messages: [{role: user, content: 'Answer {{customer}}: {{question}}'}]\n";
    let prompt = prompt::parse(&prompt_path, text).map_err(|errors| format!("{errors:?}"))?.value;
    let path = PromptPath::parse(&format!("support.golden.{format}")).map_err(|error| error.to_string())?;
    let file = cases(format)?;
    let started = Instant::now();
    let set = golden::parse(&path, file.as_bytes(), &prompt).map_err(|errors| format!("{:?}", errors.first()))?.value;
    let seconds = started.elapsed().as_secs_f64();
    let undefined = golden::check_variables(&prompt, &set);
    if set.cases.len() != CASES || !undefined.is_empty() {
        return Err(format!("{} cases, {undefined:?}", set.cases.len()));
    }
    let peak = peak_mb()?;
    println!(
        "{format}: {} cases from {:.1} MB in {seconds:.2} s, peak {peak:.1} MB of {LIMIT_MB:.0}",
        set.cases.len(),
        file.len() as f64 / 1e6
    );
    Ok((seconds, peak))
}

/// Two texts of different kinds per case, an expectation, and an evaluator of which some repeat.
fn cases(format: &str) -> Result<String, String> {
    let mut out = String::with_capacity(CASES * 260);
    match format {
        "csv" => out.push_str("id,customer,question,expected,cluster,__expected\n"),
        "yaml" => out.push_str("cases:\n"),
        _ => {}
    }
    for n in 0..CASES {
        let question = format!("Order {n} came broken on day {}, can I have my money back or a new one?", n % 31);
        let expected = format!("Offer a refund of order {n} within {} days", n % 14);
        let (customer, cluster) = (n % 977, n % 500);
        let written = match format {
            "jsonl" => writeln!(
                out,
                r#"{{"id":"case-{n}","vars":{{"customer":"customer {customer}","question":"{question}"}},"expected":"{expected}","cluster":"c{cluster}","evaluators":[{{"contains":"refund {customer}"}}]}}"#
            ),
            "csv" => writeln!(
                out,
                "case-{n},customer {customer},\"{question}\",{expected},c{cluster},contains:refund {customer}"
            ),
            "yaml" => writeln!(
                out,
                "- id: case-{n}\n  vars: {{ customer: customer {customer}, question: \"{question}\" }}\n  expected: {expected}\n  cluster: c{cluster}\n  evaluators: [{{ contains: refund {customer} }}]"
            ),
            other => return Err(format!("no format `{other}`: use jsonl, csv or yaml")),
        };
        written.map_err(|error| error.to_string())?;
    }
    Ok(out)
}

/// The most memory the process ever had resident, from the kernel.
fn peak_mb() -> Result<f64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("cannot read `{line}`"))?;
    Ok(kilobytes / 1024.0)
}
