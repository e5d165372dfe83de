//! Other files that a prompt file is made of: partials, texts it names. Holds what was found; reads nothing itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::PromptPath;

/// Other files, as a prompt file names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// One file.
    File(PromptPath),
    /// All files that a glob over the repository's paths matches.
    Glob(String),
}

/// A file that was found: where, and what is in it.
pub type Attached = (PromptPath, Arc<[u8]>);

/// What was found for each reference, in the order of the paths; nothing where there is no such file.
#[derive(Debug, Clone, Default)]
pub struct Attachments {
    found: BTreeMap<Reference, Vec<Attached>>,
    unknown: bool,
}

impl Attachments {
    /// Nothing was looked for: what is missing is no error.
    #[must_use]
    pub fn unknown() -> Self {
        Self { found: BTreeMap::new(), unknown: true }
    }

    /// Whether nothing was looked for.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// Keeps what was found for a reference.
    pub fn insert(&mut self, reference: Reference, found: Vec<Attached>) {
        self.found.insert(reference, found);
    }

    /// What was found; `None` if it was not looked for.
    #[must_use]
    pub fn get(&self, reference: &Reference) -> Option<&[Attached]> {
        self.found.get(reference).map(Vec::as_slice)
    }

    /// The content of one file; `None` if there is none, or it was not looked for.
    #[must_use]
    pub fn file(&self, path: &PromptPath) -> Option<&[u8]> {
        let found = self.get(&Reference::File(path.clone()))?;
        found.first().map(|(_, bytes)| &**bytes)
    }

    /// All files found.
    pub fn files(&self) -> impl Iterator<Item = &Attached> {
        self.found.values().flatten()
    }

    /// The paths of all files found.
    pub fn paths(&self) -> impl Iterator<Item = &PromptPath> {
        self.found.values().flatten().map(|(path, _)| path)
    }
}
