//! Walks the chain of a log entry by entry, and names the first that does not hold. Knows no database and no file.

use super::{BEGINNING, link};
use crate::domain::ids::Digest;

/// An entry of a log as it is stored: its text, and its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its place, from 1.
    pub seq: i64,
    /// The digest of the entry before it.
    pub before: Digest,
    /// Its own digest.
    pub digest: Digest,
    /// The entry as JSON.
    pub body: String,
}

/// A place and the digest that stands there, as an auditor has noted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The place.
    pub seq: i64,
    /// The digest of the entry there.
    pub digest: Digest,
}

impl Pin {
    /// Reads `SEQ:DIGEST`.
    ///
    /// # Errors
    /// When it is not of that form; says which form is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let pin = parts.and_then(|(seq, digest)| {
            let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
            Some(Self { seq, digest: Digest::parse(digest).ok()? })
        });
        pin.ok_or_else(|| "write SEQ:DIGEST, as `promptops audit verify` prints it".to_owned())
    }
}

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Places are left out.
    #[error("entry {next} is missing: the log goes on with entry {found}")]
    Missing {
        /// The first place that is left out.
        next: i64,
        /// What stands there instead.
        found: i64,
    },
    /// A place comes again, or too late.
    #[error("entry {found} stands where entry {next} belongs")]
    Order {
        /// The place that should follow.
        next: i64,
        /// What stands there instead.
        found: i64,
    },
    /// The digest before it is not that of the entry before it.
    #[error("entry {seq} does not follow on the entry before it: one of the two was replaced")]
    Unlinked {
        /// Its place.
        seq: i64,
    },
    /// Its own digest does not fit its text.
    #[error("entry {seq} was changed: its text does not fit its digest")]
    Changed {
        /// Its place.
        seq: i64,
    },
    /// The log ends too soon.
    #[error("the log ends with entry {last}, but entry {end} was written: the end was cut off")]
    Cut {
        /// Its last entry.
        last: i64,
        /// The last that is known to have been written.
        end: i64,
    },
    /// The database remembers another end than the log has.
    #[error("the log's remembered end is not its last entry, {last}")]
    OtherEnd {
        /// Its last entry.
        last: i64,
    },
    /// Another entry stands where the auditor had noted a digest.
    #[error("entry {seq} is not the one that was noted: the log was written anew")]
    OtherThanNoted {
        /// Its place.
        seq: i64,
    },
    /// The log does not reach back to what was noted.
    #[error("entry {seq}, whose digest was noted, is not in this log")]
    NotedMissing {
        /// Its place.
        seq: i64,
    },
}

/// A log as far as it has been walked.
#[derive(Debug, Clone)]
pub struct Chain {
    first: Option<i64>,
    last: Option<Pin>,
    /// Whether it may begin anywhere: a file may hold the newer part of a log.
    anywhere: bool,
    noted: Option<Pin>,
    met: bool,
}

impl Chain {
    /// A whole log, from its first entry.
    #[must_use]
    pub fn whole(noted: Option<Pin>) -> Self {
        Self { first: None, last: None, anywhere: false, noted, met: false }
    }

