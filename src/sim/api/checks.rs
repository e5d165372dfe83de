//! Check runs, with GitHub's limits on what they hold.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{repo_mut, repo_of, resolve_commit};
use crate::sim::call::{self, Answer, Call, Refusal, Reply, counted};
use crate::sim::clock::iso;
use crate::sim::shape::check::check_run;
use crate::sim::shape::git::encode_path;
use crate::sim::shape::repository::html_url;
use crate::sim::state::{Check, World};

/// The longest summary or text, in bytes.
const LONGEST_OUTPUT: usize = 65_535;
const MOST_ANNOTATIONS: usize = 50;
const CONCLUSIONS: [&str; 7] =
    ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];

fn refuse(field: &str, message: &str) -> Refusal {
    Refusal::explained("CheckRun", field, "invalid", message)
}

/// `POST /repos/{owner}/{repo}/check-runs`
pub(in crate::sim) fn create(world: &mut World, call: &Call) -> Answer {
    let name = call.required_text("CheckRun", "name")?.to_owned();
    let sha = call.required_text("CheckRun", "head_sha")?;
    let (head_sha, _) = resolve_commit(world, repo_of(world, call)?, sha)?;
    let mut check = Check {
        id: world.next_id(),
        app: world.app.id,
        name,
        head_sha,
        external_id: String::new(),
        details_url: "https://promptops.example".to_owned(),
        status: "queued".to_owned(),
        conclusion: None,
        started: Some(iso(world.clock.seconds())),
        completed: None,
        title: None,
        summary: None,
        text: None,
        annotations: Vec::new(),
        actions: Vec::new(),
    };
    apply(&mut check, call, &iso(world.clock.seconds()))?;
    let (id, done) = (check.id, check.conclusion.is_some());
    repo_mut(world, call)?.checks.insert(id, check);
    world.emit_check(call.repo, id, "created", world.app.bot, None);
    if done {
        world.emit_check(call.repo, id, "completed", world.app.bot, None);
    }
    shown(world, call, id, 201)
}

/// `PATCH /repos/{owner}/{repo}/check-runs/{id}`
pub(in crate::sim) fn update(world: &mut World, call: &Call) -> Answer {
    let (id, now) = (call.number("id")?, iso(world.clock.seconds()));
    let mut check = repo_of(world, call)?.checks.get(&id).ok_or_else(Refusal::not_found)?.clone();
    if check.app != world.app.id {
        let message = "Invalid app_id: a check run can only be modified by the GitHub App that created it.";
        return Err(Refusal::new(403, message));
    }
    let before = check.conclusion.clone();
    if let Some(name) = call.text("name") {
        name.clone_into(&mut check.name);
    }
    apply(&mut check, call, &now)?;
    let completed = before.is_none() && check.conclusion.is_some();
    repo_mut(world, call)?.checks.insert(id, check);
    if completed {
        world.emit_check(call.repo, id, "completed", world.app.bot, None);
    }
    shown(world, call, id, 200)
}

/// Puts the body's fields on a check run, or refuses all of them.
fn apply(check: &mut Check, call: &Call, now: &str) -> Result<(), Refusal> {
    let set = |field: &str, to: &mut String| {
        if let Some(text) = call.text(field) {
            text.clone_into(to);
        }
    };
    set("external_id", &mut check.external_id);
    set("details_url", &mut check.details_url);
    if let Some(started) = call.text("started_at") {
        check.started = Some(started.to_owned());
    }
    apply_state(check, call, now)?;
    if let Some(output) = call.body.as_ref().and_then(|body| body.get("output")) {
        apply_output(check, output)?;
    }
    if let Some(actions) = call.body.as_ref().and_then(|body| body.get("actions")) {
        check.actions = checked_actions(actions)?;
    }
    Ok(())
}

fn apply_state(check: &mut Check, call: &Call, now: &str) -> Result<(), Refusal> {
    let (status, conclusion) = (call.text("status"), call.text("conclusion"));
    if status.is_some_and(|status| !["queued", "in_progress", "completed"].contains(&status)) {
        return Err(refuse("status", "status is not one of queued, in_progress, completed"));
    }
    if conclusion.is_some_and(|conclusion| !CONCLUSIONS.contains(&conclusion)) {
        return Err(refuse("conclusion", "conclusion is not one GitHub knows"));
    }
    if conclusion.is_none() && (status == Some("completed") || call.text("completed_at").is_some()) {
        return Err(refuse("conclusion", "conclusion is required when the status is completed"));
    }
    if let Some(conclusion) = conclusion {
        check.status = "completed".to_owned();
        check.conclusion = Some(conclusion.to_owned());
        check.completed = Some(call.text("completed_at").unwrap_or(now).to_owned());
    } else if let Some(status) = status {
        check.status = status.to_owned();
        check.conclusion = None;
        check.completed = None;
    }
    Ok(())
}

