//! What a pull request may do to files: new, gone, moved, linked, broken prompts, and golden sets of any name.

use promptops::sim::{Change, Limits};

use crate::support::app::{GOLDEN, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt};

const NEW: &str = "prompts/refund.prompt.yml";

#[tokio::test]
async fn a_new_prompt_is_measured_alone_and_one_without_cases_is_refused() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(NEW, prompt("You answer."))).await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.evaluation(pull).annotations[0]["path"], NEW);
    app.push(&Change::by("ann").write("prompts/refund.golden.yml", golden(1..=5))).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("refund.prompt.yml"));
    app.finish().await;
}

#[tokio::test]
async fn a_prompt_that_goes_needs_people_and_no_run() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").remove(PROMPT).remove(GOLDEN)).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("is removed"));
    app.push(&Change::by("ann").write("old/reply.prompt.yml", prompt(&forgets([3])))).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("is removed"));
    assert_eq!(app.model.calls(), 0);
    app.finish().await;
}

#[tokio::test]
async fn a_renamed_prompt_is_compared_with_what_it_was() {
    let mut app = TestApp::new().await;
    let change = Change::by("ann")
        .rename(PROMPT, "prompts/orders.prompt.yml")
        .rename(GOLDEN, "prompts/orders.golden.yml")
        .write("prompts/orders.prompt.yml", prompt(&forgets([5])));
    let pull = app.open(&change).await;
    app.expect(pull, "failure", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("order-5") && report.contains("prompts/orders.prompt.yml"), "{report}");
    app.finish().await;
}

#[tokio::test]
async fn links_and_submodules_are_refused_by_name() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").symlink(PROMPT, "../secrets.txt")).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations[0]["path"], PROMPT);
    assert!(evaluation.text.unwrap().contains("a symbolic link"));
    app.push(&Change::by("ann").submodule(PROMPT)).await;
    app.expect(pull, "action_required", "in_progress");
    assert!(app.evaluation(pull).text.unwrap().contains("a submodule"));
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer.")).symlink(GOLDEN, "x")).await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.evaluation(pull).annotations[0]["path"], GOLDEN);
    assert_eq!(app.model.calls(), 0);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn more_prompts_than_are_evaluated_at_once_are_refused_before_any_is_fetched() {
    let mut app = TestApp::new().await;
    let change = (0..301).fold(Change::by("ann"), |change, number| {
        change.write(&format!("prompts/many/{number}.prompt.yml"), prompt(&format!("You answer {number}.")))
    });
    let pull = app.open(&change).await;
    app.expect(pull, "action_required", "in_progress");
    let text = app.evaluation(pull).text.unwrap();
    assert!(text.contains("changes 301 prompt files, at most 300 are evaluated at once: split it"), "{text}");
    let exchanges = app.sim.exchanges();
    let fetched = exchanges.iter().filter(|exchange| exchange.path.contains("/git/blobs/")).count();
    assert!(fetched <= 1, "{fetched}: only the settings of the base branch");
    assert_eq!(app.model.calls(), 0);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn what_its_parser_would_refuse_for_its_size_is_not_fetched() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let checks = [(PROMPT, 1 << 20, "1048576 (1 MiB)"), (GOLDEN, 64 << 20, "67108864 (64 MiB)")];
    for (path, cap, shown) in checks {
        app.sim.forget_exchanges();
        // Another comment each time, so that no content is known from before.
        let other = if path == PROMPT { prompt("You answer.") } else { prompt("You answer well.") };
        app.push(&Change::by("ann").write(PROMPT, other).write(path, vec![b'#'; cap + 1])).await;
        app.expect(pull, "action_required", "in_progress");
        let text = app.evaluation(pull).text.unwrap().replace('`', "");
        assert!(text.contains(&format!("{} bytes, more than the {shown} allowed", cap + 1)), "{text}");
        let largest = |exchange: &promptops::sim::Exchange| exchange.response.as_ref()?["size"].as_u64();
        let fetched = app.sim.exchanges();
        let fetched = fetched.iter().filter(|exchange| exchange.path.contains("/git/blobs/")).filter_map(largest).max();
        assert!(fetched.is_none_or(|size| size < 100_000), "{fetched:?}");
    }
    let _ = app.report(pull);
    app.finish().await;
}

