//! What files say of an evaluator, before it is compiled: the one form that every file format is read into.

use serde_json::Value;

use crate::domain::ids::ModelId;

pub use super::graded::spec::{FactualityScores, GradedKind, GradedSpec, Measure};

/// An evaluator as a file describes it. Texts are templates over the case's vars and `expected`.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatorSpec {
    /// `name`, where the file gives one.
    pub name: Option<String>,
    /// `weight`; 1 where absent, 0 informs only.
    pub weight: Option<f64>,
    /// `threshold`: the lowest passing score of graded kinds.
    pub threshold: Option<f64>,
    /// `metric`.
    pub metric: Option<String>,
    /// Whether it passes where its kind fails (`not-`).
    pub negated: bool,
    /// The kind and its value.
    pub check: CheckSpec,
}

impl EvaluatorSpec {
    /// A kind with nothing else said of it.
    #[must_use]
    pub fn plain(check: CheckSpec) -> Self {
        Self { name: None, weight: None, threshold: None, metric: None, negated: false, check }
    }
}

/// GitHub's four string operators; all but `equals` ignore case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GithubString {
    /// Equal to the trimmed answer, case-sensitive.
    Equals,
    /// Contained, any case.
    Contains,
    /// At the start, any case.
    StartsWith,
    /// At the end, any case.
    EndsWith,
}

/// GitHub's built-in judges (`uses: github/…`), scored on five steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GithubBuiltin {
    /// Same meaning as `expected`.
    Similarity,
    /// Hangs together.
    Coherence,
    /// Reads well.
    Fluency,
    /// Answers `input`.
    Relevance,
    /// Supported by `expected` as context.
    Groundedness,
}

/// A list of texts as files write it.
#[derive(Debug, Clone, PartialEq)]
pub enum Texts {
    /// A list.
    List(Vec<String>),
    /// One text with commas between the items, for instance from a variable. Items in double quotes may hold commas.
    Commas(String),
}

/// How the likeness of an answer and a reference is measured. All are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Likeness {
    /// BLEU: precision of runs of one to four words, with a penalty for brevity.
    Bleu,
    /// GLEU: the smaller of precision and recall over runs of one to four words.
    Gleu,
    /// ROUGE-N: F1 of single words.
    RougeN,
    /// METEOR: words matched exactly or by stem, with a penalty for disorder.
    Meteor,
    /// Cosine of the counts of character trigrams.
    Lexical,
}

/// What is searched in an answer that may be XML or HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// The answer is nothing else.
    Whole,
    /// It is somewhere in the answer.
    Part,
}

/// Kinds of sensitive data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sensitive {
    /// Tokens and private keys.
    Secret,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Payment card numbers whose check digit is right.
    Card,
    /// International bank account numbers whose check digits are right.
    Iban,
    /// Social security numbers of the United States.
    Ssn,
}

/// SQL dialects, by the names promptfoo gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlDialect {
    /// What most databases read.
    Generic,
    /// MySQL and MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
    /// SQL Server.
    MsSql,
    /// BigQuery.
    BigQuery,
    /// Snowflake.
    Snowflake,
    /// Redshift.
    Redshift,
    /// Hive.
    Hive,
}

/// The kind of an evaluator and its value.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckSpec {
    /// The trimmed answer is exactly this text; a mapping or list is compared as JSON. `None`: the case's `expected`.
    Equals(Option<Value>),
    /// Contained.
    Contains(String),
    /// Contained, any case.
    Icontains(String),
    /// At the start of the trimmed answer.
    StartsWith(String),
    /// At the end of the trimmed answer.
    EndsWith(String),
    /// All, or at least one, of several texts are contained.
    ContainsList {
        /// The texts.
        texts: Texts,
        /// Whether all must be there.
        all: bool,
        /// Whether case does not matter.
        any_case: bool,
    },
    /// The pattern matches somewhere.
    Regex(String),
    /// The answer is JSON.
    IsJson,
    /// The answer is JSON that the schema accepts.
    JsonSchema(Value),
    /// A JSON object stands in the answer; with a schema, one that the schema accepts.
    ContainsJson(Option<Value>),
    /// Well-formed XML with these elements, each a path of names from the root with dots between.
    Xml {
        /// The whole answer or a part of it.
        extent: Extent,
        /// Elements that must be there.
        required: Vec<String>,
    },
    /// HTML.
    Html(Extent),
    /// SQL that the dialect can parse.
    Sql {
        /// The whole answer, or a fenced block of it.
        extent: Extent,
        /// Whose SQL.
        dialect: SqlDialect,
        /// Tables it may name, as `table` or `operation::database::table`; `None`: any.
        tables: Option<Vec<String>>,
    },
    /// Number of words, bounds included.
    WordCount {
        /// Fewest words.
        min: Option<u64>,
        /// Most words.
        max: Option<u64>,
    },
    /// Edit distance to `to` (the case's `expected` where `None`) of at most `max` characters.
    Levenshtein {
        /// The text to be near to.
        to: Option<String>,
        /// Largest distance that passes.
        max: u64,
    },
    /// Likeness to the nearest of these references (to the case's `expected` where there are none), graded.
    Likeness {
        /// How it is measured.
        measure: Likeness,
        /// The references.
        to: Vec<String>,
    },
    /// The answer declines to help.
    IsRefusal,
    /// The model stopped for this reason.
    FinishReason(String),
    /// The answer cost at most this, in USD.
    Cost(f64),
    /// The answer took at most this, in milliseconds.
    Latency(f64),
    /// The answer calls one of the prompt's tools with arguments its schema accepts.
    FunctionCall,
    /// The answer is a list of calls, each of one of the prompt's tools with arguments its schema accepts.
    ToolCalls,
    /// F1 of the names of the tools the answer calls against these; graded, 1 where no threshold is given.
    ToolCallF1(Texts),
    /// No sensitive data but of the allowed kinds.
    SensitiveData {
        /// Kinds that may be there.
        allow: Vec<Sensitive>,
    },
    /// None of these phrases as whole words, in any case.
    BannedPhrases(Vec<String>),
    /// A judge model scores the answer after a rubric, 0 to 1; passes from `threshold` (0.5 where absent).
    Judge {
        /// What to look for.
        rubric: String,
        /// The judge model, where the evaluator names one.
        model: Option<ModelId>,
    },
    /// GitHub's `string`.
    GithubString {
        /// Operator.
        operator: GithubString,
        /// Text.
        value: String,
    },
    /// GitHub's `llm`: a team's own judge prompt with choices; passes at any score above 0.
    GithubChoice {
        /// `modelId`.
        model: Option<ModelId>,
        /// `systemPrompt`.
        system_prompt: Option<String>,
        /// `prompt`, templated with the vars and `{{completion}}`.
        prompt: String,
        /// Choice and score.
        choices: Vec<(String, f64)>,
    },
    /// GitHub's `uses`.
    GithubBuiltin(GithubBuiltin),
    /// A kind that a model grades in a form of its own.
    Graded(GradedSpec),
}

impl CheckSpec {
    /// Whether its score may lie between 0 and 1, so that a threshold says what passes.
    #[must_use]
    pub const fn is_graded(&self) -> bool {
        matches!(
            self,
            Self::Judge { .. }
                | Self::GithubBuiltin(_)
                | Self::GithubChoice { .. }
                | Self::Levenshtein { .. }
                | Self::Likeness { .. }
                | Self::ToolCallF1(_)
        )
    }
}
