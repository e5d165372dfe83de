//! JavaScript-flavoured patterns on two engines: linear where the pattern allows, else backtracking with a step limit.
//! Knows no case and no evaluator.

use super::compile::CompileError;
use super::ecma::{Engine, to_rust};

/// Largest compiled program, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Longest text and the steps allowed on it. A step may scan all of the rest, so that steps times length bounds the time.
/// Usual patterns take up to six steps per character; beyond 24 KiB only those that are decided early are.
const TIERS: [(usize, usize); 3] = [(4 << 10, 250_000), (24 << 10, 150_000), (usize::MAX, 1_000)];

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Ends in time linear in the text.
    Linear(regex::Regex),
    /// Has look-around or back-references: one program for each of [`TIERS`].
    Backtracking(Vec<fancy_regex::Regex>),
}

/// The backtracking engine gave up: neither a match nor none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfSteps;

impl Pattern {
    /// Compiles a pattern, once for all texts.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        if source.is_empty() {
            return Err(
                CompileError::new("the pattern is empty").help("an empty pattern matches everything; write one")
            );
        }
        let linear =
            regex::RegexBuilder::new(&to_rust(source, Engine::Linear)?).size_limit(SIZE_LIMIT).crlf(true).build();
        let refusal = match linear {
            Ok(regex) => return Ok(Self::Linear(regex)),
            Err(regex::Error::CompiledTooBig(_)) => {
                return Err(invalid(source, "it is too large once compiled").help("use smaller repeat counts"));
            }
            Err(other) => other.to_string(),
        };
        let fancy = to_rust(source, Engine::Backtracking)?;
        TIERS
            .iter()
            .map(|&(_, steps)| {
                fancy_regex::RegexBuilder::new(&fancy)
                    .backtrack_limit(steps)
                    .delegate_size_limit(SIZE_LIMIT)
                    .crlf(true)
                    .build()
            })
            .collect::<Result<_, _>>()
            .map(Self::Backtracking)
            .map_err(|error| invalid(source, &clearest(&refusal, &error)))
    }

    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, OutOfSteps> {
        match self {
            Self::Linear(regex) => Ok(regex.is_match(text)),
            Self::Backtracking(tiers) => {
                let tier = TIERS.iter().position(|&(longest, _)| text.len() <= longest);
                let regex = tier.and_then(|tier| tiers.get(tier)).ok_or(OutOfSteps)?;
                regex.is_match(text).map_err(|_| OutOfSteps)
            }
        }
    }
}

fn invalid(source: &str, why: &str) -> CompileError {
    CompileError::new(format!("invalid regex {}: {why}", super::text::quote(source)))
}

