//! Phrases that must not be in an answer: whole words in any case, spaces of any kind. Knows no case's evaluators.

use regex::{Regex, RegexBuilder};

use super::Assessment;
use super::check::Unjudged;
use super::compile::CompileError;
use super::text::{Facts, Text, quote};

/// Largest compiled pattern, in bytes.
const SIZE_LIMIT: usize = 10 << 20;

/// A list of phrases.
#[derive(Debug)]
pub(super) enum Phrases {
    /// The same for every case.
    Fixed(Regex),
    /// Compiled once a case has filled them.
    Filled(Vec<Text>),
}

impl Phrases {
    /// Prepares the search.
    pub fn new(phrases: &[String]) -> Result<Self, CompileError> {
        if phrases.is_empty() || phrases.iter().any(|phrase| phrase.trim().is_empty()) {
            return Err(CompileError::new("a banned phrase is empty").help("write the phrase or remove it"));
        }
        let texts: Vec<Text> = phrases.iter().map(|phrase| Text::parse(phrase)).collect();
        if texts.iter().any(|text| matches!(text, Text::Filled(_))) {
            return Ok(Self::Filled(texts));
        }
        compile(phrases).map(Self::Fixed).map_err(|_| {
            CompileError::new("the banned phrases are too many for one evaluator").help("spread them over several")
        })
    }

    /// The names of the phrases' places.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Filled(texts) => texts.iter().flat_map(Text::variables).collect(),
        }
    }

    pub fn assess(&self, output: &str, facts: Facts<'_>) -> Result<Assessment, Unjudged> {
        let found = match self {
            Self::Fixed(regex) => regex.find(output),
            Self::Filled(texts) => {
                let filled = texts.iter().map(|text| text.fill(facts)).collect::<Result<Vec<_>, _>>()?;
                if filled.iter().any(|phrase| phrase.trim().is_empty()) {
                    return Err(Unjudged::from("a banned phrase is empty in this case, which checks nothing"));
                }
                let regex = compile(&filled).map_err(|_| Unjudged::from("the banned phrases are too long"))?;
                regex.find(output)
            }
        };
        Ok(match found {
            None => Assessment::plain(true, "has no banned phrase"),
            Some(found) => Assessment::of(false, format!("has the banned phrase {}", quote(found.as_str()))),
        })
    }
}

/// The phrases as one search; `None` without phrases.
///
/// # Errors
/// When they are too many or too long to be searched for together.
pub fn banned(phrases: &[String]) -> Result<Option<Regex>, regex::Error> {
    let phrases: Vec<&str> = phrases.iter().map(|phrase| phrase.trim()).filter(|phrase| !phrase.is_empty()).collect();
    if phrases.is_empty() { Ok(None) } else { compile(&phrases).map(Some) }
}

fn compile(phrases: &[impl AsRef<str>]) -> Result<Regex, regex::Error> {
    let mut longest_first: Vec<&str> = phrases.iter().map(AsRef::as_ref).collect();
    longest_first.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    let patterns: Vec<String> = longest_first.into_iter().map(pattern).collect();
    RegexBuilder::new(&patterns.join("|")).case_insensitive(true).size_limit(SIZE_LIMIT).build()
}

/// A phrase as a pattern; where it starts or ends with a letter or digit, the word starts or ends there too.
fn pattern(phrase: &str) -> String {
    let words: Vec<String> = phrase.split_whitespace().map(regex::escape).collect();
    let edge = |c: Option<char>| if c.is_some_and(|c| c.is_alphanumeric() || c == '_') { r"\b" } else { "" };
    let phrase = phrase.trim();
    format!("{}{}{}", edge(phrase.chars().next()), words.join(r"\s+"), edge(phrase.chars().next_back()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prompt::Vars;

    #[track_caller]
    fn check(phrases: &[&str], output: &str, expected: &str) {
        let phrases: Vec<String> = phrases.iter().map(|phrase| (*phrase).to_owned()).collect();
        let vars = Vars::from([("rival", serde_json::json!("Acme Corp"))]);
        let found = Phrases::new(&phrases).unwrap().assess(output, Facts { vars: &vars, expected: None }).unwrap();
        assert_eq!((found.passed, found.reason.as_str()), (expected.starts_with("has no"), expected), "{output}");
    }

    #[test]
    fn phrases_are_whole_words_in_any_case() {
        let none = "has no banned phrase";
        check(&["world-class"], "Our World-Class service", r#"has the banned phrase "World-Class""#);
        check(&["cheap"], "Cheaper and cheapest", none);
        check(&["best price"], "the BEST\n  price", r#"has the banned phrase "BEST price""#);
        check(&["C++", "C"], "We use c++.", r#"has the banned phrase "c++""#);
        check(&["straße"], "Hauptstraße", none);
        check(&["Straße"], "die STRAßE", r#"has the banned phrase "STRAßE""#);
        check(&["{{rival}}"], "Like acme corp does", r#"has the banned phrase "acme corp""#);
        check(&["{{rival}}"], "Like nobody does", none);
    }

    #[test]
    fn an_empty_phrase_is_refused() {
        assert!(Phrases::new(&[" ".to_owned()]).is_err());
        assert!(Phrases::new(&[]).is_err());
    }
}
