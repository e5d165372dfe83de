//! Runs a template: values in, pieces out. Every step is counted, so that any template ends soon. Knows no message format.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::Partials;
use super::ast::{Arm, Block, Call, Expression, ExpressionKind, Include, Node, Path, Program};
use super::helper::Helper;
use super::scope::{Frame, Scope, Seen, property};
use super::value::{is_empty, is_same, is_zero, json, weight};
use super::{text_of, value};
use crate::domain::diagnostic::Location;

/// Most steps of one run: nodes, loop rounds, and what copies and comparisons weigh.
const MAX_STEPS: usize = 200_000;
/// Most bytes that come out.
const MAX_OUTPUT: usize = 1 << 20;
/// Most blocks and partials inside each other.
const MAX_DEPTH: usize = 100;
/// Bytes that are copied or compared in one step.
const STEP_BYTES: usize = 64;

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
    in_partial: bool,
}

impl Trouble {
    fn new(at: Location, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { undefined: None, message: message.into(), at, in_partial: false })
    }
}

type Ran<T> = Result<T, Box<Trouble>>;

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

struct Run<'v> {
    partials: &'v Partials,
    steps: usize,
    bytes: usize,
    depth: usize,
    out: Vec<Piece>,
}

impl<'v> Run<'v> {
    fn spend(&mut self, steps: usize, at: Location) -> Ran<()> {
        self.steps = self.steps.checked_sub(steps).ok_or_else(|| {
            Trouble::new(at, format!("the template takes more than {MAX_STEPS} steps; let it loop over less"))
        })?;
        Ok(())
    }

