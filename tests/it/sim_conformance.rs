//! The fake GitHub answers every route in the form that GitHub's API description gives.

use std::error::Error;

use promptops::domain::ids::{CommitSha, InstallationId, PullNumber, RepoName, TeamSlug};
use promptops::sim::{Caller, Change, DEFAULT_PERMISSIONS, Manner, NewPull, Repo, RequiredCheck, Sim, Verdict};
use serde_json::{Value, json};

use crate::support::api::{Client, Outcome, bot, jwt};
use crate::support::openapi::{assert_conforms, differences};

/// An organisation with a team, a repository, and a pull request that changes, adds, moves and removes files.
struct Scene {
    sim: Sim,
    shop: Repo,
    number: PullNumber,
    head: CommitSha,
    app: Client,
    bot: Client,
}

async fn scene() -> Result<Scene, Box<dyn Error>> {
    let sim = Sim::start().await?;
    sim.org("acme", "olga");
    sim.user("ana");
    sim.user("ben");
    let leads = TeamSlug::parse("acme/leads")?;
    sim.team(&leads, None, &["ben"])?;
    sim.team(&TeamSlug::parse("acme/senior-leads")?, Some(&leads), &["olga"])?;
    sim.join_team(&leads, "ana", false)?;
    let first = Change::by("olga")
        .write("prompts/a.prompt.yml", "name: a\nmessages: []\n")
        .write("prompts/old.prompt.yml", "name: old\nmodel: x\n")
        .write("README.md", "# Shop\n")
        .symlink("link.md", "README.md")
        .symlink("dangling", "nowhere")
        .submodule("vendored");
    let shop = sim.repo(&RepoName::parse("acme/shop")?, &first)?;
    shop.role("ana", "write")?;
    let installation = sim.install("acme")?;
    shop.branch("feat/tone", "main")?;
    let change = Change::by("ana")
        .write("prompts/a.prompt.yml", "name: a\nmessages: [x]\n")
        .write("prompts/b.prompt.yml", "name: b\n")
        .rename("prompts/old.prompt.yml", "prompts/new.prompt.yml")
        .remove("README.md");
    let head = shop.push("feat/tone", &change)?;
    shop.push("feat/tone", &Change::by_stranger("Nobody", "nobody@example.com").write("n.txt", "n\n"))?;
    let number = shop.open_pull(&NewPull::new("ana", "feat/tone", "main"))?;
    let required = RequiredCheck { name: "promptops/evaluation: main".into(), app_id: Some(sim.app_id()) };
    shop.protect("main", vec![required])?;
    let app = Client::new(&sim, jwt(&sim)?);
    let bot = bot(&sim, installation).await?;
    let head = shop.pull(number).map_or(head, |pull| pull.head);
    Ok(Scene { sim, shop, number, head, app, bot })
}

impl Scene {
    fn finish(&self) {
        assert_eq!(self.sim.check_quiet(), Ok(()));
        assert_conforms(&self.sim.exchanges());
    }
}

