//! promptfoo's `prompts`: texts in the config, files of texts, chats as data. One entry may make several prompts.

use super::chat::{self, Text};
use super::refusal::{self, Refusal};
use super::settings::{self, Settings};
use super::shelf::{self, File, Shelf};
use super::{adopt, pointer};
use crate::domain::diagnostic::Location;
use crate::domain::golden::json_line;
use crate::domain::node::{Kind, Node};
use crate::domain::policy::Change;
use crate::domain::prompt::template::Template;
use crate::domain::prompt::{Message, Role};
use crate::domain::reader::{Reader, Unknown};

/// Most prompts of one config.
const MAX_PROMPTS: usize = 300;

/// One prompt, before it meets a provider.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What people call it, and what pairs it with its version on the other side.
    pub label: String,
    /// What filters may call it beside its label.
    pub id: Option<String>,
    pub messages: Vec<Message>,
    pub settings: Settings,
}

impl Source {
    /// What a config without prompts asks: what its tests give as `prompt`.
    pub fn passthrough() -> Self {
        let content = Template::parse("{{prompt}}");
        let messages = vec![Message { role: Role::User, content, location: None }];
        Self { label: "prompt 1".to_owned(), id: None, messages, settings: Settings::default() }
    }
}

/// What an entry says of the prompts it makes.
struct Entry<'n> {
    raw: &'n str,
    at: Location,
    label: Option<String>,
    id: Option<String>,
    settings: Settings,
}

/// Reads `prompts`.
pub(super) fn read(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, root: &Node, node: &Node) -> Vec<Source> {
    let mut found = Vec::new();
    match &node.kind {
        Kind::List(items) => {
            for item in items {
                if let Some(item) = pointer::follow(reader, root, item)
                    && let Some(entry) = entry(reader, shelf, item)
                {
                    add(reader, shelf, entry, &mut found);
                }
            }
        }
        // `prompts.txt: label`, as promptfoo's first versions had it.
        Kind::Map(entries) if node.get("raw").is_none() && node.get("id").is_none() => {
            for (key, value) in entries {
                let label = reader.words(value, &key.name);
                let entry = Entry { raw: &key.name, at: key.at, label, id: None, settings: Settings::default() };
                add(reader, shelf, entry, &mut found);
            }
        }
        _ => {
            if let Some(entry) = entry(reader, shelf, node) {
                add(reader, shelf, entry, &mut found);
            }
        }
    }
    if found.is_empty() && reader.errors() == 0 && !shelf.is_incomplete() {
        reader.error("no-prompts", node.at, "the config has no prompts", "add a text or a file to `prompts`");
    }
    if found.len() > MAX_PROMPTS {
        let message = format!("{} prompts, at most {MAX_PROMPTS} are read from one config", found.len());
        reader.error("too-many", node.at, message, "split the config");
        found.clear();
    }
    make_unique(&mut found);
    found
}

fn entry<'n>(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, item: &'n Node) -> Option<Entry<'n>> {
    match &item.kind {
        Kind::Text(raw) => Some(Entry { raw, at: item.at, label: None, id: None, settings: Settings::default() }),
        Kind::Map(_) => {
            let known = ["id", "label", "raw", "config", "display"];
            let fields = reader.fields(item, "a prompt", &known, Unknown::Warned)?;
            let Some(raw) = fields.get("raw").or(fields.get("id")) else {
                reader.error("missing-key", item.at, "a prompt needs `raw` or `id`", "add the text as `raw`");
                return None;
            };
            let Kind::Text(text) = &raw.kind else {
                reader.words(raw, "raw");
                return None;
            };
            let settings = match fields.get("config") {
                Some(node) => settings::read(reader, shelf, node)?,
                None => Settings::default(),
            };
            let label =
                fields.read(reader, "label", Reader::words).or_else(|| fields.read(reader, "display", Reader::words));
            let id = fields.read(reader, "id", Reader::words);
            Some(Entry { raw: text, at: raw.at, label, id, settings })
        }
        _ => {
            let message = format!("a prompt must be a text or a mapping, found {}", item.kind_name());
            reader.error("wrong-type", item.at, message, "write the text, or `file://` and a path");
            None
        }
    }
}

