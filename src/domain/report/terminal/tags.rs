//! The few HTML tags that our Markdown holds: folds, their titles, comments. Any other tag is left out.

/// A part of a block of HTML.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A fold begins.
    Opens {
        /// Its title, without tags.
        title: String,
        /// Whether GitHub shows it open.
        is_open: bool,
    },
    /// A fold ends.
    Closes,
    /// Text outside of any title.
    Words(String),
}

/// The parts of a block of HTML, in order.
pub fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words = String::new();
    let mut opened: Option<bool> = None;
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        words.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = if rest.starts_with("<!--") { "-->" } else { ">" };
        let Some(length) = rest.find(end).map(|at| at + end.len()) else { break };
        let tag = rest[..length].to_ascii_lowercase();
        rest = &rest[length..];
        if tag.starts_with("<details") {
            put_words(&mut words, &mut pieces);
            opened = Some(tag.contains(" open"));
        } else if tag.starts_with("</summary") {
            let title = plain(&std::mem::take(&mut words));
            pieces.push(Piece::Opens { title, is_open: opened.take().unwrap_or(true) });
        } else if tag.starts_with("</details") {
            put_words(&mut words, &mut pieces);
            pieces.push(Piece::Closes);
        }
    }
    words.push_str(rest);
    put_words(&mut words, &mut pieces);
    pieces
}

fn put_words(words: &mut String, pieces: &mut Vec<Piece>) {
    let text = plain(&std::mem::take(words));
    if !text.is_empty() {
        pieces.push(Piece::Words(text));
    }
}

/// Text of HTML as it reads, on one line.
fn plain(html: &str) -> String {
    let words: Vec<&str> = html.split_whitespace().collect();
    let line = words.join(" ");
    line.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_comments_are_read_and_other_tags_left_out() {
        let opens = |title: &str, is_open| Piece::Opens { title: title.to_owned(), is_open };
        assert_eq!(pieces("<!-- promptops:report -->\n"), []);
        assert_eq!(
            pieces("<details><summary><code>a&lt;b</code>: the answers</summary>\n"),
            [opens("a<b: the answers", false)]
        );
        assert_eq!(pieces("<details open><summary>x</summary>"), [opens("x", true)]);
        assert_eq!(pieces("</details>\n"), [Piece::Closes]);
        assert_eq!(pieces("<p>two\nwords <"), [Piece::Words("two words <".to_owned())]);
    }
}
