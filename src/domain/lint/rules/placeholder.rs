//! `leftover-placeholder`: words that stand for text to come, in what a prompt says or says of itself. Knows no other rule.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::init::MARK;
use crate::domain::lint::place::{self, Places};
use crate::domain::lint::{Config, Finding, MOST_HITS, Member, Part, Rule, RuleId, Subject};

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test compiles it")]
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:TODO|TBD|FIXME|XXX)\b",
        r"|(?i:\blorem ipsum\b)",
        r"|(?i:<(?:insert|enter|your|fill in|put|replace)\b[ ][^<>\n]{1,60}>)",
        r"|(?i:\[(?:insert|enter|your|fill in|put|replace)[ _][^\[\]\n]{1,60}\])",
        r"|\[(?:NAME|COMPANY|COMPANY[ _]NAME|DATE|PLACEHOLDER|INSERT|TEXT HERE)\]",
    ))
    .unwrap()
});

/// What follows `TODO` where it is a thing and no note.
const TODO_THINGS: [&str; 5] = ["list", "item", "app", "task", "entr"];

/// The rule.
pub struct LeftoverPlaceholder;

impl Rule for LeftoverPlaceholder {
    fn id(&self) -> RuleId {
        RuleId::LeftoverPlaceholder
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        for text in subject.texts.iter().filter(|text| text.part == Part::GoldenSet) {
            let mut places = Places::new(text.text);
            let is_comment = |at: &usize| {
                text.text
                    .get(..*at)
                    .and_then(|before| before.lines().last())
                    .is_some_and(|line| line.trim_start().starts_with('#'))
            };
            let hits = text.text.match_indices(MARK).map(|(at, _)| at).filter(|at| !is_comment(at));
            for at in hits.take(MOST_HITS) {
                let message = format!("the placeholder `{MARK}` was left in a case, which therefore tests little");
                let help = "write a real input that belongs there";
                found.push(
                    Finding::of_file(self.id(), text.path, message, help).at(Some(places.of(&(at..at + MARK.len())))),
                );
            }
        }
        for member in subject.members {
            for (first_line, text) in said(member) {
                let mut from = first_line;
                for hit in PLACEHOLDER.find_iter(&text).take(MOST_HITS) {
                    let rest = text.get(hit.end()..).unwrap_or("").trim_start_matches([' ', '-']).to_lowercase();
                    if hit.as_str() == "TODO" && TODO_THINGS.iter().any(|thing| rest.starts_with(thing)) {
                        continue;
                    }
                    let at = place::words(subject.own_text(), from, hit.as_str());
                    from = at.map_or(from, |at| at.line + 1);
                    let message = format!("the placeholder `{}` was left in", hit.as_str());
                    let help = "write the text that belongs there";
                    found.push(Finding::of_file(self.id(), subject.path, message, help).at(at));
                }
            }
        }
    }
}

/// What the prompt says of itself and what it says, each with the line it is looked for from.
fn said(member: &Member<'_>) -> Vec<(u32, String)> {
    let prompt = member.prompt;
    let about = [&prompt.description, &prompt.use_case, &prompt.example_output];
    let mut said: Vec<(u32, String)> = about.into_iter().flatten().map(|text| (1, text.clone())).collect();
    said.push((1, prompt.name.clone()));
    said.push((prompt.body.lines().map_or(1, |(first, _)| first), prompt.body.source()));
    said
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(content: &str, expected: Option<&str>) {
        let file = format!("name: a\nmessages:\n  - role: user\n    content: |\n      Hello.\n      {content}\n");
        let expected = expected.map(|found| format!("6 leftover-placeholder: the placeholder `{found}` was left in"));
        Bench::new(&file).expect("leftover-placeholder", &expected.as_deref().into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn cases_that_init_could_only_begin_are_found_and_the_comment_on_them_is_not() {
        let golden = "# Put a real input in the place of each REPLACE ME.\ncases:\n  - id: a\n    vars: { q: \"REPLACE ME: q\" }\n    expected: x\n";
        Bench::new("name: a\nmessages: [{ role: user, content: \"Hi {{q}}\" }]\n").golden(golden).expect(
            "leftover-placeholder",
            &["golden:4 leftover-placeholder: the placeholder `REPLACE ME` was left in a case, which therefore tests little"],
        );
    }

    #[test]
    fn notes_to_oneself_are_found() {
        check("TODO: tone", Some("TODO"));
        check("Limits are TBD.", Some("TBD"));
        check("FIXME", Some("FIXME"));
        check("XXX", Some("XXX"));
        check("Lorem ipsum dolor", Some("Lorem ipsum"));
        check("Sign as <insert name here>.", Some("<insert name here>"));
        check("Sign as [YOUR NAME].", Some("[YOUR NAME]"));
        check("From [Your company name]", Some("[Your company name]"));
        check("From [COMPANY]", Some("[COMPANY]"));
    }

    #[test]
    fn words_that_only_look_like_it_are_not() {
        for text in [
            "Write a TODO list.",
            "Sort the TODO items.",
            "Answer in <answer> tags.",
            "Put it into <your_answer>.",
            "methodology, todos",
            "See [1] and [the manual].",
            "Size XXXL",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn comments_and_cases_are_no_part_of_what_is_said() {
        let file = "# TODO: another model\nname: a\nmessages: [{role: user, content: \"{{x}}\"}]\ntestData: [{x: TODO, expected: y}]\n";
        Bench::new(file).expect("leftover-placeholder", &[]);
        let file = "description: TBD\nmessages: [{role: user, content: hi}]\n";
        Bench::new(file).expect("leftover-placeholder", &["1 leftover-placeholder: the placeholder `TBD` was left in"]);
    }
}
