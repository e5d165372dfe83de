//! Whether a template is no more than texts, variables and roles, as a format without logic can say it.

use super::Partials;
use super::ast::{Node, Program};
use super::helper::Helper;
use crate::domain::diagnostic::Location;

/// What is logic in a template and its partials, as it is written, and where. A partial's places are in its own file.
pub fn logic(program: &Program, partials: &Partials) -> Vec<(Location, String)> {
    let mut found = Vec::new();
    for program in std::iter::once(program).chain(partials.values()) {
        for node in &program.nodes {
            match node {
                Node::Text(_) => {}
                Node::Value(call) if is_plain(call) => {}
                Node::Value(call) => found.push((call.at, format!("{{{{{}}}}}", call.head.written))),
                Node::Block(block) => {
                    let head = block.arms.first().map(|arm| &arm.call);
                    found.extend(head.map(|call| (call.at, format!("{{{{#{}}}}}", call.head.written))));
                }
                Node::Partial(include) if include.context.is_none() && include.hash.is_empty() => {}
                Node::Partial(include) => found.push((include.at, format!("{{{{> {}}}}}", include.name))),
            }
        }
    }
    found
}

/// A variable, or the mark of a role.
fn is_plain(call: &super::ast::Call) -> bool {
    match call.helper {
        None => call.head.single().is_some() && call.params.is_empty() && call.hash.is_empty(),
        Some(Helper::Role) => call.hash.is_empty(),
        Some(_) => false,
    }
}
