//! Pull requests from forks: nothing is asked with keys that are not theirs, and it is said what to do.

use crate::support::step::{PROMPT, Step};

async fn fork(event: &str, how: &str) -> Step {
    let mut step = Step::pull_request(how).await;
    let base = step.desk.git(&["rev-parse", "HEAD~1"]);
    step.pull_event(event, &base, true);
    step
}

#[tokio::test]
async fn a_fork_without_keys_is_linted_and_diffed_and_told_so() {
    let mut step = fork("pull_request", "rudely").await;
    step.without_keys().grant(&[("contents", "read")]);
    let done = step.run().await;
    assert_eq!(done.verdict(), (3, "not_measured"), "{}", done.ran.stdout);
    for said in [
        "comes from a fork, which gets none of this workflow's keys",
        "lint (1 looked at, errors: 0",
        "a maintainer reads the change and runs the workflow by hand",
        "installs the PromptOps App",
        "-Reply [-kindly-] to {{question}}",
        "+Reply {+rudely+} to {{question}}",
    ] {
        assert!(
            done.summary.contains(said) || done.summary.replace('`', "").contains(said),
            "{said}: {}",
            done.summary
        );
    }
    let commands = done.commands().join("\n");
    assert!(commands.contains("::notice title=PromptOps::No comment was written"), "{commands}");
    assert!(!commands.contains("::error"), "{commands}");
    assert_eq!((step.comments().len(), step.model.calls()), (0, 0));
    assert_eq!(step.set("INPUT_FAIL_ON", "regression").run().await.ran.code, 0);
}

#[tokio::test]
async fn a_fork_that_is_broken_is_wrong_input_all_the_same() {
    let mut step = fork("pull_request", "rudely").await;
    step.without_keys();
    step.desk.write(PROMPT, "messages: 7\n");
    assert_eq!(step.run().await.verdict(), (2, "wrong_input"));
}

#[tokio::test]
async fn a_fork_that_was_given_keys_is_measured() {
    let step = fork("pull_request", "rudely").await;
    assert_eq!(step.run().await.verdict(), (1, "regression"));
    assert_eq!(step.comments().len(), 0);
}

#[tokio::test]
async fn under_pull_request_target_a_fork_is_never_shown_to_a_model() {
    let mut step = fork("pull_request_target", "rudely").await;
    let base = step.desk.git(&["rev-parse", "HEAD~1"]);
    let merge = step.check_out_merge();
    let done = step.run().await;
    assert_eq!(done.verdict(), (3, "not_measured"));
    assert!(done.summary.contains("the keys given to this step were not used"), "{}", done.summary);
    assert!(done.summary.contains("rudely"), "{}", done.summary);
    assert_eq!(step.model.calls(), 0);
    // The token of such a run may write.
    assert_eq!(step.comments().len(), 1);
    // As it is checked out by itself, the change is not even there.
    step.desk.git(&["checkout", "--quiet", &base]);
    let done = step.run().await;
    assert_eq!((done.verdict(), step.model.calls()), ((3, "not_measured"), 0));
    assert!(done.summary.contains("the change itself was not looked at"), "{}", done.summary);
    step.desk.git(&["checkout", "--quiet", &merge]);
    assert_eq!(step.pull_event("pull_request_target", &base, false).run().await.verdict(), (1, "regression"));
}

#[tokio::test]
async fn missing_keys_outside_forks_name_the_variables_to_add() {
    let mut step = Step::pull_request("rudely").await;
    let done = step.without_keys().run().await;
    assert_eq!(done.verdict(), (3, "not_measured"));
    assert!(done.summary.contains("OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}"), "{}", done.summary);
    let commands = done.commands().join("\n");
    assert!(
        commands.contains("add to the step:%0Aenv:%0A  OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}"),
        "{commands}"
    );
}
