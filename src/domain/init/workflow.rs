//! The workflow that runs the Action on pull requests. Knows no other workflow.

use std::fmt::Write as _;

use super::DOCS;
use super::vendors::keys;
use crate::domain::ids::ModelId;

const START: &str = concat!(
    r#"# Evaluates the prompts that a pull request changes, and says in one comment what became better or worse.
name: promptops
on:
  pull_request:
permissions:
  contents: read
  pull-requests: write # the comment
concurrency:
  group: promptops-${{ github.ref }}
  cancel-in-progress: true
jobs:
  prompts:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
      - uses: promptops/promptops@v"#,
    env!("CARGO_PKG_VERSION"),
    " # better: the full commit SHA of this release\n",
);

/// The file's text, with the keys of these models.
pub(super) fn text(models: &[ModelId]) -> String {
    let mut out = START.to_owned();
    let keys = keys(models);
    if !keys.is_empty() {
        out.push_str("        env: # secrets of the repository: Settings, Secrets and variables, Actions\n");
    }
    for key in keys {
        let _ = writeln!(out, "          {key}: ${{{{ secrets.{key} }}}}");
    }
    let _ = writeln!(
        out,
        "# Pull requests from forks get no secrets: their prompts are linted only. More: {DOCS}/github-action.md"
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_file() {
        let models = [ModelId::parse("anthropic/claude-sonnet-4").unwrap(), ModelId::parse("openai/gpt-4o").unwrap()];
        insta::assert_snapshot!(text(&models), @r#"
        # Evaluates the prompts that a pull request changes, and says in one comment what became better or worse.
        name: promptops
        on:
          pull_request:
        permissions:
          contents: read
          pull-requests: write # the comment
        concurrency:
          group: promptops-${{ github.ref }}
          cancel-in-progress: true
        jobs:
          prompts:
            runs-on: ubuntu-latest
            timeout-minutes: 30
            steps:
              - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
                with:
                  persist-credentials: false
              - uses: promptops/promptops@v0.1.0 # better: the full commit SHA of this release
                env: # secrets of the repository: Settings, Secrets and variables, Actions
                  ANTHROPIC_API_KEY: ${{ secrets.ANTHROPIC_API_KEY }}
                  OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}
        # Pull requests from forks get no secrets: their prompts are linted only. More: https://github.com/promptops/promptops/blob/main/docs/github-action.md
        "#);
    }

    #[test]
    fn the_checkout_is_the_one_of_our_own_workflow() {
        let own = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.github/workflows/ci.yml")).unwrap();
        let line = START.lines().find(|line| line.contains("actions/checkout@")).unwrap();
        assert!(own.contains(line.trim().trim_start_matches("- ")), "{line}");
    }
}
