//! Loads a prompt with its golden set from one side's files. Asks the domain's parsers; decides nothing itself.

use std::sync::Arc;

use bytes::Bytes;

use super::files::{Content, Files, FilesError};
use crate::domain::diagnostic::{Diagnostic, Location, Parsed};
use crate::domain::golden::{self, GoldenSet};
use crate::domain::governed::{self, GoldenSource};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{self, Attachments, Prompt, Reference};
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
    let LoadedPrompt { prompt, mut warnings, attached, .. } = load_alone(files, path).await?;
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
    let content = files.read(path, MAX_FILE_BYTES).await?;
    let bytes = regular(content, path, "prompt file", MAX_FILE_BYTES)?;
    let attachments = attach(files, path, &bytes).await?;
    let attached = attachments.paths().cloned().collect();
    let parsed = prompt::parse_with(path, &bytes, &attachments).map_err(LoadError::Input)?;
    Ok(LoadedPrompt { prompt: Arc::new(parsed.value), golden: None, warnings: parsed.warnings, attached })
}

/// The files that a prompt file is made of, and those that these are made of.
async fn attach(files: &Files, path: &PromptPath, bytes: &[u8]) -> Result<Attachments, LoadError> {
    let mut attachments = Attachments::default();
    let (mut count, mut size) = (0, 0);
    loop {
        let references = prompt::references(path, bytes, &attachments);
        if references.is_empty() {
            return Ok(attachments);
        }
        for reference in references {
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

/// Takes the prompt of this label out of those that a file holds.
pub fn take(prompts: &mut Vec<LoadedPrompt>, label: Option<&str>) -> Option<LoadedPrompt> {
    let at = prompts.iter().position(|loaded| loaded.prompt.label.as_deref() == label)?;
    Some(prompts.swap_remove(at))
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