    /// A log or its newer part.
    #[must_use]
    pub fn part(noted: Option<Pin>) -> Self {
        Self { anywhere: true, ..Self::whole(noted) }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn follow(&mut self, entry: &Link) -> Result<(), Broken> {
        let seq = entry.seq;
        let next = match self.last {
            Some(last) => last.seq.saturating_add(1),
            None if self.anywhere && seq > 0 => seq,
            None => 1,
        };
        if seq != next {
            return Err(if seq > next {
                Broken::Missing { next, found: seq }
            } else {
                Broken::Order { next, found: seq }
            });
        }
        let before = match self.last {
            Some(last) => last.digest,
            None if seq == 1 => BEGINNING,
            // What was before the first entry of a part is not known.
            None => entry.before,
        };
        if entry.before != before {
            return Err(Broken::Unlinked { seq });
        }
        if entry.digest != link(seq, &before, &entry.body) {
            return Err(Broken::Changed { seq });
        }
        if let Some(noted) = self.noted.filter(|noted| noted.seq == seq) {
            if noted.digest != entry.digest {
                return Err(Broken::OtherThanNoted { seq });
            }
            self.met = true;
        }
        self.first = self.first.or(Some(seq));
        self.last = Some(Pin { seq, digest: entry.digest });
        Ok(())
    }

    /// Holds the end against what is remembered of it, and ends the walk.
    ///
    /// # Errors
    /// When it is another, or a noted entry was not met.
    pub fn finish(&self, end: Option<Pin>) -> Result<(), Broken> {
        let last = self.last.map_or(0, |last| last.seq);
        match (end, self.last) {
            (Some(end), _) if end.seq > last => return Err(Broken::Cut { last, end: end.seq }),
            (Some(end), Some(last)) if end != last => return Err(Broken::OtherEnd { last: last.seq }),
            _ => {}
        }
        match self.noted {
            Some(noted) if noted.seq > last => Err(Broken::Cut { last, end: noted.seq }),
            Some(noted) if !self.met => Err(Broken::NotedMissing { seq: noted.seq }),
            _ => Ok(()),
        }
    }

    /// The first place that was walked.
    #[must_use]
    pub fn first(&self) -> Option<i64> {
        self.first
    }

    /// The last place that was walked, and its digest.
    #[must_use]
    pub fn last(&self) -> Option<Pin> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Vec<Link> {
        let mut before = BEGINNING;
        let entry = |(seq, body): (i64, &str)| {
            let digest = link(seq, &before, body);
            let entry = Link { seq, before, digest, body: body.to_owned() };
            before = digest;
            entry
        };
        [(1, "a"), (2, "b"), (3, "c"), (4, "d")].into_iter().map(entry).collect()
    }

    fn walk(mut chain: Chain, entries: &[Link], end: Option<Pin>) -> Result<(), Broken> {
        entries.iter().try_for_each(|entry| chain.follow(entry))?;
        chain.finish(end)
    }

    fn pin(entry: &Link) -> Option<Pin> {
        Some(Pin { seq: entry.seq, digest: entry.digest })
    }

    #[track_caller]
    fn check(forge: impl Fn(&mut Vec<Link>), expected: Result<(), Broken>) {
        let sound = log();
        let mut forged = sound.clone();
        forge(&mut forged);
        assert_eq!(walk(Chain::whole(None), &forged, pin(&sound[3])), expected);
    }

    #[test]
    fn the_first_entry_that_does_not_hold_is_named() {
        check(|_| (), Ok(()));
        check(|log| log[1].body = "B".to_owned(), Err(Broken::Changed { seq: 2 }));
        check(|log| log[2].digest = BEGINNING, Err(Broken::Changed { seq: 3 }));
        check(|log| log[2].before = BEGINNING, Err(Broken::Unlinked { seq: 3 }));
        check(|log| drop(log.remove(1)), Err(Broken::Missing { next: 2, found: 3 }));
        check(|log| drop(log.remove(0)), Err(Broken::Missing { next: 1, found: 2 }));
        check(|log| log.swap(1, 2), Err(Broken::Missing { next: 2, found: 3 }));
        check(|log| log.insert(2, log[1].clone()), Err(Broken::Order { next: 3, found: 2 }));
        check(|log| drop(log.pop()), Err(Broken::Cut { last: 3, end: 4 }));
        check(Vec::clear, Err(Broken::Cut { last: 0, end: 4 }));
        // Places exchanged with the texts left where they were.
        check(
            |log| {
                let (b, c) = (log[1].body.clone(), log[2].body.clone());
                (log[1].body, log[2].body) = (c, b);
            },
            Err(Broken::Changed { seq: 2 }),
        );
        // An entry changed and given its right digest betrays itself by the next.
        check(
            |log| {
                log[1].body = "B".to_owned();
                log[1].digest = link(2, &log[1].before, "B");
            },
            Err(Broken::Unlinked { seq: 3 }),
        );
    }

    #[test]
    fn an_end_that_was_written_anew_is_met_by_what_was_noted() {
        let sound = log();
        let mut short = sound.clone();
        short.truncate(2);
        assert_eq!(walk(Chain::whole(None), &short, pin(&sound[1])), Ok(()), "nobody noted the end");
        assert_eq!(walk(Chain::whole(pin(&sound[3])), &short, pin(&sound[1])), Err(Broken::Cut { last: 2, end: 4 }));
        assert_eq!(walk(Chain::whole(pin(&sound[1])), &sound, None), Ok(()), "the log has grown since");
        let other = Pin { seq: 2, digest: BEGINNING };
        assert_eq!(walk(Chain::whole(Some(other)), &sound, None), Err(Broken::OtherThanNoted { seq: 2 }));
        let longer = Pin { seq: 3, digest: sound[2].digest };
        assert_eq!(walk(Chain::whole(None), &sound, Some(longer)), Err(Broken::OtherEnd { last: 4 }));
    }

    #[test]
    fn a_part_begins_anywhere_and_has_no_gaps_all_the_same() {
        let sound = log();
        assert_eq!(walk(Chain::part(None), &sound[2..], None), Ok(()));
        assert_eq!(walk(Chain::whole(None), &sound[2..], None), Err(Broken::Missing { next: 1, found: 3 }));
        let gap = [sound[1].clone(), sound[3].clone()];
        assert_eq!(walk(Chain::part(None), &gap, None), Err(Broken::Missing { next: 3, found: 4 }));
        assert_eq!(walk(Chain::part(pin(&sound[0])), &sound[2..], None), Err(Broken::NotedMissing { seq: 1 }));
        let mut first = sound.clone();
        first[0].before = sound[0].digest;
        assert_eq!(walk(Chain::part(None), &first, None), Err(Broken::Unlinked { seq: 1 }));
    }

    #[test]
    fn a_pin_is_read_as_it_is_printed() {
        let digest = link(1, &BEGINNING, "a");
        assert_eq!(Pin::parse(&format!("7:{digest}")), Ok(Pin { seq: 7, digest }));
        for wrong in ["", "7", "7:abc", "0:", &format!("-1:{digest}"), &format!("x:{digest}")] {
            assert!(Pin::parse(wrong).unwrap_err().contains("SEQ:DIGEST"));
        }
    }
}
