//! The result for a terminal: 80 columns, the summary first. Knows no terminal: whether to use colour is an argument.

mod summary;

use super::diff::{self, Mark};
use super::findings::{for_people, rule};
use super::{CaseReport, PromptReport, Report, SideReport, words};
use crate::domain::diagnostic::Severity;
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::Reason;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Columns of a line.
const WIDTH: usize = 80;

/// More broken cases are counted, not shown.
const SHOWN_CASES: usize = 12;

/// More reasons for unmeasured cases are counted, not shown.
const SHOWN_ERRORS: usize = 5;

/// Lines of one case's difference.
const SHOWN_LINES: usize = 8;

/// The only place that knows how a terminal colours text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour at all.
    pub colour: bool,
}

impl Style {
    pub(super) fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn verdict(self, verdict: Verdict, text: &str) -> String {
        match verdict {
            Verdict::Pass | Verdict::NoRegressionFound => self.paint("1;32", text),
            Verdict::NotMeasured => self.paint("1;33", text),
            Verdict::Regression => self.paint("1;31", text),
        }
    }
}

/// The whole report.
#[must_use]
pub fn text(report: &Report, style: Style, secrets: &Secrets) -> String {
    let headline = Untrusted::new(&words::headline(report), secrets).line(300);
    let mut lines: Vec<String> =
        wrap(&headline, "").into_iter().map(|line| style.verdict(report.verdict(), &line)).collect();
    lines.extend(summary::lines(report, style, secrets));
    let sentences = report.sentences();
    if !sentences.is_empty() {
        lines.push(String::new());
    }
    for sentence in &sentences {
        lines.extend(wrap(&Untrusted::new(sentence, secrets).line(400), "  "));
    }
    lines.extend(findings(report, style, secrets));
    for prompt in report.worst_first() {
        lines.push(String::new());
        lines.extend(prompt_lines(prompt, style, secrets));
    }
    if let Some(approval) = &report.approval {
        lines.push(String::new());
        lines.extend(wrap(&format!("Approval: {}", Untrusted::new(&approval.line, secrets).line(300)), ""));
    }
    lines.join("\n") + "\n"
}

fn findings(report: &Report, style: Style, secrets: &Secrets) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in &for_people(&report.diagnostics) {
        let place = match finding.location {
            Some(at) => format!("{}:{}:{}", finding.path, at.line, at.column),
            None => finding.path.to_string(),
        };
        let word = match finding.severity {
            Severity::Error => style.red("error"),
            Severity::Warning => style.paint("33", "warning"),
        };
        let (place, message) = (Untrusted::new(&place, secrets), Untrusted::new(&finding.message, secrets));
        let rule = rule(finding).map_or_else(String::new, |rule| format!(" [{rule}]"));
        lines.push(format!("{}: {word}: {}{rule}", place.line(300), message.line(300)));
        if let Some(excerpt) = &finding.excerpt {
            lines.push(format!("  | {}", Untrusted::new(excerpt, secrets).line(200)));
        }
        if let Some(help) = &finding.help {
            lines.extend(wrap(&Untrusted::new(help, secrets).line(300), "  = "));
        }
    }
    lines
}

fn prompt_lines(prompt: &PromptReport, style: Style, secrets: &Secrets) -> Vec<String> {
    let title = format!("{} ({})", prompt.name, prompt.path);
    let mut lines = vec![style.paint("1", &Untrusted::new(&title, secrets).line(200))];
    lines.extend(wrap(&words::story(prompt), "  "));
    let show = |id: &str| Untrusted::new(id, secrets).line(80);
    for reason in prompt.reasons.iter().filter(|reason| !matches!(reason, Reason::ConfirmedBreaks { .. })) {
        lines.extend(wrap(&words::reason(reason, prompt.sides, &show), "  "));
    }
    lines.extend(wrap(&words::numbers(prompt), "  "));
    let show = |name: &str| Untrusted::new(name, secrets).line(40);
    if let Some(metrics) = words::metric_line(prompt, &show) {
        lines.extend(wrap(&format!("metrics: {metrics}"), "  "));
    }
    lines.extend(unmeasured(prompt, secrets));
    let troubled = prompt.troubled();
    for case in troubled.iter().take(SHOWN_CASES) {
        lines.push(String::new());
        lines.extend(case_lines(prompt, case, style, secrets));
    }
    if let Some(more) = troubled.len().checked_sub(SHOWN_CASES).filter(|more| *more > 0) {
        lines.push(String::new());
        lines.push(format!("  … and {}", words::counted(more, "more case", "more cases")));
    }
    lines
}

