//! Markdown of our own reports as a terminal shows it: folded to its width, no tag and no mark left raw. Knows no terminal:
//! width and colours are arguments.

mod spans;
mod table;
mod tags;
#[cfg(test)]
mod tests;

use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::text::Style;
pub use spans::{Ink, Span, columns};
use spans::{fold, fold_code, painted};
use table::Rows;
use tags::Piece;

/// How a terminal shows text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of a line.
    pub columns: usize,
    /// Colours or none.
    pub style: Style,
}

impl Look {
    /// The same with less room, for text that is set in.
    #[must_use]
    pub fn less(self, columns: usize) -> Self {
        Self { columns: self.columns.saturating_sub(columns).max(20), ..self }
    }

    /// Prose in lines that fit; the first begins with `first`, later ones with as many spaces.
    #[must_use]
    pub fn prose(self, first: &str, pieces: &[Span]) -> Vec<String> {
        let set_in = columns(first);
        let lines = fold(pieces, self.columns.saturating_sub(set_in));
        lines
            .iter()
            .enumerate()
            .map(|(place, line)| {
                let start = if place == 0 { first.to_owned() } else { " ".repeat(set_in) };
                format!("{start}{}", painted(line, self.style)).trim_end().to_owned()
            })
            .collect()
    }

    /// One piece of text in its look.
    #[must_use]
    pub fn paint(self, text: &str, ink: Ink) -> String {
        painted(&[Span::new(text, ink)], self.style)
    }
}

/// The lines of a Markdown text. A fold that Markdown opens is open; of a closed one the title is shown.
#[must_use]
pub fn terminal(markdown: &str, look: Look) -> Vec<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM;
    let mut page = Page::new(look);
    for event in Parser::new_ext(markdown, options) {
        page.take(event);
    }
    page.end_block();
    page.lines
}

/// What stands before the lines of a list item or a quote.
struct Margin {
    first: Option<String>,
    rest: String,
    ink: Ink,
}

struct Page {
    look: Look,
    lines: Vec<String>,
    margins: Vec<Margin>,
    /// Words of the block that is being read.
    spans: Vec<Span>,
    inks: Vec<Ink>,
    /// Numbers of ordered lists; `None` for bullets.
    lists: Vec<Option<u64>>,
    table: Option<Rows>,
    /// A block of code: whether it is a difference, and its text.
    code: Option<(bool, String)>,
    html: Option<String>,
    link: Option<String>,
    /// Whether each fold around this place is open.
    folds: Vec<bool>,
    /// An empty line is due before the next one, and this many margins go on through it.
    gap: Option<usize>,
    /// The last line is the title of a closed fold.
    after_title: bool,
}

