//! A rule's `when`: the predicates that say when it applies. Knows no pull request.

use super::people::People;
use crate::domain::diagnostic::Severity;
use crate::domain::gate::Verdict;
use crate::domain::node::{Kind, Node};
use crate::domain::patterns::{InvalidPattern, Patterns};
use crate::domain::policy::{Change, SizeOver, Source, When};
use crate::domain::reader::{Reader, Unknown, suggestion};

/// What `when.changes` may name.
pub(in crate::domain) const CHANGES: [(&str, Change); 6] = [
    ("prompt", Change::Prompt),
    ("golden_set", Change::GoldenSet),
    ("golden_set_weakened", Change::GoldenSetWeakened),
    ("policy", Change::Policy),
    ("model", Change::Model),
    ("metadata", Change::Metadata),
];
/// What `when.verdict` may name.
pub(in crate::domain) const VERDICTS: [(&str, Verdict); 4] = [
    ("pass", Verdict::Pass),
    ("no_regression_found", Verdict::NoRegressionFound),
    ("not_measured", Verdict::NotMeasured),
    ("regression", Verdict::Regression),
];
/// What `when.lint` may name.
pub(in crate::domain) const SEVERITIES: [(&str, Severity); 2] =
    [("error", Severity::Error), ("warning", Severity::Warning)];
/// Keys of `when`.
pub(in crate::domain) const WHEN: [&str; 9] =
    ["paths", "changes", "verdict", "author", "fork", "base", "labels", "lint", "size"];
/// Keys of `when.size`.
pub(in crate::domain) const SIZE: [&str; 2] = ["files_over", "lines_over"];

/// Reads `when`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, people: &mut People) -> Option<When> {
    let fields = reader.fields(node, "`when`", &WHEN, Unknown::Refused)?;
    for key in WHEN {
        if let Some(Node { kind: Kind::List(items), at }) = fields.get(key)
            && items.is_empty()
        {
            reader.error("empty-list", *at, format!("`{key}` is empty"), "list something, or remove the key");
        }
    }
    let read_paths = |reader: &mut Reader<'_>, node: &Node, what: &str| {
        read_patterns(reader, node, what, "prompts/**", |globs| Patterns::new(globs))
    };
    let read_base = |reader: &mut Reader<'_>, node: &Node, what: &str| {
        read_patterns(reader, node, what, "release/*", |globs| Patterns::of_branches(globs))
    };
    Some(When {
        paths: fields.read(reader, "paths", read_paths).unwrap_or_default(),
        changes: fields.read(reader, "changes", |r, node, what| choices(r, node, what, &CHANGES)).unwrap_or_default(),
        verdict: fields.read(reader, "verdict", |r, node, what| choices(r, node, what, &VERDICTS)).unwrap_or_default(),
        author: fields
            .read(reader, "author", |reader, node, what| read_author(reader, node, what, people))
            .unwrap_or_default(),
        fork: fields.read(reader, "fork", Reader::flag),
        base: fields.read(reader, "base", read_base).unwrap_or_default(),
        labels: fields.read(reader, "labels", Reader::texts).unwrap_or_default(),
        lint: fields.read(reader, "lint", |r, node, what| choices(r, node, what, &SEVERITIES)).unwrap_or_default(),
        size: fields.read(reader, "size", read_size),
    })
}

/// A list of globs, each checked at its own place, then compiled together.
fn read_patterns(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    example: &str,
    compile: impl Fn(&mut dyn Iterator<Item = &str>) -> Result<Patterns, InvalidPattern>,
) -> Option<Patterns> {
    let globs = reader.texts(node, what)?;
    for (glob, item) in globs.iter().zip(reader.list(node, what)?) {
        if let Err(error) = compile(&mut std::iter::once(glob.as_str())) {
            reader.error("invalid-glob", item.at, error.to_string(), format!("write a glob such as \"{example}\""));
            return None;
        }
    }
    match compile(&mut globs.iter().map(String::as_str)) {
        Ok(patterns) => Some(patterns),
        Err(error) => {
            reader.error("invalid-glob", node.at, error.to_string(), "write fewer or shorter globs");
            None
        }
    }
}

/// Who an author may be: an owner is one of a file, and says nothing of an author.
fn read_author(reader: &mut Reader<'_>, node: &Node, what: &str, people: &mut People) -> Option<Vec<Source>> {
    let sources = people.read_sources(reader, node, what)?;
    for (source, item) in sources.iter().zip(reader.list(node, what)?) {
        if matches!(source, Source::Owner | Source::CodeOwners) {
            let help = "list users, teams, roles or `permission:write`";
            reader.error("invalid-author", item.at, "an author is not named by what they own", help);
            return None;
        }
    }
    Some(sources)
}

fn read_size(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<SizeOver> {
    let fields = reader.fields(node, &format!("`{what}`"), &SIZE, Unknown::Refused)?;
    let most = u64::from(u32::MAX);
    let whole = |reader: &mut Reader<'_>, node: &Node, what: &str| reader.whole(node, what, 0, most);
    let (files, lines) = (fields.read(reader, "files_over", whole), fields.read(reader, "lines_over", whole));
    if fields.get("files_over").is_none() && fields.get("lines_over").is_none() {
        let help = "write `files_over` or `lines_over`, or remove the key";
        reader.error("empty-size", node.at, format!("`{what}` names no size"), help);
        return None;
    }
    Some(SizeOver { files, lines })
}

fn choices<T: Copy>(reader: &mut Reader<'_>, node: &Node, what: &str, known: &[(&str, T)]) -> Option<Vec<T>> {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let items = reader.list(node, what)?;
    let read = items.iter().filter_map(|item| {
        let text = reader.text(item, what)?;
        let found = known.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let message = format!("`{what}` has no `{text}`");
            reader.error("unknown-value", item.at, message, suggestion(&text, &names));
        }
        found.map(|(_, value)| *value)
    });
    Some(read.collect())
}