#[tokio::test]
async fn the_app_and_its_people() -> Outcome {
    let s = scene().await?;
    s.sim.deliver_to("http://127.0.0.1:1/");
    s.sim.ping();
    s.shop.comment(s.number, "ben", "hello")?;
    s.sim.settle().await;
    s.app.get("/", 200).await?;
    s.app.get("/app", 200).await?;
    s.app.get("/app/installations", 200).await?;
    s.app.get("/repos/acme/shop/installation", 200).await?;
    let log = s.app.get("/app/hook/deliveries?per_page=1", 200).await?;
    assert_eq!(log[0]["event"], "issue_comment");
    assert_eq!(log[0]["status"], "failed to connect to host");
    let again = format!("/app/hook/deliveries/{}/attempts", log[0]["id"]);
    s.app.write("POST", &again, json!({}), 202).await?;
    s.sim.settle().await;
    let guids: Vec<String> = s.sim.deliveries().into_iter().map(|delivery| delivery.guid).collect();
    assert_eq!(guids[1], guids[2]);
    s.app.get("/app/hook/deliveries?cursor=nonsense", 400).await?;
    let hook = s.app.get("/app/hook/config", 200).await?;
    assert_eq!(
        (&hook["url"], &hook["content_type"], &hook["insecure_ssl"]),
        (&json!("http://127.0.0.1:1/"), &json!("json"), &json!("0"))
    );
    assert_eq!(hook["secret"], "********");
    s.bot.get("/app/hook/config", 401).await?;
    let narrow = json!({"repositories": ["shop"], "permissions": {"checks": "read"}});
    let installation = s.app.get("/repos/acme/shop/installation", 200).await?["id"].to_string();
    s.app.write("POST", &format!("/app/installations/{installation}/access_tokens"), narrow, 201).await?;
    s.bot.get("/installation/repositories", 200).await?;
    s.bot.get("/rate_limit", 200).await?;
    s.bot.get("/users/ana", 200).await?;
    s.bot.get("/orgs/acme/members/olga", 204).await?;
    s.bot.get("/orgs/acme/teams/leads", 200).await?;
    s.bot.get("/orgs/acme/teams/senior-leads", 200).await?;
    s.bot.get("/orgs/acme/teams/leads/members", 200).await?;
    let membership = |login: &str| format!("/orgs/acme/teams/leads/memberships/{login}");
    assert_eq!(s.bot.get(&membership("olga"), 200).await?["state"], "active");
    assert_eq!(s.bot.get(&membership("ana"), 200).await?["state"], "pending");
    s.bot.get(&membership("promptops[bot]"), 404).await?;
    let role = s.bot.get("/repos/acme/shop/collaborators/ana/permission", 200).await?;
    assert_eq!((role["role_name"].as_str(), role["permission"].as_str()), (Some("write"), Some("write")));
    s.finish();
    Ok(())
}

#[tokio::test]
async fn repositories_and_git() -> Outcome {
    let s = scene().await?;
    let repo = |path: &str| format!("/repos/acme/shop{path}");
    s.bot.get(&repo(""), 200).await?;
    s.bot.get(&repo("/branches/feat/tone"), 200).await?;
    assert_eq!(s.bot.get(&repo("/branches/main"), 200).await?["protected"], true);
    let rules = s.bot.get(&repo("/rules/branches/main"), 200).await?;
    assert_eq!(rules[0]["parameters"]["required_status_checks"][0]["integration_id"], s.sim.app_id());
    s.bot.get(&repo("/contents/"), 200).await?;
    s.bot.get(&repo("/contents/prompts?ref=feat/tone"), 200).await?;
    let readme = s.bot.get(&repo("/contents/link.md"), 200).await?;
    assert_eq!((readme["type"].as_str(), readme["content"].as_str()), (Some("file"), Some("IyBTaG9wCg==\n")));
    assert_eq!(s.bot.get(&repo("/contents/dangling"), 200).await?["type"], "symlink");
    assert_eq!(s.bot.get(&repo("/contents/vendored"), 200).await?["type"], "submodule");
    s.bot.get(&repo("/contents/nothing"), 404).await?;
    s.shop.branch("large", "main")?;
    s.shop.push("large", &Change::by("ana").write("large", vec![b'x'; (1 << 20) + 1]))?;
    let large = s.bot.get(&repo("/contents/large?ref=large"), 200).await?;
    assert_eq!((large["encoding"].as_str(), large["content"].as_str()), (Some("none"), Some("")));
    let raw = s.bot.request("GET", &repo("/contents/large?ref=large"))?;
    let raw = raw.header("accept", "application/vnd.github.raw+json").send().await?.bytes().await?;
    assert_eq!(raw.len(), (1 << 20) + 1);
    let tree = s.bot.get(&repo(&format!("/git/trees/{}?recursive=1", s.head)), 200).await?;
    let modes: Vec<&str> = tree["tree"].as_array().into_iter().flatten().filter_map(|e| e["mode"].as_str()).collect();
    assert_eq!(modes, ["120000", "120000", "100644", "040000", "100644", "100644", "100644", "160000"]);
    let blob = tree["tree"][2]["sha"].as_str().ok_or("no blob")?;
    s.bot.get(&repo(&format!("/git/blobs/{blob}")), 200).await?;
    s.bot.get(&repo("/git/trees/main"), 200).await?;
    s.bot.get(&repo("/git/ref/heads/feat/tone"), 200).await?;
    s.bot.get(&repo(&format!("/git/commits/{}", s.head)), 200).await?;
    s.bot.get(&repo("/commits?sha=feat/tone"), 200).await?;
    let commit = s.bot.get(&repo(&format!("/commits/{}", s.head)), 200).await?;
    assert_eq!(commit["author"], Value::Null);
    s.bot.get(&repo("/commits/unknown-branch"), 422).await?;
    let compare = s.bot.get(&repo("/compare/main...feat/tone"), 200).await?;
    assert_eq!((compare["status"].as_str(), compare["ahead_by"].as_u64()), (Some("ahead"), Some(2)));
    s.finish();
    Ok(())
}

