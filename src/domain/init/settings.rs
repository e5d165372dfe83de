//! The first settings of a repository, with what else could be said as comments. Knows no file system.

use std::fmt::Write as _;

use super::{DOCS, include};
use crate::domain::convert::yaml;
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::policy::Principal;
use crate::domain::price::Prices;
use serde_json::json;

/// What the settings are made for.
pub(super) struct Facts<'f> {
    /// Prompt files and golden sets, present and planned.
    pub paths: &'f [&'f PromptPath],
    /// The default model.
    pub model: &'f ModelId,
    /// All models.
    pub models: &'f [ModelId],
    /// Whether prompts of an editor lie in the repository.
    pub editors: bool,
}

/// The rules of a team that approves, with what `yaml` takes for the team.
const RULES: &str = r#"roles:
  reviewers: [TEAM]
approval:  # every rule whose `when` holds must be satisfied
  - name: reviewer
    require: { count: 1, from: [reviewers] }
"#;

/// More that a policy can say. A line without its `# ` is part of the settings.
const MORE_RULES: &str = r#"#  - name: cases and settings
#    when: { changes: [golden_set, policy] }
#    require: { count: COUNT, from: [reviewers] }
#  - name: waiver  # lets a pull request merge in spite of a regression
#    when: { verdict: [regression] }
#    require: { count: COUNT, from: [reviewers] }
#override: { from: [reviewers], count: 1 }
"#;

/// The file's text.
pub(super) fn text(facts: &Facts<'_>, team: Option<&Principal>) -> String {
    let mut out = format!(
        "# Settings of PromptOps. A pull request is judged by the settings on its base branch.\n\
         # Lines that begin with # are examples: take the # away to use one. All keys: {DOCS}/reference.md\n"
    );
    prompts(&mut out, facts);
    evaluation(&mut out, facts);
    approval(&mut out, team);
    out.push_str("#lint:\n#  require: [owner, useCase]  # metadata that every prompt must have\n");
    out
}

fn prompts(out: &mut String, facts: &Facts<'_>) {
    let globs = include::globs(facts.paths);
    match (globs.is_empty(), facts.editors) {
        (true, false) => {
            out.push_str(
                "#prompts:  # without this, every file in a known prompt format\n\
                 #  include: [\"prompts/**\"]\n",
            );
            return;
        }
        (true, true) => out.push_str("prompts:\n"),
        (false, _) => {
            out.push_str("prompts:\n  include:\n");
            globs.iter().for_each(|glob| {
                let _ = writeln!(out, "    - {}", quoted(glob));
            });
        }
    }
    if facts.editors {
        out.push_str("  exclude: [\".github/prompts/**\"]  # prompts of your editor\n");
    } else {
        out.push_str("#  exclude: [\"**/drafts/**\"]\n");
    }
}

fn evaluation(out: &mut String, facts: &Facts<'_>) {
    let model = quoted(facts.model.as_str());
    let _ = write!(
        out,
        "evaluation:\n  model: {model}  # for prompts that name none\n\
         #  judge: {model}  # asked by evaluators such as `judge`\n\
         #  trials: 3  # answers per case and side; 1 if absent\n\
         #  min_score: 0.8  # no pull request merges below\n",
    );
    let prices = Prices::default();
    match facts.models.iter().find(|model| prices.of(model).is_none()) {
        // A budget over a model without a price would hold every run.
        Some(model) => {
            let _ = writeln!(
                out,
                "#  budget: {{ run_usd: 2.0 }}  # needs a price of `{model}`: see [prices] in {DOCS}/operating.md"
            );
        }
        None => out.push_str("  budget: { run_usd: 2.0 }  # a run that would cost more does not start\n"),
    }
}

fn approval(out: &mut String, team: Option<&Principal>) {
    // A person is one, of a team several can be asked for.
    let count = if matches!(team, Some(Principal::User(_))) { "1" } else { "2" };
    match team {
        Some(team) => out.push_str(&RULES.replace("TEAM", &quoted(&team.to_string()))),
        None => RULES.replace("TEAM", "\"@org/team\"").lines().for_each(|line| {
            let _ = writeln!(out, "#{line}");
        }),
    }
    out.push_str(&MORE_RULES.replace("COUNT", count));
}

