//! The table of routes: method, pattern, who may call, handler. Knows the handlers by name only.

use super::api::{app, app_manifest, checks, comments, contents, git, graphql, orgs, pulls, repos, rules, statuses};
use super::call::{Answer, Call};
use super::state::World;

/// Who may call a route.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access {
    /// Everybody, with or without credentials.
    Public,
    /// Any valid caller.
    Anyone,
    /// The app, by JWT.
    App,
    /// Any installation token.
    Installation,
    /// A token that sees the repository and holds one of these permissions.
    Repo(&'static [(&'static str, Level)]),
    /// A token of the organisation's installation with the members permission.
    Members,
}

/// How much of a permission is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Read,
    Write,
}

/// One route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) pattern: &'static str,
    pub(super) access: Access,
    pub(super) run: fn(&mut World, &Call) -> Answer,
}

const fn route(
    method: &'static str,
    pattern: &'static str,
    access: Access,
    run: fn(&mut World, &Call) -> Answer,
) -> Route {
    Route { method, pattern, access, run }
}

use Access::{Anyone, App, Installation, Members, Public, Repo};
use Level::{Read, Write};

const METADATA: Access = Repo(&[("metadata", Read)]);
const ADMINISTRATION: Access = Repo(&[("administration", Read)]);
const CONTENTS: Access = Repo(&[("contents", Read)]);
const PULLS: Access = Repo(&[("pull_requests", Read)]);
const CHECKS: Access = Repo(&[("checks", Read)]);
const CHECKS_WRITE: Access = Repo(&[("checks", Write)]);
const TALK: Access = Repo(&[("issues", Read), ("pull_requests", Read)]);
const TALK_WRITE: Access = Repo(&[("issues", Write), ("pull_requests", Write)]);

/// All routes; the first that matches is taken.
pub(super) const ROUTES: &[Route] = &[
    route("GET", "/", Anyone, app::root),
    route("GET", "/app", App, app::app),
    route("POST", "/settings/apps/new", Public, app_manifest::create),
    route("POST", "/organizations/{org}/settings/apps/new", Public, app_manifest::create),
    route("POST", "/app-manifests/{code}/conversions", Public, app_manifest::convert),
    route("GET", "/app/installations", App, app::installations),
    route("POST", "/app/installations/{id}/access_tokens", App, app::create_token),
    route("GET", "/app/hook/config", App, app::hook_config),
    route("GET", "/app/hook/deliveries", App, app::deliveries),
    route("POST", "/app/hook/deliveries/{id}/attempts", App, app::redeliver),
    route("GET", "/installation/repositories", Installation, app::installation_repositories),
    route("GET", "/rate_limit", Anyone, app::rate_limit),
    route("POST", "/graphql", Anyone, graphql::query),
    route("GET", "/users/{login}", Anyone, orgs::user),
    route("GET", "/orgs/{org}/members/{login}", Members, orgs::org_member),
    route("GET", "/orgs/{org}/teams/{team}", Members, orgs::team),
    route("GET", "/orgs/{org}/teams/{team}/members", Members, orgs::team_members),
    route("GET", "/orgs/{org}/teams/{team}/memberships/{login}", Members, orgs::team_membership),
    route("GET", "/repos/{owner}/{repo}", METADATA, repos::get),
    route("GET", "/repos/{owner}/{repo}/installation", App, repos::installation),
    route(
        "GET",
        "/repos/{owner}/{repo}/branches/{branch*}/protection/required_status_checks",
        ADMINISTRATION,
        rules::protection,
    ),
    route(
        "GET",
        "/repos/{owner}/{repo}/branches/{branch*}/protection/enforce_admins",
        ADMINISTRATION,
        rules::enforce_admins,
    ),
    route("GET", "/repos/{owner}/{repo}/branches/{branch*}", CONTENTS, repos::branch),
    route("GET", "/repos/{owner}/{repo}/rules/branches/{branch*}", METADATA, rules::of_branch),
    route("GET", "/repos/{owner}/{repo}/rulesets/{id}", METADATA, rules::ruleset),
    route("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", METADATA, repos::permission),
    route("GET", "/repos/{owner}/{repo}/contents", CONTENTS, contents::get),
    route("GET", "/repos/{owner}/{repo}/contents/{path*}", CONTENTS, contents::get),
    route("GET", "/repos/{owner}/{repo}/git/blobs/{sha}", CONTENTS, git::blob),
    route("GET", "/repos/{owner}/{repo}/git/trees/{sha*}", CONTENTS, git::tree),
    route("GET", "/repos/{owner}/{repo}/git/commits/{sha}", CONTENTS, git::git_commit),
    route("GET", "/repos/{owner}/{repo}/git/ref/{ref*}", CONTENTS, git::git_ref),
    route("GET", "/repos/{owner}/{repo}/compare/{basehead*}", CONTENTS, git::compare),
    route("GET", "/repos/{owner}/{repo}/commits", CONTENTS, git::commits),
    route("GET", "/repos/{owner}/{repo}/commits/{ref*}/check-runs", CHECKS, checks::list_for_ref),
    route("GET", "/repos/{owner}/{repo}/commits/{ref*}/status", Repo(&[("statuses", Read)]), statuses::combined),
    route("GET", "/repos/{owner}/{repo}/commits/{sha}/pulls", PULLS, pulls::of_commit),
    route("GET", "/repos/{owner}/{repo}/commits/{ref*}", CONTENTS, git::commit),
    route("POST", "/repos/{owner}/{repo}/statuses/{sha}", Repo(&[("statuses", Write)]), statuses::create),
    route("POST", "/repos/{owner}/{repo}/check-runs", CHECKS_WRITE, checks::create),
    route("GET", "/repos/{owner}/{repo}/check-runs/{id}", CHECKS, checks::get),
    route("PATCH", "/repos/{owner}/{repo}/check-runs/{id}", CHECKS_WRITE, checks::update),
    route("GET", "/repos/{owner}/{repo}/check-runs/{id}/annotations", CHECKS, checks::annotations),
    route("GET", "/repos/{owner}/{repo}/pulls", PULLS, pulls::list),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}", PULLS, pulls::get),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}/files", PULLS, pulls::files),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}/commits", PULLS, pulls::commits),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}/reviews", PULLS, pulls::reviews),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}/requested_reviewers", PULLS, pulls::requested_reviewers),
    route("GET", "/repos/{owner}/{repo}/issues/{number}/comments", TALK, comments::list),
    route("POST", "/repos/{owner}/{repo}/issues/{number}/comments", TALK_WRITE, comments::create),
    route("GET", "/repos/{owner}/{repo}/issues/comments/{id}", TALK, comments::get),
    route("PATCH", "/repos/{owner}/{repo}/issues/comments/{id}", TALK_WRITE, comments::update),
    route("POST", "/repos/{owner}/{repo}/issues/comments/{id}/reactions", TALK_WRITE, comments::react),
];

