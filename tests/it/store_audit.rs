//! The audit log is one chain on both databases, whoever appends at the same time.

use std::collections::BTreeMap;

use promptops::domain::audit::{Actor, AuditEntry, AuditKind, BEGINNING, link};
use promptops::domain::ids::{Login, PullNumber, RepoId, RepoName, UserId};
use promptops::store::Store;

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
        assert_eq!(store.audit_end().await.unwrap(), Some((20, before)));
        let page = store.audit_after(18, 100).await.unwrap();
        assert_eq!(page.iter().map(|row| row.seq).collect::<Vec<_>>(), [19, 20]);
        let read: AuditEntry = serde_json::from_str(&page[0].body).unwrap();
        assert_eq!(read, entry(&read.said));
    })
    .await;
}
