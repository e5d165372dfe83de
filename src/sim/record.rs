//! What was asked of the fake and how it answered, for tests to count and check. Knows no state.

use serde_json::Value;

/// Who a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Nobody proved who they are.
    Anonymous,
    /// The app, by its JWT.
    App,
    /// An installation, by its token.
    Installation(u64),
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// The route it matched; `None` for an unknown one.
    pub route: Option<&'static str>,
    /// Who asked.
    pub caller: Caller,
    /// Milliseconds since the Unix epoch on the fake's clock.
    pub at_ms: u64,
    /// The request's body, when JSON.
    pub request: Option<Value>,
    /// The answer's status.
    pub status: u16,
    /// The answer's body, when JSON.
    pub response: Option<Value>,
    /// Whether a fault was put in the place of the true answer.
    pub faulted: bool,
}

impl Exchange {
    /// Whether it created or changed an issue comment.
    #[must_use]
    pub fn is_comment_write(&self) -> bool {
        self.status < 300
            && ((self.method == "POST" && self.path.ends_with("/comments"))
                || (self.method == "PATCH" && self.path.contains("/issues/comments/")))
    }
}

/// The list of exchanges.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) without_bodies: bool,
}

impl Record {
    /// Adds one.
    pub(super) fn push(&mut self, exchange: Exchange) {
        let bare = |exchange| Exchange { request: None, response: None, ..exchange };
        self.exchanges.push(if self.without_bodies { bare(exchange) } else { exchange });
    }

    /// Requests for which there is no route.
    pub(super) fn unknown_routes(&self) -> Vec<String> {
        let unknown = self.exchanges.iter().filter(|exchange| exchange.route.is_none());
        unknown.map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }
}
