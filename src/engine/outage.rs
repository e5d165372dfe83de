//! Tells a provider that is down from a question that is hard, by counting lost questions in a row. Knows no vendor.
//! Without it a dead provider would cost every question of a run its retries and pauses.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::ModelId;

/// A provider that has not answered once is given up after this many lost questions.
const SILENT_FROM_THE_START: usize = 3;

/// How each provider has answered so far.
#[derive(Debug)]
pub(super) struct Outages {
    /// A provider that has answered may lose two rounds of questions: a short outage loses all that were open.
    most_lost: usize,
    providers: Mutex<HashMap<String, Standing>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Standing {
    answered: bool,
    lost_in_a_row: usize,
}

impl Outages {
    pub fn new(concurrency: usize) -> Self {
        Self { most_lost: (2 * concurrency).max(SILENT_FROM_THE_START), providers: Mutex::default() }
    }

    /// The provider said something, be it a refusal.
    pub fn answered(&self, model: &ModelId) {
        self.change(model, |standing| *standing = Standing { answered: true, lost_in_a_row: 0 });
    }

    /// A question of this provider is lost. The number in a row, where that is one too many.
    pub fn lost(&self, model: &ModelId) -> Option<usize> {
        self.change(model, |standing| {
            standing.lost_in_a_row += 1;
            let most = if standing.answered { self.most_lost } else { SILENT_FROM_THE_START };
            (standing.lost_in_a_row >= most).then_some(standing.lost_in_a_row)
        })
    }

    fn change<T>(&self, model: &ModelId, change: impl FnOnce(&mut Standing) -> T) -> T {
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = providers.get_mut(model.provider()) {
            return change(standing);
        }
        change(providers.entry(model.provider().to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_never_answered_is_given_up_early_and_others_are_not() {
        let outages = Outages::new(16);
        let (dead, alive) = (ModelId::parse("openai/a").unwrap(), ModelId::parse("anthropic/b").unwrap());
        assert_eq!((outages.lost(&dead), outages.lost(&dead), outages.lost(&alive)), (None, None, None));
        assert_eq!(outages.lost(&dead), Some(3));
    }

    #[test]
    fn one_answer_starts_the_count_again() {
        let outages = Outages::new(2);
        let model = ModelId::parse("openai/a").unwrap();
        assert_eq!((outages.lost(&model), outages.lost(&model)), (None, None));
        outages.answered(&model);
        assert_eq!((outages.lost(&model), outages.lost(&model), outages.lost(&model)), (None, None, None));
        assert_eq!(outages.lost(&model), Some(4));
    }
}