#[tokio::test]
async fn what_a_branch_requires_by_a_ruleset_and_by_branch_protection() -> Outcome {
    let s = scene().await?;
    let repo = |path: &str| format!("/repos/acme/shop{path}");
    let (rules, protection) = (repo("/rules/branches/main"), repo("/branches/main/protection/required_status_checks"));
    let rule = s.bot.get(&rules, 200).await?[0].clone();
    assert_eq!((&rule["type"], &rule["ruleset_source"]), (&json!("required_status_checks"), &json!("acme/shop")));
    let path = repo(&format!("/rulesets/{}", rule["ruleset_id"]));
    let ruleset = s.bot.get(&path, 200).await?;
    assert_eq!((&ruleset["enforcement"], ruleset.get("bypass_actors")), (&json!("active"), None));
    s.shop.manner("main", Manner { strict: true, queue: true, bypass: Some(vec![7]), ..Manner::default() })?;
    let actor = json!({"actor_id": 7, "actor_type": "Team", "bypass_mode": "always"});
    assert_eq!(s.bot.get(&path, 200).await?["bypass_actors"], json!([actor]));
    assert_eq!(s.bot.get(&format!("{rules}?per_page=1&page=2"), 200).await?[0]["type"], "merge_queue");
    s.bot.get(&repo("/rulesets/1"), 404).await?;
    s.bot.get(&protection, 403).await?;
    let installation =
        InstallationId(s.app.get("/repos/acme/shop/installation", 200).await?["id"].to_string().parse()?);
    s.sim.regrant(installation, &[DEFAULT_PERMISSIONS, &[("administration", "read")]].concat())?;
    let more = bot(&s.sim, installation).await?;
    more.get(&protection, 404).await?;
    let admins = repo("/branches/main/protection/enforce_admins");
    more.get(&admins, 404).await?;
    s.shop.manner("main", Manner { classic: true, strict: true, ..Manner::default() })?;
    assert_eq!(more.get(&admins, 200).await?["enabled"], false);
    let protected = more.get(&protection, 200).await?;
    assert_eq!((&protected["strict"], &protected["checks"][0]["app_id"]), (&json!(true), &json!(s.sim.app_id())));
    assert_eq!(more.get(&rules, 200).await?, json!([]));
    let branch = more.get(&repo("/branches/main"), 200).await?;
    assert_eq!(branch["protection"]["required_status_checks"]["contexts"], protected["contexts"]);
    more.get(&repo("/branches/nowhere"), 404).await?;
    s.finish();
    Ok(())
}

