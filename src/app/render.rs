//! The messages of a prompt file as a model would get them. Calls no model and decides nothing.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::discover;
use super::files::{Content, Files};
use super::ground;
use super::load::{self, LoadError, LoadedPrompt};
use super::local::{self, LocalError};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::golden::GoldenSet;
use crate::domain::governed::Governed;
use crate::domain::ids::PromptPath;
use crate::domain::prompt::rendered::{Data, Rendered};
use crate::domain::prompt::{Body, Prompt, RenderError};
use crate::domain::settings::Settings;
use crate::domain::source::{MAX_FILE_BYTES, Source};

/// Where a prompt's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Its defaults alone.
    Nothing,
    /// A JSON object of values.
    Vars(String),
    /// Dotprompt's data argument as JSON.
    Data(String),
    /// A case of its golden set.
    Case(String),
}

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// The folder the command was called in.
    pub folder: PathBuf,
    /// The prompt file.
    pub file: String,
    /// Where its values come from.
    pub given: Given,
}

/// The rendered prompts of a file.
#[derive(Debug)]
pub struct RenderedFile {
    /// Each prompt with its messages, in the order of the file.
    pub prompts: Vec<(Arc<Prompt>, Vec<Rendered>)>,
    /// Findings that stop nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the file and fills its prompts.
///
/// # Errors
/// When the file or the values are wrong, or a variable has none.
pub async fn render(options: &RenderOptions) -> Result<RenderedFile, LocalError> {
    let named = std::slice::from_ref(&options.file);
    let place = discover::place(&options.folder, named).await?;
    let (files, _, all) = ground::head_side(&place, None).await?;
    let governed = Governed::new(&Settings::default()).map_err(|error| LocalError::Input(error.to_string()))?;
    let paths = discover::select(&options.folder, &place, named, &all, &governed)?;
    let [path] = paths.as_slice() else {
        return Err(LocalError::Input(format!("`{}` means {} prompt files; name one", options.file, paths.len())));
    };
    let data = data(&options.given)?;
    let (loaded, mut warnings) = read(&files, path, &options.given).await?;
    let mut prompts = Vec::with_capacity(loaded.len());
    for one in loaded {
        warnings.extend(one.warnings);
        let data = match (&options.given, &data) {
            (Given::Case(id), _) => of_case(&one.prompt, one.golden.as_ref(), id)?,
            (_, data) => data.clone(),
        };
        match one.prompt.render_with(&data) {
            Ok(messages) => prompts.push((one.prompt, messages)),
            Err(error) => return Err(LocalError::Findings(vec![finding(&files, path, error).await])),
        }
    }
    Ok(RenderedFile { prompts, warnings })
}

fn data(given: &Given) -> Result<Data, LocalError> {
    let (option, text) = match given {
        Given::Nothing | Given::Case(_) => return Ok(Data::default()),
        Given::Vars(text) => ("--vars", text),
        Given::Data(text) => ("--data", text),
    };
    let wrong = |why: String| LocalError::Input(format!("{option}: {why}; write for instance {option} '{{}}'"));
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(format!("not valid JSON: {error}")))?;
    match (given, value) {
        (Given::Data(_), value) => Data::parse(value).map_err(wrong),
        (_, Value::Object(input)) => Ok(Data { input, ..Data::default() }),
        _ => Err(wrong("it must be a JSON object".to_owned())),
    }
}

/// The prompts of the file. Their golden sets matter only where a case is asked for: what is wrong with them is a warning
/// otherwise.
async fn read(
    files: &Files,
    path: &PromptPath,
    given: &Given,
) -> Result<(Vec<LoadedPrompt>, Vec<Diagnostic>), LocalError> {
    let findings = match load::load(files, path).await {
        Ok(loaded) => return Ok((loaded, Vec::new())),
        Err(LoadError::Files(error)) => return Err(error.into()),
        Err(LoadError::Input(findings)) => findings,
    };
    if matches!(given, Given::Case(_)) {
        return Err(LocalError::Findings(findings));
    }
    match load::load_alone(files, path).await {
        Ok(loaded) => Ok((vec![loaded], findings.into_iter().map(Diagnostic::into_warning).collect())),
        Err(_) => Err(LocalError::Findings(findings)),
    }
}

fn of_case(prompt: &Prompt, golden: Option<&GoldenSet>, id: &str) -> Result<Data, LocalError> {
    let Some(set) = golden else { return Err(LocalError::Findings(vec![local::no_golden_set(&prompt.path)])) };
    let case = set.cases.iter().find(|case| case.id.to_string() == id).ok_or_else(|| {
        let ids: Vec<String> = set.cases.iter().take(10).map(|case| format!("`{}`", case.id)).collect();
        LocalError::Input(format!("no case `{id}` in {}; it has {}", set.path, ids.join(", ")))
    })?;
    // Only there does an `@` in front of a name mean something.
    if matches!(prompt.body, Body::Handlebars(_)) {
        return Ok(Data::from_vars(&case.vars));
    }
    let input = case.vars.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Data { input, ..Data::default() })
}

/// The finding for a prompt that cannot be filled, with the line it is about.
async fn finding(files: &Files, path: &PromptPath, error: RenderError) -> Diagnostic {
    let (code, message, at, help) = match error {
        RenderError::Undefined(undefined) => {
            let help =
                format!("give `{}` with --vars, --data or --case, or a default in the prompt", undefined.variable);
            ("undefined-variable", undefined.to_string(), undefined.location, help)
        }
        RenderError::Template { message, location } => {
            ("template-fails", message, location, "correct the template, or the values".to_owned())
        }
    };
    let found = Diagnostic::error(code, path, message).with_help(help);
    let Some(at) = at else { return found };
    let line = match files.read(path, MAX_FILE_BYTES).await {
        Ok(Content::Bytes(bytes)) => {
            Source::read(path, &bytes, MAX_FILE_BYTES).ok().and_then(|source| source.line(at.line).map(str::to_owned))
        }
        _ => None,
    };
    found.at(at, line.as_deref())
}
