//! What to run next, from what has been measured. Pure.

use super::{CaseKind, GateSettings, Lane, PromptRecord, Side};

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
pub fn next(record: &PromptRecord, settings: &GateSettings) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (case, kept) in record.cases.iter().enumerate() {
        if kept.head.is_empty() && kept.kind != CaseKind::Removed {
            for index in 0..settings.trials {
                if record.has_base && kept.kind == CaseKind::Compared {
                    asks.push(Ask { case, side: Side::Base, lane: Lane::Suite, index });
                }
                asks.push(Ask { case, side: Side::Head, lane: Lane::Suite, index });
            }
        }
        if kept.must_pass.is_some() && kept.must_pass_runs.is_empty() {
            asks.extend((0..3).map(|index| Ask { case, side: Side::Head, lane: Lane::MustPass, index }));
        }
    }
    asks
}
