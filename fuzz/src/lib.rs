//! What every importer must bear: any bytes, without a panic, in bounded time and memory.

use promptops::domain::golden;
use promptops::domain::ids::PromptPath;
use promptops::domain::prompt::{self, Attachments, Vars};
use serde_json::Value;

/// Reads the bytes as a prompt file of this name, fills it, and reads the cases within it.
pub fn prompt(name: &str, data: &[u8]) {
    let Ok(path) = PromptPath::parse(name) else { return };
    let _ = prompt::references(&path, data, &Attachments::default());
    let Ok(parsed) = prompt::parse_with(&path, data, &Attachments::default()) else { return };
    let prompt = parsed.value;
    let names = prompt.body.places().into_iter().map(|place| place.variable.to_owned());
    let vars: Vars = names.map(|name| (name, Value::from("{{name}} {% for %} system:\n"))).collect();
    let _ = (prompt.render(&vars), prompt.render(&Vars::new()), prompt.body.source(), prompt.body.lines());
    let _ = golden::inline(&prompt);
}

/// Reads the bytes as a golden set of this name.
pub fn golden(name: &str, data: &[u8]) {
    let (Ok(path), Ok(of)) = (PromptPath::parse(name), PromptPath::parse("p/a.prompt.yml")) else { return };
    let text = b"messages: [{role: user, content: 'Answer {{question}}'}]\n";
    let Ok(prompt) = prompt::parse(&of, text) else { return };
    let Ok(parsed) = golden::parse(&path, data, &prompt.value) else { return };
    let _ = golden::check_variables(&prompt.value, &parsed.value);
}
