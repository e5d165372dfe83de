//! Forgetting: what is finished and old. Never touches a job that waits or runs.

use std::time::Duration;

use super::{Store, StoreError};

/// How long finished things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Deliveries and their finished jobs; GitHub can redeliver for three days.
    pub deliveries: Duration,
    /// Answers of models.
    pub answers: Duration,
    /// Runs.
    pub runs: Duration,
    /// What was spent; a pull request's budget counts that long.
    pub expenses: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self { deliveries: 14 * DAY, answers: 30 * DAY, runs: 90 * DAY, expenses: 400 * DAY }
    }
}

impl Store {
    /// Deletes what is older than it is kept.
    ///
    /// # Errors
    /// When the database fails; then nothing is deleted.
    pub async fn prune(&self, keep: Retention, now_ms: i64) -> Result<(), StoreError> {
        const VERB: &str = "delete old rows";
        let before = |age: Duration| now_ms.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let mut write = self.write(VERB).await?;
        for (sql, before_ms) in [
            ("DELETE FROM jobs WHERE state NOT IN ('queued', 'running') AND queued_ms < $1", before(keep.deliveries)),
            (
                "DELETE FROM deliveries WHERE received_ms < $1 \
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = deliveries.job_id)",
                before(keep.deliveries),
            ),
            ("DELETE FROM answers WHERE saved_ms < $1", before(keep.answers)),
            ("DELETE FROM runs WHERE saved_ms < $1", before(keep.runs)),
            ("DELETE FROM pulls WHERE open = 0 AND seen_ms < $1", before(keep.runs)),
            ("DELETE FROM verdicts WHERE saved_ms < $1", before(keep.runs)),
            (
                "DELETE FROM posted_checks WHERE saved_ms < $1 AND NOT EXISTS (SELECT 1 FROM check_results r \
                 WHERE r.repo_id = posted_checks.repo_id AND r.sha = posted_checks.sha AND r.name = posted_checks.name)",
                before(keep.runs),
            ),
            ("DELETE FROM expenses WHERE day < $1", before(keep.expenses).div_euclid(86_400_000)),
            ("DELETE FROM reservations WHERE until_ms < $1", now_ms),
        ] {
            sqlx::query(sql).bind(before_ms).execute(&mut *write.tx).await.map_err(StoreError::during(VERB))?;
        }
        write.commit().await
    }
}
