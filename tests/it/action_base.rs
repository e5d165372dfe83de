//! Where base comes from when the checkout lacks it, and what is said where it is nowhere.

use promptops::sim::Change;
use serde_json::json;

use crate::support::openapi::assert_conforms;
use crate::support::step::{PROMPT, Step};

/// A shallow checkout of a pull request whose base only GitHub has.
async fn shallow(how: &str) -> Step {
    let mut step = Step::pull_request(how).await;
    let base = step.base.to_string();
    step.make_shallow().pull_event("pull_request", &base, false);
    step
}

#[tokio::test]
async fn a_shallow_checkout_is_compared_with_the_base_that_github_has() {
    let step = shallow("rudely").await;
    let done = step.run().await;
    assert_eq!(done.verdict(), (1, "regression"), "{}", done.ran.stdout);
    let result = done.result();
    assert_eq!(result["base"], step.base.as_str());
    assert_eq!(result["prompts"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["prompts"][0]["cases"][0]["base"]["passes"], 1);
    assert_eq!(step.comments().len(), 1);
    assert_conforms(&step.sim.exchanges());
}

#[tokio::test]
async fn a_folder_without_git_is_compared_as_well() {
    let step = shallow("rudely").await;
    std::fs::remove_dir_all(step.desk.file(".git")).unwrap();
    let done = step.run().await;
    assert_eq!(done.verdict(), (1, "regression"), "{}", done.ran.stdout);
    assert_eq!(done.result()["prompts"][0]["path"], PROMPT);
}

#[tokio::test]
async fn a_renamed_prompt_is_compared_with_what_it_was() {
    let mut step = Step::pull_request("rudely").await;
    let moved = "prompts/answer.prompt.yml";
    let change =
        Change::by("ana").rename(PROMPT, moved).rename("prompts/reply.golden.yml", "prompts/answer.golden.yml");
    step.head = step.repo.push("change", &change).unwrap();
    step.desk.git(&["mv", PROMPT, moved]);
    step.desk.git(&["mv", "prompts/reply.golden.yml", "prompts/answer.golden.yml"]);
    step.desk.commit("move");
    let base = step.base.to_string();
    step.make_shallow().pull_event("pull_request", &base, false);
    let result = step.run().await.result();
    assert_eq!((&result["prompts"][0]["path"], &result["prompts"][0]["base_score"]), (&json!(moved), &json!(1.0)));
    assert_eq!(result["prompts"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_named_base_may_be_a_branch_that_only_github_has() {
    let mut step = shallow("rudely").await;
    step.event("workflow_dispatch", &json!({})).set("INPUT_BASE", "main");
    step.desk.git(&["checkout", "--quiet", "-b", "work"]);
    step.desk.git(&["branch", "--quiet", "-D", "main"]);
    step.desk.git(&["remote", "remove", "origin"]);
    let done = step.run().await;
    assert_eq!(done.result()["base"], step.base.as_str(), "{}", done.ran.stdout);
}

#[tokio::test]
async fn a_base_that_is_nowhere_says_what_to_add_to_the_workflow() {
    let check = async |step: &Step, said: &[&str]| {
        let done = step.run().await;
        assert_eq!(done.verdict(), (2, "wrong_input"), "{}", done.ran.stdout);
        let commands = done.commands().join("\n");
        for said in said {
            assert!(done.ran.stdout.contains(said), "{said}: {}", done.ran.stdout);
            assert!(done.summary.contains(said), "{said}: {}", done.summary);
        }
        assert!(commands.starts_with("::error title=PromptOps::"), "{commands}");
        assert_eq!(step.model.calls(), 0);
    };
    let mut step = shallow("rudely").await;
    step.set("INPUT_GITHUB_TOKEN", "");
    check(&step, &["there is no github-token", "fetch-depth: 0", "github-token: ${{ github.token }}"]).await;
    step.set("INPUT_GITHUB_TOKEN", "ghs_0123456789abcdefghij");
    check(&step, &["GitHub does not accept the github-token", "fetch-depth: 0"]).await;
    step.repo.set_private(true).unwrap();
    step.grant(&[("issues", "read")]);
    check(&step, &["may not read the repository's contents", "contents: read"]).await;
    step.grant(&[("contents", "read")]).set("INPUT_BASE", "no-such-branch");
    check(&step, &["base no-such-branch", "GitHub knows no such revision"]).await;
}

#[tokio::test]
async fn a_checkout_of_the_base_branch_is_no_pass() {
    let mut step = Step::pull_request("rudely").await;
    step.desk.git(&["checkout", "--quiet", "HEAD~1"]);
    let base = step.desk.git(&["rev-parse", "HEAD"]);
    let done = step.pull_event("pull_request_target", &base, false).run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"));
    assert!(done.summary.contains("the checkout does not hold the change"), "{}", done.summary);
    assert!(done.summary.contains("github.event.pull_request.head.sha"), "{}", done.summary);
}
