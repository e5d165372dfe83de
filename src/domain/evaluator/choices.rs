//! Choices a judge picks from, matched whole and never as parts of an answer. Knows no question.

use super::compile::CompileError;
use super::text::{fold, quote};

/// What may stand around a choice without changing it. Signs such as `-` are not here: "-1" is not "1".
const WRAPPING: &[char] =
    &['"', '\'', '`', '*', '(', ')', '[', ']', ',', ';', ':', '!', '“', '”', '‘', '’', '„', '«', '»'];

/// Choices with their scores.
#[derive(Debug, Clone)]
pub(super) struct Choices(Vec<(String, f64)>);

impl Choices {
    /// Checks what a file says.
    pub fn new(choices: &[(String, f64)]) -> Result<Self, CompileError> {
        if choices.is_empty() {
            return Err(CompileError::new("the judge has no choices").help("give at least one choice with a score"));
        }
        let mut known = Vec::with_capacity(choices.len());
        for (choice, score) in choices {
            let choice = choice.trim();
            if choice.is_empty() {
                return Err(CompileError::new("a choice is empty").help("give the text the judge should answer with"));
            }
            if !(0.0..=1.0).contains(score) {
                return Err(CompileError::new(format!(
                    "the score {score} of choice {} is not from 0 to 1",
                    quote(choice)
                ))
                .help("scale the scores so that the best choice has 1"));
            }
            if known.iter().any(|(other, _)| other == choice) {
                return Err(CompileError::new(format!("the choice {} stands twice", quote(choice))).help("keep one"));
            }
            known.push((choice.to_owned(), *score));
        }
        Ok(Self(known))
    }

    /// The texts, in the file's order.
    pub fn texts(&self) -> Vec<&str> {
        self.0.iter().map(|(choice, _)| choice.as_str()).collect()
    }

    /// Choices of our own.
    pub fn trusted(choices: Vec<(String, f64)>) -> Self {
        Self(choices)
    }

    /// The choice that the whole answer is: as it stands, else without what wraps it, else in any case. Each step
    /// counts only if it leaves one choice.
    pub fn pick(&self, answer: &str) -> Option<(&str, f64)> {
        let answer = answer.trim();
        self.only(|choice| choice == answer)
            .or_else(|| self.only(|choice| bare(choice) == bare(answer)))
            .or_else(|| self.only(|choice| fold(bare(choice)) == fold(bare(answer))))
    }

    fn only(&self, is_meant: impl Fn(&str) -> bool) -> Option<(&str, f64)> {
        let mut meant = self.0.iter().filter(|(choice, _)| is_meant(choice));
        let (choice, score) = meant.next()?;
        meant.next().is_none().then_some((choice.as_str(), *score))
    }
}

/// A text without white space, quotes and brackets around it, and without one period at its end.
fn bare(text: &str) -> &str {
    let is_wrapping = |c: char| c.is_whitespace() || WRAPPING.contains(&c);
    let inner = text.trim_matches(is_wrapping);
    let bare = inner.strip_suffix('.').unwrap_or(inner).trim_matches(is_wrapping);
    if bare.is_empty() { text } else { bare }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choices(texts: &[&str]) -> Choices {
        Choices::new(&texts.iter().map(|text| ((*text).to_owned(), 0.5)).collect::<Vec<_>>()).unwrap()
    }

    #[track_caller]
    fn check(texts: &[&str], answer: &str, picked: Option<&str>) {
        assert_eq!(choices(texts).pick(answer).map(|(choice, _)| choice), picked, "for {answer:?}");
    }

    #[test]
    fn a_choice_is_the_whole_answer_and_never_a_part_of_it() {
        check(&["1", "10"], "10", Some("10"));
        check(&["1", "2"], "10", None);
        check(&["1", "2"], "-1", None);
        check(&["1", "2"], "1 or 2", None);
        check(&["yes", "no"], "yes, but not quite", None);
        check(&["yes", "no"], "I do not know", None);
        check(&["yes", "no"], "", None);
    }

    #[test]
    fn quotes_and_one_period_around_it_do_not_matter() {
        for answer in ["yes", " yes\n", "Yes", "YES.", "\"yes\"", "**yes**", "`yes`.", "\"yes.\"", "(yes)", "«yes»"] {
            check(&["yes", "no"], answer, Some("yes"));
        }
        check(&["yes", "no"], "yes..", None);
        check(&["+", "-"], "+", Some("+"));
        check(&["(", ")"], ")", Some(")"));
    }

    #[test]
    fn case_decides_where_it_must_and_an_ambiguous_answer_is_none() {
        check(&["A", "a"], "a", Some("a"));
        check(&["A", "a"], "A.", Some("A"));
        check(&["Ja", "JA"], "ja", None);
        check(&["(a)", "a"], "[a]", None);
    }

    #[test]
    fn broken_lists_are_refused() {
        let refused = |list: &[(&str, f64)]| {
            let list: Vec<_> = list.iter().map(|(text, score)| ((*text).to_owned(), *score)).collect();
            Choices::new(&list).unwrap_err().to_string()
        };
        assert_eq!(refused(&[]), "the judge has no choices");
        assert_eq!(refused(&[(" ", 1.0)]), "a choice is empty");
        assert_eq!(refused(&[("5", 5.0)]), "the score 5 of choice \"5\" is not from 0 to 1");
        assert_eq!(refused(&[("a", f64::NAN)]), "the score NaN of choice \"a\" is not from 0 to 1");
        assert_eq!(refused(&[("a", 1.0), ("a ", 0.0)]), "the choice \"a\" stands twice");
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(answer in "(?s).*", texts in prop::collection::hash_set("[a-zA-Z0-9().'-]{1,4}", 1..5)) {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let choices = choices(&texts);
            let _ = choices.pick(&answer);
            for text in &texts {
                prop_assert_eq!(choices.pick(text).map(|(choice, _)| choice), Some(*text));
            }
        }
    }
}
