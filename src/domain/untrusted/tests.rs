//! What a hostile author may try, and what a reader sees instead.

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::visible::is_hidden;
use super::*;

fn outside(text: &str) -> Untrusted<'_> {
    Untrusted::new(text, &Secrets::default())
}

#[test]
fn mentions_references_and_commands_are_code() {
    let text =
        "Closes #1, GH-2 and acme/app#3 says @octocat about 0123abc: see https://evil.example or www.evil.example";
    assert_eq!(
        outside(text).prose(200),
        "Closes `#1`, `GH-2` and `acme/app#3` says `@octocat` about `0123abc`: see `https://evil.example` or `www.evil.example`"
    );
    assert_eq!(outside("waiting for 1 of @acme/legal, @mara").prose(99), "waiting for 1 of `@acme/legal`, `@mara`");
}

#[test]
fn plain_sentences_stay_plain() {
    let text = "3 of 48 cases got worse (6.2 %); that's all, isn't it? Grüße!";
    assert_eq!(outside(text).prose(200), text);
}

#[test]
fn markup_is_shown_and_not_done() {
    assert_eq!(
        outside("<img src=x> [a](b) ![c](d) **e** _f_").prose(99),
        "`<img` `src=x>` `[a](b)` `![c](d)` `**e**` `_f_`"
    );
    assert_eq!(outside("1. not a list").prose(99), "`1.` not a list");
    assert_eq!(outside("see:GH-1 (0123abcd) 5-6 of 6").prose(99), "`see:GH-1` (`0123abcd`) 5-6 of 6");
    assert_eq!(outside("- not a list").prose(99), "`-` not a list");
    assert_eq!(outside("<b>&amp;").summary(99), "<code>&lt;b&gt;&amp;amp;</code>");
}

#[test]
fn what_is_code_already_stays_code() {
    assert_eq!(outside("widen `evaluation.margin`, or (`a b`).").prose(99), "widen `evaluation.margin`, or (`a b`).");
    assert_eq!(outside("`@octocat` and ``` and `x").prose(99), "`@octocat` and ```` ``` ```` and `` `x ``");
    assert_eq!(outside("`a|b` c|d \\|").prose_cell(99), "`a\\|b` `c\\|d` `\\¦`");
}

#[test]
fn long_lines_of_a_fence_go_on_in_the_next() {
    let long = "word ".repeat(30);
    let shown = outside(&long).fence(999);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 5, "{shown}");
    assert!(lines[1].starts_with(" word") && lines[2].starts_with("   word"), "{shown}");
    assert_eq!(shown.matches("word").count(), 30);
}

#[test]
fn code_holds_back_ticks_pipes_and_lines() {
    assert_eq!(outside("a `b` c").code(99), "``a `b` c``");
    assert_eq!(outside("`").code(99), "`` ` ``");
    assert_eq!(outside(" \n ").code(99), "` `");
    assert_eq!(outside("one\ntwo|three\\|four").cell(99), "`one ↵ two\\|three\\¦four`");
    assert_eq!(outside("escalate to a person").code(8), "`escalate… 12 more characters`");
}

#[test]
fn a_fence_is_longer_than_what_it_holds() {
    assert_eq!(outside("```\n/approve\n````\n").fence(99), "`````text\n ```\n /approve\n ````\n`````\n");
}

#[test]
fn terminals_and_workflows_get_no_commands() {
    assert_eq!(
        outside("\u{1b}]0;owned\u{7}\n ::set-output name=a::b\n##[error]x").lines(99),
        "⟨U+001B⟩]0;owned⟨U+0007⟩\n : :set-output name=a::b\n## [error]x"
    );
    assert_eq!(outside("::error::no\nsecond").line(99), ": :error::no ↵ second");
}

#[test]
fn secrets_are_gone_before_anything_is_cut() {
    let secrets = Secrets::new(["correct horse".to_owned()]);
    let text = Untrusted::new("say correct horse", &secrets);
    assert_eq!(text.data(), "say [redacted]");
    assert_eq!(text.line(8), "say [red… 6 more characters");
}

