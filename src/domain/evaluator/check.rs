//! The closed list of kinds and what each that needs no model does to an output. Knows no weight and no name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::compile::CompileError;
use super::find::{Find, FindList, List};
use super::json::{self, NotJson, Schema, Wanted};
use super::judge::Judge;
use super::pattern::Pattern;
use super::phrases::Phrases;
use super::spec::{Extent, Likeness, Sensitive};
use super::sql::Sql;
use super::text::{Facts, MissingValue, Text, quote};
use super::xml::Required;
use super::{Answer, Assessment, Evaluation, facts, html, likeness, refusal, sensitive, tools, xml};

/// Largest product of lengths for which an edit distance is computed: time grows with it.
const DISTANCE_CELLS: usize = 100_000_000;

/// Why an answer could not be judged. That is never a pass, not even of an evaluator that is turned round.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unjudged(Cow<'static, str>);

impl Unjudged {
    pub fn new(why: String) -> Self {
        Self(why.into())
    }
}

impl From<&'static str> for Unjudged {
    fn from(why: &'static str) -> Self {
        Self(why.into())
    }
}

impl From<MissingValue> for Unjudged {
    fn from(missing: MissingValue) -> Self {
        Self(missing.to_string().into())
    }
}

/// A compiled kind.
#[derive(Debug)]
pub(super) enum Check {
    /// The trimmed answer is this text.
    EqualsText(Text),
    /// The answer is JSON equal to this value.
    EqualsJson(Wanted),
    /// A text stands at a place.
    Find(Find),
    /// Several texts are contained.
    FindList(FindList),
    /// A pattern matches.
    Regex(Matcher),
    /// The answer is JSON.
    IsJson,
    /// The answer is JSON that a schema accepts.
    JsonSchema(Schema),
    /// A JSON object stands in the answer, one that the schema accepts where there is one.
    ContainsJson(Option<Schema>),
    /// The answer is, or holds, XML with some elements.
    Xml(Extent, Required),
    /// The answer is, or holds, HTML.
    Html(Extent),
    /// The answer is, or holds, SQL.
    Sql(Extent, Sql),
    /// Number of words, bounds included.
    WordCount {
        /// Fewest words.
        min: Option<u64>,
        /// Most words.
        max: Option<u64>,
    },
    /// Edit distance.
    Levenshtein {
        /// The text to be near to.
        to: Text,
        /// Largest distance that passes.
        max: u64,
        /// Lowest score that passes, where the file gives one as well.
        threshold: Option<f64>,
    },
    /// Likeness to the nearest of some texts.
    Likeness {
        /// How it is measured.
        measure: Likeness,
        /// The texts.
        to: Vec<Text>,
        /// Lowest score that passes.
        threshold: f64,
    },
    /// The answer declines.
    IsRefusal,
    /// The model stopped for this reason.
    FinishReason(Text),
    /// Largest cost in USD.
    Cost(f64),
    /// Longest time in milliseconds.
    Latency(f64),
    /// The answer calls a function that the prompt has.
    FunctionCall,
    /// The answer calls tools that the prompt has.
    ToolCalls,
    /// Likeness of the names of called tools to these.
    ToolCallF1 {
        /// The tools to call.
        wanted: List,
        /// Lowest score that passes.
        threshold: f64,
    },
    /// The answer holds no sensitive data but of these kinds.
    SensitiveData(Vec<Sensitive>),
    /// The answer has none of these phrases.
    BannedPhrases(Phrases),
    /// A judge model has to be asked.
    Judge(Judge),
}

/// A pattern: compiled once, or, where it has places, for each case.
#[derive(Debug)]
pub(super) enum Matcher {
    /// The same for every case.
    Fixed(Pattern),
    /// Compiled after it is filled.
    Filled(Text),
}

