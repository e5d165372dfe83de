//! A run asks each question once, within its limits, and stops when it is told to.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use promptops::domain::gate::{Side, Trial};
use promptops::domain::golden::MustPass;
use promptops::domain::ids::Digest;
use promptops::engine::event::RunEvent;
use promptops::engine::provider::{Completion, CompletionRequest, KnownAnswers, Provider, ProviderError};
use promptops::engine::run::{PromptRun, RunError, RunLimits, RunPlan, run};
use promptops::provider::{ProviderConfig, Recorder, Registry, Replay};

use crate::support::plans::{case, contains, judge, limits, plan};
use crate::support::provider::{Asked, Reply, Scripted};

const PASSED: Option<Trial> = Some(Trial { passed: true, score: 1.0 });
const FAILED: Option<Trial> = Some(Trial { passed: false, score: 0.0 });

fn registry(server: &Scripted) -> Registry {
    Registry::new(ProviderConfig::gateway(format!("{}/v1", server.url()))).unwrap()
}

async fn measure(plan: &RunPlan, provider: &dyn Provider, limits: &RunLimits) -> Result<PromptRun, RunError> {
    let running = run(plan, provider, limits, &|_| {});
    // Jobs run on any thread.
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    Ok(is_send(running).await?.remove(0))
}

/// A provider with a memory, as the store's cache is one.
struct Remembering {
    inner: Registry,
    answers: Mutex<KnownAnswers>,
    lookups: Mutex<Vec<usize>>,
}

impl Provider for Remembering {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(async move {
            let completion = self.inner.complete(request, key).await?;
            self.answers.lock().unwrap().insert(key, completion.clone());
            Ok(completion)
        })
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        self.lookups.lock().unwrap().push(keys.len());
        let answers = self.answers.lock().unwrap();
        let known = keys.iter().filter_map(|key| Some((*key, answers.get(key)?.clone()))).collect();
        Box::pin(std::future::ready(known))
    }
}

fn echo(asked: &Asked) -> Reply {
    Reply::text(format!("you said {}", asked.user()))
}

#[tokio::test]
async fn base_and_head_are_measured_on_the_same_cases_and_each_side_pays_its_own_calls() {
    let server = Scripted::start(echo).await;
    let plan = plan("old {{n}}", "new {{n}}", 20, vec![contains("you"), contains("nobody")]);
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    assert_eq!(server.calls(), 40);
    for case in &measured.record.cases {
        assert_eq!(case.base, vec![Some(Trial { passed: false, score: 0.5 })]);
        assert_eq!(case.head, case.base);
    }
    let (base, head) = &measured.outputs[7];
    assert_eq!(base.as_ref().unwrap().text.as_deref(), Some("you said old 7"));
    assert_eq!(head.as_ref().unwrap().text.as_deref(), Some("you said new 7"));
    for usage in &measured.usage {
        assert_eq!((usage.calls, usage.cached_calls, usage.input_tokens, usage.output_tokens), (20, 0, 2000, 200));
        // gpt-4o-mini: 0.15 and 0.60 USD per million tokens.
        assert!((usage.cost_usd - 20.0 * (100.0 * 0.15 + 10.0 * 0.6) / 1e6).abs() < 1e-12);
    }
    let (cost, _) = measured.record.cost.unwrap();
    assert!((cost - 21e-6).abs() < 1e-12);
    assert!(measured.record.latency.is_some());
}

#[tokio::test]
async fn sides_that_ask_the_same_share_one_answer() {
    let server = Scripted::start(|asked| Reply::text(format!("answer {}", asked.nth))).await;
    let plan = plan("same {{n}}", "same {{n}}", 30, vec![contains("answer")]);
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    assert_eq!(server.calls(), 30);
    let [base, head] = &measured.usage;
    assert_eq!((base.calls + head.calls, base.cached_calls + head.cached_calls), (30, 30));
    for (base, head) in &measured.outputs {
        assert_eq!(base.as_ref().unwrap().text, head.as_ref().unwrap().text);
    }
}

#[tokio::test]
async fn never_more_calls_at_once_than_allowed() {
    let server = Scripted::start(|asked| Reply::After(Duration::from_millis(5), Box::new(echo(asked)))).await;
    let plan = plan("old {{n}}", "new {{n}}", 60, vec![contains("you")]);
    measure(&plan, &registry(&server), &RunLimits { concurrency: 5, ..limits() }).await.unwrap();
    assert_eq!((server.calls(), server.most_at_once()), (120, 5));
}

