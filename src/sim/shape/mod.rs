//! The JSON that GitHub shows of each thing. Reads state, changes nothing.

pub(super) mod account;
pub(super) mod check;
pub(super) mod git;
pub(super) mod pull;
pub(super) mod repository;

use serde_json::Value;

/// Where GitHub's pages are.
pub(super) const HTML: &str = "https://github.com";

/// An opaque node id.
pub(super) fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    format!("{kind}_kwDO{id}")
}

/// Adds `key: base + suffix` for each pair.
pub(super) fn add_urls(to: &mut Value, base: &str, urls: &[(&str, &str)]) {
    for (key, suffix) in urls {
        to[*key] = Value::String(format!("{base}{suffix}"));
    }
}