/// A text in YAML on one line.
pub(super) fn quoted(text: &str) -> String {
    yaml::write(&json!(text)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::governed::Governed;
    use crate::domain::policy::Change;
    use crate::domain::settings::{self, SETTINGS_PATH, Settings};

    fn written(paths: &[&str], models: &[&str], team: Option<&str>, editors: bool) -> String {
        let paths: Vec<PromptPath> = paths.iter().map(|path| PromptPath::parse(path).unwrap()).collect();
        let models: Vec<ModelId> = models.iter().map(|model| ModelId::parse(model).unwrap()).collect();
        let paths: Vec<&PromptPath> = paths.iter().collect();
        let facts = Facts { paths: &paths, model: &models[0], models: &models, editors };
        text(&facts, team.map(|team| Principal::parse(team).unwrap()).as_ref())
    }

    fn read(text: &str) -> Settings {
        let parsed = settings::parse(&PromptPath::parse(SETTINGS_PATH).unwrap(), text.as_bytes());
        let parsed = parsed.unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        assert_eq!(parsed.warnings, [], "{text}");
        parsed.value
    }

    /// The same with every example in force.
    fn without_marks(text: &str) -> String {
        let line = |line: &str| {
            format!(
                "{}\n",
                line.strip_prefix('#').filter(|l| !l.starts_with(" L") && !l.starts_with(" S")).unwrap_or(line)
            )
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn what_was_found_is_governed_and_every_example_is_right() {
        let odd = ["a b/ü/x.prompt.yml", "app/[id]/b.prompty", "c.prompt", "#x/promptfooconfig.yaml"];
        for (paths, team, editors) in [
            (&odd[..], None, false),
            (&odd[..1], Some("@acme/prompts"), true),
            (&[], Some("@mara"), false),
            (&[], None, true),
        ] {
            for models in [&["openai/gpt-4o-mini"][..], &["mistral/a:b", "openai/gpt-4o"]] {
                let text = written(paths, models, team, editors);
                for text in [text.clone(), without_marks(&text)] {
                    let settings = read(&text);
                    assert_eq!(settings.model.as_ref().map(ModelId::as_str), Some(models[0]));
                    let governed = Governed::new(&settings).unwrap();
                    for path in paths {
                        let path = PromptPath::parse(path).unwrap();
                        assert_eq!(governed.classify(&path), Some(Change::Prompt), "{path}\n{text}");
                    }
                    let editors_own = PromptPath::parse(".github/prompts/x.prompt.md").unwrap();
                    assert!(!editors || governed.classify(&editors_own).is_none(), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_budget_is_set_only_where_it_can_be_held() {
        assert_eq!(read(&written(&[], &["openai/gpt-4o-mini"], None, false)).run_usd, Some(2.0));
        assert_eq!(read(&written(&[], &["acme/own"], None, false)).run_usd, None);
    }

    #[test]
    fn the_whole_file() {
        insta::assert_snapshot!(written(&["prompts/a.prompt.yml"], &["openai/gpt-4o-mini"], None, false), @r#"
        # Settings of PromptOps. A pull request is judged by the settings on its base branch.
        # Lines that begin with # are examples: take the # away to use one. All keys: https://github.com/promptops/promptops/blob/main/docs/reference.md
        prompts:
          include:
            - "prompts/**"
        #  exclude: ["**/drafts/**"]
        evaluation:
          model: openai/gpt-4o-mini  # for prompts that name none
        #  judge: openai/gpt-4o-mini  # asked by evaluators such as `judge`
        #  trials: 3  # answers per case and side; 1 if absent
        #  min_score: 0.8  # no pull request merges below
          budget: { run_usd: 2.0 }  # a run that would cost more does not start
        #roles:
        #  reviewers: ["@org/team"]
        #approval:  # every rule whose `when` holds must be satisfied
        #  - name: reviewer
        #    require: { count: 1, from: [reviewers] }
        #  - name: cases and settings
        #    when: { changes: [golden_set, policy] }
        #    require: { count: 2, from: [reviewers] }
        #  - name: waiver  # lets a pull request merge in spite of a regression
        #    when: { verdict: [regression] }
        #    require: { count: 2, from: [reviewers] }
        #override: { from: [reviewers], count: 1 }
        #lint:
        #  require: [owner, useCase]  # metadata that every prompt must have
        "#);
    }
}
