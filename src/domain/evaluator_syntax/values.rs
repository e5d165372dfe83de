//! Values of the kinds that need no model, the same in our form and in promptfoo's. Knows no option and no form.

use serde_json::Value;

use super::kinds::Kind;
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::spec::{CheckSpec, Extent, Likeness, Sensitive, SqlDialect, Texts};
use crate::domain::node::{self, Node};
use crate::domain::reader::{Reader, suggestion};

/// Largest edit distance that passes where a file gives none.
const DISTANCE: u64 = 5;

/// Names of kinds of sensitive data.
const SENSITIVE: [(&str, Sensitive); 6] = [
    ("secret", Sensitive::Secret),
    ("email", Sensitive::Email),
    ("phone", Sensitive::Phone),
    ("card", Sensitive::Card),
    ("iban", Sensitive::Iban),
    ("ssn", Sensitive::Ssn),
];

/// Names of databases, in lower case.
const DATABASES: [(&str, SqlDialect); 13] = [
    ("generic", SqlDialect::Generic),
    ("mysql", SqlDialect::MySql),
    ("mariadb", SqlDialect::MySql),
    ("postgresql", SqlDialect::Postgres),
    ("postgres", SqlDialect::Postgres),
    ("sqlite", SqlDialect::Sqlite),
    ("transactsql", SqlDialect::MsSql),
    ("mssql", SqlDialect::MsSql),
    ("bigquery", SqlDialect::BigQuery),
    ("snowflake", SqlDialect::Snowflake),
    ("redshift", SqlDialect::Redshift),
    ("hive", SqlDialect::Hive),
    ("athena", SqlDialect::Hive),
];

/// What a file gives a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'n> {
    /// The kind as the file writes it.
    pub name: &'n str,
    /// Where it stands.
    pub at: Location,
    /// Its value; a mapping that holds the kind's own keys counts as one.
    pub value: Option<&'n Node>,
    /// The mapping with the kind's own keys.
    pub own: Option<&'n Node>,
    /// The largest number that passes, where it is said apart from the value.
    pub limit: Option<&'n Node>,
}

impl<'n> Given<'n> {
    /// A key of its own in either spelling.
    fn own(&self, names: [&str; 2]) -> Option<&'n Node> {
        names.iter().find_map(|name| self.own?.get(name))
    }

    /// The value, which has to be there.
    fn value(&self, reader: &mut Reader<'_>) -> Option<&'n Node> {
        if self.value.is_none() {
            let (name, at) = (self.name, self.at);
            reader.error("invalid-evaluator", at, format!("`{name}` needs a value"), format!("give `{name}` a value"));
        }
        self.value
    }
}

