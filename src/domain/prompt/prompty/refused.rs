//! `${env:…}` and `${file:…}` in a front matter: never read, since a prompt may come from anybody. Knows no format's keys.

use crate::domain::node::{Kind, Node};
use crate::domain::reader::Reader;

/// Keys under `model` whose values are never used, so that a reference in them is harmless.
const UNREAD: [&str; 2] = ["connection", "configuration"];
/// What is used of them all the same.
pub(super) const READ: [&str; 5] = ["type", "name", "azure_deployment", "deployment", "model"];

/// Tells every reference whose value would be used.
pub(super) fn check(reader: &mut Reader<'_>, node: &Node) {
    let Kind::Map(entries) = &node.kind else { return };
    for (key, value) in entries {
        match (&*key.name, &value.kind) {
            ("model", Kind::Map(model)) => model.iter().for_each(|(key, value)| check_model(reader, &key.name, value)),
            _ => walk(reader, &key.name, value),
        }
    }
}

fn check_model(reader: &mut Reader<'_>, key: &str, value: &Node) {
    match &value.kind {
        Kind::Map(inner) if UNREAD.contains(&key) => {
            let read = inner.iter().filter(|(key, _)| READ.contains(&&*key.name));
            read.for_each(|(key, value)| walk(reader, &key.name, value));
        }
        _ if UNREAD.contains(&key) => {}
        _ => walk(reader, key, value),
    }
}

fn walk(reader: &mut Reader<'_>, key: &str, node: &Node) {
    match &node.kind {
        Kind::Text(text) => tell(reader, key, node, text),
        Kind::List(items) => items.iter().for_each(|item| walk(reader, key, item)),
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| walk(reader, &key.name, value)),
        Kind::Null | Kind::Flag(_) | Kind::Number(_) => {}
    }
}

fn tell(reader: &mut Reader<'_>, key: &str, node: &Node, text: &str) {
    let lower = text.to_ascii_lowercase();
    let (why, help) = if lower.contains("${env:") {
        (
            "the environment of the machine is no part of a prompt",
            "write the value itself; keys and addresses of providers belong to the provider settings".to_owned(),
        )
    } else if let Some(start) = lower.find("${file:") {
        let file = text[start + 7..].split('}').next().unwrap_or_default();
        let help = match key {
            "sample" => format!("write `sample: {file}`"),
            _ => format!("write what is in `{file}` here"),
        };
        ("files are not put into a front matter", help)
    } else {
        return;
    };
    let shown: String = text.chars().take(60).collect();
    reader.error("refused-reference", node.at, format!("`{shown}` in `{key}` is refused: {why}"), help);
}
