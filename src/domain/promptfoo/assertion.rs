//! promptfoo's `assert` lists, with sets and what of them is code. What a type does is not known here.

use super::pointer;
use super::providers::{self, Judges, with_entry};
use super::refusal::{self, Refusal};
use super::shelf::{Shelf, Trouble};
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::combine::EvaluatorSet;
use crate::domain::evaluator::spec::{CheckSpec, GradedKind, GradedSpec};
use crate::domain::evaluator_syntax::{Written, promptfoo};
use crate::domain::node::{Kind, Node};
use crate::domain::policy::Change;
use crate::domain::reader::{Fields, Reader, Unknown};

/// Deepest value of an assertion.
const MAX_DEPTH: usize = 64;
/// Most assertions of one list.
const MAX_ASSERTIONS: usize = 1_000;

/// The assertions of a test: one list, in which some count as one.
#[derive(Debug, Clone, Default)]
pub(super) struct Assertions {
    pub written: Vec<Written>,
    pub sets: Vec<EvaluatorSet>,
}

impl Assertions {
    /// These, then the others.
    pub fn then(mut self, other: &Self) -> Self {
        let shift = self.written.len();
        self.written.extend(other.written.iter().cloned());
        self.sets.extend(other.sets.iter().map(|set| EvaluatorSet { first: set.first + shift, ..set.clone() }));
        self
    }

    /// Lets these judge where an assertion names no model itself.
    pub fn judged_by(&mut self, judges: &Judges) {
        for written in &mut self.written {
            set_judge(&mut written.spec.check, judges);
        }
    }
}

/// Names the model of an assertion that asks one and names none; false if none of these is of its kind.
fn set_judge(check: &mut CheckSpec, judges: &Judges) -> bool {
    let (place, named) = match check {
        CheckSpec::Graded(GradedSpec { kind: GradedKind::Similar { .. }, model }) => (model, &judges.embeddings),
        CheckSpec::Judge { model, .. } | CheckSpec::Graded(GradedSpec { model, .. }) => (model, &judges.text),
        _ => return false,
    };
    if place.is_none() {
        place.clone_from(named);
    }
    named.is_some()
}

const SET_KEYS: [&str; 6] = ["type", "assert", "threshold", "weight", "metric", "config"];

/// Reads a list. `None` only after an error was recorded.
pub(super) fn read(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, root: &Node, node: &Node) -> Option<Assertions> {
    let mut found = Assertions::default();
    if matches!(node.kind, Kind::Null) {
        return Some(found);
    }
    let items = reader.list(node, "assert")?;
    let errors = reader.errors();
    for item in items {
        let Some(item) = pointer::follow(reader, root, item) else { continue };
        let is_set =
            matches!(item.get("type").map(|node| &node.kind), Some(Kind::Text(kind)) if &**kind == "assert-set");
        if is_set {
            set(reader, shelf, root, item, &mut found);
        } else {
            found.written.extend(one(reader, shelf, item));
        }
        if found.written.len() > MAX_ASSERTIONS {
            let message = format!("more than {MAX_ASSERTIONS} assertions in one test");
            reader.error("too-many", item.at, message, "split the test");
            break;
        }
    }
    (reader.errors() == errors).then_some(found)
}

fn set(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, root: &Node, item: &Node, found: &mut Assertions) -> Option<()> {
    let fields = reader.fields(item, "an assert-set", &SET_KEYS, Unknown::Refused)?;
    let Some(list) = fields.get("assert") else {
        reader.error("missing-key", item.at, "an assert-set needs `assert`", "add its assertions");
        return None;
    };
    let first = found.written.len();
    let metric = metric(reader, &fields)?;
    for item in reader.list(list, "assert")? {
        let Some(item) = pointer::follow(reader, root, item) else { continue };
        if item.get("assert").is_some() {
            let help = "write the inner assertions into the outer set";
            reader.error("nested-set", item.at, "an assert-set stands within another", help);
            continue;
        }
        let Some(mut written) = one(reader, shelf, item) else { continue };
        if written.spec.metric.is_none() {
            written.spec.metric.clone_from(&metric);
        }
        found.written.push(written);
    }
    let number = |reader: &mut Reader<'_>, name| {
        fields.read(reader, name, |reader, node, what| reader.number(node, what, 0.0, 1e6))
    };
    let weight = number(reader, "weight").unwrap_or(1.0);
    let threshold = number(reader, "threshold");
    let count = found.written.len() - first;
    found.sets.push(EvaluatorSet { first, count, weight, threshold });
    Some(())
}

