//! What a comment asks us to do: its text becomes commands. Knows Markdown as GitHub shows it, not who wrote the comment.

use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag};
use regex::Regex;

use super::ids::CommitSha;

/// The word that opens a command; any case.
const WORD: &str = "/promptops";

/// One line of a comment that asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run again; with a commit, release exactly that one of a fork.
    Eval {
        /// The commit, written out in full.
        sha: Option<CommitSha>,
    },
    /// Run again, of something that is no commit written out in full: what was named.
    EvalOther(String),
    /// Say how the verdict was reached.
    Explain,
    /// Say which commands there are.
    Help,
    /// Let the change through although the evaluation blocks it.
    Override {
        /// Why; never empty.
        reason: String,
    },
    /// Take an override back.
    OverrideCancel,
    /// Opens like a command and is none: what was written after the word.
    Unknown(String),
}

/// The commands of a comment, in order: one per line, at the very start of the line, outside quotes, code and HTML.
#[must_use]
pub fn commands(comment: &str) -> Vec<Command> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    let mut found = Vec::new();
    // How many quotes, code blocks and the like, and how many HTML tags, are open.
    let (mut closed_off, mut html) = (0usize, 0usize);
    for (event, range) in Parser::new_ext(comment, options).into_offset_iter() {
        match event {
            Event::Start(tag) if closes_off(&tag) => closed_off += 1,
            Event::End(tag) if ends_closing_off(tag) => closed_off = closed_off.saturating_sub(1),
            Event::Html(text) | Event::InlineHtml(text) => html = tags_open_after(html, &text),
            Event::Text(_) if closed_off == 0 && html == 0 && opens_a_line(comment, range.start) => {
                let line = comment[range.start..].split(['\n', '\r']).next().unwrap_or_default();
                found.extend(command(line));
            }
            _ => {}
        }
    }
    found
}

/// Nothing inside is a command: it is quoted, shown as it is, struck out, or not shown where it stands.
fn closes_off(tag: &Tag<'_>) -> bool {
    ends_closing_off(tag.to_end())
}

fn ends_closing_off(tag: pulldown_cmark::TagEnd) -> bool {
    use pulldown_cmark::TagEnd::{
        BlockQuote, CodeBlock, FootnoteDefinition, HtmlBlock, Image, Link, Strikethrough, Table,
    };
    matches!(tag, BlockQuote(_) | CodeBlock | FootnoteDefinition | HtmlBlock | Image | Link | Strikethrough | Table)
}

fn opens_a_line(comment: &str, start: usize) -> bool {
    start == 0 || matches!(comment.as_bytes()[start - 1], b'\n' | b'\r')
}

/// How many tags are open after `html`; a tag nobody closes closes off the rest of the comment.
fn tags_open_after(open: usize, html: &str) -> usize {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test compiles it")]
    static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<(/?)([A-Za-z][A-Za-z0-9-]*)[^>]*>").unwrap());
    const VOID: [&str; 5] = ["br", "hr", "img", "input", "wbr"];
    TAG.captures_iter(html).fold(open, |open, tag| match (&tag[1], tag[2].to_ascii_lowercase()) {
        (_, name) if VOID.contains(&name.as_str()) => open,
        ("/", _) => open.saturating_sub(1),
        _ => open + 1,
    })
}