fn apply_output(check: &mut Check, output: &Value) -> Result<(), Refusal> {
    let text = |field: &str| output.get(field).and_then(Value::as_str);
    let (title, summary) = (text("title"), text("summary"));
    if title.is_none() || summary.is_none() {
        return Err(refuse("output", "title and summary are required together"));
    }
    for (field, content) in [("summary", summary), ("text", text("text"))] {
        if content.is_some_and(|content| content.len() > LONGEST_OUTPUT) {
            return Err(refuse(field, &format!("{field} exceeds a maximum bytesize of {LONGEST_OUTPUT}")));
        }
    }
    let annotations = output.get("annotations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if annotations.len() > MOST_ANNOTATIONS {
        return Err(refuse("annotations", &format!("annotations exceeds a maximum quantity of {MOST_ANNOTATIONS}")));
    }
    annotations.iter().try_for_each(check_annotation)?;
    check.title = title.map(str::to_owned);
    check.summary = summary.map(str::to_owned);
    check.text = text("text").map(str::to_owned);
    check.annotations.extend(annotations.iter().cloned());
    Ok(())
}

fn check_annotation(annotation: &Value) -> Result<(), Refusal> {
    let line = |field: &str| annotation.get(field).and_then(Value::as_u64);
    let text = |field: &str| annotation.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let level = text("annotation_level").is_some_and(|level| ["notice", "warning", "failure"].contains(&level));
    let (Some(start), Some(end)) = (line("start_line"), line("end_line")) else {
        return Err(refuse("annotations", "start_line and end_line are required"));
    };
    if text("path").is_none() || text("message").is_none() || !level {
        return Err(refuse("annotations", "path, message and annotation_level are required"));
    }
    if start == 0 || end < start {
        return Err(refuse("annotations", "lines start at 1 and end after they start"));
    }
    if start != end && (line("start_column").is_some() || line("end_column").is_some()) {
        return Err(refuse("annotations", "columns are allowed on single-line annotations only"));
    }
    Ok(())
}

fn checked_actions(actions: &Value) -> Result<Vec<Value>, Refusal> {
    let actions = actions.as_array().map(Vec::as_slice).unwrap_or_default();
    if actions.len() > 3 {
        return Err(refuse("actions", "actions exceeds a maximum quantity of 3"));
    }
    for action in actions {
        for (field, longest) in [("label", 20), ("description", 40), ("identifier", 20)] {
            let length = action.get(field).and_then(Value::as_str).map_or(0, |text| text.chars().count());
            if !(1..=longest).contains(&length) {
                return Err(refuse(field, &format!("{field} is required and at most {longest} characters")));
            }
        }
    }
    Ok(actions.to_vec())
}

fn shown(world: &World, call: &Call, id: u64, status: u16) -> Answer {
    let repo = repo_of(world, call)?;
    let check = repo.checks.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(status, check_run(world, repo, check)))
}

/// `GET /repos/{owner}/{repo}/check-runs/{id}`
pub(in crate::sim) fn get(world: &mut World, call: &Call) -> Answer {
    shown(world, call, call.number("id")?, 200)
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`
pub(in crate::sim) fn list_for_ref(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let (sha, _) = resolve_commit(world, repo, call.param("ref"))?;
    let wanted = |check: &&Check| {
        check.head_sha == sha
            && call.arg("check_name").is_none_or(|name| name == check.name)
            && call.arg("status").is_none_or(|status| status == check.status)
            && call.arg("app_id").is_none_or(|app| app == check.app.to_string())
    };
    let mut checks: Vec<&Check> = repo.checks.values().filter(wanted).collect();
    if call.arg("filter") != Some("all") {
        let latest: BTreeMap<_, _> = checks.iter().map(|check| ((check.app, check.name.as_str()), check.id)).collect();
        checks.retain(|check| latest.get(&(check.app, check.name.as_str())) == Some(&check.id));
    }
    Ok(counted(call, &world.url, "check_runs", &checks, |check| check_run(world, repo, check)))
}

/// `GET /repos/{owner}/{repo}/check-runs/{id}/annotations`
pub(in crate::sim) fn annotations(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let check = repo.checks.get(&call.number("id")?).ok_or_else(Refusal::not_found)?;
    let html = html_url(world, repo);
    let show = |given: &Value| {
        let mut shown = given.clone();
        for field in ["start_column", "end_column", "title", "raw_details"] {
            if shown.get(field).is_none() {
                shown[field] = Value::Null;
            }
        }
        let path = encode_path(given["path"].as_str().unwrap_or_default());
        shown["blob_href"] = json!(format!("{html}/blob/{}/{path}", check.head_sha));
        shown
    };
    Ok(call::list(call, &world.url, &check.annotations, show))
}