fn one(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, item: &Node) -> Option<Written> {
    let Kind::Map(entries) = &item.kind else {
        let message = format!("an assertion must be a mapping with a `type`, found {}", item.kind_name());
        reader.error("invalid-evaluator", item.at, message, "write `- type: contains` and a `value`");
        return None;
    };
    let Some(kind) = item.get("type") else {
        let help = "add for instance `type: contains`; keys of one assertion stand under one `-`";
        reader.error("missing-key", item.at, "an assertion has no `type`", help);
        return None;
    };
    let name = reader.words(kind, "type")?;
    refuse_type(reader, &name, kind.at)?;
    let mut judge = None;
    let mut plain = Node { kind: Kind::Map(Vec::new()), at: item.at };
    for (key, value) in entries {
        match &*key.name {
            "provider" => judge = Some((providers::judges(reader, value)?, value.at)),
            "value" => plain = with_entry(&plain, "value", loaded(reader, shelf, value)?),
            other => {
                if !passes(reader, other, value)? {
                    continue;
                }
                plain = with_entry(&plain, other, value.clone());
            }
        }
    }
    let mut written = promptfoo::read(reader, &plain)?;
    if let Some((judges, at)) = judge
        && !set_judge(&mut written.spec.check, &judges)
    {
        let message = format!("`provider` of `{name}` is not used");
        let help = match &written.spec.check {
            CheckSpec::Graded(GradedSpec { kind: GradedKind::Similar { .. }, .. }) => {
                "name an embeddings model, for instance `openai:embedding:text-embedding-3-small`"
            }
            CheckSpec::Judge { .. } | CheckSpec::Graded(_) => {
                "name a model that answers a chat, for instance `openai:gpt-4o`"
            }
            _ => "remove it: no model is asked",
        };
        reader.warning("not-used", at, message, help);
    }
    Some(written)
}

/// Whether a key is for the assertion's own reader. `None` after an error.
fn passes(reader: &mut Reader<'_>, name: &str, value: &Node) -> Option<bool> {
    let refused = match name {
        "transform" | "contextTransform" => {
            let help = "judge the answer as it is, for instance with `contains-json` or `regex`";
            Refusal::code(format!("`{name}`"), help)
        }
        "rubricPrompt" => {
            let message =
                "`rubricPrompt` is not used: the judge's question guards against answers that talk to the judge";
            Refusal::new("rubric-prompt", message, "say in the rubric itself what a good answer is")
        }
        "metric" if is_template(value) => {
            let message = "`metric` holds a template, and names are not filled";
            Refusal::new("template-in-name", message, "write the name out")
        }
        "config" => {
            let message = "`config` of an assertion is not used";
            reader.warning("not-used", value.at, message, "remove it");
            return Some(false);
        }
        _ => return Some(true),
    };
    refused.tell(reader, value.at);
    None
}

fn is_template(node: &Node) -> bool {
    matches!(&node.kind, Kind::Text(text) if text.contains("{{"))
}

#[expect(clippy::option_option, reason = "outer: readable at all; inner: whether it is there")]
fn metric(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Option<String>> {
    let Some(node) = fields.get("metric") else { return Some(None) };
    passes(reader, "metric", node)?;
    Some(Some(reader.words(node, "metric")?))
}

/// Types that would run something, with what to write instead.
fn refuse_type(reader: &mut Reader<'_>, name: &str, at: Location) -> Option<()> {
    let plain = name.strip_prefix("not-").unwrap_or(name);
    let refused = match plain {
        "javascript" | "python" | "ruby" => Refusal::code(
            format!("the assertion type `{name}`"),
            "use a declarative type: `contains`, `regex`, `is-json` with a schema, `word-count`, or `llm-rubric` for what \
             only a reader can judge",
        ),
        "webhook" => Refusal::new(
            "remote-refused",
            "the assertion type `webhook` sends answers to an address",
            "use a declarative type such as `contains`, `is-json` or `llm-rubric`",
        ),
        _ if plain.starts_with("promptfoo:") => Refusal::new(
            "unknown-evaluator",
            format!("`{name}` is judged by promptfoo's own service"),
            "use `llm-rubric` with a rubric of your own",
        ),
        _ => return Some(()),
    };
    refused.tell(reader, at);
    None
}

/// A value, or what stands in the file that it names; in none of its texts anything that only Nunjucks could fill.
fn loaded(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, node: &Node) -> Option<Node> {
    let Kind::Text(text) = &node.kind else {
        sound(reader, node, 0)?;
        return Some(node.clone());
    };
    if !text.starts_with("file://") {
        sound(reader, node, 0)?;
        return Some(node.clone());
    }
    let value =
        shelf.find(shelf.config(), text, Change::GoldenSet).map_err(Trouble::Here).and_then(|files| {
            match files.first() {
                Some(file) => shelf.value(*file).map(Some),
                None => Ok(None),
            }
        });
    match value {
        // Still missing: any value will do until the config is read again.
        Ok(None) => Some(Node { kind: Kind::Text("-".into()), at: node.at }),
        Ok(Some(value)) => {
            let kind = super::shelf::placeless(value).kind;
            let found = Node { kind, at: node.at };
            sound(reader, &found, 0)?;
            Some(found)
        }
        Err(Trouble::Here(refused)) => {
            refused.tell(reader, node.at);
            None
        }
        Err(Trouble::There(finding)) => {
            reader.push(*finding);
            None
        }
    }
}

fn sound(reader: &mut Reader<'_>, node: &Node, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        reader.error("too-deep", node.at, "the value of an assertion nests too deep", "flatten it");
        return None;
    }
    match &node.kind {
        Kind::Text(text) => (!refusal::tell_nunjucks(reader, text, node.at)).then_some(()),
        Kind::List(items) => items.iter().try_for_each(|item| sound(reader, item, depth + 1).ok_or(())).ok(),
        Kind::Map(entries) => entries.iter().try_for_each(|(_, value)| sound(reader, value, depth + 1).ok_or(())).ok(),
        Kind::Null | Kind::Flag(_) | Kind::Number(_) => Some(()),
    }
}
