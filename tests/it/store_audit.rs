//! The audit log is one chain on both databases, whoever appends at the same time.

use std::collections::BTreeMap;

use promptops::domain::audit::chain::Pin;
use promptops::domain::audit::{Actor, AuditEntry, AuditKind, BEGINNING, link};
use promptops::domain::ids::{Digest, Login, PullNumber, RepoId, RepoName, UserId};
use promptops::store::{AuditNote, Saved, Store};

use crate::support::database::on_each_database;

fn entry(said: &str) -> AuditEntry {
    AuditEntry {
        at_ms: 1_800_000_000_000,
        kind: AuditKind::Override,
        by: Some(Actor { id: UserId(7), login: Login::parse("lee").unwrap() }),
        repo: RepoName::parse("acme/prompts").unwrap(),
        repo_id: RepoId(11),
        pull: Some(PullNumber(3)),
        sha: None,
        delivery: Some("guid".to_owned()),
        said: said.to_owned(),
        evidence: BTreeMap::from([("comment".to_owned(), "9".to_owned())]),
    }
}

async fn append_many(store: Store, who: usize) {
    for n in 0..5 {
        store.append_audit(&entry(&format!("{who}/{n}"))).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_appended_at_once_make_one_chain() {
    on_each_database(|store| async move {
        assert_eq!(store.audit_end().await.unwrap(), None);
        futures::future::join_all((0..4).map(|who| append_many(store.clone(), who))).await;
        let mut before = BEGINNING;
        let rows = store.audit_after(0, 100).await.unwrap();
        assert_eq!(rows.len(), 20);
        for (place, row) in (1..).zip(&rows) {
            assert_eq!((row.seq, row.before), (place, before));
            assert_eq!(row.digest, link(row.seq, &before, &row.body));
            before = row.digest;
        }
        assert_eq!(store.audit_end().await.unwrap(), Some(Pin { seq: 20, digest: before }));
        let page = store.audit_after(18, 100).await.unwrap();
        assert_eq!(page.iter().map(|row| row.seq).collect::<Vec<_>>(), [19, 20]);
        let read: AuditEntry = serde_json::from_str(&page[0].body).unwrap();
        assert_eq!(read, entry(&read.said));
    })
    .await;
}

fn note(topic: &str, said: &str) -> AuditNote {
    let state = Digest::of_parts([said.as_bytes()]);
    AuditNote { topic: topic.to_owned(), state, entry: entry(said) }
}

async fn said(store: &Store) -> Vec<String> {
    let rows = store.audit_after(0, 100).await.unwrap();
    rows.iter().map(|row| serde_json::from_str::<AuditEntry>(&row.body).unwrap().said).collect()
}

#[tokio::test]
async fn only_what_is_new_of_its_topic_is_appended_and_with_its_run_or_not_at_all() {
    on_each_database(|store| async move {
        let save = |generation, said| {
            let store = store.clone();
            let notes = [note("policy", "p"), note("pull 1", said)];
            async move { store.save_run_noting("key", generation, "{}", 1, &notes).await.unwrap() }
        };
        assert_eq!(save(5, "waiting").await, Saved::Stored(5));
        assert_eq!(save(6, "waiting").await, Saved::Stored(6));
        assert_eq!(save(7, "approved").await, Saved::Stored(7));
        assert_eq!(save(6, "late").await, Saved::Stale);
        store.note_audit(&[note("pull 2", "approved")]).await.unwrap();
        assert_eq!(save(8, "waiting").await, Saved::Stored(8));
        assert_eq!(said(&store).await, ["p", "waiting", "approved", "approved", "waiting"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_note_the_same_at_once_append_it_once() {
    on_each_database(|store| async move {
        let notes = |who: usize| [note(&format!("pull {who}"), "new"), note("policy", "p"), note("all", "a")];
        let noting = (0..8).map(|who| {
            let store = store.clone();
            async move { store.note_audit(&notes(who / 2)).await.unwrap() }
        });
        futures::future::join_all(noting).await;
        let mut said = said(&store).await;
        said.sort();
        assert_eq!(said, ["a", "new", "new", "new", "new", "p"]);
    })
    .await;
}