    /// Counts bytes that come out.
    fn count(&mut self, bytes: usize, at: Location) -> Ran<()> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            Trouble::new(
                at,
                format!("the prompt gets longer than {} MiB; shorten it or its variables", MAX_OUTPUT >> 20),
            )
        })?;
        Ok(())
    }

    fn write(&mut self, text: &str, at: Location) -> Ran<()> {
        self.count(text.len(), at)?;
        match self.out.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.out.push(Piece::Text(text.to_owned())),
        }
        Ok(())
    }

    fn program(&mut self, program: &'v Program, scope: &Scope<'v>) -> Ran<()> {
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
    fn deeper(&mut self, program: &'v Program, scope: &Scope<'v>, at: Location) -> Ran<()> {
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

    fn value(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<()> {
        let at = call.at;
        let Some(helper) = call.helper else {
            let seen = self.path(&call.head, scope, at)?;
            let value = seen.ok_or_else(|| undefined(&call.head, at))?;
            return self.write_value(&value, at);
        };
        match helper {
            Helper::Json => {
                let text = self.json(call, scope)?;
                self.write(&text, at)
            }
            Helper::Lookup => {
                let value = self.lookup(call, scope)?;
                let value = value.ok_or_else(|| Trouble::new(at, "`lookup` finds nothing; check the key"))?;
                self.write_value(&value, at)
            }
            Helper::Role => {
                let name = self.param_text(call, scope)?;
                let mut metadata = Vec::new();
                for (key, value) in &call.hash {
                    let value = text_of(&*self.strict(value, scope)?);
                    self.count(key.len() + value.len(), at)?;
                    metadata.push((key.to_string(), value));
                }
                self.out.push(Piece::Role { name, metadata, at });
                Ok(())
            }
            Helper::Section => {
                let name = self.param_text(call, scope)?;
                self.out.push(Piece::Section(name));
                Ok(())
            }
            Helper::Media => self.media(call, scope),
            Helper::History => {
                self.out.push(Piece::History);
                Ok(())
            }
            // Written for a console that is not there; blocks never stand here.
            _ => Ok(()),
        }
    }

    fn write_value(&mut self, value: &Value, at: Location) -> Ran<()> {
        match value {
            Value::String(text) => self.write(text, at),
            other => {
                self.spend(weight(other) / STEP_BYTES, at)?;
                self.write(&text_of(other), at)
            }
        }
    }

    fn param_text(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<String> {
        match call.params.first() {
            Some(param) => {
                let text = text_of(&*self.strict(param, scope)?);
                self.count(text.len(), call.at)?;
                Ok(text)
            }
            None => Ok(String::new()),
        }
    }

    fn media(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<()> {
        let Some(url) = call.hash("url") else { return Ok(()) };
        let url = text_of(&*self.strict(url, scope)?);
        if url.trim().is_empty() {
            return Err(Trouble::new(call.at, "`media` has an empty `url`; give an address or a data: URL"));
        }
        let content_type = match call.hash("contentType") {
            Some(expression) => self.expression(expression, scope)?.map(|value| text_of(&value)),
            None => None,
        };
        self.count(url.len() + content_type.as_ref().map_or(0, String::len), call.at)?;
        self.out.push(Piece::Media { url, content_type: content_type.filter(|kind| !kind.is_empty()) });
        Ok(())
    }

    fn json(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<String> {
        let Some(param) = call.params.first() else { return Ok(String::new()) };
        let value = self.strict(param, scope)?;
        self.spend(weight(&value) / STEP_BYTES, call.at)?;
        let indent = match call.hash("indent") {
            Some(expression) => self.expression(expression, scope)?,
            None => None,
        };
        let indent = match indent.as_deref() {
            Some(Value::Number(number)) => " ".repeat(number.as_u64().unwrap_or(0).min(10) as usize),
            Some(Value::String(text)) => text.chars().take(10).collect(),
            _ => String::new(),
        };
        Ok(json(&value, &indent))
    }

    fn lookup(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<Seen<'v>> {
        let [from, key] = call.params.as_slice() else { return Ok(None) };
        let from = self.strict(from, scope)?;
        let key = text_of(&*self.strict(key, scope)?);
        Ok(property(Some(from), &key))
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

    fn include(&mut self, include: &'v Include, scope: &Scope<'v>) -> Ran<()> {
        let at = include.at;
        self.spend(1, at)?;
        let Some(program) = self.partials.get(&include.name) else {
            return Err(Trouble::new(at, format!("partial `{}` not found; add its file", include.name)));
        };
        let mut added = Vec::with_capacity(include.hash.len());
        for (name, expression) in &include.hash {
            added.push((&**name, self.expression(expression, scope)?));
        }
        let this = match &include.context {
            Some(expression) => Some(self.strict(expression, scope)?),
            None => scope.frame.this.clone(),
        };
        let mut inside = Scope { names: None, ..scope.clone() };
        if include.context.is_some() || !added.is_empty() {
            let inherited = if include.context.is_none() { scope.frame.added.clone() } else { Vec::new() };
            self.spend(inherited.len() + added.len(), at)?;
            let added = inherited.into_iter().chain(added).collect();
            inside.frame = Rc::new(Frame { this, added, around: Some(Rc::clone(&scope.frame)) });
        }
        let before = std::mem::take(&mut self.out);
        let ran = self.deeper(program, &inside, at).map_err(|trouble| inside_partial(trouble, include));
        let pieces = std::mem::replace(&mut self.out, before);
        ran?;
        self.put(pieces, &include.indent, at)
    }

    /// Puts a partial's pieces out, each of its lines indented as the include was.
    fn put(&mut self, pieces: Vec<Piece>, indent: &str, at: Location) -> Ran<()> {
        let mut line_starts = true;
        for piece in pieces {
            let Piece::Text(text) = piece else {
                if line_starts {
                    self.write(indent, at)?;
                }
                line_starts = false;
                self.out.push(piece);
                continue;
            };
            // The text was counted when the partial wrote it.
            self.bytes = self.bytes.saturating_add(text.len());
            if indent.is_empty() {
                self.write(&text, at)?;
                continue;
            }
            for line in text.split_inclusive('\n') {
                if line_starts {
                    self.write(indent, at)?;
                }
                self.write(line, at)?;
                line_starts = line.ends_with('\n');
            }
        }
        Ok(())
    }

    /// The value of an expression, which must have one.
    fn strict(&mut self, expression: &'v Expression, scope: &Scope<'v>) -> Ran<Cow<'v, Value>> {
        let seen = self.expression(expression, scope)?;
        seen.ok_or_else(|| match &expression.kind {
            ExpressionKind::Path(path) => undefined(path, expression.at),
            _ => Trouble::new(expression.at, "this has no value; write a value or a variable"),
        })
    }

    fn expression(&mut self, expression: &'v Expression, scope: &Scope<'v>) -> Ran<Seen<'v>> {
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

    fn path(&mut self, path: &'v Path, scope: &Scope<'v>, at: Location) -> Ran<Seen<'v>> {
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
            self.spend(value::weight(value) / STEP_BYTES, at)?;
        }
        self.spend(path.keys.len() / 8, at)?;
        Ok(seen)
    }
}

fn undefined(path: &Path, at: Location) -> Box<Trouble> {
    let mut trouble = Trouble::new(at, format!("variable `{}` has no value", path.written));
    trouble.undefined = Some(path.written.to_string());
    trouble
}

/// What went wrong in a partial, told where that is included; the innermost partial is the one that is named.
fn inside_partial(mut trouble: Box<Trouble>, include: &Include) -> Box<Trouble> {
    let given = include.hash.iter().find(|(name, _)| trouble.undefined.as_deref() == Some(&**name));
    if let Some((_, Expression { kind: ExpressionKind::Path(path), at })) = given {
        // What it lacks is a variable of ours that was passed on.
        return undefined(path, *at);
    }
    if !trouble.in_partial {
        let place = format!("in the partial `{}`, line {}", include.name, trouble.at.line);
        trouble.message = match trouble.undefined.take() {
            Some(name) => {
                format!(
                    "{place}: variable `{name}` has no value: give it in the case's vars, or to the partial as `name=value`"
                )
            }
            None => format!("{place}: {}", trouble.message),
        };
        trouble.in_partial = true;
    }
    trouble.at = include.at;
    trouble
}
