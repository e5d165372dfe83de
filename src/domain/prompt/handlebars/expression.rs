//! The words of a tag to a path or a call with its arguments. Knows which helpers there are, not what they do.

use serde_json::Value;

use super::SyntaxError;
use super::ast::{Call, Expression, ExpressionKind, Path};
use super::helper::Helper;
use super::lexer::{Tag, Word, WordKind};
use crate::domain::diagnostic::Location;

/// Most calls inside calls.
const MAX_NESTED: usize = 16;

/// Words that are read one after another.
pub(super) struct Words<'w> {
    rest: &'w [Word],
    /// The tag's place, for what is missing at its end.
    tag_at: Location,
}

impl<'w> Words<'w> {
    pub(super) fn of(tag: &'w Tag) -> Self {
        Self { rest: &tag.words, tag_at: tag.at }
    }

    fn peek(&self) -> Option<&'w WordKind> {
        self.rest.first().map(|word| &word.kind)
    }

    fn at(&self) -> Location {
        self.rest.first().map_or(self.tag_at, |word| word.at)
    }

    fn next(&mut self) -> Option<&'w Word> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// `as |a b|` at the end of a block's tag.
    pub(super) fn names(&mut self) -> Vec<Box<str>> {
        match self.peek() {
            Some(WordKind::As(names)) => {
                self.next();
                names.clone()
            }
            _ => Vec::new(),
        }
    }

    /// An error unless all words were read.
    pub(super) fn end(&self) -> Result<(), SyntaxError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(SyntaxError::new(self.at(), "the tag does not end here", "remove what follows"))
    }

    /// The name of a partial: a path or a text as it is written.
    pub(super) fn partial_name(&mut self) -> Result<Box<str>, SyntaxError> {
        let at = self.at();
        if let Some(WordKind::Literal(literal)) = self.peek() {
            self.next();
            return Ok(literal_name(literal));
        }
        if let Some(WordKind::Open) = self.peek() {
            let help = "write the partial's name: which files a prompt is made of must be seen without running it";
            return Err(SyntaxError::new(at, "a partial whose name is computed", help));
        }
        Ok(self.path()?.written)
    }

    /// A helper with its arguments, or a path alone.
    pub(super) fn call(&mut self, depth: usize) -> Result<Call, SyntaxError> {
        let at = self.at();
        let head = match self.peek() {
            Some(WordKind::Literal(literal)) => {
                self.next();
                let name = literal_name(literal);
                Path { written: name.clone(), data: false, up: 0, scoped: true, keys: vec![name] }
            }
            Some(WordKind::Open) => {
                return Err(SyntaxError::new(at, "a helper whose name is computed", "write the helper's name"));
            }
            _ => self.path()?,
        };
        let mut params = Vec::new();
        while !matches!(self.peek(), None | Some(WordKind::Close | WordKind::As(_))) && !self.at_hash() {
            params.push(self.expression(depth)?);
        }
        let hash = self.hash(depth)?;
        let helper = head.single().and_then(Helper::named);
        if helper.is_none() && (depth > 0 || !params.is_empty() || !hash.is_empty()) {
            let message = format!("unknown helper `{}`", head.written);
            return Err(SyntaxError::new(at, message, Helper::suggestion(&head.written)));
        }
        Ok(Call { helper, head, params, hash, at })
    }

    fn at_hash(&self) -> bool {
        matches!(self.rest, [Word { kind: WordKind::Name(_), .. }, Word { kind: WordKind::Equals, .. }, ..])
    }

    /// `name=value` pairs.
    pub(super) fn hash(&mut self, depth: usize) -> Result<Vec<(Box<str>, Expression)>, SyntaxError> {
        let mut pairs = Vec::new();
        while self.at_hash() {
            let Some(Word { kind: WordKind::Name(name), .. }) = self.next() else { break };
            self.next();
            pairs.push((name.clone(), self.expression(depth)?));
        }
        Ok(pairs)
    }

    /// Whether a value follows that is no `name=value`.
    pub(super) fn has_param(&self) -> bool {
        !self.rest.is_empty() && !self.at_hash()
    }

    pub(super) fn expression(&mut self, depth: usize) -> Result<Expression, SyntaxError> {
        let at = self.at();
        let kind = match self.peek() {
            Some(WordKind::Literal(value)) => {
                self.next();
                ExpressionKind::Literal(value.clone())
            }
            Some(WordKind::Undefined) => {
                self.next();
                ExpressionKind::Undefined
            }
            Some(WordKind::Open) => ExpressionKind::Call(Box::new(self.nested(depth + 1)?)),
            _ => ExpressionKind::Path(self.path()?),
        };
        Ok(Expression { kind, at })
    }

    /// `(helper argument)`.
    fn nested(&mut self, depth: usize) -> Result<Call, SyntaxError> {
        let at = self.at();
        if depth > MAX_NESTED {
            return Err(SyntaxError::new(at, format!("more than {MAX_NESTED} calls inside each other"), "simplify it"));
        }
        self.next();
        let call = self.call(depth)?;
        let closed = self.next();
        if !matches!(closed, Some(Word { kind: WordKind::Close, .. })) {
            return Err(SyntaxError::new(at, "the parenthesis is not closed", "add `)`"));
        }
        if let Some(helper) = call.helper {
            helper.check_nested(&call)?;
        }
        Ok(call)
    }

    fn path(&mut self) -> Result<Path, SyntaxError> {
        let at = self.at();
        let mut path = Path { written: "".into(), data: false, up: 0, scoped: false, keys: Vec::new() };
        let mut written = String::new();
        if let Some(WordKind::At) = self.peek() {
            self.next();
            path.data = true;
            written.push('@');
        }
        loop {
            match self.next() {
                Some(Word { kind: WordKind::Up, .. }) if path.keys.is_empty() => {
                    path.up += 1;
                    written.push_str("..");
                }
                Some(Word { kind: WordKind::Here, .. }) if path.keys.is_empty() => {
                    path.scoped = true;
                    written.push('.');
                }
                Some(Word { kind: WordKind::Name(name), .. }) => {
                    written.push_str(name);
                    if &**name == "this" && path.keys.is_empty() && !path.data {
                        path.scoped = true;
                    } else {
                        path.keys.push(name.clone());
                    }
                }
                // `items.0`, `flags.true`.
                Some(Word { kind: WordKind::Literal(value), .. }) if !matches!(value, Value::String(_)) => {
                    let key = literal_name(value);
                    written.push_str(&key);
                    path.keys.push(key);
                }
                _ => return Err(SyntaxError::new(at, "a name is missing", "write the name of a variable or helper")),
            }
            match self.peek() {
                Some(WordKind::Separator(separator)) => {
                    written.push(*separator);
                    self.next();
                }
                _ => break,
            }
        }
        path.written = written.into();
        Ok(path)
    }
}

/// A literal where a name is wanted is the name as it is written.
fn literal_name(literal: &Value) -> Box<str> {
    if literal.is_null() { "null".into() } else { super::text_of(literal).into() }
}