impl Check {
    /// Judges an output, or builds the question for who can.
    pub fn evaluate(&self, answer: &Answer<'_>, case: Facts<'_>) -> Result<Evaluation, Unjudged> {
        let output = answer.text;
        Ok(Evaluation::Assessed(match self {
            Self::Judge(judge) => return Ok(judge.evaluate(answer, case)?),
            Self::EqualsText(text) => equals_text(output.trim(), text.fill(case)?.trim()),
            Self::EqualsJson(wanted) => equals_json(output, wanted, case)?,
            Self::Find(find) => find.assess(output, case)?,
            Self::FindList(find) => find.assess(output, case)?,
            Self::Regex(matcher) => matcher.assess(output, case)?,
            Self::IsJson => found(json::well_formed(output), "is JSON"),
            Self::JsonSchema(schema) => json_schema(output, schema)?,
            Self::ContainsJson(schema) => contains_json(output, schema.as_ref()),
            Self::Xml(Extent::Whole, required) => found(xml::whole(output, required), "is XML"),
            Self::Xml(Extent::Part, required) => found(xml::part(output, required), "contains XML"),
            Self::Html(Extent::Whole) => found(html::whole(output).map_err(str::to_owned), "is HTML"),
            Self::Html(Extent::Part) if html::part(output) => Assessment::plain(true, "contains HTML"),
            Self::Html(Extent::Part) => Assessment::plain(false, "contains no HTML"),
            Self::Sql(Extent::Whole, sql) => found(sql.whole(output)?, "is SQL"),
            Self::Sql(Extent::Part, sql) => found(sql.part(output)?, "contains SQL"),
            Self::WordCount { min, max } => word_count(output, *min, *max),
            Self::Levenshtein { to, max, threshold } => levenshtein(output, &to.fill(case)?, *max, *threshold)?,
            Self::Likeness { measure, to, threshold } => {
                let to = to.iter().map(|text| text.fill(case)).collect::<Result<Vec<_>, _>>()?;
                let score = likeness::score(*measure, output, &to);
                Assessment::graded(score, Some(*threshold), &format!("score {score:.3}, at least {threshold} wanted"))
            }
            Self::IsRefusal if refusal::is_refusal(output) => Assessment::plain(true, "declines to help"),
            Self::IsRefusal => Assessment::plain(false, "does not decline to help"),
            Self::FinishReason(wanted) => facts::finish_reason(answer, &wanted.fill(case)?)?,
            Self::Cost(most) => facts::cost(answer, *most)?,
            Self::Latency(most) => facts::latency(answer, *most)?,
            Self::FunctionCall => found(tools::function_call(answer)?, "the call is valid"),
            Self::ToolCalls => found(tools::tool_calls(answer)?, "every call is valid"),
            Self::ToolCallF1 { wanted, threshold } => tool_call_f1(output, wanted.fill(case)?, *threshold)?,
            Self::SensitiveData(allow) => {
                found(sensitive::found(output, allow).map_or(Ok(()), Err), "holds no sensitive data")
            }
            Self::BannedPhrases(phrases) => phrases.assess(output, case)?,
        }))
    }

    /// The names a case must give a value for.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::EqualsText(text) | Self::Levenshtein { to: text, .. } | Self::FinishReason(text) => text.variables(),
            Self::EqualsJson(wanted) => wanted.variables(),
            Self::Find(find) => find.variables(),
            Self::FindList(find) => find.variables(),
            Self::Likeness { to, .. } => to.iter().flat_map(Text::variables).collect(),
            Self::ToolCallF1 { wanted, .. } => wanted.variables(),
            Self::BannedPhrases(phrases) => phrases.variables(),
            Self::Regex(Matcher::Filled(text)) => text.variables(),
            Self::Judge(judge) => judge.variables(),
            Self::Regex(Matcher::Fixed(_))
            | Self::IsJson
            | Self::JsonSchema(_)
            | Self::ContainsJson(_)
            | Self::Xml(..)
            | Self::Html(_)
            | Self::Sql(..)
            | Self::WordCount { .. }
            | Self::IsRefusal
            | Self::Cost(_)
            | Self::Latency(_)
            | Self::FunctionCall
            | Self::ToolCalls
            | Self::SensitiveData(_) => Vec::new(),
        }
    }

    /// Whether all texts can be filled from a case, and the patterns they make compile.
    pub fn check_case(&self, facts: Facts<'_>) -> Result<(), CompileError> {
        let known = |name: &str| (name == "expected" && facts.expected.is_some()) || facts.vars.contains_key(name);
        if let Some(name) = self.variables().into_iter().find(|name| !known(name)) {
            return Err(CompileError::new(format!("variable `{name}` has no value in this case"))
                .help(format!("add `{name}` to the case's vars, or take it out of the evaluator")));
        }
        match self {
            Self::Regex(Matcher::Filled(text)) => match text.fill(facts) {
                Ok(source) => Pattern::compile(&source).map(|_| ()),
                Err(missing) => Err(CompileError::new(missing.to_string())),
            },
            _ => Ok(()),
        }
    }
}

fn equals_text(answer: &str, wanted: &str) -> Assessment {
    if answer == wanted {
        Assessment::plain(true, "equals the expected text")
    } else {
        Assessment::of(false, format!("expected {}, got {}", quote(wanted), quote(answer)))
    }
}

