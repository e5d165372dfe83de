//! `enforce`: what an organisation's settings hold every repository to. Read here from the organisation's own file; knows no
//! repository's settings.

use std::collections::BTreeMap;

use super::{BUDGETS, Forks, Settings, approval, at_least_zero, read_forks, read_globs, read_lint};
use crate::domain::budget::Budgets;
use crate::domain::evaluator_syntax::read_model;
use crate::domain::ids::ModelId;
use crate::domain::lint::catalogue::{Level, RuleId};
use crate::domain::node::Node;
use crate::domain::policy::{Quorum, Rule};
use crate::domain::reader::{Reader, Unknown};

/// Keys of `enforce`.
pub(in crate::domain) const ENFORCE: [&str; 6] = ["prompts", "evaluation", "roles", "approval", "override", "lint"];
/// Keys of `enforce.prompts`.
pub(in crate::domain) const ENFORCE_PROMPTS: [&str; 1] = ["include"];
/// Keys of `enforce.evaluation`.
pub(in crate::domain) const ENFORCE_EVALUATION: [&str; 8] =
    ["judge", "trials", "margin", "min_score", "max_cost_increase", "max_latency_increase", "budget", "forks"];

/// What stands before the name of a rule that an organisation enforces; no other rule may begin so.
pub const RULE_PREFIX: &str = "organisation: ";

/// What no repository of an organisation can loosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Enforced {
    /// Globs that are governed in every repository, whatever it excludes.
    pub always: Vec<String>,
    /// The only model of judges that name none.
    pub judge: Option<ModelId>,
    /// Fewest samples per case and side.
    pub trials: Option<u32>,
    /// Largest margin.
    pub margin: Option<f64>,
    /// Lowest floor.
    pub min_score: Option<f64>,
    /// Largest relative increase of the median cost.
    pub max_cost_increase: Option<f64>,
    /// Largest relative increase of the median latency.
    pub max_latency_increase: Option<f64>,
    /// Largest budgets.
    pub budgets: Budgets,
    /// The least that forks are kept from.
    pub forks: Option<Forks>,
    /// Rules that count in every repository; their names begin with [`RULE_PREFIX`], their roles are the organisation's.
    pub rules: Vec<Rule>,
    /// The only people who may override.
    pub overriders: Option<Quorum>,
    /// Phrases no prompt may hold.
    pub banned_phrases: Vec<String>,
    /// Metadata every prompt must have.
    pub required_metadata: Vec<String>,
    /// The least that a finding of a lint rule does.
    pub lint_rules: BTreeMap<RuleId, Level>,
}

/// Reads `enforce`. `settings` are the organisation's own, whose roles its rules may name as well.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, settings: &Settings) -> Option<Enforced> {
    let fields = reader.fields(node, "`enforce`", &ENFORCE, Unknown::Refused)?;
    let mut enforced = Enforced::default();
    if let Some(node) = fields.get("prompts")
        && let Some(fields) = reader.fields(node, "`enforce.prompts`", &ENFORCE_PROMPTS, Unknown::Refused)
    {
        enforced.always = fields.read(reader, "include", read_globs).unwrap_or_default();
    }
    if let Some(node) = fields.get("evaluation") {
        read_evaluation(reader, node, &mut enforced);
    }
    let mut people = approval::People::read_beside(reader, &fields, &settings.roles);
    let policy = approval::read_policy(reader, &fields, &mut people);
    enforced.rules = policy.rules;
    for rule in &mut enforced.rules {
        rule.name = format!("{RULE_PREFIX}{}", rule.name).into();
    }
    enforced.overriders = policy.overriders;
    if let Some(node) = fields.get("lint") {
        let mut lint = Settings::default();
        read_lint(reader, node, &mut lint);
        enforced.banned_phrases = lint.banned_phrases;
        enforced.required_metadata = lint.required_metadata;
        enforced.lint_rules = lint.lint_rules;
    }
    Some(enforced)
}

fn read_evaluation(reader: &mut Reader<'_>, node: &Node, enforced: &mut Enforced) {
    let what = "`enforce.evaluation`";
    let Some(fields) = reader.fields(node, what, &ENFORCE_EVALUATION, Unknown::Refused) else { return };
    let share = |reader: &mut Reader<'_>, node: &Node, what: &str| reader.number(node, what, 0.0, 1.0);
    enforced.judge = fields.read(reader, "judge", read_model);
    enforced.trials = fields.read(reader, "trials", super::read_trials);
    enforced.margin = fields.read(reader, "margin", share);
    enforced.min_score = fields.read(reader, "min_score", share);
    enforced.max_cost_increase = fields.read(reader, "max_cost_increase", at_least_zero);
    enforced.max_latency_increase = fields.read(reader, "max_latency_increase", at_least_zero);
    enforced.forks = fields.read(reader, "forks", read_forks);
    let Some(node) = fields.get("budget") else { return };
    let Some(fields) = reader.fields(node, "`enforce.evaluation.budget`", &BUDGETS, Unknown::Refused) else { return };
    enforced.budgets = Budgets {
        run_usd: fields.read(reader, "run_usd", at_least_zero),
        pull_request_usd: fields.read(reader, "pull_request_usd", at_least_zero),
        day_usd: fields.read(reader, "day_usd", at_least_zero),
        author_day_usd: fields.read(reader, "author_day_usd", at_least_zero),
    };
}
