//! What is published: once, on the right head, in few requests.

use super::*;

// The whole way of a small pull request: two queued checks, all facts, all blobs, two final checks and the comment.
#[tokio::test]
async fn a_small_pull_request_costs_at_most_twenty_requests_from_end_to_end() {
    let stage = Stage::new().await;
    stage.repo.review(stage.number, "mara", Says::Approve, "fine").unwrap();
    let (repository, head) = (stage.repository(), stage.head());
    let names = [CheckRun::evaluation_name(&head.base), CheckRun::approval_name(&head.base)];
    let queued = names.each_ref().map(|name| write(check(name, CheckState::Queued, 0), Remembered::Never));
    let ids = repository.upsert_checks(&head.sha, &queued).await.unwrap();

    let snapshot = stage.snapshot().await;
    let (base, head_tree) = (&snapshot.base_tree, &repository.tree(&head.sha).await.unwrap());
    for (tree, file) in [(base, SETTINGS), (base, PROMPT), (base, GOLDEN), (head_tree, PROMPT), (head_tree, GOLDEN)] {
        for _ in 0..2 {
            repository.blob(&tree.entries[&path(file)], 1 << 20).await.unwrap();
        }
    }
    repository.facts(&snapshot, &governed, &one_of_the_reviewers(), Default::default()).await.unwrap();

    let ended = [0, 1].map(|n| write(check(&names[n], DONE, 0), Remembered::Id(ids[n].0)));
    assert_eq!(repository.moved(&head).await.unwrap(), None);
    repository.upsert_checks(&head.sha, &ended).await.unwrap();
    repository.upsert_comment(head.number, &report(Remembered::Unsure)).await.unwrap();
    assert_eq!(stage.repo.comments(stage.number).len(), 1);
    let asked: Vec<String> = stage.sim.exchanges().iter().map(|one| format!("{} {}", one.method, one.path)).collect();
    assert!(asked.len() <= 20, "{asked:#?}");
    stage.assert_quiet();
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_check() {
    let stage = Stage::new().await;
    let (repository, sha) = (stage.repository(), stage.head().sha);
    stage.sim.order(Fault::new("POST", "/repos/{owner}/{repo}/check-runs", When::After, Trouble::Drop));
    let queued = write(check("promptops/evaluation: main", CheckState::Queued, 0), Remembered::Never);
    let error = repository.upsert_checks(&sha, std::slice::from_ref(&queued)).await.unwrap_err();
    assert!(matches!(error, GithubError::Transport { retry: false, .. }), "{error}");

    stage.repo.foreign_check(99, &queued.run.name, &sha, "success").unwrap();
    let again = CheckWrite { known: Remembered::Unsure, ..queued };
    let ids = repository.upsert_checks(&sha, &[again]).await.unwrap();
    let ours: Vec<_> = stage.repo.check_runs(&sha).into_iter().filter(|run| run.app_id == stage.sim.app_id()).collect();
    assert_eq!((ours.len(), CheckId(ours[0].id)), (1, ids[0].0));
    stage.assert_quiet();
}

#[tokio::test]
async fn publishing_twice_changes_one_comment_and_the_same_checks() {
    let stage = Stage::new().await;
    let (repository, head) = (stage.repository(), stage.head());
    stage.repo.comment(stage.number, "lee", &format!("{REPORT_MARKER} forged")).unwrap();
    let run = check("promptops/evaluation: main", DONE, 120);
    let checks = repository.upsert_checks(&head.sha, &[write(run.clone(), Remembered::Unsure)]).await.unwrap();
    let first = repository.upsert_comment(head.number, &report(Remembered::Unsure)).await.unwrap();
    let CommentOutcome::Written { id, digest } = first else { panic!("it is not locked") };
    let shown = stage.repo.check_runs(&head.sha).remove(0);
    assert_eq!((shown.annotations.len(), shown.conclusion.as_deref()), (120, Some("success")));

    stage.sim.forget_exchanges();
    let same_check = CheckWrite { run, known: Remembered::Id(checks[0].0), last: Some(checks[0].1) };
    let same_comment = CommentWrite { last: Some(digest), ..report(Remembered::Id(id)) };
    assert_eq!(repository.upsert_checks(&head.sha, &[same_check]).await.unwrap(), checks);
    assert_eq!(repository.upsert_comment(head.number, &same_comment).await.unwrap(), first);
    assert_eq!(stage.sim.exchanges().len(), 0, "the same is not written again");

    let other = CommentWrite { body: format!("{REPORT_MARKER}\nWorse."), ..report(Remembered::Unsure) };
    repository.upsert_comment(stage.number, &other).await.unwrap();
    let ours: Vec<_> = stage.repo.comments(stage.number).into_iter().filter(|comment| comment.by_app).collect();
    assert_eq!((ours.len(), ours[0].id), (1, id.0));
    assert!(ours[0].body.contains("Worse."));

    stage.repo.delete_comment(id.0).unwrap();
    repository.upsert_comment(stage.number, &report(Remembered::Id(id))).await.unwrap();
    assert_eq!(stage.repo.comments(stage.number).len(), 2);
    stage.assert_quiet();
}

#[tokio::test]
async fn a_head_or_base_that_moved_is_noticed() {
    let stage = Stage::new().await;
    let (repository, head) = (stage.repository(), stage.head());
    assert_eq!(repository.moved(&head).await.unwrap(), None);
    let newer = stage.repo.push("better", &Change::by("ann").write(PROMPT, "three")).unwrap();
    assert_eq!(repository.moved(&head).await.unwrap(), Some(newer.clone()));
    stage.repo.branch("release", "main").unwrap();
    stage.repo.retarget(stage.number, "release", "ann").unwrap();
    assert_eq!(repository.moved(&Head { sha: newer.clone(), ..head }).await.unwrap(), Some(newer));
    stage.assert_quiet();
}

#[tokio::test]
async fn a_locked_conversation_is_an_outcome() {
    let stage = Stage::new().await;
    stage.repo.lock(stage.number).unwrap();
    let written = stage.repository().upsert_comment(stage.number, &report(Remembered::Never)).await.unwrap();
    assert_eq!(written, CommentOutcome::Locked);
    stage.assert_quiet();
}

#[tokio::test]
async fn a_command_is_answered_once() {
    let stage = Stage::new().await;
    let marker = "<!-- promptops:answer:17 -->";
    for _ in 0..2 {
        let body = format!("{marker}\nHelp.");
        stage.repository().comment_once(stage.number, &body, marker).await.unwrap();
    }
    assert_eq!(stage.repo.comments(stage.number).len(), 1);
    stage.assert_quiet();
}
