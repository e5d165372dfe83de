//! The audit log's rows: appended in one chain, never changed. Knows no entry's meaning.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write};
use crate::domain::audit::chain::{Link, Pin};
use crate::domain::audit::{AuditEntry, BEGINNING, link};
use crate::domain::ids::Digest;

/// An entry about something that is looked at again and again: appended only when its state is another than at the last
/// entry of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditNote {
    /// What it is about, for instance a pull request.
    pub topic: String,
    /// The digest of all that the entry says but for when and by which delivery.
    pub state: Digest,
    /// The entry.
    pub entry: AuditEntry,
}

const APPEND: &str = "append to the audit log";
const READ: &str = "read the audit log";

impl Store {
    /// Appends an entry, and gives its place.
    ///
    /// # Errors
    /// When the database fails; then nothing is appended.
    pub async fn append_audit(&self, entry: &AuditEntry) -> Result<i64, StoreError> {
        let mut write = self.write(APPEND).await?;
        let seq = append(&mut write, entry).await?;
        write.commit().await?;
        Ok(seq)
    }

    /// Appends those of the entries that say something new of their topics.
    ///
    /// # Errors
    /// When the database fails; then nothing is appended.
    pub async fn note_audit(&self, notes: &[AuditNote]) -> Result<(), StoreError> {
        let mut write = self.write(APPEND).await?;
        note(&mut write, notes).await?;
        write.commit().await
    }

    /// Up to `most` rows after `seq`, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_after(&self, seq: i64, most: i64) -> Result<Vec<Link>, StoreError> {
        let rows = sqlx::query("SELECT seq, body, previous, digest FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(seq)
            .bind(most)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::during(READ))?;
        rows.iter().map(row).collect()
    }

    /// The place and digest of the last entry, as the chain's end remembers them; `None` while there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_end(&self) -> Result<Option<Pin>, StoreError> {
        let end = sqlx::query("SELECT seq, digest FROM audit_end WHERE name = 'audit'")
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::during(READ))?;
        let pin = |end: AnyRow| {
            let seq = end.try_get(0).map_err(StoreError::during(READ))?;
            Ok(Pin { seq, digest: digest(&end, 1)? })
        };
        end.map(pin).transpose()
    }
}

/// Appends within a transaction those of the entries that say something new of their topics.
pub(super) async fn note(write: &mut Write, notes: &[AuditNote]) -> Result<(), StoreError> {
    let verb = write.verb;
    // All topics before the chain's end and in one order: two transactions never wait for each other.
    let mut sorted: Vec<&AuditNote> = notes.iter().collect();
    sorted.sort_by_key(|note| &note.topic);
    let mut new = Vec::new();
    for note in sorted {
        let changed = sqlx::query(
            "INSERT INTO audit_topics (topic, state) VALUES ($1, $2) ON CONFLICT (topic) DO UPDATE \
             SET state = excluded.state WHERE audit_topics.state <> excluded.state",
        )
        .bind(&note.topic)
        .bind(note.state.0.to_vec())
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(verb))?;
        if changed.rows_affected() == 1 {
            new.push(&note.topic);
        }
    }
    for note in notes.iter().filter(|note| new.contains(&&note.topic)) {
        append(write, &note.entry).await?;
    }
    Ok(())
}

/// Appends within a transaction, so that a fact and its entry are there together or not at all.
pub(super) async fn append(write: &mut Write, entry: &AuditEntry) -> Result<i64, StoreError> {
    let verb = write.verb;
    // The first statement takes the row of the chain's end, made at the first entry.
    sqlx::query("INSERT INTO audit_end (name, seq, digest) VALUES ('audit', 0, $1) ON CONFLICT (name) DO NOTHING")
        .bind(BEGINNING.0.to_vec())
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(verb))?;
    let end = sqlx::query("UPDATE audit_end SET seq = seq + 1 WHERE name = 'audit' RETURNING seq, digest")
        .fetch_one(&mut *write.tx)
        .await
        .map_err(StoreError::during(verb))?;
    let seq: i64 = end.try_get(0).map_err(StoreError::during(verb))?;
    let before = digest(&end, 1)?;
    // Texts and numbers always serialise.
    let body = serde_json::to_string(entry).unwrap_or_default();
    let own = link(seq, &before, &body);
    sqlx::query("INSERT INTO audit (seq, at_ms, body, previous, digest) VALUES ($1, $2, $3, $4, $5)")
        .bind(seq)
        .bind(entry.at_ms)
        .bind(body)
        .bind(before.0.to_vec())
        .bind(own.0.to_vec())
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(verb))?;
    sqlx::query("UPDATE audit_end SET digest = $1 WHERE name = 'audit'")
        .bind(own.0.to_vec())
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(verb))?;
    Ok(seq)
}

fn row(row: &AnyRow) -> Result<Link, StoreError> {
    Ok(Link {
        seq: row.try_get(0).map_err(StoreError::during(READ))?,
        body: row.try_get(1).map_err(StoreError::during(READ))?,
        before: digest(row, 2)?,
        digest: digest(row, 3)?,
    })
}

fn digest(row: &AnyRow, column: usize) -> Result<Digest, StoreError> {
    let bytes: Vec<u8> = row.try_get(column).map_err(StoreError::during(READ))?;
    bytes.try_into().map(Digest).map_err(|_| StoreError::Corrupt { what: "audit log" })
}
