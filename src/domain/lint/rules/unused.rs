//! `unused-variable`: declared names that nothing uses. Knows no other rule.

use crate::domain::lint::place;
use crate::domain::lint::{Config, Finding, MOST_HITS, Member, Part, Rule, RuleId, Subject};

/// The rule.
pub struct UnusedVariable;

impl Rule for UnusedVariable {
    fn id(&self) -> RuleId {
        RuleId::UnusedVariable
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        for member in subject.members {
            let names = member.prompt.variables.keys().take(MOST_HITS);
            for name in names.filter(|name| !is_used(subject, member, name)) {
                let message = format!("variable `{name}` is declared and nothing uses it");
                let finding = Finding::of_file(self.id(), subject.path, message, "remove the declaration, or use it");
                found.push(finding.at(place::key(subject.own_text(), name)));
            }
        }
    }
}

/// Whether the name stands anywhere in what is said, or in an evaluator. A template's conditions are not told apart from its
/// words: better to miss one than to accuse one that is used.
fn is_used(subject: &Subject<'_>, member: &Member<'_>, name: &str) -> bool {
    let in_prompt = || member.prompt.body.places().iter().any(|place| root(place.variable) == name);
    let in_source = || stands_in(&member.prompt.body.source(), name);
    let in_parts = || {
        let parts = subject.texts.iter().filter(|text| text.part == Part::Attached);
        parts.into_iter().any(|text| stands_in(text.text, name))
    };
    let in_own_evaluators = || member.prompt.evaluator_variables.iter().any(|(used, _)| root(used) == name);
    let in_cases = || {
        let cases = member.golden.iter().flat_map(|set| &set.cases);
        cases.flat_map(|case| &*case.evaluators).any(|evaluator| evaluator.variables().any(|used| root(used) == name))
    };
    in_prompt() || in_source() || in_parts() || in_own_evaluators() || in_cases()
}

fn root(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Whether the name stands in the text as a word.
fn stands_in(text: &str, name: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !is_word(before) && !is_word(after)
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(name: &str, file: &str, expected: &[&str]) {
        Bench::named(name, file).expect("unused-variable", expected);
    }

    #[test]
    fn a_declaration_that_nothing_uses_is_told_at_its_line() {
        check(
            "a.prompt.yml",
            "variables:\n  amount: {}\n  amounts: {}\nmessages:\n  - {role: user, content: \"{{amount}}\"}\n",
            &["3 unused-variable: variable `amounts` is declared and nothing uses it"],
        );
    }

    #[test]
    fn use_in_an_evaluator_or_a_condition_is_use() {
        check(
            "a.prompt.yml",
            "variables: { amount: }\nmessages:\n  - {role: user, content: hi}\nevaluators:\n  - contains: \"{{amount}}\"\n",
            &[],
        );
        check(
            "a.prompt",
            "---\ninput: { schema: { polite?: boolean } }\n---\n{{#if polite}}Please answer{{/if}}\n",
            &[],
        );
    }
}
