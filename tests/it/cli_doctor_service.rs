//! `promptops doctor` of the service: what the app is, may and hears, and what became of its deliveries, as GitHub itself says.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use promptops::domain::app_manifest::{EVENTS, PERMISSIONS};
use promptops::domain::ids::RepoName;
use promptops::sim::{Fault, Trouble, When};
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

/// What is said of one part, without the numbers of this run.
pub fn said_of(ran: &Ran, part: &str) -> String {
    let mut lines = ran.stdout.lines().skip_while(|line| *line != part).skip(1);
    let lines: Vec<&str> = lines.by_ref().take_while(|line| line.starts_with("  ")).collect();
    let told: String = lines.iter().map(|line| format!("{}\n", line.trim_end())).collect();
    assert!(!told.is_empty(), "nothing of {part}: {ran:?}");
    let ports = regex::Regex::new(r"127\.0\.0\.1:\d{2,}").unwrap();
    let numbers = regex::Regex::new(r"(ruleset|installation) \d+").unwrap();
    numbers.replace_all(&ports.replace_all(&told, "HOST"), "$1 N").into_owned()
}

/// The lines of the service that are not as they should be, with what to do.
fn complaints(ran: &Ran) -> String {
    // As it is where nothing was delivered yet, and comments have no links back.
    let usual =
        ["  ok ", "  skipped    public-url: PROMPTOPS_PUBLIC_URL is", "  skipped    deliveries: GitHub has sent none"];
    let mut is_fine = false;
    let told = said_of(ran, "service");
    let complaint = |line: &&str| {
        if !line.trim_start().starts_with("->") {
            is_fine = usual.iter().any(|start| line.starts_with(start));
        }
        !is_fine
    };
    told.lines().filter(complaint).map(|line| format!("{line}\n")).collect()
}

/// The permissions without one of them.
fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    PERMISSIONS.iter().copied().filter(|(held, _)| *held != name).collect()
}

