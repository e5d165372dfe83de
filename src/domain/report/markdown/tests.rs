//! Whole comments, as a reader gets them, and as a hostile author would like them.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;
use crate::domain::diagnostic::Location;
use crate::domain::gate::verdict::{CaseStatus, Reason};
use crate::domain::golden::difference::{Edit, SetChange, What};
use crate::domain::ids::{CommitSha, PromptPath};
use crate::domain::report::{FailedEvaluator, sample};

fn none() -> Secrets {
    Secrets::default()
}

/// The lines before the first fold.
fn above_the_folds(comment: &str) -> String {
    comment.lines().take_while(|line| !line.starts_with("<details")).map(|line| format!("{line}\n")).collect()
}

#[expect(clippy::too_many_lines, reason = "the whole text is what is expected")]
#[test]
fn a_regression() {
    insta::assert_snapshot!(comment(&sample::regression(), &none()), @r#"
    <!-- promptops:report -->
    > [!CAUTION]
    > **Regression: 3 of 48 cases got worse, 1 better.** This holds the merge. Mend the prompt and push. Where a new answer below is right after all, change that case of the golden set in a pull request of its own.

    **Approval: waiting.** 1 of `@acme/prompt-reviewers` is missing

    ### Support reply (`prompts/support-reply.prompt.yml`)

    We ran the old and the new prompt side by side on the same 48 cases. 3 got worse, 1 better. We ran those 3 again: 2 failed 6 of 6 while the old prompt passed 6 of 6. The other one may be chance.

    Must-pass case `late-parcel` failed 1 of 8 runs: allowed, but not stable.

    49 cases · 3 worse · 1 better · 1 new · score 0.98 → 0.94 · 1,000 answers cost $0.18 → $0.19 · time per answer 820 → 790 ms

    Metrics: tone 0.81 → 0.64

    | case | what failed | passed, old → new |
    |---|---|---|
    | `refund-over-limit` | the answer does not contain "escalate" | 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6 |
    | `angry\|customer` | `tone`: 0.2 is below 0.7: curt | 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6 |
    | `late-parcel` | the answer does not contain "Monday" | 1 of 1 → 0 of 1; again 6 of 6 → 4 of 6 |

    <details open><summary><code>refund-over-limit</code>: the answers</summary>

    The input:

    ```text
     amount: 900 EUR
    ```

    - `contains "escalate"` failed: the answer does not contain "escalate"

    The answer, old (-) and new (+):

    ```diff
     Dear customer,
    -I will [-escalate-] this [-to a person-] today.
    +I will {+refund+} this today.
     Kind regards
    ```

    </details>

    <details><summary><code>angry|customer</code>: the answers</summary>

    The input:

    ```text
     amount: 900 EUR
    ```

    - `tone` failed: 0.2 is below 0.7: curt

    The answer, old (-) and new (+):

    ```diff
    -I am sorry to hear that.
    +See #12, @octocat.
    ```

    </details>

    <details><summary><code>late-parcel</code>: the answers</summary>

    The input:

    ```text
     amount: 900 EUR
    ```

    - `contains "Monday"` failed: the answer does not contain "Monday"

    The answer, old (-) and new (+):

    ```diff
    -It arrives [-on Monday-].
    +It arrives {+soon+}.
    ```

    </details>

    <details><summary>1 case got better</summary>

    - `vat-number`: 0 of 1 → 1 of 1

    </details>

    <details><summary>1 changed case in the golden set</summary>

    - new: `gift-card`: the new prompt passed 1 of 1

    </details>

    <details><summary>How this was decided</summary>

    | number | value |
    |---|---|
    | model | `openai/gpt-4o-mini` |
    | mean score, old → new | 0.9792 → 0.9375 |
    | difference in score, at worst (95 %) | −11.2 points |
    | the suite as a whole: p (blocks from 0.025 down, lower with several prompts) | 0.1875 |
    | metric `tone`, old → new | 0.810 → 0.640 |
    | the old prompt's calls | 66 calls, $0.0121, 26,400 tokens in, 3,960 out |
    | the new prompt's calls | 72 calls, 1 answer from the cache, $0.0133, 28,800 tokens in, 4,320 out |

    Cases run again with fresh answers, the same number on each side. p is Fisher's exact test, adjusted for the number of cases (Holm); it counts from 0.025 down, lower with several prompts.

    | case | old passed | new passed | p | broke |
    |---|---|---|---|---|
    | `refund-over-limit` | 6 of 6 | 0 of 6 | 0.0032 | yes |
    | `angry\|customer` | 6 of 6 | 0 of 6 | 0.0032 | yes |
    | `late-parcel` | 6 of 6 | 4 of 6 | 0.2273 | not proved |

    </details>

    <details><summary>Approval, rule by rule</summary>

    - reviewer: 0 of 1 from `@acme/prompt-reviewers`

    </details>

    Old: `a1b2c3d`, new: `e4f5a6b`. This run: 138 calls, 1 answer from the cache, $0.0254. Commands: `/promptops eval`, `/promptops explain`, `/promptops help`.
    "#);
}

/// docs/comment.md explains the comment in the comment's own words.
#[test]
fn the_page_about_the_comment_knows_its_words() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/comment.md")).unwrap();
    let sha = CommitSha::parse(&"0123456789".repeat(4)).expect("a commit");
    let measured = [Verdict::Pass, Verdict::NoRegressionFound, Verdict::Regression, Verdict::NotMeasured];
    let overridden = Outcome::Overridden {
        was: Box::new(Outcome::BrokenFiles),
        by: vec!["@lee".to_owned()],
        why: "an outage".to_owned(),
    };
    let person = Outcome::NeedsPerson { message: "x".to_owned() };
    let others = [Outcome::WaitsForRelease { sha }, Outcome::BrokenFiles, person, overridden, Outcome::Closed];
    for outcome in measured.map(Outcome::Measured).into_iter().chain(others) {
        let said = words::headline(&Report { outcome, ..sample::regression() });
        let known = |begins: &str| said.starts_with(begins) && page.contains(&format!("| **{begins}** |"));
        let begins = said.split(':').next().unwrap_or_default().split(" @").next().unwrap_or_default();
        assert!(known(begins), "docs/comment.md has no row for `{said}`");
    }
    let shown = comment(&sample::regression(), &none());
    for part in [
        "We ran the old and the new prompt side by side",
        ": the answers",
        "got better",
        "in the golden set",
        "How this was decided",
        "difference in score, at worst (95 %)",
        "Approval, rule by rule",
        "The other one may be chance",
    ] {
        let in_page = page.contains(part) || page.contains(part.trim_start_matches(": "));
        assert!(shown.contains(part) && in_page, "{part}");
    }
}

