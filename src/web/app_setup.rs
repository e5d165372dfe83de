//! The pages that make a GitHub App: a button that posts the manifest to GitHub, and the address GitHub sends the browser back
//! to. On loopback, for one person and a few minutes; knows no file and no credential.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::app::app_setup::{AppSetup, Created, SetupError};
use crate::github::manifest::unguessable;

/// How long the last page may take to reach the browser.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// Why no App was made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Nobody came back.
    #[error("nobody came back from GitHub within {} minutes, so no App was set up; run this again", .0.as_secs().div_ceil(60))]
    TimedOut(Duration),
    /// It cannot be tried again.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The address cannot be listened on.
    #[error("cannot serve the page: {0}; check that programs may listen on 127.0.0.1")]
    Listen(#[from] std::io::Error),
    /// No secret can be made.
    #[error("the system gives no random numbers; check /dev/urandom")]
    NoRandomness,
}

/// The pages before they are served.
pub struct AppPages {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    setup: AppSetup,
    /// `127.0.0.1:PORT`; another name for it is another site's doing.
    host: String,
    /// Part of each path, so that other pages in the browser cannot find them.
    path: String,
    /// What GitHub has to bring back.
    state: String,
    ended: Mutex<Option<Result<Created, SetupError>>>,
    has_ended: Notify,
}

impl AppPages {
    /// Takes a free port of loopback.
    ///
    /// # Errors
    /// When there is none, or no randomness.
    pub async fn open(setup: AppSetup) -> Result<Self, PageError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let host = listener.local_addr()?.to_string();
        let secret = || unguessable().ok_or(PageError::NoRandomness);
        let (path, state) = (secret()?, secret()?);
        let (ended, has_ended) = (Mutex::new(None), Notify::new());
        Ok(Self { listener, shared: Arc::new(Shared { setup, host, path, state, ended, has_ended }) })
    }

    /// The address of the first page.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.url("")
    }

    /// Serves until the App is set up, or `patience` is over.
    ///
    /// # Errors
    /// See [`PageError`].
    pub async fn serve(self, patience: Duration) -> Result<Created, PageError> {
        let Self { listener, shared } = self;
        let stop = CancellationToken::new();
        let router = Router::new()
            .route(&format!("/{}", shared.path), get(start))
            .route(&format!("/{}/callback", shared.path), get(come_back))
            .layer(from_fn_with_state(shared.clone(), guard))
            .with_state(shared.clone());
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = tokio::spawn(serving.into_future());
        let in_time = tokio::time::timeout(patience, shared.has_ended.notified()).await.is_ok();
        stop.cancel();
        // A browser that keeps its connection open holds nothing up.
        let _ = tokio::time::timeout(LAST_PAGE, server).await;
        match shared.ended.lock().await.take() {
            Some(ended) => Ok(ended?),
            None if in_time => Err(PageError::Listen(std::io::Error::other("the page was closed"))),
            None => Err(PageError::TimedOut(patience)),
        }
    }
}

impl Shared {
    fn url(&self, below: &str) -> String {
        format!("http://{}/{}{below}", self.host, self.path)
    }
}

#[derive(Template)]
#[template(path = "app_setup.html")]
struct Page {
    title: String,
    sentences: Vec<String>,
    form: Option<Form>,
    link: Option<Link>,
}

struct Form {
    action: String,
    manifest: String,
}

struct Link {
    url: String,
    text: &'static str,
}

impl Page {
    fn answer(self, status: StatusCode) -> Response {
        match self.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the page cannot be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// Something went wrong that starting again may mend.
    fn sorry(shared: &Shared, why: String) -> Self {
        let link = Some(Link { url: shared.url(""), text: "Start again" });
        Self { title: "That did not work".to_owned(), sentences: vec![why], form: None, link }
    }

    fn created(created: &Created) -> Self {
        let mut sentences = vec![
            format!("The App \"{}\" is there. Its credentials are in files where promptops runs.", created.name),
            "Install it on your repositories, then go back to the terminal.".to_owned(),
        ];
        sentences.extend(created.warnings.iter().cloned());
        let link = Some(Link { url: created.install_url.clone(), text: "Install the App" });
        Self { title: "Created".to_owned(), sentences, form: None, link }
    }
}

/// Other sites do not get here under a name of theirs, and the pages take nothing from elsewhere.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host != Some(&shared.host) {
        let why = format!("open the address that promptops printed, which begins with http://{}/\n", shared.host);
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    let mut response = next.run(request).await;
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action {}",
        shared.setup.pages_url()
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // The path is a secret; GitHub wants to know only the site.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The page with the button.
async fn start(State(shared): State<Arc<Shared>>) -> Response {
    let owner = shared.setup.wishes.org.as_deref().map_or("you".to_owned(), |org| format!("the organisation {org}"));
    let sentences = vec![
        format!(
            "The button opens GitHub with everything filled in. There you can change the name, and {owner} will own the App."
        ),
        format!("Webhooks will go to {}/webhooks/github.", shared.setup.wishes.url),
    ];
    let form = Form {
        action: shared.setup.form_url(&shared.state),
        manifest: shared.setup.manifest(&shared.url("/callback")),
    };
    Page { title: "Create the GitHub App for PromptOps".to_owned(), sentences, form: Some(form), link: None }
        .answer(StatusCode::OK)
}

/// What GitHub sends the browser back with.
#[derive(Deserialize)]
struct Brought {
    code: Option<String>,
    state: Option<String>,
}

/// The browser comes back from GitHub.
async fn come_back(State(shared): State<Arc<Shared>>, Query(brought): Query<Brought>) -> Response {
    if brought.state.as_deref() != Some(&shared.state) {
        let why = "This answer does not belong to the page that promptops opened, so it was not used.";
        return Page::sorry(&shared, why.to_owned()).answer(StatusCode::FORBIDDEN);
    }
    let Some(code) = brought.code else {
        let why = "GitHub sent no code: the App was not created.".to_owned();
        return Page::sorry(&shared, why).answer(StatusCode::BAD_REQUEST);
    };
    // One at a time: a page that is loaded twice trades its code once.
    let mut ended = shared.ended.lock().await;
    if let Some(Ok(created)) = &*ended {
        return Page::created(created).answer(StatusCode::OK);
    }
    let result = shared.setup.create(&code).await;
    let response = match &result {
        Ok(created) => Page::created(created).answer(StatusCode::OK),
        Err(error) => Page::sorry(&shared, format!("{error}.")).answer(StatusCode::BAD_GATEWAY),
    };
    if !matches!(result, Err(SetupError::Code(_))) {
        *ended = Some(result);
        shared.has_ended.notify_one();
    }
    response
}
