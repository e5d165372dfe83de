//! The settings' `roles`, `approval` and `override`: who must approve what. Knows no pull request.

use std::collections::{BTreeMap, BTreeSet};

use super::read_globs;
use crate::domain::gate::Verdict;
use crate::domain::ids::{Login, TeamSlug};
use crate::domain::node::{Kind, Node};
use crate::domain::policy::{Change, Policy, Principal, Quorum, Require, Rule, Source, When};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};

type Roles = BTreeMap<String, Vec<Principal>>;

const OWNER: &str = "owner";
/// What `when.changes` may name.
pub(in crate::domain) const CHANGES: [(&str, Change); 6] = [
    ("prompt", Change::Prompt),
    ("golden_set", Change::GoldenSet),
    ("golden_set_weakened", Change::GoldenSetWeakened),
    ("policy", Change::Policy),
    ("model", Change::Model),
    ("metadata", Change::Metadata),
];
/// What `when.verdict` may name.
pub(in crate::domain) const VERDICTS: [(&str, Verdict); 4] = [
    ("pass", Verdict::Pass),
    ("no_regression_found", Verdict::NoRegressionFound),
    ("not_measured", Verdict::NotMeasured),
    ("regression", Verdict::Regression),
];

/// Keys of a rule.
pub(in crate::domain) const RULE: [&str; 3] = ["name", "when", "require"];
/// Keys of `when`.
pub(in crate::domain) const WHEN: [&str; 3] = ["paths", "changes", "verdict"];
/// Keys of a quorum.
pub(in crate::domain) const QUORUM: [&str; 2] = ["count", "from"];

