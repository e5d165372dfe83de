//! Globs over paths and branch names, compiled once. Knows no repository and no rule.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use unicode_normalization::UnicodeNormalization;

use super::ids::{BranchName, PromptPath};

/// A glob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid glob `{pattern}`: {reason}")]
pub struct InvalidPattern {
    /// As it was written.
    pub pattern: String,
    /// Why.
    pub reason: String,
}

/// Globs: `*` stays within a folder, `**` crosses folders, a trailing `/` means all that is inside. Two are equal if they were
/// written the same.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    texts: Vec<String>,
    set: GlobSet,
    /// What each glob's matches begin with; sorted, and none of them begins with another.
    prefixes: Vec<String>,
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}
impl Eq for Patterns {}

impl Patterns {
    /// Reads globs over folded paths.
    ///
    /// # Errors
    /// The first that is no glob.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, InvalidPattern> {
        Self::compile(patterns, |pattern| pattern.nfkc().collect::<String>().to_lowercase())
    }

    /// Reads globs over branch names, whose case counts, as it does for Git.
    ///
    /// # Errors
    /// The first that is no glob.
    pub fn of_branches<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, InvalidPattern> {
        Self::compile(patterns, str::to_owned)
    }

    fn compile<'p>(
        patterns: impl IntoIterator<Item = &'p str>,
        form: impl Fn(&str) -> String,
    ) -> Result<Self, InvalidPattern> {
        let mut builder = GlobSetBuilder::new();
        let (mut texts, mut prefixes) = (Vec::new(), Vec::new());
        for pattern in patterns {
            let invalid = |reason: String| InvalidPattern { pattern: pattern.to_owned(), reason };
            let formed = form(pattern);
            let formed = formed.strip_prefix("./").unwrap_or(&formed);
            let formed = formed.strip_prefix('/').unwrap_or(formed);
            if formed.is_empty() {
                return Err(invalid("it is empty".to_owned()));
            }
            let formed = if formed.ends_with('/') { format!("{formed}**") } else { formed.to_owned() };
            let glob = GlobBuilder::new(&formed).literal_separator(true).build();
            builder.add(glob.map_err(|error| invalid(error.kind().to_string()))?);
            texts.push(pattern.to_owned());
            prefixes.push(formed.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default().to_owned());
        }
        let set = builder.build().map_err(|error| InvalidPattern {
            pattern: texts.last().cloned().unwrap_or_default(),
            reason: error.kind().to_string(),
        })?;
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
        Ok(Self { texts, set, prefixes })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// As they were written.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether any of the globs matches.
    #[must_use]
    pub fn matches(&self, path: &PromptPath) -> bool {
        self.set.is_match(path.folded())
    }

    /// Whether any of the globs matches a branch.
    #[must_use]
    pub fn matches_branch(&self, branch: &BranchName) -> bool {
        self.set.is_match(branch.as_str())
    }

    /// Whether any of the globs matches any of the paths: only those are looked at that begin as some glob does.
    #[must_use]
    pub fn match_any(&self, paths: &FoldedPaths) -> bool {
        self.prefixes.iter().any(|prefix| {
            let from = paths.0.partition_point(|path| path.as_str() < prefix.as_str());
            let near = paths.0.get(from..).unwrap_or_default().iter();
            near.take_while(|path| path.starts_with(prefix.as_str())).any(|path| self.set.is_match(path))
        })
    }
}

/// Many paths in the form in which globs see them, sorted.
#[derive(Debug, Clone, Default)]
pub struct FoldedPaths(Vec<String>);

impl FoldedPaths {
    /// Folds and sorts.
    #[must_use]
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p PromptPath>) -> Self {
        let mut folded: Vec<String> = paths.into_iter().map(PromptPath::folded).collect();
        folded.sort_unstable();
        folded.dedup();
        Self(folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> PromptPath {
        PromptPath::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_that_is_no_glob_is_named() {
        let error = Patterns::new(["ok/**", "bad/{a"]).unwrap_err();
        assert_eq!(error.pattern, "bad/{a");
        assert!(Patterns::new([""]).is_err());
        assert!(!Patterns::new([]).unwrap().matches(&path("a")));
    }

    #[test]
    fn a_folder_is_meant_however_it_is_spelt() {
        for pattern in
            ["prompts/legal/**", "prompts/legal/", "./prompts/legal/**", "/prompts/legal/**", "Prompts/LEGAL/**"]
        {
            let patterns = Patterns::new([pattern]).unwrap();
            assert!(patterns.matches(&path("prompts/legal/a.prompt.yml")), "{pattern}");
            assert!(!patterns.matches(&path("prompts/a.prompt.yml")), "{pattern}");
        }
    }

    #[test]
    fn the_case_of_a_branch_counts_and_a_star_stays_within_a_folder() {
        let check = |pattern: &str, branch: &str, expected: bool| {
            let patterns = Patterns::of_branches([pattern]).unwrap();
            assert_eq!(patterns.matches_branch(&BranchName::parse(branch).unwrap()), expected, "{pattern} {branch}");
        };
        check("main", "main", true);
        check("main", "Main", false);
        check("release/*", "release/1.0", true);
        check("release/*", "release/1.0/hotfix", false);
        check("release/**", "release/1.0/hotfix", true);
    }

    proptest! {
        #[test]
        fn looking_only_at_what_begins_alike_finds_the_same(
            globs in prop::collection::vec("[ab/*?{},\\[\\]]{1,6}", 1..4),
            paths in prop::collection::vec("[abAB]{1,2}(/[ab]{1,2}){0,2}", 0..6),
        ) {
            let Ok(patterns) = Patterns::new(globs.iter().map(String::as_str)) else { return Ok(()) };
            let paths: Vec<PromptPath> = paths.iter().map(|text| path(text)).collect();
            let expected = paths.iter().any(|path| patterns.matches(path));
            prop_assert_eq!(patterns.match_any(&FoldedPaths::new(&paths)), expected, "{:?} {:?}", globs, paths);
        }
    }
}
