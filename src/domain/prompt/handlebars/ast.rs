//! A parsed template. Knows how it is built, not how it is run.

use serde_json::Value;

use super::helper::Helper;
use crate::domain::diagnostic::Location;

/// A template, or the part of one inside a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    pub(super) nodes: Vec<Node>,
}

impl Program {
    /// The partials it includes, wherever, and where.
    #[must_use]
    pub fn includes(&self) -> Vec<(&str, Location)> {
        let mut found = Vec::new();
        let mut programs = vec![self];
        while let Some(program) = programs.pop() {
            for node in &program.nodes {
                match node {
                    Node::Partial(include) => found.push((&*include.name, include.at)),
                    Node::Block(block) => {
                        programs.extend(block.arms.iter().map(|arm| &arm.body).chain(&block.otherwise));
                    }
                    Node::Text(_) | Node::Value(_) => {}
                }
            }
        }
        found.sort_by_key(|(_, at)| *at);
        found
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(Box<str>),
    /// `{{name}}`, `{{json name}}`.
    Value(Call),
    /// `{{#if a}}…{{else if b}}…{{else}}…{{/if}}`.
    Block(Block),
    /// `{{> name}}`.
    Partial(Include),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    /// Tried in order until one shows its body.
    pub(super) arms: Vec<Arm>,
    pub(super) otherwise: Option<Program>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arm {
    pub(super) call: Call,
    /// `as |item index|`.
    pub(super) names: Vec<Box<str>>,
    pub(super) body: Program,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Include {
    pub(super) name: Box<str>,
    pub(super) context: Option<Expression>,
    pub(super) hash: Vec<(Box<str>, Expression)>,
    /// What stands before it on a line of its own.
    pub(super) indent: Box<str>,
    pub(super) at: Location,
}

/// A helper with its arguments, or a path alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) helper: Option<Helper>,
    /// What stands first: the helper's name, or the path.
    pub(super) head: Path,
    pub(super) params: Vec<Expression>,
    pub(super) hash: Vec<(Box<str>, Expression)>,
    pub(super) at: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression {
    pub(super) kind: ExpressionKind,
    pub(super) at: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ExpressionKind {
    Path(Path),
    Literal(Value),
    Undefined,
    /// `(json x)`.
    Call(Box<Call>),
}

/// `../user.name`, `@index`, `this`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// As it is written, for messages.
    pub(super) written: Box<str>,
    /// It starts with `@`.
    pub(super) data: bool,
    /// How many `../`.
    pub(super) up: usize,
    /// It starts with `this` or `.`, so that it is neither a helper nor a block parameter.
    pub(super) scoped: bool,
    pub(super) keys: Vec<Box<str>>,
}

impl Path {
    /// The one name it is made of, if it is that simple.
    pub(super) fn single(&self) -> Option<&str> {
        match self.keys.as_slice() {
            [name] if !self.data && self.up == 0 && !self.scoped => Some(name),
            _ => None,
        }
    }
}

impl Call {
    pub(super) fn hash(&self, name: &str) -> Option<&Expression> {
        self.hash.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }
}
