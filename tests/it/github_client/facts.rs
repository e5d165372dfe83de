//! What is read of a pull request, and that the policy decides rightly on it.

use promptops::github::OrganisationFile;

use super::*;

#[tokio::test]
async fn a_small_pull_request_is_gathered_at_one_head_in_few_requests() {
    let stage = Stage::new().await;
    stage.repo.review(stage.number, "mara", Says::Approve, "fine").unwrap();
    let facts = stage.facts().await;
    assert_eq!(facts.head_sha, stage.head().sha);
    assert_eq!(facts.changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [Kind::GoldenSet, Kind::Prompt]);
    assert_eq!((facts.commits.len(), facts.reviews.len(), facts.caps.len()), (2, 1, 0));
    assert_eq!(facts.memberships[0].2, Membership::Active);
    assert_eq!(facts.permissions[&facts.author.as_ref().unwrap().id.0], "write");
    // Token, pull, comparison, base's tree; reviews, permission, membership.
    assert_eq!(stage.sim.exchanges().len(), 7);
    stage.assert_quiet();
}

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    let stage = Stage::new().await;
    for _ in 0..120 {
        stage.repo.review(stage.number, "lee", Says::Comment, "hm").unwrap();
    }
    stage.repo.review(stage.number, "mara", Says::Approve, "fine").unwrap();
    let reviews = stage.repository().reviews(stage.number).await.unwrap();
    assert_eq!(reviews.len(), 121);
    assert_eq!(reviews.last().unwrap().state, ReviewState::Approved);
    stage.assert_quiet();
}

#[tokio::test]
async fn files_beyond_a_comparison_come_from_the_trees_and_beyond_a_cap_the_gate_fails_closed() {
    let stage = Stage::new().await;
    let many = |from, to| (from..to).fold(Change::by("ann"), |all, n| all.write(&format!("notes/{n}.txt"), "x"));
    stage.repo.push("better", &many(0, 350).remove(GOLDEN).symlink(PROMPT, "elsewhere")).unwrap();
    let snapshot = stage.snapshot().await;
    assert_eq!((snapshot.files.len(), snapshot.caps.len()), (352, 0));
    let facts = stage.facts().await;
    assert_eq!(facts.changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [Kind::Prompt, Kind::GoldenSet]);

    stage.sim.set_caps(Caps { tree_entries: 300, ..Caps::default() });
    let caps = stage.snapshot().await.caps;
    assert!(caps[0].contains("more files than GitHub lists"), "{caps:?}");
    stage.sim.set_caps(Caps::default());
    stage.repo.push("better", &many(350, 3_000)).unwrap();
    let caps = stage.snapshot().await.caps;
    assert!(caps[0].contains("split it"), "{caps:?}");
    assert_eq!(stage.state().await, State::Undecidable);
    stage.assert_quiet();
}

#[tokio::test]
async fn commits_are_read_to_the_last_page_and_beyond_their_cap_the_gate_fails_closed() {
    let stage = Stage::new().await;
    stage.sim.set_caps(Caps { pull_commits: 1, ..Caps::default() });
    let snapshot = stage.snapshot().await;
    assert_eq!((snapshot.commits.len(), snapshot.caps.len()), (2, 0));
    stage.sim.set_caps(Caps::default());
    for n in 0..249 {
        stage.repo.push("better", &Change::by("ann").write("notes.txt", n.to_string())).unwrap();
    }
    let caps = stage.snapshot().await.caps;
    assert!(caps[0].contains("251 commits"), "{caps:?}");
    assert_eq!(stage.state().await, State::Undecidable);
    stage.assert_quiet();
}

