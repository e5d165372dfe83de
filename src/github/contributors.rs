//! Who made a commit: its author, its committer, and those its `Co-authored-by` trailers name. Pure.

use std::collections::BTreeMap;

use super::error::GithubError;
use super::wire;
use crate::domain::ids::{CommitSha, Login, UserId};
use crate::domain::policy::facts::{CommitFact, Person};

/// Where an address of the form `12345+login@users.noreply.github.com` ends, on any GitHub.
const NO_REPLY: &str = "@users.noreply.";

/// Reads the commits of one pull request. A trailer maps to an account by its no-reply address, or by an address that another
/// commit of the same pull request shows to belong to one; addresses of `known` people are tried too.
pub(super) fn read(commits: &[wire::Commit], known: &[Person]) -> Result<Vec<CommitFact>, GithubError> {
    let mut by_email: BTreeMap<String, Person> = BTreeMap::new();
    let mut people: Vec<Person> = known.to_vec();
    for commit in commits {
        for (account, signature) in
            [(&commit.author, &commit.commit.author), (&commit.committer, &commit.commit.committer)]
        {
            if let Some(person) = person(account.as_ref()) {
                if let Some(email) = signature.as_ref().and_then(|signature| signature.email.as_deref()) {
                    by_email.insert(email.to_ascii_lowercase(), person.clone());
                }
                people.push(person);
            }
        }
    }
    commits.iter().map(|commit| fact(commit, &by_email, &people)).collect()
}

/// The person behind an account; GitHub's own is none.
fn person(account: Option<&wire::Account>) -> Option<Person> {
    account.filter(|account| !account.is_web_flow()).and_then(wire::Account::person)
}

fn fact(
    commit: &wire::Commit,
    by_email: &BTreeMap<String, Person>,
    people: &[Person],
) -> Result<CommitFact, GithubError> {
    let sha =
        CommitSha::parse(&commit.sha).map_err(|error| GithubError::shape("a commit of the pull request", error))?;
    let mut co_authors = Vec::new();
    let mut unknown_co_authors = Vec::new();
    for (text, email) in trailers(&commit.commit.message) {
        match by_email.get(&email).cloned().or_else(|| from_no_reply(&email, people)) {
            Some(person) => co_authors.push(person),
            None => unknown_co_authors.push(text),
        }
    }
    Ok(CommitFact {
        sha,
        author: person(commit.author.as_ref()),
        committer: person(commit.committer.as_ref()),
        committed_by_github: commit.is_by_github(),
        co_authors,
        unknown_co_authors,
    })
}

/// Every `Co-authored-by: Name <email>` line, anywhere in the message: one too many only makes the policy stricter.
fn trailers(message: &str) -> impl Iterator<Item = (String, String)> {
    message.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once(':')?;
        if !key.trim_end().eq_ignore_ascii_case("co-authored-by") {
            return None;
        }
        let value = value.trim();
        let email = value.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next()).unwrap_or(value);
        Some((value.chars().take(200).collect(), email.trim().to_ascii_lowercase()))
    })
}

/// The account a no-reply address names. The older form has no id, so it maps only to people already known.
fn from_no_reply(email: &str, people: &[Person]) -> Option<Person> {
    let (local, _) = email.split_once(NO_REPLY)?;
    match local.split_once('+') {
        Some((id, login)) => {
            let login = Login::parse(login).ok()?;
            let is_bot = login.as_str().ends_with("[bot]");
            Some(Person { id: UserId(id.parse().ok()?), login, is_bot })
        }
        None => people.iter().find(|person| person.login.as_str().eq_ignore_ascii_case(local)).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn account(id: u64, login: &str) -> Value {
        json!({ "id": id, "login": login, "type": "User" })
    }

    fn commit(author: &Value, committer: &Value, message: &str) -> wire::Commit {
        serde_json::from_value(json!({
            "sha": SHA, "author": author, "committer": committer,
            "commit": { "author": { "email": "Ann@example.com" }, "committer": { "email": "noreply@github.com" },
                        "message": message },
        }))
        .unwrap()
    }

    fn check(commit: wire::Commit, author: Option<u64>, committer: Option<u64>, co: &[u64], unknown: &[&str]) {
        let known = [Person { id: UserId(4), login: Login::parse("dana").unwrap(), is_bot: false }];
        let fact = read(&[commit], &known).unwrap().remove(0);
        let id = |person: Option<Person>| person.map(|person| person.id.0);
        assert_eq!((id(fact.author), id(fact.committer)), (author, committer));
        assert_eq!(fact.co_authors.iter().map(|person| person.id.0).collect::<Vec<_>>(), co);
        assert_eq!(fact.unknown_co_authors, unknown);
    }

    #[test]
    fn github_itself_is_nobody_and_neither_is_an_account_that_is_not_there() {
        check(commit(&account(1, "ann"), &account(19_864_447, "web-flow"), "x"), Some(1), None, &[], &[]);
        check(commit(&Value::Null, &json!({}), "x"), None, None, &[], &[]);
        check(commit(&account(10_137, "ghost"), &account(2, "bo"), "x"), None, Some(2), &[], &[]);
    }

    #[test]
    fn a_commit_is_githubs_own_only_if_github_signed_it() {
        let web_flow = account(19_864_447, "web-flow");
        let by_github = |author: &Value, committer: &Value, verified: Option<bool>| {
            let mut commit = commit(author, committer, "x");
            commit.commit.verification = verified.map(|verified| wire::Verification { verified });
            read(&[commit], &[]).unwrap().remove(0)
        };
        assert!(by_github(&account(1, "ann"), &web_flow, Some(true)).committed_by_github);
        for unproven in [Some(false), None] {
            let fact = by_github(&account(1, "ann"), &web_flow, unproven);
            assert_eq!((fact.committed_by_github, fact.committer), (false, None));
        }
        let ann = by_github(&account(1, "ann"), &account(2, "bo"), Some(true));
        assert_eq!((ann.committed_by_github, ann.committer.map(|person| person.id.0)), (false, Some(2)));
        assert_eq!(by_github(&web_flow, &web_flow, Some(true)).author, None);
    }

    #[test]
    fn co_authors_are_mapped_by_address_and_named_where_they_are_nobody() {
        let message = "Fix\n\nCo-authored-by: Mara <33+Mara@users.noreply.github.com>\nco-authored-BY: A <ann@example.com>\n\
                       Co-authored-by: Dana <dana@users.noreply.github.com>\nCo-authored-by: Zed <zed@example.com>\n\
                       Co-authored-by: nobody";
        let commit = commit(&account(1, "ann"), &account(19_864_447, "web-flow"), message);
        check(commit, Some(1), None, &[33, 1, 4], &["Zed <zed@example.com>", "nobody"]);
    }
}
