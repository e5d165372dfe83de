//! Says what became of overrides: who counts, who does not and why, who could. Decides nothing.

use super::approval_words::because;
use crate::domain::policy::decision::{NotCounted, Overriding, State, Why};

/// What became of the overrides of a pull request, one sentence each.
#[must_use]
pub fn sentences(overriding: &Overriding) -> Vec<String> {
    let mut said = Vec::new();
    for one in &overriding.counted {
        said.push(format!("@{} overrides the evaluation: {}", one.login, one.reason));
    }
    if overriding.state == State::Pending && !overriding.counted.is_empty() {
        let (counted, needed) = (overriding.counted.len(), overriding.needed);
        said.push(format!("That is {counted} of {needed}: the override waits for {}.", overriding.could));
    }
    if overriding.state != State::Satisfied {
        said.extend(overriding.problems.iter().map(|problem| format!("The override cannot be decided: {problem}")));
    }
    said.extend(overriding.not_counted.iter().map(not_counted));
    said
}

fn not_counted(NotCounted { login, why }: &NotCounted) -> String {
    match why {
        Why::Outdated { commit: Some(commit) } => format!(
            "The override of @{login} was for commit {} and has lapsed: a push or another base branch takes it back.",
            commit.short()
        ),
        Why::OtherResult => format!("The override of @{login} was given for another result: comment again."),
        why => format!("The override of @{login} does not count: {}.", because(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{CommitSha, Login};
    use crate::domain::policy::decision::Overrider;

    fn login(name: &str) -> Login {
        Login::parse(name).unwrap()
    }

    fn check(state: State, not_counted: Vec<Why>, problems: &[&str], expected: &[&str]) {
        let overriding = Overriding {
            state,
            needed: 2,
            counted: vec![Overrider { login: login("lee"), reason: "the outage".to_owned(), comment_id: 9 }],
            not_counted: not_counted.into_iter().map(|why| NotCounted { login: login("ann"), why }).collect(),
            could: "2 of leads (@acme/leads)".to_owned(),
            problems: problems.iter().map(|&problem| problem.to_owned()).collect(),
        };
        assert_eq!(sentences(&overriding), expected);
    }

    #[test]
    fn who_counts_who_does_not_and_who_could() {
        let lee = "@lee overrides the evaluation: the outage";
        check(State::Satisfied, vec![], &[], &[lee]);
        check(State::Pending, vec![], &[], &[lee, "That is 1 of 2: the override waits for 2 of leads (@acme/leads)."]);
        check(
            State::Undecidable,
            vec![],
            &["team @acme/leads cannot be read"],
            &[lee, "The override cannot be decided: team @acme/leads cannot be read"],
        );
        let commit = Some(CommitSha::parse(&"a".repeat(40)).unwrap());
        check(
            State::Satisfied,
            vec![Why::Author, Why::Outdated { commit }, Why::OtherResult],
            &[],
            &[
                lee,
                "The override of @ann does not count: they opened the pull request.",
                "The override of @ann was for commit aaaaaaa and has lapsed: a push or another base branch takes it back.",
                "The override of @ann was given for another result: comment again.",
            ],
        );
    }
}