fn add(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, entry: Entry<'_>, found: &mut Vec<Source>) {
    if !is_path(entry.raw) {
        let text = Text { text: entry.raw, at: entry.at, is_own: true };
        if let Some(refused) = refusal::remote(entry.raw.trim()) {
            return refused.tell(reader, entry.at);
        }
        if let Some(messages) = chat::messages(reader, text) {
            let label = entry.label.unwrap_or_else(|| format!("prompt {}", found.len() + 1));
            found.push(Source { label, id: entry.id, messages, settings: entry.settings });
        }
        return;
    }
    let files = match shelf.find(shelf.config(), entry.raw, Change::Prompt) {
        Ok(files) => files,
        Err(refused) => return refused.tell(reader, entry.at),
    };
    let several = files.len() > 1;
    for file in files {
        let before = found.len();
        match of_file(reader, file) {
            Ok(all) => {
                let split = all.len() > 1;
                for (number, (messages, own_label)) in (1..).zip(all) {
                    let path = file.0.as_str();
                    let base = match &entry.label {
                        Some(label) if several => format!("{label}: {path}"),
                        Some(label) => label.clone(),
                        None => path.to_owned(),
                    };
                    let numbered = if split { format!("{base} #{number}") } else { base };
                    let label = own_label.unwrap_or(numbered);
                    found.push(Source { label, id: entry.id.clone(), messages, settings: entry.settings.clone() });
                }
            }
            Err(refused) => refused.tell(reader, entry.at),
        }
        if found.len() == before && reader.errors() == 0 {
            let message = format!("there is no prompt in `{}`", file.0);
            reader.error("no-prompts", entry.at, message, "write a prompt into the file");
        }
    }
}

/// Whether a prompt that is written as a text names a file, as promptfoo guesses it.
fn is_path(raw: &str) -> bool {
    if raw.starts_with("file://") || raw.starts_with("exec:") {
        return true;
    }
    let plain = !raw.contains(char::is_whitespace) && !raw.contains("{{");
    let known = ["txt", "md", "json", "jsonl", "yaml", "yml", "csv", "j2"];
    plain
        && (known.contains(&refusal::ending(raw)) || refusal::is_code(raw) || (raw.contains('*') && raw.contains('/')))
}

/// The messages of a prompt, and its label where its file gives one.
type Labelled = (Vec<Message>, Option<String>);

/// The prompts of a file. Findings in the file go to `reader`.
fn of_file(reader: &mut Reader<'_>, (path, bytes): File<'_>) -> Result<Vec<Labelled>, Refusal> {
    let source = match shelf::source(path, bytes) {
        Ok(source) => source,
        Err(finding) => {
            reader.push(*finding);
            return Ok(Vec::new());
        }
    };
    let whole = source.text;
    let mut within = Reader::new(source);
    let mut found = Vec::new();
    let text = |text, at| Text { text, at, is_own: false };
    match refusal::ending(path.as_str()) {
        "txt" => {
            for (chunk, line) in chunks(whole) {
                let at = Location { line, column: 1, length: 0 };
                found.extend(chat::messages(&mut within, text(chunk, at)).map(|messages| (messages, None)));
            }
        }
        "md" | "j2" => {
            found.extend(chat::messages(&mut within, text(whole, Location::START)).map(|messages| (messages, None)));
        }
        "json" | "yaml" | "yml" => match shelf::document(&within.source) {
            Ok(node) => found.extend(of_data(&mut within, &node).map(|messages| (messages, None))),
            Err(finding) => within.push(*finding),
        },
        "jsonl" => {
            for (number, line) in (1..).zip(whole.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                match json_line::parse(number, line) {
                    Ok(node) => found.extend(of_data(&mut within, &node).map(|messages| (messages, None))),
                    Err(error) => within.error(error.code, error.at, error.message, error.help),
                }
            }
        }
        "csv" => of_csv(&mut within, &mut found),
        _ => {
            let message = format!("`{path}` is in no form of prompts that is read");
            return Err(Refusal::new("unknown-format", message, "use .txt, .md, .json, .jsonl, .yaml or .csv"));
        }
    }
    adopt(reader, within);
    Ok(found)
}

