//! The pull requests we look after, found again by owner, repository, base branch or head. Knows no GitHub call.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write, from_db, to_db};
use crate::domain::ids::{BranchName, CommitSha, Digest, InstallationId, Login, PullNumber, RepoId, RepoName};

/// A pull request as it was when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedPull {
    /// Its repository.
    pub repo_id: RepoId,
    /// The pull request.
    pub number: PullNumber,
    /// The repository's name.
    pub repo: RepoName,
    /// Through which installation to act.
    pub installation: InstallationId,
    /// Its head.
    pub head_sha: CommitSha,
    /// The branch it goes to.
    pub base_branch: BranchName,
    /// That branch's tip.
    pub base_sha: CommitSha,
    /// Digest of what controls it on the base branch; `None` where nobody can say.
    pub control: Option<Digest>,
    /// The commits it brings; empty where they are not all known.
    pub commits: Vec<CommitSha>,
    /// Whether there were no settings, so that we say nothing there.
    pub silent: bool,
}

/// Which of the open pull requests are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// All of an account, by its login or by its installation.
    Account(Login, Option<InstallationId>),
    /// All of a repository.
    Repository(RepoId),
    /// Those that go to a branch.
    Base(RepoId, BranchName),
    /// Those with this head.
    Head(RepoId, CommitSha),
    /// All of an installation, those first that were looked at longest ago.
    Installation(InstallationId),
}

const READ: &str = "read the open pull requests";
const WRITE: &str = "remember a pull request";
const COLUMNS: &str =
    "SELECT repo_id, pull, repo, installation, head_sha, base_branch, base_sha, control, commits, silent FROM pulls";

impl Store {
    /// Remembers an open pull request as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watch_pull(&self, pull: &WatchedPull, now_ms: i64) -> Result<(), StoreError> {
        // Texts always serialise.
        let commits = serde_json::to_string(&pull.commits).unwrap_or_default();
        let mut write = self.write(WRITE).await?;
        sqlx::query(
            "INSERT INTO pulls (repo_id, pull, repo, owner, installation, head_sha, base_branch, base_sha, control, \
             commits, silent, open, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12) \
             ON CONFLICT (repo_id, pull) DO UPDATE SET repo = excluded.repo, owner = excluded.owner, \
             installation = excluded.installation, head_sha = excluded.head_sha, base_branch = excluded.base_branch, \
             base_sha = excluded.base_sha, control = excluded.control, commits = excluded.commits, \
             silent = excluded.silent, open = 1, seen_ms = excluded.seen_ms",
        )
        .bind(to_db(pull.repo_id.0))
        .bind(to_db(pull.number.0))
        .bind(pull.repo.to_string())
        .bind(pull.repo.owner().to_ascii_lowercase())
        .bind(to_db(pull.installation.0))
        .bind(pull.head_sha.as_str())
        .bind(pull.base_branch.as_str())
        .bind(pull.base_sha.as_str())
        .bind(pull.control.map(|digest| digest.0.to_vec()))
        .bind(commits)
        .bind(i64::from(pull.silent))
        .bind(now_ms)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(WRITE))?;
        write.commit().await
    }

    /// Remembers that a pull request is closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unwatch_pull(&self, repo: RepoId, pull: PullNumber) -> Result<(), StoreError> {
        let mut write = self.write(WRITE).await?;
        sqlx::query("UPDATE pulls SET open = 0 WHERE repo_id = $1 AND pull = $2 AND open = 1")
            .bind(to_db(repo.0))
            .bind(to_db(pull.0))
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(WRITE))?;
        write.commit().await
    }

    /// Remembers that the base branch's tip has moved, and that nothing of it concerns these pull requests.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn base_moved(&self, pulls: &[WatchedPull], tip: &CommitSha) -> Result<(), StoreError> {
        let mut write = self.write(WRITE).await?;
        for pull in pulls {
            set_base(&mut write, pull, tip).await?;
        }
        write.commit().await
    }

    /// Open pull requests of one kind, in the order of their numbers or as the kind says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watched_pulls(&self, which: &Watched) -> Result<Vec<WatchedPull>, StoreError> {
        let wanted = |condition: &str, rest: &str| format!("{COLUMNS} WHERE open = 1 AND {condition} {rest}");
        const BY_NUMBER: &str = "ORDER BY repo_id, pull";
        let rows = match which {
            Watched::Account(login, installation) => {
                sqlx::query(sqlx::AssertSqlSafe(wanted("(owner = $1 OR installation = $2)", BY_NUMBER)))
                    .bind(login.as_str().to_ascii_lowercase())
                    .bind(installation.map_or(-1, |installation| to_db(installation.0)))
                    .fetch_all(&self.pool)
                    .await
            }
            Watched::Repository(repo) => {
                sqlx::query(sqlx::AssertSqlSafe(wanted("repo_id = $1", BY_NUMBER)))
                    .bind(to_db(repo.0))
                    .fetch_all(&self.pool)
                    .await
            }
            Watched::Base(repo, branch) => {
                sqlx::query(sqlx::AssertSqlSafe(wanted("repo_id = $1 AND base_branch = $2", BY_NUMBER)))
                    .bind(to_db(repo.0))
                    .bind(branch.as_str())
                    .fetch_all(&self.pool)
                    .await
            }
            Watched::Head(repo, sha) => {
                sqlx::query(sqlx::AssertSqlSafe(wanted("repo_id = $1 AND head_sha = $2", BY_NUMBER)))
                    .bind(to_db(repo.0))
                    .bind(sha.as_str())
                    .fetch_all(&self.pool)
                    .await
            }
            Watched::Installation(installation) => {
                sqlx::query(sqlx::AssertSqlSafe(wanted("installation = $1", "ORDER BY seen_ms, repo_id, pull")))
                    .bind(to_db(installation.0))
                    .fetch_all(&self.pool)
                    .await
            }
        };
        rows.map_err(StoreError::during(READ))?.iter().map(from_row).collect()
    }
}

