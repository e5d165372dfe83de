//! A rule's `require`: a quorum, or `any_of` or `all_of` several, nested. Knows no pull request.

use std::collections::BTreeSet;

use super::people::People;
use crate::domain::node::Node;
use crate::domain::policy::{Principal, Quorum, Require, Source};
use crate::domain::reader::{Reader, Unknown};

/// Keys of a quorum.
pub(in crate::domain) const QUORUM: [&str; 2] = ["count", "from"];
/// Keys of a `require` that holds others.
pub(in crate::domain) const TREE: [&str; 2] = ["any_of", "all_of"];
/// How deep `any_of` and `all_of` may be nested.
const MAX_DEPTH: usize = 8;
/// Most parts of one of them.
const MAX_PARTS: usize = 50;
/// What `from` may hold.
const SOURCES: &str = "list users, teams, roles, `owner`, `codeowners` or `permission:write`";

/// Reads a requirement.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, what: &str, people: &mut People) -> Option<Require> {
    read_at(reader, node, what, people, 0)
}

fn read_at(reader: &mut Reader<'_>, node: &Node, what: &str, people: &mut People, depth: usize) -> Option<Require> {
    let Some(key) = TREE.into_iter().find(|key| node.get(key).is_some()) else {
        return read_quorum(reader, node, what, people).map(Require::Quorum);
    };
    let fields = reader.fields(node, &format!("a `{what}` with `{key}`"), &TREE, Unknown::Refused)?;
    if TREE.into_iter().all(|key| fields.get(key).is_some()) {
        let help = "nest one in the other, so that it is clear which comes first";
        reader.error("ambiguous-require", fields.key_at("all_of"), "`any_of` stands beside `all_of`", help);
        return None;
    }
    let list = fields.get(key)?;
    let items = reader.list(list, key)?;
    if depth >= MAX_DEPTH {
        let message = format!("`any_of` and `all_of` are nested more than {MAX_DEPTH} deep");
        reader.error("too-deep", list.at, message, "split the rule into several");
        return None;
    }
    if items.is_empty() {
        let message = match key {
            "any_of" => "`any_of` is empty, so nobody could satisfy it",
            _ => "`all_of` is empty, so it would ask for nothing",
        };
        reader.error("empty-list", list.at, message, "list at least one quorum");
        return None;
    }
    if let Some(item) = items.get(MAX_PARTS) {
        let message = format!("`{key}` has more than {MAX_PARTS} parts");
        reader.error("too-many", item.at, message, "split the rule into several");
        return None;
    }
    let read: Vec<_> = items.iter().map(|item| read_at(reader, item, key, people, depth + 1)).collect();
    let parts: Vec<Require> = read.into_iter().collect::<Option<_>>()?;
    Some(if key == "any_of" { Require::AnyOf(parts) } else { Require::AllOf(parts) })
}

/// Reads `count` and `from`.
pub(super) fn read_quorum(reader: &mut Reader<'_>, node: &Node, what: &str, people: &mut People) -> Option<Quorum> {
    let fields = reader.fields(node, &format!("`{what}`"), &QUORUM, Unknown::Refused)?;
    let count = match fields.get("count") {
        Some(node) => reader.whole(node, "count", 1, 100)?,
        None => 1,
    };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let Some(list) = fields.get("from") else {
        reader.error("missing-key", node.at, format!("`{what}` needs `from`"), SOURCES);
        return None;
    };
    if reader.list(list, "from")?.is_empty() {
        reader.error("empty-list", list.at, "`from` is empty, so nobody could approve", SOURCES);
        return None;
    }
    let from = people.read_sources(reader, list, "from")?;
    if let Some(people) = too_few(&from, count) {
        let message = format!("`count` is {count}, but `from` holds only {people} different users");
        let help = "lower `count`, or name more people or a team";
        reader.error("unreachable-count", fields.key_at("count"), message, help);
        return None;
    }
    Some(Quorum { count, from })
}

/// How many different people could approve, where only users are named and they are fewer than `count`.
fn too_few(from: &[Source], count: u32) -> Option<usize> {
    let mut people = BTreeSet::new();
    for source in from {
        let members = match source {
            Source::Principal(principal) => std::slice::from_ref(principal),
            Source::Role { members, .. } => members,
            Source::Owner | Source::CodeOwners | Source::Permission(_) => return None,
        };
        for member in members {
            match member {
                Principal::User(login) => people.insert(login),
                Principal::Team(_) => return None,
            };
            if people.len() >= count as usize {
                return None;
            }
        }
    }
    Some(people.len())
}
