//! `undeclared-variable`: names that are used and not declared, where any are declared. Knows no other rule.

use std::collections::BTreeSet;

use crate::domain::lint::{Config, Finding, MOST_HITS, Rule, RuleId, Subject};
use crate::domain::reader::suggestion;

/// The rule.
pub struct UndeclaredVariable;

impl Rule for UndeclaredVariable {
    fn id(&self) -> RuleId {
        RuleId::UndeclaredVariable
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        for member in subject.members.iter().filter(|member| !member.prompt.variables.is_empty()) {
            let declared: Vec<&str> = member.prompt.variables.keys().map(String::as_str).collect();
            let mut told = BTreeSet::new();
            for place in member.prompt.body.places() {
                let name = place.variable.split('.').next().unwrap_or(place.variable);
                // Dotprompt's `@` values come from elsewhere.
                let is_known = member.prompt.variables.contains_key(name);
                if name.starts_with('@') || is_known || told.len() >= MOST_HITS || !told.insert(name.to_owned()) {
                    continue;
                }
                let message = format!("variable `{name}` is used and not declared");
                let help = match suggestion(name, &declared) {
                    help if help.starts_with("did") => format!("{help} Else declare it under `variables`"),
                    _ => "declare it under `variables`".to_owned(),
                };
                found.push(Finding::of_file(self.id(), subject.path, message, help).at(place.at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(file: &str, expected: &[&str]) {
        Bench::new(file).expect("undeclared-variable", expected);
    }

    #[test]
    fn a_name_that_is_not_declared_is_told_where_it_stands() {
        check(
            "variables: { amount: }\nmessages:\n  - {role: user, content: \"{{amuont}} and {{amuont}} of {{amount}}\"}\n",
            &["3 undeclared-variable: variable `amuont` is used and not declared"],
        );
        check("variables: { order: }\nmessages:\n  - {role: user, content: \"{{order.id}}\"}\n", &[]);
    }

    #[test]
    fn a_prompt_that_declares_nothing_is_left_alone() {
        check("messages:\n  - {role: user, content: \"{{amount}}\"}\n", &[]);
    }
}
