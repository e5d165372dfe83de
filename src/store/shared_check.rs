//! Results that share a check: what each holder came to on a commit and name, and what is posted for all of them. Knows no
//! result's meaning and no GitHub call.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Saved, Store, StoreError, Write, from_db, to_db};
use crate::domain::ids::{CommitSha, Digest, PullNumber, RepoId};

/// One check as GitHub tells them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckKey {
    /// The repository.
    pub repo: RepoId,
    /// The commit.
    pub sha: CommitSha,
    /// The check's name.
    pub name: String,
}

impl CheckKey {
    fn parts(&self) -> (RepoId, &CommitSha, &str) {
        (self.repo, &self.sha, &self.name)
    }
}

/// What one holder came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldResult {
    /// Whose result it is, for instance `pull/7`.
    pub holder: String,
    /// The result.
    pub body: String,
}

/// What is known of the check run that stands for all results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostedCheck {
    /// Grows with each change of a result.
    pub generation: i64,
    /// Attempts to post since the last one that was confirmed: running ones, and those that a crash or a lost answer ended.
    pub writers: i64,
    /// GitHub's id of the check run.
    pub check_id: Option<u64>,
    /// Of what it shows.
    pub digest: Option<Digest>,
}

impl PostedCheck {
    /// Whether it shows for certain what was posted last.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.writers == 0 && self.check_id.is_some()
    }
}

/// All that is known of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCheck {
    /// The results, by holder.
    pub results: Vec<HeldResult>,
    /// What is posted.
    pub posted: PostedCheck,
}

/// A result of one holder with the check it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnResult {
    /// The commit.
    pub sha: CommitSha,
    /// The check's name.
    pub name: String,
    /// The result.
    pub body: String,
    /// What is posted there.
    pub posted: PostedCheck,
    /// Whether others hold the same check.
    pub is_shared: bool,
}

/// The state of a pull request's publication that a writer has read: if another has written since, nothing is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// The pull request.
    pub pull: PullNumber,
    /// Its publication's generation.
    pub generation: i64,
}

const PUT: &str = "keep the results of checks";
const DROP: &str = "take back results of checks";
const LOAD: &str = "load the results of checks";
const CONFIRM: &str = "confirm a posted check";

impl Store {
    /// Keeps what a holder came to on checks of a commit, in one transaction, and announces a writer for each of them. With a
    /// guard only if nobody else has written to the pull request since; its next generation comes back.
    ///
    /// # Errors
    /// When the database fails; then nothing is kept.
    pub async fn put_results(
        &self,
        (repo, sha): (RepoId, &CommitSha),
        holder: &str,
        results: &[(String, String)],
        guard: Option<Guard>,
        now_ms: i64,
    ) -> Result<Saved, StoreError> {
        let mut write = self.write(PUT).await?;
        let saved = pass(&mut write, repo, guard).await?;
        if saved == Saved::Stale {
            return Ok(saved);
        }
        for (name, body) in results {
            let sql = "INSERT INTO check_results (repo_id, sha, name, holder, body) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (repo_id, sha, name, holder) DO UPDATE SET body = excluded.body";
            change(&mut write, sql, (repo, sha, name), (holder, body)).await.map_err(StoreError::during(PUT))?;
            announce(&mut write, (repo, sha.as_str(), name), now_ms).await?;
        }
        write.commit().await?;
        Ok(saved)
    }

