//! The facts of a folder: Git, settings, policy tests, prompts, workflows, cache. Asks nobody outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::app::discover::{self, Place};
use crate::app::files::{Content, Files};
use crate::app::ground;
use crate::app::lint::{self, LintOptions};
use crate::app::local::{self, LocalError};
use crate::app::{load, policy};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::doctor::here::{
    CacheSeen, FileSeen, GitSeen, HereFacts, PromptsSeen, RepositorySeen, TestsSeen, line,
};
use crate::domain::evaluator::Evaluator;
use crate::domain::governed::Governed;
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::policy_tests::TESTS_PATH;
use crate::domain::prompt::{ENDINGS, Format};
use crate::domain::settings::{SETTINGS_PATH, Settings};
use crate::domain::source::MAX_FILE_BYTES;
use crate::git::{self, GitError};

/// Where GitHub looks for workflows.
const WORKFLOWS: &str = ".github/workflows/";
/// Most workflow files that are read.
const MOST_WORKFLOWS: usize = 100;

/// What was seen, and what other parts go on with.
#[derive(Debug)]
pub struct Here {
    /// The facts.
    pub facts: HereFacts,
    /// The workflow files.
    pub workflows: Vec<(PromptPath, Vec<u8>)>,
    /// The models that prompts and judges need, each with nothing else known of it.
    pub models: Vec<ModelId>,
    /// Prompts that name no model and find none in the settings.
    pub without_model: Vec<String>,
}

/// Looks at a folder.
///
/// # Errors
/// When its files cannot be listed.
pub async fn gather(folder: &Path, toml: FileSeen<String>, cache: Option<PathBuf>) -> Result<Here, LocalError> {
    let git = match git::version().await {
        Ok(version) => GitSeen::Version(version),
        Err(_) => GitSeen::NotRunnable,
    };
    let place = discover::place(folder, &[]).await?;
    let (files, _, all) = ground::head_side(&place, None).await?;
    let (settings, seen) = settings(&files).await?;
    let mut here = Here {
        facts: HereFacts {
            git,
            repository: repository(&place).await?,
            settings: seen,
            tests: tests(folder, &files).await?,
            prompts: Ok(PromptsSeen::default()),
            toml,
            cache: cache_seen(cache),
        },
        workflows: workflows(&files).await?,
        models: Vec::new(),
        without_model: Vec::new(),
    };
    here.facts.prompts = match prompts(folder, &place, &files, &all, &settings, &mut here).await {
        Ok(seen) => Ok(seen),
        Err(LocalError::Files(error)) => return Err(error.into()),
        Err(error) => Err(error.to_string()),
    };
    Ok(here)
}

async fn repository(place: &Place) -> Result<RepositorySeen, GitError> {
    Ok(match &place.repository {
        None => RepositorySeen::None,
        Some(repository) => RepositorySeen::There {
            is_shallow: repository.is_shallow().await?,
            is_detached: repository.is_detached().await?,
        },
    })
}

async fn settings(files: &Files) -> Result<(Settings, FileSeen<()>), LocalError> {
    let path = PromptPath::parse(SETTINGS_PATH).map_err(|error| LocalError::Input(error.to_string()))?;
    let is_there = files.exists(&path);
    match local::settings_of((None, files), &path, &mut Vec::new()).await {
        Ok(settings) if is_there => Ok((settings, FileSeen::Ready(()))),
        Ok(settings) => Ok((settings, FileSeen::Missing)),
        Err(LocalError::Findings(found)) => Ok((Settings::default(), FileSeen::Broken(lines(&found)))),
        Err(error) => Err(error),
    }
}

/// The policy's tests, run.
async fn tests(folder: &Path, files: &Files) -> Result<FileSeen<TestsSeen>, LocalError> {
    if !PromptPath::parse(TESTS_PATH).is_ok_and(|path| files.exists(&path)) {
        return Ok(FileSeen::Missing);
    }
    match policy::test(folder, None).await {
        Ok(tested) => {
            let failed = tested.outcomes.iter().filter(|outcome| !outcome.passed()).map(|outcome| outcome.name.clone());
            Ok(FileSeen::Ready(TestsSeen { all: tested.outcomes.len(), failed: failed.collect() }))
        }
        Err(LocalError::Findings(found)) => {
            // What is wrong with the settings is said of the settings.
            let own: Vec<String> = found.iter().filter(|one| one.path.as_str() == TESTS_PATH).map(line).collect();
            let settings = || vec![format!("not run: {SETTINGS_PATH} is wrong")];
            Ok(FileSeen::Broken(if own.is_empty() { settings() } else { own }))
        }
        Err(LocalError::Input(why)) => Ok(FileSeen::Broken(vec![why])),
        Err(error) => Err(error),
    }
}

