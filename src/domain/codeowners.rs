//! CODEOWNERS by GitHub's rules: who owns a path. Knows no approval; a line it cannot read is never passed over.

mod glob;

use std::collections::BTreeMap;

use super::ids::PromptPath;
use super::policy::Principal;
use super::policy::facts::{CodeOwnerFacts, OwnedPaths};
use glob::{Glob, Names};

/// Where the file may be; the first that is there counts.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// Most lines that are read.
const MAX_LINES: usize = 5000;
/// Most problems that are named.
const MAX_PROBLEMS: usize = 20;

/// A line that is no comment.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    number: usize,
    /// `None`: nobody can say which paths it matches, so it may match any.
    glob: Option<Glob>,
    /// None at all where the line takes owners away; what is wrong where one of them is nobody to ask.
    owners: Result<Vec<Principal>, String>,
}

/// What a file says of changed paths: who owns each, and what keeps that from being known.
#[must_use]
pub fn facts<'p>(file: &PromptPath, bytes: &[u8], paths: impl IntoIterator<Item = &'p PromptPath>) -> CodeOwnerFacts {
    let mut found = CodeOwnerFacts { file: Some(file.clone()), ..CodeOwnerFacts::default() };
    let Ok(text) = std::str::from_utf8(bytes) else {
        found.problems.push(format!("{file} on the base branch is not in UTF-8: save it as UTF-8 there"));
        return found;
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.lines().count() > MAX_LINES {
        found.problems.push(format!("{file} on the base branch has more than {MAX_LINES} lines: use fewer patterns"));
        return found;
    }
    let lines: Vec<Line> = text.lines().enumerate().filter_map(|(place, line)| read(place + 1, line)).collect();
    let mut owned: BTreeMap<&[Principal], Vec<PromptPath>> = BTreeMap::new();
    for path in paths {
        // The last line that matches counts, and one that cannot be read might be that.
        let names = Names::of(path.as_str());
        let last = lines.iter().rev().find(|line| line.glob.as_ref().is_none_or(|glob| glob.matches(&names)));
        match last.map(|line| (line, &line.owners)) {
            None => {}
            Some((_, Ok(owners))) if owners.is_empty() => {}
            Some((_, Ok(owners))) => owned.entry(owners).or_default().push(path.clone()),
            Some((line, Err(problem))) => {
                let problem = format!("{file}:{} on the base branch: {problem}", line.number);
                if !found.problems.contains(&problem) && found.problems.len() < MAX_PROBLEMS {
                    found.problems.push(problem);
                }
            }
        }
    }
    let owned = owned.into_iter().map(|(owners, paths)| OwnedPaths { owners: owners.to_vec(), paths });
    found.owned = owned.collect();
    found
}

/// A line's pattern and owners; `None` for a blank line and a comment.
fn read(number: usize, line: &str) -> Option<Line> {
    let (pattern, rest) = split(line.trim())?;
    let glob = match Glob::parse(&pattern) {
        Ok(glob) => glob,
        Err(reason) => {
            let problem = format!("`{pattern}` {reason}, so nobody can say whom it means: write another pattern there");
            return Some(Line { number, glob: None, owners: Err(problem) });
        }
    };
    let mut owners = Vec::new();
    for word in rest.split_whitespace() {
        if word.starts_with('#') {
            break;
        }
        match Principal::parse(word) {
            Some(owner) => owners.push(owner),
            None => {
                let problem = match word.contains('@') {
                    true => format!("the owner `{word}` is an e-mail address, which nobody can be asked by"),
                    false => format!("`{word}` is no owner"),
                };
                let problem = format!("{problem}: write @user or @org/team there");
                return Some(Line { number, glob: Some(glob), owners: Err(problem) });
            }
        }
    }
    owners.sort();
    owners.dedup();
    Some(Line { number, glob: Some(glob), owners: Ok(owners) })
}

/// The pattern, up to white space that no backslash stands before, and the rest.
fn split(line: &str) -> Option<(String, &str)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut is_escaped = false;
    for (place, c) in line.char_indices() {
        if c.is_whitespace() && !is_escaped {
            let (pattern, rest) = line.split_at(place);
            return Some((pattern.to_owned(), rest));
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    Some((line.to_owned(), ""))
}

#[cfg(test)]
mod tests;
