//! Groups deliveries that arrive together into one commit, each answered after its own. Bounded: too many are refused.

use tokio::sync::{mpsc, oneshot};

use super::{NewDelivery, Recorded, Store, StoreError};

/// Deliveries that may wait; beyond it the door says to come back later.
const WAITING: usize = 2_048;
/// Deliveries in one commit: enough to spread its cost, few enough to answer soon.
const BATCH: usize = 256;

/// Why a delivery is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriterError {
    /// Too many wait already.
    #[error("too many deliveries are waiting to be stored: try again in a second")]
    Busy,
    /// The database failed; the log says how.
    #[error("the delivery could not be stored: try again, and read the server's log")]
    Failed,
}

struct Waiting {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<Recorded, WriterError>>,
}

/// The way into the delivery store. Cheap to clone; its task ends with the last clone.
#[derive(Debug, Clone)]
pub struct DeliveryWriter {
    queue: mpsc::Sender<Waiting>,
}

impl DeliveryWriter {
    /// Starts the task that commits.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(commit_groups(store, waiting));
        Self { queue }
    }

    /// Stores a delivery and its job; returns after the commit.
    ///
    /// # Errors
    /// When too many wait, or the database fails: then the delivery is not stored.
    pub async fn record(&self, delivery: NewDelivery) -> Result<Recorded, WriterError> {
        let (answer, committed) = oneshot::channel();
        self.queue.try_send(Waiting { delivery, answer }).map_err(|_| WriterError::Busy)?;
        committed.await.unwrap_or(Err(WriterError::Failed))
    }
}

async fn commit_groups(store: Store, mut queue: mpsc::Receiver<Waiting>) {
    let mut group = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut group, BATCH).await > 0 {
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            group.drain(..).map(|waiting| (waiting.delivery, waiting.answer)).unzip();
        for (answer, outcome) in answers.into_iter().zip(record(&store, deliveries).await) {
            // Nobody listens when the client has gone; the delivery is stored all the same.
            let _ = answer.send(outcome);
        }
    }
}

/// A delivery that the database refuses must not take its neighbours along: after a failed group each is tried alone.
async fn record(store: &Store, deliveries: Vec<NewDelivery>) -> Vec<Result<Recorded, WriterError>> {
    let error = match store.record_deliveries(&deliveries).await {
        Ok(outcomes) => return outcomes.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    tracing::error!(error = &error as &dyn std::error::Error, deliveries = deliveries.len(), "a group was not stored");
    let refused = matches!(error, StoreError::Query { source: sqlx::Error::Database(_), .. });
    if !refused || deliveries.len() == 1 {
        return deliveries.iter().map(|_| Err(WriterError::Failed)).collect();
    }
    let mut outcomes = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let outcome = store.record_deliveries(&[delivery]).await;
        outcomes.push(
            outcome.map_err(|_| WriterError::Failed).and_then(|one| one.first().copied().ok_or(WriterError::Failed)),
        );
    }
    outcomes
}
