//! Whose a login was when somebody whom settings name in person first counted, kept per base branch. Decides nothing.

use std::collections::BTreeSet;

use super::job::JobError;
use super::pull::Governed;
use super::service::Service;
use crate::domain::ids::{Login, UserId};
use crate::domain::policy::decision::Decision;
use crate::domain::policy::facts::{Person, PullFacts};
use crate::domain::policy::named_in_person;
use crate::store::Store;

/// Whose the logins are that the settings of the base branch name in person, as far as they have counted before.
///
/// # Errors
/// When the store fails.
pub async fn of(store: &Store, governed: &Governed) -> Result<Vec<(Login, UserId)>, JobError> {
    let named = named_in_person(&governed.control.settings.policy);
    let mut pins = remembered(store, governed).await?;
    pins.retain(|(login, _)| named.contains(login));
    Ok(pins)
}

async fn remembered(store: &Store, governed: &Governed) -> Result<Vec<(Login, UserId)>, JobError> {
    let base = &governed.snapshot.pull.base_branch;
    Ok(store.pins(governed.repository.id(), base).await?)
}

/// Remembers whose the logins are that counted now, and forgets those that the settings no longer name.
///
/// # Errors
/// When the store fails.
pub async fn keep(
    service: &Service,
    governed: &Governed,
    facts: &PullFacts,
    decision: &Decision,
) -> Result<(), JobError> {
    let named = named_in_person(&governed.control.settings.policy);
    let known: BTreeSet<Login> =
        remembered(&service.store, governed).await?.into_iter().map(|(login, _)| login).collect();
    let counted: BTreeSet<&Login> = decision.rules.iter().flat_map(|rule| &rule.counted).collect();
    let reviewers = facts.reviews.iter().filter_map(|review| review.by.as_ref());
    let counts = |person: &&Person| counted.contains(&person.login);
    let overriders = facts.overrides.iter().map(|asked| &asked.by);
    let people = reviewers.filter(counts).chain(overriders);
    let new: Vec<(Login, UserId)> = people
        .filter(|person| named.contains(&person.login) && !known.contains(&person.login))
        .map(|person| (person.login.clone(), person.id))
        .collect();
    let gone: Vec<Login> = known.into_iter().filter(|login| !named.contains(login)).collect();
    if new.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let base = (facts.repo_id, &facts.base_branch);
    Ok(service.store.update_pins(base, &new, &gone, service.clock.now_ms()).await?)
}
