//! Whether a database holds our tables, and which: read without creating or touching any.

use std::path::PathBuf;

use super::{Engine, MIGRATIONS, Store, StoreError};

/// The change that made the audit log.
const AUDIT_VERSION: i64 = 3;

/// How the tables of a database stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// There is no such file.
    Absent,
    /// None of them is ours.
    Empty,
    /// So many changes are still to be made.
    Behind(usize),
    /// They are those of this program.
    Current,
    /// A newer program has changed them.
    Newer,
}

impl Store {
    /// Whether the tables of a database are ours and current. Nothing is created and no table is touched.
    ///
    /// # Errors
    /// When the database is there and cannot be opened or read.
    pub async fn tables(url: &str) -> Result<Tables, StoreError> {
        if Engine::of(url)? == Engine::Sqlite && sqlite_file(url).is_some_and(|file| !file.exists()) {
            return Ok(Tables::Absent);
        }
        let store = Self::open_to_read(url).await?;
        let applied = store.applied().await;
        store.close().await;
        let (ours, applied) = (MIGRATIONS.iter().map(|(version, ..)| *version), applied?);
        Ok(match applied {
            None => Tables::Empty,
            Some(applied) if applied.iter().any(|version| ours.clone().all(|known| known != *version)) => Tables::Newer,
            Some(applied) => match ours.filter(|version| !applied.contains(version)).count() {
                0 => Tables::Current,
                missing => Tables::Behind(missing),
            },
        })
    }

    /// The changes of the tables that were made; `None` where none of our tables is there.
    async fn applied(&self) -> Result<Option<Vec<i64>>, StoreError> {
        const VERB: &str = "tell which tables it has";
        let is_there = match self.engine {
            Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
            Engine::Postgres => {
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = '_sqlx_migrations' AND \
                 table_schema = ANY (current_schemas(false))"
            }
        };
        let tables: i64 = sqlx::query_scalar(is_there).fetch_one(&self.pool).await.map_err(StoreError::during(VERB))?;
        if tables == 0 {
            return Ok(None);
        }
        let versions = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version");
        versions.fetch_all(&self.pool).await.map(Some).map_err(StoreError::during(VERB))
    }

    /// Fails where the database cannot hold an audit log, because its tables are not ours or older than that.
    ///
    /// # Errors
    /// Then, and when it cannot be read.
    pub async fn check_audit_tables(&self) -> Result<(), StoreError> {
        match self.applied().await? {
            Some(applied) if applied.contains(&AUDIT_VERSION) => Ok(()),
            _ => Err(StoreError::NoTables),
        }
    }
}

/// The file of a SQLite database; `None` for one in memory.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(PathBuf::from(path)).filter(|_| !path.is_empty() && path != ":memory:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_from_the_url() {
        let check = |url, expected: Option<&str>| assert_eq!(sqlite_file(url), expected.map(PathBuf::from), "{url}");
        check("sqlite://a.db", Some("a.db"));
        check("sqlite:///var/a.db?mode=ro", Some("/var/a.db"));
        check("sqlite:a.db", Some("a.db"));
        check("sqlite::memory:", None);
        check("postgres://host/a", None);
    }
}
