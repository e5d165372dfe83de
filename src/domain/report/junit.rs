//! The result as JUnit XML: a suite per prompt, a test case per case. A case without an answer is an error, never a failure.

use std::collections::HashSet;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::{CaseReport, PromptReport, Report, SideReport, words};
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::gate::Verdict;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Longest answer; the rest is counted.
const ANSWER: usize = 4_000;
/// Longest message.
const MESSAGE: usize = 500;
/// Longest name.
const NAME: usize = 200;

/// The XML text.
#[must_use]
pub fn xml(report: &Report, secrets: &Secrets) -> String {
    let mut document = Document::new("promptops");
    if let Some(took) = report.took_ms {
        document.set_time(Duration::from_millis(took));
    }
    if report.prompts.is_empty() || !report.diagnostics.is_empty() {
        document.add_test_suite(files(report, secrets));
    }
    document.add_test_suites(report.prompts.iter().map(|prompt| suite(report, prompt, secrets)));
    // Written to memory from texts that were cleaned: nothing in it can fail.
    document.to_string().unwrap_or_default()
}

/// What stands in the way of a run, and what is wrong with files.
fn files(report: &Report, secrets: &Secrets) -> TestSuite {
    let mut suite = TestSuite::new("files");
    for finding in &report.diagnostics {
        suite.add_test_case(file(finding, secrets));
    }
    if report.prompts.is_empty() {
        let line = Untrusted::new(&words::headline(report), secrets).line(MESSAGE);
        let status = match report.verdict() {
            Verdict::Pass | Verdict::NoRegressionFound => TestCaseStatus::success(),
            Verdict::NotMeasured | Verdict::Regression => error(&line, "not-measured"),
        };
        suite.add_test_case(TestCase::new("the run", status));
    }
    suite
}

fn file(finding: &Diagnostic, secrets: &Secrets) -> TestCase {
    let message = Untrusted::new(&finding.message, secrets).line(MESSAGE);
    let code = Untrusted::new(&finding.code, secrets).line(NAME);
    let (status, line) = match finding.severity {
        Severity::Error => (error(&message, &code), finding.location.map_or(1, |at| at.line)),
        Severity::Warning => (TestCaseStatus::success(), finding.location.map_or(1, |at| at.line)),
    };
    let path = Untrusted::new(finding.path.as_str(), secrets).line(NAME);
    let mut case = TestCase::new(format!("{path}:{line}: {code}"), status);
    case.set_classname(path);
    case.set_system_out(message);
    case
}

fn error(message: &str, kind: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message).set_type(kind);
    status
}

fn suite(report: &Report, prompt: &PromptReport, secrets: &Secrets) -> TestSuite {
    let path = Untrusted::new(prompt.path.as_str(), secrets).line(NAME);
    let name = Untrusted::new(&prompt.name, secrets).line(NAME);
    let mut suite = TestSuite::new(format!("{name} ({path})"));
    let clean = |text: &str| Untrusted::new(text, secrets).line(NAME);
    let mut property = |name: &str, value: String| {
        suite.add_property(Property::new(name, value));
    };
    property("model", clean(prompt.model.as_str()));
    property("verdict", verdict(prompt.verdict).to_owned());
    if let Some(base) = &report.base {
        property("base", clean(base));
    }
    property("head", clean(&report.head));
    for (name, score) in [("base_score", prompt.base_score), ("head_score", prompt.head_score), ("bound", prompt.bound)]
    {
        if let Some(score) = score {
            property(name, format!("{score:.4}"));
        }
    }
    for (name, base, head) in words::metrics(prompt) {
        for (side, score) in [("base", base), ("head", head)] {
            if let Some(score) = score {
                property(&format!("metric.{}.{side}", clean(name)), format!("{score:.4}"));
            }
        }
    }
    property("cost_usd", format!("{:.6}", prompt.usage.iter().map(|side| side.cost_usd).sum::<f64>()));
    suite.add_test_case(whole(prompt, &path, secrets));
    // By place and not by id: an edited case stands there in both versions.
    let troubled: HashSet<*const CaseReport> = prompt.troubled().into_iter().map(std::ptr::from_ref).collect();
    suite.add_test_cases(prompt.cases.iter().map(|of| {
        let is_troubled = troubled.contains(&std::ptr::from_ref(of));
        case(prompt, of, is_troubled, &path, secrets)
    }));
    suite
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::NoRegressionFound => "no_regression_found",
        Verdict::NotMeasured => "not_measured",
        Verdict::Regression => "regression",
    }
}

