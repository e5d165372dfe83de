//! Paths inside a repository: relative, without a way out. Knows no file system.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{InvalidId, as_text};

/// A file's path inside its repository: relative, `/`-separated, without `.` and `..` parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PromptPath(Arc<str>);

impl PromptPath {
    /// Parses a path; `./` at the front is dropped.
    ///
    /// # Errors
    /// When the path is absolute, empty, leaves the repository, or has control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let path = text.strip_prefix("./").unwrap_or(text);
        let valid = !path.is_empty()
            && path.len() <= 4096
            && !path.contains('\\')
            && !path.chars().any(char::is_control)
            && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if valid {
            Ok(Self(path.into()))
        } else {
            Err(InvalidId::new("path", text, "give a path inside the repository, relative to its root"))
        }
    }

    /// The path a file names relative to itself, with `..` resolved inside the repository.
    ///
    /// # Errors
    /// When the target lies outside the repository.
    pub fn sibling(&self, relative: &str) -> Result<Self, InvalidId> {
        let outside = || InvalidId::new("path", relative, "it must stay inside the repository");
        let mut parts: Vec<&str> = self.0.split('/').collect();
        parts.pop();
        for part in relative.split('/') {
            match part {
                "." => {}
                ".." => {
                    parts.pop().ok_or_else(outside)?;
                }
                other => parts.push(other),
            }
        }
        Self::parse(&parts.join("/"))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The form in which governed paths are compared: Unicode-normalised, lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        // Plain ASCII has one form: thousands of paths are compared for a decision.
        if self.0.is_ascii() {
            return self.0.to_ascii_lowercase();
        }
        self.0.nfkc().collect::<String>().to_lowercase()
    }
}

impl fmt::Display for PromptPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(PromptPath, |path| path.0.as_ref().to_owned());

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PromptPath {
        PromptPath::parse(text).unwrap()
    }

    #[test]
    fn a_path_stays_inside_the_repository() {
        assert_eq!(path("./a/b.prompt.yml").as_str(), "a/b.prompt.yml");
        for text in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "a\\b", "a\0b", "a/"] {
            assert!(PromptPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_file_names_another_relative_to_itself() {
        let prompt = path("prompts/legal/a.prompt.yml");
        let check = |relative, expected| assert_eq!(prompt.sibling(relative).unwrap(), path(expected));
        check("a.golden.yml", "prompts/legal/a.golden.yml");
        check("../shared/./set.csv", "prompts/shared/set.csv");
        assert!(prompt.sibling("../../../x").is_err());
        assert!(prompt.sibling("/etc/passwd").is_err());
    }

    #[test]
    fn folding_meets_what_a_case_blind_file_system_confuses() {
        assert_eq!(path("Prompts/Ａ.PROMPT.yml").folded(), "prompts/a.prompt.yml");
        assert_eq!(path("e\u{301}.yml").folded(), path("É.yml").folded());
    }
}
