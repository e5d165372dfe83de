//! What a check shows that several pull requests share: the worst of their results. Pure; knows neither store nor GitHub.

use std::cmp::Reverse;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::job::check_external_id;
use crate::domain::ids::PullNumber;
use crate::github::check::{CheckState, Conclusion};

/// Whose result it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A pull request's.
    Pull(PullNumber),
    /// That of a merge queue's group, made for this pull request if its branch names one.
    Group(Option<PullNumber>),
}

impl Holder {
    /// Reads what [`Holder`] displays.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| digits.parse().ok().map(PullNumber);
        match text.split_once('/')? {
            ("pull", digits) => number(digits).map(Self::Pull),
            ("group", "unknown") => Some(Self::Group(None)),
            ("group", digits) => number(digits).map(|pull| Self::Group(Some(pull))),
            _ => None,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Pull(number) => format!("#{number}"),
            Self::Group(_) => "the merge queue".to_owned(),
        }
    }
}

/// The `external_id` of a check that shows this holder's result.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(number) => f.write_str(&check_external_id(*number)),
            Self::Group(Some(number)) => write!(f, "group/{number}"),
            Self::Group(None) => f.write_str("group/unknown"),
        }
    }
}

/// A result as it is said on a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Where it stands.
    pub state: CheckState,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown; may be empty.
    pub text: String,
}

impl Said {
    /// Begun, with this to say.
    pub fn begun(line: &str) -> Self {
        Self { state: CheckState::InProgress, title: line.into(), summary: line.into(), text: String::new() }
    }

    /// Of a holder of whom nothing is known: it holds the merge.
    pub fn undecided() -> Self {
        Self::begun("Not looked at yet; comment `/promptops eval` there if it stays so")
    }

    /// Reads what was kept. What another version of this program kept otherwise counts as undecided.
    pub fn from_body(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_else(|_| Self::undecided())
    }

    /// As it is kept.
    pub fn to_body(&self) -> String {
        // Texts always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it has not ended.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, CheckState::Completed(_))
    }

    /// Whether it lets the merge through.
    pub fn is_success(&self) -> bool {
        self.state == CheckState::Completed(Conclusion::Success)
    }

    /// Whether its holder has gone and only the post is waited for.
    fn is_cancelled(&self) -> bool {
        self.state == CheckState::Completed(Conclusion::Cancelled)
    }

    /// How much it keeps a merge from happening; what was cancelled counts only where nothing else does.
    fn badness(&self) -> u8 {
        match self.state {
            CheckState::Completed(Conclusion::Cancelled) => 0,
            CheckState::Completed(Conclusion::Success) => 1,
            CheckState::Queued | CheckState::InProgress => 2,
            CheckState::Completed(Conclusion::ActionRequired) => 3,
            CheckState::Completed(Conclusion::Failure) => 4,
        }
    }
}

/// Leaves out those who have gone: the check is as if they were not there already. Where nobody else is, one of them says so.
pub fn forget_cancelled(results: &mut Vec<(Holder, Said)>) {
    if results.iter().all(|(_, said)| said.is_cancelled()) {
        results.truncate(1);
    } else {
        results.retain(|(_, said)| !said.is_cancelled());
    }
}

/// The worst of all results and who holds it: the same whoever asks. `None` without results.
pub fn worst(results: &[(Holder, Said)]) -> Option<(Holder, Said)> {
    let (holder, said) = results.iter().max_by_key(|(holder, said)| (said.badness(), Reverse(*holder)))?;
    if results.len() == 1 {
        return Some((*holder, said.clone()));
    }
    let mut holders: Vec<Holder> = results.iter().map(|(holder, _)| *holder).collect();
    holders.sort();
    let names: Vec<String> = holders.into_iter().map(Holder::name).collect();
    let why = format!(
        "This commit is the head of {} open pull requests into the same branch: {}. GitHub keeps one result of a check for a \
         commit, so the worst of theirs is shown. It is that of {}.",
        names.len(),
        names.join(", "),
        holder.name()
    );
    let title = if said.is_success() { said.title.clone() } else { format!("{}: {}", holder.name(), said.title) };
    let said = Said { title, summary: format!("{why}\n\n{}", said.summary), ..said.clone() };
    Some((*holder, said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [CheckState; 6] = [
        CheckState::Completed(Conclusion::Cancelled),
        CheckState::Completed(Conclusion::Success),
        CheckState::Queued,
        CheckState::InProgress,
        CheckState::Completed(Conclusion::ActionRequired),
        CheckState::Completed(Conclusion::Failure),
    ];

    fn said(state: CheckState) -> Said {
        Said { state, ..Said::begun("line") }
    }

    fn check(states: &[usize], expected: Option<(u64, &str)>) {
        let results: Vec<_> =
            (7..).zip(states).map(|(number, state)| (Holder::Pull(PullNumber(number)), said(STATES[*state]))).collect();
        let shown = worst(&results).map(|(holder, said)| (holder, said.title));
        assert_eq!(shown, expected.map(|(number, title)| (Holder::Pull(PullNumber(number)), title.to_owned())));
    }

    #[test]
    fn the_worst_result_is_shown_and_whose_it_is() {
        check(&[], None);
        check(&[5], Some((7, "line")));
        check(&[1, 1], Some((7, "line")));
        check(&[1, 5], Some((8, "#8: line")));
        check(&[5, 4], Some((7, "#7: line")));
        check(&[1, 3, 4], Some((9, "#9: line")));
        check(&[0, 1], Some((8, "line")));
    }

    #[test]
    fn who_has_gone_is_shown_only_where_nobody_else_is() {
        let check = |states: &[usize], expected: &[usize]| {
            let mut results: Vec<_> =
                states.iter().map(|state| (Holder::Pull(PullNumber(7)), said(STATES[*state]))).collect();
            forget_cancelled(&mut results);
            let left: Vec<_> = results.into_iter().map(|(_, said)| said.state).collect();
            assert_eq!(left, expected.iter().map(|state| STATES[*state]).collect::<Vec<_>>());
        };
        check(&[], &[]);
        check(&[0], &[0]);
        check(&[0, 0], &[0]);
        check(&[0, 1, 0, 5], &[1, 5]);
    }

    #[test]
    fn holders_are_read_as_they_are_written() {
        for holder in [Holder::Pull(PullNumber(7)), Holder::Group(Some(PullNumber(7))), Holder::Group(None)] {
            assert_eq!(Holder::parse(&holder.to_string()), Some(holder));
        }
        assert_eq!(Holder::parse("pull/x"), None);
    }

    proptest! {
        #[test]
        fn one_that_holds_the_merge_holds_it_for_all_in_any_order(states in prop::collection::vec(0usize..6, 1..6)) {
            let mut results: Vec<_> =
                (1..).zip(&states).map(|(number, state)| (Holder::Pull(PullNumber(number)), said(STATES[*state]))).collect();
            let shown = worst(&results);
            results.reverse();
            prop_assert_eq!(&shown, &worst(&results));
            let all_pass = states.iter().all(|state| *state <= 1) && states.contains(&1);
            prop_assert_eq!(shown.is_some_and(|(_, said)| said.is_success()), all_pass);
        }
    }
}
