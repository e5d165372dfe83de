//! An app from its manifest: GitHub's form, as the button of a page posts it, and the code that is traded for credentials. The
//! app that comes of it is the fake's own.

use serde_json::{Value, json};

use crate::sim::auth;
use crate::sim::call::{Answer, Call, Refusal, Reply};
use crate::sim::shape::account;
use crate::sim::state::{Permissions, World};

/// `POST /settings/apps/new` and the same of an organisation: the person agrees at once, and the browser is sent back.
pub(in crate::sim) fn create(world: &mut World, call: &Call) -> Answer {
    let unfit = |what: &str| Refusal::explained("Integration", "manifest", "invalid", what);
    let manifest = call.text("manifest").and_then(|text| serde_json::from_str::<Value>(text).ok());
    let manifest = manifest.filter(Value::is_object).ok_or_else(|| unfit("manifest is not JSON"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (what, value) in [("url", &manifest["url"]), ("hook_attributes.url", &manifest["hook_attributes"]["url"])] {
        if !text(value).starts_with("http") {
            return Err(unfit(&format!("{what} must be a URL")));
        }
    }
    let name = text(&manifest["name"]);
    if name.is_empty() || name.chars().count() > 34 {
        return Err(unfit("name must have 1 to 34 characters"));
    }
    let org = call.param("org");
    if !org.is_empty() && world.account(org).is_none() {
        return Err(Refusal::not_found());
    }
    let code = uuid::Uuid::new_v4().simple().to_string();
    let back = text(&manifest["redirect_url"]);
    let state = call.arg("state").unwrap_or_default();
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &code)
        .append_pair("state", state)
        .finish();
    world.manifests.insert(code, manifest);
    let mut reply = Reply::empty(302);
    reply.headers.push(("location", format!("{back}?{query}")));
    Ok(reply)
}

/// `POST /app-manifests/{code}/conversions`: once.
pub(in crate::sim) fn convert(world: &mut World, call: &Call) -> Answer {
    let manifest = world.manifests.remove(call.param("code")).ok_or_else(Refusal::not_found)?;
    let granted = manifest["default_permissions"].as_object().cloned().unwrap_or_default();
    let granted = granted.into_iter().map(|(name, level)| (name, level.as_str().unwrap_or_default().to_owned()));
    world.app.permissions = granted.collect::<Permissions>();
    let mut body = account::app(world, world.app.id);
    body["name"] = manifest["name"].clone();
    body["external_url"] = manifest["url"].clone();
    body["events"] = manifest["default_events"].clone();
    body["client_secret"] = json!("a-client-secret-that-nobody-may-see");
    body["webhook_secret"] = json!(world.hooks.secret);
    body["pem"] = json!(auth::private_key());
    Ok(Reply::json(201, body))
}
