//! Logic-less templates: `{{ name }}` is replaced once, by a value that is never looked at again. Knows no files.

use serde_json::Value;

use crate::domain::diagnostic::Location;

/// A text with `{{ name }}` places.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Variable { name: String, at: Option<Location> },
}

impl Template {
    /// Splits a text at its places. A `{{` that opens no place (no name, or no `}}`) stays as it is.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let (before, after) = rest.split_at(open);
            literal.push_str(before);
            match variable_at(after) {
                Some((name, tail)) => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Variable { name: name.to_owned(), at: None });
                    rest = tail;
                }
                None => {
                    literal.push('{');
                    rest = &after[1..];
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The same, with the places of its variables looked up in the file: `rest` is the file from the line of `start`
    /// on, and holds the text perhaps indented, folded or quoted. A place that is written in escapes stays unknown.
    #[must_use]
    pub fn located(text: &str, rest: &str, start: Location) -> Self {
        let mut template = Self::parse(text);
        let mut cursor = Cursor { rest, line: start.line, column: 1, left: 4 * text.len() + 1000 };
        while cursor.column < start.column && cursor.step().is_some() {}
        for part in &mut template.parts {
            if let Part::Variable { name, at } = part {
                *at = cursor.find(name);
            }
        }
        template
    }

    /// Each name in order of appearance, with its place in the file where that is known.
    pub fn places(&self) -> impl Iterator<Item = (&str, Option<Location>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, at } => Some((name.as_str(), *at)),
            Part::Text(_) => None,
        })
    }

    /// The names in order of appearance, with repeats.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.places().map(|(name, _)| name)
    }

    /// The text with its places, written as `{{name}}`.
    #[must_use]
    pub fn source(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable { name, .. } => {
                    out.push_str("{{");
                    out.push_str(name);
                    out.push_str("}}");
                }
            }
        }
        out
    }

    /// Fills the places. Strings go in as they are, other values as compact JSON.
    ///
    /// # Errors
    /// The name of the first variable that `lookup` does not know.
    pub fn render<'v>(&self, lookup: &impl Fn(&str) -> Option<&'v Value>) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable { name, .. } => match lookup(name) {
                    None => return Err(name.clone()),
                    Some(Value::String(text)) => out.push_str(text),
                    Some(other) => out.push_str(&other.to_string()),
                },
            }
        }
        Ok(out)
    }
}

/// The name of the place that `text` opens with, and what follows it.
fn variable_at(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("{{")?;
    let close = inner.find("}}")?;
    let name = inner[..close].trim();
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    is_name.then(|| (name, &inner[close + 2..]))
}

/// A place in a source that moves forward only.
struct Cursor<'s> {
    rest: &'s str,
    line: u32,
    column: u32,
    /// How far it may go: what is not found near is not looked for in the whole file.
    left: usize,
}

impl Cursor<'_> {
    fn step(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.left = self.left.checked_sub(1)?;
        self.rest = &self.rest[c.len_utf8()..];
        (self.line, self.column) = if c == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        Some(c)
    }

    /// The next place of this name; the cursor stays where it is if there is none.
    fn find(&mut self, wanted: &str) -> Option<Location> {
        let mut ahead = Cursor { rest: self.rest, ..*self };
        loop {
            if let Some((name, tail)) = variable_at(ahead.rest)
                && name == wanted
            {
                let length = ahead.rest[..ahead.rest.len() - tail.len()].chars().count();
                let at =
                    Location { line: ahead.line, column: ahead.column, length: u32::try_from(length).unwrap_or(0) };
                ahead.step();
                *self = ahead;
                return Some(at);
            }
            ahead.step()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let (name, amount) = (json!("Ada {{amount}}"), json!(900));
        let lookup = |variable: &str| match variable {
            "name" => Some(&name),
            "amount" => Some(&amount),
            _ => None,
        };
        assert_eq!(Template::parse(text).render(&lookup), expected.map(str::to_owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn places_are_filled_with_and_without_spaces_and_a_value_is_never_filled_again() {
        check("Dear {{name}}, {{ amount }}.", Ok("Dear Ada {{amount}}, 900."));
    }

    #[test]
    fn an_undefined_variable_is_named() {
        check("{{ name }} {{ city }}", Err("city"));
    }

    #[test]
    fn braces_that_open_no_place_stay() {
        for text in ["{{", "{{}}", "{{ a b }}", "{ {name} }", "{{ 1 }}", "{{{name", "}}{{"] {
            check(text, Ok(text));
        }
        check("{{{name}}}", Ok("{Ada {{amount}}}"));
    }

    #[test]
    fn places_are_found_in_the_file() {
        let rest = "      Hi {{ b }},\n      {{b}} {{ c }}\n";
        let start = Location { line: 4, column: 7, length: 0 };
        let template = Template::located("Hi {{ b }},\n{{b}} {{ c }}\n", rest, start);
        let found: Vec<_> =
            template.places().map(|(name, at)| (name, at.map(|at| (at.line, at.column, at.length)))).collect();
        assert_eq!(found, [("b", Some((4, 10, 7))), ("b", Some((5, 7, 5))), ("c", Some((5, 13, 7)))]);
    }

    proptest! {
        #[test]
        fn a_text_without_braces_is_itself(text in "[^{]*") {
            prop_assert_eq!(Template::parse(&text).render(&|_| None), Ok(text));
        }

        #[test]
        fn no_text_panics(text in "[{} a-z\n]*", line in 0u32..9, column in 0u32..9) {
            let at = Location { line, column, length: 0 };
            let template = Template::located(&text, &text, at);
            let value = json!("v");
            prop_assert!(template.render(&|_| Some(&value)).is_ok());
        }
    }
}
