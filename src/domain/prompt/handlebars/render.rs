//! Runs a template: values in, pieces out. Every step is counted, so that any template ends soon. Knows no message format.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Partials;
use super::ast::{Arm, Block, Expression, ExpressionKind, Node, Path, Program};
use super::helper::Helper;
use super::scope::{Scope, Seen, property};
use super::value::{is_empty, is_same, is_zero, weight};
use crate::domain::diagnostic::Location;

/// Most steps of one run: nodes, loop rounds, and what copies and comparisons weigh.
const MAX_STEPS: usize = 200_000;
/// Most bytes that come out.
const MAX_OUTPUT: usize = 1 << 20;
/// Most blocks and partials inside each other.
const MAX_DEPTH: usize = 100;
/// Bytes that are copied or compared in one step.
pub(super) const STEP_BYTES: usize = 64;

/// What a run puts out. Markers of messages are values of their own, so that no variable's text can pass for one.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// `{{role "system" key=value}}`.
    Role {
        /// Its name as it was given.
        name: String,
        /// What stands beside it.
        metadata: Vec<(String, String)>,
        /// Where.
        at: Location,
    },
    /// `{{history}}`.
    History,
    /// `{{media url=…}}`.
    Media {
        /// Where the medium is.
        url: String,
        /// Its type.
        content_type: Option<String>,
    },
    /// `{{section "name"}}`.
    Section(String),
}

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// The variable without a value, if that is why.
    pub undefined: Option<String>,
    /// What happened and what to do.
    pub message: String,
    /// Where in the template that was run; in a partial: where that is included.
    pub at: Location,
    pub(super) in_partial: bool,
}

impl Trouble {
    pub(super) fn new(at: Location, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { undefined: None, message: message.into(), at, in_partial: false })
    }
}

pub(super) type Ran<T> = Result<T, Box<Trouble>>;

/// Runs a program on an input and `@` data.
///
/// # Errors
/// A variable without a value outside a condition, or a limit that is passed.
pub fn render(
    program: &Program,
    partials: &Partials,
    input: &Value,
    data: &Map<String, Value>,
) -> Result<Vec<Piece>, Box<Trouble>> {
    let mut run = Run { partials, steps: MAX_STEPS, bytes: MAX_OUTPUT, depth: 0, out: Vec::new() };
    run.program(program, &Scope::root(input, data))?;
    Ok(run.out)
}

pub(super) struct Run<'v> {
    pub(super) partials: &'v Partials,
    steps: usize,
    pub(super) bytes: usize,
    depth: usize,
    pub(super) out: Vec<Piece>,
}

impl<'v> Run<'v> {
    pub(super) fn spend(&mut self, steps: usize, at: Location) -> Ran<()> {
        self.steps = self.steps.checked_sub(steps).ok_or_else(|| {
            Trouble::new(at, format!("the template takes more than {MAX_STEPS} steps; let it loop over less"))
        })?;
        Ok(())
    }

