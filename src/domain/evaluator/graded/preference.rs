//! Which of two answers is better: asked in both orders, blind to whose is whose. A tie or a disagreement counts for
//! neither side.

use std::sync::{Arc, LazyLock};

use super::draft::{Draft, Found};
use super::reading::{self, Reading};
use crate::domain::evaluator::choices::Choices;
use crate::domain::ids::Digest;

/// The choices as they are read; which is better says their order, not their score.
static CHOICES: LazyLock<Choices> =
    LazyLock::new(|| Choices::trusted(Preference::CHOICES.map(|choice| (choice.to_owned(), 0.0)).to_vec()));

/// Which answer of a question is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    Base,
    Head,
    Neither,
}

#[derive(Debug)]
struct Pair {
    criterion: String,
    base: String,
    head: String,
}

/// Where a comparison stands.
#[derive(Debug, Clone)]
pub(in crate::domain::evaluator) struct Preference {
    pair: Arc<Pair>,
    /// Whether base's answer is shown first in the question that is open.
    base_first: bool,
    /// What the other order gave.
    before: Option<Better>,
}

impl Preference {
    /// What the judge may say.
    pub const CHOICES: [&'static str; 3] = ["first", "second", "neither"];

    /// The first question, or the end at once where both say the same. Scores are head's: 1 better, 0 worse, ½ neither.
    pub fn start(criterion: String, base: &str, head: &str) -> Found {
        if base.trim() == head.trim() {
            return Found::Score(0.5, "both answered the same".to_owned());
        }
        // Which order comes first is a coin that falls the same in every run.
        let coin =
            Digest::of_parts([b"preference/v1".as_slice(), criterion.as_bytes(), base.as_bytes(), head.as_bytes()]);
        let pair = Arc::new(Pair { criterion, base: base.to_owned(), head: head.to_owned() });
        Found::Next(Box::new(Self { pair, base_first: coin.seed() & 1 == 0, before: None }.ask()))
    }

    /// How many questions are left at most, this one included.
    pub fn left(&self) -> u32 {
        if self.before.is_none() { 2 } else { 1 }
    }

    /// Reads which is better.
    pub fn read(&self, answer: &str) -> Result<Found, String> {
        let (choice, _, reason) = reading::verdict(answer, &CHOICES)?;
        let better = match (choice, self.base_first) {
            ("first", true) | ("second", false) => Better::Base,
            ("first", false) | ("second", true) => Better::Head,
            _ => Better::Neither,
        };
        Ok(match (self.before, better) {
            (_, Better::Neither) => Found::Score(0.5, format!("neither is better: {reason}")),
            (None, better) => {
                let again = Self { base_first: !self.base_first, before: Some(better), pair: Arc::clone(&self.pair) };
                Found::Next(Box::new(again.ask()))
            }
            (Some(before), better) if before != better => {
                Found::Score(0.5, "the judge preferred another one in the other order".to_owned())
            }
            (Some(_), Better::Head) => Found::Score(1.0, format!("the new answer is better: {reason}")),
            (Some(_), Better::Base) => Found::Score(0.0, format!("the old answer is better: {reason}")),
        })
    }

    fn ask(self) -> Draft {
        let pair = Arc::clone(&self.pair);
        let (first, second) = if self.base_first { (&pair.base, &pair.head) } else { (&pair.head, &pair.base) };
        let instruct = |notice: &str| {
            format!(
                "You compare two answers that other models gave to the same question. Say which of them is better by this \
                 criterion; their order, length and polish do not count unless the criterion says so. If there is no clear \
                 difference, say neither.\n\nCriterion:\n{}\n\n{notice}\n\n{}",
                pair.criterion,
                Draft::choice(&Self::CHOICES)
            )
        };
        let held = [("first", first.as_str()), ("second", second.as_str())];
        let last = "Which of the two answers above is better?";
        Draft::fenced(&[&pair.criterion], &held, instruct, last, Reading::Preference(self))
    }
}
