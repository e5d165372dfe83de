//! Loads a prompt with its golden set from one side's files. Asks the domain's parsers; decides nothing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::files::{Content, Files, FilesError};
use crate::domain::diagnostic::{Diagnostic, Location, Parsed};
use crate::domain::golden::{self, GoldenSet};
use crate::domain::governed::{self, GoldenSource};
use crate::domain::ids::PromptPath;
use crate::domain::lint::Part;
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
    /// All its files as they are written; of a file with several prompts, the first one's.
    pub texts: Vec<Written>,
}

/// A file as it is written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The file.
    pub path: PromptPath,
    /// What it is of the prompt.
    pub part: Part,
    bytes: Bytes,
}

impl Written {
    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        std::str::from_utf8(bytes).ok()
    }
}

impl LoadedPrompt {
    /// The same without the files that hold no waiver: nobody needs them once they were looked at.
    #[must_use]
    pub fn with_waivers_only(mut self) -> Self {
        self.texts.retain(|written| written.text().is_some_and(|text| text.contains("promptops:")));
        self
    }
}

/// All files of the prompts.
pub fn texts(loaded: &[LoadedPrompt]) -> Vec<Written> {
    loaded.iter().flat_map(|loaded| &loaded.texts).cloned().collect()
}

/// The prompt file and what it is made of.
fn written(path: &PromptPath, bytes: &Bytes, attachments: &Attachments) -> Vec<Written> {
    let own = Written { path: path.clone(), part: Part::Prompt, bytes: bytes.clone() };
    let attached = attachments.files().map(|(path, bytes)| Written {
        path: path.clone(),
        part: Part::Attached,
        bytes: Bytes::from_owner(bytes.clone()),
    });
    std::iter::once(own).chain(attached).collect()
}

/// Most files that a prompt file may be made of, and most references in it, whether there is such a file or not.
const MAX_ATTACHED: usize = 1_000;
/// Most of these that are globs: each is held against all paths of the repository.
const MAX_GLOBS: usize = 50;
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
    let LoadedPrompt { prompt, mut warnings, attached, mut texts, .. } = alone(files, path, &bytes).await?;
    let golden = load_golden(files, &prompt, &mut warnings, &mut texts).await?;
    if let Some(set) = &golden {
        let findings = golden::check_variables(&prompt, set);
        if !findings.is_empty() {
            return Err(LoadError::Input(findings));
        }
    }
    Ok(vec![LoadedPrompt { prompt, golden, warnings, attached, texts }])
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

async fn alone(files: &Files, path: &PromptPath, bytes: &Bytes) -> Result<LoadedPrompt, LoadError> {
    let attachments = attach(files, path, bytes, &prompt::references).await?;
    let attached = attachments.paths().cloned().collect();
    let parsed = prompt::parse_with(path, bytes, &attachments).map_err(LoadError::Input)?;
    let texts = written(path, bytes, &attachments);
    Ok(LoadedPrompt { prompt: Arc::new(parsed.value), golden: None, warnings: parsed.warnings, attached, texts })
}

/// Whether a file is a promptfoo config: by its name, or by its keys where its name says nothing.
fn is_config(path: &PromptPath, bytes: &[u8]) -> bool {
    match Format::of(path) {
        Some(format) => format == Format::Promptfoo,
        None => promptfoo::looks_like(path, bytes),
    }
}

/// The prompts of a promptfoo config, which brings their cases along.
async fn load_config(files: &Files, path: &PromptPath, bytes: &Bytes) -> Result<Vec<LoadedPrompt>, LoadError> {
    let attachments = attach(files, path, bytes, &promptfoo::references).await?;
    let attached: Vec<PromptPath> = attachments.paths().cloned().collect();
    let parsed = promptfoo::parse(path, bytes, &attachments).map_err(LoadError::Input)?;
    let mut warnings = parsed.warnings;
    let mut texts = written(path, bytes, &attachments);
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
        let (warnings, texts) = (std::mem::take(&mut warnings), std::mem::take(&mut texts));
        let (prompt, attached) = (Arc::new(prompt), attached.clone());
        loaded.push(LoadedPrompt { prompt, golden: Some(set), warnings, attached, texts });
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
    let mut search = Search::new(MAX_ATTACHED);
    search.run(files, path, bytes, references).await?;
    Ok(search.found)
}

