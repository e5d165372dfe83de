//! Texts looked for in an answer: one at a place, or several anywhere. Knows no other kind.

use std::borrow::Cow;

use super::Assessment;
use super::check::Unjudged;
use super::spec::Texts;
use super::text::{Facts, MissingValue, Text, fold, quote};

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere in the answer.
    Anywhere,
    /// At the start of the trimmed answer.
    Start,
    /// At the end of the trimmed answer.
    End,
}

/// A search for a text.
#[derive(Debug)]
pub(super) struct Find {
    place: Place,
    any_case: bool,
    text: Text,
    /// The text folded, where it is fixed and case does not matter.
    folded: Option<String>,
}

impl Find {
    /// Prepares a search for a text.
    pub fn new(place: Place, text: Text, any_case: bool) -> Self {
        let folded = match &text {
            Text::Fixed(fixed) if any_case => Some(fold(fixed)),
            _ => None,
        };
        Self { place, any_case, text, folded }
    }

    /// The names of the text's places.
    pub fn variables(&self) -> Vec<&str> {
        self.text.variables()
    }

    pub fn assess(&self, output: &str, facts: Facts<'_>) -> Result<Assessment, Unjudged> {
        let text = self.text.fill(facts)?;
        if text.is_empty() {
            return Err(Unjudged::from("the text to look for is empty in this case, which checks nothing"));
        }
        let found = if self.any_case {
            let folded = self.folded.as_deref().map_or_else(|| Cow::Owned(fold(&text)), Cow::Borrowed);
            self.place.holds(&fold(output), &folded)
        } else {
            self.place.holds(output, &text)
        };
        Ok(Assessment::of(found, self.place.report(found, &text)))
    }
}

impl Place {
    fn holds(self, output: &str, text: &str) -> bool {
        match self {
            Self::Anywhere => output.contains(text),
            Self::Start => output.trim().starts_with(text),
            Self::End => output.trim().ends_with(text),
        }
    }

    fn report(self, found: bool, text: &str) -> String {
        let saying = match (self, found) {
            (Self::Anywhere, true) => "contains ",
            (Self::Anywhere, false) => "does not contain ",
            (Self::Start, true) => "starts with ",
            (Self::Start, false) => "does not start with ",
            (Self::End, true) => "ends with ",
            (Self::End, false) => "does not end with ",
        };
        let mut report = quote(text);
        report.insert_str(0, saying);
        report
    }
}

/// A search for several texts, of which all or at least one must be there.
#[derive(Debug)]
pub(super) struct FindList {
    texts: List,
    all: bool,
    any_case: bool,
}

impl FindList {
    /// Prepares the search.
    pub fn new(texts: &Texts, all: bool, any_case: bool) -> Self {
        Self { texts: List::new(texts), all, any_case }
    }

    /// The names of the texts' places.
    pub fn variables(&self) -> Vec<&str> {
        self.texts.variables()
    }

    pub fn assess(&self, output: &str, facts: Facts<'_>) -> Result<Assessment, Unjudged> {
        let texts = self.texts.fill(facts)?;
        if texts.is_empty() || texts.iter().any(|text| text.is_empty()) {
            return Err(Unjudged::from("a text to look for is empty in this case, which checks nothing"));
        }
        let folded = if self.any_case { Cow::Owned(fold(output)) } else { Cow::Borrowed(output) };
        let holds = |text: &str| if self.any_case { folded.contains(&fold(text)) } else { folded.contains(text) };
        Ok(if self.all {
            match texts.iter().find(|text| !holds(text)) {
                Some(missing) => Assessment::of(false, format!("does not contain {}", quote(missing))),
                None => Assessment::plain(true, "contains all of them"),
            }
        } else {
            match texts.iter().find(|text| holds(text)) {
                Some(found) => Assessment::of(true, format!("contains {}", quote(found))),
                None => Assessment::plain(false, "contains none of them"),
            }
        })
    }
}

/// A list of texts, split at commas once a case has filled it.
#[derive(Debug)]
pub(super) enum List {
    /// Each filled on its own.
    Texts(Vec<Text>),
    /// Filled, then split.
    Commas(Text),
}

impl List {
    /// Reads the texts and their places.
    pub fn new(texts: &Texts) -> Self {
        match texts {
            Texts::List(items) => Self::Texts(items.iter().map(|item| Text::parse(item)).collect()),
            Texts::Commas(text) => match Text::parse(text) {
                Text::Fixed(text) => Self::Texts(split(&text).into_iter().map(Text::Fixed).collect()),
                filled @ Text::Filled(_) => Self::Commas(filled),
            },
        }
    }

    /// The names of the places.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Texts(texts) => texts.iter().flat_map(Text::variables).collect(),
            Self::Commas(text) => text.variables(),
        }
    }

    /// The texts for one case. A variable that is a list counts as one.
    pub fn fill(&self, facts: Facts<'_>) -> Result<Vec<Cow<'_, str>>, MissingValue> {
        match self {
            Self::Texts(texts) => texts.iter().map(|text| text.fill(facts)).collect(),
            Self::Commas(text) => {
                let filled = text.fill(facts)?;
                let listed = serde_json::from_str::<Vec<String>>(&filled).unwrap_or_else(|_| split(&filled));
                Ok(listed.into_iter().map(Cow::Owned).collect())
            }
        }
    }
}

/// The items between commas; one in double quotes may hold commas, and quotes as `\"` or `""`.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = text.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    while !rest.is_empty() {
        let (item, after) = match rest.strip_prefix('"').and_then(quoted) {
            Some(found) => found,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        items.push(item);
        rest = after.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    items
}

/// What stands before the closing quote, if a comma or nothing follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut item = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '\\' if chars.as_str().starts_with(['"', '\\']) => item.extend(chars.next()),
            '"' if chars.as_str().starts_with('"') => item.extend(chars.next()),
            '"' => break,
            other => item.push(other),
        }
    }
    let after = chars.as_str().trim_start();
    (after.is_empty() || after.starts_with(',')).then_some((item, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text), expected, "{text}");
    }

    #[test]
    fn commas_split_and_quotes_keep_them() {
        check("a, b c ,d", &["a", "b c", "d"]);
        check(",, a,,b,", &["a", "b"]);
        check(r#""a, b", "say \"hi\"","""x""""#, &["a, b", r#"say "hi""#, r#""x""#]);
        check(r#"5" screen, b"#, &[r#"5" screen"#, "b"]);
        check(r#""open, b"#, &[r#""open"#, "b"]);
        check(r#""a" b, c"#, &[r#""a" b"#, "c"]);
        check("", &[]);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_item_is_lost(text in "[a\", \\\\]{0,20}", items in prop::collection::vec("[a-z]{1,4}", 0..6)) {
            split(&text);
            prop_assert_eq!(split(&items.join(",")), items);
        }
    }
}
