//! `promptops init`: a stranger's repository gets a working start, and loses nothing.

use crate::support::desk::{Desk, Ran};
use crate::support::provider::{Reply, Scripted};

const NATIVE: &str =
    "name: Refund\nmodel: anthropic/claude-sonnet-4\nmessages: [{role: user, content: \"Refund {{amount}}\"}]\n";
const SETTINGS: &str = ".github/promptops.yml";
const WORKFLOW: &str = ".github/workflows/promptops.yml";

/// What stands in the lines that tell of written and kept files.
fn told(ran: &Ran) -> Vec<&str> {
    let lines = ran.stdout.lines().filter(|line| line.starts_with("wrote ") || line.starts_with("kept "));
    lines.map(|line| line.split("  (").next().unwrap()).collect()
}

/// A prompt file of each format, with its name and the golden set that is made for it.
const LIBRARY: [(&str, &str, &str); 5] = [
    (
        "prompts/refund.prompt.yml",
        "messages: [{role: user, content: \"Refund {{amount}} {{why}}\"}]\nvariables: { amount: { example: 5 EUR } }\n",
        "prompts/refund.golden.yml",
    ),
    (
        "prompts/tested.prompt.yaml",
        "messages: [{role: user, content: \"Say {{x}}\"}]\ntestData: [{x: yes, expected: \"Say yes\"}, {x: \"a\\nb\"}]\n",
        "prompts/tested.golden.yml",
    ),
    (
        "app/über uns/hello world.prompty",
        "---\r\nname: hello\r\nmodel: { id: gpt-4o-mini, provider: openai }\r\nsample: { name: Ada }\r\n---\r\nuser:\r\nHello {{ name }}\r\n",
        "app/über uns/hello world.golden.yml",
    ),
    (
        "app/[id]/greet.prompt",
        "---\ninput:\n  schema: { name: string, tone?: string }\n  default: { tone: formal }\n---\n{{#if tone}}{{tone}}{{/if}} {{name}}\n",
        "app/[id]/greet.golden.yml",
    ),
    ("notes.prompt.md", "Say hello to {{ user.name }} of {{ user.city }}.\n", "notes.golden.yml"),
];

/// A repository with a prompt of each format.
fn library() -> Desk {
    let files: Vec<(&str, &str)> = LIBRARY.iter().map(|(path, text, _)| (*path, *text)).collect();
    Desk::repository(&files)
}

