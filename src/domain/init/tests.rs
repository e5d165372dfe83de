//! From what was found to the list of files.

use super::*;

fn choices() -> Choices {
    Choices { model: None, team: None, workflow: true, example: false }
}

fn path(text: &str) -> PromptPath {
    PromptPath::parse(text).unwrap()
}

fn model(text: &str) -> ModelId {
    ModelId::parse(text).unwrap()
}

fn prompt(name: &str, text: &str) -> FoundPrompt {
    let path = path(name);
    let prompt = crate::domain::prompt::parse(&path, text.as_bytes()).unwrap().value;
    let format = Format::of(&path).unwrap();
    FoundPrompt {
        path,
        format,
        models: prompt.model.iter().cloned().collect(),
        cases: Cases::None,
        prompt: Some(Arc::new(prompt)),
    }
}

fn check(found: &Found, choices: &Choices, expected: &[&str]) -> Plan {
    let plan = plan(found, choices);
    let files: Vec<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, expected);
    plan
}

#[test]
fn an_empty_repository_gets_settings_and_a_workflow_and_an_example_if_wanted() {
    check(&Found::default(), &choices(), &[SETTINGS_PATH, WORKFLOW_PATH]);
    check(&Found::default(), &Choices { workflow: false, ..choices() }, &[SETTINGS_PATH]);
    let plan = check(
        &Found::default(),
        &Choices { example: true, workflow: false, ..choices() },
        &[SETTINGS_PATH, "prompts/summarise.prompt.yml", "prompts/summarise.golden.yml"],
    );
    assert_eq!(plan.keys, ["OPENAI_API_KEY"]);
    assert!(plan.files[0].text.contains("- \"prompts/**\""), "{}", plan.files[0].text);
}

#[test]
fn each_prompt_without_cases_gets_a_set_and_two_of_one_name_share_it() {
    let text = "messages: [{role: user, content: Hi}]\n";
    let mut tested = prompt("b.prompt.yml", text);
    tested.cases = Cases::Set { path: path("b.golden.csv"), count: 2 };
    let found = Found {
        prompts: vec![prompt("a.prompt.md", "Hi\n"), prompt("a.prompt.yml", text), tested],
        ..Found::default()
    };
    let plan = check(&found, &Choices { example: true, ..choices() }, &[SETTINGS_PATH, "a.golden.yml", WORKFLOW_PATH]);
    assert_eq!(plan.notes, ["No example was written: there are prompts already."]);
}

#[test]
fn a_workflow_that_runs_the_action_is_enough() {
    let found = Found { workflow: Some(path(".github/workflows/ci.yml")), ..Found::default() };
    let plan = check(&found, &choices(), &[SETTINGS_PATH]);
    assert_eq!(plan.notes, ["No workflow was written: `.github/workflows/ci.yml` runs PromptOps already."]);
}

#[test]
fn the_model_that_most_prompts_name_is_the_usual_one() {
    let named = |names: &[&str]| Found {
        prompts: names
            .iter()
            .map(|name| FoundPrompt {
                path: path("a.prompt"),
                format: Format::Dotprompt,
                models: vec![model(name)],
                cases: Cases::Inline(1),
                prompt: None,
            })
            .collect(),
        ..Found::default()
    };
    let check = |names: &[&str], expected: &str| assert_eq!(named(names).usual_model(), model(expected), "{names:?}");
    check(&["a/x", "b/x", "b/x"], "b/x");
    check(&["b/x", "a/x"], "a/x");
    check(&[], USUAL_MODEL);
    let plan = plan(&named(&["anthropic/x", "anthropic/x"]), &Choices { model: Some(model("openai/y")), ..choices() });
    assert_eq!(plan.keys, ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]);
}
