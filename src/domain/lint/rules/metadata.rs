//! `missing-metadata`: keys that settings ask of every prompt. Knows no other rule.

use crate::domain::lint::{Config, Finding, Member, Rule, RuleId, Subject};
use crate::domain::prompt::{Format, stem};

/// The rule.
pub struct MissingMetadata;

impl Rule for MissingMetadata {
    fn id(&self) -> RuleId {
        RuleId::MissingMetadata
    }

    fn check(&self, subject: &Subject<'_>, config: &Config<'_>, found: &mut Vec<Finding>) {
        // A promptfoo config has no place for most of them.
        let [member] = subject.members else { return };
        if config.required.is_empty() || Format::of(subject.path) == Some(Format::Promptfoo) {
            return;
        }
        let missing: Vec<&str> =
            config.required.iter().map(String::as_str).filter(|key| !has(subject, member, key)).collect();
        if missing.is_empty() {
            return;
        }
        let named: Vec<String> = missing.iter().map(|key| format!("`{key}`")).collect();
        let message = format!("the prompt lacks {}, which the settings require", named.join(", "));
        found.push(Finding::of_file(self.id(), subject.path, message, "fill it in the prompt file"));
    }
}

/// Whether the prompt fills a key of `lint.require`.
fn has(subject: &Subject<'_>, member: &Member<'_>, key: &str) -> bool {
    let prompt = member.prompt;
    let filled = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    match key {
        // A prompt without a name is called after its file.
        "name" => prompt.name != stem(subject.path),
        "description" => filled(&prompt.description),
        "model" => prompt.model.is_some(),
        "version" => prompt.version.is_some(),
        "owner" => filled(&prompt.owner),
        "useCase" => filled(&prompt.use_case),
        "variables" => !prompt.variables.is_empty() || prompt.body.places().is_empty(),
        "exampleOutput" => filled(&prompt.example_output),
        "goldenSet" => member.golden.is_some(),
        "tags" => !prompt.tags.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(file: &str, expected: &[&str]) {
        let settings = "lint: { require: [name, owner, useCase, variables, exampleOutput] }\n";
        Bench::new(file).settings(settings).expect("missing-metadata", expected);
    }

    #[test]
    fn what_settings_require_has_to_be_there() {
        let messages = "messages: [{role: user, content: \"Refund {{amount}}\"}]\n";
        check(
            messages,
            &[
                "- missing-metadata: the prompt lacks `name`, `owner`, `useCase`, `variables`, `exampleOutput`, which the \
               settings require",
            ],
        );
        check(
            &format!("name: r\nowner: \"@ann\"\nuseCase: Mail\nvariables: {{amount: }}\nexampleOutput: ok\n{messages}"),
            &[],
        );
        check(
            &format!(
                "name: r\nowner: \"@ann\"\nuseCase: \" \"\nvariables: {{amount: }}\nexampleOutput: ok\n{messages}"
            ),
            &["- missing-metadata: the prompt lacks `useCase`, which the settings require"],
        );
    }

    #[test]
    fn nothing_is_asked_for_unless_settings_do_and_no_variables_where_none_is_used() {
        Bench::new("messages: [{role: user, content: hi}]\n").expect("missing-metadata", &[]);
        Bench::new("messages: [{role: user, content: hi}]\n")
            .settings("lint: { require: [variables] }\n")
            .expect("missing-metadata", &[]);
    }
}