impl Matcher {
    fn assess(&self, output: &str, facts: Facts<'_>) -> Result<Assessment, Unjudged> {
        let matched = match self {
            Self::Fixed(pattern) => pattern.is_match(output),
            Self::Filled(text) => match Pattern::compile(&text.fill(facts)?) {
                Ok(pattern) => pattern.is_match(output),
                Err(error) => return Err(Unjudged::new(error.to_string())),
            },
        };
        match matched {
            Ok(true) => Ok(Assessment::plain(true, "the pattern matches")),
            Ok(false) => Ok(Assessment::plain(false, "the pattern does not match")),
            Err(_) => Err(Unjudged::from("the pattern ran out of steps on this answer; simplify its repeats")),
        }
    }
}

fn word_count(output: &str, min: Option<u64>, max: Option<u64>) -> Assessment {
    let words = output.split_whitespace().count() as u64;
    let passed = min.is_none_or(|min| words >= min) && max.is_none_or(|max| words <= max);
    Assessment::of(passed, format!("{words} words, wanted {}", bounds(min, max)))
}

/// Bounds in words.
pub(super) fn bounds(min: Option<u64>, max: Option<u64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) if min == max => format!("{min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number".to_owned(),
    }
}

/// Passes at a distance of at most `max`. With a threshold it is graded: the score is 1 − distance / longer length.
fn levenshtein(output: &str, to: &str, max: u64, threshold: Option<f64>) -> Result<Assessment, Unjudged> {
    let (answer, wanted) = (output.trim(), to.trim());
    let (long, short) = (answer.chars().count(), wanted.chars().count());
    if answer != wanted && long.saturating_mul(short) > DISTANCE_CELLS {
        return Err(Unjudged::new(format!("too long to compare: {long} and {short} characters")));
    }
    let distance = if answer == wanted { 0 } else { strsim::levenshtein(answer, wanted) };
    let near = distance as u64 <= max;
    let reason = format!("edit distance {distance}, at most {max} wanted");
    let Some(threshold) = threshold else { return Ok(Assessment::of(near, reason)) };
    #[expect(clippy::cast_precision_loss, reason = "lengths stay far below 2^52")]
    let score = 1.0 - distance as f64 / long.max(short).max(1) as f64;
    let graded = Assessment::graded(score, Some(threshold), &reason);
    Ok(Assessment { passed: graded.passed && near, ..graded })
}

fn equals_json(output: &str, wanted: &Wanted, case: Facts<'_>) -> Result<Assessment, Unjudged> {
    Ok(match parsed(output)? {
        Err(reason) => Assessment::of(false, reason),
        Ok(answer) if wanted.matches(&answer, case)? => Assessment::plain(true, "equal as JSON"),
        Ok(_) => Assessment::plain(false, "differs from the expected JSON"),
    })
}

fn json_schema(output: &str, schema: &Schema) -> Result<Assessment, Unjudged> {
    let accepted = parsed(output)?.and_then(|answer| schema.violation(&answer).map_or(Ok(()), Err));
    Ok(found(accepted, "the schema accepts it"))
}

fn tool_call_f1(output: &str, wanted: Vec<Cow<'_, str>>, threshold: f64) -> Result<Assessment, Unjudged> {
    if wanted.is_empty() {
        return Err(Unjudged::from("no tool is wanted in this case, which checks nothing"));
    }
    let wanted: BTreeSet<String> = wanted.into_iter().map(Cow::into_owned).collect();
    let (score, reason) = tools::f1(output, &wanted);
    Ok(Assessment::graded(score, Some(threshold), &reason))
}

/// The assessment of a check that either holds or says why not.
fn found(found: Result<(), String>, holds: &'static str) -> Assessment {
    match found {
        Ok(()) => Assessment::plain(true, holds),
        Err(reason) => Assessment::of(false, reason),
    }
}

/// The answer as JSON, or why it is none. What is too deep to tell is not judged.
fn parsed(output: &str) -> Result<Result<serde_json::Value, String>, Unjudged> {
    match json::parse(output) {
        Ok(answer) => Ok(Ok(answer)),
        Err(NotJson { reason, too_deep: true }) => Err(Unjudged::new(reason)),
        Err(NotJson { reason, too_deep: false }) => Ok(Err(reason)),
    }
}

/// With a schema the whole answer counts too, be it an array or another value.
fn contains_json(output: &str, schema: Option<&Schema>) -> Assessment {
    let Some(schema) = schema else {
        let holds = json::objects(output).next().map(|_| ());
        return found(holds.ok_or_else(|| "contains no JSON object".to_owned()), "contains JSON");
    };
    let mut reason = "contains no JSON object".to_owned();
    for value in json::parse(output).ok().into_iter().chain(json::objects(output)) {
        match schema.violation(&value) {
            None => return Assessment::plain(true, "contains JSON that the schema accepts"),
            Some(violation) => reason = violation,
        }
    }
    Assessment::of(false, reason)
}

#[cfg(test)]
mod tests;
