//! Which prompts say nearly the same. Texts are sets of runs of three words; how alike two are is Jaccard's index of the sets.
//! Knows no prompt format.

mod index;
mod shingles;

pub use index::{ALIKE, Index, Near};
pub use shingles::{MIN_WORDS, Shingles};
