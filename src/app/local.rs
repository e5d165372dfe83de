//! An evaluation without GitHub: the command line and the Action step. The same plan, run and verdict as a pull request.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::discover;
use super::files::{Content, Files, FilesError};
use super::ground::{self, Ground, Sides};
use super::lint::{self, LintFile};
use super::load::{self, LoadError, LoadedPrompt};
use super::organisation;
use super::plan::{self, Overrides, Pair};
use super::result;
use crate::domain::budget::Estimate;
use crate::domain::diagnostic::{Diagnostic, Parsed, Severity};
use crate::domain::gate::Verdict;
use crate::domain::governed::Governed;
use crate::domain::ids::{CommitSha, PromptPath};
use crate::domain::lint::Config;
use crate::domain::prompt;
use crate::domain::report::{Outcome, Report};
use crate::domain::settings::{self, Settings};
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::engine::event::RunEvent;
use crate::engine::provider::Provider;
use crate::engine::run::{self, RunError, RunLimits};
use crate::git::GitError;

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// The folder the command was called in.
    pub folder: PathBuf,
    /// Prompt files, folders or globs.
    pub paths: Vec<String>,
    /// Revision to compare with.
    pub base: Option<String>,
    /// Revision to measure; the working tree if absent.
    pub head: Option<String>,
    /// Another settings file than the usual one.
    pub settings: Option<String>,
    /// What overrides the settings.
    pub overrides: Overrides,
}

/// Why a local evaluation came to no result.
#[derive(Debug, Error)]
pub enum LocalError {
    /// The arguments are wrong.
    #[error("{0}")]
    Input(String),
    /// The files are wrong.
    #[error("{} findings in the files", .0.len())]
    Findings(Vec<Diagnostic>),
    /// Lint found errors, so no model is asked.
    #[error("{} lint errors in the prompts", .0.len())]
    Lint(Vec<Diagnostic>),
    /// A revision or repository is wrong.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file could not be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The run has no measurements.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Something outside gives no answer now.
    #[error("{0}")]
    World(String),
}

/// Everything a local evaluation needs, read once.
#[derive(Debug)]
pub struct Gathered {
    /// The settings that apply.
    pub settings: Settings,
    /// The prompts, on both sides.
    pub pairs: Vec<Pair>,
    /// The base revision's commit.
    pub base: Option<CommitSha>,
    /// The head revision's commit; `None` for the working tree.
    pub head: Option<CommitSha>,
    /// Findings that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// What A and B are, where two prompts or models are compared in the place of two revisions.
    pub rivals: Option<[String; 2]>,
    /// How many prompts were left out because they do not change.
    pub unchanged: usize,
    /// Prompts among those that are meant which only base has.
    pub removed: Vec<PromptPath>,
}

impl Gathered {
    fn revisions(&self) -> (Option<String>, String) {
        if let Some([a, b]) = &self.rivals {
            return (Some(a.clone()), b.clone());
        }
        let head = self.head.as_ref().map_or_else(|| "working tree".to_owned(), ToString::to_string);
        (self.base.as_ref().map(ToString::to_string), head)
    }

    /// What to report of a run without measurements.
    #[must_use]
    pub fn unmeasured(&self, error: &RunError) -> Report {
        let outcome = match error {
            RunError::OverBudget(over) => Outcome::OverBudget(over.clone()),
            RunError::UnknownPrice { .. } => Outcome::NeedsPerson { message: error.to_string() },
            RunError::Cancelled | RunError::TimedOut { .. } | RunError::Provider(_) => {
                Outcome::Failed { message: error.to_string() }
            }
        };
        self.report(outcome)
    }

    /// The report where there is nothing to run: that prompts are gone is a change, which models cannot judge.
    #[must_use]
    pub fn idle(&self) -> Report {
        if self.removed.is_empty() {
            return self.report(Outcome::NothingGoverned);
        }
        let mut report = self.report(Outcome::Measured(Verdict::Pass));
        let note = "Nothing is left to evaluate. Whether prompts may be removed is for the approval policy to say.";
        report.notes.push(note.to_owned());
        report
    }

    /// Says which prompts are gone.
    pub fn tell_removed(&self, report: &mut Report) {
        report.notes.extend(self.removed.iter().map(|path| format!("{path} is removed")));
    }

    /// A report of these sides without measurements.
    #[must_use]
    pub fn report(&self, outcome: Outcome) -> Report {
        let (base, head) = self.revisions();
        self.named(Report::new(outcome, base, head))
    }

    /// The report, told of rivals where they are compared.
    fn named(&self, report: Report) -> Report {
        if self.rivals.is_some() { report.of_rivals() } else { report }
    }
}

