//! docs/settings.md, made of the settings' JSON Schema, which is made of the types. Writes Markdown; knows no setting by name
//! but those of the example.

use std::collections::BTreeMap;
use std::path::Path;

use promptops::domain::ids::PromptPath;
use promptops::domain::{schema, settings};
use serde_json::Value;

use super::page::root;

const RECORD: &str = "run `cargo test --test it record_settings_page -- --ignored` and commit `docs/settings.md`";

const OPENING: &str = "# Settings

<!-- Written by a test from the types in src/domain/schema/settings.rs; change those, not this page. -->

Settings live in `.github/promptops.yml`. All of them are optional; an empty file turns PromptOps on with every default.

- In a pull request they are read from the **base** branch, never from the head: a change of the settings is shown, and judged by
  the old ones.
- Without the file on the base branch the App stays silent in that repository, unless the organisation has one
  ([how](reference.md#settings-of-an-organisation)).
- On the command line `--base` takes the settings of that revision, else those of the working tree.
- Unknown and duplicate keys are errors with file, line and column. `promptops lint` checks the file.
- An editor checks it as you type: [schemas](reference.md#schemas-for-editors).
";

const EXAMPLE: &str = r#"# .github/promptops.yml
prompts:
  include: ["prompts/**"]
  exclude: ["prompts/drafts/**"]
evaluation:
  model: openai/gpt-4o-mini
  judge: openai/gpt-4o
  embeddings: openai/text-embedding-3-small
  trials: 1
  margin: 0.05
  min_score: 0.8
  max_cost_increase: 0.25
  max_latency_increase: 0.5
  budget: { run_usd: 2, pull_request_usd: 10, day_usd: 50, author_day_usd: 20 }
  forks: approve
roles:
  leads: ["@acme/prompt-leads"]
  reviewers: ["@acme/prompt-reviewers", "@mara", leads]
approval:
  - name: reviewer                       # no `when`: always
    require: { count: 1, from: [reviewers] }
  - name: what judges the prompts
    when: { changes: [golden_set_weakened, policy, model] }
    require: { count: 1, from: [leads] }
  - name: legal
    when: { paths: ["prompts/legal/**"], base: [main, "release/*"] }
    require:
      all_of:
        - { count: 1, from: [codeowners] }
        - any_of:
            - { count: 1, from: ["@acme/legal"] }
            - { count: 2, from: [leads, "permission:maintain"] }
  - name: large or from outside
    when: { fork: true, size: { files_over: 20, lines_over: 800 }, lint: [warning] }
    require: { count: 2, from: [reviewers] }
  - name: hotfix
    when: { labels: [hotfix], author: [leads], verdict: [not_measured] }
    require: { count: 2, from: [leads] }
override: { count: 1, from: [leads] }
lint:
  banned_phrases: ["world-class"]
  require: [owner, useCase, variables, exampleOutput]
  rules: { near-duplicate: error, golden-set-too-small: off }
"#;

/// What is on the way of being written.
struct Writer<'a> {
    definitions: &'a Value,
    /// Where a definition was told, as the anchor of its section.
    told: BTreeMap<String, String>,
    section: String,
    rows: Vec<String>,
    /// Definitions that are being told, outermost first, with their keys.
    open: Vec<(String, String)>,
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The name of the definition that a schema is, if it is one.
fn definition(schema: &Value) -> Option<&str> {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref"))?;
    reference.as_str()?.strip_prefix("#/definitions/")
}

fn words(schema: &Value) -> Option<String> {
    let words = schema.get("enum")?.as_array()?;
    Some(words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
}

/// What a value looks like, in words.
fn kind(schema: &Value) -> String {
    if let Some(words) = words(schema) {
        return format!("one of {words}");
    }
    if schema.get("pattern").is_some() {
        return "`provider/model`".to_owned();
    }
    let number = |what: &str| match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!("{what}, {least} to {most}"),
        (Some(least), None) => format!("{what}, {least} or more"),
        _ => what.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(kind)) => match kind.as_str() {
            "integer" => number("whole number"),
            "number" => number("number"),
            "boolean" => "`true` or `false`".to_owned(),
            "array" => match schema.get("items").map(|items| (definition(items), words(items))) {
                Some((Some(_), _)) | None => "list".to_owned(),
                Some((None, Some(words))) => format!("list of {words}"),
                Some((None, None)) => "list of texts".to_owned(),
            },
            "object" if schema.get("properties").is_some() => "rule → `off`, `warning` or `error`".to_owned(),
            "object" => "name → list of texts".to_owned(),
            _ => "text".to_owned(),
        },
        _ => "text".to_owned(),
    }
}

impl Writer<'_> {
    fn row(&mut self, key: &str, kind: &str, schema: &Value, meaning: &str) {
        let default = schema.get("default").map(|value| format!("`{}`", value.to_string().trim_matches('"')));
        let default = default.unwrap_or_default();
        self.rows.push(format!("| `{key}` | {kind} | {default} | {meaning} |").replace("|  |", "| |"));
    }

    /// The key under which a definition is being told.
    fn whole(&self, of: &str) -> String {
        self.open.iter().find(|(open, _)| open == of).map(|(_, key)| key.clone()).unwrap_or_default()
    }

    /// A key and all below it.
    fn tell(&mut self, key: &str, schema: &Value, required: bool) {
        let meaning = text(schema, "description").replace('\n', " ");
        assert!(!meaning.is_empty(), "`{key}` has no description");
        let meaning = if required { format!("**Required.** {meaning}") } else { meaning };
        let items = schema.get("items").unwrap_or(&Value::Null);
        let (of, key) = match (definition(schema), definition(items)) {
            (Some(of), _) => (of, key.to_owned()),
            (None, Some(of)) => (of, format!("{key}[]")),
            (None, None) => return self.row(key, &kind(schema), schema, &meaning),
        };
        let definition = &self.definitions[of];
        if self.open.iter().any(|(open, _)| open == of) {
            let whole = format!("list of mappings like `{}`", self.whole(of));
            return self.row(&key, &whole, schema, &meaning);
        }
        if let (Some(anchor), true) = (self.told.get(of), self.section == "enforce") {
            let kind = format!("[as above](#{anchor})");
            return self.row(&key, &kind, schema, &meaning);
        }
        self.told.insert(of.to_owned(), self.section.clone());
        self.row(&key, "mapping", schema, &meaning);
        self.open.push((of.to_owned(), key.clone()));
        match definition.get("anyOf").and_then(Value::as_array) {
            Some(choices) => {
                for choice in choices {
                    let of = self::definition(choice).unwrap();
                    self.below(&key, &self.definitions[of], false);
                }
            }
            None => self.below(&key, definition, true),
        }
        self.open.pop();
    }

    /// The keys of a mapping. Where it is one of several, none of them is required by itself.
    fn below(&mut self, key: &str, definition: &Value, may_require: bool) {
        let required = definition.get("required").and_then(Value::as_array);
        for (name, schema) in definition["properties"].as_object().unwrap() {
            let required = may_require && required.is_some_and(|names| names.contains(&name.as_str().into()));
            let path = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            self.tell(&path, schema, required);
        }
    }
}

fn page() -> String {
    let all = schema::all();
    let schema = &all.iter().find(|(name, _)| *name == "settings.schema.json").unwrap().1;
    let mut writer = Writer {
        definitions: &schema["definitions"],
        told: BTreeMap::new(),
        section: String::new(),
        rows: Vec::new(),
        open: Vec::new(),
    };
    let mut page = format!("{OPENING}\n## A full example\n\n```yaml\n{EXAMPLE}```\n");
    for (name, section) in schema["properties"].as_object().unwrap() {
        writer.section.clone_from(name);
        match definition(section) {
            Some(of) => {
                writer.told.insert(of.to_owned(), name.clone());
                page.push_str(&format!("\n## `{name}`\n\n{}\n", text(section, "description").replace('\n', " ")));
                writer.below(name, &writer.definitions[of], true);
            }
            None => {
                page.push_str(&format!("\n## `{name}`\n"));
                writer.tell(name, section, false);
            }
        }
        let rows = std::mem::take(&mut writer.rows).join("\n");
        page.push_str(&format!("\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"));
    }
    page.push_str(
        "\nWhat the sources in `from` mean, when an approval counts and what a rule on a verdict does: \
         [Policy](reference.md#policy). Worked rules with tests: [policy cookbook](policy-cookbook.md). The lint rules: \
         [lint](lint.md).\n",
    );
    page
}

#[test]
fn the_committed_page_is_the_one_that_is_made() {
    let committed = std::fs::read_to_string(root().join("docs/settings.md")).unwrap_or_default();
    assert!(committed == page(), "docs/settings.md is not what the types say: {RECORD}");
}

#[test]
#[ignore = "writes `docs/settings.md`"]
fn record_settings_page() {
    std::fs::write(Path::new(root()).join("docs/settings.md"), page()).unwrap();
}

#[test]
fn the_example_uses_every_key_and_can_be_read() {
    let path = PromptPath::parse(".github/promptops.yml").unwrap();
    settings::parse(&path, EXAMPLE.as_bytes()).unwrap();
    let missing: Vec<String> = page()
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .filter(|key| !key.starts_with("enforce"))
        .filter(|key| !EXAMPLE.contains(&format!("{}:", key.rsplit('.').next().unwrap().trim_end_matches("[]"))))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_defaults_are_those_that_count() {
    let path = PromptPath::parse(".github/promptops.yml").unwrap();
    let read = |text: &str| settings::parse(&path, text.as_bytes()).unwrap().value;
    let text = page();
    for default in ["| `evaluation.trials` | whole number, 1 to 100 | `1` |", "| `0.05` |", "| `approve` |"] {
        assert!(text.contains(default), "{default}");
    }
    assert_eq!(read("evaluation: { trials: 1, margin: 0.05, forks: approve }\n"), read(""));
    let quorum = |count: &str| read(&format!("override: {{ {count}from: [\"@lee\"] }}\n"));
    assert_eq!(quorum("count: 1, "), quorum(""));
}