#[tokio::test]
async fn a_library_of_every_format_is_ready_to_be_evaluated() {
    let desk = library();
    let ran = desk.run(&["init"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let sets: Vec<String> = LIBRARY.iter().map(|(_, _, set)| format!("wrote {set}")).collect();
    let mut written: Vec<&str> = told(&ran);
    written.retain(|line| line.ends_with(".golden.yml"));
    let mut expected: Vec<&str> = sets.iter().map(String::as_str).collect();
    expected.sort_unstable();
    written.sort_unstable();
    assert_eq!(written, expected, "{ran:?}");
    for step in [
        "Found 5 prompt files:",
        "hello world.prompty  (Prompty, 1 case in the file)",
        "(Dotprompt, no cases)",
        "promptops lint",
    ] {
        assert!(ran.stdout.contains(step), "{step}: {}", ran.stdout);
    }
    let lint = desk.run(&["lint"]).await;
    assert_eq!(lint.code, 0, "{lint:?}");
    assert!(lint.stdout.starts_with("5 prompts: 0 errors"), "{lint:?}");
    let estimate = desk.run(&["eval", "--estimate"]).await;
    assert_eq!(estimate.code, 0, "{estimate:?}");
    let server = Scripted::start(|asked| Reply::text(asked.user())).await;
    let eval = desk.ask(&server, &["eval", "--format", "json"]).await;
    assert_eq!(eval.code, 0, "{eval:?}");
    let result = eval.json();
    let prompts = result["prompts"].as_array().unwrap();
    assert_eq!(prompts.len(), 5);
    for case in prompts.iter().flat_map(|prompt| prompt["cases"].as_array().unwrap()) {
        assert_eq!(case["head"]["passes"], case["head"]["trials"], "{case}");
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let desk = library();
    desk.run(&["init", "--team", "@acme/prompts"]).await;
    desk.commit("start with PromptOps");
    let ran = desk.run(&["init", "--team", "@acme/others"]).await;
    assert_eq!(
        (ran.code, told(&ran)),
        (0, vec!["kept  .github/promptops.yml", "kept  .github/workflows/promptops.yml"]),
        "{ran:?}"
    );
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
    assert!(desk.read(SETTINGS).contains("reviewers: [\"@acme/prompts\"]"));
}

#[tokio::test]
async fn files_that_are_there_stay_whatever_they_are() {
    let desk =
        Desk::repository(&[("a.prompt.yml", NATIVE), (SETTINGS, "evaluation: { trials: 2 }\n"), (WORKFLOW, "mine\n")]);
    // Git does not list it, and it is there.
    desk.write(".gitignore", "*.golden.yml\n");
    desk.write("a.golden.yml", "cases: [{vars: {amount: 1}, expected: x}]\n");
    let ran = desk.run(&["init"]).await;
    assert_eq!((ran.code, told(&ran).len()), (0, 2), "{ran:?}");
    assert!(ran.stdout.contains("a.prompt.yml  (prompt.yml, 1 case in a.golden.yml)"), "{ran:?}");
    assert_eq!((desk.read(SETTINGS).as_str(), desk.read(WORKFLOW).as_str()), ("evaluation: { trials: 2 }\n", "mine\n"));
}

#[tokio::test]
async fn settings_fit_what_is_used_and_options_count() {
    let desk = Desk::repository(&[("prompts/a.prompt.yml", NATIVE), ("prompts/b.prompt.yml", NATIVE)]);
    let ran = desk.run(&["init", "--yes", "--team", "acme/prompts", "--no-workflow"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!desk.file(WORKFLOW).exists());
    let settings = desk.read(SETTINGS);
    for line in
        ["    - \"prompts/**\"\n", "  model: anthropic/claude-sonnet-4  #", "  reviewers: [\"@acme/prompts\"]\n"]
    {
        assert!(settings.contains(line), "{line}\n{settings}");
    }
    assert!(ran.stdout.contains("export ANTHROPIC_API_KEY=…, then promptops eval"), "{ran:?}");
    let desk = Desk::repository(&[("a.prompt.yml", NATIVE)]);
    desk.run(&["init", "--model", "gemini/gemini-2.5-flash"]).await;
    let workflow = desk.read(WORKFLOW);
    for key in ["ANTHROPIC_API_KEY", "GEMINI_API_KEY"] {
        assert!(workflow.contains(&format!("{key}: ${{{{ secrets.{key} }}}}")), "{workflow}");
    }
    assert!(desk.read(SETTINGS).contains("  model: gemini/gemini-2.5-flash  #"));
}

#[tokio::test]
async fn nothing_is_written_by_a_dry_run_or_after_wrong_options() {
    let desk = Desk::repository(&[("a.prompt.yml", NATIVE)]);
    let ran = desk.run(&["init", "--dry-run"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("would write a.golden.yml  (golden set"), "{ran:?}");
    assert!(ran.stdout.contains("  |       amount: \"REPLACE ME: amount\"\n"), "{ran:?}");
    for (option, value, why) in [
        ("--model", "gpt-4o", "--model: `gpt-4o` is not a valid model"),
        ("--team", "a b", "--team: `@a b` is neither a user nor a team"),
    ] {
        let ran = desk.run(&["init", option, value]).await;
        assert!(ran.code == 2 && ran.stderr.contains(why), "{ran:?}");
    }
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn an_empty_repository_gets_an_example_that_works() {
    let desk = Desk::plain();
    desk.git(&["init", "--quiet"]);
    let ran = desk.run(&["init"]).await;
    assert!(
        ran.code == 0 && ran.stdout.contains("No prompts found.") && ran.stdout.contains("promptops init --example"),
        "{ran:?}"
    );
    let ran = desk.run(&["init", "--example"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let lint = desk.run(&["lint"]).await;
    assert_eq!((lint.code, lint.stdout.as_str()), (0, "1 prompt: 0 errors, 1 warning\n"), "{lint:?}");
    assert!(lint.stderr.contains("3 cases; to exclude a drop"), "{lint:?}");
    let server = Scripted::start(|asked| {
        let text = asked.user();
        let order = ["A-1042", "B-77"].into_iter().find(|order| text.contains(order)).unwrap_or("nobody: thanks");
        Reply::text(format!("The customer asks about {order}, a refund perhaps."))
    })
    .await;
    let eval = desk.ask(&server, &["eval"]).await;
    assert_eq!(eval.code, 0, "{eval:?}");
}

#[tokio::test]
async fn broken_files_near_misses_and_others_prompts_are_said() {
    let desk = Desk::repository(&[
        ("prompts/good.prompt.yml", NATIVE),
        ("prompts/bad.prompt.yml", "name: a\nname: b\n"),
        ("prompts/old.txt", "Summarise this."),
        ("prompts/README.md", "# Prompts\n"),
        (".github/prompts/review.prompt.md", "Review this.\n"),
        ("web/node_modules/lib/x.prompt.yml", NATIVE),
        (".github/workflows/ci.yml", "jobs: { a: { steps: [{ uses: promptops/promptops@v0 }] } }\n"),
    ]);
    let ran = desk.run(&["init"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in [
        "Found 1 prompt file:\n  prompts/good.prompt.yml  (prompt.yml, no cases)\n",
        "Cannot be read (`promptops lint` says more):\n  prompts/bad.prompt.yml:2:1: duplicate key `name`\n",
        "a text becomes one as NAME.prompt.md:\n  prompts/old.txt\n",
        "Left out: 1 prompt in .github/prompts, which are your editor's.\n",
        "No workflow was written: `.github/workflows/ci.yml` runs PromptOps already.\n",
    ] {
        assert!(ran.stdout.contains(said), "{said}\n{}", ran.stdout);
    }
    assert!(!desk.file(WORKFLOW).exists() && !desk.file("web/node_modules/lib/x.golden.yml").exists());
    let lint = desk.run(&["lint", "--format", "json"]).await;
    assert!(!lint.stdout.contains("review.prompt.md") && !lint.stdout.contains("node_modules"), "{lint:?}");
}

#[tokio::test]
async fn configs_of_promptfoo_keep_their_tests() {
    let config = "prompts: [\"file://texts/prompt.txt\"]\nproviders: [\"openai:gpt-4o-mini\"]\ntests: [{ vars: { x: 1 }, assert: [{ type: contains, value: a }] }]\n";
    let desk = Desk::repository(&[("eval/promptfooconfig.yaml", config), ("eval/texts/prompt.txt", "Say {{x}}")]);
    let ran = desk.run(&["init"]).await;
    assert!(ran.stdout.contains("eval/promptfooconfig.yaml  (promptfoo config, 1 case in the file)"), "{ran:?}");
    assert!(!ran.stdout.contains("Perhaps prompts"), "{ran:?}");
    assert_eq!(told(&ran), ["wrote .github/promptops.yml", "wrote .github/workflows/promptops.yml"]);
    let lint = desk.run(&["lint"]).await;
    assert!(lint.code == 0 && lint.stdout.starts_with("1 prompt: 0 errors"), "{lint:?}");
}

#[tokio::test]
async fn a_set_that_a_prompt_names_is_made_where_it_names_it() {
    let prompt = "messages: [{role: user, content: Hi}]\ngoldenSet: ../cases/hi.yml\n";
    let desk = Desk::repository(&[("prompts/hi.prompt.yml", prompt)]);
    let ran = desk.run(&["init"]).await;
    assert!(told(&ran).contains(&"wrote cases/hi.yml"), "{ran:?}");
    let lint = desk.run(&["lint"]).await;
    assert_eq!(lint.code, 0, "{lint:?}");
}

#[tokio::test]
async fn it_works_below_the_top_without_commits_and_without_git() {
    let desk = Desk::plain();
    desk.write("deep/er/a.prompt.yml", NATIVE);
    let ran = desk.run(&["init", "--yes"]).await;
    assert!(ran.code == 0 && ran.stderr.contains("is in no Git repository"), "{ran:?}");
    assert!(desk.file("deep/er/a.golden.yml").exists() && desk.file(SETTINGS).exists());
    desk.git(&["init", "--quiet"]);
    let ran = desk.run_in("deep", &["init"], &[]).await;
    assert_eq!(
        (ran.code, told(&ran)),
        (0, vec!["kept  .github/promptops.yml", "kept  .github/workflows/promptops.yml"]),
        "{ran:?}"
    );
    assert!(!desk.file("deep/.github").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed_and_what_is_in_the_way_is_named() {
    let desk = Desk::repository(&[("a.prompt.yml", NATIVE)]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), desk.file(".github")).unwrap();
    let ran = desk.run(&["init"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("`.github` is a symbolic link"), "{ran:?}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    std::fs::remove_file(desk.file(".github")).unwrap();
    // A link that leads nowhere is somebody's file all the same.
    std::os::unix::fs::symlink("nowhere", desk.file("a.golden.yml")).unwrap();
    let ran = desk.run(&["init"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(desk.file("a.golden.yml")).unwrap().to_str(), Some("nowhere"));
    let desk = Desk::plain();
    desk.write(".github", "a file\n");
    let ran = desk.run(&["init"]).await;
    assert!(ran.code == 3 && ran.stderr.contains("cannot read `.github/promptops.yml`: Not a directory"), "{ran:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_takes_no_files_is_said_and_holds_no_half_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::repository(&[("prompts/a.prompt.yml", NATIVE)]);
    let folder = desk.file("prompts");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Whoever may do anything is not stopped by permissions.
    if std::fs::write(folder.join("probe"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let ran = desk.run(&["init"]).await;
    assert!(ran.code == 3 && ran.stderr.contains("cannot write `prompts/a.golden.yml`"), "{ran:?}");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}