/// The verdict as a test case, so that what blocks without a broken case (score, cost, time) is seen too.
fn whole(prompt: &PromptReport, path: &str, secrets: &Secrets) -> TestCase {
    let show = |id: &str| Untrusted::new(id, secrets).line(80);
    let reasons: Vec<String> = prompt.reasons.iter().map(|reason| words::reason(reason, prompt.sides, &show)).collect();
    let first = reasons.first().map_or("", String::as_str);
    let status = match prompt.verdict {
        Verdict::Pass | Verdict::NoRegressionFound => TestCaseStatus::success(),
        Verdict::NotMeasured => error(first, "not-measured"),
        Verdict::Regression => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(first).set_type("regression").set_description(reasons.join("\n"));
            status
        }
    };
    let mut case = TestCase::new("the prompt as a whole", status);
    case.set_classname(path);
    case.set_system_out([&[words::story(prompt), words::numbers(prompt)], reasons.as_slice()].concat().join("\n"));
    case
}

fn case(prompt: &PromptReport, case: &CaseReport, is_troubled: bool, path: &str, secrets: &Secrets) -> TestCase {
    let mut test =
        TestCase::new(Untrusted::new(&case.id, secrets).line(NAME), status(prompt, case, is_troubled, secrets));
    test.set_classname(path);
    if let Some(out) = (case.fails() || is_troubled).then(|| answers(prompt, case, secrets)).flatten() {
        test.set_system_out(out);
    }
    for (name, side) in [("base", &case.base), ("head", &case.head)] {
        if let Some(SideReport { passes, trials, score: Some(score), .. }) = side {
            test.add_property((format!("{name}_passed"), format!("{passes} of {trials}")));
            test.add_property((format!("{name}_score"), format!("{score:.4}")));
        }
    }
    test
}

/// A failure blocks, or nothing is there to compare with. What fails and does not block is skipped, with the reason.
fn status(prompt: &PromptReport, case: &CaseReport, is_troubled: bool, secrets: &Secrets) -> TestCaseStatus {
    let skipped = |message: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(message);
        status
    };
    if case.head.is_none() {
        return skipped("removed from the golden set");
    }
    if case.is_unmeasured() {
        return error(&Untrusted::new(case.error().unwrap_or("no answer"), secrets).line(MESSAGE), "not-measured");
    }
    if !case.fails() && !is_troubled {
        return TestCaseStatus::success();
    }
    let counts = words::counts(prompt, case);
    let blocks = prompt.verdict == Verdict::Regression || !prompt.has_base;
    if !blocks || !is_troubled {
        let why = if case.base.is_some() && case.status == super::CaseStatus::Same {
            format!("fails as it does with {}: {counts}", prompt.sides.the_old())
        } else {
            format!("fails, which does not block: {counts}")
        };
        return skipped(&why);
    }
    let reasons: Vec<String> = case
        .failed_evaluators
        .iter()
        .map(|failed| Untrusted::new(&format!("{}: {}", failed.name, failed.reason), secrets).line(MESSAGE))
        .collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let kind = if case.confirmed { "confirmed-break" } else { "fails" };
    status.set_message(reasons.first().map_or(counts.as_str(), String::as_str)).set_type(kind);
    status.set_description([&[format!("passed {counts}")], reasons.as_slice()].concat().join("\n"));
    status
}

