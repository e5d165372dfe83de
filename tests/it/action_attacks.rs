//! What a change can try so that the step looks elsewhere: each is seen, or refused.

use crate::support::desk::Desk;
use crate::support::step::{PROMPT, Step, prompt};

#[tokio::test]
async fn a_checkout_of_a_newer_base_branch_is_no_pass() {
    let mut step = Step::pull_request("rudely").await;
    let base = step.desk.git(&["rev-parse", "HEAD~1"]);
    step.desk.git(&["checkout", "--quiet", &base]);
    step.desk.write("README.md", "newer");
    step.desk.commit("main moves on");
    let done = step.pull_event("pull_request_target", &base, false).run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"), "{}", done.summary);
    let done = step.pull_event("pull_request_target", &base, true).run().await;
    assert_eq!((done.verdict(), step.model.calls()), ((3, "not_measured"), 0), "{}", done.summary);
}

#[tokio::test]
async fn the_settings_of_a_change_do_not_judge_it() {
    let step = Step::pull_request("rudely").await;
    step.desk.write(
        ".github/promptops.yml",
        "prompts: { exclude: [prompts/reply.prompt.yml] }\nevaluation: { margin: 1 }\n",
    );
    step.desk.commit("rules of our own");
    let done = step.run().await;
    assert_eq!(done.verdict(), (1, "regression"), "{}", done.summary);
    assert!(done.summary.contains("decide once they are merged"), "{}", done.summary);
}

#[tokio::test]
async fn what_other_steps_left_in_the_folder_is_not_read() {
    let step = Step::pull_request("kindly").await;
    let leaked = "TOPSECRETVALUE";
    step.desk.write("creds.json", format!("{{ \"client_secret\": \"{leaked}\" }}"));
    let config = |file: &str| {
        format!(
            "prompts: [file://{file}]\nproviders: [openai:gpt-4o-mini]\ntests: [{{ vars: {{ q: a }}, assert: [{{ type: contains, value: Hello }}] }}]\n"
        )
    };
    for file in ["creds.json", ".git/config", ".GIT/config"] {
        step.desk.write("promptfooconfig.yaml", config(file));
        step.desk.git(&["add", "promptfooconfig.yaml"]);
        step.desk.git(&["commit", "--quiet", "-m", "a config"]);
        let done = step.run().await;
        assert_ne!(done.ran.code, 0, "{file}: {}", done.summary);
        let said = format!("{}{}{:?}", done.summary, done.ran.said(), step.comments());
        assert!(!said.contains(leaked) && !said.contains("repositoryformatversion"), "{file}: {said}");
    }
}

#[tokio::test]
async fn a_folder_of_prompts_that_becomes_a_link_is_no_pass() {
    let step = Step::pull_request("kindly").await;
    step.desk.write("other/words.md", "words");
    step.desk.write("other/reply.prompt.yml", prompt("rudely"));
    step.desk.git(&["rm", "-r", "--quiet", "prompts"]);
    std::os::unix::fs::symlink("other", step.desk.file("prompts")).unwrap();
    step.desk.commit("a link");
    let done = step.run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"), "{}", done.summary);
    assert!(done.summary.contains("`other/reply.prompt.yml`: the prompt has no golden set"), "{}", done.summary);
}

#[tokio::test]
async fn a_tag_named_like_the_base_branch_moves_nothing() {
    let mut step = Step::pull_request("rudely").await;
    let base = step.desk.git(&["rev-parse", "HEAD~1"]);
    step.desk.git(&["update-ref", "refs/remotes/origin/trunk", &base]);
    step.desk.git(&["tag", "trunk", "HEAD"]);
    step.desk.git(&["tag", "origin/trunk", "HEAD"]);
    for named in ["trunk", "origin/trunk"] {
        assert_eq!(step.set("INPUT_BASE", named).run().await.verdict(), (1, "regression"), "{named}");
    }
}

#[tokio::test]
async fn two_branches_merged_into_each_other_hide_no_prompt() {
    let mut step = Step::pull_request("kindly").await;
    let git = |arguments: &[&str]| step.desk.git(arguments);
    let root = git(&["rev-parse", "HEAD~1"]);
    let merge = |from: &str, with: &str, take: &str| {
        git(&["checkout", "--quiet", "--detach", from]);
        git(&["merge", "--quiet", "--no-commit", "--no-ff", "--strategy=ours", with]);
        git(&["checkout", take, "--", PROMPT]);
        git(&["commit", "--quiet", "--allow-empty", "-m", "merge"]);
        git(&["rev-parse", "HEAD"])
    };
    // One branch has the bad text, another mends it; each side merges both and keeps another text.
    git(&["checkout", "--quiet", "--detach", &root]);
    step.desk.write(PROMPT, prompt("rudely"));
    git(&["commit", "--quiet", "-am", "bad"]);
    let bad = git(&["rev-parse", "HEAD"]);
    git(&["checkout", "--quiet", "--detach", &root]);
    step.desk.write(PROMPT, prompt("kindly indeed"));
    git(&["commit", "--quiet", "-am", "good"]);
    let good = git(&["rev-parse", "HEAD"]);
    let sides = [(&bad, &good), (&good, &bad)].map(|(one, other)| (merge(other, one, &good), merge(one, other, &bad)));
    for (base, head) in sides {
        step.desk.git(&["checkout", "--quiet", "--detach", &head]);
        step.set("INPUT_BASE", &base);
        let done = step.run().await;
        assert_eq!(done.verdict(), (1, "regression"), "{}", done.summary);
    }
}

#[tokio::test]
async fn a_committed_link_leads_no_result_out_of_the_checkout() {
    let mut step = Step::pull_request("kindly").await;
    let outside = Desk::plain();
    outside.write("precious", "mine");
    std::os::unix::fs::symlink(outside.file("precious"), step.desk.file("results.sarif")).unwrap();
    std::os::unix::fs::symlink(outside.path(), step.desk.file("out")).unwrap();
    step.desk.commit("links");
    let at = |path: &str, desk: &Desk| desk.file(path).display().to_string();
    let (plain, whole) = ("results.sarif".to_owned(), at("results.sarif", &step.desk));
    for file in [plain, whole, "out/precious".to_owned(), at("out/precious", &step.desk)] {
        let done = step.set("INPUT_SARIF_FILE", &file).run().await;
        assert_eq!(outside.read("precious"), "mine", "{file}");
        assert!(
            done.commands().iter().any(|line| line.contains("is a symbolic link")),
            "{file}: {:?}",
            done.commands()
        );
    }
}
