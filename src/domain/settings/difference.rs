//! What a change of the settings changes, key by key, and whether the gate is looser for it. Pure.

use std::fmt::Debug;

use super::Settings;

/// One sentence per key that says something else, those first by which the gate is looser.
#[must_use]
pub fn difference(base: &Settings, head: &Settings) -> Vec<String> {
    let mut said = Said::default();
    let number = |value: &f64| value.to_string();
    said.add("evaluation.margin", (base.margin, head.margin), head.margin > base.margin, number);
    said.floor("evaluation.min_score", base.min_score, head.min_score);
    said.limit("evaluation.max_cost_increase", base.max_cost_increase, head.max_cost_increase);
    said.limit("evaluation.max_latency_increase", base.max_latency_increase, head.max_latency_increase);
    said.limit("evaluation.budget.run_usd", base.run_usd, head.run_usd);
    said.limit("evaluation.budget.pull_request_usd", base.pull_request_usd, head.pull_request_usd);
    said.limit("evaluation.budget.day_usd", base.day_usd, head.day_usd);
    said.limit("evaluation.budget.author_day_usd", base.author_day_usd, head.author_day_usd);
    said.add("evaluation.trials", (base.trials, head.trials), head.trials < base.trials, ToString::to_string);
    let model = |model: &Option<_>| model.as_ref().map_or("none".to_owned(), ToString::to_string);
    said.add("evaluation.model", (base.model.clone(), head.model.clone()), false, model);
    said.add("evaluation.judge", (base.judge.clone(), head.judge.clone()), true, model);
    said.add("evaluation.embeddings", (base.embeddings.clone(), head.embeddings.clone()), true, model);
    said.add("evaluation.forks", (base.forks, head.forks), false, |forks| format!("{forks:?}").to_lowercase());
    said.list("prompts.include", &base.include, &head.include, true);
    said.list("prompts.exclude", &base.exclude, &head.exclude, true);
    said.list("lint.banned_phrases", &base.banned_phrases, &head.banned_phrases, false);
    said.list("lint.require", &base.required_metadata, &head.required_metadata, false);
    roles(base, head, &mut said);
    rules(base, head, &mut said);
    if base.policy.overriders != head.policy.overriders {
        said.looser.push("override: who may override changes".to_owned());
    }
    if said.looser.is_empty() && said.others.is_empty() && base != head {
        said.looser.push("something changes that is not told key by key".to_owned());
    }
    said.looser.iter().map(|sentence| format!("looser: {sentence}")).chain(said.others).collect()
}

#[derive(Default)]
struct Said {
    looser: Vec<String>,
    others: Vec<String>,
}

impl Said {
    fn push(&mut self, looser: bool, sentence: String) {
        if looser { self.looser.push(sentence) } else { self.others.push(sentence) }
    }

    fn add<T: PartialEq>(&mut self, key: &str, (base, head): (T, T), looser: bool, show: impl Fn(&T) -> String) {
        if base != head {
            self.push(looser, format!("{key} is {}, before: {}", show(&head), show(&base)));
        }
    }

    /// A limit that is higher or gone lets more through.
    fn limit(&mut self, key: &str, base: Option<f64>, head: Option<f64>) {
        let looser = head.unwrap_or(f64::INFINITY) > base.unwrap_or(f64::INFINITY);
        self.add(key, (base, head), looser, shown);
    }

    /// A floor that is lower or gone lets more through.
    fn floor(&mut self, key: &str, base: Option<f64>, head: Option<f64>) {
        let looser = head.unwrap_or(f64::NEG_INFINITY) < base.unwrap_or(f64::NEG_INFINITY);
        self.add(key, (base, head), looser, shown);
    }

    /// A list; where `either_way`, more of it may be looser too, else only less of it.
    fn list<T: PartialEq + Debug>(&mut self, key: &str, base: &[T], head: &[T], either_way: bool) {
        if base != head {
            let lost = base.iter().any(|item| !head.contains(item));
            self.push(either_way || lost, format!("{key} is {head:?}, before: {base:?}"));
        }
    }
}