/// A search for the files that a prompt file is made of: what was found before an error stays.
struct Search {
    found: Attachments,
    /// All that was looked for, found or not.
    asked: Vec<Reference>,
    /// How many files may still be read.
    reads: usize,
    /// Whether it ended at one of its bounds.
    exceeded: bool,
}

impl Search {
    fn new(reads: usize) -> Self {
        Self { found: Attachments::default(), asked: Vec::new(), reads, exceeded: false }
    }

    async fn run(
        &mut self,
        files: &Files,
        path: &PromptPath,
        bytes: &[u8],
        references: &References,
    ) -> Result<(), LoadError> {
        let mut size = 0;
        loop {
            let missing = references(path, bytes, &self.found);
            if missing.is_empty() {
                return Ok(());
            }
            for reference in missing {
                self.ask(path, &reference)?;
                let mut found = Vec::new();
                for file in referenced(files, path, &reference)? {
                    if !files.exists(&file) {
                        continue;
                    }
                    self.reads = self.reads.checked_sub(1).ok_or_else(|| self.exceed(path))?;
                    let cap = MAX_ATTACHED_BYTES - size;
                    let content = files.read(&file, cap).await?;
                    if matches!(content, Content::Missing) {
                        continue;
                    }
                    let bytes = regular(content, &file, "attached file", cap)?;
                    size += bytes.len();
                    if size > MAX_ATTACHED_BYTES {
                        return Err(self.exceed(path));
                    }
                    found.push((file, bytes.as_ref().into()));
                }
                self.found.insert(reference, found);
            }
        }
    }

    /// Keeps what is looked for, within the bounds.
    fn ask(&mut self, path: &PromptPath, reference: &Reference) -> Result<(), LoadError> {
        self.asked.push(reference.clone());
        let globs = self.asked.iter().filter(|asked| matches!(asked, Reference::Glob(_))).count();
        if self.asked.len() > MAX_ATTACHED || globs > MAX_GLOBS {
            return Err(self.exceed(path));
        }
        Ok(())
    }

    fn exceed(&mut self, path: &PromptPath) -> LoadError {
        self.exceeded = true;
        LoadError::Input(vec![too_many_attached(path)])
    }
}

/// What a prompt file is made of on one side, as far as its files can be read.
#[derive(Debug, Default)]
pub struct Made {
    /// What a change of each file is.
    pub changes: BTreeMap<PromptPath, Change>,
    /// Whether the search ended at a bound: then there may be more.
    pub exceeded: bool,
    /// Single files that were looked for, folded.
    files: BTreeSet<String>,
    globs: Vec<governed::Patterns>,
}

impl Made {
    /// Whether a file at `path` would be part of the prompt file, be there one or not.
    #[must_use]
    pub fn looks_for(&self, path: &PromptPath) -> bool {
        self.files.contains(&path.folded()) || self.globs.iter().any(|glob| glob.matches(path))
    }
}

/// What the prompt file is made of. Takes what it reads from `reads`.
///
/// # Errors
/// When a file cannot be read now.
pub async fn made_of(files: &Files, path: &PromptPath, bytes: &[u8], reads: &mut usize) -> Result<Made, FilesError> {
    let most = MAX_ATTACHED.min(*reads);
    let mut search = Search::new(most);
    match search.run(files, path, bytes, &prompt::references).await {
        // What is broken is said where it is evaluated.
        Ok(()) | Err(LoadError::Input(_)) => {}
        Err(LoadError::Files(error)) => return Err(error),
    }
    *reads -= most - search.reads;
    let mut made = Made { exceeded: search.exceeded, ..Made::default() };
    for reference in search.asked {
        match reference {
            Reference::File(file) => _ = made.files.insert(file.folded()),
            // One that is no glob matches nothing.
            Reference::Glob(glob) => made.globs.extend(governed::Patterns::new([glob.as_str()])),
        }
    }
    made.changes = match Format::of(path) {
        Some(Format::Promptfoo) => promptfoo::attached_changes(path, bytes, &search.found),
        _ => search.found.paths().map(|path| (path.clone(), Change::Prompt)).collect(),
    };
    Ok(made)
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
    let message =
        format!("the prompt is made of more than {MAX_ATTACHED} files, {MAX_GLOBS} globs or {megabytes} MiB of files");
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
    texts: &mut Vec<Written>,
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
            texts.push(Written { path: path.clone(), part: Part::GoldenSet, bytes: bytes.clone() });
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
