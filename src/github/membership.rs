//! Who is in a team, where "no" and "cannot be seen" are told apart. Knows no rule.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::answer::part;
use super::error::GithubError;
use super::repository::Repository;
use super::wire;
use crate::domain::ids::{Login, TeamSlug, UserId};
use crate::domain::policy::facts::{Membership, Person};

/// Which teams are known to be there and to be seen, and which not: each is asked for once.
#[derive(Debug, Default)]
pub struct Teams(BTreeMap<TeamSlug, bool>);

impl Teams {
    /// Those that do not exist or cannot be seen.
    #[must_use]
    pub fn unreadable(&self) -> Vec<TeamSlug> {
        self.0.iter().filter(|(_, readable)| !**readable).map(|(team, _)| team.clone()).collect()
    }
}

impl Repository {
    /// The same, of people and teams nobody has asked about yet.
    ///
    /// # Errors
    /// As [`Repository::memberships`].
    pub async fn memberships_of(
        &self,
        of: Vec<(TeamSlug, Person)>,
    ) -> Result<Vec<(TeamSlug, UserId, Membership)>, GithubError> {
        self.memberships(of, BTreeSet::new(), &mut Teams::default()).await
    }

    /// Whether each person is in the team beside them, and whether these teams can be read, which goes to `teams`. A 404 is
    /// "no" only where the team itself can be read; a membership that is found says so as well.
    ///
    /// # Errors
    /// Whatever a call can meet, except that a team cannot be read, which is an answer.
    pub async fn memberships(
        &self,
        of: Vec<(TeamSlug, Person)>,
        mut asked: BTreeSet<TeamSlug>,
        teams: &mut Teams,
    ) -> Result<Vec<(TeamSlug, UserId, Membership)>, GithubError> {
        let found = try_join_all(of.iter().map(|(team, person)| self.membership(team, &person.login))).await?;
        for ((team, _), found) in of.iter().zip(&found) {
            if matches!(found, Some(Membership::Active | Membership::Pending)) {
                teams.0.insert(team.clone(), true);
            }
            asked.insert(team.clone());
        }
        asked.retain(|team| !teams.0.contains_key(team));
        let readable = try_join_all(asked.iter().map(|team| self.can_read(team))).await?;
        teams.0.extend(asked.into_iter().zip(readable));
        let known = of.into_iter().zip(found).map(|((team, person), found)| {
            let is_readable = teams.0.get(&team).copied().unwrap_or(false);
            let unseen = if is_readable { Membership::No } else { Membership::Unreadable };
            (team, person.id, found.unwrap_or(unseen))
        });
        Ok(known.collect())
    }

    /// `None` for a 404: none, or unseen.
    async fn membership(&self, team: &TeamSlug, login: &Login) -> Result<Option<Membership>, GithubError> {
        let route = format!("{}/memberships/{}", team_route(team), part(login.as_str()));
        match self.get::<wire::Membership>(route, format!("the membership of @{login} in {team}")).await {
            Ok(found) if found.state == "active" => Ok(Some(Membership::Active)),
            Ok(_) => Ok(Some(Membership::Pending)),
            Err(GithubError::Forbidden { .. }) => Ok(Some(Membership::Unreadable)),
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn can_read(&self, team: &TeamSlug) -> Result<bool, GithubError> {
        match self.get::<wire::Numbered>(team_route(team), format!("team {team}")).await {
            Ok(_) => Ok(true),
            Err(GithubError::NotFound { .. } | GithubError::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn team_route(team: &TeamSlug) -> String {
    format!("/orgs/{}/teams/{}", part(team.org()), part(team.slug()))
}
