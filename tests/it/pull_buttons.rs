//! The buttons of the evaluation check: only ours, only for those who may write, and each press is answered once.

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, NewPull};

use crate::support::app::{PROMPT, SETTINGS, TestApp, forgets, prompt, team};

async fn press(app: &TestApp, check: u64, button: &str, by: &str) {
    app.repo.request_action(check, button, by).unwrap();
    app.settle().await;
}

async fn end(app: TestApp, pull: PullNumber) {
    let _ = (app.report(pull), app.answers(pull));
    app.finish().await;
}

#[tokio::test]
async fn run_again_asks_the_model_anew_and_explain_answers_once_per_press() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let (check, calls) = (app.evaluation(pull), app.model.calls());
    let buttons: Vec<&str> = check.actions.iter().map(|action| action["identifier"].as_str().unwrap()).collect();
    assert_eq!(buttons, ["run-again", "explain"]);
    press(&app, check.id, "explain", "mara").await;
    assert_eq!(app.answers(pull).len(), 1);
    assert!(app.answers(pull)[0].contains("reviewer: waits for"), "{:?}", app.answers(pull));
    let pressed = app.sim.deliveries().into_iter().rfind(|one| one.event == "check_run").unwrap();
    app.sim.redeliver(pressed.id).unwrap();
    app.settle().await;
    assert_eq!(app.answers(pull).len(), 1, "the same press");
    press(&app, check.id, "explain", "mara").await;
    assert_eq!(app.answers(pull).len(), 2, "another press");
    press(&app, check.id, "run-again", "bob").await;
    assert!(app.model.calls() >= 2 * calls, "{calls} calls, then {}", app.model.calls());
    app.expect(pull, "success", "in_progress");
    end(app, pull).await;
}

#[tokio::test]
async fn readers_strange_buttons_and_strange_checks_do_nothing() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let (check, calls) = (app.evaluation(pull), app.model.calls());
    for (id, button, by) in [(check.id, "run-again", "rex"), (check.id, "explain", "rex"), (check.id, "merge", "lee")] {
        press(&app, id, button, by).await;
    }
    let name = format!("promptops/evaluation: {}", "main");
    let foreign = app.repo.foreign_check(app.sim.app_id() + 1, &name, &app.head(pull), "success").unwrap();
    press(&app, foreign, "run-again", "lee").await;
    assert_eq!((app.model.calls(), app.answers(pull).len()), (calls, 0));
    end(app, pull).await;
}

#[tokio::test]
async fn the_check_of_an_old_commit_runs_nothing() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let old = app.evaluation(pull);
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer briefly."))).await;
    let calls = app.model.calls();
    press(&app, old.id, "run-again", "lee").await;
    assert_eq!(app.model.calls(), calls);
    assert!(app.answers(pull).is_empty(), "it is nobody's check any more");
    end(app, pull).await;
}

#[tokio::test]
async fn a_button_releases_no_fork() {
    let app = TestApp::new().await;
    let fork = app.repo.fork("rex").unwrap();
    fork.branch("mine", "main").unwrap();
    fork.push("mine", &Change::by("rex").write(PROMPT, prompt(&forgets([5])))).unwrap();
    let pull = app.repo.open_pull(&NewPull { from: Some(&fork), ..NewPull::new("rex", "mine", "main") }).unwrap();
    app.settle().await;
    press(&app, app.evaluation(pull).id, "run-again", "bob").await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.model.calls(), 0);
    assert!(app.answers(pull)[0].contains(&format!("`/promptops eval {}`", app.head(pull))));
    end(app, pull).await;
}

/// Whoever asks may not be able to see a team: its members are named only where they themselves acted here.
#[tokio::test]
async fn explain_names_nobody_of_a_team_who_has_not_acted() {
    let settings =
        format!("{}override: {{ from: [\"@acme/secret\"] }}\n", SETTINGS.replace("[reviewers]", "[\"@acme/secret\"]"));
    let mut app = TestApp::with_settings(&settings).await;
    app.sim.user("zoe");
    app.sim.user("yan");
    app.sim.team(&team("@acme/secret"), None, &["zoe", "yan", "max"]).unwrap();
    app.repo.role("zoe", "write").unwrap();
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.approve(pull, "zoe").await;
    app.approve(pull, "mara").await;
    app.say_later(pull, "bob", "/promptops explain\n/promptops override I say so").await;
    let answer = app.answers(pull).pop().unwrap();
    assert!(answer.contains("satisfied by `@zoe`") && answer.contains("`@acme/secret`"), "{answer}");
    assert!(answer.contains("The override of `@bob` does not count: the rule does not name them"), "{answer}");
    for text in [answer, app.report(pull).unwrap(), app.approval(pull).text.unwrap_or_default()] {
        assert!(!text.contains("yan") && !text.contains("@max"), "{text}");
    }
    end(app, pull).await;
}
