//! Text from outside, and the only ways to show it: prompts, cases, answers, names, error messages. Knows no report and no
//! GitHub API; knows what GitHub makes of a comment.

mod secrets;
#[cfg(test)]
mod tests;
mod visible;

use std::borrow::Cow;

use serde_json::Value;

pub use secrets::{Secrets, token_spans, tokens_in};
pub use visible::thousands;
use visible::{cut, visible};

/// Text that somebody else wrote. It holds no secrets any more; each method shows it safely in one kind of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted<'a> {
    text: Cow<'a, str>,
}

impl<'a> Untrusted<'a> {
    /// Takes text from outside, and the secrets out of it.
    #[must_use]
    pub fn new(text: &'a str, secrets: &Secrets) -> Self {
        Self { text: secrets.redact(text) }
    }

    /// For machines (JSON and the like): the text as it is, secrets taken out.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.text
    }

    /// For machines: a value with the secrets taken out of every text and key in it.
    #[must_use]
    pub fn in_value(value: &Value, secrets: &Secrets) -> Value {
        let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
        match value {
            Value::String(text) => Value::String(clean(text)),
            Value::Array(items) => items.iter().map(|item| Self::in_value(item, secrets)).collect(),
            Value::Object(entries) => {
                Value::Object(entries.iter().map(|(key, item)| (clean(key), Self::in_value(item, secrets))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// One plain line, for check titles, annotations and terminals. Line ends show as `↵`.
    #[must_use]
    pub fn line(&self, limit: usize) -> String {
        cut(&calm_workflow_commands(&one_line(&self.text)), limit)
    }

    /// Plain lines, for terminals and logs.
    #[must_use]
    pub fn lines(&self, limit: usize) -> String {
        calm_workflow_commands(&cut(&visible(&self.text), limit))
    }

    /// A Markdown block of code. Every line is set in by a space, so that no line is a command for another bot.
    #[must_use]
    pub fn fence(&self, limit: usize) -> String {
        let shown = cut(&visible(&self.text), limit);
        fence("text", shown.lines().map(|line| format!(" {line}")))
    }

    /// Markdown inline code on one line.
    #[must_use]
    pub fn code(&self, limit: usize) -> String {
        code_span(&cut(&one_line(&self.text), limit))
    }

    /// Markdown inline code for a cell of a table.
    #[must_use]
    pub fn cell(&self, limit: usize) -> String {
        // Parsers disagree on a back-slash before an escaped pipe, so a pipe after one shows as a broken bar.
        code_span(&cut(&one_line(&self.text), limit).replace("\\|", "\\¦")).replace('|', "\\|")
    }

    /// Markdown prose on one line: plain words as they are, all that GitHub or Markdown could act on as inline code. What stands
    /// between two back-ticks is code already.
    #[must_use]
    pub fn prose(&self, limit: usize) -> String {
        let line = cut(&one_line(&self.text), limit);
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut shown: Vec<String> = Vec::new();
        let mut place = 0;
        while let Some(word) = words.get(place) {
            let (text, taken) = match quoted(&words[place..]) {
                Some(quoted) => quoted,
                None if is_plain(word, place == 0) => ((*word).to_owned(), 1),
                None => (code_word(word), 1),
            };
            shown.push(text);
            place += taken;
        }
        shown.join(" ")
    }

    /// Markdown prose for a cell of a table.
    #[must_use]
    pub fn prose_cell(&self, limit: usize) -> String {
        self.prose(limit).replace("\\|", "\\¦").replace('|', "\\|")
    }

    /// HTML code for the `<summary>` of a fold, where Markdown is not read.
    #[must_use]
    pub fn summary(&self, limit: usize) -> String {
        let line = cut(&one_line(&self.text), limit);
        let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        format!("<code>{escaped}</code>")
    }
}

/// A Markdown fence around lines that are visible already; longer than any run of back-ticks inside.
#[must_use]
pub(super) fn fence(language: &'static str, lines: impl IntoIterator<Item = String>) -> String {
    let body: Vec<String> = lines.into_iter().flat_map(|line| folded(&line)).collect();
    let ticks = "`".repeat(body.iter().map(|line| longest_ticks(line)).max().unwrap_or(0).max(2) + 1);
    format!("{ticks}{language}\n{}\n{ticks}\n", body.join("\n"))
}

/// Columns after which a line in a fence goes on in the next: GitHub does not fold code, and nobody scrolls sideways.
const FENCE_COLUMNS: usize = 72;

/// A long line as several, broken at spaces; later ones begin with the same mark and are set in.
fn folded(line: &str) -> Vec<String> {
    let mark: String = line.chars().take(1).collect();
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let length = word.chars().count();
        if used > 3 && used + word.trim_end().chars().count() > FENCE_COLUMNS {
            lines.push(format!("{mark}  "));
            used = 3;
        }
        used += length;
        if let Some(last) = lines.last_mut() {
            last.push_str(word);
        }
    }
    let cut = lines.len().saturating_sub(1);
    lines.iter_mut().take(cut).for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

fn one_line(text: &str) -> String {
    visible(text.trim()).replace('\n', " ↵ ").replace('\t', " ")
}

fn longest_ticks(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

fn code_span(line: &str) -> String {
    let ticks = "`".repeat(longest_ticks(line) + 1);
    // An empty span is no code at all, and a back-tick at an end would join the fence.
    if line.trim().is_empty() {
        "` `".to_owned()
    } else if line.starts_with('`') || line.ends_with('`') {
        format!("{ticks} {line} {ticks}")
    } else {
        format!("{ticks}{line}{ticks}")
    }
}

/// A word as code; brackets around it and a sentence's punctuation after it stay outside.
fn code_word(word: &str) -> String {
    let opening = word.len() - word.trim_start_matches('(').len();
    let core = word[opening..].trim_end_matches(['.', ',', ';', ':']);
    let core = if core.contains('(') { core } else { core.trim_end_matches(')') };
    if core.is_empty() || opens_a_block(word) {
        return code_span(word);
    }
    let (before, after) = (&word[..opening], &word[opening + core.len()..]);
    format!("{before}{}{after}", code_span(core))
}

/// Words that begin with a phrase between two back-ticks, as code, and how many words it is.
fn quoted(words: &[&str]) -> Option<(String, usize)> {
    let opening = words.first()?.trim_start_matches('(');
    opening.strip_prefix('`')?;
    let mut phrase = String::new();
    for (place, word) in words.iter().take(QUOTED_WORDS).enumerate() {
        if place > 0 {
            phrase.push(' ');
        }
        phrase.push_str(word);
        match phrase.matches('`').count() {
            1 => {}
            2 => {
                let (before, rest) = phrase.split_once('`')?;
                let (inner, after) = rest.split_once('`')?;
                let ends = after.chars().all(|c| ".,;:)".contains(c)) && !inner.trim().is_empty();
                return ends.then(|| (format!("{before}{}{after}", code_span(inner)), place + 1));
            }
            _ => return None,
        }
    }
    None
}

/// Longer phrases between back-ticks are code word by word.
const QUOTED_WORDS: usize = 12;

/// Whether neither Markdown nor GitHub reads anything but text in `word`: no mention, reference, commit id, link, emoji name.
fn is_plain(word: &str, opens_the_line: bool) -> bool {
    let harmless = |c: char| c.is_alphanumeric() || !c.is_ascii() || ".,;:!?'\"()%+=-".contains(c);
    let commit_id = word
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| part.len() >= 7 && part.bytes().all(|b| b.is_ascii_hexdigit()));
    // `GH-12`, and the ticket numbers a repository may link.
    let ticket = word
        .as_bytes()
        .windows(3)
        .any(|three| three[0].is_ascii_alphabetic() && three[1] == b'-' && three[2].is_ascii_digit());
    let link = word.contains("://") || word.to_ascii_lowercase().contains("www.");
    let acts = commit_id || ticket || link || word.starts_with(':');
    word.chars().all(harmless) && !acts && !(opens_the_line && opens_a_block(word))
}

/// Whether `word` at the start of a line begins a list or underlines a heading.
fn opens_a_block(word: &str) -> bool {
    let numbered = word.strip_suffix(['.', ')']).is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()));
    numbered || word.starts_with(['-', '+', '='])
}

/// The runner of GitHub Actions obeys lines that begin with `::`, and `##[` anywhere.
fn calm_workflow_commands(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let start = line.len() - line.trim_start().len();
            if line[start..].starts_with("::") {
                format!("{}: {}", &line[..start], &line[start + 1..])
            } else {
                line.to_owned()
            }
        })
        .collect();
    lines.join("\n").replace("##[", "## [")
}
