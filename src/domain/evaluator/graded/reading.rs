//! The forms in which judges may answer, and how each is read: whole or not at all. Knows no question's words.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::draft::{Draft, Found};
use super::g_eval::Steps;
use super::preference::Preference;
use super::vectors::Nearness;
use crate::domain::evaluator::choices::Choices;
use crate::domain::evaluator::text::quote;
use crate::domain::prompt::ResponseFormat;

/// Most items of a list that a judge may give: more is no answer to any of our questions.
const MOST_ITEMS: usize = 500;

/// How the answer to a question is read.
#[derive(Debug, Clone)]
pub(in crate::domain::evaluator) enum Reading {
    /// A score with a reason.
    Score,
    /// The whole answer is one of these.
    Choice(Arc<Choices>),
    /// One of these, with a reason.
    Verdict(Arc<Choices>),
    /// A list of statements, each of which holds or not; the score of an empty list where that is an answer.
    Share {
        /// Score of an empty list.
        nothing: Option<f64>,
    },
    /// Steps of a g-eval, or the score by them.
    Steps(Steps),
    /// One of two answers.
    Preference(Preference),
    /// A vector.
    Nearness(Nearness),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scored {
    score: f64,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    choice: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    statement: String,
    holds: bool,
}

impl Reading {
    /// Reads an answer.
    ///
    /// # Errors
    /// Why it is none, as the end of a sentence.
    pub fn read(&self, answer: &str) -> Result<Found, String> {
        match self {
            Self::Score => score(answer).map(|(score, reason)| Found::Score(score, reason)),
            Self::Choice(choices) => {
                let (choice, score) = choices.pick(answer).ok_or("is none of the choices")?;
                Ok(Found::Score(score, format!("the judge chose {}", quote(choice))))
            }
            Self::Verdict(choices) => {
                let (choice, score, reason) = verdict(answer, choices)?;
                Ok(Found::Score(score, format!("{choice}: {reason}")))
            }
            Self::Share { nothing } => share(answer, *nothing),
            Self::Steps(steps) => steps.read(answer),
            Self::Preference(preference) => preference.read(answer),
            Self::Nearness(nearness) => nearness.read(answer),
        }
    }

    /// How many questions there are at most before the score, this one included.
    pub fn left(&self) -> u32 {
        match self {
            Self::Steps(steps) => steps.left(),
            Self::Preference(preference) => preference.left(),
            Self::Nearness(nearness) => nearness.left(),
            Self::Score | Self::Choice(_) | Self::Verdict(_) | Self::Share { .. } => 1,
        }
    }

    /// The form that the provider is asked to hold the answer to.
    pub fn format(&self) -> ResponseFormat {
        match self {
            Self::Score => scored_form(),
            Self::Verdict(choices) => chosen_form(&choices.texts()),
            Self::Share { .. } => listed_form(),
            Self::Steps(steps) => steps.format(),
            Self::Preference(_) => chosen_form(&Preference::CHOICES),
            Self::Choice(_) | Self::Nearness(_) => ResponseFormat::Text,
        }
    }
}

/// A JSON object, perhaps in a code fence around all of it, which some models cannot leave out.
pub(super) fn object<'a, T: Deserialize<'a>>(answer: &'a str) -> Result<T, String> {
    let answer = answer.trim();
    let inner = answer.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let inner = inner.map_or(answer, |inner| inner.strip_prefix("json").unwrap_or(inner));
    serde_json::from_str(inner).map_err(|error| format!("is not as asked: {error}"))
}

/// A score and its reason.
pub(super) fn score(answer: &str) -> Result<(f64, String), String> {
    let Scored { score, reason } = object(answer)?;
    if !(0.0..=1.0).contains(&score) {
        return Err("has a score that is not from 0 to 1".to_owned());
    }
    Ok((score, reason))
}

/// A choice, its score and the reason.
pub(super) fn verdict<'c>(answer: &str, choices: &'c Choices) -> Result<(&'c str, f64, String), String> {
    let Chosen { choice, reason } = object(answer)?;
    let (choice, score) = choices.pick(&choice).ok_or("has a choice that is none of the choices")?;
    Ok((choice, score, reason))
}

fn share(answer: &str, nothing: Option<f64>) -> Result<Found, String> {
    let Listed { statements } = object(answer)?;
    if statements.len() > MOST_ITEMS {
        return Err(format!("lists more than {MOST_ITEMS} statements"));
    }
    let all = statements.len();
    let Some(first) = statements.first() else {
        let score = nothing.ok_or("lists no statement")?;
        return Ok(Found::Score(score, "there is nothing to check".to_owned()));
    };
    let holding = statements.iter().filter(|one| one.holds).count();
    let shown = statements.iter().find(|one| !one.holds).unwrap_or(first);
    let word = if shown.holds { "holds" } else { "does not" };
    let reason = format!("{holding} of {all} hold; {} {word}", quote(&shown.statement));
    Ok(Found::Score(super::ratio(holding, all), reason))
}

fn form(name: &str, properties: &Value, required: &[&str]) -> ResponseFormat {
    let schema =
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    ResponseFormat::JsonSchema { name: name.to_owned(), schema: Arc::new(schema), strict: Some(true) }
}

/// A score with its reason.
pub(super) fn scored_form() -> ResponseFormat {
    // The reason comes first, so that the score follows from it; bounds are checked on reading, as not all providers
    // take them in a schema.
    let properties = json!({
        "reason": {"type": "string", "description": "one short sentence"},
        "score": {"type": "number", "description": "from 0 to 1"},
    });
    form("assessment", &properties, &["reason", "score"])
}

fn chosen_form<T: AsRef<str>>(choices: &[T]) -> ResponseFormat {
    let choices: Vec<&str> = choices.iter().map(AsRef::as_ref).collect();
    let properties = json!({
        "reason": {"type": "string", "description": "one short sentence"},
        "choice": {"type": "string", "enum": choices},
    });
    form("verdict", &properties, &["reason", "choice"])
}

fn listed_form() -> ResponseFormat {
    let statement = json!({
        "type": "object",
        "properties": {"statement": {"type": "string"}, "holds": {"type": "boolean"}},
        "required": ["statement", "holds"],
        "additionalProperties": false,
    });
    form("statements", &json!({"statements": {"type": "array", "items": statement}}), &["statements"])
}

/// Steps by which to judge.
pub(super) fn steps_form() -> ResponseFormat {
    let steps = json!({"steps": {"type": "array", "items": {"type": "string"}}});
    form("steps", &steps, &["steps"])
}

impl Draft {
    /// How the answer is asked for, in words: for models that take no schema.
    pub const SCORE: &'static str = "Reply with one JSON object and nothing else: {\"reason\": one short sentence, \
                                     \"score\": a number from 0 to 1}.";
    /// The same for a list of statements.
    pub const STATEMENTS: &'static str = "Reply with one JSON object and nothing else: {\"statements\": [{\"statement\": \
                                          the statement, \"holds\": true or false}, …]}.";

    /// The same for a choice.
    pub fn choice(choices: &[&str]) -> String {
        let choices: Vec<String> = choices.iter().map(|choice| Value::from(*choice).to_string()).collect();
        format!(
            "Reply with one JSON object and nothing else: {{\"reason\": one short sentence, \"choice\": one of {}}}.",
            choices.join(", ")
        )
    }
}
