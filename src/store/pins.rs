//! Whose a login was when somebody whom settings name in person first counted. Knows no policy.

use sqlx::Row;

use super::{Store, StoreError, from_db, to_db};
use crate::domain::ids::{BranchName, Login, RepoId, UserId};

const READ: &str = "read whose logins are";
const WRITE: &str = "remember whose logins are";

impl Store {
    /// The logins that are remembered for the settings of a branch.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pins(&self, repo: RepoId, base: &BranchName) -> Result<Vec<(Login, UserId)>, StoreError> {
        let rows =
            sqlx::query("SELECT login, user_id FROM pins WHERE repo_id = $1 AND base_branch = $2 ORDER BY login")
                .bind(to_db(repo.0))
                .bind(base.as_str())
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::during(READ))?;
        let pin = |row: &sqlx::any::AnyRow| {
            let login: String = row.try_get(0).map_err(StoreError::during(READ))?;
            let id: i64 = row.try_get(1).map_err(StoreError::during(READ))?;
            let login = Login::parse(&login).map_err(|_| StoreError::Corrupt { what: "login" })?;
            Ok((login, UserId(from_db(id))))
        };
        rows.iter().map(pin).collect()
    }

    /// Remembers logins that are not yet remembered, and forgets those that the settings no longer name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_pins(
        &self,
        (repo, base): (RepoId, &BranchName),
        new: &[(Login, UserId)],
        gone: &[Login],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut write = self.write(WRITE).await?;
        for login in gone {
            sqlx::query("DELETE FROM pins WHERE repo_id = $1 AND base_branch = $2 AND login = $3")
                .bind(to_db(repo.0))
                .bind(base.as_str())
                .bind(login.as_str().to_ascii_lowercase())
                .execute(&mut *write.tx)
                .await
                .map_err(StoreError::during(WRITE))?;
        }
        for (login, id) in new {
            sqlx::query(
                "INSERT INTO pins (repo_id, base_branch, login, user_id, since_ms) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (repo_id, base_branch, login) DO NOTHING",
            )
            .bind(to_db(repo.0))
            .bind(base.as_str())
            .bind(login.as_str().to_ascii_lowercase())
            .bind(to_db(id.0))
            .bind(now_ms)
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(WRITE))?;
        }
        write.commit().await
    }
}