/// GitHub's dialect, as far as the parser knows it.
fn events(markdown: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM;
    Parser::new_ext(markdown, options).collect()
}

fn only_text_and_code(markdown: &str) -> Result<(), TestCaseError> {
    for event in events(markdown) {
        let harmless = matches!(
            event,
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) | Event::Text(_) | Event::Code(_)
        );
        prop_assert!(harmless, "{event:?} in {markdown:?}");
    }
    Ok(())
}

/// What GitHub would turn into links after Markdown, outside code.
fn no_references(markdown: &str) -> Result<(), TestCaseError> {
    for event in events(markdown) {
        if let Event::Text(text) = event {
            let acts = text.contains(['@', '#']) || text.contains("://") || text.to_lowercase().contains("www.");
            prop_assert!(!acts, "{text:?} in {markdown:?}");
        }
    }
    Ok(())
}

fn nothing_hidden(shown: &str) -> Result<(), TestCaseError> {
    let hidden = shown.chars().find(|&c| is_hidden(c) && !matches!(c, '\n' | '\t' | '\u{FE0F}'));
    prop_assert_eq!(hidden, None);
    Ok(())
}

/// Text made of what is dangerous, and text made of anything.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[`~|<>@#\\[\\]()!*_\\\\/:&$=+. a1\n\r\t\u{202E}\u{200B}\u{1b}-]{0,60}",
        "(@octocat|#12|GH-3|a/b#4|</details>|<!--|-->|```|~~~~|\\[x\\]\\(y\\)|https://e.example|www.e.example|\\||\\\\|\n|    |> |1\\. |---| )*",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn prose_is_only_text_and_code(text in hostile(), limit in 0usize..80) {
        let shown = outside(&text).prose(limit);
        only_text_and_code(&shown)?;
        no_references(&shown)?;
        nothing_hidden(&shown)?;
        prop_assert!(!shown.contains('\n'));
    }

    #[test]
    fn inline_code_is_one_code_span(text in hostile()) {
        let shown = outside(&text).code(60);
        let spans = events(&shown);
        prop_assert!(matches!(spans.as_slice(), [_, Event::Code(_), _]), "{spans:?} in {shown:?}");
        nothing_hidden(&shown)?;
    }

    #[test]
    fn a_cell_stays_one_cell(text in hostile()) {
        let table = format!("| a | b |\n|---|---|\n| {} | end |\n", outside(&text).cell(60));
        let cells: Vec<String> = events(&table).into_iter().filter_map(|event| match event {
            Event::Code(code) => Some(code.to_string()),
            Event::Text(text) => Some(text.to_string()),
            _ => None,
        }).collect();
        prop_assert_eq!(cells.len(), 4, "{}", table);
        prop_assert_eq!(&cells[3], "end");
    }

    #[test]
    fn a_fence_never_ends_early(text in hostile()) {
        let shown = format!("{}after\n", outside(&text).fence(500));
        let all = events(&shown);
        prop_assert!(matches!(&all[0], Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_)))));
        let end = all.iter().position(|event| matches!(event, Event::End(TagEnd::CodeBlock))).expect("a fence ends");
        prop_assert_eq!(&all[end + 1..], &[Event::Start(Tag::Paragraph), Event::Text("after".into()), Event::End(TagEnd::Paragraph)]);
        nothing_hidden(&shown)?;
        prop_assert!(shown.lines().filter(|line| !line.starts_with('`')).all(|line| line.is_empty() || line == "after" || line.starts_with(' ')));
    }

    #[test]
    fn a_summary_opens_no_tag_of_its_own(text in hostile()) {
        let shown = outside(&text).summary(80);
        prop_assert_eq!(shown.matches('<').count(), 2);
        prop_assert!(!shown.contains('\n'));
        nothing_hidden(&shown)?;
    }

    #[test]
    fn plain_lines_hide_nothing(text in hostile(), limit in 0usize..80) {
        nothing_hidden(&outside(&text).line(limit))?;
        nothing_hidden(&outside(&text).lines(limit))?;
        prop_assert!(!outside(&text).line(limit).contains('\n'));
    }
}
