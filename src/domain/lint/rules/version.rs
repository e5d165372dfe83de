//! `version-not-bumped`: what the model gets changed, the version did not. Knows no other rule.

use crate::domain::lint::place;
use crate::domain::lint::{Config, Finding, Rule, RuleId, Subject};
use crate::domain::prompt::{Format, Prompt};

/// The rule.
pub struct VersionNotBumped;

impl Rule for VersionNotBumped {
    fn id(&self) -> RuleId {
        RuleId::VersionNotBumped
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        let [member] = subject.members else { return };
        let Some(base) = member.base.filter(|_| Format::of(subject.path) != Some(Format::Promptfoo)) else { return };
        let Some(before) = &base.version else { return };
        if says_the_same(base, member.prompt) {
            return;
        }
        let (message, next) = match &member.prompt.version {
            Some(after) if after.cmp_precedence(before).is_gt() => return,
            Some(after) if after == before => (format!("the prompt changed and its version is still {before}"), before),
            Some(after) => (format!("the prompt changed and its version went from {before} to {after}"), before),
            None => (format!("the prompt changed and its version, {before}, is gone"), before),
        };
        let help =
            format!("raise `version`, for instance to {}.{}.{}", next.major, next.minor, next.patch.saturating_add(1));
        let at = place::key(subject.own_text(), "version");
        found.push(Finding::of_file(self.id(), subject.path, message, help).at(at));
    }
}

/// Whether a model would get the same from both.
fn says_the_same(a: &Prompt, b: &Prompt) -> bool {
    a.body.source() == b.body.source()
        && a.model == b.model
        && a.parameters == b.parameters
        && a.response_format == b.response_format
        && a.tools == b.tools
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(base: &str, head: &str, expected: &[&str]) {
        let file = |text: &str| format!("{text}\nmessages: [{{role: user, content: hi}}]\n");
        Bench::new(&file(head)).base(&file(base)).expect("version-not-bumped", expected);
    }

    #[test]
    fn another_text_wants_another_version() {
        let same = "1 version-not-bumped: the prompt changed and its version is still 1.2.3";
        check("version: 1.2.3\nmodel: openai/a", "version: 1.2.3\nmodel: openai/b", &[same]);
        check("version: 1.2.3", "version: 1.2.3\nmodelParameters: {temperature: 1}", &[same]);
        let lower = "1 version-not-bumped: the prompt changed and its version went from 1.2.3 to 1.2.2";
        check("version: 1.2.3\nmodel: openai/a", "version: 1.2.2\nmodel: openai/b", &[lower]);
        let gone = "- version-not-bumped: the prompt changed and its version, 1.2.3, is gone";
        check("version: 1.2.3\nmodel: openai/a", "model: openai/b", &[gone]);
    }

    #[test]
    fn a_higher_version_or_the_same_text_is_fine() {
        check("version: 1.2.3\nmodel: openai/a", "version: 1.3.0\nmodel: openai/b", &[]);
        check("version: 1.2.3", "version: 1.2.3\ndescription: other words", &[]);
        check("model: openai/a", "model: openai/b", &[]);
        Bench::new("version: 1.0.0\nmessages: [{role: user, content: hi}]\n").expect("version-not-bumped", &[]);
    }
}
