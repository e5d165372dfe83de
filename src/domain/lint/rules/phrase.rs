//! `banned-phrase`: phrases that settings ban, in what a prompt says and shows. Knows no other rule.

use crate::domain::lint::place;
use crate::domain::lint::{Config, Finding, MOST_HITS, Rule, RuleId, Subject};

/// The rule.
pub struct BannedPhrase;

impl Rule for BannedPhrase {
    fn id(&self) -> RuleId {
        RuleId::BannedPhrase
    }

    fn check(&self, subject: &Subject<'_>, config: &Config<'_>, found: &mut Vec<Finding>) {
        let Some(banned) = &config.banned else { return };
        for member in subject.members {
            let body = member.prompt.body.source();
            let first = member.prompt.body.lines().map_or(1, |(first, _)| first);
            let said = [(first, Some(body.as_str())), (1, member.prompt.example_output.as_deref())];
            for (mut from, text) in said.into_iter().filter_map(|(line, text)| Some((line, text?))) {
                for hit in banned.find_iter(text).take(MOST_HITS) {
                    // A phrase may run over two lines: its first words tell the place.
                    let start = hit.as_str().lines().next().unwrap_or("").trim_end();
                    let at = place::words(subject.own_text(), from, start);
                    from = at.map_or(from, |at| at.line + 1);
                    let phrase: Vec<&str> = hit.as_str().split_whitespace().collect();
                    let message = format!("the phrase `{}` is banned by the settings", phrase.join(" "));
                    let help = "say it in other words";
                    found.push(Finding::of_file(self.id(), subject.path, message, help).at(at));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(content: &str, expected: &[&str]) {
        let file = format!("name: a\nmessages:\n  - role: user\n    content: |\n      {content}\n");
        Bench::new(&file)
            .settings("lint: { banned_phrases: [world-class, \"as an AI\"] }\n")
            .expect("banned-phrase", expected);
    }

    #[test]
    fn phrases_are_whole_words_in_any_case() {
        check("A World-Class service", &["5 banned-phrase: the phrase `World-Class` is banned by the settings"]);
        check("Never say as\n      an AI.", &["5 banned-phrase: the phrase `as an AI` is banned by the settings"]);
        check(
            "Say it twice: world-class.\n      And world-class.",
            &[
                "5 banned-phrase: the phrase `world-class` is banned by the settings",
                "6 banned-phrase: the phrase `world-class` is banned by the settings",
            ],
        );
        check("An underworld-classic", &[]);
    }

    #[test]
    fn an_example_of_the_answer_counts_too_and_nothing_is_banned_by_itself() {
        let file = "exampleOutput: Our world-class team\nmessages: [{role: user, content: hi}]\n";
        Bench::new(file)
            .settings("lint: { banned_phrases: [world-class] }\n")
            .expect("banned-phrase", &["1 banned-phrase: the phrase `world-class` is banned by the settings"]);
        Bench::new(file).expect("banned-phrase", &[]);
    }
}
