//! What to run next, from what has been measured. Pure.

use super::{CaseRecord, GateSettings, Lane, PromptRecord, Side};

/// One trial to run: case `case` (index in its prompt), on one side, as sample `index` of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ask {
    /// Index into [`PromptRecord::cases`].
    pub case: usize,
    /// Which prompt text answers.
    pub side: Side,
    /// Why.
    pub lane: Lane,
    /// Sample index within the lane, from 0; appended to the lane's list in this order.
    pub index: u32,
}

/// The next stage of trials for one prompt; empty when all is measured that can be. Asks of one stage are independent,
/// and base and head are interleaved. Results, measured or not, are appended to the record before the next call.
#[must_use]
pub fn next(_record: &PromptRecord, _settings: &GateSettings) -> Vec<Ask> {
    let _: Option<&CaseRecord> = None;
    Vec::new()
}
