//! Loads a prompt with its golden set from one side's files. Asks the domain's parsers; decides nothing itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::files::{Content, Files, FilesError};
use crate::domain::diagnostic::{Diagnostic, Location, Parsed};
use crate::domain::golden::{self, GoldenSet};
use crate::domain::governed::{self, GoldenSource};
use crate::domain::ids::PromptPath;
use crate::domain::policy::Change;
use crate::domain::prompt::{self, Attachments, Format, Prompt, Reference};
use crate::domain::promptfoo;
use crate::domain::source::{MAX_FILE_BYTES, MAX_GOLDEN_SET_BYTES, too_large};

/// A prompt as it stands on one side.
#[derive(Debug, Clone)]
pub struct LoadedPrompt {
    /// The prompt.
    pub prompt: Arc<Prompt>,
    /// Its cases; `None` where it has no golden set at all.
    pub golden: Option<GoldenSet>,
    /// Findings that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// The other files that the prompt file is made of.
    pub attached: Vec<PromptPath>,
}

/// Most files that a prompt file may be made of.
const MAX_ATTACHED: usize = 1_000;
/// Most bytes of all of them together.
const MAX_ATTACHED_BYTES: usize = 64 * 1024 * 1024;

/// Why a side could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The files are wrong; each finding says where.
    #[error("{} in the files", .0.len())]
    Input(Vec<Diagnostic>),
    /// The files could not be read now.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Loads the prompts of the file at `path`, each with its golden set.
///
/// # Errors
/// When a file is missing, refused, wrong, or cannot be read.
pub async fn load(files: &Files, path: &PromptPath) -> Result<Vec<LoadedPrompt>, LoadError> {
    let bytes = prompt_bytes(files, path).await?;
    if is_config(path, &bytes) {
        return load_config(files, path, &bytes).await;
    }
    let LoadedPrompt { prompt, mut warnings, attached, .. } = alone(files, path, &bytes).await?;
    let golden = load_golden(files, &prompt, &mut warnings).await?;
    if let Some(set) = &golden {
        let findings = golden::check_variables(&prompt, set);
        if !findings.is_empty() {
            return Err(LoadError::Input(findings));
        }
    }
    Ok(vec![LoadedPrompt { prompt, golden, warnings, attached }])
}

/// Loads the prompt of the file at `path` without its golden set.
///
/// # Errors
/// When a file is missing, refused, wrong, or cannot be read.
pub async fn load_alone(files: &Files, path: &PromptPath) -> Result<LoadedPrompt, LoadError> {
    alone(files, path, &prompt_bytes(files, path).await?).await
}

async fn prompt_bytes(files: &Files, path: &PromptPath) -> Result<Bytes, LoadError> {
    let content = files.read(path, MAX_FILE_BYTES).await?;
    regular(content, path, "prompt file", MAX_FILE_BYTES)
}

async fn alone(files: &Files, path: &PromptPath, bytes: &[u8]) -> Result<LoadedPrompt, LoadError> {
    let attachments = attach(files, path, bytes, &prompt::references).await?;
    let attached = attachments.paths().cloned().collect();
    let parsed = prompt::parse_with(path, bytes, &attachments).map_err(LoadError::Input)?;
    Ok(LoadedPrompt { prompt: Arc::new(parsed.value), golden: None, warnings: parsed.warnings, attached })
}

/// Whether a file is a promptfoo config: by its name, or by its keys where its name says nothing.
fn is_config(path: &PromptPath, bytes: &[u8]) -> bool {
    match Format::of(path) {
        Some(format) => format == Format::Promptfoo,
        None => promptfoo::looks_like(path, bytes),
    }
}

