//! From what a file says of an evaluator to one that can judge; whatever is wrong with it is found here, once.

use std::sync::Arc;

use serde_json::Value;

use super::Evaluator;
use super::check::{Check, Matcher};
use super::choices::Choices;
use super::describe::{default_name, definition};
use super::find::{Find, FindList, List, Place, split};
use super::graded::{self, Graded};
use super::json::{Schema, Wanted};
use super::judge::{Judge, JudgeKind, THRESHOLD};
use super::likeness;
use super::pattern::Pattern;
use super::phrases::Phrases;
use super::spec::{CheckSpec, EvaluatorSpec, GithubString, Texts};
use super::spec::{GithubBuiltin, GradedKind, GradedSpec};
use super::sql::Sql;
use super::text::{REASON, Text, excerpt};
use super::xml::Required;
use crate::domain::ids::{Digest, ModelId};
use crate::domain::prompt::template::Template;

/// The largest weight, so that sums of weights stay finite.
const LARGEST_WEIGHT: f64 = 1e6;

/// Why an evaluator cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// A lower-case fragment that names the thing. Outside text in it is quoted as it was: renderings escape it.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl CompileError {
    pub(super) fn new(message: impl AsRef<str>) -> Self {
        Self { message: excerpt(message.as_ref(), REASON), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Evaluator {
    /// Compiles what a file says: patterns and schemas once, for all outputs.
    ///
    /// # Errors
    /// When the value, weight or threshold is not one the kind can work with.
    pub fn compile(spec: EvaluatorSpec) -> Result<Self, CompileError> {
        let written = Arc::new(spec.clone());
        let weight = spec.weight.unwrap_or(1.0);
        if !(0.0..=LARGEST_WEIGHT).contains(&weight) {
            return Err(CompileError::new(format!("the weight {weight} is not from 0 to {LARGEST_WEIGHT}"))
                .help("give a number of at least 0; 0 informs only"));
        }
        let threshold = threshold(&spec)?;
        if spec.negated
            && matches!(&spec.check, CheckSpec::Graded(graded) if matches!(graded.kind, GradedKind::SelectBest { .. }))
        {
            return Err(CompileError::new("select_best cannot be negated: it compares the two sides")
                .help("turn the criterion round instead"));
        }
        let name =
            spec.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| default_name(&spec.check, spec.negated));
        let mut definition = definition(&spec.check, weight, threshold, spec.metric.as_deref());
        if spec.negated {
            definition = Digest::of_parts([b"not".as_slice(), &definition.0]);
        }
        let metric = default_metric(&spec.check);
        let check = check(spec.check, threshold)?;
        Ok(Self {
            name: name.into(),
            weight,
            threshold,
            metric: spec.metric.as_deref().or(metric).or(family(&check)).map(Arc::from),
            negated: spec.negated,
            definition,
            spec: written,
            check: Arc::new(check),
        })
    }
}

/// The metric an evaluator counts towards where it names none: what teams ask of their answers first.
fn family(check: &Check) -> Option<&'static str> {
    match check {
        Check::SensitiveData(_) => Some("sensitive_data"),
        Check::BannedPhrases(_) => Some("brand"),
        Check::Judge(_) => None,
        other => other.variables().contains(&"expected").then_some("accuracy"),
    }
}

/// The lowest passing score, where the kind has graded scores.
fn threshold(spec: &EvaluatorSpec) -> Result<Option<f64>, CompileError> {
    if let CheckSpec::Graded(graded) = &spec.check {
        return graded::compile::threshold(&graded.kind, spec.threshold);
    }
    let Some(threshold) = spec.threshold else {
        return Ok(match spec.check {
            CheckSpec::Judge { .. } | CheckSpec::GithubBuiltin(_) => Some(THRESHOLD),
            CheckSpec::Likeness { measure, .. } => Some(likeness::threshold(measure)),
            CheckSpec::ToolCallF1(_) => Some(1.0),
            _ => None,
        });
    };
    if !(0.0..=1.0).contains(&threshold) {
        return Err(CompileError::new(format!("the threshold {threshold} is not from 0 to 1"))
            .help("give the lowest score that passes, between 0 and 1"));
    }
    if spec.check.is_graded() {
        return Ok(Some(threshold));
    }
    Err(CompileError::new("a threshold is given to an evaluator whose score is either 0 or 1")
        .help("remove the threshold; only graded kinds, such as judge or bleu, take one"))
}

