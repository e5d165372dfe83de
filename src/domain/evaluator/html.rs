//! HTML in answers, by its tags: browsers read anything, so what counts is that known elements hold the text.

use std::collections::HashMap;

/// Elements of HTML.
const ELEMENTS: &str = "a abbr address area article aside audio b base bdi bdo blockquote body br button canvas caption cite code col \
    colgroup data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure footer form h1 h2 \
    h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li link main map mark math menu meta \
    meter nav noscript object ol optgroup option output p param picture pre progress q rp rt ruby s samp script \
    section select slot small source span strong style sub summary sup svg table tbody td template textarea tfoot th \
    thead time title tr track u ul var wbr";
/// Those that hold nothing and are never closed.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Those whose content is no HTML up to their closing tag.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

/// A piece of a text.
enum Piece<'t> {
    Text(&'t str),
    Open { name: String, closes_itself: bool },
    Close(String),
    Doctype,
    Comment,
}

/// Whether the answer is HTML and nothing but that: a known element, and no text outside of all elements.
pub(super) fn whole(text: &str) -> Result<(), &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the answer is empty");
    }
    if text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<?xml")) {
        return Err("the answer is XML, not HTML");
    }
    let mut open: Vec<String> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let (mut known, mut body, mut outside) = (false, false, false);
    for piece in Pieces(text) {
        match piece {
            Piece::Text(text) => outside |= open.is_empty() && !text.trim().is_empty(),
            Piece::Open { name, closes_itself } => {
                known |= is_element(&name);
                body |= name == "body";
                // The tags of the document itself hold no text of their own.
                let holds = !matches!(name.as_str(), "html" | "head" | "body");
                if holds && !closes_itself && !VOID.contains(&name.as_str()) {
                    *counts.entry(name.clone()).or_default() += 1;
                    open.push(name);
                }
            }
            Piece::Close(name) => {
                if counts.get(&name).is_some_and(|count| *count > 0) {
                    while let Some(last) = open.pop() {
                        if let Some(count) = counts.get_mut(&last) {
                            *count -= 1;
                        }
                        if last == name {
                            break;
                        }
                    }
                }
            }
            Piece::Doctype | Piece::Comment => {}
        }
    }
    match (known, outside && !body) {
        (false, _) => Err("the answer has no HTML element"),
        (true, true) => Err("the answer has text outside of all HTML elements"),
        (true, false) => Ok(()),
    }
}

/// Whether there is HTML in the answer: a tag of a known element, a doctype, or an element of any name with its end.
pub(super) fn part(text: &str) -> bool {
    let (mut opened, mut closed) = (false, false);
    for piece in Pieces(text) {
        match piece {
            Piece::Open { name, .. } if is_known(&name) => return true,
            Piece::Doctype => return true,
            Piece::Open { .. } => opened = true,
            Piece::Close(_) => closed = true,
            Piece::Text(_) | Piece::Comment => {}
        }
        if opened && closed {
            return true;
        }
    }
    false
}

fn is_known(name: &str) -> bool {
    ELEMENTS.split(' ').any(|known| known == name)
}

/// Whether it is an element of HTML or a custom one.
fn is_element(name: &str) -> bool {
    name.contains('-') || is_known(name)
}

/// The pieces of a text, from its start.
struct Pieces<'t>(&'t str);

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        if self.0.is_empty() {
            return None;
        }
        if let Some(piece) = self.markup() {
            return Some(piece);
        }
        // A `<` that opens nothing is text.
        let skip = self.0.chars().next().map_or(0, char::len_utf8);
        let end = self.0[skip..].find('<').map_or(self.0.len(), |offset| skip + offset);
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(Piece::Text(text))
    }
}

