//! The repository's settings as editors see them: `.github/promptops.yml`.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Model, Text};
use crate::domain::lint::{CATALOGUE, LEVELS};
use crate::domain::settings;
use crate::domain::settings::approval;

/// What PromptOps does in this repository. Read from the base branch of a pull request.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "PromptOps settings")]
pub struct Settings {
    /// Which files are prompts.
    pub prompts: Option<Prompts>,
    /// How prompts are evaluated, and what decides.
    pub evaluation: Option<Evaluation>,
    /// Named groups of people for rules: name to `@user`, `@org/team` and other roles.
    pub roles: Option<BTreeMap<String, Members>>,
    /// Who must approve what; every rule whose `when` holds must be satisfied.
    pub approval: Option<Vec<Rule>>,
    /// Who may let a blocked evaluation pass with `/promptops override`. Absent: nobody.
    #[schemars(rename = "override")]
    pub overriders: Option<Quorum>,
    /// What every prompt must have and must not say.
    pub lint: Option<Lint>,
    /// What no repository can loosen; only in the settings of an organisation's `.github` repository.
    pub enforce: Option<Enforce>,
}

/// What no repository of the organisation can loosen: where both say something, the stricter counts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Enforce {
    /// Which files are governed everywhere.
    pub prompts: Option<EnforcePrompts>,
    /// Bounds of evaluations.
    pub evaluation: Option<EnforceEvaluation>,
    /// Name to users and teams, for the rules below.
    pub roles: Option<BTreeMap<String, Members>>,
    /// Rules of every repository, beside its own.
    pub approval: Option<Vec<Rule>>,
    /// The only people who may let a blocked change through.
    #[schemars(rename = "override")]
    pub overriders: Option<Quorum>,
    /// What every prompt must have and must not say, besides what its repository asks for.
    pub lint: Option<Lint>,
}

/// Which files are governed everywhere.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EnforcePrompts {
    /// Globs that are governed in every repository, whatever it excludes.
    pub include: Option<Vec<Text>>,
}

/// Bounds of evaluations in every repository.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EnforceEvaluation {
    /// The only model of judges that name none.
    pub judge: Option<Model>,
    /// Fewest samples per case and side.
    #[schemars(range(min = 1, max = 100))]
    pub trials: Option<u32>,
    /// Largest margin.
    #[schemars(range(min = 0, max = 1))]
    pub margin: Option<f64>,
    /// Lowest floor for the new text.
    #[schemars(range(min = 0, max = 1))]
    pub min_score: Option<f64>,
    /// Largest `max_cost_increase`.
    #[schemars(range(min = 0))]
    pub max_cost_increase: Option<f64>,
    /// Largest `max_latency_increase`.
    #[schemars(range(min = 0))]
    pub max_latency_increase: Option<f64>,
    /// Largest budgets.
    pub budget: Option<Budget>,
    /// The least that forks are kept from.
    pub forks: Option<Forks>,
}

/// Which files are prompts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Prompts {
    /// Globs of governed prompts. Absent: every file in a known prompt format.
    #[schemars(length(min = 1))]
    pub include: Option<Vec<Text>>,
    /// Globs of those that are not.
    pub exclude: Option<Vec<Text>>,
}

/// How prompts are evaluated.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Evaluation {
    /// Model of prompts that name none, as `provider/model`.
    pub model: Option<Model>,
    /// Model of judges that name none.
    pub judge: Option<Model>,
    /// Model that turns texts into vectors for `similar`.
    pub embeddings: Option<Model>,
    /// Samples per case and side.
    #[schemars(range(min = 1, max = 100), extend("default" = 1))]
    pub trials: Option<u32>,
    /// A drop in mean score that the team would overlook. Decides between `pass` and `no regression found`.
    #[schemars(range(min = 0, max = 1), extend("default" = 0.05))]
    pub margin: Option<f64>,
    /// Absolute floor: a mean score of the new text below it blocks.
    #[schemars(range(min = 0, max = 1))]
    pub min_score: Option<f64>,
    /// Highest relative increase of the median cost of an answer: 0.25 allows a quarter more.
    #[schemars(range(min = 0))]
    pub max_cost_increase: Option<f64>,
    /// Highest relative increase of the median time of an answer.
    #[schemars(range(min = 0))]
    pub max_latency_increase: Option<f64>,
    /// What runs may cost.
    pub budget: Option<Budget>,
    /// What may run for pull requests from forks: `approve` evaluates a commit once somebody with write permission
    /// comments `/promptops eval` with it; `lint` only lints; `never` refuses.
    #[schemars(extend("default" = "approve"))]
    pub forks: Option<Forks>,
}

