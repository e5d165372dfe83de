//! Pairs the two sides of a change into one run's plan. Reads nothing, asks nobody.

use super::load::{LoadedPrompt, about};
use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::evaluator::Evaluator;
use crate::domain::gate::GateSettings;
use crate::domain::golden::GoldenSet;
use crate::domain::golden::difference::plan_cases;
use crate::domain::ids::{Digest, ModelId, PromptPath};
use crate::domain::settings::Settings;
use crate::engine::run::{PlannedPrompt, RunPlan};

/// One changed prompt, loaded on both sides.
#[derive(Debug)]
pub struct Pair {
    /// Head's path.
    pub path: PromptPath,
    /// Before the change; `None` for a new prompt, or where there is nothing to compare with.
    pub base: Option<LoadedPrompt>,
    /// After it.
    pub head: LoadedPrompt,
}

/// What overrides the settings for one run.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// One model for every prompt.
    pub model: Option<ModelId>,
    /// Another one for the base side, where two models are compared.
    pub base_model: Option<ModelId>,
    /// Samples per case and side.
    pub trials: Option<u32>,
    /// Seed of the random draws.
    pub seed: Option<u64>,
    /// Any failing case blocks.
    pub strict: bool,
    /// Base's version of removed and edited cases goes on gating.
    pub base_gates: bool,
}

/// The plan of a run over `pairs`.
///
/// # Errors
/// A finding for each prompt that names no model and has none in the settings.
pub fn plan(pairs: &[Pair], settings: &Settings, overrides: &Overrides) -> Result<RunPlan, Vec<Diagnostic>> {
    let mut prompts = Vec::with_capacity(pairs.len());
    let mut findings = Vec::new();
    for pair in pairs {
        match planned(pair, settings, overrides) {
            Ok(prompt) => prompts.push(prompt),
            Err(finding) => findings.push(*finding),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let seed = overrides.seed.unwrap_or_else(|| identity(pairs).seed());
    Ok(RunPlan {
        prompts,
        gate: gate_settings(settings, overrides, seed),
        judge: settings.judge.clone(),
        embeddings: settings.embeddings.clone(),
    })
}

fn planned(pair: &Pair, settings: &Settings, overrides: &Overrides) -> Result<PlannedPrompt, Box<Diagnostic>> {
    let model = |side: &LoadedPrompt| {
        overrides.model.clone().or_else(|| side.prompt.model.clone()).or_else(|| settings.model.clone())
    };
    let head_model = model(&pair.head).ok_or_else(|| {
        Box::new(about(
            "no-model",
            &pair.path,
            "the prompt names no model".to_owned(),
            "add `model: provider/name` to it, or set `evaluation.model` in .github/promptops.yml",
        ))
    })?;
    let base = pair.base.as_ref().map(|base| {
        let model = overrides.base_model.clone().or_else(|| model(base)).unwrap_or_else(|| head_model.clone());
        (base.prompt.clone(), model)
    });
    let sets = pair.base.iter().chain([&pair.head]).filter_map(|side| side.golden.as_ref());
    // Every model that judges must be named, before anything is asked.
    if let Some(open) = sets.filter_map(|set| unnamed_model(set, settings)).next() {
        return Err(Box::new(open));
    }
    let base_golden = pair.base.as_ref().and_then(|base| base.golden.as_ref());
    let cases = plan_cases(base_golden, pair.head.golden.as_ref(), overrides.base_gates);
    // How often is asked decides too: where base gates, base's word counts, and a new file may ask for no more than usual.
    let own = match &pair.base {
        Some(base) if overrides.base_gates => base.prompt.trials,
        None if overrides.base_gates => pair.head.prompt.trials.map(|trials| trials.min(settings.trials)),
        _ => pair.head.prompt.trials,
    };
    let trials = overrides.trials.or(own);
    Ok(PlannedPrompt { path: pair.path.clone(), base, head: (pair.head.prompt.clone(), head_model), cases, trials })
}

/// A golden set that a model judges while none is named for it: nothing can be run. At the line of the first such case.
pub(super) fn unnamed_model(set: &GoldenSet, settings: &Settings) -> Option<Diagnostic> {
    let first = |is_open: fn(&Evaluator) -> bool| set.cases.iter().find(|case| case.evaluators.iter().any(is_open));
    let (code, case, message, help) = if settings.judge.is_none()
        && let Some(case) = first(Evaluator::needs_default_judge)
    {
        let message = format!("case `{}` is judged by a model, and no judge model is named", case.id);
        let help = "set `evaluation.judge: provider/model` in .github/promptops.yml, or `model` in the judge evaluator";
        ("no-judge", case, message, help)
    } else if settings.embeddings.is_none()
        && let Some(case) = first(Evaluator::needs_default_embeddings)
    {
        let message = format!("case `{}` is compared by embeddings, and no embeddings model is named", case.id);
        let help = "set `evaluation.embeddings: provider/model` in .github/promptops.yml, or `model` in the `similar` \
                    evaluator";
        ("no-embeddings", case, message, help)
    } else {
        return None;
    };
    let line = Location { line: case.line.max(1), column: 1, length: 0 };
    Some(about(code, &set.path, message, help).at(line, None))
}

fn gate_settings(settings: &Settings, overrides: &Overrides, seed: u64) -> GateSettings {
    GateSettings {
        trials: overrides.trials.unwrap_or(settings.trials),
        margin: settings.margin,
        min_score: settings.min_score,
        max_cost_increase: settings.max_cost_increase,
        max_latency_increase: settings.max_latency_increase,
        strict: overrides.strict,
        seed,
    }
}

/// What identifies a run: the text of its prompts and the definitions of its cases, so that the same change draws the same.
fn identity(pairs: &[Pair]) -> Digest {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for pair in pairs {
        parts.push(pair.path.as_str().as_bytes().to_vec());
        for side in pair.base.iter().chain([&pair.head]) {
            parts.push(side.prompt.body.source().into_bytes());
            let cases = side.golden.iter().flat_map(|set| &set.cases);
            parts.extend(cases.map(|case| case.definition.0.to_vec()));
        }
    }
    Digest::of_parts(parts.iter().map(Vec::as_slice))
}
