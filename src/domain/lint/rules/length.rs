//! `prompt-too-long`: the prompt with its longest case, and its answer, against the model's context window. Knows no other
//! rule.

use crate::domain::golden::Case;
use crate::domain::ids::ModelId;
use crate::domain::lint::{Config, Finding, Member, Rule, RuleId, Subject};
use crate::domain::price::{context_window, expected_message_tokens, expected_tokens};

/// The rule.
pub struct PromptTooLong;

impl Rule for PromptTooLong {
    fn id(&self) -> RuleId {
        RuleId::PromptTooLong
    }

    fn check(&self, subject: &Subject<'_>, config: &Config<'_>, found: &mut Vec<Finding>) {
        for member in subject.members {
            let Some(model) = member.prompt.model.as_ref().or(config.model) else { continue };
            let Some(window) = context_window(model) else { continue };
            let (tokens, with) = tokens(member, model);
            let answer = member.prompt.parameters.max_tokens.unwrap_or(0);
            if tokens.saturating_add(answer) <= window {
                continue;
            }
            let room = if answer > 0 { format!(" and {answer} for the answer") } else { String::new() };
            let message = format!("about {tokens} tokens{with}{room}, and {model} takes {window}");
            found.push(Finding::of_file(
                self.id(),
                subject.path,
                message,
                "shorten it, or take a model with more room",
            ));
        }
    }
}

/// Tokens of the prompt with its longest case, and with which; without cases of the text as it is written.
fn tokens(member: &Member<'_>, model: &ModelId) -> (u32, String) {
    let longest = member.golden.and_then(|set| set.cases.iter().max_by_key(|case| length(case)));
    match longest.and_then(|case| Some((case, member.prompt.render(&case.vars).ok()?))) {
        Some((case, messages)) => (expected_message_tokens(model, &messages), format!(" with case `{}`", case.id)),
        None => (expected_tokens(model, &member.prompt.body.source()), String::new()),
    }
}

/// How long a case's values are, roughly.
fn length(case: &Case) -> usize {
    case.vars.iter().map(|(_, value)| value.as_str().map_or(16, str::len)).sum()
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(model: &str, words: usize, expected: &[&str]) {
        let golden = format!("cases:\n  - {{id: long, vars: {{x: \"{}\"}}, expected: y}}\n", "word ".repeat(words));
        let file = format!("{model}\nmessages: [{{role: user, content: \"{{{{x}}}}\"}}]\n");
        Bench::new(&file).golden(&golden).expect("prompt-too-long", expected);
    }

    #[test]
    fn a_prompt_that_its_model_cannot_take_is_told_with_the_case() {
        check("model: openai/gpt-3.5-turbo", 10_000, &[]);
        check(
            "model: openai/gpt-3.5-turbo",
            18_000,
            &["- prompt-too-long: about 18005 tokens with case `long`, and openai/gpt-3.5-turbo takes 16385"],
        );
        check(
            "model: openai/gpt-3.5-turbo\nmodelParameters: {maxTokens: 8000}",
            10_000,
            &[
                "- prompt-too-long: about 10005 tokens with case `long` and 8000 for the answer, and openai/gpt-3.5-turbo \
               takes 16385",
            ],
        );
    }

    #[test]
    fn a_model_whose_window_is_not_known_is_left_out() {
        check("model: gateway/ours", 300_000, &[]);
    }
}
