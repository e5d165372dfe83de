//! From what a file says of a model-graded evaluator to one that can ask; whatever is wrong with it is found here.

use std::sync::Arc;

use super::spec::{FactualityScores, GradedKind, Measure};
use super::{Graded, g_eval, questions, vectors};
use crate::domain::evaluator::choices::Choices;
use crate::domain::evaluator::compile::{CompileError, not_blank};
use crate::domain::evaluator::text::Text;

impl Graded {
    /// Compiles a kind.
    pub fn compile(kind: GradedKind) -> Result<Self, CompileError> {
        let text = |what: &str, text: &str| not_blank(what, text).map(Text::parse);
        let reference = |text: Option<String>| text.map_or_else(Text::expected, |text| Text::parse(&text));
        Ok(match kind {
            GradedKind::Choices { question, choices } => {
                Self::Choices { question: text("question", &question)?, choices: Arc::new(Choices::new(&choices)?) }
            }
            GradedKind::Factuality { reference: to, scores } => {
                Self::Factuality { reference: reference(to), relations: Arc::new(relations(scores)?) }
            }
            GradedKind::ClosedQa { criterion } => {
                let choices = Choices::trusted(vec![("yes".to_owned(), 1.0), ("no".to_owned(), 0.0)]);
                Self::ClosedQa { criterion: text("criterion", &criterion)?, choices: Arc::new(choices) }
            }
            GradedKind::AnswerRelevance => Self::AnswerRelevance,
            GradedKind::ContextRecall { reference: to } => Self::ContextRecall { reference: reference(to) },
            GradedKind::ContextRelevance => Self::ContextRelevance,
            GradedKind::ContextFaithfulness => Self::ContextFaithfulness,
            GradedKind::ConversationRelevance => Self::ConversationRelevance,
            GradedKind::GEval { criteria } => {
                if criteria.is_empty() || criteria.len() > g_eval::MOST_CRITERIA {
                    let most = g_eval::MOST_CRITERIA;
                    return Err(CompileError::new(format!("{} criteria are given", criteria.len()))
                        .help(format!("give 1 to {most} criteria, each a text")));
                }
                Self::GEval { criteria: criteria.iter().map(|one| text("criterion", one)).collect::<Result<_, _>>()? }
            }
            GradedKind::SelectBest { criterion } => Self::SelectBest { criterion: text("criterion", &criterion)? },
            GradedKind::Similar { to, measure } => {
                if to.len() > vectors::MOST_TEXTS {
                    let most = vectors::MOST_TEXTS;
                    return Err(CompileError::new(format!("the answer is to be compared with {} texts", to.len()))
                        .help(format!("give at most {most} texts")));
                }
                let to =
                    if to.is_empty() { vec![Text::expected()] } else { to.iter().map(|to| Text::parse(to)).collect() };
                Self::Similar { to, measure }
            }
        })
    }
}

fn relations(scores: FactualityScores) -> Result<Choices, CompileError> {
    let FactualityScores { subset, superset, agree, disagree, differ_but_factual } = scores;
    let scores = [subset, superset, agree, disagree, differ_but_factual];
    let relations: Vec<(String, f64)> = questions::RELATIONS.map(str::to_owned).into_iter().zip(scores).collect();
    Choices::new(&relations)
}

/// The lowest passing score: the threshold as given or the kind's own. A distance is the largest that passes.
pub(in crate::domain::evaluator) fn threshold(
    kind: &GradedKind,
    given: Option<f64>,
) -> Result<Option<f64>, CompileError> {
    let is_distance = matches!(kind, GradedKind::Similar { measure: Measure::Euclidean, .. });
    let Some(threshold) = given.or_else(|| kind.threshold()) else { return Ok(None) };
    if is_distance {
        if !(0.0..f64::INFINITY).contains(&threshold) {
            return Err(CompileError::new(format!("the threshold {threshold} is no distance"))
                .help("give the largest distance that passes, at least 0"));
        }
        // Rounded as the nearness is, so that a distance at the threshold passes.
        return Ok(Some((1e9 / (1.0 + threshold)).round() / 1e9));
    }
    if !(0.0..=1.0).contains(&threshold) {
        return Err(CompileError::new(format!("the threshold {threshold} is not from 0 to 1"))
            .help("give the lowest score that passes, between 0 and 1"));
    }
    if matches!(kind, GradedKind::SelectBest { .. }) && given.is_some() {
        return Err(CompileError::new("select_best has no threshold: an answer is better, worse or neither")
            .help("remove the threshold"));
    }
    Ok(Some(threshold))
}
