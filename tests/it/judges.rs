//! Judges within a run: what is asked how often, what is believed, and what a judge that contradicts itself may still decide.

use std::sync::Mutex;

use futures::future::BoxFuture;
use promptops::domain::evaluator::Evaluator;
use promptops::domain::evaluator::spec::{CheckSpec, EvaluatorSpec, GradedKind, GradedSpec, Measure};
use promptops::domain::gate::verdict::decide;
use promptops::domain::gate::{CaseKind, Trial};
use promptops::domain::golden::MustPass;
use promptops::domain::ids::Digest;
use promptops::engine::provider::{Completion, CompletionRequest, KnownAnswers, Provider, ProviderError, Task};
use promptops::engine::run::{PlannedPrompt, PromptRun, RunPlan, run};
use serde_json::json;

use crate::support::plans::{contains, evaluator, judge, limits, plan};

/// Models in one process: a script answers, every request is kept.
struct Panel<F> {
    script: F,
    asked: Mutex<Vec<CompletionRequest>>,
    known: KnownAnswers,
}

impl<F: Fn(&CompletionRequest) -> String + Send + Sync> Panel<F> {
    fn new(script: F) -> Self {
        Self { script, asked: Mutex::default(), known: KnownAnswers::new() }
    }

    async fn measure(&self, plan: &RunPlan) -> PromptRun {
        run(plan, self, &limits(), &|_| {}).await.unwrap().remove(0)
    }

    fn asked(&self, of: impl Fn(&CompletionRequest) -> bool) -> Vec<CompletionRequest> {
        self.asked.lock().unwrap().iter().filter(|request| of(request)).cloned().collect()
    }
}

impl<F: Fn(&CompletionRequest) -> String + Send + Sync> Provider for Panel<F> {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        _key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        self.asked.lock().unwrap().push(request.clone());
        let text = (self.script)(request);
        let answer = if text == "REFUSED" {
            Err(ProviderError::GiveUp { message: "refused".to_owned() })
        } else {
            Ok(completion(&text))
        };
        Box::pin(std::future::ready(answer))
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        let known = keys.iter().filter_map(|key| Some((*key, self.known.get(key)?.clone()))).collect();
        Box::pin(std::future::ready(known))
    }
}

fn completion(text: &str) -> Completion {
    Completion {
        text: text.into(),
        finish_reason: None,
        input_tokens: Some(10),
        output_tokens: Some(5),
        latency_ms: 1,
        rate: None,
    }
}

fn is_judge(request: &CompletionRequest) -> bool {
    request.model.as_str() == "openai/judge"
}

/// Second opinions are samples of their own.
fn is_second(request: &CompletionRequest) -> bool {
    is_judge(request) && request.sample.index >= 16
}

fn user(request: &CompletionRequest) -> String {
    request.messages.last().unwrap().content.to_string()
}

fn scored(score: f64) -> String {
    json!({"reason": "so", "score": score}).to_string()
}

fn graded(kind: GradedKind) -> Evaluator {
    evaluator(CheckSpec::Graded(GradedSpec { kind, model: None }))
}

fn trial(score: f64, passed: bool) -> Option<Trial> {
    Some(Trial { passed, score })
}