#[test]
fn too_few_cases_to_be_sure() {
    let mut report = sample::regression();
    report.outcome = Outcome::Measured(Verdict::NoRegressionFound);
    report.approval = None;
    let prompt = &mut report.prompts[0];
    prompt.verdict = Verdict::NoRegressionFound;
    prompt.reasons = vec![Reason::CannotExclude { drop: 0.119, more_cases: Some(34) }];
    prompt.candidates.clear();
    prompt.run_again = 0;
    prompt.cases.retain(|case| case.status == CaseStatus::Same);
    insta::assert_snapshot!(above_the_folds(&comment(&report, &none())), @r#"
    <!-- promptops:report -->
    > [!NOTE]
    > **No regression found: 0 of 44 cases got worse, 0 better.**

    ### Support reply (`prompts/support-reply.prompt.yml`)

    We ran the old and the new prompt side by side on the same 44 cases. None got worse, none better.

    This golden set cannot exclude a drop of more than 11.9 points; about 34 more cases would.

    44 cases · 0 worse · 0 better · score 0.98 → 0.94 · 1,000 answers cost $0.18 → $0.19 · time per answer 820 → 790 ms

    Metrics: tone 0.81 → 0.64
    "#);
}

#[test]
fn a_fork_waits_for_its_release() {
    let sha = CommitSha::parse(&"0123456789".repeat(4)).expect("a commit");
    let report = Report::new(Outcome::WaitsForRelease { sha }, Some("main".to_owned()), "0123456".to_owned());
    insta::assert_snapshot!(comment(&report, &none()), @r#"
    <!-- promptops:report -->
    > [!IMPORTANT]
    > **Not run yet: somebody with write permission has to release commit `0123456`.** Read the change first: running it costs money. Then release it with the comment `/promptops eval 0123456789012345678901234567890123456789`.

    Old: `main`, new: `0123456`. Commands: `/promptops eval`, `/promptops explain`, `/promptops help`.
    "#);
}

#[test]
fn broken_files_are_named_with_line_and_column() {
    let mut report = Report::new(Outcome::BrokenFiles, Some("main".to_owned()), "e4f5a6b".to_owned());
    report.diagnostics = vec![Diagnostic {
        code: "duplicate-key".to_owned(),
        severity: Severity::Error,
        path: PromptPath::parse("prompts/support-reply.prompt.yml").expect("a path"),
        location: Some(Location { line: 7, column: 1, length: 5 }),
        message: "the key model stands twice".to_owned(),
        help: Some("keep one of them".to_owned()),
        excerpt: Some("model: openai/gpt-4o".to_owned()),
        is_aside: false,
    }];
    insta::assert_snapshot!(comment(&report, &none()), @r#"
    <!-- promptops:report -->
    > [!IMPORTANT]
    > **Not run: 1 problem in the files to fix first.** Push a commit that fixes them; it is tried again then.

    ### Findings in the files

    - Error in `prompts/support-reply.prompt.yml:7:1`: the key model stands twice. Keep one of them.
      ```text
       model: openai/gpt-4o
      ```

    Old: `main`, new: `e4f5a6b`. Commands: `/promptops eval`, `/promptops explain`, `/promptops help`.
    "#);
}

#[test]
fn an_explanation() {
    insta::assert_snapshot!(explain(&sample::regression(), &none()), @r#"
    **Regression: 3 of 48 cases got worse, 1 better.** This holds the merge. Mend the prompt and push. Where a new answer below is right after all, change that case of the golden set in a pull request of its own.

    Commit `e4f5a6b`, compared with `a1b2c3d`. This run: 138 calls, 1 answer from the cache, $0.0254.

    ### Support reply

    We ran the old and the new prompt side by side on the same 48 cases. 3 got worse, 1 better. We ran those 3 again: 2 failed 6 of 6 while the old prompt passed 6 of 6. The other one may be chance.

    - 2 cases failed again on fresh runs while the old prompt passed: `refund-over-limit`, `angry|customer`.
    - Must-pass case `late-parcel` failed 1 of 8 runs: allowed, but not stable.

    | number | value |
    |---|---|
    | model | `openai/gpt-4o-mini` |
    | mean score, old → new | 0.9792 → 0.9375 |
    | difference in score, at worst (95 %) | −11.2 points |
    | the suite as a whole: p (blocks from 0.025 down, lower with several prompts) | 0.1875 |
    | metric `tone`, old → new | 0.810 → 0.640 |
    | the old prompt's calls | 66 calls, $0.0121, 26,400 tokens in, 3,960 out |
    | the new prompt's calls | 72 calls, 1 answer from the cache, $0.0133, 28,800 tokens in, 4,320 out |

    Cases run again with fresh answers, the same number on each side. p is Fisher's exact test, adjusted for the number of cases (Holm); it counts from 0.025 down, lower with several prompts.

    | case | old passed | new passed | p | broke |
    |---|---|---|---|---|
    | `refund-over-limit` | 6 of 6 | 0 of 6 | 0.0032 | yes |
    | `angry\|customer` | 6 of 6 | 0 of 6 | 0.0032 | yes |
    | `late-parcel` | 6 of 6 | 4 of 6 | 0.2273 | not proved |

    ### Approval

    1 of `@acme/prompt-reviewers` is missing

    - reviewer: 0 of 1 from `@acme/prompt-reviewers`
    "#);
}

#[test]
fn secrets_are_in_no_rendering() {
    let secret = "correct-horse-battery";
    let secrets = Secrets::new([secret.to_owned()]);
    let report = hostile(secret);
    let style = crate::domain::report::text::Style { colour: false };
    for shown in [
        comment(&report, &secrets),
        explain(&report, &secrets),
        crate::domain::report::text::text(&report, style, &secrets),
        crate::domain::report::json_v1::json(&report, &secrets),
        format!("{:?}", crate::domain::report::check::evaluation(&report, &secrets)),
        format!("{:?}", crate::domain::report::annotations::annotations(&report, &secrets)),
    ] {
        assert!(shown.contains("[redacted]") && !shown.contains(secret), "{shown}");
    }
}

#[test]
fn no_p_value_above_the_folds() {
    let mut report = sample::regression();
    report.prompts[0].reasons.push(Reason::SuiteWorse { got_worse: 9, got_better: 1, compared: 48, p: 0.0123 });
    let above = above_the_folds(&comment(&report, &none()));
    assert!(above.contains("9 got worse and 1 better"));
    assert!(!above.contains("0.0123") && !above.contains(" p "));
}

#[test]
fn a_very_long_report_fits_and_says_what_is_missing() {
    let mut report = sample::regression();
    let broken = report.prompts[0].cases[1].clone();
    report.prompts[0].cases = (0..200)
        .map(|number| {
            let mut case = broken.clone();
            case.id = format!("case-{number}").into();
            case.head.as_mut().expect("head").output = Some("\u{1F600} word ".repeat(400).into());
            case
        })
        .collect();
    let text = comment(&report, &none());
    assert!(text.encode_utf16().count() <= 60_000);
    assert!(text.contains("parts were left out here, because GitHub limits the length of this text._"));
    assert!(text.contains("How this was decided"), "the numbers are kept longer than the answers");
    assert!(text.contains("Commands: `/promptops eval`"));
}

/// A report in which every text from outside is `text`.
fn hostile(text: &str) -> Report {
    let mut report = sample::regression();
    report.base = Some(text.to_owned());
    report.head = text.to_owned();
    report.notes = vec![text.to_owned()];
    let set = PromptPath::parse("prompts/@octocat#1.golden.yml").expect("a path");
    let edits = vec![Edit { said: text.to_owned(), weakens: true }];
    report.set_changes.add([SetChange { set, case: Some(text.into()), what: What::Edited(edits) }]);
    report.settings_changes = vec![text.to_owned()];
    report.outcome = Outcome::Failed { message: text.to_owned() };
    report.diagnostics = vec![Diagnostic {
        code: text.to_owned(),
        severity: Severity::Error,
        path: PromptPath::parse("prompts/@octocat#1.prompt.yml").expect("a path"),
        location: None,
        message: text.to_owned(),
        help: Some(text.to_owned()),
        excerpt: Some(text.to_owned()),
        is_aside: false,
    }];
    let prompt = &mut report.prompts[0];
    prompt.name = text.to_owned();
    prompt.metrics[0] = [(text.to_owned(), 0.5)].into();
    prompt.prompt_text = Some((text.to_owned(), format!("{text} more")));
    prompt.candidates[0].id = text.into();
    prompt.cases.truncate(6);
    for case in &mut prompt.cases {
        case.id = text.into();
        case.vars = std::sync::Arc::new([(text.to_owned(), text.into())].into());
        case.failed_evaluators = vec![FailedEvaluator { name: text.into(), reason: text.to_owned() }];
        let side = case.head.as_mut().expect("head");
        side.output = Some(text.into());
    }
    prompt.cases[4].head.as_mut().expect("head").error = Some(text.to_owned());
    if let Some(approval) = &mut report.approval {
        approval.line = text.to_owned();
        let below = ApprovalLine::from(text.to_owned());
        approval.rules = vec![ApprovalLine { text: text.to_owned(), parts: vec![below] }];
    }
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn outside_text_does_nothing_anywhere_in_a_comment(text in prop_oneof![
        "(@octocat|#12|</details>|<img>|<!--|-->|```|~~~|\\[x\\]\\(y\\)|https://e.example|\\||\\\\|\n|> |- |    |\\*\\*){0,12}",
        any::<String>(),
    ]) {
        let report = hostile(&text);
        for markdown in [comment(&report, &none()), explain(&report, &none())] {
            let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
            let mut in_code = false;
            for event in Parser::new_ext(&markdown, options) {
                match event {
                    Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough) | Event::TaskListMarker(_) | Event::Rule => {
                        prop_assert!(false, "{event:?} in {markdown}");
                    }
                    Event::Html(html) | Event::InlineHtml(html) => {
                        let ours = html.trim() == MARKER || html.starts_with("<details><summary>") || html.starts_with("<details open><summary>") || html.trim() == "</details>";
                        prop_assert!(ours, "{html} in {markdown}");
                    }
                    Event::Start(Tag::CodeBlock(_)) => in_code = true,
                    Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
                    Event::Text(text) if !in_code => {
                        prop_assert!(!text.contains(['@', '#']) && !text.contains("://"), "{text} in {markdown}");
                    }
                    _ => {}
                }
            }
            let obeyed = markdown.lines().any(|line| line.starts_with(['/', '@']) || line.starts_with("::"));
            prop_assert!(!obeyed, "{markdown}");
        }
    }
}