    /// Keeps a result for a holder who has none on this check, and announces a writer for it; false if there is one.
    ///
    /// # Errors
    /// When the database fails; then nothing is kept.
    pub async fn put_missing_result(
        &self,
        key: &CheckKey,
        holder: &str,
        body: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(PUT).await?;
        let sql = "INSERT INTO check_results (repo_id, sha, name, holder, body) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (repo_id, sha, name, holder) DO NOTHING";
        let put = change(&mut write, sql, key.parts(), (holder, body)).await.map_err(StoreError::during(PUT))?;
        if put == 0 {
            return Ok(false);
        }
        announce(&mut write, (key.repo, key.sha.as_str(), &key.name), now_ms).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Takes back a holder's result on one check, and announces a writer for it; false if there was none.
    ///
    /// # Errors
    /// When the database fails; then nothing is taken back.
    pub async fn drop_result(&self, key: &CheckKey, holder: &str, now_ms: i64) -> Result<bool, StoreError> {
        let mut write = self.write(DROP).await?;
        let dropped =
            sqlx::query("DELETE FROM check_results WHERE repo_id = $1 AND sha = $2 AND name = $3 AND holder = $4")
                .bind(to_db(key.repo.0))
                .bind(key.sha.as_str())
                .bind(key.name.as_str())
                .bind(holder)
                .execute(&mut *write.tx)
                .await
                .map_err(StoreError::during(DROP))?
                .rows_affected();
        if dropped == 0 {
            return Ok(false);
        }
        announce(&mut write, (key.repo, key.sha.as_str(), &key.name), now_ms).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Puts `body` in the place of a holder's result, and announces a writer for it; false if there was none.
    ///
    /// # Errors
    /// When the database fails; then nothing is replaced.
    pub async fn replace_result(
        &self,
        key: &CheckKey,
        holder: &str,
        body: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(DROP).await?;
        let sql = "UPDATE check_results SET body = $5 WHERE repo_id = $1 AND sha = $2 AND name = $3 AND holder = $4";
        let replaced = change(&mut write, sql, key.parts(), (holder, body)).await.map_err(StoreError::during(DROP))?;
        if replaced == 0 {
            return Ok(false);
        }
        announce(&mut write, (key.repo, key.sha.as_str(), &key.name), now_ms).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Forgets a holder's result if it is still `body`, where what is posted is the same without it: announces nobody.
    ///
    /// # Errors
    /// When the database fails; then it stays.
    pub async fn drop_left(&self, key: &CheckKey, holder: &str, body: &str) -> Result<(), StoreError> {
        let mut write = self.write(DROP).await?;
        let sql =
            "DELETE FROM check_results WHERE repo_id = $1 AND sha = $2 AND name = $3 AND holder = $4 AND body = $5";
        change(&mut write, sql, key.parts(), (holder, body)).await.map_err(StoreError::during(DROP))?;
        write.commit().await
    }

    /// All that is known of a check.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shared_check(&self, key: &CheckKey) -> Result<SharedCheck, StoreError> {
        // What is posted is read first: a result that comes in between is met again when the post is to be confirmed.
        let posted = sqlx::query(
            "SELECT generation, writers, check_id, digest FROM posted_checks \
             WHERE repo_id = $1 AND sha = $2 AND name = $3",
        )
        .bind(to_db(key.repo.0))
        .bind(key.sha.as_str())
        .bind(key.name.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during(LOAD))?;
        let posted = posted.map_or_else(|| Ok(PostedCheck::default()), |row| posted_from(&row, 0))?;
        let rows = sqlx::query(
            "SELECT holder, body FROM check_results WHERE repo_id = $1 AND sha = $2 AND name = $3 ORDER BY holder",
        )
        .bind(to_db(key.repo.0))
        .bind(key.sha.as_str())
        .bind(key.name.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during(LOAD))?;
        let held = |row: &AnyRow| Ok(HeldResult { holder: row.try_get(0)?, body: row.try_get(1)? });
        let results = rows.iter().map(held).collect::<Result<_, _>>().map_err(StoreError::during(LOAD))?;
        Ok(SharedCheck { results, posted })
    }

    /// All results of a holder.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn results_of(&self, repo: RepoId, holder: &str) -> Result<Vec<OwnResult>, StoreError> {
        let rows = sqlx::query(
            "SELECT r.sha, r.name, r.body, p.generation, p.writers, p.check_id, p.digest, \
             (SELECT COUNT(*) FROM check_results o WHERE o.repo_id = r.repo_id AND o.sha = r.sha AND o.name = r.name \
             AND o.holder <> r.holder) FROM check_results r \
             JOIN posted_checks p ON p.repo_id = r.repo_id AND p.sha = r.sha AND p.name = r.name \
             WHERE r.repo_id = $1 AND r.holder = $2 ORDER BY r.sha, r.name",
        )
        .bind(to_db(repo.0))
        .bind(holder)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during(LOAD))?;
        rows.iter().map(own_from).collect()
    }