/// Why cases have no result, each reason once.
fn unmeasured(prompt: &PromptReport, secrets: &Secrets) -> Vec<String> {
    let groups = prompt.unmeasured_by_error();
    let show = |id: &str| Untrusted::new(id, secrets).line(40);
    let mut lines: Vec<String> = Vec::new();
    for (error, ids) in groups.iter().take(SHOWN_ERRORS) {
        lines.push(String::new());
        lines.extend(wrap(&format!("? not measured: {}", words::named(ids, &show)), "  "));
        lines.extend(wrap(&Untrusted::new(error, secrets).line(300), "    "));
    }
    if let Some(more) = groups.len().checked_sub(SHOWN_ERRORS).filter(|more| *more > 0) {
        lines.push(format!("    … and {}", words::counted(more, "other reason", "other reasons")));
    }
    lines
}

fn case_lines(prompt: &PromptReport, case: &CaseReport, style: Style, secrets: &Secrets) -> Vec<String> {
    let id = Untrusted::new(&case.id, secrets).line(40);
    let counts = words::counts(prompt, case);
    let title = format!("✗ {id}");
    let mut lines = wrap(&format!("{title}  passed {counts}"), "  ");
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(&title, &style.red(&title), 1);
    }
    let error = case.head.iter().chain(&case.base).find_map(|side| side.error.as_deref());
    lines
        .extend(error.into_iter().flat_map(|error| wrap(&Untrusted::new(error, secrets).line(300), "    no answer: ")));
    for failed in &case.failed_evaluators {
        let what = format!("{}: {}", failed.name, failed.reason);
        lines.extend(wrap(&Untrusted::new(&what, secrets).line(300), "    "));
    }
    lines.extend(answer_lines(case, style, secrets));
    lines
}

/// The difference of the two answers, or the start of the only one.
fn answer_lines(case: &CaseReport, style: Style, secrets: &Secrets) -> Vec<String> {
    let output = |side: &Option<SideReport>| side.as_ref().and_then(|side| side.output.clone());
    let mut lines: Vec<String> = match (output(&case.base), output(&case.head)) {
        (Some(old), Some(new)) => diff::words(&Untrusted::new(&old, secrets), &Untrusted::new(&new, secrets))
            .iter()
            .flat_map(|line| {
                let coloured = move |text: &str| match line.mark {
                    Mark::Old => style.red(text),
                    Mark::New => style.green(text),
                    Mark::Same | Mark::Gap => style.dim(text),
                };
                wrap(&line.marked(), "    | ").into_iter().map(move |text| coloured(&text))
            })
            .collect(),
        (None, Some(new)) => {
            Untrusted::new(&new, secrets).lines(600).lines().flat_map(|line| wrap(line, "    | ")).collect()
        }
        _ => Vec::new(),
    };
    if lines.len() > SHOWN_LINES {
        let more = lines.len() - SHOWN_LINES;
        lines.truncate(SHOWN_LINES);
        lines.push(format!("    … {}", words::counted(more, "more line", "more lines")));
    }
    lines
}

