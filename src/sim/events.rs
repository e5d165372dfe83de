//! The payloads of webhook events, in GitHub's shape. Knows state and shapes; how they are sent is `webhook`'s.

use serde_json::{Value, json};

use super::objects::Oid;
use super::shape::{account, check, git, pull, repository};
use super::state::{Comment, Repository, World};

impl World {
    /// What every event of a repository holds.
    fn scene(&self, repo: &Repository, sender: u64) -> Value {
        let mut scene =
            json!({"repository": repository::repository(self, repo), "sender": account::user(self, sender)});
        if let Some(owner) = self.accounts.get(&repo.owner).filter(|owner| owner.kind.word() == "Organization") {
            scene["organization"] = account::simple(self, owner);
        }
        scene
    }

    /// Sends an event of a repository where the app is installed on it.
    fn emit_in(&mut self, event: &str, repo: u64, sender: u64, payload: impl Fn(&Self, &Repository) -> Option<Value>) {
        let Some(place) = self.repos.get(&repo) else { return };
        let Some(installation) = self.installation_of(place).map(|installation| installation.id) else { return };
        let (Some(Value::Object(mut body)), Value::Object(scene)) = (payload(self, place), self.scene(place, sender))
        else {
            return;
        };
        body.extend(scene);
        self.emit(event, Some(installation), Some(repo), Value::Object(body));
    }

    /// `pull_request`, with what the action adds.
    pub(super) fn emit_pull(&mut self, repo: u64, number: u64, action: &str, sender: u64, more: &Value) {
        self.emit_in("pull_request", repo, sender, |world, repo| {
            let shown = pull::full(world, repo, repo.pulls.get(&number)?);
            let mut payload = json!({"action": action, "number": number, "pull_request": shown});
            if let (Some(payload), Some(more)) = (payload.as_object_mut(), more.as_object()) {
                payload.extend(more.clone());
            }
            Some(payload)
        });
    }

    /// `pull_request_review`.
    pub(super) fn emit_review(&mut self, repo: u64, number: u64, review: u64, action: &str, sender: u64) {
        self.emit_in("pull_request_review", repo, sender, |world, repo| {
            let pull = repo.pulls.get(&number)?;
            let review = pull.reviews.iter().find(|one| one.id == review)?;
            let mut shown = pull::review(world, repo, pull, review);
            // Webhooks write the state in lower case, the API in upper case.
            shown["state"] = json!(review.state.to_lowercase());
            let mut payload =
                json!({"action": action, "review": shown, "pull_request": pull::simple(world, repo, pull)});
            if action == "edited" {
                payload["changes"] = json!({"body": {"from": ""}});
            }
            Some(payload)
        });
    }

    /// `issue_comment`.
    pub(super) fn emit_comment(&mut self, repo: u64, id: u64, action: &str, sender: u64) {
        self.emit_in("issue_comment", repo, sender, |world, repo| {
            let comment = repo.comments.get(&id)?;
            let issue = pull::issue(world, repo, repo.pulls.get(&comment.number)?);
            let mut payload = json!({"action": action, "issue": issue, "comment": pull::comment(world, repo, comment)});
            if action == "edited" {
                payload["changes"] = json!({"body": {"from": ""}});
            }
            Some(payload)
        });
    }

    /// `check_run`; the button's identifier where one was pressed.
    pub(super) fn emit_check(&mut self, repo: u64, id: u64, action: &str, sender: u64, button: Option<&str>) {
        self.emit_in("check_run", repo, sender, |world, repo| {
            let run = repo.checks.get(&id)?;
            let mut shown = check::check_run(world, repo, run);
            let branch = repo.pulls.values().find(|pull| pull.head_sha == run.head_sha).map(|pull| &pull.head_ref);
            shown["check_suite"]["head_sha"] = json!(run.head_sha.to_string());
            shown["check_suite"]["head_branch"] = json!(branch);
            shown["check_suite"]["pull_requests"] = shown["pull_requests"].clone();
            shown["check_suite"]["app"] = shown["app"].clone();
            let mut payload = json!({"action": action, "check_run": shown});
            if let Some(identifier) = button {
                payload["requested_action"] = json!({"identifier": identifier});
            }
            Some(payload)
        });
    }

    /// `push`.
    pub(super) fn emit_push(&mut self, repo: u64, branch: &str, before: Option<Oid>, after: Oid, sender: u64) {
        let forced = before.is_some_and(|before| !super::history::ancestors(&self.objects, after).contains(&before));
        self.emit_in("push", repo, sender, |world, repo| {
            let zero = "0".repeat(40);
            let head = world.objects.commit(after)?;
            let pusher = world.accounts.get(&sender).map(|account| account.login.as_str());
            Some(json!({
                "ref": format!("refs/heads/{branch}"), "before": before.map_or(zero, |id| id.to_string()),
                "after": after.to_string(), "created": before.is_none(), "deleted": false, "forced": forced,
                "base_ref": null, "compare": format!("{}/compare/{after}", repository::html_url(world, repo)),
                "commits": [], "head_commit": git::git_commit(world, repo, after, head),
                "pusher": {"name": pusher, "email": null},
            }))
        });
    }

