//! Credentials, limits, faults: what every call goes through.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn twenty_calls_at_once_mint_one_token_narrowed_to_the_repository_and_its_steps() {
    let stage = Stage::new().await;
    let repository = stage.repository();
    let calls = (0..20).map(|_| repository.pull(stage.number));
    for view in futures::future::join_all(calls).await {
        assert!(view.unwrap().is_open);
    }
    assert_eq!(stage.asked("POST", "/access_tokens"), 1);
    let minted = stage.sim.exchanges().into_iter().find(|one| one.path.ends_with("/access_tokens")).unwrap();
    let asked = minted.request.unwrap();
    assert_eq!(asked["repository_ids"], serde_json::json!([stage.repo.id().0]));
    assert_eq!(asked["permissions"]["contents"], "read");
    assert_eq!(minted.caller, Caller::App);
    stage.assert_quiet();
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_and_replaced_when_it_is_refused() {
    let stage = Stage::new().await;
    stage.repository().pull(stage.number).await.unwrap();
    let nearly_an_hour = Duration::from_secs(56 * 60);
    stage.sim.advance(nearly_an_hour);
    stage.ahead.store(56 * 60 * 1000, Ordering::Relaxed);
    stage.repository().pull(stage.number).await.unwrap();
    assert_eq!(stage.asked("POST", "/access_tokens"), 2);

    let pull = "/repos/{owner}/{repo}/pulls/{number}";
    stage.sim.order(Fault::new("GET", pull, When::Before, Trouble::Status(401)));
    stage.repository().pull(stage.number).await.unwrap();
    assert_eq!(stage.asked("POST", "/access_tokens"), 3);

    stage.sim.order(Fault::new("GET", pull, When::Before, Trouble::Status(401)).times(2));
    let error = stage.repository().pull(stage.number).await.unwrap_err();
    assert!(matches!(error, GithubError::Unauthorized { .. }), "{error}");
    stage.assert_quiet();
}

#[tokio::test]
async fn a_wrong_clock_is_named_as_the_likely_cause() {
    let stage = Stage::new().await;
    stage.ahead.store(-2 * 60 * 60 * 1000, Ordering::Relaxed);
    let error = stage.repository().pull(stage.number).await.unwrap_err();
    assert!(error.to_string().contains("server's time"), "{error}");
    stage.assert_quiet();
}

#[tokio::test]
async fn an_account_without_the_members_permission_gets_a_token_without_it_and_its_teams_are_unreadable() {
    let stage = Stage::new().await;
    let permissions = [("metadata", "read"), ("contents", "read"), ("pull_requests", "write"), ("checks", "write")];
    let installation = stage.sim.install_on("acme", None, &permissions).unwrap();
    let repository = stage.github.repository(installation, stage.repo.name().clone(), stage.repo.id());
    let mara = Person { id: stage.sim.user("mara"), login: Login::parse("mara").unwrap(), is_bot: false };
    let found = repository.memberships(vec![(team(), mara)], Default::default(), &mut Teams::default()).await.unwrap();
    assert_eq!(found[0].2, Membership::Unreadable);
    assert_eq!(stage.asked("POST", "/access_tokens"), 2);
    stage.assert_quiet();
}

#[tokio::test]
async fn reading_is_repeated_after_a_fault_and_creating_is_not() {
    let stage = Stage::new().await;
    let pull = "/repos/{owner}/{repo}/pulls/{number}";
    stage.sim.order(Fault::new("GET", pull, When::Before, Trouble::Status(502)));
    stage.sim.order(Fault::new("GET", pull, When::Before, Trouble::Drop));
    stage.repository().pull(stage.number).await.unwrap();
    assert_eq!(stage.asked("GET", "/pulls/1"), 3);

    let comments = "/repos/{owner}/{repo}/issues/{number}/comments";
    stage.sim.order(Fault::new("POST", comments, When::After, Trouble::Status(502)));
    let repository = stage.repository();
    let error = repository.upsert_comment(stage.number, &report(Remembered::Never)).await.unwrap_err();
    assert!(matches!(error, GithubError::Server { retry: false, .. }) && error.is_temporary(), "{error}");
    assert_eq!(stage.asked("POST", "/comments"), 1);

    repository.upsert_comment(stage.number, &report(Remembered::Unsure)).await.unwrap();
    assert_eq!(stage.repo.comments(stage.number).len(), 1, "the second attempt finds what the first one wrote");
    stage.assert_quiet();
}

