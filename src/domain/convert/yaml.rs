//! Values as YAML that people read: block style, long texts as they are, the same text for the same value. Knows no keys.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The value as a document.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(entries) if !entries.is_empty() => map(&mut out, entries, 0),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

/// The entries, the first at the place where `out` ends, the others indented.
fn map(out: &mut String, entries: &Map<String, Value>, indent: usize) {
    for (number, (key, value)) in entries.iter().enumerate() {
        if number > 0 {
            push_indent(out, indent);
        }
        out.push_str(&one_line(key));
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                push_indent(out, indent + 2);
                map(out, inner, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                push_indent(out, indent + 2);
                list(out, items, indent + 2);
            }
            other => {
                out.push(' ');
                scalar(out, other, indent);
                out.push('\n');
            }
        }
    }
}

fn list(out: &mut String, items: &[Value], indent: usize) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            push_indent(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => map(out, inner, indent + 2),
            Value::Array(inner) if !inner.is_empty() => list(out, inner, indent + 2),
            other => {
                scalar(out, other, indent);
                out.push('\n');
            }
        }
    }
}

fn push_indent(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Without the line's end.
fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(text) if is_block(text) => block(out, text, indent + 2),
        Value::String(text) => out.push_str(&one_line(text)),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Whether a text can stand as it is over several lines.
fn is_block(text: &str) -> bool {
    let odd = |c: char| c != '\n' && is_hidden(c);
    text.contains('\n') && !text.starts_with([' ', '\n', '\t']) && !text.chars().any(odd)
}

fn block(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    let ends = text.len() - body.len();
    out.push_str(match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            push_indent(out, indent);
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', ends.saturating_sub(1)));
}

/// A text on one line: bare where no reader can take it for anything else, quoted otherwise.
fn one_line(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_hidden(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn is_bare(text: &str) -> bool {
    const WORDS: [&str; 12] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "inf", "nan", "infinity"];
    text.starts_with(char::is_alphabetic)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '(' | ')' | '+' | '\''))
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_lowercase().as_str())
}

/// What is not seen, or ends a line for some readers.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::ids::PromptPath;
    use crate::domain::source::Source;

    fn check(value: &Value, expected: &str) {
        assert_eq!(write(value), expected);
    }

    #[test]
    fn texts_stay_readable() {
        check(
            &json!({"name": "A b", "model": "openai/gpt-4o", "messages": [{"role": "user", "content": "a: b\n  c\n"}], "tags": []}),
            "name: A b\nmodel: openai/gpt-4o\nmessages:\n  - role: user\n    content: |\n      a: b\n        c\ntags: []\n",
        );
        check(&json!({"a": "x\ny", "b": "x\n\n\n", "c": {"d": {}}}), "a: |-\n  x\n  y\nb: |+\n  x\n\n\nc:\n  d: {}\n");
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        check(
            &json!(["yes", "1.0", "", " a", "a: b", "a #b", "\u{202e}x", "1", 1, null, true, "Null"]),
            "- \"yes\"\n- \"1.0\"\n- \"\"\n- \" a\"\n- \"a: b\"\n- \"a #b\"\n- \"\\U0000202ex\"\n- \"1\"\n- 1\n- null\n- true\n- \"Null\"\n",
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "([ -~]|\n|\t|é|\u{85}|\u{2028}|\u{feff}|: |- |# ){0,12}".prop_map(Value::from),
            "[a-z0-9.+~-]{0,4}".prop_map(Value::from),
        ];
        let leaf = prop_oneof![
            text,
            any::<i32>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            (-1e9f64..1e9).prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("([ -~]|é){0,6}", inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in value()) {
            let text = write(&value);
            let path = PromptPath::parse("a.yml").unwrap();
            let source = Source::read(&path, text.as_bytes(), 1 << 20).unwrap();
            let read = crate::domain::yaml::parse(&source);
            prop_assert!(read.is_ok(), "{text}\n{read:?}");
            prop_assert_eq!(read.unwrap().to_value(), value, "{}", text);
        }
    }
}