/// Only where the base is still the one that was compared: a worker may have looked at the pull request meanwhile.
async fn set_base(write: &mut Write, pull: &WatchedPull, tip: &CommitSha) -> Result<(), StoreError> {
    sqlx::query("UPDATE pulls SET base_sha = $1 WHERE repo_id = $2 AND pull = $3 AND base_sha = $4 AND head_sha = $5")
        .bind(tip.as_str())
        .bind(to_db(pull.repo_id.0))
        .bind(to_db(pull.number.0))
        .bind(pull.base_sha.as_str())
        .bind(pull.head_sha.as_str())
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(write.verb))?;
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<WatchedPull, StoreError> {
    const BROKEN: StoreError = StoreError::Corrupt { what: "pull request" };
    let number = |at: usize| row.try_get::<i64, _>(at).map_err(StoreError::during(READ));
    let text = |at: usize| row.try_get::<String, _>(at).map_err(StoreError::during(READ));
    let control: Option<Vec<u8>> = row.try_get(7).map_err(StoreError::during(READ))?;
    Ok(WatchedPull {
        repo_id: RepoId(from_db(number(0)?)),
        number: PullNumber(from_db(number(1)?)),
        repo: RepoName::parse(&text(2)?).map_err(|_| BROKEN)?,
        installation: InstallationId(from_db(number(3)?)),
        head_sha: CommitSha::parse(&text(4)?).map_err(|_| BROKEN)?,
        base_branch: BranchName::parse(&text(5)?).map_err(|_| BROKEN)?,
        base_sha: CommitSha::parse(&text(6)?).map_err(|_| BROKEN)?,
        control: control.map(|bytes| bytes.try_into().map(Digest).map_err(|_| BROKEN)).transpose()?,
        commits: serde_json::from_str(&text(8)?).map_err(|_| BROKEN)?,
        silent: number(9)? != 0,
    })
}
