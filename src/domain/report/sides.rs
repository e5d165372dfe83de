//! What the two sides of a comparison are called. Knows no sentence: each rendering puts these words into its own.

use serde::{Deserialize, Serialize};

/// What is compared with what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// A prompt before and after a change.
    #[default]
    Change,
    /// Two prompts or two models, A and B, that both stay.
    Rivals,
}

impl super::Report {
    /// The same, told of two rivals in the place of a change.
    #[must_use]
    pub fn of_rivals(mut self) -> Self {
        self.sides = Sides::Rivals;
        self.prompts.iter_mut().for_each(|prompt| prompt.sides = Sides::Rivals);
        self
    }
}

impl Sides {
    /// "the old and the new prompt".
    #[must_use]
    pub fn both(self) -> &'static str {
        match self {
            Self::Change => "the old and the new prompt",
            Self::Rivals => "A and B",
        }
    }

    /// "the old prompt".
    #[must_use]
    pub fn the_old(self) -> &'static str {
        match self {
            Self::Change => "the old prompt",
            Self::Rivals => "A",
        }
    }

    /// "the new prompt".
    #[must_use]
    pub fn the_new(self) -> &'static str {
        match self {
            Self::Change => "the new prompt",
            Self::Rivals => "B",
        }
    }

    /// "; already broken on base": what follows a case that fails on both sides.
    #[must_use]
    pub fn broken_already(self) -> &'static str {
        match self {
            Self::Change => "; already broken on base",
            Self::Rivals => "; A fails it too",
        }
    }

    /// "on head after passing on base".
    #[must_use]
    pub fn after_passing(self) -> &'static str {
        match self {
            Self::Change => "on head after passing on base",
            Self::Rivals => "with B after passing with A",
        }
    }

    /// The word of a column or a label: base first.
    #[must_use]
    pub fn labels(self) -> [&'static str; 2] {
        match self {
            Self::Change => ["old", "new"],
            Self::Rivals => ["A", "B"],
        }
    }
}
