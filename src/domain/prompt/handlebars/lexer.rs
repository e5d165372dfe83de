//! A template's text to texts and tags, and a tag's inside to words. Knows no helper and no nesting.

use serde_json::{Number, Value};

use super::SyntaxError;
use super::cursor::Cursor;
use crate::domain::diagnostic::Location;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Text(String),
    Tag(Tag),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tag {
    pub(super) kind: TagKind,
    pub(super) words: Vec<Word>,
    /// `{{~` and `~}}`: blanks on that side go.
    pub(super) strip: (bool, bool),
    /// What stands before a partial that has its line for itself; set later.
    pub(super) indent: String,
    pub(super) at: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    Comment,
    /// `{{a}}`, `{{{a}}}`, `{{&a}}`: one and the same, as nothing is escaped.
    Value,
    /// `{{#a}}`.
    Open,
    /// `{{^a}}`, and `{{^}}` without words.
    Inverse,
    /// `{{else}}`, `{{else if a}}`.
    Else,
    /// `{{/a}}`.
    Close,
    /// `{{> a}}`.
    Partial,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) kind: WordKind,
    pub(super) at: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum WordKind {
    /// A name; `[any thing]` is one too.
    Name(Box<str>),
    Up,
    Here,
    /// `.` or `/` between two names.
    Separator(char),
    Literal(Value),
    Undefined,
    Open,
    Close,
    Equals,
    At,
    /// `as |a b|`.
    As(Vec<Box<str>>),
}

/// Texts and tags in order.
pub(super) fn tokens(text: &str, start: Location) -> Result<Vec<Token>, SyntaxError> {
    let mut cursor = Cursor::new(text, start);
    let mut tokens = Vec::new();
    let mut literal = String::new();
    while let Some(open) = cursor.rest.find("{{") {
        let before = cursor.skip(open);
        if let Some(before) = before.strip_suffix('\\') {
            literal.push_str(before);
            if !before.ends_with('\\') {
                literal.push_str(escaped(&mut cursor));
                continue;
            }
        } else {
            literal.push_str(before);
        }
        if !literal.is_empty() {
            tokens.push(Token::Text(std::mem::take(&mut literal)));
        }
        tokens.push(Token::Tag(tag(&mut cursor)?));
    }
    literal.push_str(cursor.rest);
    if !literal.is_empty() {
        tokens.push(Token::Text(literal));
    }
    Ok(tokens)
}

/// What `\{{` makes text: all up to the next tag, whose own backslashes are left to it.
fn escaped<'t>(cursor: &mut Cursor<'t>) -> &'t str {
    let next = cursor.rest.get(2..).and_then(|rest| rest.find("{{")).map(|next| next + 2);
    let mut end = next.unwrap_or(cursor.rest.len());
    for _ in 0..2 {
        if next.is_some() && end > 2 && cursor.rest[..end].ends_with('\\') {
            end -= 1;
        }
    }
    cursor.skip(end)
}

fn tag(cursor: &mut Cursor<'_>) -> Result<Tag, SyntaxError> {
    let start = *cursor;
    let at = start.at(2);
    let refuse = |what: &str, help: &str| Err(SyntaxError::new(at, format!("{what} are not supported"), help));
    cursor.skip(2);
    if cursor.rest.starts_with("{{") {
        return refuse("raw blocks (`{{{{`)", "write `\\{{` to show braces");
    }
    let left = eat(cursor, "~");
    if cursor.rest.starts_with('!') {
        return comment(cursor, left, at);
    }
    let kind = match cursor.rest {
        rest if rest.starts_with("#>") => {
            return refuse("partial blocks (`{{#> …}}`)", "include the partial with {{> name}}");
        }
        rest if rest.starts_with("#*") || rest.starts_with('*') => {
            return refuse("decorators and inline partials", "put the text into a file of its own, `_name.prompt`");
        }
        rest if rest.starts_with('#') => TagKind::Open,
        rest if rest.starts_with('/') => TagKind::Close,
        rest if rest.starts_with('^') => TagKind::Inverse,
        rest if rest.starts_with('>') => TagKind::Partial,
        rest if is_else(rest) => TagKind::Else,
        _ => TagKind::Value,
    };
    let mut triple = false;
    match kind {
        TagKind::Value => {
            triple = eat(cursor, "{");
            if !triple {
                eat(cursor, "&");
            }
        }
        TagKind::Else => {
            cursor.skip_blank();
            cursor.skip("else".len());
        }
        _ => {
            cursor.skip(1);
        }
    }
    let mut words = Vec::new();
    let right = loop {
        cursor.skip_blank();
        if let Some(right) = close(cursor, triple) {
            break right;
        }
        if cursor.rest.is_empty() || cursor.rest.starts_with("{{") {
            let closing = if triple { "}}}" } else { "}}" };
            return Err(SyntaxError::new(at, "the tag is not closed", format!("add `{closing}`")));
        }
        words.push(word(cursor)?);
    };
    Ok(Tag { kind, words, strip: (left, right), indent: String::new(), at: covering(at, start.rest, cursor.rest) })
}