fn check(spec: CheckSpec, threshold: Option<f64>) -> Result<Check, CompileError> {
    Ok(match spec {
        CheckSpec::Equals(value) => equals(value)?,
        CheckSpec::Contains(text) => Check::Find(find(Place::Anywhere, &text, false)?),
        CheckSpec::Icontains(text) => Check::Find(find(Place::Anywhere, &text, true)?),
        CheckSpec::StartsWith(text) => Check::Find(find(Place::Start, &text, false)?),
        CheckSpec::EndsWith(text) => Check::Find(find(Place::End, &text, false)?),
        CheckSpec::ContainsList { texts, all, any_case } => {
            Check::FindList(FindList::new(not_empty(&texts)?, all, any_case))
        }
        CheckSpec::Regex(pattern) => Check::Regex(matcher(&pattern)?),
        CheckSpec::IsJson => Check::IsJson,
        CheckSpec::JsonSchema(schema) => Check::JsonSchema(Schema::compile(&schema)?),
        CheckSpec::ContainsJson(schema) => Check::ContainsJson(schema.as_ref().map(Schema::compile).transpose()?),
        CheckSpec::Xml { extent, required } => Check::Xml(extent, Required::new(&required)),
        CheckSpec::Html(extent) => Check::Html(extent),
        CheckSpec::Sql { extent, dialect, tables } => Check::Sql(extent, Sql::new(dialect, tables)),
        CheckSpec::WordCount { min, max } => word_count(min, max)?,
        CheckSpec::Levenshtein { to, max } => {
            let to = to.map_or_else(Text::expected, |to| Text::parse(&to));
            Check::Levenshtein { to, max, threshold }
        }
        CheckSpec::Likeness { measure, to } => {
            let threshold = threshold.unwrap_or(likeness::threshold(measure));
            Check::Likeness { measure, to: references(&to), threshold }
        }
        CheckSpec::IsRefusal => Check::IsRefusal,
        CheckSpec::FinishReason(reason) => Check::FinishReason(Text::parse(not_blank("finish reason", &reason)?)),
        CheckSpec::Cost(most) => Check::Cost(limit(most)?),
        CheckSpec::Latency(most) => Check::Latency(limit(most)?),
        CheckSpec::FunctionCall => Check::FunctionCall,
        CheckSpec::ToolCalls => Check::ToolCalls,
        CheckSpec::ToolCallF1(texts) => {
            Check::ToolCallF1 { wanted: List::new(not_empty(&texts)?), threshold: threshold.unwrap_or(1.0) }
        }
        CheckSpec::SensitiveData { allow } => Check::SensitiveData(allow),
        CheckSpec::BannedPhrases(phrases) => Check::BannedPhrases(Phrases::new(&phrases)?),
        CheckSpec::Judge { rubric, model } => {
            let rubric = not_blank("rubric", &rubric)?;
            Check::Judge(Judge { model, threshold, kind: JudgeKind::Rubric(Text::parse(rubric)) })
        }
        CheckSpec::GithubString { operator, value } => github_string(operator, &value)?,
        CheckSpec::GithubChoice { model, system_prompt, prompt, choices } => {
            Check::Judge(own_judge(model, threshold, system_prompt.as_deref(), &prompt, &choices)?)
        }
        CheckSpec::GithubBuiltin(builtin) => {
            Check::Judge(Judge { model: None, threshold, kind: JudgeKind::Builtin(builtin) })
        }
        CheckSpec::Graded(GradedSpec { kind, model }) => {
            Check::Judge(Judge { model, threshold, kind: JudgeKind::Graded(Graded::compile(kind)?) })
        }
    })
}

fn github_string(operator: GithubString, value: &str) -> Result<Check, CompileError> {
    Ok(match operator {
        GithubString::Equals => Check::EqualsText(Text::parse(value)),
        GithubString::Contains => Check::Find(find(Place::Anywhere, value, true)?),
        GithubString::StartsWith => Check::Find(find(Place::Start, value, true)?),
        GithubString::EndsWith => Check::Find(find(Place::End, value, true)?),
    })
}

fn references(to: &[String]) -> Vec<Text> {
    if to.is_empty() { vec![Text::expected()] } else { to.iter().map(|text| Text::parse(text)).collect() }
}

fn limit(most: f64) -> Result<f64, CompileError> {
    if most.is_finite() && most >= 0.0 {
        return Ok(most);
    }
    Err(CompileError::new(format!("the limit {most} is not a number of at least 0")).help("give the most that passes"))
}

