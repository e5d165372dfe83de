//! Finds the texts that are alike without comparing all with all, and misses none.
//!
//! Two sets that share 80 % of all they have must share one of the rarest fifth of their members (prefix filtering: Chaudhuri,
//! Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007). So each text is listed under its rarest runs of words only, a
//! search looks under its own rarest, and every candidate is compared exactly. Boilerplate that all prompts share is in no
//! list.

use std::collections::BTreeSet;

use super::shingles::Shingles;
use crate::domain::ids::PromptPath;

/// From this likeness on two texts are near-duplicates.
pub const ALIKE: f64 = 0.8;

/// All texts that a search looks through.
#[derive(Debug, Default)]
pub struct Index {
    entries: Vec<(PromptPath, Shingles)>,
    counts: Counts,
    /// The rarest runs of the texts, each with its text, ascending.
    lists: Vec<(u64, u32)>,
}

/// In how many texts a run is, at least: runs may share a counter. That makes the order by rarity coarser and the same for all
/// texts, which is all that the search relies on.
#[derive(Debug, Default)]
struct Counts(Vec<u16>);

impl Counts {
    /// As many counters as keep most runs apart, and 8 MiB of them at most.
    fn for_runs(runs: usize) -> Self {
        Self(vec![0; runs.next_power_of_two().clamp(1 << 10, 1 << 22)])
    }

    fn slot(&self, hash: u64) -> usize {
        // The length is a power of two.
        usize::try_from(hash & (self.0.len() as u64).wrapping_sub(1)).unwrap_or(0)
    }

    fn add(&mut self, hash: u64) {
        let slot = self.slot(hash);
        if let Some(count) = self.0.get_mut(slot) {
            *count = count.saturating_add(1);
        }
    }

    fn of(&self, hash: u64) -> u16 {
        self.0.get(self.slot(hash)).copied().unwrap_or(0)
    }
}

/// A text that is alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Whose.
    pub path: PromptPath,
    /// Jaccard's index.
    pub likeness: f64,
}

impl Near {
    /// The likeness in whole percent; 100 only where nothing differs.
    #[must_use]
    pub fn percent(&self) -> u32 {
        // The likeness is in [0, 1].
        (0..=100).rev().find(|percent| f64::from(*percent) / 100.0 <= self.likeness + 1e-12).unwrap_or(0)
    }
}

impl Index {
    /// Lists texts.
    #[must_use]
    pub fn new<'t>(texts: impl IntoIterator<Item = (PromptPath, &'t str)>) -> Self {
        Self::of(texts.into_iter().map(|(path, text)| (path, Shingles::of(text))))
    }

    /// Lists texts that were read already.
    #[must_use]
    pub fn of(texts: impl IntoIterator<Item = (PromptPath, Shingles)>) -> Self {
        let mut entries: Vec<(PromptPath, Shingles)> =
            texts.into_iter().filter(|(_, shingles)| !shingles.hashes().is_empty()).collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let runs = entries.iter().map(|(_, shingles)| shingles.hashes().len()).sum();
        let mut counts = Counts::for_runs(runs);
        entries.iter().flat_map(|(_, shingles)| shingles.hashes()).for_each(|hash| counts.add(*hash));
        let mut index = Self { entries, counts, lists: Vec::with_capacity(runs / 4) };
        for (at, (_, shingles)) in index.entries.iter().enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            index.lists.extend(rarest(&index.counts, shingles).map(|hash| (hash, at)));
        }
        index.lists.sort_unstable();
        index
    }

    /// How many texts it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Of the texts that count, the one most like this; of equals, the first by path. `None` below [`ALIKE`].
    #[must_use]
    pub fn nearest(&self, text: &str, counts: impl Fn(&PromptPath) -> bool) -> Option<Near> {
        let shingles = Shingles::of(text);
        let candidates: BTreeSet<u32> =
            rarest(&self.counts, &shingles).flat_map(|hash| self.listed(hash)).map(|(_, at)| *at).collect();
        let mut nearest: Option<Near> = None;
        for at in candidates {
            let Some((path, other)) = self.entries.get(at as usize).filter(|(path, _)| counts(path)) else { continue };
            let likeness = shingles.likeness(other);
            if likeness >= ALIKE && nearest.as_ref().is_none_or(|near| likeness > near.likeness) {
                nearest = Some(Near { path: path.clone(), likeness });
            }
            // Candidates come by path: nothing after it is nearer.
            if likeness >= 1.0 {
                break;
            }
        }
        nearest
    }

    /// The texts that have this run among their rarest.
    fn listed(&self, hash: u64) -> impl Iterator<Item = &(u64, u32)> {
        let from = self.lists.partition_point(|(listed, _)| *listed < hash);
        self.lists.iter().skip(from).take_while(move |(listed, _)| *listed == hash)
    }
}

