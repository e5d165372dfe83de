//! What must be known of people who override before it can be decided whether that counts. Knows no rule itself.

use futures::future::try_join_all;

use super::error::GithubError;
use super::repository::Repository;
use crate::domain::ids::{TeamSlug, UserId};
use crate::domain::policy::facts::{Person, PullFacts};
use crate::domain::policy::{Policy, memberships_needed, overriders};

impl Repository {
    /// Looks up the permissions and memberships of whoever overrides, as they are now.
    ///
    /// # Errors
    /// Whatever a call can meet, except that a team cannot be read, which is a fact.
    pub async fn look_up_overriders(&self, facts: &mut PullFacts, policy: &Policy) -> Result<(), GithubError> {
        let people: Vec<Person> = overriders(facts).into_iter().cloned().collect();
        let found = try_join_all(people.iter().map(|person| self.permission_of(person))).await?;
        facts.permissions.extend(people.iter().zip(found).map(|(person, found)| (person.id.0, found.role)));
        let is_known =
            |team: &TeamSlug, id: UserId| facts.memberships.iter().any(|(of, who, _)| of == team && *who == id);
        let mut needed = memberships_needed(policy, facts);
        needed.retain(|(team, person)| !is_known(team, person.id));
        let found = self.memberships_of(needed).await?;
        facts.memberships.extend(found);
        Ok(())
    }
}
