//! The answers of models by the digest of their question. Knows no provider.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::{Store, StoreError, placeholders};
use crate::domain::ids::Digest;
use crate::engine::provider::Completion;

/// Questions per statement.
const CHUNK: usize = 500;
/// Statements at once.
const READERS: usize = 4;
const LOAD: &str = "load answers";

impl Store {
    /// The answers that are known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_answers(&self, questions: &[Digest]) -> Result<HashMap<Digest, Completion>, StoreError> {
        let chunks: Vec<_> = questions.chunks(CHUNK).map(|chunk| self.load_chunk(chunk)).collect();
        stream::iter(chunks)
            .buffer_unordered(READERS)
            .try_fold(HashMap::with_capacity(questions.len()), |mut all, chunk| async move {
                all.extend(chunk);
                Ok(all)
            })
            .await
    }

    async fn load_chunk(&self, questions: &[Digest]) -> Result<Vec<(Digest, Completion)>, StoreError> {
        let list = placeholders(1, questions.len());
        let sql = format!("SELECT question, completion FROM answers WHERE question IN {list}");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for question in questions {
            query = query.bind(question.0.as_slice());
        }
        let rows = query.fetch_all(&self.pool).await.map_err(StoreError::during(LOAD))?;
        rows.iter().map(answer).collect()
    }

    /// When the answers that are known were given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_times(&self, questions: &[Digest]) -> Result<HashMap<Digest, i64>, StoreError> {
        let mut times = HashMap::new();
        for chunk in questions.chunks(CHUNK) {
            let list = placeholders(1, chunk.len());
            let sql = format!("SELECT question, saved_ms FROM answers WHERE question IN {list}");
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for question in chunk {
                query = query.bind(question.0.as_slice());
            }
            for row in query.fetch_all(&self.pool).await.map_err(StoreError::during(LOAD))? {
                let question: &[u8] = row.try_get(0).map_err(StoreError::during(LOAD))?;
                let question = question.try_into().map_err(|_| StoreError::Corrupt { what: "answer" })?;
                times.insert(Digest(question), row.try_get(1).map_err(StoreError::during(LOAD))?);
            }
        }
        Ok(times)
    }

    /// Keeps answers; one that is known already gives way: whoever asked again wants the new one.
    ///
    /// # Errors
    /// When the database fails; then none is kept.
    pub async fn save_answers(&self, answers: &[(Digest, Completion)], now_ms: i64) -> Result<(), StoreError> {
        const VERB: &str = "save answers";
        let mut write = self.write(VERB).await?;
        for chunk in answers.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO answers (question, completion, saved_ms) VALUES {} ON CONFLICT (question) DO UPDATE \
                 SET completion = excluded.completion, saved_ms = excluded.saved_ms",
                placeholders(chunk.len(), 3)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (question, completion) in chunk {
                // A struct of texts and numbers always serialises.
                let text = serde_json::to_string(completion).unwrap_or_default();
                query = query.bind(question.0.as_slice()).bind(text).bind(now_ms);
            }
            query.execute(&mut *write.tx).await.map_err(StoreError::during(VERB))?;
        }
        write.commit().await
    }
}

fn answer(row: &AnyRow) -> Result<(Digest, Completion), StoreError> {
    const BROKEN: StoreError = StoreError::Corrupt { what: "answer" };
    let question: &[u8] = row.try_get(0).map_err(StoreError::during(LOAD))?;
    let completion: &str = row.try_get(1).map_err(StoreError::during(LOAD))?;
    let question = question.try_into().map_err(|_| BROKEN)?;
    Ok((Digest(question), serde_json::from_str(completion).map_err(|_| BROKEN)?))
}
