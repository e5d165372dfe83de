//! One line of JSON to a [`Node`] with columns; a key that stands twice in one object is an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::diagnostic::Location;
use crate::domain::node::{Key, Kind, Node};

/// Longest line in bytes, and deepest nesting.
const MAX_LINE_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 64;

/// What is wrong with a line.
#[derive(Debug)]
pub(crate) struct LineError {
    pub(crate) code: &'static str,
    pub(crate) at: Location,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// Reads line `number`.
pub(crate) fn parse(number: u32, line: &str) -> Result<Node, LineError> {
    let mut walk = Walk { line, number, offset: 0, column: 1 };
    if line.len() > MAX_LINE_BYTES {
        let message = format!("the line has {} bytes, more than the {MAX_LINE_BYTES} allowed", line.len());
        return Err(walk.error("line-too-long", 0, message, "shorten the case"));
    }
    let raw: &RawValue = serde_json::from_str(line).map_err(|error| walk.syntax(0, &error))?;
    walk.node(raw.get(), 0)
}

/// Goes through a line from left to right, so that columns are counted once.
struct Walk<'l> {
    line: &'l str,
    number: u32,
    offset: usize,
    column: u32,
}

impl<'l> Walk<'l> {
    fn node(&mut self, raw: &'l str, depth: usize) -> Result<Node, LineError> {
        let start = self.offset_of(raw);
        let at = self.place(start, 0);
        if depth > MAX_DEPTH {
            return Err(self.error("json-too-deep", start, "the value nests too deep".to_owned(), "flatten it"));
        }
        let kind = match raw.as_bytes().first() {
            Some(b'{') => Kind::Map(self.entries(raw, depth)?),
            Some(b'[') => {
                let items: Vec<&'l RawValue> = serde_json::from_str(raw).map_err(|error| self.syntax(start, &error))?;
                Kind::List(items.into_iter().map(|item| self.node(item.get(), depth + 1)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Kind::Text(serde_json::from_str(raw).map_err(|error| self.syntax(start, &error))?),
            Some(b't' | b'f') => Kind::Flag(raw == "true"),
            Some(b'n') => Kind::Null,
            _ => Kind::Number(serde_json::from_str(raw).map_err(|error| self.syntax(start, &error))?),
        };
        let length = match kind {
            Kind::Map(_) | Kind::List(_) => 0,
            _ => u32::try_from(raw.chars().count()).unwrap_or(0),
        };
        Ok(Node { kind, at: Location { length, ..at } })
    }

    fn entries(&mut self, raw: &'l str, depth: usize) -> Result<Vec<(Key, Node)>, LineError> {
        let start = self.offset_of(raw);
        let Entries(pairs) = serde_json::from_str(raw).map_err(|error| self.syntax(start, &error))?;
        let mut entries: Vec<(Key, Node)> = Vec::with_capacity(pairs.len());
        let mut seen = std::collections::HashSet::with_capacity(pairs.len());
        let mut end = start;
        for (name, value) in pairs {
            let key_start = self.line[end..].find('"').map_or(end, |quote| end + quote);
            let at = self.place(key_start, u32::try_from(name.chars().count() + 2).unwrap_or(0));
            if !seen.insert(name.clone()) {
                return Err(LineError {
                    code: "duplicate-key",
                    at,
                    message: format!("duplicate key `{name}`"),
                    help: "remove one of the two",
                });
            }
            let node = self.node(value.get(), depth + 1)?;
            entries.push((Key { name: name.into(), at }, node));
            end = self.offset_of(value.get()) + value.get().len();
        }
        Ok(entries)
    }

    /// Where a slice of the line starts in it.
    fn offset_of(&self, slice: &str) -> usize {
        (slice.as_ptr() as usize).saturating_sub(self.line.as_ptr() as usize).min(self.line.len())
    }

    fn place(&mut self, offset: usize, length: u32) -> Location {
        let between = self.line.get(self.offset..offset).unwrap_or_default();
        self.column = self.column.saturating_add(u32::try_from(between.chars().count()).unwrap_or(u32::MAX));
        self.offset = self.offset.max(offset);
        Location { line: self.number, column: self.column, length }
    }

    fn error(&mut self, code: &'static str, offset: usize, message: String, help: &'static str) -> LineError {
        LineError { code, at: self.place(offset, 0), message, help }
    }

    /// A syntax error within the slice that starts at `start`; serde counts its columns in bytes.
    fn syntax(&mut self, start: usize, error: &serde_json::Error) -> LineError {
        let mut offset = (start + error.column().saturating_sub(1)).min(self.line.len());
        while !self.line.is_char_boundary(offset) {
            offset -= 1;
        }
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        self.error(
            "invalid-json",
            offset,
            format!("invalid JSON: {reason}"),
            "write the case as one JSON object on one line",
        )
    }
}

/// An object's pairs in order, repeated keys included.
struct Entries<'l>(Vec<(String, &'l RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Entries(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