    /// Remembers what was posted; false if since `read` a result changed, or another writer confirmed another check run: then
    /// what was posted may be out of date, or not on the newest run, and has to be posted again. Whoever is still posting will
    /// be told the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_post(
        &self,
        key: &CheckKey,
        read: &PostedCheck,
        check_id: Option<u64>,
        digest: Option<Digest>,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(CONFIRM).await?;
        let confirmed = sqlx::query(
            "UPDATE posted_checks SET check_id = $5, digest = $6, writers = 0 \
             WHERE repo_id = $1 AND sha = $2 AND name = $3 AND generation = $4 AND check_id IS NOT DISTINCT FROM $7",
        )
        .bind(to_db(key.repo.0))
        .bind(key.sha.as_str())
        .bind(key.name.as_str())
        .bind(read.generation)
        .bind(check_id.map(to_db))
        .bind(digest.map(|digest| digest.0.to_vec()))
        .bind(read.check_id.map(to_db))
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(CONFIRM))?;
        write.commit().await?;
        Ok(confirmed.rows_affected() == 1)
    }
}

/// Moves the pull request's publication on, if it is as it was read.
async fn pass(write: &mut Write, repo: RepoId, guard: Option<Guard>) -> Result<Saved, StoreError> {
    let Some(Guard { pull, generation }) = guard else { return Ok(Saved::Stored(0)) };
    let sql = if generation == 0 {
        "INSERT INTO publications (repo_id, pull, generation, checks) VALUES ($1, $2, $3 + 1, '[]') \
         ON CONFLICT (repo_id, pull) DO NOTHING"
    } else {
        "UPDATE publications SET generation = $3 + 1 WHERE repo_id = $1 AND pull = $2 AND generation = $3"
    };
    let passed = sqlx::query(sql)
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(generation)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(PUT))?;
    Ok(if passed.rows_affected() == 1 { Saved::Stored(generation + 1) } else { Saved::Stale })
}

/// Changes a holder's result on a check; says how many rows that were. The statement takes all five in this order.
async fn change(
    write: &mut Write,
    sql: &'static str,
    (repo, sha, name): (RepoId, &CommitSha, &str),
    (holder, body): (&str, &str),
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query(sql).bind(to_db(repo.0)).bind(sha.as_str()).bind(name).bind(holder).bind(body);
    Ok(query.execute(&mut *write.tx).await?.rows_affected())
}

async fn announce(write: &mut Write, (repo, sha, name): (RepoId, &str, &str), now_ms: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO posted_checks (repo_id, sha, name, generation, writers, saved_ms) VALUES ($1, $2, $3, 1, 1, $4) \
         ON CONFLICT (repo_id, sha, name) DO UPDATE SET generation = posted_checks.generation + 1, \
         writers = posted_checks.writers + 1, saved_ms = excluded.saved_ms",
    )
    .bind(to_db(repo.0))
    .bind(sha)
    .bind(name)
    .bind(now_ms)
    .execute(&mut *write.tx)
    .await
    .map_err(StoreError::during(PUT))?;
    Ok(())
}

fn posted_from(row: &AnyRow, from: usize) -> Result<PostedCheck, StoreError> {
    let digest: Option<Vec<u8>> = row.try_get(from + 3).map_err(StoreError::during(LOAD))?;
    let check_id: Option<i64> = row.try_get(from + 2).map_err(StoreError::during(LOAD))?;
    let digest = digest.map(|bytes| bytes.try_into().map(Digest)).transpose();
    Ok(PostedCheck {
        generation: row.try_get(from).map_err(StoreError::during(LOAD))?,
        writers: row.try_get(from + 1).map_err(StoreError::during(LOAD))?,
        check_id: check_id.map(from_db),
        digest: digest.map_err(|_| StoreError::Corrupt { what: "posted check" })?,
    })
}

fn own_from(row: &AnyRow) -> Result<OwnResult, StoreError> {
    let sha: String = row.try_get(0).map_err(StoreError::during(LOAD))?;
    Ok(OwnResult {
        sha: CommitSha::parse(&sha).map_err(|_| StoreError::Corrupt { what: "check result" })?,
        name: row.try_get(1).map_err(StoreError::during(LOAD))?,
        body: row.try_get(2).map_err(StoreError::during(LOAD))?,
        posted: posted_from(row, 3)?,
        is_shared: row.try_get::<i64, _>(7).map_err(StoreError::during(LOAD))? > 0,
    })
}