/// Reads settings, prompts and golden sets of both sides.
///
/// # Errors
/// When something named is not there, or a file is wrong.
pub async fn gather(options: &LocalOptions) -> Result<Gathered, LocalError> {
    let (base, head) = (options.base.as_deref(), options.head.as_deref());
    gather_on(options, &ground::ground(&options.folder, &options.paths, base, head).await?).await
}

/// The same on ground that is known already.
///
/// # Errors
/// As [`gather`].
pub async fn gather_on(options: &LocalOptions, ground: &Ground) -> Result<Gathered, LocalError> {
    let mut warnings = Vec::new();
    let both = (ground.sides.base.as_ref(), &ground.sides.head);
    let settings_path = ground::settings_path(&options.folder, &ground.place, both, options.settings.as_deref())?;
    let settings = settings_on(ground, &settings_path, &mut warnings).await?;
    let governed = Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    // What only base has is meant too: a change that takes the last prompt away is no mistake in the names.
    let gone = ground::gone(ground, &governed);
    let known: Vec<PromptPath> = ground.all.iter().chain(&gone).cloned().collect();
    let mut paths = discover::select(&options.folder, &ground.place, &options.paths, &known, &governed)?;
    if paths.is_empty() {
        return Err(LocalError::Input(discover::none_found(&ground.place, &ground.all, &settings)));
    }
    let removed: Vec<PromptPath> = paths.extract_if(.., |path| gone.contains(path)).collect();
    let found = paths.len();
    if let Some(changed) = ground.changed.as_ref().filter(|changed| !changed.contains(&settings_path)) {
        paths = ground::only_touched(&ground.sides.head, paths, changed).await?;
    }
    let unchanged = found - paths.len();
    let named = !options.paths.is_empty();
    let pairs = match paths.as_slice() {
        [] => Vec::new(),
        paths => load_pairs(paths, &ground.sides, &settings, &governed, named, &mut warnings).await?,
    };
    let (base, head) = (ground.base.clone(), ground.head.clone());
    Ok(Gathered { settings, pairs, base, head, warnings, rivals: None, unchanged, removed })
}

