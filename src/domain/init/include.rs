//! Globs for the files that were found, as few as say it. Knows no settings.

use std::collections::BTreeMap;

use crate::domain::governed::Patterns;
use crate::domain::ids::PromptPath;
use crate::domain::prompt::ENDINGS;

/// More globs than these are a list of files: then every file in a known format is governed.
const MOST: usize = 8;

/// Globs that match all of the paths, or none where that takes too many of them.
pub(super) fn globs(paths: &[&PromptPath]) -> Vec<String> {
    let mut tops: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut globs: Vec<String> = Vec::new();
    for path in paths {
        match path.as_str().split_once('/') {
            Some((top, _)) => tops.entry(top).or_default().push(path.as_str()),
            None => globs.push(of_root(path)),
        }
    }
    globs.extend(tops.values().map(|files| format!("{}/**", escape(&common_folder(files)))));
    globs.sort();
    globs.dedup();
    let fits = Patterns::new(globs.iter().map(String::as_str))
        .is_ok_and(|patterns| paths.iter().all(|path| patterns.matches(path)));
    if fits && globs.len() <= MOST { globs } else { Vec::new() }
}

/// A file at the top is told by its ending: its neighbours are not prompts.
fn of_root(path: &PromptPath) -> String {
    let folded = path.folded();
    match ENDINGS.iter().find(|(ending, _)| folded.ends_with(ending)) {
        Some((ending, _)) => format!("*{ending}"),
        None => escape(path.as_str()),
    }
}

/// The deepest folder that holds all the files.
fn common_folder(files: &[&str]) -> String {
    let folders = |file: &str| -> Vec<String> {
        let mut parts: Vec<String> = file.split('/').map(str::to_owned).collect();
        parts.pop();
        parts
    };
    let mut files = files.iter().map(|file| folders(file));
    let first = files.next().unwrap_or_default();
    let common = files.fold(first, |common, other| {
        common.into_iter().zip(other).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    });
    common.join("/")
}

/// A name in which no character means anything to a glob.
fn escape(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len()), |mut out, c| {
        match c {
            '*' | '?' | '[' | '{' | '}' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(paths: &[&str], expected: &[&str]) {
        let paths: Vec<PromptPath> = paths.iter().map(|path| PromptPath::parse(path).unwrap()).collect();
        assert_eq!(globs(&paths.iter().collect::<Vec<_>>()), expected, "{paths:?}");
    }

    #[test]
    fn the_deepest_folders_are_named() {
        check(&["prompts/a.prompt.yml", "prompts/b/c.prompty"], &["prompts/**"]);
        check(&["src/app/prompts/a.prompt", "src/app/prompts/b.prompt"], &["src/app/prompts/**"]);
        check(&["src/a/x.prompt", "src/b/x.prompt"], &["src/**"]);
        check(&["a/x.prompt", "b/x.prompt"], &["a/**", "b/**"]);
    }

    #[test]
    fn at_the_top_files_are_told_by_their_endings() {
        check(&["A.prompt.yml", "b.prompt.yml", "promptfooconfig.yaml"], &["*.prompt.yml", "promptfooconfig.yaml"]);
    }

    #[test]
    fn odd_names_are_escaped_and_many_folders_are_no_list() {
        check(&["app/[id]/{x}/a.prompt.yml"], &["app/[[]id]/[{]x[}]/**"]);
        check(&["a/x", "b/x", "c/x", "d/x", "e/x", "f/x", "g/x", "h/x", "i/x"], &[]);
        check(&[], &[]);
    }

    proptest! {
        #[test]
        fn what_was_found_is_matched(paths in prop::collection::vec("[a-cÄ{}\\[\\]*?!, ]{1,3}(/[a-c{}\\[\\]!^-]{1,3}){0,3}", 1..5)) {
            let paths: Vec<PromptPath> = paths.iter().filter_map(|path| PromptPath::parse(path).ok()).collect();
            let globs = globs(&paths.iter().collect::<Vec<_>>());
            prop_assert!(!globs.is_empty() || paths.is_empty(), "{:?}", paths);
        }
    }
}