#[tokio::test]
async fn a_short_limit_is_waited_for_and_a_long_one_puts_the_job_off() {
    let stage = Stage::new().await;
    let pull = "/repos/{owner}/{repo}/pulls/{number}";
    stage.sim.order(Fault::new("GET", pull, When::Before, Trouble::RetryAfter(403, 1)));
    let began = std::time::Instant::now();
    stage.repository().pull(stage.number).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));

    stage.sim.order(Fault::new("GET", pull, When::Before, Trouble::RetryAfter(429, 600)));
    let error = stage.repository().pull(stage.number).await.unwrap_err();
    let wait = error.not_before_ms().unwrap() - SystemClock.now_ms();
    assert!((590_000..=600_000).contains(&wait) && error.is_temporary(), "{error}");

    stage.sim.set_limits(Limits { requests_per_hour: 1, ..Limits::default() });
    let error = stage.repository().pull(stage.number).await.unwrap_err();
    assert!(matches!(error, GithubError::RateLimited { .. }), "{error}");
    stage.assert_quiet();
}

#[tokio::test]
async fn garbage_for_an_answer_is_an_error_that_names_what_was_asked() {
    let stage = Stage::new().await;
    stage.sim.order(Fault::new("GET", "/repos/{owner}/{repo}/pulls/{number}", When::Before, Trouble::Garbage));
    let error = stage.repository().pull(stage.number).await.unwrap_err();
    assert!(error.to_string().contains("pull request acme/prompts#1"), "{error}");
    stage.assert_quiet();
}

#[tokio::test]
async fn pull_requests_with_the_same_head_and_the_installation_are_found() {
    let stage = Stage::new().await;
    stage.repo.branch("release", "main").unwrap();
    stage.repo.open_pull(&NewPull::new("ann", "better", "release")).unwrap();
    let second = stage.repo.open_pull(&NewPull::new("mara", "better", "main")).unwrap();
    let fork = stage.repo.fork("rex").unwrap();
    let from_fork = NewPull { from: Some(&fork), ..NewPull::new("rex", "better", "main") };
    let third = stage.repo.open_pull(&from_fork).unwrap();
    let (repository, head) = (stage.repository(), stage.head());
    let mut found = repository.pulls_with_head(&head.base, &head.sha).await.unwrap();
    found.sort();
    assert_eq!(found, [stage.number, second, third]);
    stage.repo.close(second, "ann").unwrap();
    stage.repo.close(third, "ann").unwrap();
    assert_eq!(repository.pulls_with_head(&head.base, &head.sha).await.unwrap(), [stage.number]);
    assert_eq!(stage.github.installation_of(stage.repo.name()).await.unwrap(), stage.installation);
    stage.assert_quiet();
}

#[test]
fn a_key_or_an_address_that_cannot_work_is_refused_at_once() {
    let options = |url: &str, key: &str| GithubOptions {
        api_url: url.into(),
        app_id: 1,
        private_key: key.into(),
        now_ms: Arc::new(|| 0),
    };
    let error = Github::new(options("https://api.github.com", "no key")).unwrap_err();
    assert!(error.to_string().contains("PROMPTOPS_GITHUB_PRIVATE_KEY"));
}

#[tokio::test]
async fn the_path_of_an_enterprise_server_is_kept_in_front_of_every_route() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = GithubOptions {
        api_url: format!("http://{}/api/v3/", listener.local_addr().unwrap()),
        app_id: 1,
        private_key: a_key().await.into(),
        now_ms: Arc::new(|| SystemClock.now_ms()),
    };
    let first_line = tokio::spawn(async move {
        let (mut wire, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let read = wire.read(&mut head).await.unwrap();
        wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&head[..read]).lines().next().unwrap().to_owned()
    });
    let repo = RepoName::parse("acme/prompts").unwrap();
    let error = Github::new(options).unwrap().installation_of(&repo).await.unwrap_err();
    assert!(matches!(error, GithubError::NotFound { .. }), "{error}");
    assert_eq!(first_line.await.unwrap(), "GET /api/v3/repos/acme/prompts/installation HTTP/1.1");
}

async fn a_key() -> &'static str {
    Sim::start().await.unwrap().private_key()
}