/// The settings that decide on this ground.
pub(super) async fn settings_on(
    ground: &Ground,
    path: &PromptPath,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Settings, LocalError> {
    let both = (ground.sides.base.as_ref(), &ground.sides.head);
    let settings = settings_of(both, path, warnings).await?;
    if ground.is_gate && both.0.is_some_and(|base| !base.exists(path)) {
        // A change must not bring the rules by which it is judged; which models answer it may say, on both sides alike.
        let Settings { model, judge, embeddings, run_usd, .. } = settings;
        return Ok(Settings { model, judge, embeddings, run_usd, ..Settings::default() });
    }
    Ok(settings)
}

/// Base's settings where there is a base that has some, as at the gate; else head's.
pub(super) async fn settings_of(
    (base, head): (Option<&Files>, &Files),
    path: &PromptPath,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Settings, LocalError> {
    let on_base = |findings: Vec<Diagnostic>| findings.into_iter().map(|finding| finding.noted("on base")).collect();
    if let Some(files) = base
        && let Some(parsed) = settings_in(files, path).await?
    {
        let parsed = parsed.map_err(|findings| LocalError::Findings(on_base(findings)))?;
        warnings.extend(on_base(parsed.warnings));
        return Ok(parsed.value);
    }
    let Some(parsed) = settings_in(head, path).await? else { return Ok(Settings::default()) };
    let parsed = parsed.map_err(LocalError::Findings)?;
    warnings.extend(parsed.warnings);
    Ok(parsed.value)
}

/// One side's settings; `None` where it has none.
async fn settings_in(
    files: &Files,
    path: &PromptPath,
) -> Result<Option<Result<Parsed<Settings>, Vec<Diagnostic>>>, LocalError> {
    Ok(match files.read(path, MAX_FILE_BYTES).await? {
        Content::Missing => None,
        Content::Bytes(bytes) => Some(match files.root() {
            Some(root) => organisation::parse_local(root, path, &bytes),
            None => settings::parse(path, &bytes),
        }),
        Content::TooLarge(size) => Some(Err(vec![too_large(path, size, MAX_FILE_BYTES)])),
        Content::Refused(why) => {
            let message = format!("the settings are {why}");
            Some(Err(vec![load::about("not-a-regular-file", path, message, "links and submodules are not followed")]))
        }
    })
}

async fn load_pairs(
    paths: &[PromptPath],
    sides: &Sides,
    settings: &Settings,
    governed: &Governed,
    named: bool,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<Pair>, LocalError> {
    let mut pairs = Vec::with_capacity(paths.len());
    let (mut findings, mut errors) = (Vec::new(), Vec::new());
    let config = Config::new(settings, false);
    for path in paths {
        let heads = load_side(&sides.head, path, &mut findings).await?;
        let bases = match sides.base_of(path) {
            Some((files, path)) => load_base(files, path, warnings).await?,
            None => Vec::new(),
        };
        let (head, base) = (load::texts(&heads), load::texts(&bases));
        let (loaded, _) = load::pair_up(bases, heads);
        let prompts = loaded.iter().map(|(before, after)| (before.as_ref(), after)).collect();
        let file = LintFile { path, head: &head, base: &base, prompts, neighbours: None };
        lint::extend(&mut errors, lint::check(&file, &config).findings);
        for (base, mut loaded) in loaded {
            findings.extend(governed.check_golden_set(&loaded.prompt));
            // A set that only base still has compares nothing: removing it must not look like passing it.
            if loaded.golden.is_none() {
                if named || base.is_some_and(|base| base.golden.is_some()) {
                    findings.push(no_golden_set(path));
                } else {
                    warnings.push(no_golden_set(path).into_warning());
                }
                continue;
            }
            warnings.append(&mut loaded.warnings);
            let base = base.map(LoadedPrompt::with_waivers_only);
            pairs.push(Pair { path: path.clone(), base, head: loaded.with_waivers_only() });
        }
    }
    if pairs.is_empty() && findings.is_empty() {
        findings.extend(paths.iter().map(no_golden_set));
    }
    // Warnings are for `promptops lint` to tell; what is an error there must not reach a model.
    errors.retain(|finding| finding.severity == Severity::Error);
    match (findings.is_empty(), errors.is_empty()) {
        (true, true) => Ok(pairs),
        (true, false) => Err(LocalError::Lint(errors)),
        (false, _) => Err(LocalError::Findings(findings)),
    }
}

pub(super) async fn load_side(
    files: &Files,
    path: &PromptPath,
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<LoadedPrompt>, LocalError> {
    match load::load(files, path).await {
        Ok(loaded) => Ok(loaded),
        Err(LoadError::Input(found)) => {
            findings.extend(found);
            Ok(Vec::new())
        }
        Err(LoadError::Files(error)) => Err(error.into()),
    }
}

/// A base version that cannot be used is said, and head is measured alone: whoever mends a broken file needs that.
pub(super) async fn load_base(
    files: &Files,
    path: &PromptPath,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<LoadedPrompt>, LocalError> {
    let mut found = Vec::new();
    let loaded = load_side(files, path, &mut found).await?;
    warnings.extend(found.into_iter().map(|finding| finding.noted("on base").into_warning()));
    Ok(loaded)
}

/// The finding for a prompt that nothing tests.
pub fn no_golden_set(path: &PromptPath) -> Diagnostic {
    let stem = prompt::stem(path);
    load::about(
        "no-golden-set",
        path,
        "the prompt has no golden set, so nothing can be measured".to_owned(),
        &format!("add `{stem}.golden.yml` beside it, or `testData` in it"),
    )
}

/// What [`evaluate`] would ask and cost. Asks nobody.
///
/// # Errors
/// When nothing can be planned.
pub async fn estimate(
    gathered: &Gathered,
    overrides: &Overrides,
    provider: Arc<dyn Provider>,
    limits: &RunLimits,
) -> Result<Estimate, LocalError> {
    let plan = plan::plan(&gathered.pairs, &gathered.settings, overrides).map_err(LocalError::Findings)?;
    Ok(run::estimate(&plan, &*provider, limits).await?)
}

/// Plans, runs and decides.
///
/// # Errors
/// When nothing can be planned or measured.
pub async fn evaluate(
    gathered: &Gathered,
    overrides: &Overrides,
    provider: Arc<dyn Provider>,
    limits: &RunLimits,
    events: &(dyn Fn(RunEvent) + Sync),
) -> Result<Report, LocalError> {
    let plan = plan::plan(&gathered.pairs, &gathered.settings, overrides).map_err(LocalError::Findings)?;
    let runs = run::run(&plan, &*provider, limits, events).await?;
    let (base, head) = gathered.revisions();
    let mut report = gathered.named(result::report(&plan, runs, base, head));
    for (prompt, pair) in report.prompts.iter_mut().zip(&gathered.pairs) {
        prompt.golden_set = pair.head.golden.as_ref().map(|set| set.path.clone());
    }
    let ran = lint::after_run(&gathered.pairs, &report, &Config::new(&gathered.settings, false));
    report.diagnostics.extend(ran.findings);
    report.notes.extend(result::unpriced(&plan, &limits.prices));
    if gathered.base.is_some() {
        let new = gathered.pairs.iter().filter(|pair| pair.base.is_none());
        report.notes.extend(new.map(|pair| format!("{} has no version on base to compare with", pair.path)));
    }
    Ok(report)
}
