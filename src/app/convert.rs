//! Prompt files and golden sets of any format to native ones. Asks the domain what to write; writes it if nothing is lost.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::discover;
use super::files::{Content, Files, FilesError};
use super::ground;
use super::load::{self, LoadError, LoadedPrompt};
use super::local::LocalError;
use crate::domain::convert;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::golden;
use crate::domain::governed::Governed;
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{self, Body, Prompt};
use crate::domain::settings::Settings;
use crate::domain::source::{MAX_FILE_BYTES, MAX_GOLDEN_SET_BYTES};

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// The folder the command was called in.
    pub folder: PathBuf,
    /// The file, as the user wrote it.
    pub file: String,
    /// Where to write; beside the file if absent.
    pub output_dir: Option<PathBuf>,
}

/// Files to write, and what they leave out.
#[derive(Debug, Default)]
pub struct Conversion {
    /// Path and content.
    pub files: Vec<(PathBuf, String)>,
    /// What is lost.
    pub losses: Vec<Diagnostic>,
    /// Other findings.
    pub warnings: Vec<Diagnostic>,
}

/// Why nothing can be written.
#[derive(Debug, Error)]
pub enum ConvertError {
    /// The arguments are wrong.
    #[error("{0}")]
    Input(String),
    /// The files are wrong.
    #[error("{} findings in the files", .0.len())]
    Findings(Vec<Diagnostic>),
    /// A file could not be read or written.
    #[error("{0}")]
    World(String),
    /// What was written reads differently.
    #[error("`{path}` was not converted rightly: {message}")]
    Bug {
        /// The file.
        path: PromptPath,
        /// The difference.
        message: String,
    },
}

impl From<LocalError> for ConvertError {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Findings(findings) => Self::Findings(findings),
            LocalError::Files(error) => Self::World(error.to_string()),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<LoadError> for ConvertError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Input(findings) => Self::Findings(findings),
            LoadError::Files(error) => error.into(),
        }
    }
}

impl From<FilesError> for ConvertError {
    fn from(error: FilesError) -> Self {
        Self::World(error.to_string())
    }
}

/// Converts a prompt file with its golden set, or a golden set alone. Writes nothing.
///
/// # Errors
/// When the file is not there, wrong, or cannot be converted.
pub async fn convert(options: &ConvertOptions) -> Result<Conversion, ConvertError> {
    let ConvertOptions { folder, file, output_dir } = options;
    let named = std::slice::from_ref(file);
    let place = discover::place(folder, named).await?;
    let (files, _, all) = ground::head_side(&place, None).await?;
    let target = |path: &PromptPath| match output_dir {
        Some(dir) => folder.join(dir),
        None => place.root.join(path.as_str()).parent().map_or_else(|| place.root.clone(), Path::to_owned),
    };
    let mut conversion = Conversion::default();
    if let Some(path) = lone_golden_set(folder, &place.root, file) {
        golden_set(&files, &path, &target(&path), &mut conversion).await?;
        return Ok(conversion);
    }
    let governed = Governed::new(&Settings::default()).map_err(|error| ConvertError::Input(error.to_string()))?;
    for path in discover::select(folder, &place, named, &all, &governed)? {
        prompts(&files, &path, &target(&path), &mut conversion).await?;
    }
    Ok(conversion)
}

/// The path of a golden set that is no prompt file as well.
fn lone_golden_set(folder: &Path, root: &Path, file: &str) -> Option<PromptPath> {
    let path = PromptPath::parse(&discover::relative(folder, root, file)?).ok()?;
    let is_lone = prompt::Format::of(&path).is_none() && golden::Format::of(&path).is_some();
    (is_lone && root.join(path.as_str()).is_file()).then_some(path)
}

async fn golden_set(
    files: &Files,
    path: &PromptPath,
    target: &Path,
    conversion: &mut Conversion,
) -> Result<(), ConvertError> {
    let content = files.read(path, MAX_GOLDEN_SET_BYTES).await?;
    let bytes = load::regular(content, path, "golden set", MAX_GOLDEN_SET_BYTES)?;
    let name = path.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.strip_suffix(".golden").unwrap_or(stem);
    // The set's prompt is not known, and adds nothing to its cases.
    let nobody = Prompt::new(path.clone(), stem.to_owned(), Body::Messages(Vec::new()));
    let parsed = golden::parse(path, &bytes, &nobody).map_err(ConvertError::Findings)?;
    let (losses, warnings): (Vec<_>, Vec<_>) = parsed.warnings.into_iter().partition(convert::is_loss);
    let text = convert::golden_set(&parsed.value).map_err(ConvertError::Findings)?;
    conversion.losses.extend(losses);
    conversion.warnings.extend(warnings);
    conversion.files.push((target.join(format!("{stem}.golden.yml")), text));
    Ok(())
}

async fn prompts(
    files: &Files,
    path: &PromptPath,
    target: &Path,
    conversion: &mut Conversion,
) -> Result<(), ConvertError> {
    let loaded = load::load(files, path).await?;
    if let Content::Bytes(bytes) = files.read(path, MAX_FILE_BYTES).await? {
        conversion.losses.extend(convert::unused(path, &bytes));
    }
    let several = loaded.len() > 1;
    let mut names = BTreeSet::new();
    for (number, loaded) in (1usize..).zip(loaded) {
        let LoadedPrompt { prompt, golden, warnings, .. } = loaded;
        let mut stem = prompt::stem(path).to_owned();
        if several {
            stem = format!("{stem}-{}", slug(prompt.label.as_deref(), number));
            while !names.insert(stem.clone()) {
                stem.push_str("-again");
            }
        }
        let bug = |message: String| ConvertError::Bug { path: path.clone(), message };
        let named = |end: &str| path.sibling(&format!("{stem}{end}")).map_err(|error| bug(error.to_string()));
        let paths = (named(".prompt.yml")?, named(".golden.yml")?);
        let converted = convert::pair(&prompt, golden.as_ref(), paths).map_err(bug)?;
        let (losses, warnings): (Vec<_>, Vec<_>) = warnings.into_iter().partition(convert::is_loss);
        conversion.losses.extend(losses.into_iter().chain(converted.losses));
        conversion.warnings.extend(warnings);
        let written = [Some(converted.written.prompt), converted.written.golden].into_iter().flatten();
        conversion.files.extend(written.map(|(path, text)| (target.join(path.file_name()), text)));
    }
    Ok(())
}

/// A label as part of a file's name.
fn slug(label: Option<&str>, number: usize) -> String {
    let words: String = label
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    let words: Vec<&str> = words.split_whitespace().take(6).collect();
    if words.is_empty() { number.to_string() } else { words.join("-") }
}

/// Writes the files; none of them where one is there already and may not be replaced.
///
/// # Errors
/// When a file is there already, or cannot be written.
pub fn write(conversion: &Conversion, force: bool) -> Result<(), ConvertError> {
    if !force && let Some((there, _)) = conversion.files.iter().find(|(file, _)| file.symlink_metadata().is_ok()) {
        return Err(ConvertError::Input(format!(
            "`{}` is there already; add --force to replace it, or write elsewhere with --output-dir",
            there.display()
        )));
    }
    for (file, text) in &conversion.files {
        let failed = |error: std::io::Error| ConvertError::World(format!("cannot write `{}`: {error}", file.display()));
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // Whoever put a file there meanwhile keeps it.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(force).truncate(force).create_new(!force);
        options.open(file).and_then(|mut out| out.write_all(text.as_bytes())).map_err(failed)?;
    }
    Ok(())
}
