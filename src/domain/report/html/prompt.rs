//! One prompt for the page: its story, its charts, its numbers, its groups of cases.

use super::cases::{self, Group};
use super::chart::{Chart, width};
use super::{DiffLine, difference, verdict_tone};
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::{CaseStatus, Reason};
use crate::domain::report::{PromptReport, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// Longest name or id.
const NAME: usize = 200;
/// More metrics are counted, not drawn.
const DRAWN: usize = 20;

/// What the template needs of a prompt.
pub(super) struct PromptView {
    pub anchor: String,
    pub name: String,
    pub path: String,
    pub model: String,
    pub description: Option<String>,
    pub tone: &'static str,
    pub verdict: &'static str,
    pub worse: usize,
    pub better: usize,
    pub cases: usize,
    pub has_base: bool,
    pub scores: [Option<String>; 2],
    pub dots: [Option<String>; 2],
    pub cost: Option<[String; 2]>,
    pub story: String,
    pub reasons: Vec<String>,
    pub numbers: String,
    pub charts: Vec<Chart>,
    pub prompt_diff: Vec<DiffLine>,
    pub groups: Vec<Group>,
    pub decided: Vec<(String, String)>,
    pub labels: [&'static str; 2],
}

impl PromptView {
    /// `budget` is how many cases the page still has room for.
    pub fn new(prompt: &PromptReport, budget: &mut usize, secrets: &Secrets) -> Self {
        let line = |text: &str| Untrusted::new(text, secrets).line(NAME);
        let told = prompt.reasons.iter().filter(|reason| !matches!(reason, Reason::ConfirmedBreaks { .. }));
        let (old, new) = prompt.prompt_text.as_ref().map_or(("", ""), |(old, new)| (old, new));
        Self {
            anchor: format!(
                "prompt-{}",
                crate::domain::ids::Digest::of_parts([prompt.path.as_str().as_bytes(), prompt.name.as_bytes(),])
            ),
            name: line(&prompt.name),
            path: line(prompt.path.as_str()),
            model: line(prompt.model.as_str()),
            description: prompt.description.as_deref().map(line),
            tone: verdict_tone(prompt.verdict),
            verdict: verdict_word(prompt.verdict),
            worse: prompt.count(CaseStatus::Broken),
            better: prompt.count(CaseStatus::Fixed),
            cases: prompt.cases.len(),
            has_base: prompt.has_base,
            scores: [prompt.base_score, prompt.head_score].map(|score| score.map(words::score)),
            dots: [prompt.base_score, prompt.head_score].map(|score| score.map(|score| width(score, 1.0))),
            cost: prompt.median_cost.map(|(base, head)| [words::usd(base), words::usd(head)]),
            story: words::story(prompt),
            reasons: told.map(|reason| words::reason(reason, prompt.sides, &line)).collect(),
            numbers: words::numbers(prompt),
            charts: charts(prompt, &line),
            prompt_diff: difference(old, new, secrets),
            groups: cases::groups(prompt, budget, secrets),
            decided: decided(prompt, &line),
            labels: prompt.sides.labels(),
        }
    }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::NoRegressionFound => "no regression found",
        Verdict::NotMeasured => "not measured",
        Verdict::Regression => "regression",
    }
}

/// Score, metrics, cost and time, as far as they are known.
fn charts(prompt: &PromptReport, line: &dyn Fn(&str) -> String) -> Vec<Chart> {
    let [old, new] = prompt.sides.labels();
    let two = |base: Option<f64>, head: Option<f64>| {
        let head_label = if prompt.has_base { new } else { "score" };
        vec![(old.to_owned(), [base, None]), (head_label.to_owned(), [None, head])]
    };
    let mut charts = Vec::new();
    if prompt.head_score.is_some() {
        charts.push(Chart::new("Score", &two(prompt.base_score, prompt.head_score), 1.0, &words::score));
    }
    let all = words::metrics(prompt);
    if !all.is_empty() {
        let of_base = |base: Option<f64>| base.filter(|_| prompt.has_base);
        let rows: Vec<_> =
            all.iter().take(DRAWN).map(|(name, base, head)| (line(name), [of_base(*base), *head])).collect();
        let more = all.len().saturating_sub(DRAWN);
        let title = if more == 0 { "Metrics".to_owned() } else { format!("Metrics (and {more} more)") };
        charts.push(Chart::new(&title, &rows, 1.0, &words::score));
    }
    if let Some((base, head)) = prompt.median_cost {
        charts.push(Chart::new("Cost per answer", &two(Some(base), Some(head)), base.max(head), &words::usd));
    }
    if let Some((base, head)) = prompt.median_latency {
        let show = |milliseconds: f64| format!("{milliseconds:.0} ms");
        charts.push(Chart::new("Time per answer", &two(Some(base), Some(head)), base.max(head), &show));
    }
    charts
}

/// Every number behind the verdict; the only place of p-values.
fn decided(prompt: &PromptReport, line: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let arrow = words::arrow(prompt.sides);
    if let (Some(base), Some(head)) = (prompt.base_score, prompt.head_score) {
        rows.push((format!("mean score, {arrow}"), format!("{base:.4} → {head:.4}")));
    }
    if let Some(bound) = prompt.bound {
        rows.push(("difference in score, at worst (95 %)".to_owned(), format!("{} points", words::points(bound))));
    }
    if let Some(p) = prompt.suite_p {
        rows.push(("p of the suite as a whole (blocks from 0.025 down)".to_owned(), format!("{p:.4}")));
    }
    for candidate in &prompt.candidates {
        let (k, base, head, p) = (candidate.k, candidate.base, candidate.head, candidate.p);
        let broke = if candidate.confirmed { "broke" } else { "not proved" };
        let [old, new] = prompt.sides.labels();
        rows.push((
            format!("{} run again", line(&candidate.id)),
            format!("{old} passed {base} of {k}, {new} {head} of {k}; p {p:.4}: {broke}"),
        ));
    }
    for (label, usage) in prompt.sides.labels().into_iter().zip(&prompt.usage) {
        if usage.calls + usage.cached_calls > 0 {
            let tokens = format!(
                "{} tokens in, {} out",
                words::grouped(usage.input_tokens),
                words::grouped(usage.output_tokens)
            );
            rows.push((format!("calls, {label}"), format!("{}, {tokens}", words::spent([usage]))));
        }
    }
    rows
}
