//! A repository's settings under what its organisation enforces: the stricter value counts. Pure; reads no file.

use super::enforce::{Enforced, RULE_PREFIX};
use super::{Forks, Settings};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::Reader;

/// A value of a repository that gave way to a stricter one of its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overruled {
    /// The keys that lead to it in the file.
    pub keys: &'static [&'static str],
    /// Both values, in words.
    pub message: String,
}

impl Enforced {
    /// The settings with every bound kept, and what had to give way. Doing it again changes nothing.
    #[must_use]
    pub fn over(&self, mut settings: Settings) -> (Settings, Vec<Overruled>) {
        let mut gave_way = GaveWay::default();
        self.over_evaluation(&mut settings, &mut gave_way);
        self.over_money(&mut settings, &mut gave_way);
        if let Some(overriders) = &self.overriders {
            if settings.policy.overriders.as_ref().is_some_and(|own| own != overriders) {
                gave_way.say(&["override"], "`override` is the organisation's: only the people it names may override");
            }
            settings.policy.overriders = Some(overriders.clone());
        }
        let own = std::mem::take(&mut settings.policy.rules);
        let own = own.into_iter().filter(|rule| self.rules.iter().all(|enforced| enforced.name != rule.name));
        settings.policy.rules = self.rules.iter().cloned().chain(own).collect();
        join(&mut settings.always, &self.always);
        join(&mut settings.banned_phrases, &self.banned_phrases);
        join(&mut settings.required_metadata, &self.required_metadata);
        self.over_lint(&mut settings, &mut gave_way);
        (settings, gave_way.0)
    }

    fn over_evaluation(&self, settings: &mut Settings, gave_way: &mut GaveWay) {
        if let Some(judge) = &self.judge {
            if settings.judge.as_ref().is_some_and(|own| own != judge) {
                gave_way.say(&["evaluation", "judge"], format!("`judge` is {judge}, which the organisation enforces"));
            }
            settings.judge = Some(judge.clone());
        }
        if let Some(least) = self.trials.filter(|least| settings.trials < *least) {
            let message = format!("`trials` is {}, but the organisation asks for at least {least}", settings.trials);
            gave_way.say(&["evaluation", "trials"], message);
            settings.trials = least;
        }
        let mut margin = Some(settings.margin);
        gave_way.at_most(&["evaluation", "margin"], &mut margin, self.margin);
        settings.margin = margin.unwrap_or(settings.margin);
        if let Some(least) = self.min_score {
            if let Some(own) = settings.min_score.filter(|own| *own < least) {
                let message = format!("`min_score` is {own}, but the organisation asks for at least {least}");
                gave_way.say(&["evaluation", "min_score"], message);
            }
            settings.min_score = Some(settings.min_score.map_or(least, |own| own.max(least)));
        }
        let (cost, latency) = (&mut settings.max_cost_increase, &mut settings.max_latency_increase);
        gave_way.at_most(&["evaluation", "max_cost_increase"], cost, self.max_cost_increase);
        gave_way.at_most(&["evaluation", "max_latency_increase"], latency, self.max_latency_increase);
        if let Some(forks) = self.forks.filter(|forks| strictness(settings.forks) < strictness(*forks)) {
            gave_way.say(&["evaluation", "forks"], "`forks` lets more pass than the organisation allows");
            settings.forks = forks;
        }
    }

    fn over_lint(&self, settings: &mut Settings, gave_way: &mut GaveWay) {
        for (rule, least) in &self.lint_rules {
            let own = settings.lint_rules.get(rule).copied();
            if let Some(own) = own.filter(|own| own < least) {
                let (rule, own, least) = (rule.about().name, own.name(), least.name());
                gave_way.say(
                    &["lint", "rules"],
                    format!("`{rule}` is {own}, but the organisation asks for at least {least}"),
                );
            }
            settings.lint_rules.insert(*rule, own.unwrap_or_else(|| rule.about().level).max(*least));
        }
    }

    fn over_money(&self, settings: &mut Settings, gave_way: &mut GaveWay) {
        let most = &self.budgets;
        gave_way.at_most(&["evaluation", "budget", "run_usd"], &mut settings.run_usd, most.run_usd);
        let own = &mut settings.pull_request_usd;
        gave_way.at_most(&["evaluation", "budget", "pull_request_usd"], own, most.pull_request_usd);
        gave_way.at_most(&["evaluation", "budget", "day_usd"], &mut settings.day_usd, most.day_usd);
        gave_way.at_most(
            &["evaluation", "budget", "author_day_usd"],
            &mut settings.author_day_usd,
            most.author_day_usd,
        );
    }
}

/// The same for a file that was just read: what gave way is a warning at its place, as far as the file says it.
pub(super) fn apply(reader: &mut Reader<'_>, node: &Node, settings: Settings, enforced: &Enforced) -> Settings {
    for (index, rule) in settings.policy.rules.iter().enumerate() {
        if rule.name.starts_with(RULE_PREFIX) {
            let message = format!("the name `{}` is kept for rules that the organisation enforces", rule.name);
            let place = node.get("approval").and_then(|rules| item(rules, index)).map_or(node.at, |rule| rule.at);
            reader.error("reserved-name", place, message, format!("do not begin it with `{}`", RULE_PREFIX.trim_end()));
        }
    }
    let (settings, overruled) = enforced.over(settings);
    for overruled in overruled {
        let place = overruled.keys.iter().try_fold(node, |node, key| node.get(key));
        // A default that gave way is nobody's mistake.
        if let Some(place) = place {
            let help = "the stricter value counts; remove the key, or make it as strict as `enforce` in the organisation's settings";
            reader.warning("overruled", place.at, overruled.message, help);
        }
    }
    settings
}

fn item(list: &Node, index: usize) -> Option<&Node> {
    match &list.kind {
        Kind::List(items) => items.get(index),
        _ => None,
    }
}

#[derive(Default)]
struct GaveWay(Vec<Overruled>);

impl GaveWay {
    fn say(&mut self, keys: &'static [&'static str], message: impl Into<String>) {
        self.0.push(Overruled { keys, message: message.into() });
    }

    /// Keeps a value at or below a bound; an absent one is no limit.
    fn at_most(&mut self, keys: &'static [&'static str], own: &mut Option<f64>, most: Option<f64>) {
        let Some(most) = most else { return };
        if let Some(value) = own.filter(|value| *value > most) {
            let key = keys.last().copied().unwrap_or_default();
            self.say(keys, format!("`{key}` is {value}, but the organisation allows at most {most}"));
        }
        *own = Some(own.map_or(most, |value| value.min(most)));
    }
}

fn strictness(forks: Forks) -> u8 {
    match forks {
        Forks::Approve => 0,
        Forks::Lint => 1,
        Forks::Never => 2,
    }
}

fn join(own: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !own.contains(one) {
            own.push(one.clone());
        }
    }
}

#[cfg(test)]
mod tests;
