//! The audit log of a pull request: each decision once, with who asked for it and what it rests on.

use promptops::domain::audit::{AuditEntry, AuditKind};
use promptops::sim::Change;

use crate::support::app::{Mood, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, prompt};

async fn log(app: &TestApp) -> Vec<AuditEntry> {
    let rows = app.store.audit_after(0, 1_000).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(&row.body).unwrap()).collect()
}

fn decisions(log: &[AuditEntry]) -> Vec<&AuditEntry> {
    log.iter().filter(|entry| entry.kind == AuditKind::Decision).collect()
}

#[tokio::test]
async fn the_story_of_a_pull_request_is_in_the_log_once() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let review = app.approve(pull, "mara").await;
    // Looks that find nothing new.
    app.approve(pull, "rex").await;
    app.say(pull, "ann", "/promptops explain").await;
    let log = log(&app).await;
    let told: Vec<(AuditKind, &str)> = log.iter().map(|entry| (entry.kind, &*entry.said)).collect();
    println!("{told:#?}");
    assert_eq!(log.len(), 3, "{told:#?}");
    assert_eq!(log[0].kind, AuditKind::PolicyChange);
    assert_eq!(log[0].evidence["branch"], "main");
    let base = app.repo.pull(pull).unwrap();
    for (entry, words) in [
        (&log[1], ["evaluation: success (", "; approval: waiting ("]),
        (&log[2], ["evaluation: success (", "; approval: satisfied (Approved by @mara"]),
    ] {
        assert!(words.iter().all(|words| entry.said.contains(words)), "{entry:?}");
        assert_eq!((entry.kind, entry.pull, entry.by.as_ref()), (AuditKind::Decision, Some(pull), None));
        assert_eq!(entry.sha.as_ref(), Some(&base.head));
        assert_eq!(entry.evidence["settings"], log[0].evidence["settings"]);
        assert!(entry.evidence["run"].contains(base.head.as_str()), "{entry:?}");
        assert!(entry.evidence.contains_key("base") && entry.evidence.contains_key("content"), "{entry:?}");
    }
    assert_eq!(log[1].evidence.get("rule reviewer"), None);
    let rule = &log[2].evidence["rule reviewer"];
    assert!(rule.contains("@mara (user ") && rule.ends_with(&format!("by review {review}")), "{rule}");
    let deliveries: Vec<&String> = log.iter().filter_map(|entry| entry.delivery.as_ref()).collect();
    assert_eq!(deliveries.len(), 3, "each names the webhook that asked for it");
    assert_eq!(deliveries[0], deliveries[1]);
    assert_ne!(deliveries[1], deliveries[2]);
    let _ = (app.report(pull), app.answers(pull));
    app.finish().await;
}

#[tokio::test]
async fn other_settings_are_a_change_of_policy_and_broken_ones_too() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let settings = |text: &str| Change::by("lee").write(SETTINGS_PATH, text);
    app.repo.push("main", &settings(&SETTINGS.replace("count: 1", "count: 2"))).unwrap();
    app.approve(pull, "mara").await;
    app.approve(pull, "max").await;
    app.repo.push("main", &settings("approvals: []\n")).unwrap();
    app.say(pull, "ann", "/promptops eval").await;
    let log = log(&app).await;
    let policies: Vec<&AuditEntry> = log.iter().filter(|entry| entry.kind == AuditKind::PolicyChange).collect();
    assert_eq!(policies.len(), 3, "{log:#?}");
    assert!(policies[2].said.starts_with("the settings of the branch cannot be used: "), "{:?}", policies[2]);
    let last = *decisions(&log).last().unwrap();
    assert!(last.said.contains("action required") && last.said.contains("approval: undecidable"), "{last:?}");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn what_ends_without_a_measurement_is_logged_as_well() {
    let mut app = TestApp::new().await;
    let idle = app.open(&Change::by("ann").write("README.md", "Acme's prompts")).await;
    app.mood(Mood::Status(500));
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5])))).await;
    app.may_fail(1);
    let log = log(&app).await;
    let of = |pull| decisions(&log).into_iter().filter(|entry| entry.pull == Some(pull)).collect::<Vec<_>>();
    assert_eq!(of(idle).len(), 1, "{log:#?}");
    assert!(of(idle)[0].said.starts_with("evaluation: success"), "{:?}", of(idle));
    assert!(of(pull).iter().all(|entry| entry.said.starts_with("evaluation: failure")), "{:?}", of(pull));
    assert!(!of(pull).is_empty() && of(pull).len() <= 2, "five tries are one decision: {:#?}", of(pull));
    let _ = app.report(pull);
    app.finish().await;
}
