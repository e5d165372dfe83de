//! Tests of a policy as editors see them: `.github/promptops.tests.yml`.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::Text;
use super::settings::{Change, Verdict};
use crate::domain::policy_tests::read;

/// Tests of the approval policy: facts in, the expected decision out.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "PromptOps policy tests")]
pub struct PolicyTests {
    /// Team to its members, or `unreadable`; a team that is not listed cannot be read.
    pub teams: Option<BTreeMap<String, Team>>,
    /// Person to their permission in the repository.
    pub permissions: Option<BTreeMap<String, Level>>,
    /// The tests.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Test {
    /// Its name, unique.
    pub name: Text,
    /// The pull request.
    pub pull: Pull,
    /// Its reviews, oldest first.
    pub reviews: Option<Vec<Review>>,
    /// How the evaluation ended; absent while it has not.
    pub verdict: Option<Verdict>,
    /// What the policy must make of it; what is absent is not looked at.
    pub expect: Expect,
}

/// An imagined pull request.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pull {
    /// Who opened it.
    pub author: Text,
    /// The branch it goes to; `main` if absent.
    pub base: Option<Text>,
    /// Whether it comes from a fork.
    pub fork: Option<bool>,
    /// Its labels.
    pub labels: Option<Vec<Text>>,
    /// The files it changes: a list, or path to kind where the name does not tell.
    pub changes: Changes,
    /// Whom the changed prompts name as owners on the base branch.
    pub owners: Option<Vec<Text>>,
    /// Changed prompts that name no owner there.
    pub unowned: Option<Vec<Text>>,
    /// How much it changes.
    pub size: Option<Size>,
    /// What lint found.
    pub lint: Option<Lint>,
    /// Who made its commits, `unknown` for nobody with an account; the author if absent.
    pub commits_by: Option<Vec<Text>>,
}

/// How much a pull request changes.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Size {
    /// Governed files.
    pub files: Option<u64>,
    /// Lines in them.
    pub lines: Option<u64>,
}

/// Findings of lint.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lint {
    /// Errors.
    pub errors: Option<u64>,
    /// Warnings.
    pub warnings: Option<u64>,
}

/// A review.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Review {
    /// By whom.
    pub by: Text,
    /// What it says.
    pub state: ReviewState,
    /// `outdated` where the governed content has changed since; `head` if absent.
    pub at: Option<ReviewAt>,
}

/// What is expected.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
pub struct Expect {
    /// Where the approvals stand.
    pub approval: Option<Approval>,
    /// Whether the evaluation lets the change pass.
    pub evaluation: Option<Evaluation>,
    /// Rule to where it stands.
    pub rules: Option<BTreeMap<String, Stands>>,
}

fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}

/// Declares a type whose schema is one of the reader's tables of words.
macro_rules! choices {
    ($(#[doc = $doc:literal] $name:ident: $schema:expr;)+) => {$(
        #[doc = $doc]
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                concat!("PolicyTest", stringify!($name)).into()
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

choices! {
    /// Members, or that the team cannot be read.
    Team: json_schema!({ "anyOf": [
        { "type": "array", "items": { "type": "string" } }, { "enum": [read::UNREADABLE] },
    ] });
    /// A permission.
    Level: json_schema!({ "enum": words(&read::PERMISSIONS) });
    /// A review's state.
    ReviewState: json_schema!({ "enum": words(&read::REVIEW_STATES) });
    /// What a review has seen.
    ReviewAt: json_schema!({ "enum": words(&read::REVIEW_AT) });
    /// Where all rules stand.
    Approval: json_schema!({ "enum": words(&read::STANDS[..read::STANDS.len() - 1]) });
    /// Where a rule stands.
    Stands: json_schema!({ "enum": words(&read::STANDS) });
    /// Whether the evaluation lets the change pass.
    Evaluation: json_schema!({ "enum": words(&read::EVALUATION) });
}

/// Changed files.
pub struct Changes;

impl JsonSchema for Changes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PolicyTestChanges".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kind = Change::json_schema(generator);
        json_schema!({ "anyOf": [
            { "type": "array", "items": { "type": "string" } },
            { "type": "object", "additionalProperties": {
                "anyOf": [{ "type": "array", "items": kind }, kind, { "const": null }],
            } },
        ] })
    }
}
