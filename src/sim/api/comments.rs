//! Comments on a pull request's conversation, and reactions to them.

use serde_json::json;

use super::{pull_of, repo_mut, repo_of};
use crate::sim::call::{self, Answer, Call, Refusal, Reply};
use crate::sim::clock::iso;
use crate::sim::shape::account;
use crate::sim::shape::pull::{self as shape, REACTIONS};
use crate::sim::state::{Comment, World};

/// The longest body, in characters.
pub(in crate::sim) const LONGEST: usize = 65_536;

/// `GET /repos/{owner}/{repo}/issues/{number}/comments`
pub(in crate::sim) fn list(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let number = pull_of(repo, call)?.number;
    let since = |comment: &&Comment| call.arg("since").is_none_or(|since| iso(comment.updated).as_str() >= since);
    let comments: Vec<&Comment> = repo.comments.values().filter(|c| c.number == number).filter(since).collect();
    Ok(call::list(call, &world.url, &comments, |comment| shape::comment(world, repo, comment)))
}

fn body_of(call: &Call) -> Result<String, Refusal> {
    let body = call.required_text("IssueComment", "body")?;
    if body.chars().count() > LONGEST {
        let message = format!("body is too long (maximum is {LONGEST} characters)");
        return Err(Refusal::explained("IssueComment", "body", "unprocessable", &message));
    }
    Ok(body.to_owned())
}

/// `POST /repos/{owner}/{repo}/issues/{number}/comments`
pub(in crate::sim) fn create(world: &mut World, call: &Call) -> Answer {
    let pull = pull_of(repo_of(world, call)?, call)?;
    if pull.locked {
        return Err(Refusal::new(403, "Unable to create comment because issue is locked."));
    }
    let (number, body) = (pull.number, body_of(call)?);
    let writer = world.writer(call.token.as_ref());
    let id = world.add_comment(call.repo, number, writer, true, body);
    world.emit_comment(call.repo, id, "created", writer);
    shown(world, call, id, 201)
}

fn shown(world: &World, call: &Call, id: u64, status: u16) -> Answer {
    let repo = repo_of(world, call)?;
    let comment = repo.comments.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(status, shape::comment(world, repo, comment)))
}

/// `GET /repos/{owner}/{repo}/issues/comments/{id}`
pub(in crate::sim) fn get(world: &mut World, call: &Call) -> Answer {
    shown(world, call, call.number("id")?, 200)
}

/// `PATCH /repos/{owner}/{repo}/issues/comments/{id}`
pub(in crate::sim) fn update(world: &mut World, call: &Call) -> Answer {
    let (id, now, body) = (call.number("id")?, world.clock.seconds(), body_of(call)?);
    let comment = repo_mut(world, call)?.comments.get_mut(&id).ok_or_else(Refusal::not_found)?;
    comment.body = body;
    comment.updated = now;
    comment.unread = true;
    world.emit_comment(call.repo, id, "edited", world.writer(call.token.as_ref()));
    shown(world, call, id, 200)
}

/// `POST /repos/{owner}/{repo}/issues/comments/{id}/reactions`
pub(in crate::sim) fn react(world: &mut World, call: &Call) -> Answer {
    let content = call.required_text("Reaction", "content")?.to_owned();
    if !REACTIONS.contains(&content.as_str()) {
        return Err(Refusal::invalid("Reaction", "content", "invalid"));
    }
    let (bot, fresh, now) = (world.app.bot, world.next_id(), world.clock.seconds());
    let id = call.number("id")?;
    let comment = repo_mut(world, call)?.comments.get_mut(&id).ok_or_else(Refusal::not_found)?;
    let given = comment.reactions.iter().find(|(_, user, given)| *user == bot && *given == content);
    let (status, id) = given.map_or((201, fresh), |(id, ..)| (200, *id));
    if status == 201 {
        comment.reactions.push((id, bot, content.clone()));
    }
    let node = crate::sim::shape::node_id("REA", id);
    let user = account::user(world, bot);
    Ok(Reply::json(
        status,
        json!({"id": id, "node_id": node, "user": user, "content": content, "created_at": iso(now)}),
    ))
}
