//! A request as handlers see it, their answers, and paging. Knows no state and no transport.

use serde_json::{Value, json};

use super::record::Caller;
use super::state::Token;

/// A request whose route, caller and repository are settled.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) accept: String,
    pub(super) caller: Caller,
    pub(super) token: Option<Token>,
    /// The repository the path names; 0 where it names none.
    pub(super) repo: u64,
}

impl Call {
    /// A part of the path.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A part of the path that is a number; anything else names nothing.
    pub(super) fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.param(name).parse().map_err(|_| Refusal::not_found())
    }

    /// A parameter of the query.
    pub(super) fn arg(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A text in the body.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.as_ref()?.get(field)?.as_str()
    }

    /// A text the body must hold.
    pub(super) fn required_text(&self, resource: &str, field: &str) -> Result<&str, Refusal> {
        self.text(field)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::invalid(resource, field, "missing_field"))
    }
}

/// An answer's body.
#[derive(Debug)]
pub(super) enum Body {
    Empty,
    Json(Value),
    Raw(&'static str, Vec<u8>),
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

impl Reply {
    /// A JSON answer.
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    /// A status alone.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }
}

/// A refusal in GitHub's form.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) errors: Vec<Value>,
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal with a message only.
    pub(super) fn new(status: u16, message: &str) -> Self {
        Self { status, message: message.to_owned(), errors: Vec::new(), retry_after: None }
    }

    /// There is no such thing, or it may not be seen.
    pub(super) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// The token's permissions do not reach.
    pub(super) fn forbidden() -> Self {
        Self::new(403, "Resource not accessible by integration")
    }

    /// An owner of the account suspended the installation.
    pub(super) fn suspended() -> Self {
        Self::new(403, "This installation has been suspended")
    }

    /// A field of the body breaks a rule.
    pub(super) fn invalid(resource: &str, field: &str, code: &str) -> Self {
        Self::explained(resource, field, code, &format!("{field} {}", code.replace('_', " ")))
    }

    /// A field of the body breaks a rule that a message explains.
    pub(super) fn explained(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let error = json!({"resource": resource, "field": field, "code": code, "message": message});
        Self { errors: vec![error], ..Self::new(422, "Validation Failed") }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({
            "message": refusal.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": refusal.status.to_string(),
        });
        if !refusal.errors.is_empty() {
            body["errors"] = Value::Array(refusal.errors);
        }
        let mut reply = Self::json(refusal.status, body);
        reply.headers.extend(refusal.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        reply
    }
}

/// What a handler gives back.
pub(super) type Answer = Result<Reply, Refusal>;

/// The page of a list that the query asks for, with its `Link` header.
pub(super) struct Page {
    /// Where the page starts.
    pub(super) skip: usize,
    /// How many items it may hold.
    pub(super) take: usize,
    link: Option<String>,
}

impl Page {
    /// The asked-for page of a list of this length.
    pub(super) fn of(call: &Call, url: &str, total: usize) -> Self {
        Self::sized(call, url, total, 30)
    }

    /// The same where a page holds another number of items unless the call says how many.
    pub(super) fn sized(call: &Call, url: &str, total: usize, usual: usize) -> Self {
        let number = |name: &str| call.arg(name).and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0);
        let take = number("per_page").map_or(usual, |asked| asked.min(100));
        let page = number("page").unwrap_or(1);
        let last = total.div_ceil(take).max(1);
        let mut parts = Vec::new();
        let mut rel = |page: usize, rel: &str| parts.push(format!("<{}>; rel=\"{rel}\"", page_url(call, url, page)));
        if page > 1 {
            rel((page - 1).min(last), "prev");
        }
        if page < last {
            rel(page + 1, "next");
            rel(last, "last");
        }
        if page > 1 {
            rel(1, "first");
        }
        let link = (!parts.is_empty()).then(|| parts.join(", "));
        Self { skip: (page - 1).saturating_mul(take), take, link }
    }

    /// The answer with the page's body and links.
    pub(super) fn reply(self, body: Value) -> Reply {
        let mut reply = Reply::json(200, body);
        reply.headers.extend(self.link.map(|link| ("link", link)));
        reply
    }
}

fn page_url(call: &Call, url: &str, page: usize) -> String {
    let kept = call.query.iter().filter(|(key, _)| key != "page");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("page", &page.to_string());
    // GitHub names the repository by its id here: clients must follow the link, not rebuild it.
    let path = match call.path.splitn(5, '/').nth(4).filter(|_| call.repo != 0) {
        Some(rest) => format!("/repositories/{}/{rest}", call.repo),
        None => call.path.clone(),
    };
    format!("{url}{path}?{}", query.finish())
}

/// One page of a list, as a bare array.
pub(super) fn list<T>(call: &Call, url: &str, items: &[T], show: impl Fn(&T) -> Value) -> Reply {
    let page = Page::of(call, url, items.len());
    let shown: Vec<Value> = items.iter().skip(page.skip).take(page.take).map(show).collect();
    page.reply(Value::Array(shown))
}

/// One page of a list, in an object with the total.
pub(super) fn counted<T>(call: &Call, url: &str, key: &str, items: &[T], show: impl Fn(&T) -> Value) -> Reply {
    let page = Page::of(call, url, items.len());
    let shown: Vec<Value> = items.iter().skip(page.skip).take(page.take).map(show).collect();
    page.reply(json!({"total_count": items.len(), key: shown}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call with nothing but a query.
    fn call(query: &[(&str, &str)]) -> Call {
        Call {
            path: "/list".into(),
            query: query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            params: Vec::new(),
            body: None,
            accept: String::new(),
            caller: Caller::App,
            token: None,
            repo: 0,
        }
    }

    fn check(query: &[(&str, &str)], total: usize, expected: (usize, usize), link: Option<&str>) {
        let page = Page::of(&call(query), "http://gh", total);
        assert_eq!((page.skip, page.take), expected);
        assert_eq!(page.link.as_deref(), link);
    }

    #[test]
    fn pages() {
        check(&[], 30, (0, 30), None);
        check(
            &[("state", "a b")],
            31,
            (0, 30),
            Some("<http://gh/list?state=a+b&page=2>; rel=\"next\", <http://gh/list?state=a+b&page=2>; rel=\"last\""),
        );
        check(
            &[("per_page", "2"), ("page", "2")],
            5,
            (2, 2),
            Some(
                "<http://gh/list?per_page=2&page=1>; rel=\"prev\", <http://gh/list?per_page=2&page=3>; rel=\"next\", \
                 <http://gh/list?per_page=2&page=3>; rel=\"last\", <http://gh/list?per_page=2&page=1>; rel=\"first\"",
            ),
        );
        check(&[("per_page", "1000")], 5, (0, 100), None);
        check(
            &[("page", "9")],
            5,
            (240, 30),
            Some("<http://gh/list?page=1>; rel=\"prev\", <http://gh/list?page=1>; rel=\"first\""),
        );
    }
}