impl Page {
    fn new(look: Look) -> Self {
        Self {
            look,
            lines: Vec::new(),
            margins: Vec::new(),
            spans: Vec::new(),
            inks: Vec::new(),
            lists: Vec::new(),
            table: None,
            code: None,
            html: None,
            link: None,
            folds: Vec::new(),
            gap: None,
            after_title: false,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match (&mut self.code, &mut self.html) {
                (Some((_, code)), _) => code.push_str(&text),
                (None, Some(html)) => html.push_str(&text),
                (None, None) => self.word(&text, self.ink()),
            },
            Event::Code(text) => self.word(&text, Ink::Code),
            Event::Html(html) => match &mut self.html {
                Some(all) => all.push_str(&html),
                None => self.html(&html),
            },
            Event::SoftBreak => self.word(" ", Ink::Plain),
            Event::HardBreak => self.end_lines(),
            Event::Rule => {
                let rule = "─".repeat(self.room());
                self.line(&[Span::new(&rule, Ink::Dim)]);
                self.gap();
            }
            // A tag inside a line is not shown; the parser's other extensions are off.
            Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.end_block();
                self.inks.push(if level <= HeadingLevel::H3 { Ink::Strong } else { Ink::Plain });
            }
            Tag::BlockQuote(kind) => {
                self.end_block();
                let (word, ink) = alert(kind);
                self.margins.push(Margin { first: None, rest: "┃ ".to_owned(), ink });
                if let Some(word) = word {
                    self.line(&[Span::new(word, ink)]);
                }
            }
            Tag::List(number) => {
                self.end_lines();
                self.lists.push(number);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                let rest = " ".repeat(columns(&mark));
                self.margins.push(Margin { first: Some(mark), rest, ink: Ink::Plain });
            }
            Tag::CodeBlock(kind) => {
                self.end_lines();
                let is_difference = matches!(&kind, CodeBlockKind::Fenced(language) if &**language == "diff");
                self.code = Some((is_difference, String::new()));
            }
            Tag::HtmlBlock => {
                self.end_block();
                self.html = Some(String::new());
            }
            Tag::Table(_) => {
                self.end_block();
                self.table = Some(Vec::new());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(rows) = &mut self.table {
                    rows.push(Vec::new());
                }
            }
            Tag::Strong => self.inks.push(Ink::Strong),
            Tag::Link { dest_url, .. } => self.link = Some(dest_url.into_string()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.end_block(),
            TagEnd::Heading(_) => {
                self.end_block();
                self.inks.pop();
            }
            TagEnd::BlockQuote(_) => {
                self.end_lines();
                self.end_margin();
                self.gap();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::Item => {
                self.end_lines();
                self.end_margin();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                if let Some(html) = self.html.take() {
                    self.html(&html);
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.spans);
                if let Some(row) = self.table.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                if let Some(rows) = self.table.take() {
                    let lines = table::lines(&rows, self.room());
                    lines.iter().for_each(|line| self.line(line));
                    self.gap();
                }
            }
            TagEnd::Strong => {
                self.inks.pop();
            }
            TagEnd::Link => {
                let written: String = self.spans.iter().map(|span| span.text.as_str()).collect();
                if let Some(url) = self.link.take().filter(|url| !written.ends_with(url.as_str())) {
                    self.word(&format!(" ({url})"), Ink::Dim);
                }
            }
            _ => {}
        }
    }

    fn end_code(&mut self) {
        let Some((is_difference, code)) = self.code.take() else { return };
        for line in code.lines() {
            let ink = match line.chars().next() {
                Some('-') if is_difference => Ink::Bad,
                Some('+') if is_difference => Ink::Good,
                _ => Ink::Plain,
            };
            let shown = Span::new(line, ink).text;
            for part in fold_code(&shown, self.room().saturating_sub(2), "  ") {
                self.line(&[Span { text: format!("  {part}"), ink }]);
            }
        }
        self.gap();
    }

    /// Tags of a block: folds open and close, other tags are not shown.
    fn html(&mut self, html: &str) {
        for piece in tags::pieces(html) {
            match piece {
                Piece::Opens { title, is_open } => {
                    let (sign, ink) = if is_open { ("▾ ", Ink::Strong) } else { ("▸ ", Ink::Plain) };
                    // Titles of closed folds stand below each other.
                    if self.after_title && !is_open {
                        self.gap = None;
                    }
                    self.margins.push(Margin { first: Some(sign.to_owned()), rest: "  ".to_owned(), ink: Ink::Plain });
                    self.word(&title, ink);
                    self.end_lines();
                    self.gap();
                    self.after_title = !is_open;
                    self.folds.push(is_open);
                }
                Piece::Closes => {
                    self.end_lines();
                    if self.folds.pop().is_some() {
                        self.end_margin();
                        self.gap();
                    }
                }
                Piece::Words(words) => {
                    self.word(&words, Ink::Plain);
                    self.end_block();
                }
            }
        }
    }

    fn ink(&self) -> Ink {
        self.inks.last().copied().unwrap_or_default()
    }

    fn word(&mut self, text: &str, ink: Ink) {
        self.spans.push(Span::new(text, ink));
    }

    fn room(&self) -> usize {
        let taken: usize = self.margins.iter().map(|margin| columns(&margin.rest)).sum();
        self.look.columns.saturating_sub(taken).max(10)
    }

    /// Writes what was read as lines, with nothing after them.
    fn end_lines(&mut self) {
        if self.table.is_some() {
            return;
        }
        let spans = std::mem::take(&mut self.spans);
        for line in fold(&spans, self.room()) {
            self.line(&line);
        }
    }

    /// Writes what was read as a paragraph.
    fn end_block(&mut self) {
        if !self.spans.is_empty() && self.table.is_none() {
            self.end_lines();
            self.gap();
        }
    }

    fn is_hidden(&self) -> bool {
        self.folds.contains(&false)
    }

    fn line(&mut self, spans: &[Span]) {
        if self.is_hidden() {
            return;
        }
        let style = self.look.style;
        // Spaces stay outside of the colours, so that they can be cut from the end of a line.
        let paint = |text: String, ink| {
            let mark = text.trim_end().to_owned();
            format!("{}{}", painted(&[Span { text: mark.clone(), ink }], style), &text[mark.len()..])
        };
        if let Some(through) = self.gap.take().filter(|_| !self.lines.is_empty()) {
            let rests = self.margins.iter().take(through).map(|margin| paint(margin.rest.clone(), margin.ink));
            let empty: String = rests.collect();
            self.lines.push(empty.trim_end().to_owned());
        }
        let margins: String = self
            .margins
            .iter_mut()
            .map(|margin| paint(margin.first.take().unwrap_or_else(|| margin.rest.clone()), margin.ink))
            .collect();
        self.lines.push(format!("{margins}{}", painted(spans, style)).trim_end().to_owned());
        self.after_title = false;
    }

    fn end_margin(&mut self) {
        self.margins.pop();
        self.gap = self.gap.map(|through| through.min(self.margins.len()));
    }

    /// An empty line before the next one.
    fn gap(&mut self) {
        if !self.is_hidden() {
            self.gap = Some(self.margins.len());
        }
    }
}

/// What GitHub writes over an alert, and how it looks.
fn alert(kind: Option<BlockQuoteKind>) -> (Option<&'static str>, Ink) {
    match kind {
        None => (None, Ink::Dim),
        Some(BlockQuoteKind::Note) => (Some("Note"), Ink::Code),
        Some(BlockQuoteKind::Tip) => (Some("Tip"), Ink::Good),
        Some(BlockQuoteKind::Important) => (Some("Important"), Ink::Warn),
        Some(BlockQuoteKind::Warning) => (Some("Warning"), Ink::Warn),
        Some(BlockQuoteKind::Caution) => (Some("Caution"), Ink::Bad),
    }
}
