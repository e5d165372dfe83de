//! The closed list of kinds and what each that needs no model does to an output. Knows no weight and no name.

use std::borrow::Cow;

use super::compile::CompileError;
use super::json::{self, Schema, Wanted};
use super::judge::Judge;
use super::pattern::Pattern;
use super::text::{Facts, MissingValue, Text, fold, quote};
use super::{Answer, Assessment, Evaluation};

/// Largest product of lengths for which an edit distance is computed: time grows with it.
const DISTANCE_CELLS: usize = 100_000_000;

/// A compiled kind.
#[derive(Debug)]
pub(super) enum Check {
    /// The trimmed answer is this text.
    EqualsText(Text),
    /// The answer is JSON equal to this value.
    EqualsJson(Wanted),
    /// A text stands, or does not stand, at a place.
    Find(Find),
    /// A pattern matches.
    Regex(Matcher),
    /// The answer is JSON.
    IsJson,
    /// The answer is JSON that a schema accepts.
    JsonSchema(Schema),
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
    /// A judge model has to be asked.
    Judge(Judge),
}

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere in the answer.
    Anywhere,
    /// At the start of the trimmed answer.
    Start,
    /// At the end of the trimmed answer.
    End,
}

/// A search for a text.
#[derive(Debug)]
pub(super) struct Find {
    place: Place,
    negated: bool,
    any_case: bool,
    text: Text,
    /// The text folded, where it is fixed and case does not matter.
    folded: Option<String>,
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
    pub fn evaluate(&self, answer: &Answer<'_>, facts: Facts<'_>) -> Result<Evaluation, MissingValue> {
        let output = answer.text;
        let assessment = match self {
            Self::Judge(judge) => return judge.evaluate(answer, facts),
            Self::EqualsText(text) => equals_text(output.trim(), text.fill(facts)?.trim()),
            Self::EqualsJson(wanted) => match json::parse(output) {
                Err(reason) => Assessment::of(false, reason),
                Ok(answer) if wanted.matches(&answer, facts)? => Assessment::of(true, "equal as JSON"),
                Ok(_) => Assessment::of(false, "differs from the expected JSON"),
            },
            Self::Find(find) => find.assess(output, facts)?,
            Self::Regex(matcher) => matcher.assess(output, facts)?,
            Self::IsJson => match json::well_formed(output) {
                Ok(()) => Assessment::of(true, "is JSON"),
                Err(reason) => Assessment::of(false, reason),
            },
            Self::JsonSchema(schema) => match json::parse(output).map(|answer| schema.violation(&answer)) {
                Ok(None) => Assessment::of(true, "the schema accepts it"),
                Ok(Some(reason)) | Err(reason) => Assessment::of(false, reason),
            },
            Self::WordCount { min, max } => word_count(output, *min, *max),
            Self::Levenshtein { to, max, threshold } => levenshtein(output, &to.fill(facts)?, *max, *threshold),
        };
        Ok(Evaluation::Assessed(assessment))
    }

    /// The names a case must give a value for.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::EqualsText(text) | Self::Levenshtein { to: text, .. } => text.variables(),
            Self::EqualsJson(wanted) => wanted.variables(),
            Self::Find(find) => find.text.variables(),
            Self::Regex(Matcher::Filled(text)) => text.variables(),
            Self::Regex(Matcher::Fixed(_)) | Self::IsJson | Self::JsonSchema(_) | Self::WordCount { .. } => Vec::new(),
            Self::Judge(judge) => judge.variables(),
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
        Assessment::of(true, "equals the expected text")
    } else {
        Assessment::of(false, format!("expected {}, got {}", quote(wanted), quote(answer)))
    }
}

impl Find {
    /// Prepares a search for a text.
    pub fn new(place: Place, text: Text, any_case: bool) -> Self {
        let folded = match &text {
            Text::Fixed(fixed) if any_case => Some(fold(fixed)),
            _ => None,
        };
        Self { place, negated: false, any_case, text, folded }
    }

    /// The search that passes where this one fails.
    pub fn negated(self) -> Self {
        Self { negated: true, ..self }
    }

    fn assess(&self, output: &str, facts: Facts<'_>) -> Result<Assessment, MissingValue> {
        let text = self.text.fill(facts)?;
        if text.is_empty() {
            return Ok(Assessment::of(false, "the text to look for is empty in this case, which checks nothing"));
        }
        let found = if self.any_case {
            let folded = self.folded.as_deref().map_or_else(|| Cow::Owned(fold(&text)), Cow::Borrowed);
            self.place.holds(&fold(output), &folded)
        } else {
            self.place.holds(output, &text)
        };
        Ok(Assessment::of(found != self.negated, self.place.report(found, &text)))
    }
}

impl Place {
    fn holds(self, output: &str, text: &str) -> bool {
        match self {
            Self::Anywhere => output.contains(text),
            Self::Start => output.trim().starts_with(text),
            Self::End => output.trim().ends_with(text),
        }
    }

    fn report(self, found: bool, text: &str) -> String {
        let saying = match (self, found) {
            (Self::Anywhere, true) => "contains",
            (Self::Anywhere, false) => "does not contain",
            (Self::Start, true) => "starts with",
            (Self::Start, false) => "does not start with",
            (Self::End, true) => "ends with",
            (Self::End, false) => "does not end with",
        };
        format!("{saying} {}", quote(text))
    }
}

impl Matcher {
    fn assess(&self, output: &str, facts: Facts<'_>) -> Result<Assessment, MissingValue> {
        let matched = match self {
            Self::Fixed(pattern) => pattern.is_match(output),
            Self::Filled(text) => match Pattern::compile(&text.fill(facts)?) {
                Ok(pattern) => pattern.is_match(output),
                Err(error) => return Ok(Assessment::of(false, error.to_string())),
            },
        };
        // Running out of steps is no fault of the prompt, but the answer did not show what was asked: never a pass.
        Ok(match matched {
            Ok(true) => Assessment::of(true, "the pattern matches"),
            Ok(false) => Assessment::of(false, "the pattern does not match"),
            Err(_) => Assessment::of(false, "the pattern ran out of steps on this answer; simplify its repeats"),
        })
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

/// Score 1 − d / longer length; passes at a distance of at most `max`, and from `threshold` where there is one.
fn levenshtein(output: &str, to: &str, max: u64, threshold: Option<f64>) -> Assessment {
    let (answer, wanted) = (output.trim(), to.trim());
    let (long, short) = (answer.chars().count(), wanted.chars().count());
    let longer = long.max(short);
    if answer != wanted && long.saturating_mul(short) > DISTANCE_CELLS {
        return Assessment::of(false, format!("too long to compare: {long} and {short} characters"));
    }
    let distance = if answer == wanted { 0 } else { strsim::levenshtein(answer, wanted) };
    #[expect(clippy::cast_precision_loss, reason = "lengths stay far below 2^52")]
    let score = if longer == 0 { 1.0 } else { 1.0 - distance as f64 / longer as f64 };
    let near = distance as u64 <= max;
    let reason = format!("edit distance {distance}, at most {max} wanted");
    let graded = Assessment::graded(score, Some(threshold.unwrap_or(0.0)), &reason);
    Assessment { passed: graded.passed && near, ..graded }
}

#[cfg(test)]
mod tests;
