//! The page: complete by itself, and deaf to hostile text.

use proptest::prelude::*;

use super::*;
use crate::domain::report::{SideReport, sample};

fn shown(report: &Report) -> String {
    page(report, &Secrets::default())
}

#[test]
fn the_page_says_what_the_other_renderings_say() {
    let mut report = sample::regression();
    report.prompts[0].prompt_text = Some(("Be kind.\n".to_owned(), "Be brief.\n".to_owned()));
    let page = shown(&report);
    for said in [
        "<title>Regression: 3 of 48 cases got worse, 1 better</title>",
        "We ran those 3 again: 2 failed 6 of 6 while the old prompt passed 6 of 6.",
        "0.98 → 0.94",
        "What changed in the prompt",
        "Got worse: 3 cases",
        "Got better: 1 case",
        "The same: 44 cases",
        "I will <mark>escalate</mark> this <mark>to a person</mark> today.",
        "contains &#34;escalate&#34;: the answer does not contain",
        "1 of @acme/prompt-reviewers is missing",
        "138 calls, 1 answer from the cache, $0.0254",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    assert!(shown(&sample::without_base()).contains("Failed: 1 case"));
}

#[test]
fn the_page_needs_nothing_else() {
    let page = shown(&sample::regression());
    assert!(page.contains("default-src 'none'"));
    for asks in ["<script", "src=", "url(", "@import", "<link", "<img", "http:", "https:", "style=\"", "onclick"] {
        assert!(!page.contains(asks), "{asks}");
    }
}

#[test]
fn rivals_are_told_as_a_and_b() {
    let mut report = sample::regression().of_rivals();
    (report.base, report.head) = (Some("openai/gpt-4o".to_owned()), "openai/gpt-4o-mini".to_owned());
    let page = shown(&report);
    assert!(page.contains("<dt>A</dt><dd><code>openai/gpt-4o</code>"), "{page}");
    assert!(page.contains("We ran A and B side by side") && page.contains("score, A → B"));
    assert!(!page.contains("the old") && !page.contains("the new prompt"));
}

#[test]
fn large_answers_and_many_cases_are_cut_with_a_word() {
    let mut report = sample::regression();
    let prompt = &mut report.prompts[0];
    prompt.cases[0].head.as_mut().expect("head").output = Some("x".repeat(200_000).into());
    prompt
        .cases
        .extend((0..2_000).map(|n| sample::case(&format!("more-{n}"), super::super::CaseStatus::Same, "a", "b")));
    let page = shown(&report);
    assert!(page.contains("… 190,000 more characters"));
    assert!(page.contains("… and 1049 more, left out of this page."), "{}", page.len());
    assert!(page.len() < 3_000_000, "{}", page.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn hostile_text_stays_text(said in "[<>&\"'a/!\u{0}\u{202E}-]{0,60}") {
        let said = format!("{said}<script>alert(1)</script><!--</style>");
        let mut report = sample::regression();
        let plain = shown(&report).matches('<').count();
        report.base = Some(said.clone());
        report.notes = Vec::new();
        let prompt = &mut report.prompts[0];
        prompt.name = said.clone();
        prompt.cases[3].id = said.as_str().into();
        prompt.cases[3].vars = std::sync::Arc::new([(said.clone(), said.clone().into())].into());
        let failed = &mut prompt.cases[1].failed_evaluators[0];
        failed.reason = said.clone();
        prompt.cases[1].evaluators[0].reason = said.clone();
        prompt.cases[4].head = Some(SideReport { passes: 1, trials: 1, score: Some(1.0), output: Some("Yes.".into()), error: Some(said) });
        let page = shown(&report);
        let clean = !page.contains("<script") && !page.contains("<!--") && !page.contains('\u{202E}');
        prop_assert!(clean, "{}", page);
        // One more paragraph for the error; not one more tag for the text.
        prop_assert_eq!(page.matches('<').count(), plain + 2);
    }
}
