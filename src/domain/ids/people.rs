//! People as GitHub names them: logins and teams, compared without regard to case. Knows no membership.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{InvalidId, as_text, is_name_part};

/// A user's login without `@`; compared without regard to case, as GitHub does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login(Arc<str>);

impl Login {
    /// Parses a login; a leading `@` is dropped. Bots end in `[bot]`.
    ///
    /// # Errors
    /// When the text cannot be a GitHub login.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let login = text.strip_prefix('@').unwrap_or(text);
        let stem = login.strip_suffix("[bot]").unwrap_or(login);
        if is_name_part(stem) {
            Ok(Self(login.into()))
        } else {
            Err(InvalidId::new("login", text, "write it as @login"))
        }
    }

    /// The login without `@`, in its own case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for Login {}
impl PartialOrd for Login {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Login {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.0.bytes().map(lower).cmp(other.0.bytes().map(lower))
    }
}
impl std::hash::Hash for Login {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}
impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A team as `org/slug`, written `@org/slug` in settings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TeamSlug {
    org: Arc<str>,
    slug: Arc<str>,
}

impl TeamSlug {
    /// Parses `@org/slug` or `org/slug`; both parts are kept in lower case.
    ///
    /// # Errors
    /// When the text has not exactly two valid parts.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix('@').unwrap_or(text).split_once('/') {
            Some((org, slug)) if is_name_part(org) && is_name_part(slug) => {
                Ok(Self { org: org.to_ascii_lowercase().into(), slug: slug.to_ascii_lowercase().into() })
            }
            _ => Err(InvalidId::new("team", text, "write it as @org/team")),
        }
    }

    /// The organisation.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The team's slug within the organisation.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl fmt::Display for TeamSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}/{}", self.org, self.slug)
    }
}

as_text!(Login, |login| login.0.as_ref().to_owned());
as_text!(TeamSlug, |team| format!("{}/{}", team.org, team.slug));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_the_same_in_any_case() {
        assert_eq!(Login::parse("@Mara").unwrap(), Login::parse("mara").unwrap());
        assert_eq!(Login::parse("@Mara").unwrap().to_string(), "Mara");
        assert!(Login::parse("dependabot[bot]").is_ok());
        for text in ["", "@", "a b", "@acme/team", "[bot]"] {
            assert!(Login::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_team_is_written_with_its_organisation() {
        let team = TeamSlug::parse("@Acme/Prompt-Leads").unwrap();
        assert_eq!(
            (team.org(), team.slug(), team.to_string().as_str()),
            ("acme", "prompt-leads", "@acme/prompt-leads")
        );
        for text in ["@acme", "acme/", "a/b/c"] {
            assert!(TeamSlug::parse(text).is_err(), "{text:?}");
        }
    }
}
