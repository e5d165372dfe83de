//! The policies of docs/policy-cookbook.md: each with its tests, run through the real binary.

use std::path::Path;

use super::page::Page;
use crate::support::desk::Desk;

/// Recipes: a heading's settings and their tests.
fn recipes() -> Vec<(usize, String, String)> {
    let page = Page::read(Path::new("docs/policy-cookbook.md"));
    let mut recipes = Vec::new();
    let mut settings: Option<(usize, String)> = None;
    for block in page.blocks.into_iter().filter(|block| block.language == "yaml") {
        if block.text.starts_with("# .github/promptops.yml") {
            assert!(settings.is_none(), "line {}: settings without tests before this line", block.line);
            settings = Some((block.line, block.text));
        } else {
            assert!(block.text.starts_with("# .github/promptops.tests.yml"), "line {}", block.line);
            let (line, text) = settings.take().unwrap_or_else(|| panic!("line {}: tests of nothing", block.line));
            recipes.push((line, text, block.text));
        }
    }
    assert!(settings.is_none(), "the last settings have no tests");
    recipes
}

#[tokio::test]
async fn every_recipe_passes_its_own_tests() {
    let recipes = recipes();
    assert!(recipes.len() >= 10, "only {} recipes", recipes.len());
    for (line, settings, tests) in recipes {
        let desk = Desk::repository(&[
            (".github/promptops.yml", &settings),
            (".github/promptops.tests.yml", &tests),
            (".github/CODEOWNERS", "prompts/billing/ @acme/billing\n"),
        ]);
        let ran = desk.run(&["policy", "test"]).await;
        assert_eq!(ran.code, 0, "docs/policy-cookbook.md:{line}: {}", ran.said());
        let tests = tests.matches("\n  - name: ").count();
        assert!(tests >= 2, "docs/policy-cookbook.md:{line}: a recipe needs a case that holds and one that does not");
    }
}
