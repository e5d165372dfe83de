//! Makes invisible characters visible. Knows single characters only, no Markdown and no secrets.

/// `text` with every control, bidi, zero-width and tag character shown as `⟨U+202E⟩`. Line feeds and tabs stay, CRLF becomes
/// a line feed.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(character) = chars.next() {
        let line_end = character == '\r' && chars.peek() == Some(&'\n');
        // The emoji selector after a symbol is how `⚠️` is written; anywhere else it hides data.
        let emoji_selector = character == '\u{FE0F}' && !before.is_ascii() && before != '\u{FE0F}';
        if line_end {
            continue;
        } else if matches!(character, '\n' | '\t') || emoji_selector || !is_hidden(character) {
            shown.push(character);
        } else {
            shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
        }
        before = character;
    }
    shown
}

/// Whether a reader cannot see `character`, or sees other characters in another order because of it.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Soft hyphen, joiners, fillers: nothing is drawn.
            '\u{00AD}' | '\u{034F}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FEFF}'
            // Zero-width, bidi, separators and the deprecated format characters.
            | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FFF0}'..='\u{FFFB}'
            // Variation selectors and tags, in which whole texts can be hidden.
            | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}'
            // Format characters of hieroglyphs, shorthand and music.
            | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}')
}

/// The first `limit` characters, and an honest word about the rest.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text[end..].chars().count();
            format!("{}… {} more character{}", &text[..end], thousands(more), if more == 1 { "" } else { "s" })
        }
    }
}

/// `12345` as `12,345`.
#[must_use]
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(visible("user\u{202E}nimda"), "user⟨U+202E⟩nimda");
        assert_eq!(visible("zero\u{200B}width\u{FEFF}"), "zero⟨U+200B⟩width⟨U+FEFF⟩");
        assert_eq!(visible("\u{1b}[31mred\u{7}"), "⟨U+001B⟩[31mred⟨U+0007⟩");
        assert_eq!(visible("tag\u{E0041}"), "tag⟨U+E0041⟩");
    }

    #[test]
    fn line_ends_tabs_and_emoji_stay() {
        assert_eq!(visible("a\r\nb\tc\rd"), "a\nb\tc⟨U+000D⟩d");
        assert_eq!(visible("⚠\u{FE0F} stop a\u{FE0F}"), "⚠\u{FE0F} stop a⟨U+FE0F⟩");
    }

    #[test]
    fn a_cut_says_how_much_is_missing() {
        assert_eq!(cut("Grüße", 5), "Grüße");
        assert_eq!(cut("Grüße!", 5), "Grüße… 1 more character");
        assert_eq!(cut(&"x".repeat(1_240), 6), "xxxxxx… 1,234 more characters");
    }
}