/// A key that is as good as the app's, and another's.
fn other_key() -> String {
    let der: Pkcs8V1Der<'static> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test]
async fn all_is_well() {
    let app = TestApp::new().await;
    app.sim.ping();
    app.sim.ping();
    app.sim.settle().await;
    let before = app.sim.exchanges().len();
    let ran = doctor(&app, &[], &[]).await;
    insta::assert_snapshot!(said_of(&ran, "service"), @r"
    ok         credentials: an app id, and an RSA key in PEM
    ok         webhook-secret: 1 webhook secret set
    ok         clock: it agrees with GitHub's
    ok         app: the key is that of the app `promptops`
    ok         permissions: the app has all it needs
    ok         events: the app listens to all it needs
    ok         webhook: deliveries go to http://HOST/webhooks/github
    ok         deliveries: the last 2 deliveries arrived
    ok         installations: installed on acme
    ok         database: it opens, and its tables are current
    skipped    public-url: PROMPTOPS_PUBLIC_URL is not set, so comments have no links back
    ok         providers: the service may ask openai
    ");
    assert_eq!(ran.code, 0, "{ran:?}");
    // It looks, and changes nothing.
    assert!(app.sim.exchanges()[before..].iter().all(|asked| asked.method == "GET"));
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
    insta::assert_snapshot!(shown, @r#"
    [
      {
        "part": "service",
        "check": "credentials",
        "level": "ok",
        "message": "an app id, and an RSA key in PEM",
        "advice": null
      },
      {
        "part": "service",
        "check": "webhook-secret",
        "level": "ok",
        "message": "1 webhook secret set",
        "advice": null
      },
      {
        "part": "service",
        "check": "clock",
        "level": "ok",
        "message": "it agrees with GitHub's",
        "advice": null
      },
      {
        "part": "service",
        "check": "app",
        "level": "ok",
        "message": "the key is that of the app `promptops`",
        "advice": null
      },
      {
        "part": "service",
        "check": "permissions",
        "level": "problem",
        "message": "the app lacks checks: write",
        "advice": "grant them on the app's settings page, then accept them on each installation"
      }
    ]
    "#);
    app.finish().await;
}

#[tokio::test]
async fn a_permission_that_the_app_lacks_is_a_problem_and_an_optional_one_a_warning() {
    let app = TestApp::new().await;
    app.sim.reregister(&without("checks"), EVENTS);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    permissions: the app lacks checks: write
               -> grant them on the app's settings page, then accept them on each installation
    ");
    app.sim.reregister(&without("members"), EVENTS);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    permissions: the app lacks members: read: teams or merge queues cannot be looked at
               -> grant them on the app's settings page, then accept them on each installation
    ");
    let more = [PERMISSIONS, &[("administration", "write")]].concat();
    app.sim.reregister(&more, EVENTS);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    permissions: the app may write more than it needs: administration
               -> take that back on the app's settings page
    ");
    app.finish().await;
}

#[tokio::test]
async fn a_permission_that_an_installation_has_not_granted_names_the_account() {
    let app = TestApp::new().await;
    app.sim.regrant(app.installation, &without("pull_requests")).unwrap();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    installations: acme has not granted pull_requests: write
               -> an owner of the account has to accept the app's new permissions
    ");
    app.sim.regrant(app.installation, PERMISSIONS).unwrap();
    app.finish().await;
}

#[tokio::test]
async fn an_event_that_the_app_does_not_hear_is_a_warning() {
    let app = TestApp::new().await;
    let heard: Vec<&str> = EVENTS.iter().copied().filter(|event| *event != "pull_request_review").collect();
    app.sim.reregister(PERMISSIONS, &heard);
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    events: the app does not listen to pull_request_review: the sweep notices that later, merge groups never
               -> tick them on the app's settings page, under Permissions & events
    ");
    app.finish().await;
}

#[tokio::test]
async fn the_key_of_another_app_is_told() {
    let app = TestApp::new().await;
    let other = other_key();
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_PRIVATE_KEY", &other)]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    app: GitHub does not accept the app's credentials for the app itself: check the app id, the private key and the server's time
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
    app.finish().await;
}

#[tokio::test]
async fn an_app_id_that_github_does_not_know_is_told() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_APP_ID", "99")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    app: GitHub knows no app of this id: compare PROMPTOPS_GITHUB_APP_ID with the app's settings page
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
    app.finish().await;
}

#[tokio::test]
async fn settings_that_are_none_or_missing_are_told() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_APP_ID", "promptops")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    credentials: PROMPTOPS_GITHUB_APP_ID is not valid: copy the number from the app's settings page
    skipped    app: GitHub cannot be asked as the app; see above
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
    let broken =
        [("PROMPTOPS_GITHUB_PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----\nhello\n-----END RSA PRIVATE KEY-----")];
    let ran = doctor(&app, &[], &broken).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    credentials: the app's private key is not an RSA key in PEM: set PROMPTOPS_GITHUB_PRIVATE_KEY to the text of the .pem file
    skipped    app: GitHub cannot be asked as the app; see above
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_PRIVATE_KEY", ""), ("PROMPTOPS_GITHUB_WEBHOOK_SECRET", "")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    credentials: PROMPTOPS_GITHUB_PRIVATE_KEY is not set: generate a private key on the app's settings page, or name a file that holds it in PROMPTOPS_GITHUB_PRIVATE_KEY_FILE
    problem    webhook-secret: PROMPTOPS_GITHUB_WEBHOOK_SECRET is not set: set the secret of the app's webhook; without it anybody could send events, or name a file that holds it in PROMPTOPS_GITHUB_WEBHOOK_SECRET_FILE
    skipped    app: GitHub cannot be asked as the app; see above
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
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
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    deliveries: 1 of the last 2 failed: ping (no answer)
               -> GitHub did not reach the service: check its address, its certificate and that it runs
    ");
    // Sent again with success, it counts as arrived.
    app.start().await;
    app.sim.redeliver(app.sim.last_delivery()).unwrap();
    app.sim.settle().await;
    let ran = doctor(&app, &[], &[]).await;
    insta::assert_snapshot!(complaints(&ran), @"");
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
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    deliveries: 1 of the last 1 failed: ping (401)
               -> 401 means another secret: compare PROMPTOPS_GITHUB_WEBHOOK_SECRET with the app's
    ");
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
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    webhook: GitHub does not check the receiver's certificate (insecure_ssl)
               -> turn SSL verification on, on the app's settings page
    warning    webhook: deliveries go to http://127.0.0.1:9/hooks
               -> let it end in /webhooks/github, unless a proxy in front rewrites the path
    ");
    app.sim.deliver_to("http://127.0.0.1:9/webhooks/github");
    let ran = doctor(&app, &[], &[("PROMPTOPS_PUBLIC_URL", "https://prompts.example")]).await;
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    webhook: GitHub does not check the receiver's certificate (insecure_ssl)
               -> turn SSL verification on, on the app's settings page
    warning    webhook: deliveries go to http://127.0.0.1:9/webhooks/github, which is not below PROMPTOPS_PUBLIC_URL
               -> check which of the webhook's URL and PROMPTOPS_PUBLIC_URL is right
    ");
    app.sim.stop_delivering();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    webhook: the app has no webhook URL, so nothing is delivered
               -> set it on the app's settings page to https://HOST/webhooks/github
    ");
    app.finish().await;
}

#[tokio::test]
async fn an_app_that_is_installed_nowhere_or_suspended_is_told() {
    let app = TestApp::new().await;
    app.sim.suspend(app.installation).unwrap();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    installations: the installation on acme is suspended
               -> lift that in the account's settings, or uninstall the app there
    ");
    app.sim.uninstall(app.installation).unwrap();
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    installations: the app is installed nowhere
               -> install it on the app's public page
    ");
    app.finish().await;
}

#[tokio::test]
async fn a_github_that_does_not_answer_is_no_problem_of_the_user() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &[], &[("PROMPTOPS_GITHUB_API_URL", "http://127.0.0.1:9")]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    no answer  github-api: GitHub gave no answer for its API's root: check the network and PROMPTOPS_GITHUB_API_URL
    skipped    app: GitHub cannot be asked as the app; see above
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
    app.sim.order(Fault::new("GET", "/app/hook/deliveries", When::Before, Trouble::Status(503)).times(4));
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
      no answer  deliveries: GitHub answered 503 for the app's log of deliveries: try again later, or see https://www.githubstatus.com
    ");
    app.sim.order(Fault::new("GET", "/app", When::Before, Trouble::Garbage).times(1));
    let ran = doctor(&app, &[], &[]).await;
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    app: GitHub's answer for the app itself is not of the documented form: please report it
    skipped    webhook: GitHub cannot be asked as the app; see above
    skipped    deliveries: GitHub cannot be asked as the app; see above
    skipped    installations: GitHub cannot be asked as the app; see above
    ");
    app.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let app = TestApp::new().await;
    app.sim.advance(std::time::Duration::from_secs(45));
    let ran = doctor(&app, &[], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let stable = regex::Regex::new(r"\d+ s ").unwrap();
    insta::assert_snapshot!(stable.replace(&complaints(&ran), "N s "), @r"
    warning    clock: the clock is N s behind GitHub's
               -> set the server's clock, for instance with NTP
    ");
    app.finish().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_or_empty_is_told() {
    let app = TestApp::new().await;
    let folder = tempfile::TempDir::new().unwrap();
    let at = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let ran = doctor(&app, &[], &[("PROMPTOPS_DATABASE_URL", &at("none.db"))]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
      skipped    database: there is no file yet; `promptops serve` makes it
    ");
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    let ran = doctor(&app, &[], &[("PROMPTOPS_DATABASE_URL", &at("empty.db"))]).await;
    insta::assert_snapshot!(complaints(&ran), @r"
    warning    database: it opens, and has no tables of promptops
               -> start `promptops serve` once, which makes them, or correct PROMPTOPS_DATABASE_URL
    ");
    std::fs::write(folder.path().join("text.db"), "no database\n".repeat(99)).unwrap();
    let ran = doctor(&app, &[], &[("PROMPTOPS_DATABASE_URL", &at("text.db"))]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(complaints(&ran), @r"
    problem    database: the database could not tell which tables it has: check that it can be reached and written
               -> check PROMPTOPS_DATABASE_URL, and that the file or server can be reached
    ");
    app.finish().await;
}

#[tokio::test]
async fn without_an_app_a_repository_cannot_be_looked_at() {
    let app = TestApp::new().await;
    let ran = doctor(&app, &["--repo", "acme/prompts"], &[("PROMPTOPS_GITHUB_APP_ID", "")]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    insta::assert_snapshot!(said_of(&ran, "service") + &said_of(&ran, "repository"), @r"
    skipped    app: PROMPTOPS_GITHUB_APP_ID is not set, so no service is set up here
    problem    repository: `--repo` asks GitHub as the app, and no app is set up here
               -> set PROMPTOPS_GITHUB_APP_ID and PROMPTOPS_GITHUB_PRIVATE_KEY as for `promptops serve`
    ");
    assert_eq!(app.repo.name(), &RepoName::parse("acme/prompts").unwrap());
    app.finish().await;
}
