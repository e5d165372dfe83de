//! What is remembered, in the domain's verbs, each one transaction; the same SQL on SQLite and PostgreSQL.
//! Knows no GitHub and no job's meaning: a job is a lane and a text here.

mod answers;
mod audit;
mod delivery;
mod heads;
mod job;
mod overrides;
mod periodic;
mod pins;
mod prune;
mod publication;
mod pulls;
mod release;
mod run;
mod seen;
mod shared_check;
mod spending;
mod tables;
mod verdicts;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyPool, Executor, SqlSafeStr, Transaction};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

pub use audit::AuditNote;
pub use delivery::{NewDelivery, NewJob, Recorded};
pub use job::{ClaimedJob, JobCounts, Renewal, Settlement};
pub use periodic::Mark;
pub use prune::Retention;
pub use publication::Publication;
pub use pulls::{Watched, WatchedPull};
pub use run::StoredRun;
pub use shared_check::{CheckKey, Guard, HeldResult, OwnResult, PostedCheck, SharedCheck};
pub use spending::{Payer, Reserved, SpendLimit, SpendLimits};
pub use tables::Tables;
pub use writer::{DeliveryWriter, WriterError};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that is built in.
    #[error(
        "`{scheme}` is not a database this program speaks: set PROMPTOPS_DATABASE_URL to sqlite://FILE or postgres://…"
    )]
    UnknownDatabase {
        /// What stands before `://`; the rest may hold a password.
        scheme: String,
    },
    /// No connection.
    #[error("the database cannot be opened: check PROMPTOPS_DATABASE_URL, and that the file or server can be reached")]
    Open(#[source] sqlx::Error),
    /// A database of somebody else's, or one that no service has used yet.
    #[error(
        "the database has no audit log: it holds no tables of promptops. Check that PROMPTOPS_DATABASE_URL names the \
         service's database, or start `promptops serve` once, which makes the tables"
    )]
    NoTables,
    /// The tables could not be brought up to date.
    #[error("the database's tables cannot be brought up to date: it may belong to a newer version of this program")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// One verb failed.
    #[error("the database could not {verb}: check that it can be reached and written")]
    Query {
        /// What was asked.
        verb: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A row that this program cannot have written.
    #[error("the database holds a broken {what}: restore it from a backup, or delete that row")]
    Corrupt {
        /// Which kind of row.
        what: &'static str,
    },
}

impl StoreError {
    fn during(verb: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { verb, source }
    }
}

/// Whether a compare-and-set took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It did; the generation that is stored now.
    Stored(i64),
    /// Something newer is stored; nothing was changed.
    Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The engine that a URL means.
    fn of(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        match url.split(':').next().unwrap_or_default() {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            other => Err(StoreError::UnknownDatabase { scheme: other.chars().take(40).collect() }),
        }
    }
}

/// The database behind all verbs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    engine: Engine,
    /// SQLite has one writer: waiting here in order is fairer and cheaper than its busy handler.
    turn: Option<Arc<Semaphore>>,
    job_arrived: Arc<Notify>,
    superseded: Arc<Notify>,
}

