//! `promptops init --app`: from the button to a service that takes the App's webhooks.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use promptops::app::app_setup::AppSetup;
use promptops::domain::init::manifest::AppWishes;
use promptops::sim::Sim;
use promptops::web::app_setup::{AppPages, PageError};
use regex::Regex;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::desk::Desk;

/// A browser that shows what it was given and follows nothing by itself.
struct Browser(reqwest::Client);

struct Shown {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Browser {
    fn new() -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        Self(client.unwrap())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Shown {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Shown { status, headers, text: response.text().await.unwrap() }
    }

    async fn get(&self, url: &str) -> Shown {
        self.send(self.0.get(url)).await
    }

    /// Presses the button of the first page; gives the address that GitHub sends the browser back to.
    async fn press(&self, page: &Shown) -> String {
        let field = |pattern: &str| {
            let found = Regex::new(pattern).unwrap().captures(&page.text).unwrap_or_else(|| panic!("{}", page.text));
            found[1]
                .replace("&#34;", "\"")
                .replace("&quot;", "\"")
                .replace("&#38;", "&")
                .replace("&amp;", "&")
                .replace("&#39;", "'")
        };
        let (action, manifest) = (field("action=\"([^\"]*)\""), field("name=\"manifest\" value=\"([^\"]*)\""));
        let sent = self.send(self.0.post(action).form(&[("manifest", manifest)])).await;
        assert_eq!(sent.status, 302, "{}", sent.text);
        sent.headers["location"].to_str().unwrap().to_owned()
    }
}

fn binary(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promptops"));
    command.args(arguments).current_dir(folder).env_clear().kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The first line of a stream that a pattern finds, as the pattern's group; the rest is read on.
async fn hears(
    stream: impl tokio::io::AsyncRead + Unpin + Send + 'static,
    pattern: &str,
) -> (String, tokio::task::JoinHandle<String>) {
    let mut lines = BufReader::new(stream).lines();
    let pattern = Regex::new(pattern).unwrap();
    let wait = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(found) = pattern.captures(&line) {
                return found[1].to_owned();
            }
        }
        panic!("nothing like {pattern} was said")
    };
    let found = tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    let rest = tokio::spawn(async move {
        let mut rest = String::new();
        while let Ok(Some(line)) = lines.next_line().await {
            rest.push_str(&line);
            rest.push('\n');
        }
        rest
    });
    (found, rest)
}

/// The first page of a running `promptops init --app`.
async fn opened(sim: &Sim, folder: &TempDir, more: &[&str]) -> (Child, String, tokio::task::JoinHandle<String>) {
    let mut arguments = vec!["init", "--app", "--url", "https://prompts.acme.dev/"];
    arguments.extend(more);
    let mut child = binary(folder.path(), &arguments).env("PROMPTOPS_GITHUB_API_URL", sim.url()).spawn().unwrap();
    let (page, rest) = hears(child.stdout.take().unwrap(), r"(http://127\.0\.0\.1:\d+/[0-9a-f]{32})$").await;
    (child, page, rest)
}

