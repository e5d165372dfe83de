//! `near-duplicate`: another prompt of the repository that says nearly the same. Knows no other rule.

use crate::domain::lint::near_duplicate::MIN_WORDS;
use crate::domain::lint::place;
use crate::domain::lint::{Config, Finding, Neighbours, Rule, RuleId, Subject};

/// The rule.
pub struct NearDuplicate;

impl Rule for NearDuplicate {
    fn id(&self) -> RuleId {
        RuleId::NearDuplicate
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        let Some(Neighbours { index, looked_at }) = subject.neighbours else { return };
        for member in subject.members {
            let source = member.prompt.body.source();
            // What a change leaves as it was is no news.
            if member.base.is_some_and(|base| base.body.source() == source) {
                continue;
            }
            let is_other = |path: &_| path != subject.path && !(looked_at.contains(path) && path > subject.path);
            let Some(near) = index.nearest(&source, is_other) else { continue };
            let message = format!("the prompt is {} % the same as {}", near.percent(), near.path);
            let help = format!(
                "use one prompt for both, or say why there are two: `promptops: allow {} because …`",
                self.id().name()
            );
            let at = member.prompt.body.lines().map(|(first, _)| place::line(first));
            found.push(Finding::of_file(self.id(), subject.path, message, help).at(at));
            // Prompts of one file are often one text for several models.
            break;
        }
    }
}

const _: () = assert!(MIN_WORDS == 12, "the rule's description names the number");

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    const TEXT: &str = "You answer customers of a parcel service politely and never promise a date for {{order}}";

    fn file(text: &str) -> String {
        format!("messages:\n  - {{role: user, content: \"{text}\"}}\n")
    }

    #[track_caller]
    fn check(name: &str, others: &[(&str, &str)], expected: &[&str]) {
        Bench::named(name, &file(TEXT)).others(others).expect("near-duplicate", expected);
    }

    #[test]
    fn the_other_prompt_is_named_with_how_alike_it_is() {
        check(
            "b.prompt.yml",
            &[("a.prompt.yml", &TEXT.replace("order", "parcel").to_uppercase())],
            &["2 near-duplicate: the prompt is 100 % the same as a.prompt.yml"],
        );
        let longer = format!("{TEXT} today");
        check(
            "b.prompt.yml",
            &[("a.prompt.yml", "Something else entirely"), ("z.prompt.yml", &longer)],
            &["2 near-duplicate: the prompt is 93 % the same as z.prompt.yml"],
        );
    }

    #[test]
    fn of_two_that_are_looked_at_the_later_is_told() {
        let others = [("b.prompt.yml", TEXT)];
        Bench::named("a.prompt.yml", &file(TEXT))
            .others(&others)
            .looking_at(&["b.prompt.yml"])
            .expect("near-duplicate", &[]);
        Bench::named("c.prompt.yml", &file(TEXT))
            .others(&others)
            .looking_at(&["b.prompt.yml"])
            .expect("near-duplicate", &["2 near-duplicate: the prompt is 100 % the same as b.prompt.yml"]);
    }

    #[test]
    fn short_prompts_and_texts_that_a_change_leaves_alone_are_not_told() {
        Bench::named("b.prompt.yml", &file("You are a helpful assistant."))
            .others(&[("a.prompt.yml", "You are a helpful assistant.")])
            .expect("near-duplicate", &[]);
        Bench::named("b.prompt.yml", &file(TEXT))
            .base(&format!("name: older\n{}", file(TEXT)))
            .others(&[("a.prompt.yml", TEXT)])
            .expect("near-duplicate", &[]);
    }
}
