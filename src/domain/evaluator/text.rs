//! Texts of evaluators: fixed or filled from a case, folded for comparing, cut for quoting. Knows no kind of evaluator.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::prompt::Vars;
use crate::domain::prompt::template::Template;

/// The longest reason, in characters.
pub(super) const REASON: usize = 200;

/// The longest quoted text within a reason or a name, in characters.
pub(super) const QUOTE: usize = 60;

/// What a case says: all that a text may be filled from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// Inputs.
    pub vars: &'a Vars,
    /// The answer an expert verified.
    pub expected: Option<&'a str>,
}

impl Facts<'_> {
    /// What was asked: the variable `input`, or all variables where a case has none of that name. Never a rendered prompt: its
    /// author would set the yardstick of the judge.
    pub fn input(self) -> String {
        match self.vars.get("input") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => {
                let others = self.vars.iter().filter(|(name, _)| *name != "expected");
                Value::Object(others.map(|(name, value)| (name.clone(), value.clone())).collect()).to_string()
            }
        }
    }
}

/// A variable that the case gives no value for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("variable `{0}` has no value in this case; add it to the case's vars")]
pub(super) struct MissingValue(pub String);

/// A text of an evaluator.
#[derive(Debug, Clone)]
pub(super) enum Text {
    /// The same for every case.
    Fixed(String),
    /// Filled once per case; what goes in is never filled again.
    Filled(Template),
}

impl Text {
    /// Reads a text and sees whether it has places.
    pub fn parse(text: &str) -> Self {
        let template = Template::parse(text);
        if template.variables().next().is_some() { Self::Filled(template) } else { Self::Fixed(text.to_owned()) }
    }

    /// The case's own `expected`.
    pub fn expected() -> Self {
        Self::parse("{{expected}}")
    }

    /// The names of its places.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Filled(template) => template.variables().collect(),
        }
    }

    /// The text for one case.
    pub fn fill(&self, facts: Facts<'_>) -> Result<Cow<'_, str>, MissingValue> {
        match self {
            Self::Fixed(text) => Ok(Cow::Borrowed(text)),
            Self::Filled(template) => fill(template, facts, None).map(Cow::Owned),
        }
    }
}

/// Fills a template from a case; `completion` is the answer under judgement, where the text may hold it.
pub(super) fn fill(template: &Template, facts: Facts<'_>, completion: Option<&str>) -> Result<String, MissingValue> {
    let expected = facts.expected.map(Value::from);
    let completion = completion.map(Value::from);
    let lookup = |name: &str| match name {
        "completion" if completion.is_some() => completion.as_ref(),
        "expected" if expected.is_some() => expected.as_ref(),
        _ => facts.vars.get(name),
    };
    template.render(&lookup).map_err(MissingValue)
}

/// The form in which texts are compared in any case. Upper before lower case joins what lower case alone keeps apart
/// (`ß` and `SS`, `ς` and `Σ`); character by character, so that a part folds as it does within the whole.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    }
}

/// One line of at most `longest` characters: white space and control characters become single spaces.
pub(super) fn excerpt(text: &str, longest: usize) -> String {
    if is_short_line(text, longest) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut length = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            gap = length > 0;
            continue;
        }
        if length + usize::from(gap) + 1 >= longest {
            out.push('…');
            return out;
        }
        if gap {
            out.push(' ');
            length += 1;
            gap = false;
        }
        out.push(c);
        length += 1;
    }
    out
}

/// Whether there is nothing to cut: most reasons are so.
fn is_short_line(text: &str, longest: usize) -> bool {
    let bytes = text.as_bytes();
    bytes.len() < longest
        && bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        && !(bytes.starts_with(b" ") || bytes.ends_with(b" ") || bytes.windows(2).any(|pair| pair == b"  "))
}

/// A text in quotes, cut short.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", excerpt(text, QUOTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn check(text: &str, vars: &Value, expected: Option<&str>, filled: Result<&str, &str>) {
        let vars: Vars = serde_json::from_value(vars.clone()).unwrap();
        let actual = Text::parse(text).fill(Facts { vars: &vars, expected }).map(Cow::into_owned);
        assert_eq!(actual.as_deref().map_err(|missing| missing.0.as_str()), filled, "for {text}");
    }

    #[test]
    fn a_value_is_filled_in_once_and_never_rendered_again() {
        check("pay {{amount}}", &json!({"amount": "{{secret}}", "secret": "x"}), None, Ok("pay {{secret}}"));
        check("{{n}}", &json!({"n": 3}), None, Ok("3"));
        check("{{gone}}", &json!({}), None, Err("gone"));
    }

    #[test]
    fn expected_is_the_case_s_own_then_a_variable_of_that_name() {
        check("{{expected}}", &json!({"expected": "var"}), Some("own"), Ok("own"));
        check("{{expected}}", &json!({"expected": "var"}), None, Ok("var"));
        check("{{expected}}", &json!({}), None, Err("expected"));
    }

    #[test]
    fn folding_joins_what_people_read_as_one_word() {
        assert_eq!(fold("STRASSE"), fold("Straße"));
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("École"), fold("ÉCOLE"));
        assert_ne!(fold("a"), fold("b"));
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("  a\n\n b\u{7}c ", 10), "a b c");
        assert_eq!(excerpt("abcdef", 4), "abc…");
        assert_eq!(excerpt("", 4), "");
    }

    proptest! {
        #[test]
        fn an_excerpt_never_grows_past_its_limit(text in "\\PC*|(?s).*", longest in 1_usize..50) {
            let cut = excerpt(&text, longest);
            prop_assert!(cut.chars().count() <= longest);
            prop_assert!(!cut.contains(['\n', '\r']));
        }

        #[test]
        fn a_part_folds_as_it_does_within_the_whole(before in ".*", part in ".*", after in ".*") {
            let whole = format!("{before}{part}{after}");
            prop_assert!(fold(&whole).contains(&fold(&part)));
        }
    }
}
