//! A first golden set for a prompt: its own cases where it has some, else one case of examples, defaults and marked places.
//! What is written is read again before it counts. Knows no file system.

use serde_json::{Map, Value, json};

use super::{Cases, DOCS, FoundPrompt, PlannedFile};
use crate::domain::convert::yaml;
use crate::domain::golden;
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{self, Prompt, RenderError, ResponseFormat, Vars};

/// What stands before a value that was made up.
pub const MARK: &str = "REPLACE ME";
/// Most variables that are found one by one as the template asks for them.
const MOST_ASKED: usize = 50;

/// A set to write.
#[derive(Debug)]
pub(super) struct NewSet {
    pub file: PlannedFile,
    /// Whether values in it are made up.
    pub made_up: bool,
}

/// A case before it is written.
struct Draft {
    id: String,
    vars: Vars,
    expected: Option<String>,
}

/// The golden set that a prompt lacks; `None` where it lacks none.
///
/// # Errors
/// Why none can be made, in a sentence.
pub(super) fn missing(found: &FoundPrompt) -> Option<Result<NewSet, String>> {
    let prompt = found.prompt.as_deref()?;
    if matches!(found.cases, Cases::Set { .. }) {
        return None;
    }
    let stem = prompt::stem(&prompt.path);
    let by_name = prompt.path.sibling(&format!("{stem}.golden.yml")).ok();
    let path = prompt.golden_set.clone().or(by_name)?;
    let made = make(prompt, &path);
    Some(made.map_err(|why| format!("No golden set was made for `{}`: {why}.", prompt.path)))
}

fn make(prompt: &Prompt, path: &PromptPath) -> Result<NewSet, String> {
    if golden::Format::of(path) != Some(golden::Format::Yaml) {
        return Err(format!("it names `{path}`, which is not YAML; write that file yourself"));
    }
    let (drafts, made_up) = if prompt.test_data.is_empty() { invented(prompt) } else { (of_file(prompt), false) };
    let text = text(prompt, &drafts, made_up);
    let read = golden::parse(path, text.as_bytes(), prompt);
    let problem = match &read {
        Ok(parsed) => golden::check_variables(prompt, &parsed.value).into_iter().next(),
        Err(findings) => findings.first().cloned(),
    };
    if let Some(problem) = problem {
        return Err(format!("{}; write `{path}` yourself", problem.message));
    }
    let what = match drafts.len() {
        _ if made_up => "golden set, one case to fill in".to_owned(),
        1 => "golden set, 1 case from the prompt file".to_owned(),
        count => format!("golden set, {count} cases from the prompt file"),
    };
    Ok(NewSet { file: PlannedFile { path: path.clone(), text, what }, made_up })
}

/// The cases that stand in the prompt file.
fn of_file(prompt: &Prompt) -> Vec<Draft> {
    let cases = (1usize..).zip(&prompt.test_data).map(|(number, (vars, _))| {
        let mut vars = vars.clone();
        let expected = match vars.remove("expected") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => Some(other.to_string()),
        };
        Draft { id: format!("case-{number}"), vars, expected }
    });
    cases.collect()
}

/// One case of what the prompt says of its variables, and whether some value of it is made up.
fn invented(prompt: &Prompt) -> (Vec<Draft>, bool) {
    let mut vars = Vars::new();
    for (name, variable) in &prompt.variables {
        if let Some(value) = variable.example.as_ref().or(variable.default.as_ref()) {
            vars.insert(name.clone(), value.clone());
        }
    }
    let mut made_up = false;
    let mut expected = None;
    let places: Vec<String> = prompt.body.places().iter().map(|place| place.variable.to_owned()).collect();
    for name in &places {
        made_up |= fill(prompt, &mut vars, name);
    }
    for (name, _) in &prompt.evaluator_variables {
        if name == "expected" {
            expected = Some(format!("{MARK}: the answer you expect"));
            made_up = true;
        } else {
            made_up |= fill(prompt, &mut vars, name);
        }
    }
    for _ in 0..MOST_ASKED {
        let Err(RenderError::Undefined(undefined)) = prompt.render(&vars) else { break };
        if !fill(prompt, &mut vars, &undefined.variable) {
            break;
        }
        made_up = true;
    }
    let id = if made_up { "replace-me" } else { "example" };
    (vec![Draft { id: id.to_owned(), vars, expected }], made_up)
}