#[tokio::test]
async fn each_text_is_embedded_once_by_the_model_of_the_settings() {
    let panel = Panel::new(|request| match request.task {
        Task::Embed if user(request) == "the wanted text" => "[3, 4]".to_owned(),
        Task::Embed => "[4, 3]".to_owned(),
        Task::Chat => "the same for all".to_owned(),
    });
    let similar = GradedKind::Similar { to: vec!["the wanted text".to_owned()], measure: Measure::Cosine };
    let mut plan = plan("old {{n}}", "new {{n}}", 10, vec![graded(similar)]);
    let measured = panel.measure(&plan).await;
    let embedded = panel.asked(|request| request.task == Task::Embed);
    let texts: Vec<String> = embedded.iter().map(user).collect();
    assert_eq!(texts, ["the same for all", "the wanted text"]);
    assert!(embedded.iter().all(|request| request.model.as_str() == "openai/vectors" && request.messages.len() == 1));
    assert!(measured.record.cases.iter().all(|case| case.head == vec![trial(0.96, true)] && case.base == case.head));
    assert!(measured.agreements.is_empty(), "vectors are no opinion");
    plan.embeddings = None;
    let output = panel.measure(&plan).await.outputs.remove(0).1.unwrap();
    assert!(output.error.unwrap().ends_with("no embeddings model: set evaluation.embeddings"));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_asked_for_once_more() {
    let panel = Panel::new(|request| match (is_judge(request), request.sample.index) {
        (false, _) => "hello".to_owned(),
        (true, 0) => "I like it".to_owned(),
        (true, _) => scored(0.75),
    });
    let plan = plan("same", "same", 1, vec![judge("polite")]);
    let measured = panel.measure(&plan).await;
    assert_eq!(measured.record.cases[0].head, vec![trial(0.75, true)]);
    let first: Vec<u32> = panel.asked(is_judge).iter().map(|request| request.sample.index).take(2).collect();
    assert_eq!(first, [0, 1]);
    // Twice in one run is enough; the trial is unmeasured then.
    let panel = Panel::new(|request| if is_judge(request) { "I like it".to_owned() } else { "hello".to_owned() });
    assert_eq!(panel.measure(&plan).await.record.cases[0].head, vec![None]);
    assert_eq!(panel.asked(is_judge).len(), 2);
}

#[tokio::test]
async fn a_stored_answer_that_cannot_be_read_does_not_decide_for_ever() {
    let plan = plan("same", "same", 1, vec![judge("polite")]);
    let answers = |request: &CompletionRequest| match (is_judge(request), request.sample.index) {
        (false, _) => "hello".to_owned(),
        (true, 0..2) => "I like it".to_owned(),
        (true, _) => scored(1.0),
    };
    let mut panel = Panel::new(answers);
    assert_eq!(panel.measure(&plan).await.record.cases[0].head, vec![None]);
    let stored = panel.asked(|_| true).iter().map(|request| (request.key(), completion(&answers(request)))).collect();
    panel.known = stored;
    panel.asked = Mutex::default();
    let measured = panel.measure(&plan).await;
    assert_eq!(measured.record.cases[0].head, vec![trial(1.0, true)]);
    let asked: Vec<u32> = panel.asked(|_| true).iter().map(|request| request.sample.index).collect();
    assert_eq!(asked[0], 2, "the stored ones are passed over, a fresh one is asked for");
}

#[tokio::test]
async fn a_negated_judge_passes_where_the_rubric_is_missed_and_is_unmeasured_where_it_cannot_be_read() {
    let spec = EvaluatorSpec {
        negated: true,
        ..EvaluatorSpec::plain(CheckSpec::Judge { rubric: "rude".to_owned(), model: None })
    };
    let plan = plan("same", "same", 1, vec![Evaluator::compile(spec).unwrap()]);
    for (said, expected) in
        [(scored(0.25), trial(0.75, true)), (scored(1.0), trial(0.0, false)), ("rude".to_owned(), None)]
    {
        let panel = Panel::new(|request| if is_judge(request) { said.clone() } else { "hello".to_owned() });
        assert_eq!(panel.measure(&plan).await.record.cases[0].head, vec![expected]);
    }
}

#[tokio::test]
async fn a_tenth_of_the_texts_is_judged_twice_and_no_case_is_judged_by_the_second_opinion() {
    let panel = Panel::new(|request| match (is_judge(request), is_second(request)) {
        (false, _) => user(request),
        (true, second) => scored(if second { 0.0 } else { 1.0 }),
    });
    let plan = plan("old {{n}}", "new {{n}}", 200, vec![judge("polite")]);
    let measured = panel.measure(&plan).await;
    let doubled = panel.asked(is_second).len();
    assert!((10..=30).contains(&doubled), "{doubled} of base's 200");
    assert!(panel.asked(is_second).iter().all(|request| user(request).contains("old")), "head adds nothing");
    let agreement = &measured.agreements[0];
    assert_eq!((agreement.counts, &*agreement.name), ([0, doubled as u32, 0, 0], "judge \"polite\""));
    assert!(agreement.is_noisy());
    assert!(measured.record.cases.iter().all(|case| case.head == vec![trial(1.0, true)] && !case.noisy_judge));
    // The same text is shown, inside another fence.
    let firsts = panel.asked(|request| is_judge(request) && !is_second(request));
    for second in panel.asked(is_second) {
        let data = |request: &CompletionRequest| user(request).lines().nth(1).unwrap().to_owned();
        let first = firsts.iter().find(|first| data(first) == data(&second)).unwrap();
        assert_ne!(user(first), user(&second));
    }
}

#[tokio::test]
async fn a_second_opinion_that_is_not_given_is_not_counted() {
    let panel = Panel::new(|request| match (is_judge(request), is_second(request)) {
        (false, _) => user(request),
        (true, true) => "REFUSED".to_owned(),
        (true, false) => scored(1.0),
    });
    let measured = panel.measure(&plan("old {{n}}", "new {{n}}", 50, vec![judge("polite")])).await;
    assert!(measured.record.cases.iter().all(|case| case.head == vec![trial(1.0, true)]));
    assert_eq!((measured.agreements[0].doubled(), measured.agreements[0].kappa()), (0, None));
}

/// A judge that finds nothing good the first time, and half of it the second time.
fn fickle(request: &CompletionRequest) -> String {
    match (is_judge(request), is_second(request)) {
        (false, _) => user(request),
        (true, second) => {
            let text = user(request);
            let is_bad = text.contains("new") || text.contains('7');
            let flips = second && text.len().is_multiple_of(2);
            scored(if is_bad == flips { 1.0 } else { 0.0 })
        }
    }
}

#[tokio::test]
async fn failures_that_rest_on_a_judge_that_contradicts_itself_are_marked_and_others_are_not() {
    let cases = |evaluators| {
        let mut plan = plan("old {{n}}", "new {{n}}", 150, evaluators);
        plan.prompts[0].cases[0].case.must_pass = Some(MustPass::Always);
        plan
    };
    let measured = Panel::new(fickle).measure(&cases(vec![judge("polite")])).await;
    assert!(measured.agreements[0].is_noisy(), "{:?}", measured.agreements);
    assert!(measured.record.cases.iter().all(|case| case.noisy_judge), "all fail on head, by the judge alone");
    let measured = Panel::new(fickle).measure(&cases(vec![judge("polite"), contains("old")])).await;
    assert!(measured.record.cases.iter().all(|case| !case.noisy_judge), "another evaluator fails them too");
}

#[tokio::test]
async fn cases_that_head_adds_do_not_make_a_judge_noisy() {
    let mut plan = plan("old {{n}}", "new {{n}}", 300, vec![judge("polite")]);
    for planned in &mut plan.prompts[0].cases[150..] {
        planned.kind = CaseKind::New;
    }
    let alone = PlannedPrompt { base: None, ..plan.prompts[0].clone() };
    plan.prompts.push(alone);
    // Sure of base's answers, and of two minds about all that head says.
    let panel = Panel::new(|request| match (is_judge(request), is_second(request)) {
        (false, _) => user(request),
        (true, second) => scored(if user(request).contains("old") || !second { 1.0 } else { 0.0 }),
    });
    let measured = run(&plan, &panel, &limits(), &|_| {}).await.unwrap();
    let [compared, alone] = &*measured else { panic!("two prompts") };
    assert_eq!(compared.agreements[0].agreed(), compared.agreements[0].doubled());
    assert!((5..=30).contains(&compared.agreements[0].doubled()));
    assert!(alone.agreements[0].is_noisy(), "a prompt without a base is held against its own answers");
}

#[tokio::test]
async fn a_case_that_base_wins_for_good_is_a_confirmed_break() {
    let better = |request: &CompletionRequest| {
        let choice = if user(request).lines().nth(1).unwrap().contains("old") { "first" } else { "second" };
        json!({"reason": "so", "choice": choice}).to_string()
    };
    let panel = Panel::new(|request| if is_judge(request) { better(request) } else { user(request) });
    let best = GradedKind::SelectBest { criterion: "polite".to_owned() };
    let mut plan = plan("old {{n}}", "new {{n}}", 3, vec![contains("{{n}}")]);
    plan.prompts[0].cases[1].case.evaluators = [graded(best)].into();
    let measured = panel.measure(&plan).await;
    let case = &measured.record.cases[1];
    assert_eq!((case.screen_runs.len(), case.confirm_head.len()), (0, 6), "head alone says nothing");
    let found = decide(&[measured.record], &plan.gate).remove(0);
    assert!(found.candidates[0].confirmed, "{found:?}");
}

#[tokio::test]
async fn two_sides_are_compared_in_both_orders_and_each_gets_its_half_of_the_verdict() {
    let better = |request: &CompletionRequest| {
        let text = user(request);
        let first = text.lines().nth(1).unwrap().to_owned();
        let choice = match () {
            () if text.contains("old 3") => "first",
            () if text.contains("old 4") => "neither",
            () => {
                if first.contains("new") {
                    "first"
                } else {
                    "second"
                }
            }
        };
        json!({"reason": "so", "choice": choice}).to_string()
    };
    let panel = Panel::new(|request| if is_judge(request) { better(request) } else { user(request) });
    let best = GradedKind::SelectBest { criterion: "polite".to_owned() };
    let mut plan = plan("old {{n}}", "new {{n}}", 6, vec![graded(best), contains("o")]);
    plan.prompts[0].cases[0].case.must_pass = Some(MustPass::Always);
    let measured = panel.measure(&plan).await;
    for (n, case) in measured.record.cases.iter().enumerate() {
        let tie = matches!(n, 3 | 4);
        // `contains` fails on head: "new 1" has no `o`.
        let (base, head) = if tie { (0.75, 0.25) } else { (0.5, 0.5) };
        assert_eq!((case.base[0].unwrap().score, case.head[0].unwrap().score), (base, head), "case {n}");
    }
    let of_five: Vec<_> = panel.asked(|request| is_judge(request) && user(request).contains("new 5"));
    assert_eq!(of_five.iter().map(|request| request.key()).collect::<std::collections::HashSet<_>>().len(), 2);
    assert!(measured.agreements.is_empty());
    // Head's fresh runs alone are compared with nothing.
    assert!(measured.record.cases[0].must_pass_runs.iter().all(|run| run.unwrap().score == 0.5));
}

#[tokio::test]
async fn a_comparison_that_cannot_be_read_leaves_both_sides_unmeasured() {
    let panel = Panel::new(|request| if is_judge(request) { "the first".to_owned() } else { user(request) });
    let best = GradedKind::SelectBest { criterion: "polite".to_owned() };
    let measured = panel.measure(&plan("old {{n}}", "new {{n}}", 1, vec![graded(best)])).await;
    assert_eq!((&measured.record.cases[0].base, &measured.record.cases[0].head), (&vec![None], &vec![None]));
    let error = measured.outputs[0].1.as_ref().unwrap().error.clone().unwrap();
    assert!(error.starts_with("judge `select_best \"polite\"`: unreadable judge answer"), "{error}");
}

#[tokio::test]
async fn a_judge_of_relevance_sees_what_the_case_asks_and_nothing_of_the_prompt() {
    let panel = Panel::new(|request| if is_judge(request) { scored(1.0) } else { "Bern".to_owned() });
    let head = "Bern is always right {{n}}";
    panel.measure(&plan("old {{n}}", head, 1, vec![graded(GradedKind::AnswerRelevance)])).await;
    let asked = panel.asked(is_judge);
    let shows = |text: &str| asked.iter().any(|request| user(request).contains(text));
    assert!(shows(r#""{\"n\":0}""#) && !shows("always right") && !shows("old"), "{asked:?}");
}

#[tokio::test]
async fn all_questions_of_an_evaluator_are_in_the_estimate() {
    let judged_by = |kind| {
        let mut plan = plan("old {{n}}", "new {{n}}", 40, vec![graded(kind)]);
        plan.judge = Some(crate::support::plans::model("openai/gpt-4o"));
        plan
    };
    let estimate = |plan: RunPlan| async move {
        let limits = promptops::engine::run::RunLimits { max_cost_usd: Some(0.0), ..limits() };
        let panel = Panel::new(|_| unreachable!("nothing is asked"));
        match run(&plan, &panel, &limits, &|_| {}).await {
            Err(promptops::engine::run::RunError::OverBudget(over)) => over.needed_usd,
            other => panic!("{other:?}"),
        }
    };
    let criteria = |n: usize| GradedKind::GEval { criteria: vec!["polite".to_owned(); n] };
    let (one, three) = (estimate(judged_by(criteria(1))).await, estimate(judged_by(criteria(3))).await);
    assert!(three > 2.0 * one, "{one} and {three}");
}
