//! GitHub's size limits: leaves out what matters least and says so. Knows blocks of Markdown, not what is in them.

/// How soon a block is left out when a text is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// Left out first: the answers to one case.
    Case,
    /// Then: one fold about a prompt.
    Fold,
    /// Then: a prompt's own section.
    Section,
    /// Never left out.
    Always,
}

/// One piece of a longer Markdown text; it opens and closes all of its own fences and tags.
#[derive(Debug, Clone)]
pub struct Block {
    /// How soon it goes.
    pub keep: Keep,
    /// The Markdown, ending in a line end.
    pub text: String,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy)]
pub enum Measure {
    /// Characters, a rare one as two: the larger of the ways GitHub may count.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

impl Measure {
    fn of(self, text: &str) -> usize {
        match self {
            Self::Characters => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// Room for the line that says what was left out.
const HONEST_LINE: usize = 160;

/// Joins the blocks, leaving out from the end of the least kept kind until they fit.
#[must_use]
pub fn fit(mut blocks: Vec<Block>, limit: usize, measure: Measure) -> String {
    let room = limit.saturating_sub(HONEST_LINE);
    let mut size: usize = blocks.iter().map(|block| measure.of(&block.text) + 1).sum();
    let mut left_out = 0usize;
    for kind in [Keep::Case, Keep::Fold, Keep::Section] {
        while size > room {
            let Some(last) = blocks.iter().rposition(|block| block.keep == kind) else { break };
            size -= measure.of(&blocks.remove(last).text) + 1;
            left_out += 1;
        }
    }
    let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
    let mut whole = texts.join("\n");
    if left_out > 0 {
        let parts = if left_out == 1 { "1 part was".to_owned() } else { format!("{left_out} parts were") };
        whole.push_str(&format!("\n_{parts} left out here, because GitHub limits the length of this text._\n"));
    }
    hard_cut(whole, limit, measure)
}

/// The last resort, for a text whose kept blocks alone are too long.
fn hard_cut(text: String, limit: usize, measure: Measure) -> String {
    if measure.of(&text) <= limit {
        return text;
    }
    let room = limit.saturating_sub(HONEST_LINE);
    let mut size = 0;
    let end = text
        .char_indices()
        .find(|(_, character)| {
            size += measure.of(character.encode_utf8(&mut [0; 4]));
            size > room
        })
        .map_or(text.len(), |(end, _)| end);
    // Whole lines only, so that no half of an escape or a tag is left.
    let end = text[..end].rfind('\n').unwrap_or(end);
    let more = text[end..].chars().count();
    format!("{}\n\n_Cut here: {more} more characters, more than GitHub takes._\n", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(keep: Keep, text: &str) -> Block {
        Block { keep, text: text.to_owned() }
    }

    #[test]
    fn folds_go_from_the_end_and_the_text_says_so() {
        let fold = "x".repeat(100);
        let blocks = vec![
            block(Keep::Always, "top\n"),
            block(Keep::Case, &fold),
            block(Keep::Case, &fold),
            block(Keep::Fold, "how\n"),
        ];
        assert_eq!(fit(blocks.clone(), 1000, Measure::Bytes), format!("top\n\n{fold}\n{fold}\nhow\n"));
        assert_eq!(
            fit(blocks, 300, Measure::Bytes),
            format!(
                "top\n\n{fold}\nhow\n\n_1 part was left out here, because GitHub limits the length of this text._\n"
            )
        );
    }

    #[test]
    fn what_cannot_be_left_out_is_cut_at_a_line() {
        let text = format!("first line\n{}", "ü".repeat(300));
        assert_eq!(
            fit(vec![block(Keep::Always, &text)], 300, Measure::Bytes),
            "first line\n\n_Cut here: 301 more characters, more than GitHub takes._\n"
        );
    }

    proptest! {
        #[test]
        fn nothing_is_ever_too_long(
            texts in proptest::collection::vec((0u8..4, "[aü😀\n]{0,400}"), 0..12),
            limit in 200usize..600,
        ) {
            let blocks: Vec<Block> = texts.iter().map(|(keep, text)| block(
                [Keep::Case, Keep::Fold, Keep::Section, Keep::Always][usize::from(*keep)], text)).collect();
            prop_assert!(fit(blocks.clone(), limit, Measure::Bytes).len() <= limit);
            prop_assert!(fit(blocks, limit, Measure::Characters).encode_utf16().count() <= limit);
        }
    }
}
