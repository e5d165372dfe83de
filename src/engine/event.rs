//! All that a progress bar, a log or a page may know of a run.

use crate::domain::gate::Side;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// A stage begins; the first is the suite, later ones follow from what was measured.
    StageStarted {
        /// How many trials the stage has.
        trials: usize,
    },
    /// One trial ended.
    TrialDone {
        /// Index of the prompt in the plan.
        prompt: usize,
        /// Which side.
        side: Side,
        /// False when unmeasured.
        measured: bool,
        /// Whether the answer was known already.
        cached: bool,
    },
    /// A call will be tried again, after a pause.
    Retrying {
        /// Why.
        message: String,
    },
}