/// The prompts of a promptfoo config, which brings their cases along.
async fn load_config(files: &Files, path: &PromptPath, bytes: &[u8]) -> Result<Vec<LoadedPrompt>, LoadError> {
    let attachments = attach(files, path, bytes, &promptfoo::references).await?;
    let attached: Vec<PromptPath> = attachments.paths().cloned().collect();
    let parsed = promptfoo::parse(path, bytes, &attachments).map_err(LoadError::Input)?;
    let mut warnings = parsed.warnings;
    let mut findings: Vec<Diagnostic> = Vec::new();
    let mut loaded = Vec::with_capacity(parsed.value.len());
    for (prompt, set) in parsed.value {
        for finding in golden::check_variables(&prompt, &set) {
            // The same text on several models lacks the same variable.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        // What was found in the file is said once, not with each of its prompts.
        let (warnings, attached) = (std::mem::take(&mut warnings), attached.clone());
        loaded.push(LoadedPrompt { prompt: Arc::new(prompt), golden: Some(set), warnings, attached });
    }
    if findings.is_empty() { Ok(loaded) } else { Err(LoadError::Input(findings)) }
}

/// What names the files that a file is made of and that are still missing.
type References = dyn Fn(&PromptPath, &[u8], &Attachments) -> Vec<Reference> + Sync;

/// The files that a prompt file is made of, and those that these are made of.
async fn attach(
    files: &Files,
    path: &PromptPath,
    bytes: &[u8],
    references: &References,
) -> Result<Attachments, LoadError> {
    let mut attachments = Attachments::default();
    attach_to(files, path, bytes, references, &mut attachments).await?;
    Ok(attachments)
}

/// The same, into `attachments`: what was found before an error stays.
async fn attach_to(
    files: &Files,
    path: &PromptPath,
    bytes: &[u8],
    references: &References,
    attachments: &mut Attachments,
) -> Result<(), LoadError> {
    let (mut count, mut size) = (0, 0);
    loop {
        let missing = references(path, bytes, attachments);
        if missing.is_empty() {
            return Ok(());
        }
        for reference in missing {
            let mut found = Vec::new();
            for file in referenced(files, path, &reference)? {
                let cap = MAX_ATTACHED_BYTES - size;
                let content = files.read(&file, cap).await?;
                if matches!(content, Content::Missing) {
                    continue;
                }
                let bytes = regular(content, &file, "attached file", cap)?;
                (count, size) = (count + 1, size + bytes.len());
                if count > MAX_ATTACHED || size > MAX_ATTACHED_BYTES {
                    return Err(LoadError::Input(vec![too_many_attached(path)]));
                }
                found.push((file, bytes.as_ref().into()));
            }
            attachments.insert(reference, found);
        }
    }
}

/// What a change of each file is that the prompt file is made of, as far as the files can be read.
///
/// # Errors
/// When a file cannot be read now.
pub async fn attached_changes(
    files: &Files,
    path: &PromptPath,
    bytes: &[u8],
) -> Result<BTreeMap<PromptPath, Change>, FilesError> {
    let mut attachments = Attachments::default();
    match attach_to(files, path, bytes, &prompt::references, &mut attachments).await {
        // What is broken is said where it is evaluated.
        Ok(()) | Err(LoadError::Input(_)) => {}
        Err(LoadError::Files(error)) => return Err(error),
    }
    if Format::of(path) == Some(Format::Promptfoo) {
        return Ok(promptfoo::attached_changes(path, bytes, &attachments));
    }
    Ok(attachments.paths().map(|path| (path.clone(), Change::Prompt)).collect())
}

/// The files that a reference names.
fn referenced(files: &Files, path: &PromptPath, reference: &Reference) -> Result<Vec<PromptPath>, LoadError> {
    match reference {
        Reference::File(file) => Ok(vec![file.clone()]),
        Reference::Glob(glob) => {
            let patterns = governed::Patterns::new([glob.as_str()]).map_err(|error| {
                LoadError::Input(vec![about(
                    "invalid-glob",
                    path,
                    error.to_string(),
                    "write a glob such as \"a/*.txt\"",
                )])
            })?;
            Ok(files.paths().into_iter().filter(|file| patterns.matches(file)).cloned().collect())
        }
    }
}

fn too_many_attached(path: &PromptPath) -> Diagnostic {
    let megabytes = MAX_ATTACHED_BYTES / (1024 * 1024);
    let message = format!("the prompt is made of more than {MAX_ATTACHED} files or {megabytes} MiB");
    about("too-large", path, message, "refer to fewer files")
}

/// The same, and what is left over in the order of the file: a prompt cannot shed its base by another name.
#[must_use]
pub fn pair_all(bases: Vec<LoadedPrompt>, heads: Vec<LoadedPrompt>) -> Paired {
    let (mut pairs, rest) = pair_up(bases, heads);
    let mut rest = rest.into_iter();
    for (base, _) in pairs.iter_mut().filter(|(base, _)| base.is_none()) {
        *base = rest.next();
    }
    (pairs, rest.collect())
}

/// Head's prompts with their bases, and what only base has.
pub type Paired = (Vec<(Option<LoadedPrompt>, LoadedPrompt)>, Vec<LoadedPrompt>);

/// Pairs the prompts that a file holds on both sides: by their labels; those left over by their groups, so that a prompt
/// whose model changes is compared with what it was. Returns head's with their bases, and what only base has.
#[must_use]
pub fn pair_up(mut bases: Vec<LoadedPrompt>, heads: Vec<LoadedPrompt>) -> Paired {
    let mut take = |same: &dyn Fn(&Prompt) -> bool| {
        let at = bases.iter().position(|loaded| same(&loaded.prompt))?;
        Some(bases.remove(at))
    };
    let mut pairs: Vec<_> =
        heads.into_iter().map(|head| (take(&|base: &Prompt| base.label == head.prompt.label), head)).collect();
    for (base, head) in pairs.iter_mut().filter(|(base, head)| base.is_none() && head.prompt.group.is_some()) {
        *base = take(&|base: &Prompt| base.group == head.prompt.group);
    }
    (pairs, bases)
}

/// The golden set at `path`, whatever the prompt names.
///
/// # Errors
/// When it is missing, refused or wrong.
pub(super) async fn golden_at(
    files: &Files,
    path: &PromptPath,
    prompt: &Prompt,
) -> Result<Parsed<GoldenSet>, LoadError> {
    let content = files.read(path, MAX_GOLDEN_SET_BYTES).await?;
    let bytes = regular(content, path, "golden set", MAX_GOLDEN_SET_BYTES)?;
    golden::parse(path, &bytes, prompt).map_err(LoadError::Input)
}

async fn load_golden(
    files: &Files,
    prompt: &Prompt,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Option<GoldenSet>, LoadError> {
    let path = match governed::golden_source(prompt) {
        GoldenSource::Named(named) => Some(named),
        GoldenSource::Siblings(siblings) => siblings.into_iter().find(|path| files.exists(path)),
    };
    let parsed = match path {
        Some(path) => {
            let bytes = match (files.read(&path, MAX_GOLDEN_SET_BYTES).await?, prompt.golden_set_at) {
                (Content::Missing, Some(place)) => {
                    return Err(LoadError::Input(vec![missing_set(prompt, &path, place)]));
                }
                (content, _) => regular(content, &path, "golden set", MAX_GOLDEN_SET_BYTES)?,
            };
            golden::parse(&path, &bytes, prompt)
        }
        None => match golden::inline(prompt) {
            Some(parsed) => parsed,
            None => return Ok(None),
        },
    };
    let parsed = parsed.map_err(LoadError::Input)?;
    warnings.extend(parsed.warnings);
    Ok(Some(parsed.value))
}

/// The finding for a golden set that a prompt names and that is not there.
fn missing_set(prompt: &Prompt, set: &PromptPath, place: Location) -> Diagnostic {
    let message = format!("golden set `{set}` not found");
    about("file-not-found", &prompt.path, message, "check `goldenSet`: the path is relative to the prompt file")
        .at(place, None)
}

pub(super) fn regular(content: Content, path: &PromptPath, what: &str, cap: usize) -> Result<Bytes, LoadError> {
    const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
    let content = match content {
        Content::Bytes(bytes) if bytes.starts_with(LFS_POINTER) => {
            Content::Refused("a Git LFS pointer; commit the file itself".to_owned())
        }
        other => other,
    };
    match content {
        Content::Bytes(bytes) => Ok(bytes),
        Content::TooLarge(size) => Err(LoadError::Input(vec![too_large(path, size, cap)])),
        Content::Missing => {
            Err(LoadError::Input(vec![about("file-not-found", path, format!("{what} not found"), "check the path")]))
        }
        Content::Refused(why) => Err(LoadError::Input(vec![about(
            "not-a-regular-file",
            path,
            format!("{what} is {why}"),
            "links and submodules are not followed",
        )])),
    }
}

/// A finding about a file as a whole.
pub fn about(code: &str, path: &PromptPath, message: String, help: &str) -> Diagnostic {
    Diagnostic::error(code, path, message).with_help(help)
}
