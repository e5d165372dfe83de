//! A run spends no more than it may, and trusts known answers of base only as far as they hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use promptops::domain::budget::{Budget, OverBudget};
use promptops::domain::ids::Digest;
use promptops::domain::price::Prices;
use promptops::domain::price_overrides::{PriceOverrides, StatedPrice};
use promptops::engine::account::{Account, NoMoney};
use promptops::engine::provider::{Completion, CompletionRequest, KnownAnswers, Provider, ProviderError};
use promptops::engine::run::{RunError, RunLimits, RunPlan, estimate, run};

use crate::support::plans::{contains, limits, model, plan};

const HOUR: Duration = Duration::from_secs(3_600);

/// Answers by itself, remembers what it said and since when, and may change its mind.
#[derive(Default)]
struct Moody {
    known: Mutex<HashMap<Digest, (Completion, Duration)>>,
    asked: Mutex<Vec<String>>,
    changed: Mutex<bool>,
}

impl Moody {
    fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Forgets who called, and lets time pass.
    fn later(&self, passed: Duration) {
        self.asked.lock().unwrap().clear();
        self.known.lock().unwrap().values_mut().for_each(|(_, age)| *age += passed);
    }

    fn asked(&self, begin: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(begin)).count()
    }
}

impl Provider for Moody {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        let said = request.messages.last().unwrap().content.to_string();
        let text = if *self.changed.lock().unwrap() { "no" } else { "yes" };
        let completion = Completion {
            text: text.into(),
            finish_reason: None,
            input_tokens: Some(1_000),
            output_tokens: Some(100),
            latency_ms: 1,
            rate: None,
        };
        self.asked.lock().unwrap().push(said);
        self.known.lock().unwrap().insert(key, (completion.clone(), Duration::ZERO));
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(completion)
        })
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        let known = self.known.lock().unwrap();
        let found = keys.iter().filter_map(|key| Some((*key, known.get(key)?.0.clone()))).collect();
        Box::pin(std::future::ready(found))
    }

    fn ages<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, HashMap<Digest, Duration>> {
        let known = self.known.lock().unwrap();
        let found = keys.iter().filter_map(|key| Some((*key, known.get(key)?.1))).collect();
        Box::pin(std::future::ready(found))
    }
}

async fn notes(plan: &RunPlan, provider: &Moody) -> Vec<String> {
    run(plan, provider, &limits(), &|_| {}).await.unwrap().remove(0).notes
}

fn compare(head: &str) -> RunPlan {
    plan("old {{n}}", &format!("{head} {{{{n}}}}"), 30, vec![contains("yes")])
}

#[tokio::test]
async fn young_answers_of_base_are_used_after_ten_of_them_were_checked() {
    let provider = Moody::default();
    assert_eq!(notes(&compare("new"), &provider).await, Vec::<String>::new());
    assert_eq!(provider.calls(), 60);
    provider.later(HOUR);
    assert_eq!(notes(&compare("newer"), &provider).await, Vec::<String>::new());
    assert_eq!((provider.asked("old"), provider.asked("newer")), (10, 30));
    provider.later(HOUR);
    notes(&compare("newer"), &provider).await;
    assert_eq!(provider.calls(), 0, "nothing is newly asked, so nothing has to be checked");
}

#[tokio::test]
async fn a_provider_that_answers_otherwise_now_is_said_and_base_is_asked_anew() {
    let provider = Moody::default();
    notes(&compare("new"), &provider).await;
    provider.later(HOUR);
    *provider.changed.lock().unwrap() = true;
    let notes = notes(&compare("newer"), &provider).await;
    assert!(notes[0].starts_with("Provider drift: 10 of 10 known answers of the old prompt"), "{notes:?}");
    assert_eq!((notes.len(), provider.asked("old"), provider.asked("newer")), (1, 30, 30));
}

#[tokio::test]
async fn answers_of_base_that_are_a_day_old_are_asked_again() {
    let provider = Moody::default();
    notes(&compare("new"), &provider).await;
    provider.later(24 * HOUR);
    *provider.changed.lock().unwrap() = true;
    assert_eq!(notes(&compare("newer"), &provider).await, Vec::<String>::new(), "nothing is compared with old answers");
    assert_eq!((provider.asked("old"), provider.asked("newer")), (30, 30));
}

#[tokio::test]
async fn an_estimate_leaves_out_what_is_known_and_calls_nobody() {
    let provider = Moody::default();
    let before = estimate(&compare("new"), &provider, &limits()).await.unwrap();
    assert_eq!((before.calls(), before.prompts[0].known, provider.calls()), (60, 0, 0));
    assert_eq!((before.prompts[0].cases, before.prompts[0].sides, before.prompts[0].trials), (30, 2, 1));
    notes(&compare("new"), &provider).await;
    let after = estimate(&compare("new"), &provider, &limits()).await.unwrap();
    assert_eq!((after.calls(), after.prompts[0].known, after.usd()), (0, 60, 0.0));
    let next = estimate(&compare("newer"), &provider, &limits()).await.unwrap();
    assert_eq!((next.calls(), next.prompts[0].known), (40, 20), "ten known answers will be checked");
    let shared = estimate(&plan("same {{n}}", "same {{n}}", 30, vec![contains("yes")]), &provider, &limits()).await;
    assert_eq!((shared.as_ref().unwrap().calls(), shared.unwrap().prompts[0].known), (30, 30));
}

