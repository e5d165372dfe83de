//! What a Prompty file says that PromptOps has no use for: read without a warning, lost in a conversion.

use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::node::{Kind, Node};
use crate::domain::prompt::front_matter;
use crate::domain::source::Source;

/// Keys at the top.
const TOP: [&str; 7] = ["$schema", "kind", "displayName", "authors", "base", "env", "id"];
/// Keys of `model`.
const MODEL: [&str; 3] = ["connection", "configuration", "response"];
/// Keys of the model's options.
const OPTIONS: [&str; 4] = ["stream", "stream_options", "user", "metadata"];
/// Keys of an input.
const INPUT: [&str; 9] =
    ["kind", "type", "enumValues", "enum", "title", "strict", "items", "properties", "json_schema"];

/// Each such key, at its place.
#[must_use]
pub fn unused(source: &Source<'_>) -> Vec<Diagnostic> {
    let Ok(cut) = front_matter::split(source) else { return Vec::new() };
    let mut found: Vec<(String, Location)> = Vec::new();
    keys(&cut.node, "", &TOP, &mut found);
    if let Some(metadata) = cut.node.get("metadata") {
        let carried = ["version", "tags", "owner", "useCase", "exampleOutput", "goldenSet"];
        if let Kind::Map(entries) = &metadata.kind {
            let others = entries.iter().filter(|(key, _)| !carried.contains(&&*key.name));
            found.extend(others.map(|(key, _)| (format!("metadata.{}", key.name), key.at)));
        }
    }
    if let Some(model) = cut.node.get("model") {
        keys(model, "model.", &MODEL, &mut found);
        for options in ["options", "parameters"] {
            if let Some(node) = model.get(options) {
                keys(node, &format!("model.{options}."), &OPTIONS, &mut found);
            }
        }
    }
    if let Some(node) = cut.node.get("inputs").or(cut.node.get("inputSchema")) {
        inputs(node.get("properties").unwrap_or(node), &mut found);
    }
    let tell = |(key, at): (String, Location)| {
        source
            .error("not-carried", at, format!("`{key}` has no place in a .prompt.yml"))
            .into_warning()
            .with_help("remove it, or accept the loss with --allow-losses")
    };
    found.into_iter().map(tell).collect()
}

fn keys(node: &Node, before: &str, wanted: &[&str], found: &mut Vec<(String, Location)>) {
    if let Kind::Map(entries) = &node.kind {
        // A text is what an input is anyway.
        let is_text = |node: &Node| matches!(&node.kind, Kind::Text(kind) if &**kind == "string");
        let named = entries.iter().filter(|(key, node)| wanted.contains(&&*key.name) && !is_text(node));
        found.extend(named.map(|(key, _)| (format!("{before}{}", key.name), key.at)));
    }
}

fn inputs(node: &Node, found: &mut Vec<(String, Location)>) {
    match &node.kind {
        Kind::Map(entries) => {
            entries.iter().for_each(|(key, node)| keys(node, &format!("inputs.{}.", key.name), &INPUT, found));
        }
        Kind::List(items) => items.iter().for_each(|item| {
            let name = item.get("name").map(|name| name.to_value().as_str().unwrap_or_default().to_owned());
            keys(item, &format!("inputs.{}.", name.unwrap_or_default()), &INPUT, found);
        }),
        _ => {}
    }
}
