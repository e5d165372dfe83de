//! A requirement against the people who approved: the tree of reasons, node by node. Knows no `when`.

use super::decision::{Asks, NotCounted, Reason, State, Why};
use super::known::{Gap, Known};
use super::people::{Doubts, Named, Whom};
use super::words::{asks_code_owners, asks_each_owner, describe, requirement};
use super::{Quorum, Require, Source};
use crate::domain::ids::Login;

/// A quorum within a requirement: whom it names, and where each person who approved stands to it.
pub(super) struct Leaf<'k> {
    pub whom: Whom<'k>,
    /// In the order of the approvals that may count.
    pub answers: Vec<Named<'k>>,
}

/// Judges a requirement; its quorums are added to `leaves`.
pub(super) fn judge<'k>(require: &'k Require, known: &'k Known<'_>, leaves: &mut Vec<Leaf<'k>>) -> Reason {
    match require {
        Require::Quorum(quorum) => judge_quorum(quorum, known, leaves),
        Require::AnyOf(parts) => any_of(parts.iter().map(|part| judge(part, known, leaves)).collect(), require, known),
        Require::AllOf(parts) => all_of(parts.iter().map(|part| judge(part, known, leaves)).collect(), require, known),
    }
}

/// How many approvals are missing at least.
fn missing(reason: &Reason) -> u32 {
    match reason.asks {
        Asks::Quorum => reason.needed.saturating_sub(u32::try_from(reason.counted.len()).unwrap_or(u32::MAX)),
        Asks::AnyOf => reason.parts.iter().map(missing).min().unwrap_or(u32::MAX),
        Asks::AllOf => reason.parts.iter().map(missing).fold(0, u32::saturating_add),
    }
}

/// One satisfied part is enough. Else what is unknown in one part is worse than that others wait.
fn any_of(parts: Vec<Reason>, require: &Require, known: &Known<'_>) -> Reason {
    let is_satisfied = parts.iter().any(|part| part.state == State::Satisfied);
    let state = if is_satisfied {
        State::Satisfied
    } else {
        parts.iter().map(|part| part.state).max().unwrap_or(State::Undecidable)
    };
    let nearest = parts.iter().min_by_key(|part| (part.state != State::Satisfied, missing(part)));
    let (needed, of_nearest) = nearest.map_or((1, Vec::new()), |part| (part.needed, part.counted.clone()));
    let counted = match state {
        State::Satisfied => union(parts.iter().filter(|part| part.state == State::Satisfied)),
        _ => of_nearest,
    };
    node(Asks::AnyOf, state, needed, counted, parts, requirement(require, known))
}

/// Each part must be satisfied; the worst is what counts.
fn all_of(parts: Vec<Reason>, require: &Require, known: &Known<'_>) -> Reason {
    let state = parts.iter().map(|part| part.state).max().unwrap_or(State::Undecidable);
    let needed = parts.iter().map(|part| part.needed).fold(0, u32::saturating_add);
    let counted = union(parts.iter());
    node(Asks::AllOf, state, needed, counted, parts, requirement(require, known))
}

fn node(asks: Asks, state: State, needed: u32, counted: Vec<Login>, parts: Vec<Reason>, could: String) -> Reason {
    let mut problems: Vec<String> = Vec::new();
    if state == State::Undecidable {
        for problem in parts.iter().flat_map(|part| &part.problems) {
            if !problems.contains(problem) {
                problems.push(problem.clone());
            }
        }
        if parts.is_empty() {
            problems.push("the rule lists nothing to ask for: mend it in the settings on the base branch".to_owned());
        }
    }
    let missing = Vec::new();
    Reason { asks, could, state, needed, counted, not_counted: Vec::new(), missing, problems, parts }
}

fn union<'r>(parts: impl Iterator<Item = &'r Reason>) -> Vec<Login> {
    let mut all: Vec<Login> = Vec::new();
    for login in parts.flat_map(|part| &part.counted) {
        if !all.contains(login) {
            all.push(login.clone());
        }
    }
    all
}

