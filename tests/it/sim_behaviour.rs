//! The fake GitHub behaves as GitHub does where it matters: webhooks, faults, limits, paging, forks and force pushes.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use promptops::domain::ids::{PullNumber, RepoName, TeamSlug};
use promptops::sim::{Caps, Change, Fault, Knobs, Limits, NewPull, Repo, RequiredCheck, Sim, Trouble, Verdict, When};
use serde_json::{Value, json};

use crate::support::api::{Client, Outcome, bot};
use crate::support::openapi::assert_conforms;

/// A small shop with one open pull request.
async fn shop() -> Result<(Sim, Repo, PullNumber, Client), Box<dyn Error>> {
    let sim = Sim::start().await?;
    sim.org("acme", "olga");
    sim.user("ana");
    let repo = sim.repo(&RepoName::parse("acme/shop")?, &Change::by("olga").write("a", "1\n2\n3\n"))?;
    let client = bot(&sim, sim.install("acme")?).await?;
    repo.branch("topic", "main")?;
    repo.push("topic", &Change::by("ana").write("b", "new\n"))?;
    let number = repo.open_pull(&NewPull::new("ana", "topic", "main"))?;
    Ok((sim, repo, number, client))
}

type Seen = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Listens for webhooks and keeps them.
async fn listen(sim: &Sim) -> Result<Seen, Box<dyn Error>> {
    let seen = Seen::default();
    let keep = |State(seen): State<Seen>, headers: HeaderMap, body: String| async move {
        seen.lock().expect("no test panics while it holds this").push((headers, body));
        StatusCode::ACCEPTED
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    sim.deliver_to(&format!("http://{}/hook", listener.local_addr()?));
    let router = Router::new().route("/hook", post(keep)).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(seen)
}

/// What came, as `event action`.
fn events(seen: &Seen) -> Vec<String> {
    let seen = seen.lock().expect("no test panics while it holds this");
    let show = |(headers, body): &(HeaderMap, String)| {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let event = headers.get("x-github-event").and_then(|event| event.to_str().ok()).unwrap_or_default();
        format!("{event} {}", body["action"].as_str().unwrap_or_default()).trim().to_owned()
    };
    seen.iter().map(show).collect()
}

#[tokio::test]
async fn every_action_sends_its_event() -> Outcome {
    let (sim, repo, number, _) = shop().await?;
    let seen = listen(&sim).await?;
    repo.push("topic", &Change::by("ana").write("b", "newer\n"))?;
    repo.branch("release", "main")?;
    repo.retarget(number, "release", "ana")?;
    let review = repo.review(number, "olga", Verdict::Approve, "")?;
    repo.edit_review(number, review, "well done", "olga")?;
    repo.dismiss(number, review, "olga")?;
    repo.to_draft(number, "ana")?;
    repo.ready(number, "ana")?;
    repo.comment(number, "ana", "/promptops help")?;
    repo.close(number, "ana")?;
    repo.reopen(number, "ana")?;
    let team = TeamSlug::parse("acme/leads")?;
    sim.team(&team, None, &[])?;
    sim.join_team(&team, "ana", true)?;
    repo.merge(number, "olga")?;
    sim.settle().await;
    let expected = [
        "push",
        "pull_request synchronize",
        "pull_request edited",
        "pull_request_review submitted",
        "pull_request_review edited",
        "pull_request_review dismissed",
        "pull_request converted_to_draft",
        "pull_request ready_for_review",
        "issue_comment created",
        "pull_request closed",
        "pull_request reopened",
        "membership added",
        "push",
        "pull_request closed",
    ];
    assert_eq!(events(&seen), expected);
    let (headers, body) = seen.lock().expect("no test panics while it holds this")[2].clone();
    let payload: Value = serde_json::from_str(&body)?;
    assert_eq!(payload["changes"]["base"]["ref"]["from"], "main");
    assert_eq!(payload["repository"]["full_name"], "acme/shop");
    assert_eq!(payload["sender"]["login"], "ana");
    assert!(payload["installation"]["id"].is_u64());
    assert!(headers["x-hub-signature-256"].to_str()?.starts_with("sha256="));
    assert!(headers["user-agent"].to_str()?.starts_with("GitHub-Hookshot/"));
    Ok(())
}

#[tokio::test]
async fn deliveries_are_doubled_reordered_lost_and_repeated() -> Outcome {
    let (sim, repo, number, _) = shop().await?;
    let seen = listen(&sim).await?;
    sim.set_knobs(Knobs { drop_next: 1, ..Knobs::default() });
    repo.close(number, "ana")?;
    sim.set_knobs(Knobs { duplicates: 1, ..Knobs::default() });
    repo.reopen(number, "ana")?;
    sim.set_knobs(Knobs { reorder: 3, ..Knobs::default() });
    repo.to_draft(number, "ana")?;
    repo.ready(number, "ana")?;
    sim.settle().await;
    sim.set_knobs(Knobs { delay: Duration::from_millis(30), ..Knobs::default() });
    let started = Instant::now();
    let lost = sim.deliveries().into_iter().find(|delivery| delivery.status_code == 0).ok_or("none was lost")?;
    sim.redeliver(lost.id)?;
    sim.settle().await;
    assert!(started.elapsed() >= Duration::from_millis(30));
    let expected = [
        "pull_request reopened",
        "pull_request reopened",
        "pull_request ready_for_review",
        "pull_request converted_to_draft",
        "pull_request closed",
    ];
    assert_eq!(events(&seen), expected);
    let log = sim.deliveries();
    assert_eq!(log.last().map(|again| (again.redelivery, again.guid.clone())), Some((true, lost.guid)));
    Ok(())
}

#[tokio::test]
async fn faults_come_before_or_after_the_effect() -> Outcome {
    let (sim, repo, number, client) = shop().await?;
    let (path, pattern) = ("/repos/acme/shop/issues/1/comments", "/repos/{owner}/{repo}/issues/{number}/comments");
    let body = json!({"body": "hello"});
    for (when, trouble) in [(When::Before, Trouble::Drop), (When::After, Trouble::Drop)] {
        sim.order(Fault::new("POST", pattern, when, trouble));
        assert!(client.request("POST", path)?.json(&body).send().await.is_err());
        assert_eq!(repo.comments(number).len(), usize::from(when == When::After));
    }
    sim.order(Fault::new("POST", pattern, When::After, Trouble::Status(502)));
    client.write("POST", path, body.clone(), 502).await?;
    assert_eq!(repo.comments(number).len(), 2);
    sim.order(Fault::new("GET", pattern, When::Before, Trouble::RetryAfter(429, 7)));
    let answer = client.request("GET", path)?.send().await?;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str()?), (429, "7"));
    sim.order(Fault::new("GET", pattern, When::Before, Trouble::Garbage).times(2));
    assert_eq!(client.get(path, 200).await?, Value::Null);
    assert_eq!(sim.check_quiet(), Err(vec!["1 ordered faults never happened".to_owned()]));
    let another = repo.comment(number, "ana", "mine")?;
    repo.delete_comment(another)?;
    client.get(path, 200).await?;
    let started = Instant::now();
    sim.order(Fault::new("GET", pattern, When::After, Trouble::Slow(Duration::from_millis(40))));
    assert_eq!(client.get(path, 200).await?.as_array().map(Vec::len), Some(2));
    assert!(started.elapsed() >= Duration::from_millis(40));
    client.get("/repos/acme/shop/unheard-of", 404).await?;
    let noise = vec!["unknown route called: GET /repos/acme/shop/unheard-of".to_owned()];
    assert_eq!(sim.check_quiet(), Err(noise));
    Ok(())
}

