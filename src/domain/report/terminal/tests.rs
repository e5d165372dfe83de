//! Whole texts as a terminal shows them, wide and narrow.

use proptest::prelude::*;

use super::*;
use crate::domain::report::{markdown, sample};
use crate::domain::untrusted::Secrets;

const PLAIN: Style = Style { colour: false };

#[track_caller]
fn check(markdown: &str, columns: usize, expected: &str) {
    assert_eq!(terminal(markdown, Look { columns, style: PLAIN }).join("\n"), expected);
}

#[test]
fn alerts_headings_and_paragraphs() {
    check(
        "<!-- x -->\n> [!CAUTION]\n> **Regression: 2 of 40 cases.** This holds the merge.\n\n### Reply (`a.yml`)\n\nOne.\nTwo.\n",
        30,
        "┃ Caution\n┃ Regression: 2 of 40 cases.\n┃ This holds the merge.\n\nReply (a.yml)\n\nOne. Two.",
    );
}

#[test]
fn tables_are_aligned_then_folded_then_listed() {
    let table = "| case | what failed |\n|---|---|\n| `a` | no such word here |\n| 日本 | x |\n";
    check(table, 40, "case  what failed\n────  ─────────────────\na     no such word here\n日本  x");
    check(table, 17, "case  what failed\n────  ───────────\na     no such\n      word here\n日本  x");
    check(table, 12, "- case: a\n  what\n  failed: no\n  such word\n  here\n- case: 日本\n  what\n  failed: x");
}

#[test]
fn open_folds_are_shown_and_closed_ones_named() {
    check(
        "<details open><summary><code>a</code>: the answers</summary>\n\n```diff\n-old words\n+new words that are long\n```\n\n</details>\n\n\
         <details><summary>All</summary>\n\n| a |\n|---|\n\n- hidden\n\n</details>\n\nEnd: [x](https://e.example).\n",
        30,
        "▾ a: the answers\n\n    -old words\n    +new words that are long\n\n▸ All\n\nEnd: x (https://e.example).",
    );
}

#[test]
fn lists_are_set_in() {
    check("- one two three\n  - four\n1. five\n2. six\n", 9, "- one two\n  three\n  - four\n\n1. five\n2. six");
}

#[test]
fn colours_are_added_and_nothing_else() {
    let comment = markdown::comment(&sample::regression(), &Secrets::default());
    let shown = |colour| terminal(&comment, Look { columns: 60, style: Style { colour } }).join("\n");
    let colour = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
    assert!(shown(true).contains("\u{1b}[31mCaution\u{1b}[0m"));
    assert_eq!(colour.replace_all(&shown(true), ""), shown(false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_markdown_keeps_to_the_width_and_moves_no_cursor(
        markdown in "(- |1\\. |> |\\| |\\|---\\||\n|\n\n|<details>|<summary>|</summary>|</details>|```diff\n|&#27;|\u{1b}|\\*\\*|`|日本語|word |# |\\[a\\]\\(b\\)){0,40}",
        columns in 40usize..100,
    ) {
        for line in terminal(&markdown, Look { columns, style: PLAIN }) {
            prop_assert!(!line.contains('\u{1b}'), "{line:?}");
            // Deep nesting leaves ten columns to the text.
            let deep = line.matches(['┃', '-', '.']).count() > 8 || line.starts_with("          ");
            prop_assert!(deep || spans::columns(&line) <= columns, "{line:?}");
        }
    }
}
