//! G-eval (Liu et al. 2023, arXiv 2303.16634): the judge writes steps for a criterion, then scores by them. Two questions
//! for each criterion; the steps are the same for every answer, so they are asked for once.

use std::sync::Arc;

use serde::Deserialize;

use super::draft::{Draft, Found};
use super::reading::{self, Reading};
use crate::domain::prompt::{ChatMessage, ResponseFormat, Role};

/// Most criteria of one evaluator.
pub(super) const MOST_CRITERIA: usize = 10;
/// Most steps for one criterion.
const MOST_STEPS: usize = 20;
/// Longest step, in characters.
const LONGEST_STEP: usize = 1_000;

/// What all questions of one g-eval share.
#[derive(Debug)]
struct Task {
    /// What was asked of the model, where it is known.
    input: Option<String>,
    output: String,
    criteria: Vec<String>,
}

/// Where a g-eval stands.
#[derive(Debug, Clone)]
pub(in crate::domain::evaluator) struct Steps {
    task: Arc<Task>,
    /// Scores of the criteria before this one.
    total: f64,
    /// The criterion that is being judged.
    at: usize,
    /// Whether its score was asked for; else its steps.
    scoring: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    steps: Vec<String>,
}

impl Steps {
    /// The first question; `None` without a criterion.
    pub fn start(criteria: Vec<String>, input: Option<String>, output: &str) -> Option<Draft> {
        let task = Arc::new(Task { input, output: output.to_owned(), criteria });
        Self { task, total: 0.0, at: 0, scoring: false }.ask_for_steps()
    }

    /// The form of the answer.
    pub fn format(&self) -> ResponseFormat {
        if self.scoring { reading::scored_form() } else { reading::steps_form() }
    }

    /// How many questions are left, this one included.
    pub fn left(&self) -> u32 {
        let whole = self.task.criteria.len().saturating_sub(self.at) * 2;
        u32::try_from(whole).unwrap_or(u32::MAX).saturating_sub(u32::from(self.scoring))
    }

    /// Reads steps or a score.
    pub fn read(&self, answer: &str) -> Result<Found, String> {
        if !self.scoring {
            return Ok(Found::Next(Box::new(self.ask_for_score(&steps(answer)?))));
        }
        let (score, reason) = reading::score(answer)?;
        let total = self.total + score;
        let at = self.at + 1;
        let next = Self { total, at, scoring: false, ..self.clone() };
        Ok(match next.ask_for_steps() {
            Some(draft) => Found::Next(Box::new(draft)),
            // Of several criteria the last reason is shown: the mean has none of its own.
            None => Found::Score((total * super::ratio(1, at)).clamp(0.0, 1.0), reason),
        })
    }

    fn ask_for_steps(self) -> Option<Draft> {
        let criterion = self.task.criteria.get(self.at)?;
        let system = "You prepare the judgement of answers that another model gives. For the criterion you are told, write \
                      three to five short steps that a judge follows to decide how well an answer meets it, from not at \
                      all to fully.\n\nReply with one JSON object and nothing else: {\"steps\": [a step, …]}.";
        let messages = vec![
            ChatMessage::text(Role::System, system),
            ChatMessage::text(Role::User, format!("Criterion:\n{criterion}")),
        ];
        Some(Draft { messages, reading: Reading::Steps(self), fence: None })
    }

    fn ask_for_score(&self, steps: &[String]) -> Draft {
        let criterion = self.task.criteria.get(self.at).map_or("", String::as_str);
        let steps: Vec<String> = steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
        let steps = steps.join("\n");
        let mut held = Vec::new();
        held.extend(self.task.input.as_deref().map(|input| ("input", input)));
        held.push(("answer", self.task.output.as_str()));
        let instruct = |notice: &str| {
            format!(
                "You judge an answer that another model gave. Follow the steps, then score how well it meets the criterion, \
                 from 0 (not at all) to 1 (fully).\n\nCriterion:\n{criterion}\n\nSteps:\n{steps}\n\n{notice}\n\n{}",
                Draft::SCORE
            )
        };
        let reading = Reading::Steps(Self { scoring: true, ..self.clone() });
        Draft::fenced(&[criterion, &steps], &held, instruct, "Judge the answer above by the steps.", reading)
    }
}

fn steps(answer: &str) -> Result<Vec<String>, String> {
    let Written { mut steps } = reading::object(answer)?;
    steps.retain(|step| !step.trim().is_empty());
    if steps.is_empty() {
        return Err("has no steps".to_owned());
    }
    if steps.len() > MOST_STEPS || steps.iter().any(|step| step.chars().count() > LONGEST_STEP) {
        return Err(format!("has more than {MOST_STEPS} steps or one of over {LONGEST_STEP} characters"));
    }
    // One line each: a step is a sentence, not a place for more instructions.
    Ok(steps.iter().map(|step| step.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}
