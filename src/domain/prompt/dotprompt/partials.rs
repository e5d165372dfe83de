//! The partials of a template: where their files are, which are missing, and that none includes itself. Reads no file.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::handlebars::{self, Partials, Program};
use crate::domain::prompt::{Attachments, Reference};
use crate::domain::source::{MAX_FILE_BYTES, Source};

/// Most partials inside each other.
const MAX_DEPTH: usize = 50;

/// What was found of a template's partials.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) programs: Partials,
    /// Their texts, for the difference between two versions.
    pub(super) texts: BTreeMap<Box<str>, String>,
    /// Files that nobody looked for yet.
    pub(super) wanted: Vec<Reference>,
    /// What is wrong with the partials' own files.
    pub(super) errors: Vec<Diagnostic>,
    /// Partials without a file, and where the template needs them.
    pub(super) missing: Vec<(Box<str>, Location)>,
}

/// Where the file of a partial may be, nearest first: `_name.prompt` in the prompt's folder, else in one above it.
fn candidates(prompt: &PromptPath, name: &str) -> Vec<PromptPath> {
    let (folder, base) = name.rsplit_once('/').map_or(("", name), |(folder, base)| (folder, base));
    let file = if folder.is_empty() { format!("_{base}.prompt") } else { format!("{folder}/_{base}.prompt") };
    let mut around = prompt.as_str();
    let mut found = Vec::new();
    while let Some((above, _)) = around.rsplit_once('/') {
        found.extend(PromptPath::parse(&format!("{above}/{file}")));
        around = above;
    }
    found.extend(PromptPath::parse(&file));
    found
}

/// Looks for all partials of a template and for theirs.
pub(super) fn find(prompt: &PromptPath, program: &Program, attached: &Attachments) -> Found {
    let mut found = Found::default();
    // A partial's partials are told at the place in the template that led to them.
    let mut open: Vec<(Box<str>, Location)> =
        program.includes().into_iter().map(|(name, at)| (name.into(), at)).collect();
    open.reverse();
    let mut seen = BTreeSet::new();
    while let Some((name, at)) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let mut wanted = None;
        let file = candidates(prompt, &name).into_iter().map(Reference::File).find_map(|reference| {
            match attached.get(&reference) {
                _ if wanted.is_some() => None,
                Some(files) => files.first(),
                None => {
                    wanted = Some(reference);
                    None
                }
            }
        });
        match (file, wanted) {
            (_, Some(reference)) => found.wanted.push(reference),
            (None, None) => found.missing.push((name, at)),
            (Some((path, bytes)), None) => match read(path, bytes) {
                Ok((program, text)) => {
                    open.extend(program.includes().into_iter().rev().map(|(name, _)| (name.into(), at)));
                    found.texts.insert(name.clone(), text);
                    found.programs.insert(name, program);
                }
                Err(error) => found.errors.push(*error),
            },
        }
    }
    found
}

/// A partial's file: all of it is template.
fn read(path: &PromptPath, bytes: &[u8]) -> Result<(Program, String), Box<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES)?;
    let program = handlebars::parse(source.text, Location::START)
        .map_err(|error| Box::new(source.error("template-syntax", error.at, error.message).with_help(error.help)))?;
    Ok((program, source.text.to_owned()))
}

/// The partials that lead back to themselves (or go too deep), as a chain, and where the template enters it.
pub(super) fn endless(program: &Program, partials: &Partials) -> Option<(String, Location)> {
    let mut done = BTreeSet::new();
    program.includes().into_iter().find_map(|(name, at)| Some((chain(name, partials, &mut Vec::new(), &mut done)?, at)))
}

fn chain<'p>(
    name: &'p str,
    partials: &'p Partials,
    around: &mut Vec<&'p str>,
    done: &mut BTreeSet<&'p str>,
) -> Option<String> {
    if around.contains(&name) || around.len() >= MAX_DEPTH {
        let start = around.iter().position(|other| *other == name).unwrap_or(0);
        let names: Vec<String> = around[start..].iter().chain([&name]).map(|name| format!("`{name}`")).collect();
        return Some(names.join(" → "));
    }
    if done.contains(name) {
        return None;
    }
    around.push(name);
    let includes = partials.get(name).map(Program::includes).unwrap_or_default();
    let found = includes.into_iter().find_map(|(inner, _)| chain(inner, partials, around, done));
    around.pop();
    done.insert(name);
    found
}