impl<'t> Pieces<'t> {
    fn markup(&mut self) -> Option<Piece<'t>> {
        let rest = self.0.strip_prefix('<')?;
        if let Some(inner) = rest.strip_prefix("!--") {
            // A comment without an end goes on to the last character, as in a browser.
            self.0 = inner.split_once("-->").map_or("", |(_, after)| after);
            return Some(Piece::Comment);
        }
        if rest.starts_with(['!', '?']) {
            let Some((inner, after)) = rest.split_once('>') else {
                return Some(Piece::Text(std::mem::take(&mut self.0)));
            };
            self.0 = after;
            let is_doctype = inner.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("!doctype"));
            return Some(if is_doctype { Piece::Doctype } else { Piece::Comment });
        }
        let (inner, is_close) = match rest.strip_prefix('/') {
            Some(inner) => (inner, true),
            None => (rest, false),
        };
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let length = inner.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(inner.len());
        let end = tag_end(&inner[length..])? + length;
        let name = inner[..length].to_ascii_lowercase();
        let closes_itself = inner[..end].ends_with('/');
        self.0 = &inner[end + 1..];
        if is_close {
            return Some(Piece::Close(name));
        }
        if RAW.contains(&name.as_str()) && !closes_itself {
            self.skip_raw(&name);
        }
        Some(Piece::Open { name, closes_itself })
    }

    /// Goes on to the closing tag of an element whose content is no HTML.
    fn skip_raw(&mut self, name: &str) {
        let mut from = 0;
        while let Some(at) = self.0[from..].find("</").map(|offset| from + offset) {
            if self.0.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                self.0 = &self.0[at..];
                return;
            }
            from = at + 2;
        }
        self.0 = "";
    }
}

/// Where the tag ends: the first `>` outside quotes that belong to an attribute.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut after_equals = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            (None, b'<') => return None,
            (None, _) => {}
        }
        after_equals = byte == b'=' || (after_equals && byte.is_ascii_whitespace());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected_whole: Result<(), &str>, expected_part: bool) {
        assert_eq!(whole(text), expected_whole, "{text}");
        assert_eq!(part(text), expected_part, "{text}");
    }

    #[test]
    fn html_is_known_elements_around_all_text() {
        check("<p>Hello <b>you</b></p>", Ok(()), true);
        check("<!DOCTYPE html><html><head><title>a < b</title></head><body>text</body></html>", Ok(()), true);
        check("<BR>", Ok(()), true);
        check("<my-card>x</my-card>", Ok(()), true);
        check("<ul><li>one<li>two</ul>", Ok(()), true);
        check("<div title='a > b'>x</div>", Ok(()), true);
        check("<!-- note --><p>x</p>", Ok(()), true);
        check("<script>if (a < b) { \"<p>\" }</script>", Ok(()), true);
        let outside = Err("the answer has text outside of all HTML elements");
        check("Here you are: <p>x</p>", outside, true);
        check("<p>x</p> there", outside, true);
        check("<br>text", outside, true);
        check("<html>text</html>", outside, true);
        let none = Err("the answer has no HTML element");
        check("<foo>x</foo>", none, true);
        check("plain text", none, false);
        check("2 < 3 and a <b", none, false);
        check("&amp; alone", none, false);
        check(" ", Err("the answer is empty"), false);
        check("<?xml version='1.0'?><p/>", Err("the answer is XML, not HTML"), true);
    }

    #[test]
    fn size_and_depth_are_no_danger() {
        let started = std::time::Instant::now();
        for text in [
            "<div>".repeat(40_000),
            format!("{}{}", "<div>".repeat(20_000), "</div>".repeat(20_000)),
            "<a ".repeat(70_000),
            "<a x='".repeat(40_000),
            "<script></".repeat(20_000),
            "<!".repeat(100_000),
            format!("{}{}", "<a><b>".repeat(20_000), "</a>".repeat(20_000)),
        ] {
            let _ = (whole(&text), part(&text));
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>/!a='\"& pbré-]{0,40}|\\PC{0,30}") {
            let _ = (whole(&text), part(&text));
        }
    }
}
