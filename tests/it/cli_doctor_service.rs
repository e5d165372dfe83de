//! `promptops doctor` of the service: what the app is, may and hears, and what became of its deliveries, as GitHub itself says.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use promptops::domain::app_manifest::EVENTS;
use promptops::domain::ids::RepoName;
use promptops::sim::{DEFAULT_PERMISSIONS, Fault, Trouble, When};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT};
use crate::support::app::TestApp;
use crate::support::desk::{Desk, Ran};

const KEY: &str = "sk-proj-nobody-may-see-this-0123456789";

/// The real binary beside the service, with what the service is given; `more` counts where it names the same.
pub async fn doctor(app: &TestApp, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
    let desk = Desk::repository(&[
        ("reply.prompt.yml", PROMPT),
        ("reply.golden.yml", GOLDEN),
        (".github/promptops.yml", "evaluation: {}\n"),
    ]);
    let id = app.sim.app_id().to_string();
    let usual = [
        ("OPENAI_API_KEY", KEY),
        ("PROMPTOPS_DATABASE_URL", app.config.database_url.expose_secret()),
        ("PROMPTOPS_GITHUB_APP_ID", &id),
        ("PROMPTOPS_GITHUB_PRIVATE_KEY", app.sim.private_key()),
        ("PROMPTOPS_GITHUB_WEBHOOK_SECRET", app.sim.webhook_secret()),
        ("PROMPTOPS_GITHUB_API_URL", app.sim.url()),
    ];
    let all: Vec<(&str, &str)> = usual.into_iter().chain(more.iter().copied()).collect();
    let ran = desk.run_in("", &[&["doctor"], arguments].concat(), &all).await;
    for secret in [KEY, app.sim.webhook_secret(), app.sim.private_key(), "BEGIN PRIVATE KEY"] {
        assert!(!ran.said().contains(secret), "a secret is shown: {ran:?}");
    }
    ran
}

/// What is said of one part, in which the fake's address is `GITHUB`.
pub fn said_of(app: &TestApp, ran: &Ran, part: &str) -> String {
    let mut lines = ran.stdout.lines().skip_while(|line| *line != part).skip(1);
    let lines: Vec<&str> = lines.by_ref().take_while(|line| line.starts_with("  ")).collect();
    let told: String = lines.iter().map(|line| format!("{}\n", line.trim_end())).collect();
    assert!(!told.is_empty(), "nothing of {part}: {ran:?}");
    told.replace(app.sim.url().trim_start_matches("http://"), "GITHUB")
}

/// The lines of the service that are not as they should be, with what to do.
fn complaints(app: &TestApp, ran: &Ran) -> String {
    let mut is_fine = false;
    let told = said_of(app, ran, "service");
    let complaint = |line: &&str| {
        let goes_on = line.trim_start().starts_with("->");
        is_fine = if goes_on {
            is_fine
        } else {
            line.starts_with("  ok ") || line.contains("public-url: PROMPTOPS_PUBLIC_URL is not set")
        };
        !is_fine
    };
    told.lines().filter(complaint).map(|line| format!("{line}\n")).collect()
}

/// The permissions without one of them.
fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    DEFAULT_PERMISSIONS.iter().copied().filter(|(held, _)| *held != name).collect()
}