#[tokio::test]
async fn limits_answer_as_github_does() -> Outcome {
    let (sim, _, _, client) = shop().await?;
    let path = "/repos/acme/shop/issues/1/comments";
    sim.set_limits(Limits { writes_per_minute: 1, ..Limits::default() });
    client.write("POST", path, json!({"body": "one"}), 201).await?;
    let answer = client.request("POST", path)?.json(&json!({"body": "two"})).send().await?;
    assert_eq!(answer.status().as_u16(), 403);
    assert!(answer.headers()["retry-after"].to_str()?.parse::<u64>()? <= 60);
    sim.advance(Duration::from_secs(61));
    client.write("POST", path, json!({"body": "three"}), 201).await?;
    let answer = client.request("GET", path)?.send().await?;
    let tag = answer.headers()["etag"].clone();
    let left: u32 = answer.headers()["x-ratelimit-remaining"].to_str()?.parse()?;
    let answer = client.request("GET", path)?.header("if-none-match", tag).send().await?;
    assert_eq!(answer.status().as_u16(), 304);
    assert_eq!(answer.headers()["x-ratelimit-remaining"].to_str()?, left.to_string());
    sim.set_limits(Limits { requests_per_hour: 1, ..Limits::default() });
    let answer = client.request("GET", path)?.send().await?;
    assert_eq!((answer.status().as_u16(), answer.headers()["x-ratelimit-remaining"].to_str()?), (403, "0"));
    assert_conforms(&sim.exchanges());
    Ok(())
}

