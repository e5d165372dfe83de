//! The facts of the model providers that are needed: set up or not, and what they answer. Sends no prompt.

use std::collections::BTreeMap;

use crate::domain::doctor::Trouble;
use crate::domain::doctor::providers::{Asked, ProviderSeen, listed};
use crate::domain::ids::ModelId;
use crate::engine::provider::ProviderError;
use crate::provider::{Listing, Registry};

/// Looks at the providers of these models; with `online` each is asked once which models it has, which costs nothing.
pub async fn gather(models: &[ModelId], registry: &Registry, online: bool) -> Vec<ProviderSeen> {
    let mut by_provider: BTreeMap<&str, Vec<&ModelId>> = BTreeMap::new();
    for model in models {
        by_provider.entry(model.provider()).or_default().push(model);
    }
    let look = by_provider.into_iter().filter_map(|(name, models)| {
        let first = *models.first()?;
        Some(async move {
            let missing = registry.check(first).err();
            let asked = if online && missing.is_none() { ask(registry, first).await } else { Asked::No };
            let models = models.into_iter().map(ToString::to_string).collect();
            ProviderSeen { name: name.to_owned(), models, missing, asked }
        })
    });
    futures::future::join_all(look).await
}

async fn ask(registry: &Registry, model: &ModelId) -> Asked {
    match registry.listing(model).await {
        Ok(Listing::Models(models)) => Asked::Accepts(listed(models)),
        Ok(Listing::None) => Asked::NotForFree(format!(
            "{} does not list its models, so its key stays untried; `promptops eval` on one prompt tries it",
            model.provider()
        )),
        Err(ProviderError::Retry { message, .. }) => Asked::Failed(Trouble { message, is_world: true }),
        Err(ProviderError::GiveUp { message } | ProviderError::Fatal { message }) => {
            Asked::Failed(Trouble { message, is_world: false })
        }
    }
}
