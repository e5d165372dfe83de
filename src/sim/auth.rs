//! Who calls and what they may: JWTs of the app, installation tokens, permissions per route. Knows no handler.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::call::Refusal;
use super::record::Caller;
use super::route::{Access, Level};
use super::state::{Permissions, Repository, Token, World};

const KEY_FILE: &str = include_str!("key.pem");
/// GitHub lets a JWT live ten minutes.
const LONGEST_JWT: u64 = 600;

/// The private half of the fake app's test key pair, in PEM.
pub(super) fn private_key() -> &'static str {
    let from = KEY_FILE.find("-----BEGIN PRIVATE KEY-----").unwrap_or(0);
    &KEY_FILE[from..public_key_at()]
}

fn public_key_at() -> usize {
    KEY_FILE.find("-----BEGIN PUBLIC KEY-----").unwrap_or(KEY_FILE.len())
}

#[derive(Deserialize)]
struct Claims {
    iss: Value,
    iat: Value,
    exp: Value,
}

/// Finds out who calls from the `Authorization` header.
pub(super) fn authenticate(world: &World, header: Option<&str>) -> Result<(Caller, Option<Token>), Refusal> {
    let Some(header) = header else { return Ok((Caller::Anonymous, None)) };
    let (scheme, secret) = header.split_once(' ').ok_or_else(bad_credentials)?;
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
        return Err(bad_credentials());
    }
    if secret.split('.').count() == 3 {
        check_jwt(world, secret)?;
        return Ok((Caller::App, None));
    }
    let token = world.tokens.get(secret).filter(|token| token.expires > world.clock.seconds());
    let token = token.ok_or_else(bad_credentials)?.clone();
    Ok((Caller::Installation(token.installation), Some(token)))
}

fn bad_credentials() -> Refusal {
    Refusal::new(401, "Bad credentials")
}

fn check_jwt(world: &World, jwt: &str) -> Result<(), Refusal> {
    let undecodable = || Refusal::new(401, "A JSON web token could not be decoded");
    let key = DecodingKey::from_rsa_pem(&KEY_FILE.as_bytes()[public_key_at()..]).map_err(|_| undecodable())?;
    let mut validation = Validation::new(Algorithm::RS256);
    // Times are checked below, against the fake's own clock and with GitHub's messages.
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(jwt, &key, &validation).map_err(|_| undecodable())?.claims;
    let issuer = claims.iss.as_str().map_or_else(|| claims.iss.to_string(), str::to_owned);
    if issuer != world.app.id.to_string() {
        return Err(Refusal::new(404, "Integration not found"));
    }
    let now = world.clock.seconds();
    let refuse = |claim: &str, what: &str| Err(Refusal::new(401, &format!("{claim} {what}")));
    let (issued, expires) = ("'Issued at' claim ('iat')", "'Expiration time' claim ('exp')");
    match (claims.iat.as_u64(), claims.exp.as_u64()) {
        (None, _) => refuse(issued, "must be an Integer representing the time that the assertion was issued"),
        (Some(iat), _) if iat > now + 30 => {
            refuse(issued, "must be an Integer representing the time that the assertion was issued")
        }
        (_, None) => {
            refuse(expires, "must be a numeric value representing the future time at which the assertion expires")
        }
        (_, Some(exp)) if exp <= now => {
            refuse(expires, "must be a numeric value representing the future time at which the assertion expires")
        }
        (_, Some(exp)) if exp > now + LONGEST_JWT => refuse(expires, "is too far in the future"),
        _ => Ok(()),
    }
}

/// Whether permissions hold a level of a name.
pub(super) fn grants(permissions: &Permissions, name: &str, level: Level) -> bool {
    let held = permissions.get(name).map(String::as_str);
    matches!((held, level), (Some("write" | "admin"), _) | (Some("read"), Level::Read))
}

/// Whether a token holds a permission; what its installation lost, it lost too.
fn holds(world: &World, token: &Token, name: &str, level: Level) -> bool {
    let installation = world.installations.get(&token.installation);
    let installed = installation.is_some_and(|one| grants(&one.permissions, name, level));
    grants(&token.permissions, name, level) && (installed || token.is_job())
}

/// Holds a call against its route's access; answers with the repository the path names.
pub(super) fn authorize(
    world: &World,
    access: Access,
    caller: Caller,
    token: Option<&Token>,
    params: &[(&str, String)],
) -> Result<u64, Refusal> {
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str());
    let is_suspended = token.and_then(|token| world.installations.get(&token.installation)?.suspended).is_some();
    match (access, caller, token) {
        (Access::Public, ..) => Ok(0),
        _ if is_suspended => Err(Refusal::suspended()),
        (_, Caller::Anonymous, _) => Err(Refusal::new(401, "Requires authentication")),
        (Access::Anyone, ..) | (Access::Installation, _, Some(_)) => Ok(0),
        (Access::App, Caller::App, _) => Ok(world.repo_id(param("owner"), param("repo")).unwrap_or(0)),
        (Access::App, ..) | (_, Caller::App, _) | (_, _, None) => Err(wrong_kind(access)),
        (Access::Repo(any_of), _, Some(token)) => {
            let repo = world.repo_id(param("owner"), param("repo")).and_then(|id| world.repos.get(&id));
            let repo = repo.ok_or_else(Refusal::not_found)?;
            may_use(world, repo, token, any_of)?;
            Ok(repo.id)
        }
        (Access::Members, _, Some(token)) => {
            let installed = world.installations.get(&token.installation).map(|installation| installation.account);
            let org = world.account(param("org")).ok_or_else(Refusal::not_found)?;
            if installed != Some(org.id) {
                return Err(Refusal::not_found());
            }
            if holds(world, token, "members", Level::Read) { Ok(0) } else { Err(Refusal::forbidden()) }
        }
    }
}

fn wrong_kind(access: Access) -> Refusal {
    match access {
        Access::App => Refusal::new(401, "A JSON web token could not be decoded"),
        _ => {
            Refusal::new(403, "You must authenticate with an installation access token in order to use this endpoint.")
        }
    }
}

fn may_use(world: &World, repo: &Repository, token: &Token, any_of: &[(&str, Level)]) -> Result<(), Refusal> {
    let installation = world.installations.get(&token.installation);
    let covered = (token.is_job() || installation.is_some_and(|installation| installation.covers(repo)))
        && token.repos.as_ref().is_none_or(|repos| repos.contains(&repo.id));
    // What is public can be read with any token, which is how a fork's blobs are reached.
    let public_read = !repo.private && any_of.iter().any(|(_, level)| *level == Level::Read);
    match covered {
        true if any_of.iter().any(|(name, level)| holds(world, token, name, *level)) => Ok(()),
        false if public_read => Ok(()),
        true if public_read && token.is_job() => Ok(()),
        false if repo.private => Err(Refusal::not_found()),
        _ => Err(Refusal::forbidden()),
    }
}
