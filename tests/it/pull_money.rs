//! Budgets on pull requests: webhook in, `action_required` with the figures out; what was spent stays counted.

use std::time::Duration;

use promptops::domain::ids::{PullNumber, RepoId, UserId};
use promptops::engine::clock::{Clock, SystemClock};
use promptops::sim::Change;
use promptops::store::{Payer, Reserved, SpendLimits};

use crate::support::app::{Mood, PROMPT, SETTINGS, TestApp, prompt};

/// What one call costs: 100 tokens in, 10 out, in millionths of a USD.
const CALL: i64 = 21;

fn settings(budget: &str) -> String {
    SETTINGS.replace("evaluation:", &format!("evaluation:\n  budget: {{ {budget} }}"))
}

fn repo_id(app: &TestApp) -> RepoId {
    app.repo.id()
}

/// Somebody else's spending in the same repository.
fn others(app: &TestApp) -> Payer {
    Payer { repo: repo_id(app), pull: PullNumber(900), author: UserId(900) }
}

async fn spent_today(app: &TestApp) -> i64 {
    app.store.spent_on_day(repo_id(app), SystemClock.now_ms()).await.unwrap()
}

#[tokio::test]
async fn a_day_that_is_used_up_holds_the_run_with_the_figures_and_tomorrow_it_runs() {
    let mut app = TestApp::with_settings(&settings("day_usd: 2.0")).await;
    let now_ms = SystemClock.now_ms();
    app.store.settle_spend("earlier", others(&app), 1_700_000, now_ms, None).await.unwrap();
    let limits = SpendLimits { day: Some(2_000_000), ..SpendLimits::default() };
    let times = (now_ms, now_ms + 3_600_000);
    let reserved = app.store.reserve_spend("meanwhile", others(&app), 299_000, limits, times).await.unwrap();
    assert_eq!(reserved, Reserved::Granted);
    let pull = app.open_better().await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.model.calls(), 0);
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.starts_with("Not run: it would cost about $0.0"), "{title}");
    assert!(title.ends_with("; of $2.00 a day $1.70 are spent, $0.2990 reserved"), "{title}");
    let report = app.report(pull).unwrap();
    assert!(report.contains("| `day_usd` | $2.00 | $1.70 | $0.2990 | $0.0"), "{report}");
    assert!(report.contains("| `prompts/reply.prompt.yml` | 12 | 2 | 1 | 24 | 0 |"), "{report}");
    assert!(
        report.contains("Raise `evaluation.budget.day_usd`") && report.contains("`/promptops eval` tomorrow"),
        "{report}"
    );
    // The other run ends and has spent nothing more.
    app.store.settle_spend("meanwhile", others(&app), 0, SystemClock.now_ms(), None).await.unwrap();
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "success", "in_progress");
    assert_eq!(spent_today(&app).await, 1_700_000 + 24 * CALL);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn authors_and_pull_requests_have_budgets_of_their_own() {
    let mut app = TestApp::with_settings(&settings("author_day_usd: 0.0043, pull_request_usd: 0.0043")).await;
    let pull = app.open_better().await;
    app.expect(pull, "success", "in_progress");
    // Asked for anew, the same run would need its whole estimate again, beside what it has spent already.
    app.push(
        &Change::by("ann").write(PROMPT, prompt("You answer customers most politely and with a long story about it.")),
    )
    .await;
    let said = format!("{:?}", app.evaluation(pull).title);
    let spent = spent_today(&app).await;
    app.expect(pull, "success", "in_progress");
    assert!(spent > 24 * CALL, "{said}");
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers briefly."))).await;
    app.expect(pull, "action_required", "in_progress");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.contains("a pull request"), "{title}");
    assert_eq!(spent_today(&app).await, spent);
    let other = app.open(&Change::by("ann").write(PROMPT, prompt("You answer customers warmly."))).await;
    app.expect(other, "action_required", "in_progress");
    let title = app.evaluation(other).title.unwrap();
    assert!(title.contains("an author and day"), "{title}");
    let _ = (app.report(pull), app.report(other));
    app.finish().await;
}

#[tokio::test]
async fn what_a_superseded_run_has_spent_counts() {
    let mut app = TestApp::with_settings(&settings("day_usd: 50")).await;
    app.mood(Mood::Slow(Duration::from_millis(700)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt("You answer customers politely.")));
    app.until("the model is asked", |app| app.model.calls() > 0).await;
    app.mood(Mood::Fine);
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers warmly."))).await;
    app.expect(pull, "success", "in_progress");
    let spent = spent_today(&app).await;
    assert!(app.model.abandoned() > 0, "calls were left open");
    // Calls that were left may be billed: each counts by its estimate, about 155 millionths.
    assert!(spent > 24 * CALL + 100, "{spent}");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_model_without_a_price_needs_a_person_where_there_is_a_budget() {
    let mut app = TestApp::with_settings(&settings("run_usd: 5")).await;
    let unpriced = prompt("You answer customers politely.").replace("gpt-4o-mini", "ours");
    let pull = app.open(&Change::by("ann").write(PROMPT, unpriced)).await;
    app.expect(pull, "action_required", "in_progress");
    let said = format!("{:?}", app.evaluation(pull).title);
    assert!(said.contains("the price of `openai/ours` is not known"), "{said}");
    assert_eq!(app.model.calls(), 0);
    let _ = app.report(pull);
    app.finish().await;
}