#[tokio::test]
async fn a_fork_a_force_push_and_a_conflict() -> Outcome {
    let (sim, repo, number, client) = shop().await?;
    let fork = repo.fork("mallory")?;
    fork.branch("evil", "main")?;
    let head = fork.push("evil", &Change::by("mallory").write("a", "other\n"))?;
    let theirs = repo.open_pull(&NewPull { from: Some(&fork), ..NewPull::new("mallory", "evil", "main") })?;
    let shown = client.get("/repos/acme/shop/pulls/2", 200).await?;
    assert_eq!(shown["head"]["repo"]["full_name"], "mallory/shop");
    client.get(&format!("/repos/mallory/shop/git/commits/{head}"), 200).await?;
    client.write("POST", "/repos/mallory/shop/issues/1/comments", json!({"body": "x"}), 403).await?;
    let check = json!({"name": "c", "head_sha": head.as_str()});
    let check = client.write("POST", "/repos/acme/shop/check-runs", check, 201).await?;
    assert_eq!(check["pull_requests"], json!([]));
    repo.push("main", &Change::by("olga").write("a", "ours\n"))?;
    assert_eq!(repo.can_merge(theirs), Err(vec!["the branches conflict".to_owned()]));
    let amended = repo.force_push("topic", "main", &Change::by("ana").write("b", "amended\n"))?;
    assert_eq!(repo.pull(number)?.head, amended);
    assert_eq!(client.get("/repos/acme/shop/pulls/1/commits", 200).await?.as_array().map(Vec::len), Some(1));
    repo.merge_branch("main", "topic", "ana")?;
    let commits = client.get("/repos/acme/shop/pulls/1/commits", 200).await?;
    assert_eq!(commits[1]["committer"]["login"], "web-flow");
    let amended = repo.pull(number)?.head;
    repo.mergeable_unknown(number, 1)?;
    assert_eq!(client.get("/repos/acme/shop/pulls/1", 200).await?["mergeable"], Value::Null);
    assert_eq!(client.get("/repos/acme/shop/pulls/1", 200).await?["mergeable"], true);
    repo.protect("main", vec![RequiredCheck { name: "c".into(), app_id: None }])?;
    assert!(repo.can_merge(number).is_err());
    repo.foreign_check(1, "c", &amended, "skipped")?;
    assert_eq!(repo.can_merge(number), Ok(()));
    repo.foreign_check(1, "c", &amended, "failure")?;
    assert_eq!(repo.can_merge(number), Err(vec!["required check `c` is failure".to_owned()]));
    assert_eq!(sim.check_quiet(), Ok(()));
    assert_conforms(&sim.exchanges());
    fork.delete();
    assert_eq!(client.get("/repos/acme/shop/pulls/2", 200).await?["head"]["repo"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn lists_are_paged_and_cut_off() -> Outcome {
    let (sim, repo, _, client) = shop().await?;
    let many = (0..5).fold(Change::by("ana"), |change, at| change.write(&format!("many/{at}"), format!("{at}\n")));
    repo.push("topic", &many)?;
    let answer = client.request("GET", "/repos/acme/shop/pulls/1/files?per_page=2&page=2")?.send().await?;
    let link = answer.headers()["link"].to_str()?.to_owned();
    let next = format!("{}/repositories/{}/pulls/1/files?per_page=2&page=3", sim.url(), repo.id());
    assert!(link.contains(&format!("<{next}>; rel=\"next\"")), "{link}");
    assert_eq!(client.get(next.trim_start_matches(sim.url()), 200).await?.as_array().map(Vec::len), Some(2));
    sim.set_caps(Caps { pull_files: 3, tree_entries: 2, compare_files: 1, pull_commits: 1 });
    assert_eq!(client.get("/repos/acme/shop/pulls/1/files", 200).await?.as_array().map(Vec::len), Some(3));
    assert_eq!(client.get("/repos/acme/shop/pulls/1", 200).await?["changed_files"], 6);
    assert_eq!(client.get("/repos/acme/shop/git/trees/topic?recursive=1", 200).await?["truncated"], true);
    let compare = client.get("/repos/acme/shop/compare/main...topic", 200).await?;
    assert_eq!((compare["files"].as_array().map(Vec::len), compare["total_commits"].as_u64()), (Some(1), Some(2)));
    assert_conforms(&sim.exchanges());
    Ok(())
}