/// Both answers of a case.
fn answers(prompt: &PromptReport, case: &CaseReport, secrets: &Secrets) -> Option<String> {
    let sides = prompt.sides.labels().into_iter().zip([&case.base, &case.head]);
    let shown: Vec<String> = sides
        .filter_map(|(word, side)| {
            let output = side.as_ref()?.output.as_deref()?;
            Some(format!("{word} answer:\n{}", Untrusted::new(output, secrets).lines(ANSWER)))
        })
        .collect();
    (!shown.is_empty()).then(|| shown.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::sample;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<String> {
        let mut reader = quick_xml::Reader::from_str(text);
        let mut tags = Vec::new();
        loop {
            match reader.read_event().expect("well-formed XML") {
                quick_xml::events::Event::Eof => return tags,
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    tags.push(tag.name().as_ref().to_owned());
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_regression_has_a_failure_for_each_case_and_one_for_the_whole() {
        let mut report = sample::regression();
        report.prompts[0].cases.retain(|case| ["refund-over-limit", "gift-card"].contains(&&*case.id));
        insta::assert_snapshot!(xml(&report, &Secrets::default()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="promptops" tests="3" skipped="0" failures="2" errors="0">
            <testsuite name="Support reply (prompts/support-reply.prompt.yml)" tests="3" skipped="0" errors="0" failures="2">
                <properties>
                    <property name="model" value="openai/gpt-4o-mini"/>
                    <property name="verdict" value="regression"/>
                    <property name="base" value="a1b2c3d"/>
                    <property name="head" value="e4f5a6b"/>
                    <property name="base_score" value="0.9792"/>
                    <property name="head_score" value="0.9375"/>
                    <property name="bound" value="-0.1120"/>
                    <property name="metric.tone.base" value="0.8100"/>
                    <property name="metric.tone.head" value="0.6400"/>
                    <property name="cost_usd" value="0.025400"/>
                </properties>
                <testcase name="the prompt as a whole" classname="prompts/support-reply.prompt.yml">
                    <failure message="2 cases failed again on fresh runs while the old prompt passed: refund-over-limit, angry|customer." type="regression">2 cases failed again on fresh runs while the old prompt passed: refund-over-limit, angry|customer.
        Must-pass case late-parcel failed 1 of 8 runs: allowed, but not stable.</failure>
                    <system-out>We ran the old and the new prompt side by side on the same 1 case. 1 got worse, 0 better. We ran 3 cases again: 2 failed 6 of 6 while the old prompt passed 6 of 6. The other one may be chance.
        2 cases · 1 worse · 0 better · 1 new · score 0.98 → 0.94 · 1,000 answers cost $0.18 → $0.19 · time per answer 820 → 790 ms
        2 cases failed again on fresh runs while the old prompt passed: refund-over-limit, angry|customer.
        Must-pass case late-parcel failed 1 of 8 runs: allowed, but not stable.</system-out>
                </testcase>
                <testcase name="refund-over-limit" classname="prompts/support-reply.prompt.yml">
                    <properties>
                        <property name="base_passed" value="1 of 1"/>
                        <property name="base_score" value="1.0000"/>
                        <property name="head_passed" value="0 of 1"/>
                        <property name="head_score" value="0.0000"/>
                    </properties>
                    <failure message="contains &quot;escalate&quot;: the answer does not contain &quot;escalate&quot;" type="confirmed-break">passed 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6
        contains &quot;escalate&quot;: the answer does not contain &quot;escalate&quot;</failure>
                    <system-out>old answer:
        Dear customer,
        I will escalate this to a person today.
        Kind regards

        new answer:
        Dear customer,
        I will refund this today.
        Kind regards</system-out>
                </testcase>
                <testcase name="gift-card" classname="prompts/support-reply.prompt.yml">
                    <properties>
                        <property name="head_passed" value="1 of 1"/>
                        <property name="head_score" value="1.0000"/>
                    </properties>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn what_is_not_measured_is_an_error_and_never_a_failure() {
        let mut report = sample::regression();
        let prompt = &mut report.prompts[0];
        prompt.verdict = Verdict::NotMeasured;
        for case in &mut prompt.cases {
            case.head = Some(SideReport { error: Some("time-out".to_owned()), ..SideReport::default() });
        }
        let tags = read(&xml(&report, &Secrets::default()));
        assert_eq!(tags.iter().filter(|tag| *tag == "failure").count(), 0);
        assert_eq!(tags.iter().filter(|tag| *tag == "error").count(), prompt_cases() + 1);
    }

    fn prompt_cases() -> usize {
        sample::prompt().cases.len()
    }

    #[test]
    fn of_an_edited_case_only_the_version_that_broke_fails() {
        let mut report = sample::regression();
        let edited = sample::case("refund-over-limit", crate::domain::gate::verdict::CaseStatus::Edited, "", "Yes.");
        report.prompts[0].cases.push(edited);
        let failures =
            |report: &Report| read(&xml(report, &Secrets::default())).iter().filter(|tag| *tag == "failure").count();
        assert_eq!(failures(&report), failures(&sample::regression()));
    }

    #[test]
    fn a_break_that_does_not_block_is_skipped() {
        let mut report = sample::regression();
        report.prompts[0].verdict = Verdict::NoRegressionFound;
        let text = xml(&report, &Secrets::default());
        assert!(text.contains("fails, which does not block: 1 of 1 → 0 of 1"), "{text}");
        assert_eq!(read(&text).iter().filter(|tag| *tag == "failure").count(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn whatever_a_model_says_the_xml_is_well_formed_and_bounded(said in any::<String>(), times in 1usize..200) {
            let mut report = sample::without_base();
            let prompt = &mut report.prompts[0];
            let said = format!("{}]]>&<\u{0}\u{1b}\u{FFFF}", said.repeat(times));
            prompt.name = said.clone();
            prompt.cases[0].id = said.as_str().into();
            prompt.cases[0].head.as_mut().expect("head").output = Some(said.as_str().into());
            prompt.cases[0].failed_evaluators[0].reason = said;
            let text = xml(&report, &Secrets::default());
            read(&text);
            prop_assert!(text.len() < 60_000, "{}", text.len());
        }
    }
}
