//! Who is named in person by a policy: their logins can change hands. Knows no pull request.

use std::collections::BTreeSet;

use super::{Policy, Principal, Source};
use crate::domain::ids::Login;

/// Every login that the rules or the override name, by itself or through a role.
#[must_use]
pub fn named_in_person(policy: &Policy) -> BTreeSet<Login> {
    let quorums = policy.rules.iter().flat_map(|rule| rule.require.quorums()).chain(&policy.overriders);
    let mut named = BTreeSet::new();
    for source in quorums.flat_map(|quorum| &quorum.from) {
        let principals = match source {
            Source::Principal(principal) => std::slice::from_ref(principal),
            Source::Role { members, .. } => members,
            Source::Owner | Source::CodeOwners | Source::Permission(_) => &[],
        };
        named.extend(principals.iter().filter_map(|principal| match principal {
            Principal::User(login) => Some(login.clone()),
            Principal::Team(_) => None,
        }));
    }
    named
}
