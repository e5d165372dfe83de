//! What every importer must bear: any bytes, without a panic, in bounded time and memory.

use std::sync::Arc;

use promptops::domain::ids::PromptPath;
use promptops::domain::prompt::{self, Attachments, Prompt, Reference, Vars};
use promptops::domain::{golden, promptfoo as configs, settings as files_of_settings};
use serde_json::Value;

/// How often a file may ask for more files. Who asks for ever is cut off here as in the application.
const ROUNDS: usize = 4;

/// Reads the bytes as a prompt file of this name, alone and with the files it names, fills it, and reads its cases.
pub fn prompt(name: &str, data: &[u8]) {
    let Ok(path) = PromptPath::parse(name) else { return };
    for attached in [Attachments::unknown(), found(&path, data)] {
        let Ok(parsed) = prompt::parse_with(&path, data, &attached) else { continue };
        fill(&parsed.value);
        let _ = golden::inline(&parsed.value);
    }
}

/// Reads the bytes as a golden set of this name.
pub fn golden(name: &str, data: &[u8]) {
    let (Ok(path), Ok(of)) = (PromptPath::parse(name), PromptPath::parse("p/a.prompt.yml")) else { return };
    let text = b"messages: [{role: user, content: 'Answer {{question}}'}]\n";
    let Ok(prompt) = prompt::parse(&of, text) else { return };
    let Ok(parsed) = golden::parse(&path, data, &prompt.value) else { return };
    let _ = golden::check_variables(&prompt.value, &parsed.value);
}

/// Reads the bytes as a promptfoo config of this name, alone and with the files it names, and fills its prompts.
pub fn promptfoo(name: &str, data: &[u8]) {
    let Ok(path) = PromptPath::parse(name) else { return };
    let _ = configs::looks_like(&path, data);
    let found = found(&path, data);
    let _ = configs::attached_changes(&path, data, &found);
    for attached in [Attachments::unknown(), found] {
        let Ok(parsed) = configs::parse(&path, data, &attached) else { continue };
        for (prompt, cases) in parsed.value {
            fill(&prompt);
            let _ = golden::check_variables(&prompt, &cases);
        }
    }
}

/// Reads the bytes as a settings file of this name.
pub fn settings(name: &str, data: &[u8]) {
    let Ok(path) = PromptPath::parse(name) else { return };
    let _ = files_of_settings::parse(&path, data);
}

/// Fills every place with text that looks like a template, then none of them.
fn fill(prompt: &Prompt) {
    let names = prompt.body.places().into_iter().map(|place| place.variable.to_owned());
    let vars: Vars = names.map(|name| (name, Value::from("{{name}} {% for %} system:\n"))).collect();
    let _ = (prompt.render(&vars), prompt.render(&Vars::new()), prompt.body.source(), prompt.body.lines());
}

/// Every file that is asked for is there, and says the same: the worst of cycles.
fn found(path: &PromptPath, data: &[u8]) -> Attachments {
    let (mut attached, bytes) = (Attachments::default(), Arc::<[u8]>::from(data));
    for _ in 0..ROUNDS {
        let missing = prompt::references(path, data, &attached);
        if missing.is_empty() {
            break;
        }
        for reference in missing {
            let file = match &reference {
                Reference::File(file) => Some(file.clone()),
                Reference::Glob(glob) => PromptPath::parse(&glob.replace(['*', '?'], "a")).ok(),
            };
            attached.insert(reference, file.map(|file| (file, Arc::clone(&bytes))).into_iter().collect());
        }
    }
    attached
}