/// Gives a variable a value that says what belongs there; false where it has one.
fn fill(prompt: &Prompt, vars: &mut Vars, name: &str) -> bool {
    if vars.contains_key(name) {
        return false;
    }
    let description = prompt.variables.get(name).and_then(|variable| variable.description.as_deref());
    let value = json!(format!("{MARK}: {}", description.unwrap_or(name)));
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or(name);
    let rest: Vec<&str> = parts.collect();
    if rest.is_empty() {
        vars.insert(name, value);
        return true;
    }
    // `user.name` is a name below `user`.
    let mut whole = vars.get(first).cloned().unwrap_or_else(|| json!({}));
    if !put(&mut whole, &rest, value) {
        return false;
    }
    vars.insert(first, whole);
    true
}

/// Puts a value below a mapping, making mappings on the way; false where something else is in the way.
fn put(whole: &mut Value, path: &[&str], value: Value) -> bool {
    let mut place = whole;
    for part in path {
        let Value::Object(entries) = place else { return false };
        place = entries.entry((*part).to_owned()).or_insert_with(|| json!({}));
    }
    *place = value;
    true
}

fn text(prompt: &Prompt, drafts: &[Draft], made_up: bool) -> String {
    let mut out = format!(
        "# Golden set of {}: inputs, and what a good answer to each looks like.\n\
         # Made by `promptops init`, yours from now on. How to write cases: {DOCS}/reference.md#golden-sets\n",
        yaml::write(&json!(prompt.path.file_name())).trim_end()
    );
    if made_up {
        out.push_str(&format!("# Put a real input in the place of each {MARK}: until then the result means little.\n"));
    } else if !prompt.test_data.is_empty() {
        out.push_str(
            "# The cases are those of the prompt file. From now on these count, and those in the prompt file do not.\n",
        );
    }
    let cases: Vec<Value> = drafts.iter().map(|draft| case(prompt, draft)).collect();
    out.push_str(&yaml::write(&json!({"evaluators": evaluators(prompt), "cases": cases})));
    out.push_str(
        "    # What this answer must say, and what it must not (`judge` needs `evaluation.judge` in the settings):\n\
         \u{20}   # evaluators:\n\
         \u{20}   #   - contains: \"30 days\"\n\
         \u{20}   #   - not_contains: \"guarantee\"\n\
         \u{20}   #   - judge: { rubric: \"Polite, and answers the question\", threshold: 0.7 }\n\
         \u{20}   # must_pass: reliably\n",
    );
    out
}

/// What any answer can be held to.
fn evaluators(prompt: &Prompt) -> Value {
    let mut all = vec![json!({"not_contains": "As an AI"}), json!({"word_count": {"min": 1}})];
    if prompt.response_format != ResponseFormat::Text {
        all.push(json!("is_json"));
    }
    json!(all)
}