#[tokio::test]
async fn a_suspended_installation_may_do_nothing() -> Outcome {
    let s = scene().await?;
    let installation = s.app.get("/repos/acme/shop/installation", 200).await?["id"].to_string();
    s.sim.suspend(InstallationId(installation.parse()?))?;
    assert!(s.app.get("/repos/acme/shop/installation", 200).await?["suspended_at"].is_string());
    let refused = s.bot.get("/repos/acme/shop", 403).await?;
    assert_eq!(refused["message"], "This installation has been suspended");
    let mint = format!("/app/installations/{installation}/access_tokens");
    s.app.write("POST", &mint, json!({}), 403).await?;
    s.finish();
    Ok(())
}

#[tokio::test]
async fn pull_requests_and_comments() -> Outcome {
    let s = scene().await?;
    let review = s.shop.review(s.number, "ben", Verdict::Approve, "good")?;
    s.shop.review(s.number, "olga", Verdict::Pending, "")?;
    s.shop.dismiss(s.number, review, "olga")?;
    s.shop.request_review(s.number, "olga")?;
    let repo = |path: &str| format!("/repos/acme/shop{path}");
    let pull = s.bot.get(&repo("/pulls/1"), 200).await?;
    assert_eq!((pull["commits"].as_u64(), pull["changed_files"].as_u64()), (Some(2), Some(5)));
    assert_eq!(pull["mergeable_state"], "blocked");
    s.bot.get(&repo("/pulls?state=all&head=acme:feat/tone&per_page=1"), 200).await?;
    let files = s.bot.get(&repo("/pulls/1/files"), 200).await?;
    let shown = |file: &Value| format!("{} {}", file["status"], file["filename"]).replace('"', "");
    let files: Vec<String> = files.as_array().into_iter().flatten().map(shown).collect();
    let expected = [
        "removed README.md",
        "added n.txt",
        "modified prompts/a.prompt.yml",
        "added prompts/b.prompt.yml",
        "renamed prompts/new.prompt.yml",
    ];
    assert_eq!(files, expected);
    s.bot.get(&repo("/pulls/1/commits"), 200).await?;
    assert_eq!(s.bot.get(&repo("/pulls/1/reviews"), 200).await?[0]["state"], "DISMISSED");
    s.bot.get(&repo("/pulls/1/requested_reviewers"), 200).await?;
    assert_eq!(s.bot.get(&repo(&format!("/commits/{}/pulls", s.head)), 200).await?[0]["number"], 1);
    let comment = s.bot.write("POST", &repo("/issues/1/comments"), json!({"body": "first"}), 201).await?;
    let path = repo(&format!("/issues/comments/{}", comment["id"]));
    s.bot.write("PATCH", &path, json!({"body": "second"}), 200).await?;
    assert_eq!(s.bot.get(&path, 200).await?["body"], "second");
    s.bot.write("POST", &format!("{path}/reactions"), json!({"content": "eyes"}), 201).await?;
    s.bot.write("POST", &format!("{path}/reactions"), json!({"content": "eyes"}), 200).await?;
    s.bot.get(&repo("/issues/1/comments"), 200).await?;
    s.bot.write("POST", &repo("/issues/1/comments"), json!({"body": "ö".repeat(65_537)}), 422).await?;
    s.bot.write("POST", &repo("/issues/1/comments"), json!({"body": "ö".repeat(65_536)}), 201).await?;
    s.shop.lock(s.number)?;
    s.bot.write("POST", &repo("/issues/1/comments"), json!({"body": "late"}), 403).await?;
    let writes = s.sim.exchanges().into_iter().filter(|exchange| exchange.is_comment_write()).count();
    assert_eq!(writes, 3);
    assert_eq!(s.sim.check_quiet().map_err(|noise| noise.len()), Err(2));
    assert_eq!(s.shop.comments(s.number)[0].reactions, ["eyes"]);
    s.finish();
    Ok(())
}