fn of_data(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Message>> {
    let data = chat::of_data(node);
    if data.contains("\"file://") {
        let help = "write the text into the prompt file itself";
        reader.error("nested-file", node.at, "a prompt file names another file", help);
        return None;
    }
    chat::messages(reader, Text { text: &data, at: node.at, is_own: false })
}

/// The parts of a text between lines of `---`, each with its first line; empty ones left out.
fn chunks(text: &str) -> Vec<(&str, u32)> {
    let mut found = Vec::new();
    let (mut start, mut line, mut first) = (0, 1, 1);
    let mut offset = 0;
    for whole in text.split_inclusive('\n') {
        if whole.trim() == "---" {
            found.push((&text[start..offset], first));
            (start, first) = (offset + whole.len(), line + 1);
        }
        offset += whole.len();
        line += 1;
    }
    found.push((&text[start..], first));
    let trimmed = |(chunk, line): (&'_ str, u32)| -> (usize, u32) {
        let blank = chunk.len() - chunk.trim_start().len();
        let lines = chunk[..blank].matches('\n').count();
        (blank, line + u32::try_from(lines).unwrap_or(0))
    };
    found
        .into_iter()
        .filter(|(chunk, _)| !chunk.trim().is_empty())
        .map(|(chunk, line)| {
            let (blank, line) = trimmed((chunk, line));
            (chunk[blank..].trim_end(), line)
        })
        .collect()
}

/// The column `prompt`, and `label` where there is one.
fn of_csv(reader: &mut Reader<'_>, found: &mut Vec<Labelled>) {
    let mut records = ::csv::ReaderBuilder::new().from_reader(reader.source.text.as_bytes());
    let header = records.headers().cloned().unwrap_or_default();
    let column = |name: &str| header.iter().position(|column| column.trim() == name);
    let Some(prompt) = column("prompt") else {
        let help = "begin the file with a header `prompt` or `prompt,label`";
        return reader.error("missing-column", Location::START, "the file has no column `prompt`", help);
    };
    for record in records.records() {
        let line = |position: Option<&::csv::Position>| {
            let line = position.and_then(|position| u32::try_from(position.line()).ok()).unwrap_or(1);
            Location { line, column: 1, length: 0 }
        };
        match record {
            Ok(record) => {
                let text = record.get(prompt).unwrap_or_default().trim();
                if text.is_empty() {
                    continue;
                }
                let label =
                    column("label").and_then(|at| record.get(at)).map(str::trim).filter(|label| !label.is_empty());
                let at = line(record.position());
                let messages = chat::messages(reader, Text { text, at, is_own: false });
                found.extend(messages.map(|messages| (messages, label.map(str::to_owned))));
            }
            Err(error) => {
                let help = "give each row one field per column; quote fields that hold commas";
                reader.error("invalid-csv", line(error.position()), format!("invalid CSV: {error}"), help);
            }
        }
    }
}

/// Labels tell the prompts of a config apart, so a label that comes again gets a number.
fn make_unique(found: &mut [Source]) {
    let mut seen = std::collections::HashSet::new();
    for source in found {
        let mut label = source.label.clone();
        let mut number = 2;
        while !seen.insert(label.clone()) {
            label = format!("{} ({number})", source.label);
            number += 1;
        }
        source.label = label;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_file_is_split_at_lines_of_dashes() {
        assert_eq!(chunks("a\n---\n\nb {{x}}\nc\n --- \n\n---\n"), [("a", 1), ("b {{x}}\nc", 4)]);
        assert_eq!(chunks("a --- b\r\n---\r\nc"), [("a --- b", 1), ("c", 3)]);
        assert!(chunks("\n---\n").is_empty());
    }

    #[test]
    fn a_path_is_told_from_a_text() {
        for path in ["file://a", "prompts.txt", "a/b.json", "gen.py:run", "a/*", "exec:x"] {
            assert!(is_path(path), "{path}");
        }
        for text in ["Translate to French/Spanish: {{x}}", "Answer in notes.txt form", "{{body}}.txt", "5 * 4"] {
            assert!(!is_path(text), "{text}");
        }
    }
}
