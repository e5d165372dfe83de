//! People: users, organisations' members, teams.

use serde_json::json;

use crate::sim::call::{Answer, Call, Refusal, Reply, list};
use crate::sim::shape::account;
use crate::sim::state::{Account, Team, World};

/// `GET /users/{login}`
pub(in crate::sim) fn user(world: &mut World, call: &Call) -> Answer {
    let found = world.account(call.param("login")).ok_or_else(Refusal::not_found)?;
    let mut body = account::simple(world, found);
    body["name"] = json!(found.login);
    Ok(Reply::json(200, body))
}

/// `GET /orgs/{org}/members/{login}`
pub(in crate::sim) fn org_member(world: &mut World, call: &Call) -> Answer {
    let org = world.account(call.param("org")).ok_or_else(Refusal::not_found)?.id;
    let user = world.account(call.param("login")).ok_or_else(Refusal::not_found)?.id;
    let member = world.members.contains(&(org, user)) || world.admins.contains(&(org, user));
    if member { Ok(Reply::empty(204)) } else { Err(Refusal::not_found()) }
}

fn team_of<'w>(world: &'w World, call: &Call) -> Result<&'w Team, Refusal> {
    world.team(call.param("org"), call.param("team")).ok_or_else(Refusal::not_found)
}

/// `GET /orgs/{org}/teams/{team}`
pub(in crate::sim) fn team(world: &mut World, call: &Call) -> Answer {
    let team = team_of(world, call)?;
    Ok(Reply::json(200, account::team_full(world, team)))
}

/// `GET /orgs/{org}/teams/{team}/members`: active ones, of child teams too.
pub(in crate::sim) fn team_members(world: &mut World, call: &Call) -> Answer {
    let team = team_of(world, call)?.id;
    let active = |account: &&Account| world.membership(team, account.id) == Some(true);
    let members: Vec<&Account> = world.accounts.values().filter(active).collect();
    Ok(list(call, &world.url, &members, |member| account::simple(world, member)))
}

/// `GET /orgs/{org}/teams/{team}/memberships/{login}`
pub(in crate::sim) fn team_membership(world: &mut World, call: &Call) -> Answer {
    let team = team_of(world, call)?;
    let user = world.account(call.param("login")).ok_or_else(Refusal::not_found)?;
    let active = world.membership(team.id, user.id).ok_or_else(Refusal::not_found)?;
    let url = format!("{}/organizations/{}/team/{}/memberships/{}", world.url, team.org, team.id, user.login);
    let state = if active { "active" } else { "pending" };
    Ok(Reply::json(200, json!({"url": url, "role": "member", "state": state})))
}
