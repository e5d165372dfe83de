//! Second opinions: a tenth of the judged texts is judged twice, to see how far each judge agrees with itself. They change no
//! assessment. Knows no case.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::stream;

use super::call::Caller;
use super::opinion::{Opinions, Which};
use super::run::Usage;
use crate::domain::evaluator::Evaluator;
use crate::domain::evaluator::judge::JudgeQuestion;
use crate::domain::gate::JudgeAgreement;
use crate::domain::ids::Digest;

/// Which judgements show together how steady a judge is. What head adds (cases, prompts) must not make a judge look noisy where
/// base has a say, so the two kinds are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pool {
    /// Base's answers to compared cases in the suite.
    Base,
    /// Of prompts that have no base: all.
    Alone,
}

impl Pool {
    /// Of a prompt's judgements.
    pub fn of_prompt(has_base: bool) -> Self {
        if has_base { Self::Base } else { Self::Alone }
    }
}

/// What was counted, by pool and the evaluator's definition.
pub(super) type Measured = HashMap<(Pool, Digest), JudgeAgreement>;

/// One judged text in so many is judged twice.
const DOUBLED_ONE_IN: u64 = 10;

/// A first opinion that is to be held against a second one.
struct First {
    question: Box<JudgeQuestion>,
    passed: bool,
}

/// What one judge's second opinions will be taken of.
struct Judge {
    name: Arc<str>,
    /// The texts that the hash has chosen, each once.
    chosen: BTreeMap<Digest, First>,
    /// The text with the smallest hash, while none is chosen: every judge has at least one.
    smallest: Option<(Digest, First)>,
}

/// The first opinions of a run that are to be repeated, by pool and the evaluator's definition.
#[derive(Default)]
pub(super) struct Agreements(Mutex<HashMap<(Pool, Digest), Judge>>);

impl Agreements {
    /// Whether the text of this judgement is judged twice.
    pub fn is_doubled(key: Digest) -> bool {
        key.seed().is_multiple_of(DOUBLED_ONE_IN)
    }

    /// Notes a first opinion.
    pub fn note(&self, pool: Pool, by: &Evaluator, key: Digest, question: Box<JudgeQuestion>, passed: bool) {
        let mut judges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Judge { name: by.name.clone(), chosen: BTreeMap::new(), smallest: None };
        let judge = judges.entry((pool, by.definition)).or_insert_with(new);
        if Self::is_doubled(key) {
            judge.smallest = None;
            judge.chosen.entry(key).or_insert(First { question, passed });
        } else if judge.chosen.is_empty() && judge.smallest.as_ref().is_none_or(|(smallest, _)| key < *smallest) {
            judge.smallest = Some((key, First { question, passed }));
        }
    }

    /// Asks for the second opinions, `width` at a time. One that is not given is not counted.
    pub async fn measure(
        &self,
        caller: &Caller<'_>,
        opinions: &Opinions<'_>,
        width: usize,
        on_usage: &mut (dyn FnMut(Usage) + Send),
    ) -> Measured {
        let judges = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut measured = Measured::new();
        let mut firsts = Vec::new();
        for (by, judge) in judges {
            measured.insert(by, JudgeAgreement::new(judge.name));
            let smallest = judge.smallest.map(|(_, first)| first);
            firsts.extend(judge.chosen.into_values().chain(smallest).map(|first| (by, first)));
        }
        let second = |(by, first): ((Pool, Digest), First)| async move {
            let mut usage = Usage::default();
            let question = first.question.second_opinion();
            let second = opinions.assess(caller, &question, Which::Second, &mut usage).await;
            (by, first.passed, second.ok(), usage)
        };
        let mut answers = stream::iter(firsts).map(second).buffer_unordered(width.max(1));
        while let Some((by, first, second, usage)) = answers.next().await {
            on_usage(usage);
            if let (Some(agreement), Some(second)) = (measured.get_mut(&by), second) {
                agreement.add(first, second.passed);
            }
        }
        measured
    }
}