/// The place of a tag, as long as the tag is where it stands on one line.
fn covering(at: Location, from: &str, to: &str) -> Location {
    let tag = &from[..from.len() - to.len()];
    let length = if tag.contains('\n') { 2 } else { tag.chars().count() };
    Location { length: u32::try_from(length).unwrap_or(2), ..at }
}

fn is_else(rest: &str) -> bool {
    let after = rest.trim_start().strip_prefix("else");
    after.is_some_and(|after| after.starts_with(|c: char| c.is_whitespace() || matches!(c, '~' | '}')))
}

fn comment(cursor: &mut Cursor<'_>, left: bool, at: Location) -> Result<Tag, SyntaxError> {
    let long = cursor.rest.starts_with("!--");
    let found = if long {
        let ends = ["--}}", "--~}}"].map(|end| cursor.rest.get(3..).and_then(|rest| rest.find(end)).map(|n| n + 3));
        match ends {
            [Some(plain), Some(strip)] if strip < plain => Some((strip, "--~}}")),
            [None, Some(strip)] => Some((strip, "--~}}")),
            [Some(plain), _] => Some((plain, "--}}")),
            [None, None] => None,
        }
    } else {
        cursor.rest.find("}}").map(|end| (end, "}}"))
    };
    let Some((end, closing)) = found else {
        let help = if long { "add `--}}`" } else { "add `}}`" };
        return Err(SyntaxError::new(at, "the comment is not closed", help));
    };
    let right = closing.contains('~') || cursor.rest[..end].ends_with('~');
    cursor.skip(end + closing.len());
    Ok(Tag { kind: TagKind::Comment, words: Vec::new(), strip: (left, right), indent: String::new(), at })
}

fn eat(cursor: &mut Cursor<'_>, text: &str) -> bool {
    let there = cursor.rest.starts_with(text);
    if there {
        cursor.skip(text.len());
    }
    there
}

/// Goes over the tag's end, if it is here, and tells whether it takes blanks with it.
fn close(cursor: &mut Cursor<'_>, triple: bool) -> Option<bool> {
    let ends: [(&str, bool); 2] =
        if triple { [("}}}", false), ("}~}}", true)] } else { [("}}", false), ("~}}", true)] };
    ends.into_iter().find(|(end, _)| eat(cursor, end)).map(|(_, strip)| strip)
}

/// Whether a character may be part of a name.
fn is_name(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !r##"!"#%&'()*+,./;<=>@[\]^`{|}~"##.contains(c)
}