/// What runs may cost, in USD.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Budget {
    /// Most that one run may cost; `--max-cost` says otherwise on the command line.
    #[schemars(range(min = 0))]
    pub run_usd: Option<f64>,
    /// Most that all runs of the repository may cost on a day. Counted by the service.
    #[schemars(range(min = 0))]
    pub day_usd: Option<f64>,
    /// Most that all runs of one pull request may cost. Counted by the service.
    #[schemars(range(min = 0))]
    pub pull_request_usd: Option<f64>,
    /// Most that all runs of one author's pull requests may cost on a day. Counted by the service.
    #[schemars(range(min = 0))]
    pub author_day_usd: Option<f64>,
}

/// An approval rule.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique.
    pub name: Text,
    /// When it applies; all that is given must hold. Absent: always.
    pub when: Option<When>,
    /// Who must approve.
    pub require: Require,
}

/// When a rule applies; all that is given must hold.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct When {
    /// A glob matches a changed governed file, by either name of a rename, in any case.
    #[schemars(length(min = 1))]
    pub paths: Option<Vec<Text>>,
    /// The pull request changes one of these; `golden_set_weakened` is a golden set that became less strict.
    #[schemars(length(min = 1))]
    pub changes: Option<Vec<Change>>,
    /// The evaluation ended as one of these. Once such a rule is satisfied, that ending does not block any more.
    #[schemars(length(min = 1))]
    pub verdict: Option<Vec<Verdict>>,
    /// Who opened the pull request: roles, `@user`, `@org/team` or `permission:write`.
    #[schemars(length(min = 1))]
    pub author: Option<Vec<Text>>,
    /// Whether it comes from a fork.
    pub fork: Option<bool>,
    /// A glob matches the name of the branch it goes to; case counts.
    #[schemars(length(min = 1))]
    pub base: Option<Vec<Text>>,
    /// It has one of these labels, in any case.
    #[schemars(length(min = 1))]
    pub labels: Option<Vec<Text>>,
    /// Lint found something as bad as one of these.
    #[schemars(length(min = 1))]
    pub lint: Option<Vec<Severity>>,
    /// It changes more than so much. A number of lines that GitHub does not say counts as more.
    pub size: Option<Size>,
}

/// More than so much is changed; any that is given.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Size {
    /// More governed files.
    pub files_over: Option<u32>,
    /// More lines added and removed in them.
    pub lines_over: Option<u32>,
}

/// One quorum, or one or each of several requirements.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Require {
    /// One quorum.
    Quorum(Quorum),
    /// Any of several.
    Any(AnyOf),
    /// Each of several.
    All(AllOf),
}

/// Any of several requirements.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AnyOf {
    /// Requirements of which one is enough; up to eight deep.
    #[schemars(length(min = 1, max = 50))]
    pub any_of: Vec<Require>,
}

/// Each of several requirements.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AllOf {
    /// Requirements that must all be met; up to eight deep.
    #[schemars(length(min = 1, max = 50))]
    pub all_of: Vec<Require>,
}

/// So many approvals of such people.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Quorum {
    /// How many different people.
    #[schemars(range(min = 1, max = 100), extend("default" = 1))]
    pub count: Option<u32>,
    /// Who counts: roles, `@user`, `@org/team`, `owner`, `codeowners`, `permission:write` (`maintain`, `admin`).
    #[schemars(length(min = 1))]
    pub from: Vec<Text>,
}

/// What every prompt must have and must not say.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lint {
    /// Phrases no prompt may hold, in any case.
    pub banned_phrases: Option<Vec<Text>>,
    /// Metadata every prompt must have.
    pub require: Option<Vec<Metadata>>,
    /// Levels of lint rules, where they are not the rule's own.
    pub rules: Option<LintRules>,
}

/// Declares a type whose schema is a list of words or a list of one kind of word.
macro_rules! words {
    ($(#[doc = $doc:literal] $name:ident: $schema:expr;)+) => {$(
        #[doc = $doc]
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

words! {
    /// What may run for forks.
    Forks: json_schema!({ "enum": settings::FORKS });
    /// What a pull request changes.
    Change: json_schema!({ "enum": approval::when::CHANGES.map(|(name, _)| name) });
    /// How an evaluation ended.
    Verdict: json_schema!({ "enum": approval::when::VERDICTS.map(|(name, _)| name) });
    /// A key of the prompt file.
    Metadata: json_schema!({ "enum": settings::METADATA });
    /// How bad a finding of lint is.
    Severity: json_schema!({ "enum": approval::when::SEVERITIES.map(|(name, _)| name) });
    /// Users, teams and other roles.
    Members: json_schema!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } });
    /// Lint rules with their levels.
    LintRules: json_schema!({
        "type": "object",
        "additionalProperties": false,
        "properties": CATALOGUE.iter().map(|about| {
            let rule = serde_json::json!({ "description": about.title, "enum": LEVELS, "default": about.level.name() });
            (about.name.to_owned(), rule)
        }).collect::<serde_json::Map<_, _>>(),
    });
}
