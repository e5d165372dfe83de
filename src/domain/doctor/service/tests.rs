//! Each finding about the service once.

use super::super::testing::{has, lines};
use super::*;

fn granted() -> Permissions {
    PERMISSIONS.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
}

fn fine() -> ServiceFacts {
    let events = EVENTS.iter().map(|event| (*event).to_owned()).collect();
    ServiceFacts {
        key: Ok(()),
        secrets: Ok(1),
        skew_s: Ok(Some(1)),
        app: Some(Ok(AppSeen { slug: "promptops".to_owned(), permissions: granted(), events })),
        hook: Some(Ok(HookSeen {
            url: Some("https://p.example/webhooks/github".to_owned()),
            is_insecure: false,
            has_secret: true,
            is_json: true,
        })),
        deliveries: Some(Ok(DeliveriesSeen { all: 3, failed: Vec::new() })),
        installations: Some(Ok(vec![InstallationSeen {
            account: "acme".to_owned(),
            is_suspended: false,
            permissions: granted(),
        }])),
        database: Ok(DatabaseSeen::Current),
        public_url: Ok(Some("https://p.example/".to_owned())),
        providers: Ok(vec!["openai".to_owned()]),
    }
}

fn check(change: impl FnOnce(&mut ServiceFacts), expected: &str) {
    let mut facts = fine();
    change(&mut facts);
    has(&judge(&facts), expected);
}

fn app_with(change: impl FnOnce(&mut AppSeen)) -> impl FnOnce(&mut ServiceFacts) {
    |facts| change(facts.app.as_mut().unwrap().as_mut().unwrap())
}

fn hook_with(change: impl FnOnce(&mut HookSeen)) -> impl FnOnce(&mut ServiceFacts) {
    |facts| change(facts.hook.as_mut().unwrap().as_mut().unwrap())
}

#[test]
fn a_good_service_has_no_complaint() {
    let lines = lines(&judge(&fine()));
    assert!(lines.iter().all(|line| line.starts_with("ok ")), "{lines:?}");
}

#[test]
fn the_clock_may_differ_a_little() {
    check(|facts| facts.skew_s = Ok(Some(-30)), "ok clock");
    check(|facts| facts.skew_s = Ok(Some(-31)), "warning clock: the clock is 31 s ahead of GitHub's");
    check(|facts| facts.skew_s = Ok(Some(61)), "problem clock: the clock is 61 s behind GitHub's");
    check(|facts| facts.skew_s = Ok(None), "skipped clock");
    let trouble = Trouble { message: "nobody there".to_owned(), is_world: true };
    check(|facts| facts.skew_s = Err(trouble), "no answer github-api: nobody there");
}

#[test]
fn permissions_and_events_are_compared_with_the_one_list() {
    check(app_with(|app| _ = app.permissions.remove("checks")), "problem permissions: the app lacks checks: write");
    check(app_with(|app| _ = app.permissions.remove("members")), "warning permissions: the app lacks members: read");
    let more = |app: &mut AppSeen| _ = app.permissions.insert("contents".into(), "write".into());
    check(app_with(more), "warning permissions: the app may write more than it needs: contents");
    check(
        app_with(|app| app.events.retain(|event| event != "push")),
        "warning events: the app does not listen to push",
    );
}

#[test]
fn the_webhook_has_an_address_a_secret_and_a_checked_certificate() {
    check(hook_with(|hook| hook.url = None), "problem webhook: the app has no webhook URL");
    check(hook_with(|hook| hook.is_insecure = true), "problem webhook: GitHub does not check");
    check(hook_with(|hook| hook.has_secret = false), "problem webhook: the app's webhook has no secret");
    check(hook_with(|hook| hook.is_json = false), "problem webhook: deliveries are not sent as JSON");
    let url = |url: &str| Some(url.to_owned());
    check(
        hook_with(|hook| hook.url = url("https://p.example/")),
        "warning webhook: deliveries go to https://p.example/",
    );
    let other = "https://q.example/webhooks/github";
    check(
        hook_with(|hook| hook.url = url(other)),
        "warning webhook: deliveries go to https://q.example/webhooks/github, wh",
    );
}

#[test]
fn deliveries_and_installations_are_looked_at() {
    let failed = vec![("push".to_owned(), 401), ("ping".to_owned(), 0)];
    check(
        |facts| facts.deliveries = Some(Ok(DeliveriesSeen { all: 9, failed })),
        "warning deliveries: 2 of the last 9 failed: push (401), ping (no answer)",
    );
    check(|facts| facts.installations = Some(Ok(Vec::new())), "problem installations: the app is installed nowhere");
    let one = |is_suspended, permissions| InstallationSeen { account: "acme".to_owned(), is_suspended, permissions };
    check(
        |facts| facts.installations = Some(Ok(vec![one(true, granted())])),
        "warning installations: the installation on acme is suspended",
    );
    check(
        |facts| facts.installations = Some(Ok(vec![one(false, Permissions::new())])),
        "problem installations: acme has not granted checks: write",
    );
}

#[test]
fn the_database_is_current_or_not() {
    for (seen, expected) in [
        (Ok(DatabaseSeen::Absent), "skipped database"),
        (Ok(DatabaseSeen::Empty), "warning database: it opens, and has no tables"),
        (Ok(DatabaseSeen::Behind(2)), "warning database: its tables lack 2 changes"),
        (Ok(DatabaseSeen::Newer), "problem database"),
        (Err("no".to_owned()), "problem database: no"),
    ] {
        check(|facts| facts.database = seen, expected);
    }
}

#[test]
fn a_service_without_a_provider_can_evaluate_nothing() {
    check(|facts| facts.providers = Ok(Vec::new()), "warning providers: the service has no model provider");
    check(|facts| facts.providers = Err("line 3".to_owned()), "problem providers: line 3");
}

#[test]
fn what_follows_on_a_bad_key_is_skipped() {
    let bad = |facts: &mut ServiceFacts| {
        facts.key = Err("no RSA key".to_owned());
        (facts.app, facts.hook) = (None, None);
    };
    check(bad, "problem credentials: no RSA key");
    check(bad, "skipped webhook: GitHub cannot be asked as the app");
}