/// Reads `roles`: names of our own for groups of users and teams.
pub(super) fn read_roles(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Roles> {
    let mut roles = Roles::new();
    for (key, node) in reader.map(node, what)? {
        let name = &*key.name;
        if name == OWNER || name.starts_with('@') {
            let message = format!("`{name}` cannot be the name of a role");
            reader.error(
                "invalid-role",
                key.at,
                message,
                "choose another: `owner` and names with @ have a meaning already",
            );
        }
        let members = reader.list(node, name).unwrap_or_default();
        if members.is_empty() && matches!(node.kind, Kind::List(_)) {
            reader.error(
                "empty-list",
                node.at,
                format!("role `{name}` has no members"),
                "list \"@user\" or \"@org/team\"",
            );
        }
        let members = members.iter().filter_map(|member| read_principal(reader, member, name)).collect();
        roles.insert(name.to_owned(), members);
    }
    Some(roles)
}

fn read_principal(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Principal> {
    let text = reader.words(node, what)?;
    let principal = parse_principal(&text);
    if principal.is_none() {
        let message = format!("`{text}` in `{what}` is neither a user nor a team");
        reader.error("invalid-principal", node.at, message, "write it as \"@user\" or \"@org/team\", in quotes");
    }
    principal
}

fn parse_principal(text: &str) -> Option<Principal> {
    let name = text.strip_prefix('@')?;
    if name.contains('/') {
        TeamSlug::parse(name).ok().map(Principal::Team)
    } else {
        Login::parse(name).ok().map(Principal::User)
    }
}

/// Reads `approval` and `override`.
pub(super) fn read_policy(reader: &mut Reader<'_>, fields: &Fields<'_>, roles: &Roles) -> Policy {
    let mut rules: Vec<Rule> = Vec::new();
    let items = fields.get("approval").and_then(|node| reader.list(node, "approval"));
    for item in items.unwrap_or_default() {
        let Some(rule) = read_rule(reader, item, roles) else { continue };
        if rules.iter().any(|other| other.name == rule.name) {
            let message = format!("two approval rules are named `{}`", rule.name);
            reader.error("duplicate-rule", item.at, message, "give each a name of its own");
        }
        rules.push(rule);
    }
    let overriders = fields.read(reader, "override", |reader, node, what| read_quorum(reader, node, what, roles));
    Policy { rules, overriders }
}

fn read_rule(reader: &mut Reader<'_>, item: &Node, roles: &Roles) -> Option<Rule> {
    let fields = reader.fields(item, "an approval rule", &RULE, Unknown::Refused)?;
    for key in ["name", "require"] {
        if fields.get(key).is_none() {
            reader.error("missing-key", item.at, format!("an approval rule needs `{key}`"), format!("add `{key}`"));
        }
    }
    let name = fields.read(reader, "name", Reader::words);
    let when = match fields.get("when") {
        Some(node) => read_when(reader, node),
        None => Some(When::default()),
    };
    let require = fields.read(reader, "require", |reader, node, what| read_require(reader, node, what, roles));
    Some(Rule { name: name?.into(), when: when?, require: require? })
}

fn read_when(reader: &mut Reader<'_>, node: &Node) -> Option<When> {
    let fields = reader.fields(node, "`when`", &WHEN, Unknown::Refused)?;
    for key in WHEN {
        if let Some(Node { kind: Kind::List(items), at }) = fields.get(key)
            && items.is_empty()
        {
            reader.error("empty-list", *at, format!("`{key}` is empty"), "list something, or remove the key");
        }
    }
    let changes = |reader: &mut Reader<'_>, node: &Node, what: &str| choices(reader, node, what, &CHANGES);
    let verdicts = |reader: &mut Reader<'_>, node: &Node, what: &str| choices(reader, node, what, &VERDICTS);
    Some(When {
        paths: fields.read(reader, "paths", read_globs).unwrap_or_default(),
        changes: fields.read(reader, "changes", changes).unwrap_or_default(),
        verdict: fields.read(reader, "verdict", verdicts).unwrap_or_default(),
    })
}

fn choices<T: Copy>(reader: &mut Reader<'_>, node: &Node, what: &str, known: &[(&str, T)]) -> Option<Vec<T>> {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let items = reader.list(node, what)?;
    let read = items.iter().filter_map(|item| {
        let text = reader.text(item, what)?;
        let found = known.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let message = format!("`{what}` has no `{text}`");
            reader.error("unknown-value", item.at, message, suggestion(&text, &names));
        }
        found.map(|(_, value)| *value)
    });
    Some(read.collect())
}

/// One quorum, or `any_of` several.
fn read_require(reader: &mut Reader<'_>, node: &Node, what: &str, roles: &Roles) -> Option<Require> {
    if node.get("any_of").is_none() {
        return Some(Require { any_of: vec![read_quorum(reader, node, what, roles)?] });
    }
    let fields = reader.fields(node, "a `require` with `any_of`", &["any_of"], Unknown::Refused)?;
    let list = fields.get("any_of")?;
    let items = reader.list(list, "any_of")?;
    if items.is_empty() {
        reader.error(
            "empty-list",
            list.at,
            "`any_of` is empty, so nobody could satisfy it",
            "list at least one quorum",
        );
        return None;
    }
    let read: Vec<_> = items.iter().map(|item| read_quorum(reader, item, "any_of", roles)).collect();
    read.into_iter().collect::<Option<_>>().map(|any_of| Require { any_of })
}

fn read_quorum(reader: &mut Reader<'_>, node: &Node, what: &str, roles: &Roles) -> Option<Quorum> {
    let fields = reader.fields(node, &format!("`{what}`"), &QUORUM, Unknown::Refused)?;
    let count = match fields.get("count") {
        Some(node) => reader.whole(node, "count", 1, 100)?,
        None => 1,
    };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let Some(list) = fields.get("from") else {
        reader.error("missing-key", node.at, format!("`{what}` needs `from`"), "list users, teams, roles or `owner`");
        return None;
    };
    let items = reader.list(list, "from")?;
    if items.is_empty() {
        reader.error(
            "empty-list",
            list.at,
            "`from` is empty, so nobody could approve",
            "list users, teams, roles or `owner`",
        );
        return None;
    }
    let read: Vec<_> = items.iter().map(|item| read_source(reader, item, roles)).collect();
    let from = read.into_iter().collect::<Option<Vec<_>>>()?;
    if let Some(people) = only_users(&from)
        && people < count as usize
    {
        let message = format!("`count` is {count}, but `from` holds only {people} different users");
        reader.error(
            "unreachable-count",
            fields.key_at("count"),
            message,
            "lower `count`, or name more people or a team",
        );
        return None;
    }
    Some(Quorum { count, from })
}

fn read_source(reader: &mut Reader<'_>, node: &Node, roles: &Roles) -> Option<Source> {
    let text = reader.words(node, "from")?;
    if text.starts_with('@') {
        return read_principal(reader, node, "from").map(Source::Principal);
    }
    if text == OWNER {
        return Some(Source::Owner);
    }
    if let Some(members) = roles.get(&text) {
        return Some(Source::Role { name: text, members: members.clone() });
    }
    let known: Vec<&str> = roles.keys().map(String::as_str).chain([OWNER]).collect();
    let message = format!("unknown role `{text}`");
    let help = format!("{} Users and teams start with @", suggestion(&text, &known));
    reader.error("unknown-role", node.at, message, help);
    None
}

/// How many different people there are at most, if no team or owner is among the sources.
fn only_users(from: &[Source]) -> Option<usize> {
    let mut people = BTreeSet::new();
    for source in from {
        let members = match source {
            Source::Principal(principal) => std::slice::from_ref(principal),
            Source::Role { members, .. } => members.as_slice(),
            Source::Owner => return None,
        };
        for member in members {
            match member {
                Principal::User(login) => people.insert(login),
                Principal::Team(_) => return None,
            };
        }
    }
    Some(people.len())
}