#[tokio::test]
async fn samples_stand_in_their_order_whatever_order_the_answers_come_in() {
    // Earlier calls answer later, and the answer tells its sample: the third of each case and side fails.
    let seen: Mutex<std::collections::HashMap<String, usize>> = Mutex::default();
    let server = Scripted::start(move |asked| {
        let mut seen = seen.lock().unwrap();
        let count = seen.entry(asked.user().to_owned()).or_default();
        *count += 1;
        let text = if *count == 3 { "bad" } else { "good" };
        Reply::After(Duration::from_millis(30 - 5 * *count as u64), Box::new(Reply::text(text)))
    })
    .await;
    let mut plan = plan("old {{n}}", "new {{n}}", 3, vec![contains("good")]);
    plan.gate.trials = 5;
    let measured = measure(&plan, &registry(&server), &RunLimits { concurrency: 1, ..limits() }).await.unwrap();
    for case in &measured.record.cases {
        assert_eq!(case.base, vec![PASSED, PASSED, FAILED, PASSED, PASSED]);
        assert_eq!(case.head, case.base);
    }
    let failing = measured.failing[0].as_ref().expect("the suite's first output passed");
    assert_eq!(failing.text.as_deref(), Some("bad"));
}

#[tokio::test]
async fn a_must_pass_case_that_fails_only_in_its_lane_keeps_a_failing_output() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let server = Scripted::start(move |_| {
        let nth = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Reply::text(if nth < 2 { "good" } else { "bad" })
    })
    .await;
    let mut plan = plan("old {{n}}", "new {{n}}", 1, vec![contains("good")]);
    let evaluators = plan.prompts[0].cases[0].case.evaluators.clone();
    plan.prompts[0].cases = vec![case(0, &evaluators, Some(MustPass::Always))];
    let measured = measure(&plan, &registry(&server), &RunLimits { concurrency: 1, ..limits() }).await.unwrap();
    assert_eq!(measured.record.cases[0].head, vec![PASSED]);
    assert_eq!(measured.record.cases[0].must_pass_runs, vec![FAILED; 3]);
    assert_eq!(measured.outputs[0].1.as_ref().unwrap().text.as_deref(), Some("good"));
    assert_eq!(measured.failing[0].as_ref().unwrap().text.as_deref(), Some("bad"));
}

#[tokio::test]
async fn a_refused_case_is_unmeasured_and_the_others_are_not() {
    let server = Scripted::start(|asked| match asked.user() {
        "new 3" => Reply::error(400, "too long"),
        _ => echo(asked),
    })
    .await;
    let plan = plan("old {{n}}", "new {{n}}", 6, vec![contains("you")]);
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    for (n, case) in measured.record.cases.iter().enumerate() {
        assert_eq!(case.head, vec![if n == 3 { None } else { PASSED }]);
        assert_eq!(case.base, vec![PASSED]);
    }
    let output = measured.outputs[3].1.as_ref().unwrap();
    assert!(output.error.as_ref().unwrap().contains("openai answered 400: too long"));
}

#[tokio::test]
async fn a_variable_that_head_alone_has_no_value_for_names_itself_and_fails_the_case() {
    let server = Scripted::start(echo).await;
    let plan = plan("old {{n}}", "new {{who}}", 1, vec![contains("you")]);
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    let error = measured.outputs[0].1.as_ref().unwrap().error.clone().unwrap();
    assert!(error.contains("`case-0`") && error.contains("`who`"), "{error}");
    let failed = Some(Trial { passed: false, score: 0.0 });
    assert_eq!(measured.record.cases[0].head, vec![failed]);
    assert!(server.asked().iter().all(|asked| asked.user() == "old 0"), "head is never asked");
}

#[tokio::test]
async fn an_overloaded_provider_is_asked_again_after_the_time_it_names() {
    let server = Scripted::start(|asked| match asked.nth {
        0 => Reply::Status(429, vec![("retry-after", "1".to_owned())], "slow down".to_owned()),
        _ => echo(asked),
    })
    .await;
    let mut plan = plan("old {{n}}", "new {{n}}", 1, vec![contains("you")]);
    plan.prompts[0].base = None;
    let (started, events) = (Instant::now(), Mutex::new(Vec::new()));
    let note = |event| events.lock().unwrap().push(event);
    let measured = run(&plan, &registry(&server), &limits(), &note).await.unwrap().remove(0);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!((measured.record.cases[0].head.clone(), measured.usage[1].calls), (vec![PASSED], 2));
    assert_eq!(
        events.into_inner().unwrap(),
        vec![
            RunEvent::StageStarted { trials: 1 },
            RunEvent::Retrying { message: "openai answered 429".to_owned() },
            RunEvent::TrialDone { prompt: 0, side: Side::Head, measured: true, cached: false },
        ]
    );
}

