//! Rubrics of GitHub's built-in judges (`uses: github/…`), in our own words. Knows no candidate text.

use super::choices::Choices;
use super::spec::GithubBuiltin;

impl GithubBuiltin {
    /// The name in files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Similarity => "github/similarity",
            Self::Coherence => "github/coherence",
            Self::Fluency => "github/fluency",
            Self::Relevance => "github/relevance",
            Self::Groundedness => "github/groundedness",
        }
    }

    /// Whether the judge is shown the case's `expected`.
    pub(super) const fn shows_expected(self) -> bool {
        matches!(self, Self::Similarity | Self::Groundedness)
    }

    /// Whether the judge is shown what was asked.
    pub(super) const fn shows_input(self) -> bool {
        matches!(self, Self::Coherence | Self::Relevance)
    }

    /// What each of the five steps means.
    pub(super) const fn rubric(self) -> &'static str {
        match self {
            Self::Similarity => {
                "Does the answer mean the same as the expected text? Wording, order and length do not matter.\n\
                 1: it says something else. 2: it shares the topic but little of what is said. 3: about half of what \
                 is said is there. 4: nearly all is there, and nothing contradicts it. 5: it means the same."
            }
            Self::Coherence => {
                "Does the answer hang together as a reply to the input? Judge its order and how its sentences follow \
                 from each other, not whether its facts are right.\n\
                 1: its sentences have nothing to do with each other. 2: hard to follow. 3: can be followed, with \
                 jumps. 4: clear, with a rough spot. 5: each sentence follows from the one before."
            }
            Self::Fluency => {
                "Is the answer well written, as by a careful native writer? Judge grammar, spelling and choice of \
                 words, not content.\n\
                 1: not understandable. 2: errors in most sentences. 3: some errors, understandable throughout. 4: a \
                 small slip or two. 5: nothing to correct."
            }
            Self::Relevance => {
                "Does the answer deal with what the input asks, with all of it and with nothing else?\n\
                 1: it is about something else. 2: it touches the question and does not answer it. 3: it answers a \
                 part. 4: it answers the question and leaves out or adds something small. 5: it answers all of it."
            }
            Self::Groundedness => {
                "Is everything the answer claims supported by the expected text, taken as the only source? What the \
                 source does not say is unsupported, even if true.\n\
                 1: the claims contradict the source or have nothing to do with it. 2: most are unsupported. 3: about \
                 half are supported. 4: all but a side remark are supported. 5: every claim is supported."
            }
        }
    }
}

/// The five steps and their scores.
pub(super) fn steps() -> Choices {
    let scores = [("1", 0.0), ("2", 0.25), ("3", 0.5), ("4", 0.75), ("5", 1.0)];
    Choices::trusted(scores.map(|(digit, score)| (digit.to_owned(), score)).to_vec())
}
