//! The one question of GraphQL that is asked: whose a token is.

use serde_json::json;

use crate::sim::call::{Answer, Call, Refusal, Reply};
use crate::sim::record::Caller;
use crate::sim::state::World;

/// `POST /graphql`
pub(in crate::sim) fn query(world: &mut World, call: &Call) -> Answer {
    let query = call.required_text("Query", "query")?;
    if query.split_whitespace().collect::<Vec<_>>().join(" ") != "query { viewer { login } }" {
        return Err(Refusal::new(400, "A query attribute must be specified and must be a string."));
    }
    // The app itself is nobody there.
    let viewer = match call.caller {
        Caller::Installation(_) => world.accounts.get(&world.writer(call.token.as_ref())),
        Caller::App | Caller::Anonymous => None,
    };
    let viewer = viewer.ok_or_else(|| Refusal::new(401, "This endpoint requires you to be authenticated."))?;
    Ok(Reply::json(200, json!({"data": {"viewer": {"login": viewer.login}}})))
}