    /// `merge_group`; the reason where a group is destroyed.
    pub(super) fn emit_group(&mut self, repo: u64, branch: &str, action: &str, reason: Option<&str>) {
        const WEB_FLOW: u64 = 19_864_447;
        self.emit_in("merge_group", repo, WEB_FLOW, |world, repo| {
            let group = repo.queue.iter().find(|group| group.branch == branch)?;
            let head = world.objects.commit(group.head)?;
            let mut payload = json!({"action": action, "merge_group": {
                "head_sha": group.head.to_string(), "head_ref": format!("refs/heads/{branch}"),
                "base_sha": group.base.to_string(), "base_ref": format!("refs/heads/{}", group.base_ref),
                "head_commit": {
                    "id": group.head.to_string(), "tree_id": head.tree.to_string(), "message": head.message,
                    "timestamp": super::clock::iso(head.committer.seconds),
                    "author": {"name": head.author.name, "email": head.author.email},
                    "committer": {"name": head.committer.name, "email": head.committer.email},
                },
            }});
            if let Some(reason) = reason {
                payload["reason"] = json!(reason);
            }
            Some(payload)
        });
    }

    /// `membership`: someone came to a team or left it.
    pub(super) fn emit_membership(&mut self, team: u64, user: u64, action: &str, sender: u64) {
        let Some(place) = self.teams.get(&team) else { return };
        let installation = self.installations.values().find(|one| one.account == place.org).map(|one| one.id);
        let payload = json!({
            "action": action, "scope": "team", "member": account::user(self, user),
            "sender": account::user(self, sender), "team": account::team_simple(self, place),
            "organization": account::user(self, place.org),
        });
        if installation.is_some() {
            self.emit("membership", installation, None, payload);
        }
    }

    /// `organization`: someone came to an organisation or left it.
    pub(super) fn emit_organization(&mut self, org: u64, user: u64, action: &str) {
        let installation = self.installations.values().find(|one| one.account == org).map(|one| one.id);
        let Some(owner) = self.accounts.get(&org).filter(|_| installation.is_some()) else { return };
        let role = if self.admins.contains(&(org, user)) { "admin" } else { "member" };
        let membership = json!({
            "url": format!("{}/orgs/{}/memberships/{user}", self.url, owner.login), "state": "active", "role": role,
            "organization_url": format!("{}/orgs/{}", self.url, owner.login), "user": account::user(self, user),
        });
        let payload = json!({
            "action": action, "membership": membership, "organization": account::simple(self, owner),
            "sender": account::user(self, org),
        });
        self.emit("organization", installation, None, payload);
    }

    /// `team`: a team was changed or is gone.
    pub(super) fn emit_team(&mut self, team: &super::state::Team, action: &str) {
        let installation = self.installations.values().find(|one| one.account == team.org).map(|one| one.id);
        let Some(owner) = self.accounts.get(&team.org).filter(|_| installation.is_some()) else { return };
        let payload = json!({
            "action": action, "team": account::team_simple(self, team), "organization": account::simple(self, owner),
            "sender": account::user(self, team.org),
        });
        self.emit("team", installation, None, payload);
    }

    /// `member`: someone's role in a repository was given, changed or taken.
    pub(super) fn emit_member(&mut self, repo: u64, user: u64, action: &str) {
        let Some(owner) = self.repos.get(&repo).map(|repo| repo.owner) else { return };
        self.emit_in("member", repo, owner, |world, _| {
            Some(json!({"action": action, "member": account::user(world, user), "changes": {}}))
        });
    }

    /// `check_suite`: all checks of the app on a commit are to run again.
    pub(super) fn emit_suite(&mut self, repo: u64, head: Oid, sender: u64) {
        self.emit_in("check_suite", repo, sender, |world, repo| {
            let run = repo.checks.values().rfind(|run| run.head_sha == head && run.app == world.app.id)?;
            let mut suite = check::check_run(world, repo, run)["check_suite"].clone();
            let shown = check::check_run(world, repo, run);
            suite["head_sha"] = json!(head.to_string());
            suite["pull_requests"] = shown["pull_requests"].clone();
            suite["app"] = shown["app"].clone();
            Some(json!({"action": "rerequested", "check_suite": suite}))
        });
    }

    /// `installation`: the app was installed or taken off.
    pub(super) fn emit_installation(&mut self, id: u64, action: &str, sender: u64) {
        let Some(installation) = self.installations.get(&id) else { return };
        let covered = self.repos.values().filter(|repo| installation.covers(repo));
        let short = |repo: &Repository| {
            json!({"id": repo.id, "node_id": super::shape::node_id("R", repo.id), "name": repo.name,
                   "full_name": self.full_name(repo), "private": repo.private})
        };
        let payload = json!({
            "action": action, "installation": account::installation(self, installation),
            "repositories": covered.map(short).collect::<Value>(), "requester": null,
            "sender": account::user(self, sender),
        });
        self.emit("installation", Some(id), None, payload);
    }

    /// `ping`.
    pub(super) fn emit_ping(&mut self) {
        let config = json!({"url": self.hooks.url, "content_type": "json", "insecure_ssl": "0", "secret": "********"});
        let hook = json!({
            "type": "App", "id": self.hooks.id, "name": "web", "active": true, "events": ["pull_request"],
            "config": config, "app_id": self.app.id,
        });
        self.emit("ping", None, None, json!({"zen": "Design for failure.", "hook_id": self.hooks.id, "hook": hook}));
    }

    /// Stores a comment.
    pub(super) fn add_comment(&mut self, repo: u64, number: u64, user: u64, by_app: bool, body: String) -> u64 {
        let (id, now) = (self.next_id(), self.clock.seconds());
        let (reactions, unread) = (Vec::new(), by_app);
        let comment = Comment { id, number, user, by_app, body, created: now, updated: now, reactions, unread };
        if let Some(repo) = self.repos.get_mut(&repo) {
            repo.comments.insert(id, comment);
        }
        id
    }
}