#[tokio::test]
async fn a_broken_provider_is_tried_a_bounded_number_of_times() {
    for reply in [Reply::error(503, "down"), Reply::Status(200, vec![], "<html>".to_owned()), Reply::Hang] {
        let server = Scripted::start(move |_| reply.clone()).await;
        let plan = plan("same", "same", 1, vec![contains("you")]);
        let limits = RunLimits { tries: 2, call_timeout: Duration::from_millis(300), ..limits() };
        let measured = measure(&plan, &registry(&server), &limits).await.unwrap();
        assert_eq!((measured.record.cases[0].head.clone(), server.calls()), (vec![None], 2));
        let error = measured.outputs[0].1.as_ref().unwrap().error.clone().unwrap();
        assert!(error.ends_with("(tried 2 times)"), "{error}");
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up_after_a_few_questions() {
    for reply in [Reply::error(503, "down"), Reply::Hang] {
        let server = Scripted::start(move |_| reply.clone()).await;
        let plan = plan("old {{n}}", "new {{n}}", 500, vec![contains("you")]);
        let limits = RunLimits { tries: 2, call_timeout: Duration::from_millis(300), ..limits() };
        let error = measure(&plan, &registry(&server), &limits).await.unwrap_err();
        let why = "(stopped after 3 questions in a row without an answer: run again later)";
        assert!(matches!(&error, RunError::Provider(message) if message.ends_with(why)), "{error}");
        assert!(server.calls() <= 16, "{} calls", server.calls());
    }
}

#[tokio::test]
async fn a_wrong_key_stops_the_run_at_once() {
    let server = Scripted::start(|_| Reply::error(401, "bad key")).await;
    let plan = plan("old {{n}}", "new {{n}}", 500, vec![contains("you")]);
    let error = measure(&plan, &registry(&server), &limits()).await.unwrap_err();
    assert!(matches!(&error, RunError::Provider(message) if message.contains("OPENAI_API_KEY")), "{error}");
    assert!(server.calls() <= 8);
}

#[tokio::test]
async fn a_cancelled_run_hangs_up_and_calls_no_more() {
    let server = Scripted::start(|_| Reply::Hang).await;
    let plan = plan("old {{n}}", "new {{n}}", 100, vec![contains("you")]);
    let limits = limits();
    let (registry, cancel) = (registry(&server), limits.cancel.clone());
    let running = measure(&plan, &registry, &limits);
    let stop = async {
        while server.open() < 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(running, stop);
    assert!(matches!(outcome, Err(RunError::Cancelled)));
    while server.open() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((server.abandoned(), server.calls()), (8, 8));
}

#[tokio::test]
async fn a_run_ends_at_its_time_limit() {
    let server = Scripted::start(|_| Reply::Hang).await;
    let plan = plan("old {{n}}", "new {{n}}", 3, vec![contains("you")]);
    let limits = RunLimits { run_timeout: Duration::from_millis(200), ..limits() };
    assert!(matches!(measure(&plan, &registry(&server), &limits).await, Err(RunError::TimedOut { .. })));
}

#[tokio::test]
async fn a_run_that_would_cost_too_much_makes_no_call() {
    let server = Scripted::start(echo).await;
    let plan = plan("old {{n}}", "new {{n}}", 1000, vec![contains("you")]);
    let limits = RunLimits { max_cost_usd: Some(0.01), ..limits() };
    let error = measure(&plan, &registry(&server), &limits).await.unwrap_err();
    assert!(matches!(&error, RunError::OverBudget(over) if over.needed_usd > 0.1 && !over.began), "{error}");
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn money_is_counted_while_running() {
    // The estimate hopes for short answers; the provider counts 100 + 10 tokens for each: 21 millionths of a dollar.
    let server = Scripted::start(echo).await;
    let mut plan = plan("old {{n}}", "new {{n}}", 200, vec![contains("you")]);
    for prompt in &mut plan.prompts {
        for planned in &mut prompt.cases {
            planned.case.expected = Some("x".into());
        }
    }
    let limits = RunLimits { max_cost_usd: Some(0.002), concurrency: 1, ..limits() };
    let error = measure(&plan, &registry(&server), &limits).await.unwrap_err();
    assert!(matches!(&error, RunError::OverBudget(over) if over.limit_usd == 0.002 && over.began), "{error}");
    assert_eq!(server.calls(), 96, "the call that passes the limit is the last");
}

#[tokio::test]
async fn identical_texts_share_one_judgement() {
    let server = Scripted::start(|asked| match asked.model() {
        "judge" => Reply::text(r#"{"score": 0.75, "reason": "polite"}"#),
        _ => Reply::text("the same for all"),
    })
    .await;
    let plan = plan("old {{n}}", "new {{n}}", 10, vec![judge("polite"), contains("same")]);
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    // Twenty answers, one judgement, and the second opinion that every judge gives at least once.
    assert_eq!(server.calls(), 22);
    assert_eq!(measured.usage.iter().map(|usage| usage.calls).sum::<u64>(), 22);
    assert_eq!(measured.usage.iter().map(|usage| usage.cached_calls).sum::<u64>(), 19);
    for case in &measured.record.cases {
        assert_eq!(case.head, vec![Some(Trial { passed: true, score: 0.875 })]);
    }
}

#[tokio::test]
async fn a_run_whose_answers_are_all_known_calls_nobody_and_costs_nothing() {
    let server = Scripted::start(|asked| match asked.model() {
        "judge" => Reply::text(r#"{"score": 1, "reason": "polite"}"#),
        _ => echo(asked),
    })
    .await;
    let plan = plan("old {{n}}", "new {{n}}", 300, vec![judge("polite"), contains("you")]);
    let (answers, lookups) = (Mutex::default(), Mutex::default());
    let provider = Remembering { inner: registry(&server), answers, lookups };
    let first = measure(&plan, &provider, &limits()).await.unwrap();
    let doubled = server.calls() - 1200;
    assert!((15..=50).contains(&doubled), "about a tenth of base's 300 texts is judged twice: {doubled}");
    assert_eq!((first.agreements[0].doubled() as usize, first.agreements[0].kappa()), (doubled, Some(1.0)));
    provider.lookups.lock().unwrap().clear();
    // What is known is not estimated either: the same run fits a budget of nothing.
    let broke = RunLimits { max_cost_usd: Some(0.0), ..limits() };
    let second = measure(&plan, &provider, &broke).await.unwrap();
    assert_eq!(server.calls(), 1200 + doubled);
    assert_eq!(format!("{:?}", second.record), format!("{:?}", first.record));
    for (usage, known) in second.usage.iter().zip([600, 600 + doubled as u64]) {
        assert_eq!((usage.calls, usage.cached_calls, usage.cost_usd), (0, known, 0.0));
    }
    // Answers and judgements are looked up in chunks, once for the estimate and once for the run.
    let lookups = provider.lookups.lock().unwrap().clone();
    let [512, first_chunk, 88, second_chunk, 512, 88] = *lookups else { panic!("{lookups:?}") };
    assert_eq!(first_chunk + second_chunk, 600 + doubled);
}

#[tokio::test]
async fn a_judge_that_cannot_be_read_leaves_the_trial_unmeasured() {
    let server = Scripted::start(|asked| match asked.model() {
        "judge" => Reply::text("I like it"),
        _ => echo(asked),
    })
    .await;
    let mut plan = plan("old {{n}}", "new {{n}}", 1, vec![judge("polite")]);
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    assert_eq!(measured.record.cases[0].head, vec![None]);
    let output = measured.outputs[0].1.as_ref().unwrap();
    assert_eq!(output.assessments, vec![None]);
    assert!(output.error.as_ref().unwrap().contains("unreadable judge answer"));
    plan.judge = None;
    let measured = measure(&plan, &registry(&server), &limits()).await.unwrap();
    let output = measured.outputs[0].1.as_ref().unwrap();
    assert!(output.error.as_ref().unwrap().ends_with("no judge model: set evaluation.judge"));
}

#[tokio::test]
async fn a_replayed_run_measures_what_the_recorded_one_did() {
    let server = Scripted::start(|asked| match asked.model() {
        "judge" => Reply::text(format!(r#"{{"score": 0.{}, "reason": "so"}}"#, asked.nth % 10)),
        _ => Reply::text(format!("{} {}", asked.nth, asked.user())),
    })
    .await;
    let plan = plan("old {{n}}", "new {{n}}", 25, vec![judge("polite"), contains("1")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.jsonl");
    let recorder = Recorder::open(&file, registry(&server)).unwrap();
    let recorded = measure(&plan, &recorder, &limits()).await.unwrap();
    let calls = server.calls();
    let replayed = measure(&plan, &Replay::open(&file).unwrap(), &limits()).await.unwrap();
    assert_eq!(server.calls(), calls);
    assert_eq!(format!("{:?}", replayed.record), format!("{:?}", recorded.record));
    assert_eq!(format!("{:?}", replayed.outputs), format!("{:?}", recorded.outputs));
    let calls = |run: &PromptRun| run.usage.iter().map(|usage| (usage.calls, usage.input_tokens)).collect::<Vec<_>>();
    assert_eq!(calls(&replayed), calls(&recorded));
}
