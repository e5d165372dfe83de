//! The result as one HTML page that needs nothing else: no script, no request. The template escapes; knows no Markdown.

mod cases;
mod chart;
mod prompt;

use askama::Template;

use super::diff::{self, Line, Mark};
use super::{Outcome, Report, words};
use crate::domain::diagnostic::Severity;
use crate::domain::gate::Verdict;
use crate::domain::untrusted::{Secrets, Untrusted};
use prompt::PromptView;

/// Longest sentence or name from outside.
const LINE: usize = 500;
/// More sentences or findings of one kind are counted, not shown.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    headline: String,
    tone: &'static str,
    revisions: Vec<(&'static str, String)>,
    spent: Option<String>,
    approval: Option<String>,
    sentences: Vec<String>,
    findings: Vec<FindingView>,
    labels: [&'static str; 2],
    has_base: bool,
    prompts: Vec<PromptView>,
}

struct FindingView {
    tone: &'static str,
    word: &'static str,
    place: String,
    message: String,
    help: Option<String>,
    excerpt: Option<String>,
}

/// A line of a difference for the template.
struct DiffLine {
    class: &'static str,
    mark: char,
    pieces: Vec<(bool, String)>,
}

/// The page.
#[must_use]
pub fn page(report: &Report, secrets: &Secrets) -> String {
    let line = |text: &str| Untrusted::new(text, secrets).line(LINE);
    let headline = line(&words::headline(report));
    let revision = |text: &str| line(&words::revision(text));
    let [old, new] = report.sides.labels();
    let revisions = match &report.base {
        Some(base) => vec![(old, revision(base)), (new, revision(&report.head))],
        None => vec![("version", revision(&report.head))],
    };
    let mut budget = cases::MOST;
    let page = Page {
        title: headline.clone(),
        headline,
        tone: tone(report),
        revisions,
        spent: (!report.prompts.is_empty()).then(|| words::spending(report)),
        approval: report.approval.as_ref().map(|approval| line(&approval.line)),
        sentences: listed(report.sentences().iter().map(|text| line(text))),
        findings: findings(report, secrets),
        labels: report.sides.labels(),
        has_base: report.prompts.iter().any(|prompt| prompt.has_base),
        prompts: report.worst_first().into_iter().map(|of| PromptView::new(of, &mut budget, secrets)).collect(),
    };
    // Written to memory by a template that was checked when this was compiled.
    page.render().unwrap_or_default()
}

fn tone(report: &Report) -> &'static str {
    match &report.outcome {
        Outcome::Waived { .. } | Outcome::Overridden { .. } => "same",
        _ => verdict_tone(report.verdict()),
    }
}

fn verdict_tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "good",
        Verdict::NoRegressionFound => "same",
        Verdict::NotMeasured => "unsure",
        Verdict::Regression => "bad",
    }
}

fn listed(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = all.collect();
    if let Some(more) = all.len().checked_sub(LISTED).filter(|more| *more > 0) {
        all.truncate(LISTED);
        all.push(format!("… and {more} more"));
    }
    all
}

fn findings(report: &Report, secrets: &Secrets) -> Vec<FindingView> {
    let line = |text: &str| Untrusted::new(text, secrets).line(LINE);
    let shown = report.diagnostics.iter().take(LISTED).map(|finding| FindingView {
        tone: if finding.severity == Severity::Error { "bad" } else { "unsure" },
        word: if finding.severity == Severity::Error { "error" } else { "warning" },
        place: match finding.location {
            Some(at) => line(&format!("{}:{}:{}", finding.path, at.line, at.column)),
            None => line(finding.path.as_str()),
        },
        message: line(&finding.message),
        help: finding.help.as_deref().map(line),
        excerpt: finding.excerpt.as_deref().map(line),
    });
    shown.collect()
}

/// The difference of two texts; empty when they are equal.
fn difference(old: &str, new: &str, secrets: &Secrets) -> Vec<DiffLine> {
    let lines = diff::words(&Untrusted::new(old, secrets), &Untrusted::new(new, secrets));
    let shown = lines.into_iter().map(|Line { mark, pieces }| match mark {
        Mark::Same => DiffLine { class: "ctx", mark: ' ', pieces },
        Mark::Old => DiffLine { class: "del", mark: '-', pieces },
        Mark::New => DiffLine { class: "add", mark: '+', pieces },
        Mark::Gap => DiffLine { class: "gap", mark: ' ', pieces: vec![(false, "…".to_owned())] },
    });
    shown.collect()
}

#[cfg(test)]
mod tests;