fn shown(number: &Option<f64>) -> String {
    number.map_or("none".to_owned(), |number| number.to_string())
}

fn roles(base: &Settings, head: &Settings, said: &mut Said) {
    for (name, members) in &base.roles {
        match head.roles.get(name) {
            Some(now) if now == members => {}
            Some(_) => said.looser.push(format!("roles.{name}: its members change")),
            None => said.looser.push(format!("roles.{name} is removed")),
        }
    }
    let new = head.roles.keys().filter(|name| !base.roles.contains_key(*name));
    said.others.extend(new.map(|name| format!("roles.{name} is new")));
}

/// A new rule may be a waiver, and an edited one may ask for less: only a new rule without a verdict is known to be none.
fn rules(base: &Settings, head: &Settings, said: &mut Said) {
    let (base, head) = (&base.policy.rules, &head.policy.rules);
    for rule in base {
        match head.iter().find(|new| new.name == rule.name) {
            Some(new) if new == rule => {}
            Some(_) => said.looser.push(format!("approval: rule “{}” is edited", rule.name)),
            None => said.looser.push(format!("approval: rule “{}” is removed", rule.name)),
        }
    }
    for rule in head.iter().filter(|new| base.iter().all(|rule| rule.name != new.name)) {
        said.push(!rule.when.verdict.is_empty(), format!("approval: rule “{}” is new", rule.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromptPath;
    use crate::domain::settings::parse;

    fn settings(text: &str) -> Settings {
        let path = PromptPath::parse(super::super::SETTINGS_PATH).unwrap();
        parse(&path, text.as_bytes()).unwrap_or_else(|found| panic!("{found:?}\n{text}")).value
    }

    #[track_caller]
    fn check(base: &str, head: &str, expected: &[&str]) {
        assert_eq!(difference(&settings(base), &settings(head)), expected);
    }

    #[test]
    fn what_lets_more_through_comes_first_and_is_marked() {
        check("", "", &[]);
        check(
            "evaluation: { margin: 0.05, min_score: 0.8, trials: 3 }",
            "evaluation: { margin: 0.2, trials: 5, max_cost_increase: 0.1 }",
            &[
                "looser: evaluation.margin is 0.2, before: 0.05",
                "looser: evaluation.min_score is none, before: 0.8",
                "evaluation.max_cost_increase is 0.1, before: none",
                "evaluation.trials is 5, before: 3",
            ],
        );
        check(
            "evaluation: { judge: openai/gpt-4o }",
            "evaluation: { judge: openai/gpt-4o-mini }",
            &["looser: evaluation.judge is openai/gpt-4o-mini, before: openai/gpt-4o"],
        );
        check(
            "lint: { require: [owner] }",
            "lint: { require: [owner, tags] }",
            &["lint.require is [\"owner\", \"tags\"], before: [\"owner\"]"],
        );
    }

    #[test]
    fn rules_and_roles_are_named() {
        let rule = |name: &str, more: &str| {
            format!("  - {{ name: {name}, {more}require: {{ count: 1, from: ['@mara'] }} }}\n")
        };
        let base = format!("roles: {{ leads: ['@lee'] }}\napproval:\n{}{}", rule("one", ""), rule("two", ""));
        let head = format!(
            "roles: {{ leads: ['@lee', '@ann'] }}\napproval:\n{}{}{}",
            rule("one", "when: { paths: [a] }, "),
            rule("three", ""),
            rule("four", "when: { verdict: [regression] }, ")
        );
        check(
            &base,
            &head,
            &[
                "looser: roles.leads: its members change",
                "looser: approval: rule “one” is edited",
                "looser: approval: rule “two” is removed",
                "looser: approval: rule “four” is new",
                "approval: rule “three” is new",
            ],
        );
    }
}