fn case(prompt: &Prompt, draft: &Draft) -> Value {
    let mut case = Map::from_iter([("id".to_owned(), json!(draft.id))]);
    if !draft.vars.is_empty() {
        case.insert("vars".to_owned(), json!(draft.vars));
    }
    if let Some(expected) = &draft.expected {
        case.insert("expected".to_owned(), json!(expected));
        // Without an evaluator of its own the prompt's case was held to this text; with the set's it would not be.
        if prompt.evaluators.is_empty() {
            case.insert("evaluators".to_owned(), json!(["equals"]));
        }
    }
    Value::Object(case)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::prompt::Format;

    /// What is made of a prompt file without a golden set.
    fn made(name: &str, text: &str) -> Result<NewSet, String> {
        let path = PromptPath::parse(name).unwrap();
        let prompt = prompt::parse(&path, text.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}")).value;
        let format = Format::of(&path).unwrap();
        let found =
            FoundPrompt { path, format, models: Vec::new(), cases: Cases::None, prompt: Some(Arc::new(prompt)) };
        missing(&found).unwrap()
    }

    /// The cases, without comments and without what all sets share.
    fn check(name: &str, text: &str, made_up: bool, expected: &str) {
        let set = made(name, text).unwrap();
        let cases = set.file.text.split_once("cases:\n").unwrap().1;
        let cases: String = cases.lines().filter(|line| !line.contains('#')).map(|line| format!("{line}\n")).collect();
        assert_eq!((cases.as_str(), set.made_up), (expected, made_up), "{}", set.file.text);
    }

    #[test]
    fn cases_of_the_prompt_file_are_taken_over_with_what_they_are_held_to() {
        check(
            "a.prompt.yml",
            "messages: [{role: user, content: \"Hi {{x}}\"}]\ntestData: [{x: 1, expected: \"Yes\"}, {x: a: b}]\n"
                .replace("x: a: b", "x: \"a: b\"")
                .as_str(),
            false,
            "  - id: case-1\n    vars:\n      x: 1\n    expected: \"Yes\"\n    evaluators:\n      - equals\n  - id: case-2\n    vars:\n      x: \"a: b\"\n",
        );
        check(
            "a.prompt.yml",
            "messages: [{role: user, content: \"{{x}}\"}]\ntestData: [{x: 1, expected: b}]\nevaluators: [{name: c, string: {contains: b}}]\n",
            false,
            "  - id: case-1\n    vars:\n      x: 1\n    expected: b\n",
        );
    }

    #[test]
    fn examples_and_defaults_make_a_case_and_the_rest_is_marked() {
        check(
            "a.prompt.yml",
            "messages: [{role: user, content: \"{{a}} {{b}} {{c}} {{user.name}} {{user.city}}\"}]\n\
             variables: { a: {example: 5 EUR}, b: {default: x}, c: {description: What was asked} }\n",
            true,
            "  - id: replace-me\n    vars:\n      a: \"5 EUR\"\n      b: x\n      c: \"REPLACE ME: What was asked\"\n      user:\n        \
             name: \"REPLACE ME: user.name\"\n        city: \"REPLACE ME: user.city\"\n",
        );
        check("a.prompt.md", "Say hello.\n", false, "  - id: example\n");
    }

    #[test]
    fn other_formats_bring_their_samples() {
        check(
            "a.prompty",
            "---\nname: a\nsample: {x: 5 EUR}\n---\nuser:\nRefund {{x}}\n",
            false,
            "  - id: case-1\n    vars:\n      x: \"5 EUR\"\n",
        );
        check(
            "a.prompt",
            "---\ninput: {schema: {x: string, z: string}, default: {x: 5 EUR}}\n---\n{{x}} {{z}}\n",
            true,
            "  - id: replace-me\n    vars:\n      x: \"5 EUR\"\n      z: \"REPLACE ME: z\"\n",
        );
        check(
            "a.prompty",
            "user:\n{% for item in items %}{{ item }}{% endfor %}{{ x }}\n",
            true,
            "  - id: replace-me\n    vars:\n      items: \"REPLACE ME: items\"\n      x: \"REPLACE ME: x\"\n",
        );
    }

    #[test]
    fn what_cannot_be_filled_is_said() {
        let why = made("a.prompty", "user:\n{{ x.y.z | round }}\n").unwrap_err();
        assert!(
            why.starts_with("No golden set was made for `a.prompty`: ")
                && why.ends_with("write `a.golden.yml` yourself."),
            "{why}"
        );
        let why = made("a.prompt.yml", "messages: [{role: user, content: Hi}]\ngoldenSet: a.csv\n").unwrap_err();
        assert_eq!(
            why,
            "No golden set was made for `a.prompt.yml`: it names `a.csv`, which is not YAML; write that file yourself."
        );
    }

    #[test]
    fn an_answer_in_json_is_held_to_that() {
        let set = made("a.prompt.yml", "messages: [{role: user, content: Hi}]\nresponseFormat: json_object\n").unwrap();
        assert!(set.file.text.contains("  - is_json\n"), "{}", set.file.text);
        assert_eq!(set.file.path.as_str(), "a.golden.yml");
    }

    #[test]
    fn the_whole_file() {
        let set = made("prompts/a.prompt.yml", "messages: [{role: user, content: \"Hi {{name}}\"}]\n").unwrap();
        insta::assert_snapshot!(set.file.text, @r#"
        # Golden set of a.prompt.yml: inputs, and what a good answer to each looks like.
        # Made by `promptops init`, yours from now on. How to write cases: https://github.com/promptops/promptops/blob/main/docs/reference.md#golden-sets
        # Put a real input in the place of each REPLACE ME: until then the result means little.
        evaluators:
          - not_contains: As an AI
          - word_count:
              min: 1
        cases:
          - id: replace-me
            vars:
              name: "REPLACE ME: name"
            # What this answer must say, and what it must not (`judge` needs `evaluation.judge` in the settings):
            # evaluators:
            #   - contains: "30 days"
            #   - not_contains: "guarantee"
            #   - judge: { rubric: "Polite, and answers the question", threshold: 0.7 }
            # must_pass: reliably
        "#);
    }
}