/// A key that is as good as the app's, and another's.
fn other_key() -> String {
    let der: Pkcs8V1Der<'static> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test]
async fn all_is_well() {
    let mut app = TestApp::new().await;
    app.open_better().await;
    let public = app.sim.deliveries().len();
    assert!(public > 0, "something was delivered");
    let before = app.sim.exchanges().len();
    let ran = doctor(&app, &[], &[]).await;
    insta::assert_snapshot!(said_of(&app, &ran, "service"), @"");
    assert_eq!(ran.code, 0, "{ran:?}");
    // It looks, and changes nothing.
    assert!(app.sim.exchanges()[before..].iter().all(|asked| asked.method == "GET"));
    let pull = promptops::domain::ids::PullNumber(1);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn programs_are_told_the_same() {
    let app = TestApp::new().await;
    app.sim.reregister(&without("checks"), EVENTS);
    let ran = doctor(&app, &["--format", "json"], &[]).await;
    let told = ran.json();
    assert_eq!(
        (ran.code, &told["schema"], &told["problems"]),
        (2, &json!("promptops.doctor/v1"), &json!(1)),
        "{ran:?}"
    );
    let of_service = |one: &&serde_json::Value| one["part"] == "service";
    let findings: Vec<_> = told["findings"].as_array().unwrap().iter().filter(of_service).collect();
    let shown = serde_json::to_string_pretty(&findings[..5]).unwrap();
    insta::assert_snapshot!(shown, @"");
    app.finish().await;
}

#[tokio::test]
async fn a_permission_that_the_app_lacks_is_a_problem_and_an_optional_one_a_warning() {
    let app = TestApp::new().await;
    app.sim.reregister(&without("checks"), EVENTS);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.reregister(&without("members"), EVENTS);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    let more = [DEFAULT_PERMISSIONS, &[("administration", "write")]].concat();
    app.sim.reregister(&more, EVENTS);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_permission_that_an_installation_has_not_granted_names_the_account() {
    let app = TestApp::new().await;
    app.sim.regrant(app.installation, &without("pull_requests")).unwrap();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.regrant(app.installation, DEFAULT_PERMISSIONS).unwrap();
    app.finish().await;
}

#[tokio::test]
async fn an_event_that_the_app_does_not_hear_is_a_warning() {
    let app = TestApp::new().await;
    let heard: Vec<&str> = EVENTS.iter().copied().filter(|event| *event != "pull_request_review").collect();
    app.sim.reregister(DEFAULT_PERMISSIONS, &heard);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn the_key_of_another_app_is_told() {
    let app = TestApp::new().await;
    let other = other_key();
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_PRIVATE_KEY", &other)]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn an_app_id_that_github_does_not_know_is_told() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_APP_ID", "99")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_key_that_is_none_and_a_missing_one_are_told() {
    let app = TestApp::new().await;
    let broken =
        [("PROMPTOPS_GITHUB_PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----\nhello\n-----END RSA PRIVATE KEY-----")];
    let ran = doctor(&app, &[], &broken).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_PRIVATE_KEY", ""), ("PROMPTOPS_GITHUB_WEBHOOK_SECRET", "")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn deliveries_that_failed_are_counted_with_their_status() {
    let mut app = TestApp::new().await;
    app.sim.ping();
    app.sim.settle().await;
    // The service is down: nobody answers.
    app.kill();
    app.sim.ping();
    app.sim.settle().await;
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    // Sent again with success, it counts as arrived.
    app.start().await;
    app.sim.redeliver(app.sim.last_delivery()).unwrap();
    app.sim.settle().await;
    let ran = doctor(&app, &[], &[]).await;
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_secret_that_the_service_does_not_know_shows_in_the_deliveries() {
    let mut app = TestApp::new().await;
    app.stop().await;
    app.config.github.webhook_secrets = vec!["another secret, long enough to be one".into()];
    app.start().await;
    app.sim.ping();
    app.sim.settle().await;
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_webhook_that_leads_elsewhere_is_told() {
    let mut app = TestApp::new().await;
    app.stop().await;
    app.sim.deliver_to("http://127.0.0.1:9/hooks");
    app.sim.deliver_insecurely();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.deliver_to("http://127.0.0.1:9/webhooks/github");
    let ran = doctor(&app, &[], &[("PROMPTOPS_PUBLIC_URL", "https://prompts.example")]).await;
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.stop_delivering();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn an_app_that_is_installed_nowhere_or_suspended_is_told() {
    let app = TestApp::new().await;
    app.sim.suspend(app.installation).unwrap();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.uninstall(app.installation).unwrap();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_github_that_does_not_answer_is_no_problem_of_the_user() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_API_URL", "http://127.0.0.1:9")]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.order(Fault::new("GET", "/app/hook/deliveries", When::Before, Trouble::Status(503)).times(9));
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.sim.order(Fault::new("GET", "/app", When::Before, Trouble::Garbage).times(1));
    let ran = doctor(&app, &[], &[]).await;
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let app = TestApp::new().await;
    app.sim.advance(std::time::Duration::from_secs(45));
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_or_empty_is_told() {
    let app = TestApp::new().await;
    let folder = tempfile::TempDir::new().unwrap();
    let at = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let ran = doctor(&app, &[], &[("PROMPTOPS_DATABASE_URL", &at("none.db"))]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    let ran = doctor(&app, &[], &[("PROMPTOPS_DATABASE_URL", &at("empty.db"))]).await;
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    std::fs::write(folder.path().join("text.db"), "no database\n".repeat(99)).unwrap();
    let ran = doctor(&app, &[], &[("PROMPTOPS_DATABASE_URL", &at("text.db"))]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&app, &ran), @"");
    app.finish().await;
}

#[tokio::test]
async fn without_an_app_a_repository_cannot_be_looked_at() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &["--repo", "acme/prompts"], &[("PROMPTOPS_GITHUB_APP_ID", "")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(said_of(&app, &ran, "service") + &said_of(&app, &ran, "repository"), @"");
    assert_eq!(app.repo.name(), &RepoName::parse("acme/prompts").unwrap());
    app.finish().await;
}