/// Everything that is wrong with files is said at its line, and nothing is asked of a model.
#[tokio::test]
async fn bad_input_is_named_at_its_line() {
    let mut app = TestApp::new().await;
    // More pushes a minute than GitHub would bear.
    app.sim.set_limits(Limits { writes_per_minute: 1_000, ..Limits::default() });
    let pull = app.open_better().await;
    let calls = app.model.calls();
    let broken: [(&str, Vec<u8>, u32); 14] = [
        (PROMPT, b"name: x\nmessages: [\n".to_vec(), 2),
        (PROMPT, b"name: x\nname: y\nmessages:\n  - {role: user, content: hi}\n".to_vec(), 2),
        (PROMPT, b"name: x\nmessages: 7\n".to_vec(), 2),
        (PROMPT, b"name: x\nmessages:\n\t- role: user\n".to_vec(), 3),
        (PROMPT, b"name: x\nmessages:\n  - {role: user, content: \"\xff\xfe\"}\n".to_vec(), 3),
        (PROMPT, prompt("You answer.").replace("{{order}}", "{{orders}}").into_bytes(), 8),
        (GOLDEN, golden([1, 1]).into_bytes(), 6),
        (PROMPT, vec![b'#'; 10_000_000], 1),
        (GOLDEN, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec(), 1),
        (GOLDEN, b"cases: []\n".to_vec(), 1),
        (GOLDEN, golden([1]).replace("contains", "containz").into_bytes(), 5),
        (GOLDEN, golden([1]).replace("contains: A-001", "regex: \"(\"").into_bytes(), 5),
        (GOLDEN, golden([1]).replace("contains: A-001", "json_schema: {type: 7}").into_bytes(), 5),
        (GOLDEN, bomb().into_bytes(), 5),
    ];
    for (path, bytes, line) in broken {
        let other = if path == PROMPT {
            Change::by("ann").write(GOLDEN, golden(1..=12))
        } else {
            Change::by("ann").write(PROMPT, prompt("You answer."))
        };
        app.push(&other.write(path, &bytes)).await;
        let evaluation = app.evaluation(pull);
        let said = &evaluation.annotations;
        let shown = String::from_utf8_lossy(&bytes);
        assert_eq!(evaluation.conclusion.as_deref(), Some("action_required"), "{shown}\n{:?}", evaluation.text);
        assert_eq!((&said[0]["path"], &said[0]["start_line"]), (&path.into(), &line.into()), "{shown}\n{said:?}");
        assert!(evaluation.text.unwrap().contains(path));
    }
    assert_eq!(app.model.calls(), calls);
    app.push(
        &Change::by("ann")
            .write(PROMPT, format!("\u{feff}{}", prompt("You answer.")).replace('\n', "\r\n"))
            .write(GOLDEN, golden(1..=12)),
    )
    .await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let last = n - 1;
        text.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{last}"); 10].join(", ")));
    }
    text + "cases: *a8\n"
}

#[tokio::test]
async fn a_change_of_a_golden_set_alone_runs_its_prompt() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(GOLDEN, golden(1..=20))).await;
    app.expect(pull, "success", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("case `order-20` is new") && report.contains("12 cases"), "{report}");
    app.finish().await;
}

const KEEPER: &str =
    "  - name: golden set keeper\n    when: { changes: [golden_set] }\n    require: { count: 1, from: [leads] }\n";

