//! A realistic result for the tests of the renderings: a support team's prompt, 48 cases, three of them broken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::domain::budget::{Budget, Estimate, PromptEstimate};
use crate::domain::gate::verdict::ConfirmedBreak;

fn side(passes: u32, output: &str) -> Option<SideReport> {
    Some(SideReport { passes, trials: 1, score: Some(f64::from(passes)), output: Some(output.into()), error: None })
}

pub fn case(id: &str, status: CaseStatus, old: &str, new: &str) -> CaseReport {
    let (base, head) = match status {
        CaseStatus::Broken => (side(1, old), side(0, new)),
        CaseStatus::Fixed => (side(0, old), side(1, new)),
        CaseStatus::New | CaseStatus::Edited => (None, side(1, new)),
        CaseStatus::Removed => (None, None),
        CaseStatus::Same | CaseStatus::Unmeasured => (side(1, old), side(1, new)),
    };
    CaseReport {
        id: id.into(),
        vars: Arc::new(crate::domain::prompt::Vars::from([("amount".to_owned(), "900 EUR".into())])),
        expected: None,
        status,
        confirmed: false,
        base,
        head,
        failed_evaluators: Vec::new(),
        evaluators: Vec::new(),
        line: 3,
    }
}

fn found(name: &str, score: f64, reason: &str) -> EvaluatorReport {
    EvaluatorReport { name: name.into(), score, passed: score > 0.5, reason: reason.to_owned() }
}

fn failed(name: &str, reason: &str) -> FailedEvaluator {
    FailedEvaluator { name: name.into(), reason: reason.to_owned() }
}

fn cases() -> Vec<CaseReport> {
    let mut refund = case(
        "refund-over-limit",
        CaseStatus::Broken,
        "Dear customer,\nI will escalate this to a person today.\nKind regards",
        "Dear customer,\nI will refund this today.\nKind regards",
    );
    refund.confirmed = true;
    refund.failed_evaluators = vec![failed("contains \"escalate\"", "the answer does not contain \"escalate\"")];
    refund.evaluators = vec![
        found("contains \"escalate\"", 0.0, "the answer does not contain \"escalate\""),
        found("not_contains \"As an AI\"", 1.0, "the answer does not contain \"As an AI\""),
    ];
    let mut angry = case("angry|customer", CaseStatus::Broken, "I am sorry to hear that.", "See #12, @octocat.");
    angry.confirmed = true;
    angry.failed_evaluators = vec![failed("tone", "0.2 is below 0.7: curt")];
    let mut late = case("late-parcel", CaseStatus::Broken, "It arrives on Monday.", "It arrives soon.");
    late.failed_evaluators = vec![failed("contains \"Monday\"", "the answer does not contain \"Monday\"")];
    let fixed = case("vat-number", CaseStatus::Fixed, "I cannot say.", "It is on the invoice.");
    let mut all = vec![late, refund, angry, fixed];
    all.extend((1..=44).map(|number| case(&format!("steady-{number}"), CaseStatus::Same, "Yes.", "Yes.")));
    all.push(case("gift-card", CaseStatus::New, "", "Yes."));
    all
}

pub fn prompt() -> PromptReport {
    let candidate = |id: &str, head, p, confirmed| ConfirmedBreak { id: id.into(), k: 6, base: 6, head, p, confirmed };
    let candidates = vec![
        candidate("refund-over-limit", 0, 0.0032, true),
        candidate("angry|customer", 0, 0.0032, true),
        candidate("late-parcel", 4, 0.2273, false),
    ];
    PromptReport {
        path: PromptPath::parse("prompts/support-reply.prompt.yml").expect("a path"),
        name: "Support reply".to_owned(),
        description: Some("Answers customers by e-mail".to_owned()),
        sides: Sides::Change,
        golden_set: Some(PromptPath::parse("prompts/support-reply.golden.yml").expect("a path")),
        model: ModelId::parse("openai/gpt-4o-mini").expect("a model"),
        verdict: Verdict::Regression,
        reasons: vec![
            Reason::ConfirmedBreaks { cases: candidates[..2].to_vec() },
            Reason::MustPassShaky { case: "late-parcel".into(), failures: 1, runs: 8 },
        ],
        base_score: Some(0.9792),
        head_score: Some(0.9375),
        bound: Some(-0.112),
        suite_p: Some(0.1875),
        run_again: 3,
        candidates,
        has_base: true,
        cases: cases(),
        metrics: [BTreeMap::from([("tone".to_owned(), 0.81)]), BTreeMap::from([("tone".to_owned(), 0.64)])],
        usage: [usage(66, 0, 0.0121), usage(72, 1, 0.0133)],
        agreements: Vec::new(),
        median_cost: Some((0.00018, 0.00019)),
        median_latency: Some((820.0, 790.0)),
        prompt_text: None,
        prompt_lines: Some((12, 20)),
    }
}

fn usage(calls: u64, cached_calls: u64, cost_usd: f64) -> SideUsage {
    SideUsage { calls, cached_calls, input_tokens: calls * 400, output_tokens: calls * 60, cost_usd }
}

pub fn regression() -> Report {
    let mut report =
        Report::new(Outcome::Measured(Verdict::Regression), Some("a1b2c3d".to_owned()), "e4f5a6b".to_owned());
    report.prompts = vec![prompt()];
    report.approval = Some(ApprovalSummary {
        state: ApprovalState::Waiting,
        line: "1 of @acme/prompt-reviewers is missing".to_owned(),
        rules: vec!["reviewer: 0 of 1 from @acme/prompt-reviewers".to_owned().into()],
    });
    report
}

/// The same prompt run alone: one case passes, one fails.
pub fn without_base() -> Report {
    let mut prompt = prompt();
    let mut failing = case("refund-over-limit", CaseStatus::New, "", "I will refund this today.");
    failing.head = side(0, "I will refund this today.");
    failing.failed_evaluators = vec![failed("contains \"escalate\"", "the answer does not contain \"escalate\"")];
    prompt.cases = vec![failing, case("gift-card", CaseStatus::New, "", "Yes.")];
    prompt.has_base = false;
    (prompt.base_score, prompt.head_score, prompt.bound, prompt.suite_p) = (None, Some(0.5), None, None);
    (prompt.median_cost, prompt.median_latency) = (None, None);
    prompt.run_again = 0;
    (prompt.candidates, prompt.reasons) = (Vec::new(), vec![Reason::ScoreBelowFloor { score: 0.5, floor: 0.8 }]);
    prompt.usage = [SideUsage::default(), usage(2, 0, 0.0004)];
    prompt.metrics = [BTreeMap::new(), BTreeMap::from([("tone".to_owned(), 0.64)])];
    let mut report = Report::new(Outcome::Measured(Verdict::Regression), None, "working tree".to_owned());
    report.prompts = vec![prompt];
    report
}

/// A run of the sample's prompt that would cost too much.
pub fn over_budget() -> OverBudget {
    let prompt = PromptEstimate {
        path: PromptPath::parse("prompts/reply.prompt.yml").expect("a path"),
        name: "Order reply".to_owned(),
        cases: 48,
        sides: 2,
        trials: 1,
        calls: 90,
        known: 6,
        input_tokens: 36_000,
        output_tokens: 9_000,
        usd: 3.5,
        unpriced: vec![ModelId::parse("gateway/judge").expect("a model")],
    };
    OverBudget {
        budget: Budget::Run,
        limit_usd: 2.0,
        spent_usd: 0.0,
        reserved_usd: 0.0,
        needed_usd: 3.5,
        began: false,
        estimate: Some(Estimate { prompts: vec![prompt] }),
    }
}
