//! YAML text to [`Node`]s, with limits on what aliases and nesting may cost. The only module that names `serde_yaml`.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::{DefaultMessageFormatter, Error, MessageFormatter, Options, Spanned};

use super::diagnostic::{Diagnostic, Location};
use super::node::{Key, Kind, Node};
use super::source::Source;

/// Reads one YAML document.
///
/// # Errors
/// A syntax error, a duplicate key, a second document, or a document that expands too far: one finding at its place.
pub fn parse(source: &Source<'_>) -> Result<Node, Box<Diagnostic>> {
    serde_yaml::from_str_with_options(source.text, options(source.text.len()))
        .map_err(|error| Box::new(diagnose(source, error.without_snippet())))
}

/// Reads one YAML document whose list under the top-level key `key` is too long to be held: each item is handed over
/// as soon as it is read, and the list itself comes back empty.
///
/// # Errors
/// As for [`parse`]; items before the error have been handed over by then.
pub fn stream(source: &Source<'_>, key: &str, each: &mut dyn FnMut(Node)) -> Result<Node, Box<Diagnostic>> {
    let top = Top { key, each };
    serde_yaml::with_deserializer_from_str_with_options(source.text, options(source.text.len()), |deserializer| {
        deserializer.deserialize_any(top)
    })
    .map(|kind| Node { kind, at: Location::START })
    .map_err(|error| Box::new(diagnose(source, error.without_snippet())))
}

/// Most levels of mappings and lists: each costs stack, of which a server's threads have little.
const MAX_DEPTH: usize = 32;
/// Nodes that aliases may add to what stands in the text.
const MAX_ALIASED: usize = 100_000;

/// Every limit follows from the size of the text, but for aliases: they may add little to what stands there.
fn options(bytes: usize) -> Options {
    let most = bytes.saturating_add(MAX_ALIASED);
    serde_yaml::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_ALIASED },
        budget: serde_yaml::budget! {
            max_events: most.saturating_mul(2),
            max_nodes: most,
            max_documents: 2,
            max_depth: MAX_DEPTH,
            max_total_scalar_bytes: most.saturating_mul(2),
        },
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let one_line = match &spanned.value {
            Kind::Text(text) => !text.contains('\n'),
            Kind::Flag(_) | Kind::Number(_) => true,
            Kind::Null | Kind::List(_) | Kind::Map(_) => false,
        };
        Ok(Self { kind: spanned.value, at: place(spanned.referenced, one_line) })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Kind, E> {
        Ok(Kind::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Kind, E> {
        Ok(Kind::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Kind, E> {
        Ok(Kind::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Kind, E> {
        Number::from_f64(number).map(Kind::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Kind, E> {
        Ok(Kind::Text(text.into()))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Node>()? {
            let name = match key.kind {
                Kind::Text(name) => name,
                Kind::Flag(flag) => flag.to_string().into(),
                Kind::Number(number) => number.to_string().into(),
                Kind::Null | Kind::List(_) | Kind::Map(_) => {
                    return Err(A::Error::custom("a key must be a text"));
                }
            };
            entries.push((Key { name, at: key.at }, map.next_value()?));
        }
        Ok(Kind::Map(entries))
    }
}

/// The document itself, while one of its lists is streamed.
struct Top<'k, 'f> {
    key: &'k str,
    each: &'f mut dyn FnMut(Node),
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let key = Key { at: place(key.referenced, true), name: key.value.into() };
            let node = if *key.name == *self.key {
                Node { kind: map.next_value_seed(Items { each: &mut *self.each })?, at: key.at }
            } else {
                map.next_value()?
            };
            entries.push((key, node));
        }
        Ok(Kind::Map(entries))
    }
}

/// The streamed list.
struct Items<'f> {
    each: &'f mut dyn FnMut(Node),
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        while let Some(item) = seq.next_element()? {
            (self.each)(item);
        }
        Ok(Kind::List(Vec::new()))
    }
}

fn place(at: serde_yaml::Location, one_line: bool) -> Location {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let length = if one_line { number(at.span().len()) } else { 0 };
    Location { line: number(at.line()), column: number(at.column()), length }
}

fn diagnose(source: &Source<'_>, error: &Error) -> Diagnostic {
    let at = error.location().map_or(Location::START, |at| place(at, false));
    let mut cause = error;
    while let Error::AliasError { error, .. } = cause {
        cause = error;
    }
    let (code, message, help) = match cause {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            ("duplicate-key", format!("duplicate key `{key}`"), "remove one of the two")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => (
            "yaml-too-complex",
            "the document nests too deep or its aliases expand too far".to_owned(),
            "write the values out instead of repeating aliases of aliases",
        ),
        Error::MultipleDocuments { .. } => (
            "yaml-documents",
            "the file holds more than one YAML document".to_owned(),
            "keep one document per file: remove the `---` between them",
        ),
        other => {
            if let Some(tab) = tab_near(source, at.line) {
                return source
                    .error("yaml-tab", tab, "a tab in the indentation; YAML allows only spaces there")
                    .with_help("replace the tab by spaces");
            }
            let message = DefaultMessageFormatter.format_message(other);
            ("yaml-syntax", format!("invalid YAML: {message}"), "correct the syntax at this place")
        }
    };
    source.error(code, at, message).with_help(help)
}

/// The tab in the indentation of the line an error was found at, or of a neighbour: scanners notice it late.
fn tab_near(source: &Source<'_>, line: u32) -> Option<Location> {
    [line, line.saturating_add(1), line.saturating_sub(1)].into_iter().find_map(|number| {
        let line = source.line(number)?;
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line[..indent].find('\t')?;
        Some(Location { line: number, column: u32::try_from(tab).ok()? + 1, length: 1 })
    })
}
