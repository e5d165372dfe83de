//! What the pages promise of the example library and of files that are moved: the commands are run as they stand.

use std::path::Path;

use promptops::domain::stats::{Z_95, tango_lower};

use super::page::{Page, root};
use crate::support::desk::{Desk, Ran};

/// A desk with the example library committed to it.
fn library() -> Desk {
    let desk = Desk::plain();
    desk.git(&["init", "--quiet", "--initial-branch=main"]);
    let from = root().join("examples/support-team");
    let mut folders = vec![from.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = Path::new("examples/support-team").join(path.strip_prefix(&from).unwrap());
                desk.write(name.to_str().unwrap(), std::fs::read(&path).unwrap());
            }
        }
    }
    desk.commit("start");
    desk
}

/// Runs the command that a page shows, as it stands.
async fn shown(desk: &Desk, page: &str, begins: &str) -> Ran {
    let page = Page::read(Path::new(page));
    let all: Vec<String> = page.blocks.iter().flat_map(|block| super::commands(&block.text)).collect();
    let command = all.iter().find(|command| command.starts_with(begins)).unwrap_or_else(|| panic!("no `{begins}`"));
    let words = super::words(command);
    let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    desk.run(&arguments).await
}

/// Writes the files that a page shows to the desk, under the names in their first lines.
fn write_blocks(desk: &Desk, page: &str, only: &[&str]) {
    for block in Page::read(Path::new(page)).blocks {
        let name = block.text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        let name = name.split([' ', ':']).next().unwrap_or_default();
        if only.contains(&name) {
            desk.write(name, &block.text);
        }
    }
}

#[tokio::test]
async fn the_quick_start_runs_without_a_key() {
    let desk = library();
    let ran = shown(&desk, "docs/quick-start.md", "promptops lint examples/support-team").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    desk.write(
        "examples/support-team/prompts/reply.prompt.yml",
        desk.read("examples/support-team/pushes/2-shorten.prompt.yml"),
    );
    let ran = shown(&desk, "docs/quick-start.md", "promptops eval examples/support-team").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in ["Regression: 2 of 40 cases got worse, 3 better", "2 failed 6 of 6 while the old prompt"] {
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
}

#[tokio::test]
async fn the_first_prompt_of_the_quick_start_is_linted_and_estimated() {
    let desk = Desk::repository(&[("README.md", "")]);
    write_blocks(&desk, "docs/quick-start.md", &["prompts/refund.prompt.yml", "prompts/refund.golden.yml"]);
    assert_eq!(desk.run(&["lint"]).await.code, 0);
    let ran = desk.run(&["eval", "--estimate"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    // The guide to golden sets grows this very prompt's set.
    write_blocks(&desk, "docs/golden-sets.md", &["prompts/refund.golden.yml"]);
    desk.write(".github/promptops.yml", "evaluation: { judge: openai/gpt-4o }\n");
    assert_eq!(shown(&desk, "docs/golden-sets.md", "promptops lint").await.code, 0);
    let ran = shown(&desk, "docs/golden-sets.md", "promptops eval prompts/refund.prompt.yml --estimate").await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_promptfoo_config_of_the_page_runs_and_converts() {
    let desk = Desk::repository(&[("README.md", "")]);
    write_blocks(&desk, "docs/moving.md", &["promptfooconfig.yaml"]);
    let ran = shown(&desk, "docs/moving.md", "promptops eval promptfooconfig.yaml --estimate").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = shown(&desk, "docs/moving.md", "promptops convert promptfooconfig.yaml").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(desk.run(&["lint", "prompts"]).await.code, 0);
}

#[tokio::test]
async fn a_github_models_file_of_the_page_runs_and_converts() {
    let desk = Desk::repository(&[("README.md", "")]);
    write_blocks(&desk, "docs/moving.md", &["summarize.prompt.yml", ".github/promptops.yml"]);
    let ran = shown(&desk, "docs/moving.md", "promptops eval summarize.prompt.yml --estimate").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = shown(&desk, "docs/moving.md", "promptops convert summarize.prompt.yml").await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn the_numbers_of_cases_are_those_of_the_gate() {
    let page = Page::read(Path::new("docs/golden-sets.md"));
    let rows: Vec<Vec<f64>> = page
        .prose
        .lines()
        .filter(|line| line.starts_with("| 0."))
        .map(|line| line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect())
        .collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    for row in rows {
        let [margin, cases @ ..] = row.as_slice() else { panic!("{row:?}") };
        for (told, (better, worse)) in cases.iter().zip([(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)]) {
            let enough = |n: f64| tango_lower(worse, better, n, Z_95) >= -margin;
            assert!(enough(*told) && !enough(told - 1.0), "{margin}: {told} cases, {better} better, {worse} worse");
        }
    }
}

/// Chances of a case of the simulated sets: what it does alone, and that it turns from pass to fail (and back, which is the same).
fn chances() -> (f64, f64) {
    let flaky = (0.88_f64.powi(3) - 0.58_f64.powi(3)) / 0.9;
    let kinds = [(0.75, 0.99, 0.99 * 0.99), (0.18, 0.73, flaky), (0.07, 0.03, 0.03 * 0.03)];
    let passes = kinds.iter().map(|(share, mean, _)| share * mean).sum();
    (passes, kinds.iter().map(|(share, mean, square)| share * (mean - square)).sum())
}

/// The chance that more than 5 points of `n` cases are lost; `first` is what the first case does: it gets worse, or better.
fn drops(n: usize, first: (f64, f64)) -> f64 {
    let (_, turns) = chances();
    let mut sums = vec![0.0; 2 * n + 3];
    sums[n + 1] = 1.0;
    for case in 0..n {
        let (worse, better) = if case == 0 { first } else { (turns, turns) };
        let before = sums.clone();
        for at in 1..=2 * n + 1 {
            sums[at] = before[at + 1] * worse + before[at - 1] * better + before[at] * (1.0 - worse - better);
        }
    }
    sums[..=n].iter().enumerate().filter(|(at, _)| (n + 1 - at) * 20 > n).map(|(_, chance)| chance).sum()
}

#[test]
fn the_figures_of_the_usual_gates_are_right() {
    let page = Page::read(Path::new("docs/gate.md"));
    let shown: Vec<(usize, String, String)> = page
        .prose
        .lines()
        .skip_while(|line| !line.starts_with("| every case must pass"))
        .map_while(|line| line.strip_prefix('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].parse().unwrap(), cells[2].to_owned(), cells[3].to_owned())
        })
        .collect();
    let (passes, turns) = chances();
    let broken = (0.99 * 0.97, 0.01 * 0.03);
    let mut expected = Vec::new();
    for gate in 0..3 {
        for n in [30, 100, 300] {
            let others = i32::try_from(n).unwrap() - 1;
            let (nothing, caught) = match gate {
                0 => (1.0 - passes.powi(others + 1), 1.0 - passes.powi(others) * 0.03),
                1 => (1.0 - (1.0 - turns).powi(others + 1), 1.0 - (1.0 - turns).powi(others) * (1.0 - broken.0)),
                _ => (drops(n, (turns, turns)), drops(n, broken)),
            };
            expected.push((n, format!("{:.1} %", 100.0 * nothing), format!("{:.1} %", 100.0 * caught)));
        }
    }
    assert_eq!(shown, expected);
}
