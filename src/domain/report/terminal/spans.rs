//! Pieces of a line and how they are folded to a width. Knows columns of a terminal, no Markdown.

use unicode_width::UnicodeWidthStr;

use crate::domain::report::text::Style;
use crate::domain::untrusted::{Secrets, Untrusted};

/// What a piece of text is; how it looks is decided where it is painted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ink {
    /// Plain words.
    #[default]
    Plain,
    /// Words that stand out.
    Strong,
    /// A name, a command, a path.
    Code,
    /// What matters less.
    Dim,
    /// Bad news, and what was taken out.
    Bad,
    /// Good news, and what was put in.
    Good,
    /// What a person has to look at.
    Warn,
}

impl Ink {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Code => Some("36"),
            Self::Dim => Some("2"),
            Self::Bad => Some("31"),
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
        }
    }
}

/// Text of one look, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text; nothing in it moves a cursor.
    pub text: String,
    /// Its look.
    pub ink: Ink,
}

impl Span {
    /// Text from anywhere: whatever a terminal could obey is shown instead.
    pub fn new(text: &str, ink: Ink) -> Self {
        let shown = Untrusted::new(text, &Secrets::default()).lines(usize::MAX);
        Self { text: shown.replace('\t', "    ").replace('\n', " "), ink }
    }
}

/// Columns that a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Columns that some pieces take.
pub fn columns_of(spans: &[Span]) -> usize {
    spans.iter().map(|span| columns(&span.text)).sum()
}

/// The pieces with their colours; neighbours of one look are painted at once.
pub fn painted(spans: &[Span], style: Style) -> String {
    let mut shown = String::new();
    for run in spans.chunk_by(|one, next| one.ink == next.ink) {
        let text: String = run.iter().map(|span| span.text.as_str()).collect();
        match run.first().and_then(|span| span.ink.code()) {
            Some(code) if !text.is_empty() => shown.push_str(&style.paint(code, &text)),
            _ => shown.push_str(&text),
        }
    }
    shown
}

/// Prose in lines of at most `room` columns, broken between words where there are any. Spaces are as wide as one.
pub fn fold(spans: &[Span], room: usize) -> Vec<Vec<Span>> {
    let room = room.max(2);
    let mut lines: Vec<Vec<Span>> = Vec::new();
    let mut line: Vec<Span> = Vec::new();
    let mut used = 0;
    for word in words(spans) {
        let needed = columns_of(&word);
        if used > 0 && used + 1 + needed > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            let same = line.last().zip(word.first()).filter(|(before, after)| before.ink == after.ink);
            let ink = same.map_or(Ink::Plain, |(before, _)| before.ink);
            line.push(Span { text: " ".to_owned(), ink });
            used += 1;
        }
        for piece in word {
            for (place, part) in cut(&piece.text, room.saturating_sub(used), room).into_iter().enumerate() {
                if place > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                used += columns(&part);
                line.push(Span { text: part, ink: piece.ink });
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words, each of one piece or several.
fn words(spans: &[Span]) -> Vec<Vec<Span>> {
    let mut words: Vec<Vec<Span>> = Vec::new();
    let mut word: Vec<Span> = Vec::new();
    for span in spans {
        for (place, part) in span.text.split(' ').enumerate() {
            if place > 0 && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if !part.is_empty() {
                word.push(Span { text: part.to_owned(), ink: span.ink });
            }
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A word in parts: the first has `first` columns left, perhaps none, later ones `room`.
fn cut(word: &str, first: usize, room: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut left = first;
    for character in word.chars() {
        let Some(part) = parts.last_mut() else { break };
        part.push(character);
        if columns(part) > left {
            part.pop();
            parts.push(character.to_string());
            left = room;
        }
    }
    parts
}

/// A line of code or of a text in lines of at most `room` columns; its spaces stay, later lines begin with `follow`.
pub fn fold_code(line: &str, room: usize, follow: &str) -> Vec<String> {
    let behind = columns(follow);
    let room = room.max(behind + 2);
    let mut lines: Vec<String> = Vec::new();
    let mut last = String::new();
    for token in line.split_inclusive(' ') {
        let word = token.trim_end_matches(' ');
        let start = if lines.is_empty() { 0 } else { behind };
        if columns(&last) > start && columns(&last) + columns(word) > room {
            lines.push(std::mem::replace(&mut last, follow.to_owned()));
        }
        let left = room.saturating_sub(columns(&last));
        for (place, part) in cut(word, left, room - behind).into_iter().enumerate() {
            if place > 0 {
                lines.push(std::mem::replace(&mut last, follow.to_owned()));
            }
            last.push_str(&part);
        }
        // A space that ends a line is not shown, so it may stand behind the last column.
        last.push_str(&token[word.len()..]);
    }
    lines.push(last);
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, room: usize, expected: &[&str]) {
        let lines = fold(&[Span::new(text, Ink::Plain)], room);
        let lines: Vec<String> = lines.iter().map(|line| painted(line, Style { colour: false })).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn prose_breaks_between_words_and_long_words_anywhere() {
        check("one two three", 7, &["one two", "three"]);
        check("abcdefghij k", 4, &["abcd", "efgh", "ij k"]);
        check("", 10, &[]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_marks_none() {
        check("日本語です ok", 6, &["日本語", "です", "ok"]);
        check("e\u{301}e\u{301}e\u{301} x", 3, &["e\u{301}e\u{301}e\u{301}", "x"]);
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        check("a\u{1b}[31mb", 40, &["a⟨U+001B⟩[31mb"]);
    }

    #[test]
    fn code_keeps_its_spaces_and_follows_set_in() {
        assert_eq!(fold_code("+one  two three", 9, "  "), ["+one  two", "  three"]);
        assert_eq!(fold_code("", 9, "  "), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_room(text in "(日|é|a|b| |👩‍🔬|☁️|e\u{301}|\\t){0,60}", room in 4usize..40) {
            for line in fold(&[Span::new(&text, Ink::Plain), Span::new(&text, Ink::Code)], room) {
                let text: String = line.iter().map(|span| span.text.as_str()).collect();
                prop_assert!(columns(&text) <= room, "{text:?}");
            }
            for line in fold_code(&Span::new(&text, Ink::Plain).text, room, "  ") {
                prop_assert!(columns(&line) <= room, "{line:?}");
            }
        }
    }
}