#[tokio::test]
async fn a_golden_set_of_any_name_is_governed_by_the_prompt_that_names_it() {
    let settings = format!("{SETTINGS}{KEEPER}");
    let named = |set: &str| format!("{}goldenSet: {set}\n", prompt("You answer."));
    let first = Change::by("ann")
        .write(SETTINGS_PATH, settings)
        .write(NEW, named("cases/refunds.csv"))
        .write("prompts/cases/refunds.csv", "order,__expected\nA-001,contains:A-001\nA-002,contains:A-002\n")
        .write("prompts/cases/other.csv", "a,b\n");
    let mut app = TestApp::with(first).await;
    let pull = app
        .open(&Change::by("ann").write("prompts/cases/refunds.csv", "order,__expected\nA-001,contains:order\n"))
        .await;
    app.expect(pull, "success", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("golden set keeper") && report.contains("is removed; it goes on deciding"), "{report}");
    let untouched = app.open(&Change::by("ann").write("prompts/cases/other.csv", "a,c\n")).await;
    app.expect(untouched, "success", "success");
    // Head's prompt names it.
    let named = Change::by("ann")
        .write("prompts/cases/other.csv", "order,__expected\nA-001,contains:A-001\n")
        .write(NEW, named("cases/other.csv"));
    let pull = app.open(&named).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("golden set keeper: waits for"), "{}", app.report(pull).unwrap());
    let outside = Change::by("ann")
        .write("data/x.csv", "order,__expected\nA-001,contains:A-001\n")
        .write(NEW, prompt("You answer.") + "goldenSet: ../data/x.csv\n");
    let pull = app.open(&outside).await;
    app.expect(pull, "action_required", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn beyond_so_many_prompts_every_file_that_may_be_a_golden_set_counts_as_one() {
    let first = Change::by("ann").write(SETTINGS_PATH, format!("{SETTINGS}{KEEPER}"));
    let many =
        (0..301).fold(first, |change, n| change.write(&format!("prompts/{n}.prompt.yml"), prompt("You answer.")));
    let mut app = TestApp::with(many).await;
    let pull = app.open(&Change::by("ann").write("prompts/any.csv", "a\n").write("ci.yml", "on: push\n")).await;
    // Who uses it cannot be found out, so nobody can say that it weakens nothing.
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.evaluation(pull).annotations[0]["path"], "prompts/any.csv");
    let report = app.report(pull).unwrap();
    assert!(report.contains("golden set keeper: waits for") && report.contains("too many to find out"), "{report}");
    assert!(app.sim.exchanges().len() <= 20, "no prompt is read one by one");
    let outside = app.open(&Change::by("ann").write("ci.yml", "on: push\n")).await;
    app.expect(outside, "success", "success");
    app.finish().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_to_list_closes_the_gate() {
    let mut app = TestApp::new().await;
    // Base has four files in two folders.
    app.sim.set_caps(promptops::sim::Caps { tree_entries: 6, ..Default::default() });
    let pull = app.open(&Change::by("ann").write(NEW, prompt("You answer."))).await;
    app.expect(pull, "action_required", "in_progress");
    assert!(app.report(pull).unwrap().contains("more files than GitHub lists"));
    assert_eq!(app.model.calls(), 0);
    app.finish().await;
}

#[tokio::test]
async fn a_list_that_github_cuts_closes_the_gate() {
    let mut app = TestApp::new().await;
    app.sim.set_caps(promptops::sim::Caps { tree_entries: 3, ..Default::default() });
    let pull = app.open_better().await;
    app.expect(pull, "action_required", "failure");
    assert!(app.report(pull).unwrap().contains("move the prompts to a repository of their own"));
    app.finish().await;
}

#[tokio::test]
async fn a_link_in_place_of_a_folder_of_prompts_is_refused() {
    let mut app = TestApp::new().await;
    let moved = Change::by("ann").write("data/reply.prompt.yml", prompt(&forgets([5]))).remove(PROMPT).remove(GOLDEN);
    let pull = app.open(&moved.clone().symlink("prompts", "data")).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations[0]["path"], "prompts");
    assert!(evaluation.text.unwrap().contains("becomes a symbolic link"));
    let _ = app.report(pull);
    let pull = app.open(&moved.submodule("prompts")).await;
    app.expect(pull, "action_required", "in_progress");
    assert!(app.evaluation(pull).text.unwrap().contains("becomes a submodule"));
    let _ = app.report(pull);
    let renamed = Change::by("ann").rename(PROMPT, "data/reply.prompt.yml").rename(GOLDEN, "data/reply.golden.yml");
    let pull = app.open(&renamed.symlink("Prompts", "data")).await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.model.calls(), 0);
    let _ = app.report(pull);
    app.finish().await;
}

/// Somebody broke base's golden set past the gate; now the prompt shall bring one of its own.
#[tokio::test]
async fn a_broken_base_may_be_mended_and_not_be_replaced() {
    let mut app = TestApp::new().await;
    let broken = Change::by("lee").write(GOLDEN, "cases: [\n");
    app.repo.push("main", &broken).unwrap();
    let worse = Change::by("ann").write(PROMPT, prompt(&forgets([5])));
    let replaced = app.open(&worse.write(GOLDEN, golden([1]))).await;
    app.expect(replaced, "action_required", "in_progress");
    let report = app.report(replaced).unwrap();
    assert!(report.contains("Mend it on the base branch first"), "{report}");
    assert_eq!(app.model.calls(), 0);
    let mended = app.open(&Change::by("ann").write(GOLDEN, golden([1, 2]))).await;
    app.expect(mended, "success", "in_progress");
    let _ = app.report(mended);
    app.finish().await;

    let mut app = TestApp::new().await;
    app.repo.push("main", &Change::by("lee").write(PROMPT, "messages: [\n")).unwrap();
    let better = Change::by("ann").write(PROMPT, prompt("You answer."));
    let mended = app.open(&better).await;
    app.expect(mended, "success", "in_progress");
    let _ = app.report(mended);
    let replaced = app.open(&better.write(GOLDEN, golden([1]))).await;
    app.expect(replaced, "action_required", "in_progress");
    let _ = app.report(replaced);
    app.finish().await;
}
