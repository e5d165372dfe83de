//! `promptops audit`: an auditor finds every change of the log, whichever database holds it, and can check an export by itself.

use std::collections::BTreeMap;

use promptops::domain::audit::{Actor, AuditEntry, AuditKind};
use promptops::domain::ids::{Login, PullNumber, RepoId, RepoName, UserId};
use sqlx::AnyPool;

use crate::support::database::TestDatabase;
use crate::support::desk::{Desk, Ran};

const DAY_MS: i64 = 86_400_000;

fn entry(day: i64, repo: &str, said: &str) -> AuditEntry {
    AuditEntry {
        at_ms: day * DAY_MS,
        kind: AuditKind::Decision,
        by: Some(Actor { id: UserId(7), login: Login::parse("lee").unwrap() }),
        repo: RepoName::parse(repo).unwrap(),
        repo_id: RepoId(11),
        pull: Some(PullNumber(3)),
        sha: None,
        delivery: Some("a-delivery".to_owned()),
        said: said.to_owned(),
        evidence: BTreeMap::from([("reviews".to_owned(), "9".to_owned())]),
    }
}

/// A log of six entries about two repositories, on six days from 2027-01-01 on.
struct Log {
    database: TestDatabase,
    desk: Desk,
}

impl Log {
    async fn on(database: TestDatabase) -> Self {
        let store = database.open().await;
        for (place, day) in (20_819..20_825).enumerate() {
            let repo = if place % 2 == 0 { "acme/prompts" } else { "acme/other" };
            store.append_audit(&entry(day, repo, &format!("=entry {place}"))).await.unwrap();
        }
        store.close().await;
        Self { database, desk: Desk::plain() }
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        self.desk.run_in("", arguments, &[("PROMPTOPS_DATABASE_URL", &self.database.url)]).await
    }

    /// Does this to the database behind the program's back.
    async fn tamper(&self, statements: &[&'static str]) {
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(&self.database.url).await.unwrap();
        for statement in statements {
            sqlx::query(*statement).execute(&pool).await.unwrap();
        }
        pool.close().await;
    }

    async fn finds(&self, expected: &str) {
        let ran = self.run(&["audit", "verify"]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{expected} is missing in {ran:?}");
    }

    /// The line of the last entry, as an auditor notes it.
    async fn last(&self) -> String {
        let ran = self.run(&["audit", "verify"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.starts_with("the audit log holds: entries 1 to "), "{ran:?}");
        ran.stdout.lines().find_map(|line| line.strip_prefix("last: ")).unwrap().to_owned()
    }
}

async fn each_database() -> Vec<TestDatabase> {
    [Some(TestDatabase::sqlite()), TestDatabase::postgres().await].into_iter().flatten().collect()
}

#[tokio::test]
async fn whatever_is_done_to_the_log_is_found_and_named() {
    for database in each_database().await {
        let log = Log::on(database).await;
        let last = log.last().await;
        assert!(last.starts_with("6:"), "{last}");
        for (forgery, repair, expected) in [
            (
                &["UPDATE audit SET body = REPLACE(body, 'entry 2', 'entry x') WHERE seq = 3"][..],
                &["UPDATE audit SET body = REPLACE(body, 'entry x', 'entry 2') WHERE seq = 3"][..],
                "entry 3 was changed",
            ),
            (
                &[
                    "UPDATE audit SET seq = 100 WHERE seq = 2",
                    "UPDATE audit SET seq = 2 WHERE seq = 4",
                    "UPDATE audit SET seq = 4 WHERE seq = 100",
                ],
                &[
                    "UPDATE audit SET seq = 100 WHERE seq = 2",
                    "UPDATE audit SET seq = 2 WHERE seq = 4",
                    "UPDATE audit SET seq = 4 WHERE seq = 100",
                ],
                "entry 2 does not follow on the entry before it",
            ),
            (
                &["UPDATE audit SET seq = 90 WHERE seq = 2"],
                &["UPDATE audit SET seq = 2 WHERE seq = 90"],
                "entry 2 is missing",
            ),
            (&["DELETE FROM audit WHERE seq = 6"], &[], "ends with entry 5, but entry 6 was written"),
        ] {
            log.tamper(forgery).await;
            log.finds(expected).await;
            log.tamper(repair).await;
        }
        // Whoever also writes the end anew is found by who noted it.
        log.tamper(&["UPDATE audit_end SET seq = 5, digest = (SELECT digest FROM audit WHERE seq = 5)"]).await;
        assert!(log.last().await.starts_with("5:"));
        let ran = log.run(&["audit", "verify", "--expect", &last]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("ends with entry 5, but entry 6 was written"), "{ran:?}");
        log.tamper(&["DELETE FROM audit_end"]).await;
        log.finds("remembered end is not its last entry").await;
    }
}

#[tokio::test]
async fn an_export_is_checked_by_itself_and_betrays_every_edit() {
    let log = Log::on(TestDatabase::sqlite()).await;
    let last = log.last().await;
    for (format, file) in [("jsonl", "log.jsonl"), ("csv", "log.csv")] {
        let ran = log.run(&["audit", "export", "--format", format, "--output", file]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
        let ran = log.run(&["audit", "verify", "--file", file, "--expect", &last]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains(&format!("entries 1 to 6\nlast: {last}")), "{ran:?}");
        let text = std::fs::read_to_string(log.desk.file(file)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let without = |place: usize| {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, line)| *line);
            kept.collect::<Vec<_>>().join("\n")
        };
        let first = lines.len() - 6;
        for (edited, expected) in [
            (text.replace("=entry 3", "=entry x"), "entry 4 was changed"),
            (without(first + 2), "entry 3 is missing"),
            (without(first + 5), "ends with entry 5, but entry 6 was written"),
        ] {
            log.desk.write("edited", &edited);
            let ran = log.run(&["audit", "verify", "--file", "edited", "--expect", &last]).await;
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.stderr.contains(expected), "{expected} is missing in {ran:?}");
        }
    }
    let table = std::fs::read_to_string(log.desk.file("log.csv")).unwrap();
    assert!(
        table.contains("1,2027-01-01T00:00:00.000Z,decision,7,lee,acme/prompts,11,3,,a-delivery,'=entry 0,"),
        "{table}"
    );
}

#[tokio::test]
async fn an_export_may_be_a_part_and_says_where_it_begins() {
    let log = Log::on(TestDatabase::sqlite()).await;
    let ran = log.run(&["audit", "export", "--since", "2027-01-04"]).await;
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 3), "{ran:?}");
    log.desk.write("part.jsonl", &ran.stdout);
    let ran = log.run(&["audit", "verify", "--file", "part.jsonl"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("entries 4 to 6\nwhat was before entry 4 is not in this file\n"), "{ran:?}");
    let ran = log.run(&["audit", "export", "--repo", "Acme/Prompts"]).await;
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 3), "{ran:?}");
    assert!(!ran.stdout.contains("acme/other"));
}