/// The rarest runs of a text, so many that another which is alike must have one of them among its own rarest.
fn rarest(counts: &Counts, shingles: &Shingles) -> impl Iterator<Item = u64> + use<> {
    let hashes = shingles.hashes();
    // Alike sets share at least ALIKE of the smaller one; one less than the rest cannot hold all they share.
    let must_share = (ALIKE * hashes.len() as f64 - 1e-9).ceil() as usize;
    let taken = (hashes.len() + 1).saturating_sub(must_share).min(hashes.len());
    let mut ranked: Vec<(u16, u64)> = hashes.iter().map(|hash| (counts.of(*hash), *hash)).collect();
    if taken < ranked.len() {
        ranked.select_nth_unstable(taken);
        ranked.truncate(taken);
    }
    ranked.into_iter().map(|(_, hash)| hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(number: usize) -> PromptPath {
        PromptPath::parse(&format!("prompts/{number:05}.prompt.yml")).unwrap()
    }

    /// What comparing with each finds.
    fn by_hand(texts: &[String], text: &str) -> Option<f64> {
        let likeness = |other: &String| Shingles::of(text).likeness(&Shingles::of(other));
        texts.iter().map(likeness).filter(|likeness| *likeness >= ALIKE).max_by(f64::total_cmp)
    }

    #[test]
    fn percent_is_rounded_down_and_100_means_the_same() {
        let percent = |likeness| Near { path: path(0), likeness }.percent();
        assert_eq!([percent(1.0), percent(0.9999), percent(0.8), percent(0.875)], [100, 99, 80, 87]);
    }

    #[test]
    fn a_text_that_shares_only_boilerplate_is_no_candidate() {
        let shared = "You are an assistant of Acme and answer in short plain sentences without any promise";
        let mut texts: Vec<String> = (0..200)
            .map(|n| {
                let own: Vec<String> = (0..30).map(|word| format!("w{n}x{word}")).collect();
                format!("{shared} {}", own.join(" "))
            })
            .collect();
        texts.push(format!("{} today", texts[7]));
        let index = Index::new(texts.iter().enumerate().map(|(at, text)| (path(at), text.as_str())));
        let near = index.nearest(&texts[7], |other| *other != path(7)).unwrap();
        assert_eq!((near.path, near.likeness), (path(200), 43.0 / 44.0));
        assert!(index.nearest(&texts[3], |other| *other != path(3)).is_none());
        assert!(
            index.lists.chunk_by(|one, next| one.0 == next.0).all(|list| list.len() < 5),
            "boilerplate is in no list"
        );
    }

    proptest! {
        #[test]
        fn the_search_finds_what_comparing_with_each_finds(
            words in prop::collection::vec(prop::collection::vec(0u8..6, 12..30), 1..12),
            like in 0usize..12,
            changes in prop::collection::vec((0usize..30, 0u8..6), 0..4),
        ) {
            let text = |words: &[u8]| words.iter().map(|word| format!("w{word} ")).collect::<String>();
            let texts: Vec<String> = words.iter().map(|words| text(words)).collect();
            let mut asked = words[like % words.len()].clone();
            for (at, word) in changes {
                let at = at % asked.len();
                asked[at] = word;
            }
            let asked = text(&asked);
            let index = Index::new(texts.iter().enumerate().map(|(at, text)| (path(at), text.as_str())));
            let found = index.nearest(&asked, |_| true).map(|near| near.likeness);
            prop_assert_eq!(found, by_hand(&texts, &asked));
        }
    }
}