fn lines(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(line).collect()
}

/// Every governed prompt: its format, what lint says, and the models it needs.
async fn prompts(
    folder: &Path,
    place: &Place,
    files: &Files,
    all: &[PromptPath],
    settings: &Settings,
    here: &mut Here,
) -> Result<PromptsSeen, LocalError> {
    let governed = Governed::new(settings).map_err(|error| LocalError::Input(error.to_string()))?;
    let paths = discover::select(folder, place, &[], all, &governed)?;
    let mut formats: BTreeMap<&'static str, usize> = BTreeMap::new();
    for path in &paths {
        *formats.entry(ending(path)).or_default() += 1;
        // What cannot be loaded is told by lint.
        for loaded in load::load(files, path).await.unwrap_or_default() {
            match loaded.prompt.model.clone().or_else(|| settings.model.clone()) {
                Some(model) => need(&mut here.models, model),
                None if loaded.golden.is_some() => here.without_model.push(path.to_string()),
                None => {}
            }
            let cases = loaded.golden.iter().flat_map(|set| &set.cases);
            for evaluator in cases.flat_map(|case| case.evaluators.iter()) {
                judges(evaluator, settings).for_each(|model| need(&mut here.models, model));
            }
        }
    }
    let known = all.iter().filter(|path| Format::of(path).is_some()).count();
    let options = LintOptions { folder: folder.to_owned(), paths: Vec::new(), base: None, settings: None };
    let linted = lint::lint(&options).await?;
    let of_settings = |finding: &Diagnostic| finding.path.as_str() == SETTINGS_PATH;
    let findings = linted.files.into_iter().chain(linted.rules).filter(|finding| !of_settings(finding)).collect();
    Ok(PromptsSeen {
        formats: formats.into_iter().collect(),
        include: settings.include.clone(),
        not_covered: known.saturating_sub(paths.len()),
        findings,
    })
}

/// What the file's name ends in, or that it is a promptfoo config.
fn ending(path: &PromptPath) -> &'static str {
    let folded = path.folded();
    match Format::of(path) {
        Some(Format::Promptfoo) => "promptfoo config",
        _ => ENDINGS.iter().map(|(end, _)| *end).find(|end| folded.ends_with(end)).unwrap_or("other"),
    }
}

fn judges(evaluator: &Evaluator, settings: &Settings) -> impl Iterator<Item = ModelId> {
    let judge = settings.judge.clone().filter(|_| evaluator.needs_default_judge());
    let vectors = settings.embeddings.clone().filter(|_| evaluator.needs_default_embeddings());
    evaluator.own_model().cloned().into_iter().chain(judge).chain(vectors)
}

fn need(models: &mut Vec<ModelId>, model: ModelId) {
    if !models.contains(&model) {
        models.push(model);
    }
}

async fn workflows(files: &Files) -> Result<Vec<(PromptPath, Vec<u8>)>, LocalError> {
    let is_workflow = |path: &&PromptPath| {
        path.as_str()
            .strip_prefix(WORKFLOWS)
            .is_some_and(|name| !name.contains('/') && (name.ends_with(".yml") || name.ends_with(".yaml")))
    };
    let paths: Vec<PromptPath> = files.paths().into_iter().filter(is_workflow).take(MOST_WORKFLOWS).cloned().collect();
    let mut found = Vec::new();
    for path in paths {
        if let Content::Bytes(bytes) = files.read(&path, MAX_FILE_BYTES).await? {
            found.push((path, bytes.to_vec()));
        }
    }
    Ok(found)
}

/// Whether a file can be made in the folder, which is made if it is missing, as a run would.
fn cache_seen(folder: Option<PathBuf>) -> CacheSeen {
    let Some(folder) = folder else { return CacheSeen::Nowhere };
    let shown = folder.display().to_string();
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => CacheSeen::Writable(shown),
        Err(error) => CacheSeen::NotWritable(shown, error.to_string()),
    }
}