/// The route of a request with the parts of its path.
pub(super) fn find(method: &str, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    let routes = ROUTES.iter().filter(|route| route.method == method);
    routes.filter_map(|route| Some((route, matches(route.pattern, path)?))).next()
}

/// The parts of a path a pattern names: `{x}` is one segment, `{x*}` one or more.
pub(super) fn matches<'p>(pattern: &'p str, path: &str) -> Option<Vec<(&'p str, String)>> {
    let wanted: Vec<&str> = pattern.split('/').collect();
    let given: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let given = if given == [""] { vec!["", ""] } else { given };
    let wide = wanted.iter().position(|part| part.ends_with("*}"));
    let extra = given.len().checked_sub(wanted.len()).filter(|extra| *extra == 0 || wide.is_some())?;
    let mut rest = given.as_slice();
    let mut params = Vec::new();
    for (at, part) in wanted.iter().enumerate() {
        let take = if Some(at) == wide { 1 + extra } else { 1 };
        let (here, after) = rest.split_at_checked(take)?;
        rest = after;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => params.push((name.trim_end_matches('*'), decode(&here.join("/")))),
            None if here == [*part] => {}
            None => return None,
        }
    }
    Some(params)
}

/// Undoes percent-encoding; bytes that are not UTF-8 are replaced.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        match escaped {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Option<(&str, &[&str])>) {
        let found = find(method, path);
        let found = found
            .as_ref()
            .map(|(route, params)| (route.pattern, params.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>()));
        assert_eq!(found, expected.map(|(pattern, params)| (pattern, params.to_vec())));
    }

    #[test]
    fn paths_find_their_route() {
        check("GET", "/", Some(("/", &[])));
        check("GET", "/repos/a/b", Some(("/repos/{owner}/{repo}", &["a", "b"])));
        check("GET", "/repos/a/b/commits/heads/x/check-runs", {
            Some(("/repos/{owner}/{repo}/commits/{ref*}/check-runs", &["a", "b", "heads/x"]))
        });
        check("GET", "/repos/a/b/branches/feat%2Fone", {
            Some(("/repos/{owner}/{repo}/branches/{branch*}", &["a", "b", "feat/one"]))
        });
        check("GET", "/repos/a/b/contents/p/q%20r.yml", {
            Some(("/repos/{owner}/{repo}/contents/{path*}", &["a", "b", "p/q r.yml"]))
        });
        check("DELETE", "/repos/a/b", None);
        check("GET", "/nowhere", None);
    }
}
