//! `promptops convert`: every format becomes the native pair, and nothing is lost without a word.

use crate::support::desk::Desk;
use crate::support::provider::{Reply, Scripted};

const GITHUB: &str = "\
name: Refund
model: openai/gpt-4o-mini
modelParameters: { temperature: 0, stop: [END] }
messages:
  - role: system
    content: |
      Be brief: yes or no.
      # and polite
  - { role: user, content: \"Refund {{amount}}\" }
testData:
  - { amount: 5 EUR, expected: \"Yes\" }
  - { amount: 1.50 }
evaluators:
  - { name: brief, string: { contains: \"yes\" } }
  - { name: tone, uses: github/fluency }
  - word_count: { max: 9, weight: 0.5 }
owner: \"@mara\"
";

#[tokio::test]
async fn a_github_file_with_its_cases_becomes_the_pair() {
    let desk = Desk::plain();
    desk.write("refund.prompt.yml", GITHUB);
    let ran = desk.run(&["convert", "refund.prompt.yml", "--output-dir", "out"]).await;
    let said = (ran.code, ran.stdout.as_str(), ran.stderr.as_str());
    assert_eq!(said, (0, "wrote out/refund.prompt.yml\nwrote out/refund.golden.yml\n", ""));
    insta::assert_snapshot!(desk.read("out/refund.prompt.yml"), @r#"
    name: Refund
    owner: "@mara"
    model: openai/gpt-4o-mini
    modelParameters:
      temperature: 0
      stop:
        - END
    messages:
      - role: system
        content: |
          Be brief: yes or no.
          # and polite
      - role: user
        content: "Refund {{amount}}"
    "#);
    insta::assert_snapshot!(desk.read("out/refund.golden.yml"), @r#"
    evaluators:
      - name: brief
        string:
          contains: "yes"
      - name: tone
        uses: github/fluency
      - word_count:
          max: 9
          weight: 0.5
    cases:
      - id: case-ad3c3cfab1e2
        vars:
          amount: "5 EUR"
        expected: "Yes"
      - id: case-9496124df721
        vars:
          amount: 1.5
    "#);
    // The judge of `github/fluency` is for the settings to name.
    desk.write(".github/promptops.yml", "evaluation: { judge: openai/gpt-4o }\n");
    let ran = desk.run(&["lint", "out"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 prompt: 0 errors, 1 warning\n"));
}

const PROMPTY: &str = "\
---
name: Refund
model: { id: gpt-4o-mini, provider: openai }
inputs: { amount: { kind: string, example: 5 EUR } }
tools: [{ name: pay, kind: function, parameters: [{ name: sum, kind: float, required: true }] }]
---
system:
Answer formally.

user:
Refund {{ amount }}
";

#[tokio::test]
async fn a_prompty_file_and_its_csv_become_a_pair_that_asks_the_same() {
    let desk = Desk::plain();
    desk.write("refund.prompty", PROMPTY);
    desk.write(
        "refund.golden.csv",
        "id,amount,expected,must_pass,tags\na,5 EUR,Refund 5 EUR,always,\nb,\"7\nEUR\",x,,\n",
    );
    let ran = desk.run(&["convert", "refund.prompty", "--output-dir", "out"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(desk.read("out/refund.prompt.yml").contains("      name: pay\n"));
    let server = Scripted::start(|asked| Reply::text(asked.user())).await;
    let before = desk.ask(&server, &["eval", "refund.prompty", "--format", "json", "--no-cache"]).await.json();
    let after = desk.ask(&server, &["eval", "out", "--format", "json", "--no-cache"]).await.json();
    let cases = |result: &serde_json::Value| {
        let cases = result["prompts"][0]["cases"].as_array().unwrap().clone();
        cases
            .into_iter()
            .map(|case| (case["id"].clone(), case["vars"].clone(), case["head"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(cases(&before), cases(&after));
    let mut asked: Vec<String> = server.asked().iter().map(|asked| asked.body["messages"].to_string()).collect();
    // The must-pass case is asked several times, on both runs alike.
    let mut again = asked.split_off(asked.len() / 2);
    asked.sort();
    again.sort();
    assert_eq!(asked, again);
}

#[tokio::test]
async fn what_is_lost_is_listed_and_nothing_is_written_without_leave() {
    let desk = Desk::plain();
    let logic = PROMPTY.replace("Refund {{ amount }}", "{% if amount %}{{ amount | upper }}{% endif %}");
    desk.write("refund.prompty", logic.replace("name: Refund", "name: Refund\nauthors: [mara]\ncolour: red"));
    let ran = desk.run(&["convert", "refund.prompty"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    let said: Vec<&str> =
        ran.stderr.lines().filter(|line| line.contains("warning") || line.contains("error")).collect();
    assert_eq!(
        said,
        [
            "refund.prompty:3:1: warning: `authors` has no place in a .prompt.yml",
            "refund.prompty:4:1: warning: unknown key `colour` in a Prompty file",
            "refund.prompty:13:1: warning: `{% if amount %}` is logic, which a .prompt.yml cannot say; it would stand there as text",
            "refund.prompty:13:16: warning: `{{ amount | upper }}` is logic, which a .prompt.yml cannot say; it would stand there as text",
            "refund.prompty:13:36: warning: `{% endif %}` is logic, which a .prompt.yml cannot say; it would stand there as text",
            "error: 5 losses, so nothing was written; mend them first, or accept them with --allow-losses",
        ]
    );
    assert!(!desk.file("refund.prompt.yml").exists());
    let ran = desk.run(&["convert", "refund.prompty", "--allow-losses"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "wrote refund.prompt.yml\nwrote refund.golden.yml\n"), "{ran:?}");
    assert!(desk.read("refund.prompt.yml").contains("{% if amount %}{{ amount | upper }}{% endif %}"));
}

#[tokio::test]
async fn a_value_that_jinja_prints_otherwise_is_a_loss() {
    let desk = Desk::plain();
    desk.write("a.prompty", "user:\n{{ x }}\n");
    desk.write("a.golden.yml", "cases: [{ id: list, vars: { x: [a] }, expected: y }]\n");
    let ran = desk.run(&["convert", "a.prompty", "--output-dir", "out"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("case `list` reads differently"), "{ran:?}");
}

#[tokio::test]
async fn files_that_are_there_stay_unless_they_may_be_replaced() {
    let desk = Desk::plain();
    desk.write("refund.prompt.md", "---\nmodel: openai/gpt-4o\n---\nHi {{ name }}\n");
    desk.write("refund.prompt.yml", "mine");
    let ran = desk.run(&["convert", "refund.prompt.md"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("is there already; add --force to replace it"), "{ran:?}");
    assert_eq!(desk.read("refund.prompt.yml"), "mine");
    let ran = desk.run(&["convert", "refund.prompt.md", "--force"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "wrote refund.prompt.yml\n"), "{ran:?}");
    let expected = "name: refund\nmodel: openai/gpt-4o\nmessages:\n  - role: user\n    content: \"Hi {{name}}\"\n";
    assert_eq!(desk.read("refund.prompt.yml"), expected);
}

#[tokio::test]
async fn a_golden_set_alone_is_converted_too() {
    let desk = Desk::plain();
    desk.write(
        "cases.csv",
        "id,x,__expected1,__expected2,weight\na,1,contains:yes,word-count:3,2\nb,2,contains:yes,equals:no,\n",
    );
    desk.write("more.golden.jsonl", "{\"id\": \"a\", \"vars\": {\"x\": \"a\\nb\"}, \"expected\": \"yes\"}\n");
    let ran = desk.run(&["convert", "cases.csv"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "wrote cases.golden.yml\n"), "{ran:?}");
    insta::assert_snapshot!(desk.read("cases.golden.yml"), @r#"
    evaluators:
      - contains: "yes"
    cases:
      - id: a
        vars:
          x: "1"
        weight: 2
        evaluators:
          - word_count: 3
      - id: b
        vars:
          x: "2"
        evaluators:
          - equals: "no"
    "#);
    let ran = desk.run(&["convert", "more.golden.jsonl"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "wrote more.golden.yml\n"), "{ran:?}");
    let expected = "cases:\n  - id: a\n    vars:\n      x: |-\n        a\n        b\n    expected: \"yes\"\n";
    assert_eq!(desk.read("more.golden.yml"), expected);
}

#[tokio::test]
async fn wrong_files_are_said_with_their_place() {
    let desk = Desk::plain();
    desk.write("a.prompty", "---\nname: a\nname: b\n---\nHi\n");
    let ran = desk.run(&["convert", "a.prompty"]).await;
    assert!(ran.code == 2 && ran.stderr.starts_with("a.prompty:3:1: error: duplicate key `name`\n"), "{ran:?}");
    let ran = desk.run(&["convert", "none.prompty"]).await;
    assert!(ran.code == 2 && ran.stderr.starts_with("error: no prompt file at `none.prompty`"), "{ran:?}");
}