#[tokio::test]
async fn without_a_price_there_is_no_budget_and_without_a_budget_no_price_is_needed() {
    let (provider, mut plan) = (Moody::default(), compare("new"));
    plan.prompts[0].head.1 = model("gateway/ours");
    let budget = RunLimits { max_cost_usd: Some(100.0), ..limits() };
    let error = run(&plan, &provider, &budget, &|_| {}).await.unwrap_err();
    assert!(
        error.to_string().starts_with("the price of `gateway/ours` is not known, so no budget can be kept"),
        "{error}"
    );
    assert_eq!(provider.calls(), 0);
    run(&plan, &provider, &limits(), &|_| {}).await.unwrap();
    let stated = PriceOverrides::from([(model("gateway/ours"), StatedPrice { input: 1.0, output: 1.0 })]);
    let prices = Arc::new(Prices::new(stated));
    plan.prompts[0].head.0 = crate::support::plans::prompt("newest {{n}}");
    run(&plan, &provider, &RunLimits { prices, ..budget }, &|_| {}).await.unwrap();
}

/// An account with so much money in it; the sums that were asked for.
fn account(mut usd: f64) -> (Arc<Account>, Arc<Mutex<Vec<f64>>>) {
    let asked: Arc<Mutex<Vec<f64>>> = Arc::default();
    let (noted, left) = (asked.clone(), Mutex::new(()));
    usd += 1e-9;
    let money = Mutex::new(usd);
    let top_up = move |wanted: f64| -> BoxFuture<'static, Result<(), NoMoney>> {
        let _one = left.lock().unwrap();
        noted.lock().unwrap().push(wanted);
        let mut money = money.lock().unwrap();
        let granted = wanted <= *money;
        *money -= if granted { wanted } else { 0.0 };
        let over = OverBudget {
            budget: Budget::Day,
            limit_usd: usd,
            spent_usd: 0.0,
            reserved_usd: 0.0,
            needed_usd: wanted,
            began: false,
            estimate: None,
        };
        Box::pin(std::future::ready(if granted { Ok(()) } else { Err(NoMoney::Over(Box::new(over))) }))
    };
    (Arc::new(Account::new(Some(Box::new(top_up)))), asked)
}

#[tokio::test]
async fn common_money_is_asked_for_in_blocks_and_a_run_stops_when_there_is_no_more() {
    // Each call costs 1,000 × 0.15 + 100 × 0.60 = 210 millionths; the estimate hopes for about 155.
    let (provider, plan) = (Moody::default(), plan("old {{n}}", "new {{n}}", 500, vec![contains("yes")]));
    let (rich, asked) = account(1.0);
    let limits = RunLimits { account: Some(rich.clone()), ..limits() };
    run(&plan, &provider, &limits, &|_| {}).await.unwrap();
    assert!((rich.spent_usd() - 0.21).abs() < 1e-9, "{}", rich.spent_usd());
    let asks = asked.lock().unwrap().len();
    assert!((2..=8).contains(&asks), "1,000 calls asked for money {asks} times");

    let (provider, (poor, _)) = (Moody::default(), account(0.18));
    let limits = RunLimits { account: Some(poor.clone()), ..limits };
    let error = run(&plan, &provider, &limits, &|_| {}).await.unwrap_err();
    assert!(matches!(&error, RunError::OverBudget(over) if over.budget == Budget::Day && over.began), "{error}");
    // The calls that were open may cost more than their estimates, and no others.
    let overrun = limits.concurrency as f64 * 210e-6;
    assert!(poor.spent_usd() > 0.15 && poor.spent_usd() <= 0.18 + overrun, "{}", poor.spent_usd());
}

#[tokio::test]
async fn a_stage_that_common_money_does_not_cover_makes_no_call() {
    let (provider, (poor, _)) = (Moody::default(), account(0.001));
    let limits = RunLimits { account: Some(poor.clone()), ..limits() };
    let error = run(&compare("new"), &provider, &limits, &|_| {}).await.unwrap_err();
    let RunError::OverBudget(over) = error else { panic!("{error}") };
    assert_eq!((over.began, over.estimate.unwrap().calls(), provider.calls(), poor.spent_usd()), (false, 60, 0, 0.0));
}

/// Never answers.
struct Silent;

impl Provider for Silent {
    fn complete<'a>(
        &'a self,
        _request: &'a CompletionRequest,
        _key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn calls_that_are_left_open_count_by_their_estimate() {
    let (account, _) = account(1.0);
    let limits = RunLimits { account: Some(account.clone()), run_timeout: HOUR, ..limits() };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        limits.cancel.cancel();
    };
    let (plan, nothing) = (compare("new"), |_| {});
    let (outcome, ()) = tokio::join!(run(&plan, &Silent, &limits, &nothing), stop);
    assert!(matches!(outcome, Err(RunError::Cancelled)));
    // Eight calls were open, each about 256 tokens of answer long.
    assert!((8.0 * 150e-6..8.0 * 170e-6).contains(&account.spent_usd()), "{}", account.spent_usd());
}