#[tokio::test]
async fn a_workflows_job_and_its_token() -> Outcome {
    let s = scene().await?;
    let repo = |path: &str| format!("/repos/acme/shop{path}");
    let job = Client::new(&s.sim, s.shop.job_token(&[("pull_requests", "write")])?);
    let viewer = json!({"query": "query { viewer { login } }"});
    let viewer_of = |answer: Value| answer["data"]["viewer"]["login"].clone();
    assert_eq!(viewer_of(job.write("POST", "/graphql", viewer.clone(), 200).await?), "github-actions[bot]");
    assert_eq!(viewer_of(s.bot.write("POST", "/graphql", viewer, 200).await?), "promptops[bot]");
    let comment = job.write("POST", &repo("/issues/1/comments"), json!({"body": "by a job"}), 201).await?;
    assert_eq!((&comment["user"]["login"], &comment["user"]["type"]), (&json!("github-actions[bot]"), &json!("Bot")));
    assert_ne!(comment["performed_via_github_app"]["id"], s.sim.app_id());
    assert_eq!(s.shop.comments(s.number).len(), 1);
    // What is public can be read by anybody; what is not granted cannot be written, and nothing of another repository.
    let reader = Client::new(&s.sim, s.shop.job_token(&[("contents", "read")])?);
    reader.get(&repo("/pulls/1"), 200).await?;
    let refused = reader.write("POST", &repo("/issues/1/comments"), json!({"body": "no"}), 403).await?;
    assert_eq!(refused["message"], "Resource not accessible by integration");
    s.shop.set_private(true)?;
    reader.get(&repo("/pulls/1"), 403).await?;
    let other = s.sim.repo(&RepoName::parse("acme/other")?, &Change::by("olga").write("a", "a"))?;
    other.set_private(true)?;
    reader.get("/repos/acme/other/contents/a", 404).await?;
    s.sim.advance(std::time::Duration::from_secs(7 * 60 * 60));
    job.get(&repo("/pulls/1"), 401).await?;
    s.finish();
    Ok(())
}