/// The linear engine explains itself better, unless all it says is that the pattern is not for it.
fn clearest(linear: &str, fancy: &fancy_regex::Error) -> String {
    let last = linear.lines().last().unwrap_or_default().trim_start_matches("error: ");
    if last.contains("look-around") || last.contains("backreferences") { fancy.to_string() } else { last.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        let compiled = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(compiled.is_match(text), Ok(expected), "{pattern:?} on {text:?}");
    }

    #[track_caller]
    fn check_refused(pattern: &str, message: &str) {
        let error = Pattern::compile(pattern).map(|_| ()).expect_err(pattern);
        assert!(error.to_string().contains(message), "{pattern}: {error}");
    }

    #[test]
    fn classes_and_boundaries_are_ascii_as_in_javascript() {
        for wrap in ["", "(?=.)"] {
            check(&format!(r"{wrap}^\d+$"), "123", true);
            check(&format!(r"{wrap}^\d$"), "٣", false);
            check(&format!(r"{wrap}^\w+$"), "caf", true);
            check(&format!(r"{wrap}^\w+$"), "café", false);
            check(&format!(r"{wrap}^[\w.-]+$"), "a.b-c", true);
            check(&format!(r"{wrap}^[^\d\s]+$"), "ab", true);
            check(&format!(r"{wrap}^[\D]$"), "٣", true);
            check(&format!(r"{wrap}^\s$"), "\u{feff}", true);
            check(&format!(r"{wrap}^\S$"), "\u{85}", true);
        }
        // The boundary between `f` and `é` exists in ASCII only.
        for wrap in ["", "(?=c)"] {
            check(&format!(r"{wrap}caf\b"), "café", true);
            check(&format!(r"{wrap}caf\B"), "café", false);
            check(&format!(r"{wrap}caf\B"), "cafe", true);
        }
    }

    #[test]
    fn the_dollar_is_the_very_end() {
        for wrap in ["", "(?=y)"] {
            check(&format!("{wrap}yes$"), "yes", true);
            check(&format!("{wrap}yes$"), "yes\n", false);
            check(&format!("(?m){wrap}yes$"), "yes\nno", true);
            check(&format!("(?m){wrap}yes$"), "yes\r\nno", true);
        }
        check("a.b", "a\rb", false);
        check("(?s)a.b", "a\nb", true);
    }

    #[test]
    fn look_around_and_back_references_work() {
        check(r"^(?!.*\bsorry\b).*$", "all is well", true);
        check(r"^(?!.*\bsorry\b).*$", "so sorry", false);
        check(r"(?<=€)\d+", "€5", true);
        check(r"(?<!\$)\b\d+", "$5", false);
        check(r"\b(\w+) \1\b", "the the", true);
        check(r"(?<q>['x])a\k<q>", "xax", true);
    }

    #[test]
    fn javascript_spellings_that_rust_lacks_are_understood() {
        check(r#"^{"status": "ok"}$"#, r#"{"status": "ok"}"#, true);
        check(r"^a{2,3}$", "aaa", true);
        check(r"^a{,3}$", "a{,3}", true);
        check(r"\/path\/\<\'\_", "/path/<'_", true);
        check(r"^\u0041\x42\u{43}\uD83D\uDE00$", "ABC😀", true);
        check(r"^[\b\cJ\0]+$", "\u{8}\n\0", true);
        check(r"^[^]$", "\n", true);
        check(r"^[[&&~~a-]+$", "[&~-a", true);
        check(r"^[\w-.]+$", "a-.", true);
        check(r"\p{Script=Greek}", "λ", true);
        check("(?i)refund", "REFUND", true);
        check("(?<year>[0-9]{4})", "in 2024", true);
    }

    #[test]
    fn what_is_no_regex_is_an_error_that_says_why() {
        check_refused("a(b", "unclosed group");
        check_refused("(?=a", "Opening parenthesis without closing");
        check_refused("*a", "repetition");
        check_refused("[a", "not closed");
        check_refused(r"a\", "lone backslash");
        check_refused(r"\Aa\z", r"`\A`");
        check_refused(r"\uD83D", r"`\u`");
        check_refused("(?R)", "form that JavaScript");
        check_refused(r"(a)\g<1>", r"`\g`");
        check_refused(r"(a)\2", "back");
        check_refused(r"\p{Nonsense}", "property");
        check_refused("(((a{500}){500}){500})", "too large");
        check_refused("", "empty");
    }

    #[test]
    fn a_pattern_of_10_kb_is_compiled_or_refused_but_not_for_long() {
        let started = Instant::now();
        check(&vec!["word"; 2_000].join("|"), "a word", true);
        check(&format!("^{}$", "a?".repeat(5_000)), "aaa", true);
        check_refused(&"(".repeat(10_000), "invalid regex");
        for bomb in
            ["(a{9}){9}".repeat(1_000), "(?=a)".repeat(2_000), "[a-z\\w]{3,}".repeat(800), "\\1(a)".repeat(2_000)]
        {
            if let Ok(pattern) = Pattern::compile(&bomb) {
                let _ = pattern.is_match(&"a".repeat(50));
            }
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }

    #[test]
    fn bombs_end_quickly() {
        let started = Instant::now();
        check("(a+)+$", &format!("{}b", "a".repeat(200_000)), false);
        check("(x+x+)+y", &"x".repeat(5_000), false);
        let steps = |pattern: &str, length: usize| Pattern::compile(pattern).unwrap().is_match(&"a".repeat(length));
        for bomb in [r"(a+)+\1b", r"^(a|a)*\1?(?=c)", r"(a*)*(?=b)\1", r"(?=(a+)+b)c", r"(.+?)\1\1\1\1z"] {
            for length in [40, 2_000, 50_000] {
                assert_ne!(steps(bomb, length), Ok(true), "{bomb}");
            }
        }
        assert_eq!(steps(r"^(a|aa)+\1[bc]", 2_000), Err(OutOfSteps));
        assert_eq!(steps("(?=.*x)y", 50_000), Err(OutOfSteps));
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_text_panics(pattern in "\\PC{0,20}", text in "\\PC{0,40}") {
            if let Ok(pattern) = Pattern::compile(&pattern) {
                let _ = pattern.is_match(&text);
            }
        }

        #[test]
        fn patterns_of_regex_characters_do_not_panic(pattern in r"[\\\[\](){}^$.*+?|\-&~<=!:abdDwWsSkupx0-9,]{0,16}", text in "[ab0 -]{0,20}") {
            if let Ok(pattern) = Pattern::compile(&pattern) {
                let _ = pattern.is_match(&text);
            }
        }

        #[test]
        fn an_escaped_text_matches_itself(text in "[ -~é€😀]{1,20}") {
            let escaped: String = text.chars().map(|c| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }).collect();
            prop_assert_eq!(Pattern::compile(&format!("^{escaped}$")).unwrap().is_match(&text), Ok(true));
        }
    }
}
