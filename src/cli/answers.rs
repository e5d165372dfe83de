//! Who answers a run, and within which limits: a recording, or the vendors behind the cache of answers. Knows no report.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::exit::CommandError;
use super::show;
use crate::app::cached::{AnswerWriter, Cached};
use crate::config;
use crate::domain::price::Prices;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::limits::Limiter;
use crate::engine::provider::Provider;
use crate::engine::run::RunLimits;
use crate::provider::{ProviderConfig, Recorder, Registry, Replay};
use crate::store::{Retention, Store};

/// Longest single model call.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// Longest run.
const RUN_TIMEOUT: Duration = Duration::from_secs(3_600);
/// Tries per call.
const TRIES: u32 = 5;

/// The limits of a run; those of the vendors hold where they are `spared`.
pub fn limits(
    vendors: &ProviderConfig,
    spared: Option<&ProviderConfig>,
    concurrency: usize,
    max_cost_usd: Option<f64>,
) -> RunLimits {
    let by_name = spared.map_or_else(BTreeMap::new, ProviderConfig::limits_by_name);
    RunLimits {
        concurrency,
        call_timeout: CALL_TIMEOUT,
        run_timeout: RUN_TIMEOUT,
        tries: TRIES,
        max_cost_usd,
        account: None,
        prices: Arc::new(Prices::new(vendors.prices.clone())),
        limiter: Arc::new(Limiter::new(concurrency, by_name)),
        cancel: CancellationToken::new(),
    }
}

/// A recording.
///
/// # Errors
/// When the file is none.
pub fn replay(file: &Path) -> Result<Arc<dyn Provider>, CommandError> {
    let replay = Replay::open(file).map_err(|error| CommandError::Input(error.to_string()))?;
    Ok(Arc::new(replay))
}

/// The vendors, behind the cache of answers unless nothing is to be `cached`, with a recorder in front if asked for.
///
/// # Errors
/// When there is no way to call anybody, or the recording cannot be written.
pub async fn provider(
    vendors: ProviderConfig,
    cached: bool,
    record: Option<&Path>,
) -> Result<(Arc<dyn Provider>, Option<AnswerWriter>), CommandError> {
    let servers = vendors.servers();
    let registry = Registry::new(vendors).map_err(|error| CommandError::World(error.to_string()))?;
    let mut provider: Arc<dyn Provider> = Arc::new(registry);
    let mut writer = None;
    if cached && let Some(store) = answers().await {
        let (cached, task) = Cached::new(provider, servers, store, Arc::new(SystemClock));
        provider = Arc::new(cached);
        writer = Some(task);
    }
    if let Some(file) = record {
        let recorder = Recorder::open(file, provider).map_err(|error| CommandError::Input(error.to_string()))?;
        provider = Arc::new(recorder);
    }
    Ok((provider, writer))
}

/// The cache of answers; a run goes on without it when it cannot be opened.
async fn answers() -> Option<Store> {
    match open_answers().await {
        Ok(store) => {
            // A cache that cannot be tidied still answers.
            if let Err(error) = store.prune(Retention::default(), SystemClock.now_ms()).await {
                show::warning(&format!("old answers were not removed from the cache: {error}"));
            }
            Some(store)
        }
        Err(why) => {
            show::warning(&format!("answers are not cached: {why}"));
            None
        }
    }
}

/// Opens the cache, or says what is in the way and what to do.
async fn open_answers() -> Result<Store, String> {
    const ELSEWHERE: &str = "set PROMPTOPS_CACHE_DIR to a writable folder";
    let folder = config::process().cache_folder().map_err(|error| format!("{error}; {ELSEWHERE}"))?;
    let folder = folder.ok_or_else(|| format!("there is no cache folder; {ELSEWHERE}"))?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}; {ELSEWHERE}", folder.display()))?;
    let file = folder.join("answers.db");
    Store::open(&format!("sqlite://{}", file.display())).await.map_err(|error| {
        // Only the last cause is about this file: the ones before it speak of the service's database.
        let cause = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source()).last();
        let cause = cause.map_or_else(String::new, ToString::to_string);
        format!("`{}` cannot be used ({cause}); delete it, {ELSEWHERE}, or run with --no-cache", file.display())
    })
}