#[tokio::test]
async fn control_comes_from_the_base_branch_as_it_is_now() {
    let stage = Stage::new().await;
    let tip = stage.repo.push("main", &Change::by("ann").write(SETTINGS, "stricter")).unwrap();
    let snapshot = stage.snapshot().await;
    assert_eq!(snapshot.base_sha, tip);
    assert_ne!(snapshot.pull.recorded_base, tip);
    assert_ne!(snapshot.merge_base, tip);
    let settings = &snapshot.base_tree.entries[&path(SETTINGS)];
    assert_eq!(stage.repository().blob(settings, 100).await.unwrap(), "stricter");
    assert_eq!(snapshot.files.len(), 2, "what base changed meanwhile is not the pull request's");
    stage.assert_quiet();
}

#[tokio::test]
async fn an_approval_survives_a_rebase_and_an_update_merge_but_no_change_of_the_content() {
    let stage = Stage::new().await;
    stage.repo.review(stage.number, "mara", Says::Approve, "fine").unwrap();
    assert_eq!(stage.state().await, State::Satisfied);

    stage.repo.push("main", &Change::by("lee").write("README.md", "hello")).unwrap();
    stage.repo.merge_branch("main", "better", "lee").unwrap();
    assert_eq!(stage.state().await, State::Satisfied);

    let rebased = Change::by("ann").write(PROMPT, "two").write(GOLDEN, "more cases").write("notes.txt", "n");
    stage.repo.force_push("better", "main", &rebased).unwrap();
    assert_eq!(stage.state().await, State::Satisfied);

    stage.repo.push("better", &Change::by("ann").write(PROMPT, "three")).unwrap();
    assert_eq!(stage.state().await, State::Pending);
    stage.assert_quiet();
}

#[tokio::test]
async fn a_404_is_no_only_where_the_team_can_be_read_which_is_asked_once() {
    let stage = Stage::new().await;
    stage.sim.join_team(&team(), "lee", false).unwrap();
    let person = |login: &str| Person { id: stage.sim.user(login), login: Login::parse(login).unwrap(), is_bot: false };
    let asked = [
        ("acme/reviewers", "mara", Membership::Active),
        ("acme/reviewers", "lee", Membership::Pending),
        ("acme/reviewers", "ann", Membership::No),
        ("acme/reviewers", "olga", Membership::No),
        ("acme/no-such-team", "mara", Membership::Unreadable),
        ("other/reviewers", "mara", Membership::Unreadable),
    ];
    let of = asked.iter().map(|(team, login, _)| (TeamSlug::parse(team).unwrap(), person(login))).collect();
    let mut teams = Teams::default();
    let found = stage.repository().memberships(of, Default::default(), &mut teams).await.unwrap();
    for ((team, login, expected), (_, _, membership)) in asked.iter().zip(found) {
        assert_eq!(membership, *expected, "{login} in {team}");
    }
    assert_eq!(teams.unreadable().len(), 2);
    assert_eq!(stage.asked("GET", "/teams/reviewers"), 1, "acme's shows itself by its members");
    stage.assert_quiet();
}

#[tokio::test]
async fn permissions_are_told_by_role_and_strangers_have_none_to_write_with() {
    let stage = Stage::new().await;
    let repository = stage.repository();
    stage.repo.role("mara", "maintain").unwrap();
    for (login, can_write) in [("ann", true), ("mara", true), ("lee", false), ("nobody-here", false)] {
        let permission = repository.permission(&Login::parse(login).unwrap()).await.unwrap();
        assert_eq!(permission.can_write(), can_write, "{login}: {permission:?}");
    }
    stage.assert_quiet();
}

#[tokio::test]
async fn commits_say_who_had_a_hand_in_them() {
    let stage = Stage::new().await;
    let by_mara = Change::by("lee").write(PROMPT, "3").message("Better\n\nCo-authored-by: Zed <zed@example.com>\n");
    stage.repo.push("better", &by_mara).unwrap();
    stage.repo.push("better", &Change::by_stranger("Eve", "eve@example.com").write(PROMPT, "4")).unwrap();
    let commits = stage.snapshot().await.commits;
    assert_eq!(commits[2].author.as_ref().unwrap().login.as_str(), "lee");
    assert_eq!(commits[2].unknown_co_authors, ["Zed <zed@example.com>"]);
    assert_eq!(commits[3].author, None);
    stage.repo.review(stage.number, "mara", Says::Approve, "fine").unwrap();
    assert_eq!(stage.state().await, State::Undecidable);
    stage.assert_quiet();
}

