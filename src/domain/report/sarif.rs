//! The result as SARIF 2.1.0, for GitHub code scanning: one result per finding in a file and per case that got worse.

mod log;

use std::collections::BTreeMap;

use log::{
    Artifact, Descriptor, Driver, Id, Invocation, Level, Location, Log, Notification, Physical, Region, Run, Text, Tool,
};

use super::{CaseReport, PromptReport, Report, words};
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::gate::Verdict;
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::lint::RuleId;
use crate::domain::untrusted::{Secrets, Untrusted};

/// GitHub keeps the 5,000 gravest results of a run.
const MOST: usize = 5_000;
/// Longest message.
const MESSAGE: usize = 1_000;
/// Longest id or title.
const NAME: usize = 200;

const CASE_WORSE: (&str, &str, &str) = (
    "case-worse",
    "A case got worse",
    "A case of the golden set that passed before fails now. Compare the two answers; mend the prompt, or the golden set if \
     the new answer is right.",
);
const CASE_FAILS: (&str, &str, &str) = (
    "case-fails",
    "A case fails",
    "A case of the golden set fails. Look at the answer; mend the prompt, or the golden set if the answer is right.",
);
const PROMPT_WORSE: (&str, &str, &str) = (
    "prompt-blocked",
    "A prompt is blocked",
    "The prompt as a whole got worse, or misses a limit of the settings. The message names the limit.",
);

/// The JSON text, indented, with a line end.
#[must_use]
pub fn json(report: &Report, secrets: &Secrets) -> String {
    // Strings, numbers and maps with text keys: nothing in it can fail to serialise.
    serde_json::to_string_pretty(&log(report, secrets)).unwrap_or_default() + "\n"
}

/// The same for findings in files alone, without any run.
#[must_use]
pub fn findings_json(findings: &[Diagnostic], secrets: &Secrets) -> String {
    let results = findings.iter().map(|finding| of_finding(finding, secrets)).collect();
    let log = log_of(results, "promptops/lint/", true, Vec::new());
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn log(report: &Report, secrets: &Secrets) -> Log {
    let mut results: Vec<log::Result> = report.diagnostics.iter().map(|finding| of_finding(finding, secrets)).collect();
    results.extend(report.worst_first().into_iter().flat_map(|prompt| of_prompt(prompt, secrets)));
    let notes: Vec<Notification> =
        report.prompts.iter().flat_map(|prompt| unmeasured(prompt, secrets)).chain(stopped(report, secrets)).collect();
    log_of(results, "promptops/evaluation/", report.verdict() != Verdict::NotMeasured, notes)
}

fn log_of(mut results: Vec<log::Result>, category: &'static str, measured: bool, notes: Vec<Notification>) -> Log {
    results.sort_by_key(|result| result.level);
    results.truncate(MOST);
    let rules = rules(&mut results);
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "PromptOps",
                version: env!("CARGO_PKG_VERSION"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                information_uri: env!("CARGO_PKG_REPOSITORY"),
                rules,
            },
        },
        automation_details: Id { id: category },
        invocations: vec![Invocation { execution_successful: measured, tool_execution_notifications: notes }],
        column_kind: "unicodeCodePoints",
        results,
    };
    Log { schema: log::SCHEMA, version: "2.1.0", runs: vec![run] }
}

/// The rules that the results are of, each once; tells every result its rule's place.
fn rules(results: &mut [log::Result]) -> Vec<Descriptor> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut rules = Vec::new();
    for result in results {
        result.rule_index = *places.entry(result.rule_id.clone()).or_insert_with(|| {
            rules.push(descriptor(&result.rule_id, result.level));
            rules.len() - 1
        });
    }
    rules
}

fn descriptor(id: &str, level: Level) -> Descriptor {
    let known = [CASE_WORSE, CASE_FAILS, PROMPT_WORSE].into_iter().find(|(rule, ..)| *rule == id);
    let of_lint = || RuleId::named(id).map(RuleId::about);
    let (title, help) = match (known, of_lint()) {
        (Some((_, title, help)), _) => (title.to_owned(), help.to_owned()),
        (None, Some(about)) => (sentence(about.title), about.text.to_owned()),
        (None, None) => {
            (sentence(&id.replace('-', " ")), "The result's message says what it is and what to do.".to_owned())
        }
    };
    Descriptor {
        id: id.to_owned(),
        name: id.split('-').map(sentence).collect(),
        short_description: Text { text: title },
        full_description: Text { text: help.clone() },
        help: Text { text: help },
        default_configuration: log::Configuration { level },
    }
}

