//! The app's credentials: the signed token of the app itself, and what an installation token may do. Sends nothing.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::ids::RepoId;

/// Claims of the app's own token.
#[derive(Serialize)]
struct Claims {
    iat: i64,
    exp: i64,
    iss: String,
}

/// The app's own token. Backdated for clocks that differ, and shorter than GitHub's limit of ten minutes.
pub(super) fn app_token(app_id: u64, key: &EncodingKey, now_ms: i64) -> Result<String, jsonwebtoken::errors::Error> {
    let now = now_ms.div_euclid(1000);
    let claims = Claims { iat: now - 60, exp: now + 8 * 60, iss: app_id.to_string() };
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, key)
}

/// What an installation token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// The gate's work on one repository.
    Gate(RepoId),
    /// Reading files of a repository that is known by name only.
    Contents(String),
    /// Looking at what is open in all repositories.
    Survey,
    /// Reading how a branch of this repository is protected. The app does not ask for it: an operator may grant it.
    Protection(String),
}

impl Scope {
    /// The body that asks for such a token. Membership of teams is optional: not every account has teams.
    pub fn body(&self, with_members: bool) -> Value {
        match self {
            Self::Gate(repo) => {
                let mut permissions = json!({
                    "metadata": "read", "contents": "read", "pull_requests": "write", "checks": "write",
                });
                if with_members {
                    permissions["members"] = "read".into();
                }
                json!({ "repository_ids": [repo.0], "permissions": permissions })
            }
            Self::Contents(name) => {
                json!({ "repositories": [name], "permissions": { "metadata": "read", "contents": "read" } })
            }
            Self::Protection(name) => {
                json!({ "repositories": [name], "permissions": { "metadata": "read", "administration": "read" } })
            }
            Self::Survey => {
                json!({ "permissions": { "metadata": "read", "contents": "read", "pull_requests": "read" } })
            }
        }
    }
}

/// Milliseconds since the Unix epoch of GitHub's `2026-11-24T06:30:00Z`; `None` for any other form.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let date = numbers(date, '-')?;
    let time = numbers(time.split('.').next()?, ':')?;
    let ([year, month, day], [hour, minute, second]) = (date, time);
    // Days of the civil calendar, counted from 1 March so that leap days come last (Hinnant, "days_from_civil").
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let parts: Vec<i64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_github_are_read() {
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_time("2026-11-24T06:30:00Z"), Some(1_795_501_800_000));
        assert_eq!(parse_time("2024-02-29T23:59:59.123Z"), Some(1_709_251_199_000));
        assert_eq!(parse_time("soon"), None);
    }

    #[test]
    fn a_token_is_narrowed_to_one_repository_and_the_steps_of_the_gate() {
        let body = Scope::Gate(RepoId(7)).body(true);
        assert_eq!(body["repository_ids"], json!([7]));
        assert_eq!(body["permissions"]["contents"], "read");
        assert_eq!(body["permissions"]["members"], "read");
        assert_eq!(Scope::Gate(RepoId(7)).body(false)["permissions"].get("members"), None);
    }
}