/// Lines of at most 80 columns, broken between words where there are any; later lines are set in like the first.
fn wrap(text: &str, start: &str) -> Vec<String> {
    let room = WIDTH.saturating_sub(start.chars().count()).max(20);
    let mut rows: Vec<String> = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let visible = word.iter().rposition(|c| *c != ' ').map_or(0, |last| last + 1);
        if used > 0 && used + visible > room {
            rows.push(String::new());
            used = 0;
        }
        while word.len() > room {
            let rest = word.split_off(room);
            rows.push(word.iter().collect());
            word = rest;
            rows.push(String::new());
        }
        used += word.len();
        if let Some(row) = rows.last_mut() {
            row.extend(word);
        }
    }
    let follow = if start.ends_with("| ") { start.to_owned() } else { " ".repeat(start.chars().count()) };
    rows.retain(|row| !row.is_empty());
    rows.iter()
        .enumerate()
        .map(|(place, row)| format!("{}{row}", if place == 0 { start } else { &follow }).trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::sample;
    use proptest::prelude::*;

    const PLAIN: Style = Style { colour: false };

    #[test]
    fn a_regression_reads_in_ten_seconds() {
        insta::assert_snapshot!(text(&sample::regression(), PLAIN, &Secrets::default()), @r#"
        Regression: 3 of 48 cases got worse, 1 better

          worse  refund-over-limit  contains "escalate": the answer does not contain
                 "escalate"
                 angry|customer  tone: 0.2 is below 0.7: curt
                 late-parcel  contains "Monday": the answer does not contain "Monday"
          next   Mend the prompt. Where an answer below is right, mend the golden set
                 instead.
          took   138 calls, 1 answer from the cache, $0.0254

        Support reply (prompts/support-reply.prompt.yml)
          We ran the old and the new prompt side by side on the same 48 cases. 3 got
          worse, 1 better. We ran those 3 again: 2 failed 6 of 6 while the old prompt
          passed 6 of 6. The other one may be chance.
          Must-pass case late-parcel failed 1 of 8 runs: allowed, but not stable.
          49 cases · 3 worse · 1 better · 1 new · score 0.98 → 0.94 · 1,000 answers cost
          $0.18 → $0.19 · time per answer 820 → 790 ms
          metrics: tone 0.81 → 0.64

          ✗ refund-over-limit  passed 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6
            contains "escalate": the answer does not contain "escalate"
            |  Dear customer,
            | -I will [-escalate-] this [-to a person-] today.
            | +I will {+refund+} this today.
            |  Kind regards

          ✗ angry|customer  passed 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6
            tone: 0.2 is below 0.7: curt
            | -I am sorry to hear that.
            | +See #12, @octocat.

          ✗ late-parcel  passed 1 of 1 → 0 of 1; again 6 of 6 → 4 of 6
            contains "Monday": the answer does not contain "Monday"
            | -It arrives [-on Monday-].
            | +It arrives {+soon+}.

        Approval: 1 of @acme/prompt-reviewers is missing
        "#);
    }

    #[test]
    fn without_a_base_every_failing_case_is_listed() {
        insta::assert_snapshot!(text(&sample::without_base(), PLAIN, &Secrets::default()), @r#"
        Regression: score 0.50 is below the floor of 0.80; 1 of 2 cases passed

          fails  refund-over-limit  contains "escalate": the answer does not contain
                 "escalate"
          next   Mend the prompt. Where an answer below is right, mend the golden set
                 instead.
          took   2 calls, $0.0004

        Support reply (prompts/support-reply.prompt.yml)
          We ran the prompt on 2 cases. 1 passed.
          The score is 0.500, the floor (`min_score`) is 0.800.
          2 cases · score 0.50
          metrics: tone 0.64

          ✗ refund-over-limit  passed 0 of 1
            contains "escalate": the answer does not contain "escalate"
            | I will refund this today.
        "#);
    }

    #[test]
    fn colours_are_added_and_nothing_else() {
        let coloured = text(&sample::regression(), Style { colour: true }, &Secrets::default());
        assert!(coloured.starts_with("\u{1b}[1;31mRegression: 3 of 48 cases got worse, 1 better\u{1b}[0m\n"));
        let colour = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
        assert_eq!(colour.replace_all(&coloured, ""), text(&sample::regression(), PLAIN, &Secrets::default()));
    }

    proptest! {
        #[test]
        fn wrapped_lines_keep_to_the_width_and_lose_no_word(words in proptest::collection::vec("[a-zü]{1,30}", 0..30)) {
            let rows = wrap(&words.join(" "), "  ");
            prop_assert!(rows.iter().all(|row| row.chars().count() <= WIDTH));
            let kept: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
            prop_assert_eq!(kept, words);
        }
    }
}
