//! The other governed prompts of a repository, read to find near-duplicates. Knows no rule.

use std::collections::BTreeSet;

use futures::stream::{StreamExt, TryStreamExt};

use crate::app::files::{Files, FilesError};
use crate::app::load::{self, LoadError};
use crate::domain::governed::Governed;
use crate::domain::ids::PromptPath;
use crate::domain::lint::near_duplicate::{Index, Shingles};
use crate::domain::lint::{Config, Neighbours, RuleId};
use crate::domain::policy::Change;
use crate::domain::prompt::Format;

/// Prompts read at once.
const AT_ONCE: usize = 8;

/// What was read.
#[derive(Debug, Default)]
pub struct Known {
    index: Option<Index>,
    looked_at: BTreeSet<PromptPath>,
}

impl Known {
    /// For the rules.
    pub fn neighbours(&self) -> Option<Neighbours<'_>> {
        self.index.as_ref().map(|index| Neighbours { index, looked_at: &self.looked_at })
    }
}

/// Reads all governed prompts of a side, at most `most`: beyond, it is said in one sentence that nobody looked.
///
/// # Errors
/// When a file cannot be read now.
pub async fn known(
    files: &Files,
    governed: &Governed,
    looked_at: BTreeSet<PromptPath>,
    config: &Config<'_>,
    most: usize,
) -> Result<(Known, Option<String>), FilesError> {
    if !config.wants(RuleId::NearDuplicate) || looked_at.is_empty() {
        return Ok((Known::default(), None));
    }
    // A promptfoo config holds the same text for several models; it is compared with the others, not they with it.
    let is_prompt = |path: &&PromptPath| {
        governed.classify(path) == Some(Change::Prompt)
            && Format::of(path).is_some_and(|format| format != Format::Promptfoo)
    };
    let prompts: Vec<PromptPath> = files.paths().into_iter().filter(is_prompt).cloned().collect();
    if prompts.len() > most {
        let count = prompts.len();
        let note =
            format!("Near-duplicates were not looked for: {count} prompts are more than the {most} that are read.");
        return Ok((Known::default(), Some(note)));
    }
    let reads = prompts.into_iter().map(|path| shingles(files, path));
    let read: Vec<Option<(PromptPath, Shingles)>> =
        futures::stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok((Known { index: Some(Index::of(read.into_iter().flatten())), looked_at }, None))
}

/// What a prompt says; nothing where it cannot be used, which is said where it is looked at itself.
async fn shingles(files: &Files, path: PromptPath) -> Result<Option<(PromptPath, Shingles)>, FilesError> {
    match load::load_alone(files, &path).await {
        Ok(loaded) => Ok(Some((path, Shingles::of(&loaded.prompt.body.source())))),
        Err(LoadError::Input(_)) => Ok(None),
        Err(LoadError::Files(error)) => Err(error),
    }
}