#[tokio::test]
async fn a_fork_is_read_through_the_base_repository_also_when_it_is_gone() {
    let stage = Stage::new().await;
    stage.sim.user("eve");
    let fork = stage.repo.fork("eve").unwrap();
    fork.push("main", &Change::by("eve").write(PROMPT, "mine")).unwrap();
    let new = NewPull { from: Some(&fork), ..NewPull::new("eve", "main", "main") };
    let number = stage.repo.open_pull(&new).unwrap();
    let repository = stage.repository();
    let snapshot = repository.snapshot(number).await.unwrap();
    assert!(snapshot.pull.is_fork && !snapshot.pull.head_repo_is_gone);
    let head = repository.tree(&snapshot.pull.head_sha).await.unwrap();
    assert_eq!(repository.blob(&head.entries[&path(PROMPT)], 100).await.unwrap(), "mine");
    let facts = repository.facts(&snapshot, &governed, &one_of_the_reviewers(), Default::default()).await.unwrap();
    assert_eq!(facts.permissions.values().collect::<Vec<_>>(), ["read"]);
    stage.assert_quiet();
    // GitHub's own description does not admit that a head's repository can be null, but it is.
    fork.delete();
    assert!(repository.pull(number).await.unwrap().head_repo_is_gone);
}

#[tokio::test]
async fn links_and_submodules_do_not_pass_for_files() {
    let stage = Stage::new().await;
    let odd = Change::by("ann").symlink("prompts/link.prompt.yml", "/etc/passwd").submodule("prompts/sub.prompt.yml");
    stage.repo.push("better", &odd).unwrap();
    let tree = stage.repository().tree(&stage.head().sha).await.unwrap();
    assert_eq!(tree.entries[&path("prompts/link.prompt.yml")].kind, EntryKind::Symlink);
    assert_eq!(tree.entries[&path("prompts/sub.prompt.yml")].kind, EntryKind::Submodule);
    assert_eq!(tree.entries[&path(PROMPT)].kind, EntryKind::File);
    stage.assert_quiet();
}

#[tokio::test]
async fn a_blob_beyond_the_limit_is_refused() {
    let stage = Stage::new().await;
    let snapshot = stage.snapshot().await;
    stage.sim.forget_exchanges();
    let error = stage.repository().blob(&snapshot.base_tree.entries[&path(PROMPT)], 2).await.unwrap_err();
    assert!(matches!(error, GithubError::TooLarge { size: 3, limit: 2, .. }), "{error}");
    assert!(stage.sim.exchanges().is_empty(), "its size is known before it is asked for");
    stage.assert_quiet();
}

#[tokio::test]
async fn settings_may_come_from_the_organisation_s_own_repository() {
    let stage = Stage::new().await;
    let repository = stage.repository();
    assert_eq!(repository.organisation_file(&path(SETTINGS), 100, true).await.unwrap(), OrganisationFile::Unseen);
    let name = RepoName::parse("acme/.github").unwrap();
    let shared = stage.sim.repo(&name, &Change::by("ann").write(SETTINGS, "shared")).unwrap();
    for private in [false, true] {
        shared.set_private(private).unwrap();
        let found = repository.organisation_file(&path(SETTINGS), 100, true).await.unwrap();
        assert_eq!(found, OrganisationFile::There("shared".into()), "private: {private}");
        let absent = repository.organisation_file(&path("other.yml"), 100, true).await.unwrap();
        assert_eq!(absent, OrganisationFile::Absent, "private: {private}");
        let error = repository.organisation_file(&path(SETTINGS), 2, true).await.unwrap_err();
        assert!(matches!(error, GithubError::TooLarge { size: 6, limit: 2, .. }), "{error}");
    }
    stage.assert_quiet();
}