/// Reads a value.
pub(super) fn read(reader: &mut Reader<'_>, kind: Kind, given: &Given<'_>) -> Option<CheckSpec> {
    let list = |texts, all, any_case| CheckSpec::ContainsList { texts, all, any_case };
    Some(match kind {
        Kind::Equals => equals(reader, given)?,
        Kind::Contains => CheckSpec::Contains(text(reader, given)?),
        Kind::Icontains => CheckSpec::Icontains(text(reader, given)?),
        Kind::ContainsAll => list(texts(reader, given)?, true, false),
        Kind::ContainsAny => list(texts(reader, given)?, false, false),
        Kind::IcontainsAll => list(texts(reader, given)?, true, true),
        Kind::IcontainsAny => list(texts(reader, given)?, false, true),
        Kind::StartsWith => CheckSpec::StartsWith(text(reader, given)?),
        Kind::EndsWith => CheckSpec::EndsWith(text(reader, given)?),
        Kind::Regex => CheckSpec::Regex(text(reader, given)?),
        Kind::IsJson => schema(reader, given)?.map_or(CheckSpec::IsJson, CheckSpec::JsonSchema),
        Kind::ContainsJson => CheckSpec::ContainsJson(schema(reader, given)?),
        Kind::JsonSchema => match schema(reader, given)? {
            Some(schema) => CheckSpec::JsonSchema(schema),
            None => {
                given.value(reader)?;
                return None;
            }
        },
        Kind::IsXml => xml(reader, Extent::Whole, given)?,
        Kind::ContainsXml => xml(reader, Extent::Part, given)?,
        Kind::IsSql => sql(reader, Extent::Whole, given)?,
        Kind::ContainsSql => sql(reader, Extent::Part, given)?,
        Kind::WordCount => word_count(reader, given)?,
        Kind::Levenshtein => levenshtein(reader, given)?,
        Kind::Bleu => likeness(reader, Likeness::Bleu, given)?,
        Kind::Gleu => likeness(reader, Likeness::Gleu, given)?,
        Kind::RougeN => likeness(reader, Likeness::RougeN, given)?,
        Kind::Meteor => likeness(reader, Likeness::Meteor, given)?,
        Kind::LexicalSimilarity => likeness(reader, Likeness::Lexical, given)?,
        Kind::FinishReason => CheckSpec::FinishReason(text(reader, given)?),
        Kind::Cost => CheckSpec::Cost(limit(reader, given, "a cost in USD")?),
        Kind::Latency => CheckSpec::Latency(limit(reader, given, "a time in milliseconds")?),
        Kind::ToolCallF1 => CheckSpec::ToolCallF1(texts(reader, given)?),
        Kind::SensitiveData => sensitive_data(reader, given)?,
        Kind::BannedPhrases => banned_phrases(reader, given)?,
        Kind::IsHtml | Kind::ContainsHtml | Kind::IsRefusal | Kind::FunctionCall | Kind::ToolCalls => {
            nothing(reader, given)?;
            match kind {
                Kind::IsHtml => CheckSpec::Html(Extent::Whole),
                Kind::ContainsHtml => CheckSpec::Html(Extent::Part),
                Kind::IsRefusal => CheckSpec::IsRefusal,
                Kind::FunctionCall => CheckSpec::FunctionCall,
                _ => CheckSpec::ToolCalls,
            }
        }
    })
}