    /// Counts bytes that come out.
    pub(super) fn count(&mut self, bytes: usize, at: Location) -> Ran<()> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            Trouble::new(
                at,
                format!("the prompt gets longer than {} MiB; shorten it or its variables", MAX_OUTPUT >> 20),
            )
        })?;
        Ok(())
    }

    pub(super) fn write(&mut self, text: &str, at: Location) -> Ran<()> {
        self.count(text.len(), at)?;
        match self.out.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.out.push(Piece::Text(text.to_owned())),
        }
        Ok(())
    }

    pub(super) fn program(&mut self, program: &'v Program, scope: &Scope<'v>) -> Ran<()> {
        for node in &program.nodes {
            match node {
                Node::Text(text) => {
                    self.spend(1, Location::START)?;
                    self.write(text, Location::START)?;
                }
                Node::Value(call) => {
                    self.spend(1, call.at)?;
                    self.value(call, scope)?;
                }
                Node::Block(block) => self.block(block, scope)?,
                Node::Partial(include) => self.include(include, scope)?,
            }
        }
        Ok(())
    }

    /// Runs what is inside something, unless that is too deep.
    pub(super) fn deeper(&mut self, program: &'v Program, scope: &Scope<'v>, at: Location) -> Ran<()> {
        if self.depth >= MAX_DEPTH {
            return Err(Trouble::new(
                at,
                format!("more than {MAX_DEPTH} blocks and partials inside each other; simplify them"),
            ));
        }
        self.depth += 1;
        let ran = self.program(program, scope);
        self.depth -= 1;
        ran
    }

    /// Shows the first branch whose condition holds.
    fn block(&mut self, block: &'v Block, scope: &Scope<'v>) -> Ran<()> {
        for arm in &block.arms {
            self.spend(1, arm.call.at)?;
            if self.arm(arm, scope)? {
                return Ok(());
            }
        }
        let at = block.arms.first().map_or(Location::START, |arm| arm.call.at);
        block.otherwise.as_ref().map_or(Ok(()), |otherwise| self.deeper(otherwise, scope, at))
    }

    /// Whether the branch was taken.
    fn arm(&mut self, arm: &'v Arm, scope: &Scope<'v>) -> Ran<bool> {
        let (call, at) = (&arm.call, arm.call.at);
        let Some(helper) = call.helper else {
            let seen = self.path(&call.head, scope, at)?;
            return self.implicit(arm, seen, scope);
        };
        let mut given = Vec::with_capacity(2);
        for param in &call.params {
            given.push(self.expression(param, scope)?);
        }
        let first = given.first().cloned().flatten();
        let shown = match helper {
            Helper::Each => return self.each(arm, first, scope),
            Helper::With => {
                if is_empty(first.as_deref()) {
                    return Ok(false);
                }
                let mut inside = scope.inside(first.clone());
                if let Some(name) = arm.names.first() {
                    inside = inside.with_name(name, first);
                }
                return self.deeper(&arm.body, &inside, at).map(|()| true);
            }
            Helper::IfEquals | Helper::UnlessEquals => {
                let second = given.get(1).cloned().flatten();
                let size =
                    |seen: &Seen<'_>| if let Some(Value::String(text)) = seen.as_deref() { text.len() } else { 0 };
                self.spend(size(&first).min(size(&second)) / STEP_BYTES, at)?;
                is_same(first.as_deref(), second.as_deref()) == (helper == Helper::IfEquals)
            }
            _ => {
                let zero_counts = match call.hash("includeZero") {
                    Some(expression) => !is_empty(self.expression(expression, scope)?.as_deref()),
                    None => false,
                };
                let nothing = is_empty(first.as_deref()) || is_zero(first.as_deref()) && !zero_counts;
                nothing == (helper == Helper::Unless)
            }
        };
        if shown {
            self.deeper(&arm.body, scope, at)?;
        }
        Ok(shown)
    }

    /// `{{#name}}`: a loop over a list, a look inside a mapping, else a condition.
    fn implicit(&mut self, arm: &'v Arm, seen: Seen<'v>, scope: &Scope<'v>) -> Ran<bool> {
        match seen.as_deref() {
            None | Some(Value::Null | Value::Bool(false)) => Ok(false),
            Some(Value::Bool(true)) => self.deeper(&arm.body, scope, arm.call.at).map(|()| true),
            Some(Value::Array(_)) => self.each(arm, seen, scope),
            Some(_) => self.deeper(&arm.body, &scope.inside(seen), arm.call.at).map(|()| true),
        }
    }

    fn each(&mut self, arm: &'v Arm, seen: Seen<'v>, scope: &Scope<'v>) -> Ran<bool> {
        let count = match seen.as_deref() {
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(entries)) => entries.len(),
            _ => return Ok(false),
        };
        self.spend(count, arm.call.at)?;
        let items: Vec<(Value, Seen<'v>)> = match seen {
            Some(Cow::Borrowed(Value::Array(items))) => {
                items.iter().enumerate().map(|(index, item)| (index.into(), Some(Cow::Borrowed(item)))).collect()
            }
            Some(Cow::Borrowed(Value::Object(entries))) => {
                entries.iter().map(|(key, item)| (key.as_str().into(), Some(Cow::Borrowed(item)))).collect()
            }
            Some(Cow::Owned(Value::Array(items))) => {
                items.into_iter().enumerate().map(|(index, item)| (index.into(), Some(Cow::Owned(item)))).collect()
            }
            Some(Cow::Owned(Value::Object(entries))) => {
                entries.into_iter().map(|(key, item)| (key.into(), Some(Cow::Owned(item)))).collect()
            }
            _ => return Ok(false),
        };
        for (index, (key, item)) in items.into_iter().enumerate() {
            self.spend(1, arm.call.at)?;
            let mut inside = scope.inside(item.clone()).with_data(vec![
                ("key", Cow::Owned(key.clone())),
                ("index", Cow::Owned(index.into())),
                ("first", Cow::Owned((index == 0).into())),
                ("last", Cow::Owned((index + 1 == count).into())),
            ]);
            for (name, value) in arm.names.iter().zip([item, Some(Cow::Owned(key))]) {
                inside = inside.with_name(name, value);
            }
            self.deeper(&arm.body, &inside, arm.call.at)?;
        }
        Ok(count > 0)
    }

    /// The value of an expression, which must have one.
    pub(super) fn strict(&mut self, expression: &'v Expression, scope: &Scope<'v>) -> Ran<Cow<'v, Value>> {
        let seen = self.expression(expression, scope)?;
        seen.ok_or_else(|| match &expression.kind {
            ExpressionKind::Path(path) => undefined(path, expression.at),
            _ => Trouble::new(expression.at, "this has no value; write a value or a variable"),
        })
    }

    pub(super) fn expression(&mut self, expression: &'v Expression, scope: &Scope<'v>) -> Ran<Seen<'v>> {
        match &expression.kind {
            ExpressionKind::Literal(value) => Ok(Some(Cow::Borrowed(value))),
            ExpressionKind::Undefined => Ok(None),
            ExpressionKind::Path(path) => self.path(path, scope, expression.at),
            ExpressionKind::Call(call) if call.helper == Some(Helper::Json) => {
                Ok(Some(Cow::Owned(Value::String(self.json(call, scope)?))))
            }
            ExpressionKind::Call(call) => self.lookup(call, scope),
        }
    }

    pub(super) fn path(&mut self, path: &'v Path, scope: &Scope<'v>, at: Location) -> Ran<Seen<'v>> {
        let mut keys = path.keys.iter();
        let mut seen = if path.data {
            keys.next().and_then(|name| scope.data_above(path.up, name))
        } else if let Some(value) =
            path.keys.first().filter(|_| path.up == 0 && !path.scoped).and_then(|name| scope.name(name))
        {
            keys.next();
            value.clone()
        } else {
            let frame = scope.frame_above(path.up);
            match (frame, keys.next()) {
                (Some(frame), Some(name)) => frame.get(name),
                (Some(frame), None) => frame.whole(),
                (None, _) => None,
            }
        };
        for name in keys {
            seen = property(seen, name);
        }
        // Owned values are copies, and copies cost.
        if let Some(Cow::Owned(value)) = &seen {
            self.spend(weight(value) / STEP_BYTES, at)?;
        }
        self.spend(path.keys.len() / 8, at)?;
        Ok(seen)
    }
}

pub(super) fn undefined(path: &Path, at: Location) -> Box<Trouble> {
    let mut trouble = Trouble::new(at, format!("variable `{}` has no value", path.written));
    trouble.undefined = Some(path.written.to_string());
    trouble
}
