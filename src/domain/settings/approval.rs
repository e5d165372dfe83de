//! The settings' `roles`, `approval` and `override`: who must approve what. Knows no pull request.

mod people;
pub(in crate::domain) mod require;
pub(in crate::domain) mod when;

pub(super) use people::People;

use crate::domain::node::Node;
use crate::domain::policy::{Policy, Rule, When};
use crate::domain::reader::{Fields, Reader, Unknown};

/// Keys of a rule.
pub(in crate::domain) const RULE: [&str; 3] = ["name", "when", "require"];
/// Most rules of a file.
const MAX_RULES: usize = 1000;

/// Reads `approval` and `override`.
pub(super) fn read_policy(reader: &mut Reader<'_>, fields: &Fields<'_>, people: &mut People) -> Policy {
    let mut rules: Vec<Rule> = Vec::new();
    let items = fields.get("approval").and_then(|node| reader.list(node, "approval"));
    for item in items.unwrap_or_default() {
        if rules.len() == MAX_RULES {
            reader.error("too-many", item.at, format!("there are more than {MAX_RULES} approval rules"), "join some");
            break;
        }
        let Some(rule) = read_rule(reader, item, people) else { continue };
        if rules.iter().any(|other| other.name == rule.name) {
            let message = format!("two approval rules are named `{}`", rule.name);
            reader.error("duplicate-rule", item.at, message, "give each a name of its own");
        }
        rules.push(rule);
    }
    let overriders =
        fields.read(reader, "override", |reader, node, what| require::read_quorum(reader, node, what, people));
    Policy { rules, overriders, places: people.places() }
}

fn read_rule(reader: &mut Reader<'_>, item: &Node, people: &mut People) -> Option<Rule> {
    let fields = reader.fields(item, "an approval rule", &RULE, Unknown::Refused)?;
    for key in ["name", "require"] {
        if fields.get(key).is_none() {
            reader.error("missing-key", item.at, format!("an approval rule needs `{key}`"), format!("add `{key}`"));
        }
    }
    let name = fields.read(reader, "name", Reader::words);
    let when = match fields.get("when") {
        Some(node) => when::read(reader, node, people),
        None => Some(When::default()),
    };
    let require = fields.read(reader, "require", |reader, node, what| require::read(reader, node, what, people));
    Some(Rule { name: name?.into(), when: when?, require: require? })
}