fn word(cursor: &mut Cursor<'_>) -> Result<Word, SyntaxError> {
    let rest = cursor.rest;
    let at = cursor.at(1);
    let first = rest.chars().next().unwrap_or(' ');
    if let Some(names) = block_names(cursor)? {
        return Ok(Word { kind: WordKind::As(names), at });
    }
    let simple = match first {
        '(' => Some(WordKind::Open),
        ')' => Some(WordKind::Close),
        '=' => Some(WordKind::Equals),
        '@' => Some(WordKind::At),
        '/' => Some(WordKind::Separator('/')),
        '.' if rest.starts_with("..") => {
            cursor.skip(2);
            return Ok(Word { kind: WordKind::Up, at });
        }
        // Between names it parts them; before a blank or an end it is the thing itself.
        '.' => Some(match rest.chars().nth(1) {
            Some(c) if is_name(c) || c == '[' => WordKind::Separator('.'),
            _ => WordKind::Here,
        }),
        _ => None,
    };
    if let Some(kind) = simple {
        cursor.skip(1);
        return Ok(Word { kind, at });
    }
    let kind = match first {
        '"' | '\'' => string(cursor, first, at)?,
        '[' => bracketed(cursor, at)?,
        c if is_name(c) => name(cursor),
        other => {
            let help = "names are letters, digits, `_` and `-`; write others as [name]";
            return Err(SyntaxError::new(at, format!("unexpected `{other}` in a tag"), help));
        }
    };
    let length = rest[..rest.len() - cursor.rest.len()].chars().count();
    Ok(Word { kind, at: Location { length: u32::try_from(length).unwrap_or(0), ..at } })
}

fn string(cursor: &mut Cursor<'_>, quote: char, at: Location) -> Result<WordKind, SyntaxError> {
    let mut text = String::new();
    let mut chars = cursor.rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|(_, next)| *next == quote) => {
                text.push(quote);
                chars.next();
            }
            c if c == quote => {
                cursor.skip(index + 1);
                return Ok(WordKind::Literal(Value::String(text)));
            }
            c => text.push(c),
        }
    }
    Err(SyntaxError::new(at, "the text in quotes is not closed", format!("add `{quote}`")))
}

fn bracketed(cursor: &mut Cursor<'_>, at: Location) -> Result<WordKind, SyntaxError> {
    let Some(end) = cursor.rest.find(']') else {
        return Err(SyntaxError::new(at, "the name in brackets is not closed", "add `]`"));
    };
    let written = cursor.skip(end + 1);
    Ok(WordKind::Name(written.trim_start_matches('[').trim_end_matches(']').into()))
}

fn name(cursor: &mut Cursor<'_>) -> WordKind {
    let rest = cursor.rest;
    let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
    let written = &rest[..end];
    // `1.5` is one number, though a name ends at the dot.
    let fraction = rest[end..].strip_prefix('.').map_or(0, |tail| {
        let digits = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let ends = !tail[digits..].starts_with(|c: char| is_name(c) || c == '.' || c == '[');
        if digits > 0 && ends { digits + 1 } else { 0 }
    });
    let numeric = |text: &str| text.strip_prefix('-').unwrap_or(text).chars().all(|c| c.is_ascii_digit() || c == '.');
    let whole = &rest[..end + fraction];
    if numeric(whole) && whole.ends_with(|c: char| c.is_ascii_digit()) {
        let integer = whole.parse::<i64>().ok().map(Number::from);
        let number = integer.or_else(|| whole.parse().ok().and_then(Number::from_f64));
        if let Some(number) = number {
            cursor.skip(whole.len());
            return WordKind::Literal(Value::Number(number));
        }
    }
    cursor.skip(end);
    match written {
        "true" => WordKind::Literal(Value::Bool(true)),
        "false" => WordKind::Literal(Value::Bool(false)),
        "null" => WordKind::Literal(Value::Null),
        "undefined" => WordKind::Undefined,
        name => WordKind::Name(name.into()),
    }
}

/// `as |a b|`, if it is here.
fn block_names(cursor: &mut Cursor<'_>) -> Result<Option<Vec<Box<str>>>, SyntaxError> {
    let Some(after) = cursor.rest.strip_prefix("as") else { return Ok(None) };
    let Some(list) = after.trim_start().strip_prefix('|').filter(|_| after.starts_with(char::is_whitespace)) else {
        return Ok(None);
    };
    let at = cursor.at(2);
    let Some(end) = list.find('|') else {
        return Err(SyntaxError::new(at, "the block parameters are not closed", "write them as |item index|"));
    };
    let names: Vec<Box<str>> = list[..end].split_whitespace().map(Into::into).collect();
    if names.is_empty() || names.iter().any(|name| !name.chars().all(is_name)) {
        return Err(SyntaxError::new(at, "the block parameters are not names", "write them as |item index|"));
    }
    cursor.skip(cursor.rest.len() - list.len() + end + 1);
    Ok(Some(names))
}
