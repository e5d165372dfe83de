//! Findings as annotations on files' lines. Knows the rules GitHub sets for them, not its API.

use super::{PromptReport, Report};
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::ids::PromptPath;
use crate::domain::untrusted::{Secrets, Untrusted};

/// How GitHub marks an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth a look.
    Warning,
    /// Has to be fixed.
    Failure,
}

/// One remark on some lines of a file; plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: PromptPath,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// First and last column, from 1; only where one line is meant.
    pub columns: Option<(u32, u32)>,
    /// How it is marked.
    pub level: Level,
    /// One line.
    pub title: String,
    /// What it is and what to do.
    pub message: String,
}

/// More cases of one prompt are counted in the last annotation.
const CASES_PER_PROMPT: usize = 10;
/// Most annotations of a report: each fifty cost a request, and nobody reads more.
const MOST: usize = 200;

/// All annotations: findings about files first (but for those on lines that the change leaves alone), then cases that broke, on the prompt's lines. Where they are too many, failures
/// go before warnings, and the last one says how many are left out.
#[must_use]
pub fn annotations(report: &Report, secrets: &Secrets) -> Vec<Annotation> {
    let findings =
        report.diagnostics.iter().filter(|finding| !finding.is_aside).map(|finding| of_finding(finding, secrets));
    let cases = report.worst_first().into_iter().flat_map(|prompt| of_cases(prompt, secrets));
    cut(findings.chain(cases).collect())
}

fn cut(mut all: Vec<Annotation>) -> Vec<Annotation> {
    if all.len() <= MOST {
        return all;
    }
    all.sort_by_key(|annotation| annotation.level == Level::Warning);
    let left_out = all.len() - (MOST - 1);
    all.truncate(MOST);
    // The first that is left out lends its file and its level to the one that counts them.
    if let Some(last) = all.last_mut() {
        (last.start_line, last.end_line, last.columns) = (1, 1, None);
        last.title = format!("{left_out} more annotations");
        last.message = format!("At most {MOST} are shown: mend these first.");
    }
    all
}

fn of_finding(finding: &Diagnostic, secrets: &Secrets) -> Annotation {
    let line = finding.location.map_or(1, |at| at.line.max(1));
    let columns = finding
        .location
        .filter(|at| at.column > 0 && at.length > 0)
        .map(|at| (at.column, at.column.saturating_add(at.length - 1)));
    let help = finding.help.as_deref().map_or(String::new(), |help| format!("\n{help}"));
    let message = format!("{}{help}", finding.message);
    Annotation {
        path: finding.path.clone(),
        start_line: line,
        end_line: line,
        columns,
        level: match finding.severity {
            Severity::Error => Level::Failure,
            Severity::Warning => Level::Warning,
        },
        title: Untrusted::new(&finding.code, secrets).line(100),
        message: Untrusted::new(&message, secrets).lines(1_000),
    }
}

fn of_cases(prompt: &PromptReport, secrets: &Secrets) -> Vec<Annotation> {
    let troubled = prompt.troubled();
    let (start_line, end_line) = prompt.prompt_lines.unwrap_or((1, 1));
    let annotation = |title: String, message: String| Annotation {
        path: prompt.path.clone(),
        start_line,
        end_line: end_line.max(start_line),
        columns: None,
        level: Level::Failure,
        title,
        message,
    };
    let mut all: Vec<Annotation> = troubled
        .iter()
        .take(CASES_PER_PROMPT)
        .map(|case| {
            let id = Untrusted::new(&case.id, secrets).line(80);
            let reasons: Vec<String> =
                case.failed_evaluators.iter().map(|failed| format!("{}: {}", failed.name, failed.reason)).collect();
            let reasons = if reasons.is_empty() { "see the check's text".to_owned() } else { reasons.join("\n") };
            annotation(format!("Case {id} fails"), Untrusted::new(&reasons, secrets).lines(1_000))
        })
        .collect();
    if let Some(more) = troubled.len().checked_sub(CASES_PER_PROMPT).filter(|more| *more > 0) {
        all.push(annotation(format!("{more} more cases fail"), "The check's text lists them.".to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnostic::Location;
    use crate::domain::report::{Outcome, sample};

    fn finding(location: Option<Location>) -> Diagnostic {
        Diagnostic {
            code: "duplicate-key".to_owned(),
            severity: Severity::Error,
            path: PromptPath::parse("prompts/a.prompt.yml").expect("a path"),
            location,
            message: "the key `model` stands twice\u{202E}".to_owned(),
            help: Some("keep one of them".to_owned()),
            excerpt: None,
            is_aside: false,
        }
    }

    #[test]
    fn a_finding_stands_on_its_line() {
        let mut report = Report::new(Outcome::BrokenFiles, None, "head".to_owned());
        report.diagnostics = vec![finding(Some(Location { line: 7, column: 3, length: 5 })), finding(None)];
        let all = annotations(&report, &Secrets::default());
        assert_eq!((all[0].start_line, all[0].end_line, all[0].columns), (7, 7, Some((3, 7))));
        assert_eq!(all[0].message, "the key `model` stands twice⟨U+202E⟩\nkeep one of them");
        assert_eq!((all[1].start_line, all[1].columns), (1, None));
    }

    #[test]
    fn too_many_annotations_are_cut_after_the_failures_and_counted() {
        let check = |warnings: usize, errors: usize, last: &str, shown_errors: usize| {
            let mut report = Report::new(Outcome::BrokenFiles, None, "head".to_owned());
            report.diagnostics = vec![finding(None).into_warning(); warnings];
            report.diagnostics.extend(vec![finding(Some(Location { line: 7, column: 3, length: 5 })); errors]);
            let all = annotations(&report, &Secrets::default());
            assert_eq!(all.len(), (warnings + errors).min(MOST));
            assert_eq!(all.last().expect("some").title, last);
            assert_eq!(all.iter().filter(|shown| shown.level == Level::Failure).count(), shown_errors);
        };
        check(190, 10, "duplicate-key", 10);
        check(200, 10, "11 more annotations", 10);
        check(0, 1_000, "801 more annotations", 200);
    }

    #[test]
    fn a_broken_case_stands_on_the_prompts_lines() {
        let all = annotations(&sample::regression(), &Secrets::default());
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].title, "Case refund-over-limit fails");
        assert_eq!(all[0].message, "contains \"escalate\": the answer does not contain \"escalate\"");
        assert_eq!((all[0].start_line, all[0].end_line, all[0].columns), (12, 20, None));
    }
}