/// Judges one quorum; it is added to `leaves`.
pub(super) fn judge_quorum<'k>(quorum: &'k Quorum, known: &'k Known<'_>, leaves: &mut Vec<Leaf<'k>>) -> Reason {
    let whom = Whom::of(&quorum.from, known);
    let approvals = &known.standing.approvals;
    let answers: Vec<Named<'k>> = approvals.iter().map(|person| whom.named(person)).collect();
    let mut doubts = Doubts::default();
    let mut counted = Vec::new();
    for (person, answer) in approvals.iter().zip(&answers) {
        match answer {
            Named::Yes => counted.push(person.login.clone()),
            Named::Unknown(unsure) => doubts.add(*unsure, &person.login),
            Named::No | Named::Invited => {}
        }
    }
    doubts.add_unreadable(&whom, known);
    let mut open = Open { missing: Vec::new(), unknown: Vec::new(), doubts };
    if asks_each_owner(quorum) {
        open.each_owner(known);
    }
    if asks_code_owners(quorum) {
        open.each_file(quorum, known);
    }
    let mut problems = whom.problems.clone();
    problems.extend(open.unknown.iter().filter(|problem| !whom.problems.contains(*problem)).cloned());
    problems.extend(open.doubts.sentences(known.places));
    // An owner nobody stands for is one approval more that is needed, however many there are; so is one nobody knows.
    let required = u32::try_from(counted.len() + open.missing.len() + open.unknown.len()).unwrap_or(u32::MAX);
    let is_open = !open.missing.is_empty() || !open.unknown.is_empty();
    let needed = if is_open { quorum.count.max(1).max(required) } else { quorum.count.max(1) };
    let has_all = u32::try_from(counted.len()).unwrap_or(u32::MAX) >= needed;
    let state = match (has_all, problems.is_empty()) {
        (true, _) => State::Satisfied,
        (false, true) => State::Pending,
        (false, false) => State::Undecidable,
    };
    if state != State::Undecidable {
        problems.clear();
    }
    let not_counted = not_counted(&whom, &answers, known);
    leaves.push(Leaf { whom, answers });
    let (asks, could, parts) = (Asks::Quorum, describe(quorum, known), Vec::new());
    Reason { asks, could, state, needed, counted, not_counted, missing: open.missing, problems, parts }
}

/// Owners that must approve besides the number of people.
struct Open {
    /// Nobody stands for them yet.
    missing: Vec<String>,
    /// Nobody knows who they are; one sentence each.
    unknown: Vec<String>,
    doubts: Doubts,
}

impl Open {
    fn add(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            self.missing.push(gap.who.clone());
            self.doubts.merge(&gap.doubts);
        }
    }

    fn each_owner(&mut self, known: &Known<'_>) {
        self.add(known.owner_gaps());
        self.unknown.extend(known.facts.said.unowned.iter().map(|path| {
            format!(
                "`{path}` names no owner on the base branch, so nobody can approve it as its owner: give the rule another \
                 approver, or name an owner there first"
            )
        }));
    }

    /// Somebody whom the quorum names otherwise stands for every file.
    fn each_file(&mut self, quorum: &Quorum, known: &Known<'_>) {
        let others = quorum.from.iter().filter(|source| !matches!(source, Source::CodeOwners));
        let others = Whom::of(others, known);
        if known.standing.approvals.iter().any(|person| others.named(person) == Named::Yes) {
            return;
        }
        self.add(known.code_owner_gaps());
        self.unknown.extend(known.facts.code_owners.problems.iter().cloned());
    }
}

/// Whose approvals this quorum does not count: those it does not name, and those that count nowhere though it names them.
fn not_counted(whom: &Whom<'_>, answers: &[Named<'_>], known: &Known<'_>) -> Vec<NotCounted> {
    let named = |person| matches!(whom.named(person), Named::Yes | Named::Unknown(_));
    let discounted = known.standing.discounted.iter().filter(|(person, _)| named(person));
    let discounted = discounted.map(|(person, why)| NotCounted { login: person.login.clone(), why: why.clone() });
    let unnamed = known.standing.approvals.iter().zip(answers).filter_map(|(person, answer)| {
        let why = match answer {
            Named::No => Why::NotNamed,
            Named::Invited => Why::Invited,
            Named::Yes | Named::Unknown(_) => return None,
        };
        Some(NotCounted { login: person.login.clone(), why })
    });
    discounted.chain(unnamed).collect()
}