#[tokio::test]
async fn checks_and_statuses() -> Outcome {
    let s = scene().await?;
    let repo = |path: &str| format!("/repos/acme/shop{path}");
    let name = "promptops/evaluation: main";
    assert_eq!(s.shop.can_merge(s.number), Err(vec![format!("required check `{name}` is expected")]));
    let new = json!({"name": name, "head_sha": s.head.as_str(), "status": "queued", "external_id": "job-1"});
    let check = s.bot.write("POST", &repo("/check-runs"), new, 201).await?;
    let path = repo(&format!("/check-runs/{}", check["id"]));
    s.shop.foreign_check(15_368, name, &s.head, "success")?;
    assert_eq!(s.shop.can_merge(s.number), Err(vec![format!("required check `{name}` is queued")]));
    let line = json!({"path": "n.txt", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"});
    let output = |annotations: usize, text: usize| json!({"title": "t", "summary": "s", "text": "x".repeat(text), "annotations": vec![line.clone(); annotations]});
    s.bot.write("PATCH", &path, json!({"output": output(51, 0)}), 422).await?;
    s.bot.write("PATCH", &path, json!({"output": output(0, 65_536)}), 422).await?;
    s.bot.write("PATCH", &path, json!({"status": "completed"}), 422).await?;
    s.bot.write("PATCH", &path, json!({"output": {"title": "alone"}}), 422).await?;
    s.bot.write("PATCH", &path, json!({"output": output(50, 65_535)}), 200).await?;
    let actions = json!([{"label": "Again", "description": "Run again", "identifier": "again"}]);
    let done = json!({"conclusion": "success", "output": output(1, 0), "actions": actions});
    let check = s.bot.write("PATCH", &path, done, 200).await?;
    assert_eq!(check["status"], "completed");
    assert_eq!(check["output"]["annotations_count"], 51);
    assert_eq!(s.shop.can_merge(s.number), Ok(()));
    s.bot.get(&path, 200).await?;
    s.bot.get(&format!("{path}/annotations?per_page=50&page=2"), 200).await?;
    let list = repo(&format!("/commits/{}/check-runs?check_name=promptops/evaluation:%20main", s.head));
    assert_eq!(s.bot.get(&list, 200).await?["total_count"], 2);
    let status = json!({"state": "pending", "context": "Other", "description": "d", "target_url": "https://x.example"});
    s.bot.write("POST", &repo(&format!("/statuses/{}", s.head)), status, 201).await?;
    let combined = s.bot.get(&repo("/commits/feat/tone/status"), 200).await?;
    assert_eq!(combined["state"], "pending");
    s.shop.merge(s.number, "olga")?;
    assert_eq!(s.bot.get(&repo("/pulls/1"), 200).await?["merged"], true);
    s.finish();
    Ok(())
}

#[tokio::test]
async fn who_may_not_is_refused() -> Outcome {
    let s = scene().await?;
    s.shop.set_private(true)?;
    let other = s.sim.repo(&RepoName::parse("acme/other")?, &Change::by("olga").write("a", "a"))?;
    other.set_private(true)?;
    let installation = s.app.get("/repos/acme/shop/installation", 200).await?["id"].to_string();
    let mint = format!("/app/installations/{installation}/access_tokens");
    s.app.write("POST", &mint, json!({"permissions": {"administration": "read"}}), 422).await?;
    s.app.write("POST", &mint, json!({"repositories": ["elsewhere"]}), 422).await?;
    let narrow = json!({"repository_ids": [s.shop.id()], "permissions": {"checks": "read"}});
    let token = s.app.write("POST", &mint, narrow, 201).await?;
    let narrowed = Client::new(&s.sim, token["token"].as_str().ok_or("no token")?.to_owned());
    narrowed.get("/repos/acme/shop", 200).await?;
    narrowed.get("/repos/acme/other", 404).await?;
    let (status, body) = narrowed.send("GET", "/repos/acme/shop/pulls/1", None).await?;
    assert_eq!((status, body["message"].as_str()), (403, Some("Resource not accessible by integration")));
    s.sim.regrant(InstallationId(installation.parse()?), &[("metadata", "read"), ("checks", "read")])?;
    s.bot.get("/repos/acme/shop/pulls/1", 403).await?;
    s.sim.regrant(InstallationId(installation.parse()?), DEFAULT_PERMISSIONS)?;
    s.bot.get("/repos/acme/shop/pulls/1", 200).await?;
    Client::new(&s.sim, "ghs_wrong".into()).get("/repos/acme/shop", 401).await?;
    Client::new(&s.sim, jwt(&s.sim)? + "x").get("/app", 401).await?;
    s.bot.get("/app", 401).await?;
    s.sim.advance(std::time::Duration::from_secs(3_601));
    s.bot.get("/repos/acme/shop", 401).await?;
    s.app.get("/app", 401).await?;
    s.sim.uninstall(InstallationId(installation.parse()?))?;
    assert!(s.sim.exchanges().iter().any(|exchange| matches!(exchange.caller, Caller::Installation(_))));
    s.finish();
    Ok(())
}

#[tokio::test]
async fn a_wrong_shape_is_found() -> Outcome {
    let s = scene().await?;
    s.bot.get("/repos/acme/shop/pulls/1", 200).await?;
    let mut exchanges = s.sim.exchanges();
    let last = exchanges.last_mut().ok_or("no exchange")?;
    last.query = "nonsense=1".into();
    let pull = last.response.as_mut().and_then(Value::as_object_mut).ok_or("no body")?;
    pull.remove("changed_files");
    pull["head"]["sha"] = Value::Null;
    let Some(found) = differences(&exchanges) else { return Ok(()) };
    assert_eq!(found.len(), 3, "{found:?}");
    last_path_is_unknown(&mut exchanges);
    Ok(())
}

fn last_path_is_unknown(exchanges: &mut [promptops::sim::Exchange]) {
    if let Some(last) = exchanges.last_mut() {
        last.path = "/repos/acme/shop/unheard-of".into();
    }
    assert!(differences(exchanges).is_some_and(|found| found[0].contains("no such operation")));
}