fn sentence(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn of_finding(finding: &Diagnostic, secrets: &Secrets) -> log::Result {
    let help = finding.help.as_deref().map_or(String::new(), |help| format!("\n{help}"));
    let message = format!("{}{help}", finding.message);
    let place = finding.location.filter(|at| at.line > 0);
    let region = Region {
        start_line: place.map_or(1, |at| at.line),
        start_column: place.map(|at| at.column).filter(|column| *column > 0),
        end_line: None,
        end_column: place.filter(|at| at.column > 0 && at.length > 0).map(|at| at.column.saturating_add(at.length)),
    };
    log::Result {
        rule_id: Untrusted::new(&finding.code, secrets).line(NAME),
        rule_index: 0,
        level: match finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        },
        message: Text { text: Untrusted::new(&message, secrets).lines(MESSAGE) },
        locations: vec![location(&finding.path, region, secrets)],
        related_locations: Vec::new(),
        partial_fingerprints: fingerprints(&[&finding.code, finding.path.as_str(), &finding.message]),
    }
}

/// The cases a reader has to look at; where something else blocks, that too.
fn of_prompt(prompt: &PromptReport, secrets: &Secrets) -> Vec<log::Result> {
    let blocks = prompt.verdict == Verdict::Regression;
    let troubled = prompt.troubled();
    let shown = troubled.iter().take(MOST);
    let mut results: Vec<log::Result> = shown.map(|case| of_case(prompt, case, blocks, secrets)).collect();
    if blocks && troubled.is_empty() {
        let show = |id: &str| Untrusted::new(id, secrets).line(80);
        let reasons: Vec<String> =
            prompt.reasons.iter().map(|reason| words::reason(reason, prompt.sides, &show)).collect();
        results.push(log::Result {
            rule_id: PROMPT_WORSE.0.to_owned(),
            rule_index: 0,
            level: Level::Error,
            message: Text { text: Untrusted::new(&reasons.join("\n"), secrets).lines(MESSAGE) },
            locations: vec![location(&prompt.path, prompt_region(prompt), secrets)],
            related_locations: Vec::new(),
            partial_fingerprints: fingerprints(&[PROMPT_WORSE.0, prompt.path.as_str(), &prompt.name]),
        });
    }
    results
}

fn of_case(prompt: &PromptReport, case: &CaseReport, blocks: bool, secrets: &Secrets) -> log::Result {
    let rule = if case.status == super::CaseStatus::Broken { CASE_WORSE } else { CASE_FAILS };
    let mut lines =
        vec![format!("Case {}: passed {}", Untrusted::new(&case.id, secrets).line(80), words::counts(prompt, case))];
    lines.extend(case.failed_evaluators.iter().map(|failed| format!("{}: {}", failed.name, failed.reason)));
    let in_set = prompt.golden_set.as_ref().map(|set| {
        let region = Region { start_line: case.line.max(1), start_column: None, end_line: None, end_column: None };
        let mut place = location(set, region, secrets);
        place.message = Some(Text { text: "the case".to_owned() });
        place
    });
    log::Result {
        rule_id: rule.0.to_owned(),
        rule_index: 0,
        level: if blocks { Level::Error } else { Level::Warning },
        message: Text { text: Untrusted::new(&lines.join("\n"), secrets).lines(MESSAGE) },
        locations: vec![location(&prompt.path, prompt_region(prompt), secrets)],
        related_locations: in_set.into_iter().collect(),
        partial_fingerprints: fingerprints(&[rule.0, prompt.path.as_str(), &prompt.name, &case.id]),
    }
}

fn prompt_region(prompt: &PromptReport) -> Region {
    let (start, end) = prompt.prompt_lines.unwrap_or((1, 1));
    Region { start_line: start.max(1), start_column: None, end_line: Some(end.max(start).max(1)), end_column: None }
}

fn location(path: &PromptPath, region: Region, secrets: &Secrets) -> Location {
    let uri = encoded(Untrusted::new(path.as_str(), secrets).data());
    Location { physical_location: Physical { artifact_location: Artifact { uri }, region }, message: None }
}

/// A path as a relative URI.
fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// What makes a result the same in the next run: not its line. GitHub reads the first name only, and wants a counter after it.
fn fingerprints(parts: &[&str]) -> BTreeMap<&'static str, String> {
    let digest = Digest::of_parts(parts.iter().map(|part| part.as_bytes()));
    let hash: String = digest.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    BTreeMap::from([("primaryLocationLineHash", format!("{hash}:1")), ("promptops/v1", hash)])
}

/// Cases without an answer say nothing of the prompt: they are notes on the run, not results.
fn unmeasured(prompt: &PromptReport, secrets: &Secrets) -> Vec<Notification> {
    let show = |id: &str| Untrusted::new(id, secrets).line(80);
    let groups = prompt.unmeasured_by_error();
    groups
        .into_iter()
        .map(|(error, ids)| {
            let text = format!(
                "not measured: {}: {}",
                words::named(&ids, &show),
                Untrusted::new(error, secrets).line(MESSAGE)
            );
            Notification { level: Level::Warning, message: Text { text } }
        })
        .collect()
}

/// Why there was no run at all.
fn stopped(report: &Report, secrets: &Secrets) -> Option<Notification> {
    (report.prompts.is_empty() && report.verdict() == Verdict::NotMeasured).then(|| Notification {
        level: Level::Error,
        message: Text { text: Untrusted::new(&words::headline(report), secrets).line(MESSAGE) },
    })
}

#[cfg(test)]
mod tests;
