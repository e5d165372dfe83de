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

/// The first opinions of a run that are to be repeated, by the evaluator's definition.
#[derive(Default)]
pub(super) struct Agreements(Mutex<HashMap<Digest, Judge>>);

impl Agreements {
    /// Whether the text of this judgement is judged twice.
    pub fn is_doubled(key: Digest) -> bool {
        key.seed().is_multiple_of(DOUBLED_ONE_IN)
    }

    /// Notes a first opinion.
    pub fn note(&self, by: &Evaluator, key: Digest, question: Box<JudgeQuestion>, passed: bool) {
        let mut judges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Judge { name: by.name.clone(), chosen: BTreeMap::new(), smallest: None };
        let judge = judges.entry(by.definition).or_insert_with(new);
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
    ) -> HashMap<Digest, JudgeAgreement> {
        let judges = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut measured = HashMap::new();
        let mut firsts = Vec::new();
        for (definition, judge) in judges {
            measured.insert(definition, JudgeAgreement::new(judge.name));
            let smallest = judge.smallest.map(|(_, first)| first);
            firsts.extend(judge.chosen.into_values().chain(smallest).map(|first| (definition, first)));
        }
        let second = |(definition, first): (Digest, First)| async move {
            let mut usage = Usage::default();
            let question = first.question.second_opinion();
            let second = opinions.assess(caller, &question, Which::Second, &mut usage).await;
            (definition, first.passed, second.ok(), usage)
        };
        let mut answers = stream::iter(firsts).map(second).buffer_unordered(width.max(1));
        while let Some((definition, first, second, usage)) = answers.next().await {
            on_usage(usage);
            if let (Some(agreement), Some(second)) = (measured.get_mut(&definition), second) {
                agreement.add(first, second.passed);
            }
        }
        measured
    }
}