impl Store {
    /// Opens `sqlite://FILE` (created when missing) or `postgres://…`, and brings the tables up to date.
    ///
    /// # Errors
    /// When the database cannot be reached or belongs to a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let engine = Engine::of(url)?;
        let pool = match engine {
            Engine::Sqlite => sqlite_pool().connect(&creating(url)).await,
            Engine::Postgres => postgres_pool().connect(url).await,
        }
        .map_err(StoreError::Open)?;
        migrations().run(&pool).await?;
        Ok(Self::over(pool, engine))
    }

    /// Opens a database that is there already, to read it: nothing is created and no table is touched.
    ///
    /// # Errors
    /// When the database is not there or cannot be reached.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        let engine = Engine::of(url)?;
        let pool = match engine {
            Engine::Sqlite => AnyPoolOptions::new().max_connections(1).connect(&with_mode(url, "ro")).await,
            Engine::Postgres => postgres_pool().connect(url).await,
        }
        .map_err(StoreError::Open)?;
        Ok(Self::over(pool, engine))
    }

    fn over(pool: AnyPool, engine: Engine) -> Self {
        let turn = (engine == Engine::Sqlite).then(|| Arc::new(Semaphore::new(1)));
        Self { pool, engine, turn, job_arrived: Arc::default(), superseded: Arc::default() }
    }

    /// Rings when this process has stored a job; other processes' jobs are found by polling.
    #[must_use]
    pub fn job_arrived(&self) -> &Notify {
        &self.job_arrived
    }

    /// Rings for all who run a job when this process has superseded one; renewing the lease tells whose.
    #[must_use]
    pub fn superseded(&self) -> &Notify {
        &self.superseded
    }

    fn ring(&self, superseding: bool) {
        self.job_arrived.notify_one();
        if superseding {
            self.superseded.notify_waiters();
        }
    }

    /// Whether the database takes writes: takes the write lock, writes, and takes it back.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        const VERB: &str = "take a write";
        let mut write = self.write(VERB).await?;
        sqlx::query("UPDATE counters SET value = value WHERE name = 'job'")
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(VERB))?;
        write.tx.rollback().await.map_err(StoreError::during(VERB))
    }

    /// Closes all connections after their current work.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn write(&self, verb: &'static str) -> Result<Write, StoreError> {
        let turn = match &self.turn {
            Some(turn) => turn.clone().acquire_owned().await.ok(),
            None => None,
        };
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        let tx = self.pool.begin_with(begin).await.map_err(StoreError::during(verb))?;
        Ok(Write { tx, verb, _turn: turn })
    }
}

/// One write transaction; rolled back unless committed.
struct Write {
    tx: Transaction<'static, Any>,
    verb: &'static str,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Write {
    async fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().await.map_err(StoreError::during(self.verb))
    }
}

fn sqlite_pool() -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(6).test_before_acquire(false).after_connect(|connection, _| {
        Box::pin(async move {
            // FULL: a commit that was answered survives the machine losing power.
            for pragma in [
                "PRAGMA busy_timeout = 10000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
            ] {
                connection.execute(pragma).await?;
            }
            Ok(())
        })
    })
}

fn postgres_pool() -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(10).acquire_timeout(Duration::from_secs(10))
}

/// The URL with SQLite told to create a missing file, unless it says how to open it.
fn creating(url: &str) -> String {
    with_mode(url, "rwc")
}

/// The URL with the mode in which SQLite opens its file, unless it says one.
fn with_mode(url: &str, mode: &str) -> String {
    match url.split_once('?') {
        Some((_, query)) if query.contains("mode=") => url.to_owned(),
        Some(_) => format!("{url}&mode={mode}"),
        None => format!("{url}?mode={mode}"),
    }
}

/// Every change of the tables, in order. A number is never given twice; a file is never changed once it is released.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "store", include_str!("../../migrations/0001_store.sql")),
    (2, "spending", include_str!("../../migrations/0002_spending.sql")),
    (3, "audit", include_str!("../../migrations/0003_audit.sql")),
    (4, "pulls", include_str!("../../migrations/0004_pulls.sql")),
    (5, "overrides", include_str!("../../migrations/0005_overrides.sql")),
    (6, "shared checks", include_str!("../../migrations/0006_shared_checks.sql")),
    (7, "settings_seen", include_str!("../../migrations/0007_settings_seen.sql")),
    (8, "audit topics", include_str!("../../migrations/0008_audit_topics.sql")),
];

fn migrations() -> Migrator {
    let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// `($1, $2), ($3, $4)` for two rows of two: the one part of a statement that is made at run time.
fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = (row * columns + 1..).take(columns).map(|number| format!("${number}"));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Ids are below 2^63 at GitHub; the database has signed numbers only.
fn to_db(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn from_db(id: i64) -> u64 {
    u64::try_from(id).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{creating, placeholders};

    #[test]
    fn placeholders_are_numbered_through_all_rows() {
        assert_eq!(placeholders(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(placeholders(1, 3), "($1, $2, $3)");
    }

    #[test]
    fn a_missing_sqlite_file_is_created_unless_the_url_says_otherwise() {
        let check = |url, expected| assert_eq!(creating(url), expected);
        check("sqlite://a.db", "sqlite://a.db?mode=rwc");
        check("sqlite://a.db?cache=private", "sqlite://a.db?cache=private&mode=rwc");
        check("sqlite://a.db?mode=ro", "sqlite://a.db?mode=ro");
    }
}
