//! Which variables a template cannot do without: those it shows outside all blocks, its partials' included.

use super::Partials;
use super::ast::{Call, Expression, ExpressionKind, Include, Node, Path, Program};
use super::helper::Helper;
use crate::domain::diagnostic::Location;

/// Most nodes looked at: partials that include each other often would multiply. What is missed is found by the run.
const MAX_NODES: usize = 20_000;

/// Each variable (with its `@`, if it has one) that a run without it would fail for, and where it is used; in a partial:
/// where that is included.
#[must_use]
pub fn places(program: &Program, partials: &Partials) -> Vec<(String, Location)> {
    let mut search = Search { partials, nodes: MAX_NODES, depth: 0, found: Vec::new() };
    search.program(program, &Context::Root(Vec::new()), None);
    search.found
}

/// What a path without `../` starts from.
enum Context<'a> {
    /// The input, with the names an include added and the variable each stands for, if it does for one.
    Root(Vec<(&'a str, Option<(String, Location)>)>),
    /// A part of it.
    Other,
}

struct Search<'a> {
    partials: &'a Partials,
    nodes: usize,
    depth: usize,
    found: Vec<(String, Location)>,
}

impl<'a> Search<'a> {
    /// `at` is where the partial that this is, is included.
    fn program(&mut self, program: &'a Program, context: &Context<'a>, at: Option<Location>) {
        for node in &program.nodes {
            let Some(left) = self.nodes.checked_sub(1) else { return };
            self.nodes = left;
            match node {
                Node::Value(call) => self.call(call, context, at),
                Node::Partial(include) => self.include(include, context, at),
                Node::Text(_) | Node::Block(_) => {}
            }
        }
    }

    fn call(&mut self, call: &'a Call, context: &Context<'a>, at: Option<Location>) {
        match call.helper {
            None => self.found.extend(variable(&call.head, context, at.unwrap_or(call.at))),
            Some(Helper::Log) => {}
            Some(_) => {
                let needed = call.params.iter().chain(call.hash("url"));
                for expression in needed {
                    self.expression(expression, context, at);
                }
            }
        }
    }

    fn expression(&mut self, expression: &'a Expression, context: &Context<'a>, at: Option<Location>) {
        match &expression.kind {
            ExpressionKind::Path(path) => self.found.extend(variable(path, context, at.unwrap_or(expression.at))),
            ExpressionKind::Call(call) => self.call(call, context, at),
            ExpressionKind::Literal(_) | ExpressionKind::Undefined => {}
        }
    }

    fn include(&mut self, include: &'a Include, context: &Context<'a>, at: Option<Location>) {
        let outer = at;
        let at = at.or(Some(include.at));
        let inside = match (&include.context, context) {
            (Some(expression), _) => {
                self.expression(expression, context, outer);
                Context::Other
            }
            (None, Context::Other) => Context::Other,
            (None, Context::Root(around)) => {
                let added = include.hash.iter().map(|(name, expression)| {
                    let meant = match &expression.kind {
                        ExpressionKind::Path(path) => variable(path, context, outer.unwrap_or(expression.at)),
                        _ => None,
                    };
                    (&**name, meant)
                });
                Context::Root(around.iter().cloned().chain(added).collect())
            }
        };
        let Some(program) = self.partials.get(&include.name).filter(|_| self.depth < 50) else { return };
        self.depth += 1;
        self.program(program, &inside, at);
        self.depth -= 1;
    }
}

/// The variable that a path starts with, as far as it can be told.
fn variable(path: &Path, context: &Context<'_>, at: Location) -> Option<(String, Location)> {
    let first = path.keys.first()?;
    if path.data {
        return match (&**first, path.up) {
            ("root", 0) => path.keys.get(1).map(|name| (name.to_string(), at)),
            ("metadata", _) | (_, 1..) => None,
            (name, 0) => Some((format!("@{name}"), at)),
        };
    }
    match context {
        Context::Root(added) if path.up == 0 => match added.iter().rev().find(|(name, _)| **name == **first) {
            Some((_, meant)) => meant.clone(),
            None => Some((first.to_string(), at)),
        },
        _ => None,
    }
}