/// A text that is not empty and names no file.
fn text(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<String> {
    let node = given.value(reader)?;
    text_of(reader, given.name, node)
}

fn text_of(reader: &mut Reader<'_>, name: &str, node: &Node) -> Option<String> {
    let text = reader.text(node, name)?;
    if text.is_empty() {
        let message = format!("`{name}` is empty, so every answer has it");
        reader.error("invalid-evaluator", node.at, message, "give it a text");
        return None;
    }
    Some(text)
}

/// A list, or a text with commas.
fn texts(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<Texts> {
    let node = given.value(reader)?;
    match &node.kind {
        node::Kind::List(items) if items.is_empty() => {
            reader.error("invalid-evaluator", node.at, format!("`{}` is empty", given.name), "give it a text");
            None
        }
        node::Kind::List(items) => {
            let items = items.iter().map(|item| text_of(reader, given.name, item));
            items.collect::<Option<_>>().map(Texts::List)
        }
        _ => text_of(reader, given.name, node).map(Texts::Commas),
    }
}

fn equals(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<CheckSpec> {
    let Some(node) = given.value else { return Some(CheckSpec::Equals(None)) };
    let wanted = match node.kind {
        node::Kind::List(_) | node::Kind::Map(_) => node.to_value(),
        _ => reader.text(node, given.name)?.into(),
    };
    Some(CheckSpec::Equals(Some(wanted)))
}

/// A schema as a mapping, or as a text that holds one. `None` within: no schema is given.
#[expect(clippy::option_option, reason = "an error of the file, no schema, and a schema are three things")]
fn schema(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<Option<Value>> {
    let node = given.own(["schema", "schema"]).or(given.value);
    let Some(node) = node else { return Some(None) };
    match &node.kind {
        node::Kind::Null => Some(None),
        node::Kind::Flag(true) if given.name.replace('-', "_") != "json_schema" => Some(None),
        node::Kind::Map(entries) if entries.is_empty() && given.name.replace('-', "_") != "json_schema" => Some(None),
        node::Kind::Map(_) | node::Kind::Flag(_) => Some(Some(node.to_value())),
        node::Kind::Text(text) => match serde_json::from_str::<Value>(text) {
            Ok(schema) => Some(Some(schema)),
            Err(error) => {
                let message = format!("`{}` holds no JSON Schema: {error}", given.name);
                reader.error("invalid-evaluator", node.at, message, "write the schema as a mapping or as JSON");
                None
            }
        },
        _ => {
            let message = format!("`{}` must be a mapping, found {}", given.name, node.kind_name());
            reader.error("wrong-type", node.at, message, "write the schema itself here");
            None
        }
    }
}

fn xml(reader: &mut Reader<'_>, extent: Extent, given: &Given<'_>) -> Option<CheckSpec> {
    let node = given.own(["required_elements", "requiredElements"]).or(given.value);
    let required = match node.map(|node| (&node.kind, node)) {
        None | Some((node::Kind::Null | node::Kind::Flag(true) | node::Kind::Map(_), _)) => Vec::new(),
        Some((node::Kind::List(_), node)) => reader.texts(node, given.name)?,
        Some((_, node)) => reader.words(node, given.name)?.split(',').map(|path| path.trim().to_owned()).collect(),
    };
    Some(CheckSpec::Xml { extent, required })
}

fn sql(reader: &mut Reader<'_>, extent: Extent, given: &Given<'_>) -> Option<CheckSpec> {
    if let Some(node) = given.value.filter(|node| !is_set(node) && !matches!(node.kind, node::Kind::Map(_))) {
        let message = format!("`{}` takes a mapping, found {}", given.name, node.kind_name());
        reader.error("wrong-type", node.at, message, "write `{ database_type: postgresql, allowed_tables: [orders] }`");
        return None;
    }
    let dialect = match given.own(["database_type", "databaseType"]) {
        None => SqlDialect::MySql,
        Some(node) => {
            let name = reader.words(node, "database_type")?;
            let plain = name.to_lowercase().replace(['_', '-', ' '], "");
            let found = DATABASES.iter().find(|(known, _)| *known == plain);
            if found.is_none() {
                let known = DATABASES.map(|(name, _)| name);
                let message = format!("`{name}` is no database that `{}` can read", given.name);
                reader.error("unknown-value", node.at, message, suggestion(&plain, &known));
            }
            found?.1
        }
    };
    let tables = match given.own(["allowed_tables", "allowedTables"]) {
        None => None,
        Some(node) => Some(reader.texts(node, "allowed_tables")?),
    };
    Some(CheckSpec::Sql { extent, dialect, tables })
}

fn word_count(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<CheckSpec> {
    let node = given.value(reader)?;
    let node::Kind::Map(_) = node.kind else {
        let words = whole(reader, node, given.name)?;
        return Some(CheckSpec::WordCount { min: Some(words), max: Some(words) });
    };
    let mut bound = |name| match node.get(name) {
        Some(node) => reader.whole(node, name, 0, u64::MAX).map(Some),
        None => Some(None),
    };
    let (min, max) = (bound("min")?, bound("max")?);
    let problem = match (min, max) {
        (None, None) => "has neither `min` nor `max`",
        (Some(min), Some(max)) if min > max => "has a `min` above its `max`",
        _ => return Some(CheckSpec::WordCount { min, max }),
    };
    let message = format!("`{}` {problem}", given.name);
    reader.error("invalid-evaluator", node.at, message, "write a number, or `{ min: 5, max: 20 }`");
    None
}

/// A whole number, or a text that is one, as a CSV field gives it.
fn whole(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<u64> {
    let written = match &node.kind {
        node::Kind::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    written.or_else(|| reader.whole(node, name, 0, u64::MAX))
}

/// A number alone is the largest distance to the case's `expected`.
fn levenshtein(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<CheckSpec> {
    if let (Some(node), None) = (given.value.filter(|node| matches!(node.kind, node::Kind::Number(_))), given.limit) {
        return Some(CheckSpec::Levenshtein { to: None, max: reader.whole(node, given.name, 0, u64::MAX)? });
    }
    let to = match given.value.filter(|node| !matches!(node.kind, node::Kind::Map(_))) {
        Some(node) => Some(reader.text(node, given.name)?),
        None => None,
    };
    let max = match given.own(["max", "max"]).or(given.limit) {
        // promptfoo's limit need not be whole; no distance lies between it and the next lower whole number.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be at least 0")]
        Some(node) => reader.number(node, "max", 0.0, f64::INFINITY)?.floor() as u64,
        None => DISTANCE,
    };
    Some(CheckSpec::Levenshtein { to, max })
}

/// A text or a list of texts, the nearest of which counts.
fn likeness(reader: &mut Reader<'_>, measure: Likeness, given: &Given<'_>) -> Option<CheckSpec> {
    let to = match given.value.map(|node| (&node.kind, node)) {
        None => Vec::new(),
        Some((node::Kind::List(_), node)) => reader.texts(node, given.name)?,
        Some((node::Kind::Number(number), node)) => {
            let message = format!("`{}` takes the text to be like, found the number {number}", given.name);
            let help = format!("write `{}: {{ threshold: {number} }}` to compare with `expected`", given.name);
            reader.error("wrong-type", node.at, message, help);
            return None;
        }
        Some((_, node)) => vec![reader.words(node, given.name)?],
    };
    Some(CheckSpec::Likeness { measure, to })
}

/// The largest number that passes.
fn limit(reader: &mut Reader<'_>, given: &Given<'_>, what: &str) -> Option<f64> {
    let number = given.value.filter(|node| matches!(node.kind, node::Kind::Number(_)));
    let Some(node) = given.limit.or(given.own(["max", "max"])).or(number) else {
        let message = format!("`{}` has no limit", given.name);
        reader.error("invalid-evaluator", given.at, message, format!("give it {what} as the most that passes"));
        return None;
    };
    reader.number(node, given.name, 0.0, f64::INFINITY)
}

fn sensitive_data(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<CheckSpec> {
    let Some(node) = given.own(["allow", "allow"]) else {
        if let Some(node) = given.value.filter(|node| !is_set(node)) {
            let message = format!("`{}` takes a mapping, found {}", given.name, node.kind_name());
            reader.error("wrong-type", node.at, message, "write `sensitive_data` alone, or `{ allow: [email] }`");
            return None;
        }
        return Some(CheckSpec::SensitiveData { allow: Vec::new() });
    };
    let mut allow = Vec::new();
    for item in reader.list(node, "allow")? {
        let name = reader.words(item, "allow")?;
        let Some((_, kind)) = SENSITIVE.iter().find(|(known, _)| *known == name) else {
            let message = format!("`{name}` is no kind of sensitive data");
            reader.error("unknown-value", item.at, message, suggestion(&name, &SENSITIVE.map(|(name, _)| name)));
            return None;
        };
        allow.push(*kind);
    }
    allow.sort_unstable();
    allow.dedup();
    Some(CheckSpec::SensitiveData { allow })
}

fn banned_phrases(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<CheckSpec> {
    let node = given.value(reader)?;
    let phrases = match node.kind {
        node::Kind::List(_) => reader.texts(node, given.name)?,
        _ => vec![reader.words(node, given.name)?],
    };
    if phrases.is_empty() {
        reader.error("invalid-evaluator", node.at, format!("`{}` is empty", given.name), "add a phrase");
        return None;
    }
    Some(CheckSpec::BannedPhrases(phrases))
}

/// A value that says no more than that the evaluator is wanted.
fn is_set(node: &Node) -> bool {
    matches!(node.kind, node::Kind::Null | node::Kind::Flag(true))
}

fn nothing(reader: &mut Reader<'_>, given: &Given<'_>) -> Option<()> {
    match given.value.filter(|node| !is_set(node)) {
        None => Some(()),
        Some(node) => {
            let message = format!("`{}` takes no value, found {}", given.name, node.kind_name());
            reader.error("wrong-type", node.at, message, "remove the value");
            None
        }
    }
}