#[tokio::test]
async fn bad_input_is_named_and_nothing_is_created() {
    let log = Log::on(TestDatabase::sqlite()).await;
    let desk = &log.desk;
    desk.write("other.txt", "hello\n");
    desk.write("broken.jsonl", "{\"seq\": 1}\n");
    for (arguments, code, expected) in [
        (&["audit", "verify", "--file", "none.jsonl"][..], 2, "cannot read none.jsonl"),
        (&["audit", "verify", "--file", "other.txt"], 2, "other.txt:1: the line is no exported audit log"),
        (&["audit", "verify", "--file", "broken.jsonl"], 2, "broken.jsonl:1: the line holds no entry"),
        (&["audit", "verify", "--expect", "6"], 2, "SEQ:DIGEST"),
        (&["audit", "export", "--since", "yesterday"], 2, "2026-11-01"),
        (&["audit", "export", "--output", "no/such/folder"], 2, "cannot write no/such/folder"),
    ] {
        let ran = log.run(arguments).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{expected} is missing in {ran:?}");
    }
    let missing = format!("sqlite://{}", desk.file("none.db").display());
    let ran = desk.run_in("", &["audit", "verify"], &[("PROMPTOPS_DATABASE_URL", &missing)]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("PROMPTOPS_DATABASE_URL") && !desk.file("none.db").exists(), "{ran:?}");
    desk.write("url.txt", &log.database.url);
    let ran = desk.run_in("", &["audit", "verify"], &[("PROMPTOPS_DATABASE_URL_FILE", "url.txt")]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_database_without_our_tables_is_named_as_one() {
    let desk = Desk::plain();
    desk.write("other.db", "");
    let url = format!("sqlite://{}", desk.file("other.db").display());
    for verb in ["verify", "export"] {
        let ran = desk.run_in("", &["audit", verb], &[("PROMPTOPS_DATABASE_URL", &url)]).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("it holds no tables of promptops"), "{ran:?}");
    }
}