/// A list with at least one text, none of them empty.
fn not_empty(texts: &Texts) -> Result<&Texts, CompileError> {
    let is_empty = match texts {
        Texts::List(items) => items.is_empty() || items.iter().any(String::is_empty),
        Texts::Commas(text) => split(text).is_empty(),
    };
    if is_empty {
        return Err(CompileError::new("a text to look for is empty").help("give a text; an empty one checks nothing"));
    }
    Ok(texts)
}

/// The metric that a kind counts towards where a file names none.
const fn default_metric(check: &CheckSpec) -> Option<&'static str> {
    match check {
        CheckSpec::Graded(graded) => graded.kind.metric(),
        CheckSpec::GithubBuiltin(GithubBuiltin::Relevance) => Some("relevance"),
        CheckSpec::GithubBuiltin(GithubBuiltin::Similarity) => Some("accuracy"),
        _ => None,
    }
}

fn equals(value: Option<Value>) -> Result<Check, CompileError> {
    match value {
        None => Ok(Check::EqualsText(Text::expected())),
        Some(Value::Null) => Err(CompileError::new("the text to equal is null")
            .help("give a text, or leave the value out to compare with the case's `expected`")),
        Some(Value::String(text)) => Ok(Check::EqualsText(Text::parse(&text))),
        Some(value @ (Value::Array(_) | Value::Object(_))) => Ok(Check::EqualsJson(Wanted::new(value))),
        Some(scalar) => Ok(Check::EqualsText(Text::parse(&scalar.to_string()))),
    }
}

fn find(place: Place, text: &str, any_case: bool) -> Result<Find, CompileError> {
    if text.is_empty() {
        return Err(CompileError::new("the text to look for is empty").help("give a text; an empty one checks nothing"));
    }
    Ok(Find::new(place, Text::parse(text), any_case))
}

fn matcher(pattern: &str) -> Result<Matcher, CompileError> {
    match Text::parse(pattern) {
        text @ Text::Filled(_) => Ok(Matcher::Filled(text)),
        Text::Fixed(pattern) => Pattern::compile(&pattern).map(Matcher::Fixed),
    }
}

fn word_count(min: Option<u64>, max: Option<u64>) -> Result<Check, CompileError> {
    match (min, max) {
        (None, None) => Err(CompileError::new("the word count has no bounds").help("give `min`, `max` or both")),
        (Some(min), Some(max)) if min > max => {
            Err(CompileError::new(format!("the word count's min {min} is larger than its max {max}"))
                .help("exchange them"))
        }
        _ => Ok(Check::WordCount { min, max }),
    }
}

fn own_judge(
    model: Option<ModelId>,
    threshold: Option<f64>,
    system: Option<&str>,
    prompt: &str,
    choices: &[(String, f64)],
) -> Result<Judge, CompileError> {
    let prompt = Template::parse(not_blank("judge prompt", prompt)?);
    let shows_answer = |template: &Template| template.variables().any(|name| name == "completion");
    if !shows_answer(&prompt) {
        return Err(CompileError::new("the judge prompt does not show the answer to judge")
            .help("put {{completion}} where the answer goes"));
    }
    if system.is_some_and(|system| shows_answer(&Template::parse(system))) {
        return Err(CompileError::new("the judge's system prompt holds {{completion}}")
            .help("move {{completion}} to the prompt: an answer under judgement has no place among instructions"));
    }
    let system = system.filter(|system| !system.trim().is_empty()).map(Text::parse);
    let choices = Arc::new(Choices::new(choices)?);
    Ok(Judge { model, threshold, kind: JudgeKind::Own { prompt, system, choices } })
}