/// The command of one line, if the line opens like one.
fn command(line: &str) -> Option<Command> {
    let (word, rest) = line.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((line, ""));
    if !word.eq_ignore_ascii_case(WORD) {
        return None;
    }
    let rest = rest.trim();
    let (verb, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let argument = argument.trim();
    let unknown = || Command::Unknown(rest.to_owned());
    Some(match (verb.to_ascii_lowercase().as_str(), argument) {
        ("eval", "") => Command::Eval { sha: None },
        ("eval", sha) => match CommitSha::parse(&sha.to_ascii_lowercase()) {
            Ok(sha) => Command::Eval { sha: Some(sha) },
            Err(_) => Command::EvalOther(sha.to_owned()),
        },
        ("explain", "") => Command::Explain,
        ("help", "") => Command::Help,
        ("override", reason) if reason.eq_ignore_ascii_case("cancel") => Command::OverrideCancel,
        ("override", reason) if !reason.is_empty() => Command::Override { reason: reason.to_owned() },
        _ => unknown(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(comment: &str, expected: &[Command]) {
        assert_eq!(commands(comment), expected, "{comment}");
    }

    const EVAL: Command = Command::Eval { sha: None };

    #[test]
    fn every_command_of_the_contract() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        check("/promptops eval", &[EVAL]);
        check(
            &format!("/promptops eval {sha}"),
            &[Command::Eval { sha: Some(CommitSha::parse(sha).expect("a commit")) }],
        );
        check("/promptops explain", &[Command::Explain]);
        check("/promptops help", &[Command::Help]);
        check("/promptops override cancel", &[Command::OverrideCancel]);
        let reason = "legal signed it off, see `notes`".to_owned();
        check("/promptops override legal signed it off, see `notes`", &[Command::Override { reason }]);
    }

    #[test]
    fn one_per_line_in_order_any_case_any_line_end() {
        check("Thanks!\r\n/promptops eval\r\n/PromptOps  HELP  \r\nand /promptops explain", &[EVAL, Command::Help]);
        check("- a list\n/promptops eval", &[EVAL]);
        check("# /promptops eval", &[]);
        check(" /promptops eval", &[]);
        check("/promptopsy eval", &[]);
    }

    #[test]
    fn what_opens_like_a_command_and_is_none_is_said() {
        check("/promptops", &[Command::Unknown(String::new())]);
        check("/promptops foo bar", &[Command::Unknown("foo bar".to_owned())]);
        check("/promptops override", &[Command::Unknown("override".to_owned())]);
    }

    #[test]
    fn a_commit_that_is_not_written_out_is_no_commit() {
        for named in ["0123abc", "HEAD", "main", &format!("{} please", "0".repeat(40)), &"0".repeat(41)] {
            check(&format!("/promptops eval {named}"), &[Command::EvalOther(named.to_owned())]);
        }
    }

    #[test]
    fn quotes_code_and_html_hold_no_command() {
        check("> /promptops eval\n/promptops eval", &[]);
        check("> quoted\n\n/promptops eval", &[EVAL]);
        check("```\n/promptops eval\n```\n", &[]);
        check("```\n/promptops eval", &[]);
        check("~~~~ text\n~~~\n/promptops eval\n~~~~\n/promptops help", &[Command::Help]);
        check("    /promptops eval", &[]);
        check("\t/promptops eval", &[]);
        check("`a\n/promptops eval\nb`", &[]);
        check("<!--\n\n/promptops eval\n\n-->", &[]);
        check("<details>\n/promptops eval\n</details>", &[]);
        check("<details>\n\n/promptops eval\n\n</details>\n\n/promptops help", &[Command::Help]);
        check("so <b>\n/promptops eval\n</b>", &[]);
        check("a<br>\n/promptops eval", &[EVAL]);
    }

    #[test]
    fn what_is_not_shown_is_not_obeyed() {
        check("[a]: /url \"\n/promptops eval\n\"\n", &[]);
        check("![\n/promptops eval\n](x)", &[]);
        check("~~struck\n/promptops eval\nout~~", &[]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>(), glue in "[ \n\r`>~<a-]{0,8}") {
            let _any = commands(&format!("{text}{glue}/promptops eval {text}"));
        }

        #[test]
        fn text_inside_a_fence_is_never_a_command(lines in proptest::collection::vec("(/promptops (eval|help)|[^\n\r`]{0,20})", 0..8)) {
            let fenced = format!("before\n\n````\n{}\n````\n\n/promptops help\n", lines.join("\n"));
            prop_assert_eq!(commands(&fenced), vec![Command::Help]);
        }

        #[test]
        fn text_inside_a_quote_is_never_a_command(lines in proptest::collection::vec("(/promptops eval|[^\n\r]{0,20})", 1..8)) {
            let quoted: String = lines.iter().map(|line| format!("> {line}\n")).collect();
            prop_assert_eq!(commands(&quoted), vec![]);
        }
    }
}