#[tokio::test]
async fn two_clicks_make_an_app_whose_service_takes_webhooks() {
    let sim = Sim::start().await.unwrap();
    sim.org("acme", "olga");
    let folder = TempDir::new().unwrap();
    let (mut child, page, rest) = opened(&sim, &folder, &["--org", "acme"]).await;
    let browser = Browser::new();
    let first = browser.get(&page).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let policy = first.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.ends_with(&format!("form-action {}", sim.url())),
        "{policy}"
    );
    let back = browser.press(&first).await;
    let last = browser.get(&back).await;
    assert_eq!(last.status, 200, "{}", last.text);
    assert!(last.text.contains("https://github.com/apps/promptops/installations/new"), "{}", last.text);
    assert!(child.wait().await.unwrap().success());
    let said = format!("{}{}{}", rest.await.unwrap(), first.text, last.text);
    assert!(said.contains("Created the App `PromptOps acme` (number 424242)."), "{said}");
    for secret in ["PRIVATE KEY", sim.webhook_secret(), "Secret to Everybody", "a-client-secret"] {
        assert!(!said.contains(secret), "{secret}");
    }
    let env = std::fs::read_to_string(folder.path().join("promptops-app.env")).unwrap();
    let env: HashMap<&str, &str> = env.lines().map(|line| line.split_once('=').unwrap()).collect();
    #[cfg(unix)]
    for file in ["promptops-app.env", "promptops-app.pem", "promptops-app.webhook-secret"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    let mut serve = binary(folder.path(), &["serve"]);
    serve.envs(&env).env("PROMPTOPS_LISTEN", "127.0.0.1:0");
    let mut serve = serve.spawn().unwrap();
    let (address, _log) = hears(serve.stderr.take().unwrap(), r#""address":"([^"]+)""#).await;
    sim.deliver_to(&format!("http://{address}/webhooks/github"));
    sim.ping();
    sim.settle().await;
    assert_eq!(sim.deliveries().last().map(|delivery| delivery.status_code), Some(200));
    sim.check_quiet().unwrap();
}

#[tokio::test]
async fn strangers_old_codes_and_second_visits_do_no_harm() {
    let sim = Sim::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (mut child, page, _) = opened(&sim, &folder, &[]).await;
    let browser = Browser::new();
    // Another site's name for this machine, another path, another state, no code, a code that was never given.
    let site = page.rsplit_once('/').unwrap().0;
    let rebound = browser.send(browser.0.get(&page).header("host", "evil.example")).await;
    assert_eq!((rebound.status, rebound.text.contains("manifest")), (421, false));
    assert_eq!(browser.get(&format!("{site}/")).await.status, 404);
    let back = browser.press(&browser.get(&page).await).await;
    let state = back.rsplit_once("state=").unwrap().1.to_owned();
    let said = |text: &str, what: &str| assert!(text.contains(what), "{what}: {text}");
    let wrong = browser.get(&back.replace(&state, "0")).await;
    assert_eq!(wrong.status, 403);
    said(&wrong.text, "does not belong to the page that promptops opened");
    let none = browser.get(&format!("{page}/callback?state={state}")).await;
    assert_eq!(none.status, 400);
    said(&none.text, "GitHub sent no code");
    let old = browser.get(&format!("{page}/callback?state={state}&code=0ld")).await;
    assert_eq!(old.status, 502);
    said(&old.text, "it can be used once, within an hour");
    assert!(!folder.path().join("promptops-app.env").exists());
    // The right one still works, and twice at once trades it once.
    let (one, other) = tokio::join!(browser.get(&back), browser.get(&back));
    assert_eq!((one.status, other.status), (200, 200), "{}{}", one.text, other.text);
    assert!(child.wait().await.unwrap().success());
    let trades = |status: u16| {
        sim.exchanges().iter().filter(|one| one.path.ends_with("/conversions") && one.status == status).count()
    };
    assert_eq!((trades(201), trades(404)), (1, 1));
    // An App that was made before is not written over.
    let ran = binary(folder.path(), &["init", "--app", "--url", "https://p.dev"]).output().await.unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(2));
    said(&text, "`promptops-app.pem` is there already");
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let folder = TempDir::new().unwrap();
    let wishes = AppWishes { url: "https://p.dev".to_owned(), org: None, public: false };
    let api_url = "https://api.github.com".parse().unwrap();
    let pages = AppPages::open(AppSetup { api_url, wishes, folder: folder.path().to_owned() }).await.unwrap();
    let ended = pages.serve(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(ended, PageError::TimedOut(_)));
    assert!(ended.to_string().starts_with("nobody came back from GitHub within "), "{ended}");
}

#[tokio::test]
async fn the_manifest_alone_is_printed_and_wrong_options_are_refused() {
    let desk = Desk::plain();
    let ran = desk.run(&["init", "--app", "--manifest", "--url", "https://p.dev/webhooks/github/", "--public"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let manifest = ran.json();
    assert_eq!(manifest["hook_attributes"]["url"], "https://p.dev/webhooks/github");
    assert_eq!((&manifest["public"], manifest.get("redirect_url")), (&true.into(), None));
    let check = async |arguments: &[&str], why: &str| {
        let ran = desk.run(arguments).await;
        assert!(ran.code == 2 && ran.stderr.contains(why), "{arguments:?}: {ran:?}");
    };
    check(&["init", "--app"], "--url <URL>").await;
    check(&["init", "--app", "--url", "p.dev"], "--url: `p.dev` is not where a service can be reached").await;
    check(&["init", "--app", "--url", "http://p.dev"], "write https://HOST (http:// is for this machine alone)").await;
    check(&["init", "--app", "--url", "http://10.0.0.7:8080"], "--url: `http://10.0.0.7:8080` is not encrypted").await;
    for here in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:1"] {
        let ran = desk.run(&["init", "--app", "--manifest", "--url", here]).await;
        assert_eq!(ran.code, 0, "{here}: {ran:?}");
    }
    check(&["init", "--app", "--url", "https://p.dev?x"], "write it as https://HOST").await;
    check(&["init", "--app", "--url", "https://p.dev", "--org", "a/b"], "--org: `a/b` is not a valid login").await;
    check(&["init", "--app", "--url", "https://p.dev", "--yes"], "cannot be used with").await;
    check(&["init", "--org", "acme"], "--app").await;
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0);
}