pub(super) fn not_blank<'a>(what: &str, text: &'a str) -> Result<&'a str, CompileError> {
    if text.trim().is_empty() {
        return Err(CompileError::new(format!("the {what} is empty")).help("say what to look for"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(check: CheckSpec) -> EvaluatorSpec {
        EvaluatorSpec::plain(check)
    }

    fn judge(rubric: &str) -> CheckSpec {
        CheckSpec::Judge { rubric: rubric.to_owned(), model: None }
    }

    fn llm(system: Option<&str>, prompt: &str) -> CheckSpec {
        CheckSpec::GithubChoice {
            model: None,
            system_prompt: system.map(str::to_owned),
            prompt: prompt.to_owned(),
            choices: vec![("yes".to_owned(), 1.0), ("no".to_owned(), 0.0)],
        }
    }

    #[track_caller]
    fn check(spec: EvaluatorSpec, refused: &str) {
        let error = Evaluator::compile(spec).map(|_| ()).expect_err(refused);
        assert!(error.message.starts_with(refused), "{error}");
        assert!(error.help.is_some() || refused.starts_with("invalid regex"), "no way out: {error}");
    }

    #[test]
    fn what_cannot_judge_is_refused_with_a_way_out() {
        check(spec(CheckSpec::Contains(String::new())), "the text to look for is empty");
        check(spec(CheckSpec::Equals(Some(Value::Null))), "the text to equal is null");
        check(spec(CheckSpec::Regex("(".into())), "invalid regex \"(\": unclosed group");
        check(spec(CheckSpec::JsonSchema(json!({"type": 3}))), "invalid JSON Schema at `/type`");
        check(spec(CheckSpec::WordCount { min: None, max: None }), "the word count has no bounds");
        check(spec(CheckSpec::WordCount { min: Some(3), max: Some(2) }), "the word count's min 3 is larger");
        check(spec(judge(" \n")), "the rubric is empty");
        check(spec(llm(None, "Is it good?")), "the judge prompt does not show the answer");
        check(spec(llm(Some("Judge {{completion}}"), "{{completion}}")), "the judge's system prompt holds");
        check(EvaluatorSpec { weight: Some(-1.0), ..spec(CheckSpec::IsJson) }, "the weight -1 is not from 0");
        check(EvaluatorSpec { weight: Some(f64::NAN), ..spec(CheckSpec::IsJson) }, "the weight NaN");
        check(EvaluatorSpec { weight: Some(f64::INFINITY), ..spec(CheckSpec::IsJson) }, "the weight inf");
        check(EvaluatorSpec { threshold: Some(1.5), ..spec(judge("polite")) }, "the threshold 1.5 is not from 0 to 1");
        check(EvaluatorSpec { threshold: Some(f64::NAN), ..spec(judge("polite")) }, "the threshold NaN");
        check(EvaluatorSpec { threshold: Some(0.5), ..spec(CheckSpec::IsJson) }, "a threshold is given to");
    }

    #[test]
    fn an_evaluator_without_a_name_is_called_by_its_kind_and_value() {
        let name = |check| Evaluator::compile(spec(check)).unwrap().name.to_string();
        assert_eq!(name(CheckSpec::Contains("escalate".into())), "contains \"escalate\"");
        assert_eq!(name(CheckSpec::Equals(None)), "equals expected");
        assert_eq!(name(CheckSpec::Equals(Some(json!({"a": [1]})))), "equals {\"a\":[1]}");
        assert_eq!(name(CheckSpec::WordCount { min: Some(3), max: None }), "word_count at least 3");
        assert_eq!(name(CheckSpec::GithubBuiltin(GithubBuiltin::Fluency)), "github/fluency");
        assert_eq!(name(judge("Polite\nand formal")), "judge \"Polite and formal\"");
        assert!(name(CheckSpec::Contains("long ".repeat(100))).chars().count() < 80);
        let named = EvaluatorSpec { name: Some("tone".into()), ..spec(CheckSpec::IsJson) };
        assert_eq!(&*Evaluator::compile(named).unwrap().name, "tone");
    }

    #[test]
    fn the_definition_changes_with_all_that_decides_and_with_nothing_else() {
        let digest = |spec: EvaluatorSpec| Evaluator::compile(spec).unwrap().definition;
        let plain = digest(spec(judge("polite")));
        assert_eq!(plain, digest(EvaluatorSpec { name: Some("tone".into()), ..spec(judge("polite")) }));
        assert_eq!(plain, digest(EvaluatorSpec { weight: Some(1.0), ..spec(judge("polite")) }));
        assert_eq!(plain, digest(EvaluatorSpec { threshold: Some(0.5), ..spec(judge("polite")) }));
        for other in [
            spec(judge("rude")),
            spec(CheckSpec::Contains("polite".into())),
            EvaluatorSpec { weight: Some(0.5), ..spec(judge("polite")) },
            EvaluatorSpec { threshold: Some(0.4), ..spec(judge("polite")) },
            EvaluatorSpec { metric: Some("tone".into()), ..spec(judge("polite")) },
        ] {
            assert_ne!(plain, digest(other.clone()), "{other:?}");
        }
        let schema = |text: &str| digest(spec(CheckSpec::JsonSchema(serde_json::from_str(text).unwrap())));
        assert_eq!(
            schema(r#"{"type": "object", "minProperties": 1}"#),
            schema(r#"{"minProperties": 1, "type": "object"}"#)
        );
        let equals = |value| digest(spec(CheckSpec::Equals(value)));
        assert_ne!(equals(None), equals(Some(json!("{{expected}}"))));
    }
}
