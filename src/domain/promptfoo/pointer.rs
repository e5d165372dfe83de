//! `$ref: '#/assertionTemplates/x'`: one place of a file that says what another says. Knows no keys.

use crate::domain::node::{Kind, Node};
use crate::domain::reader::Reader;

/// Longest chain of references.
const MAX_CHAIN: usize = 16;

/// What a node says, or what the place says that it refers to. `None` only after an error was recorded.
pub(super) fn follow<'n>(reader: &mut Reader<'_>, root: &'n Node, node: &'n Node) -> Option<&'n Node> {
    let mut found = node;
    for _ in 0..MAX_CHAIN {
        let Some(target) = found.get("$ref") else { return Some(found) };
        let Kind::Text(pointer) = &target.kind else {
            let message = format!("`$ref` must be a text, found {}", target.kind_name());
            reader.error("invalid-reference", target.at, message, "write for instance '#/assertionTemplates/polite'");
            return None;
        };
        let Some(path) = pointer.strip_prefix('#') else {
            let message = format!("`$ref: {pointer}` leads out of this file");
            reader.error("invalid-reference", target.at, message, "put it into this file, or name a file with file://");
            return None;
        };
        let Some(next) = walk(root, path) else {
            let message = format!("`$ref: {pointer}` leads to nothing");
            reader.error("invalid-reference", target.at, message, "check the path, from the top of this file");
            return None;
        };
        found = next;
    }
    let message = "`$ref` leads round in a circle";
    reader.error("invalid-reference", node.at, message, "write the value at one of the places");
    None
}

fn walk<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    let mut node = root;
    for part in path.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        node = match &node.kind {
            Kind::List(items) => items.get(part.parse::<usize>().ok()?)?,
            _ => node.get(&part)?,
        };
    }
    Some(node)
}
