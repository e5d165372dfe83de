//! `promptops init --app`: prints the manifest, or serves the pages that make the App and says what to do with it.

use std::time::Duration;

use url::{Host, Url};

use super::args::InitArguments;
use super::exit::{CommandError, Outcome};
use super::show;
use crate::app::app_setup::{AppSetup, Created, SetupError};
use crate::config;
use crate::domain::ids::Login;
use crate::domain::init::manifest::{AppWishes, manifest};
use crate::domain::untrusted::{Secrets, Untrusted};
use crate::web::app_setup::{AppPages, PageError};

/// How long the person has.
const PATIENCE: Duration = Duration::from_secs(600);
/// Where webhooks go below the service's address.
const HOOK: &str = "/webhooks/github";
/// Longest text of GitHub's that is shown.
const LINE: usize = 300;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &InitArguments) -> Result<Outcome, CommandError> {
    let wishes = wishes(arguments)?;
    if arguments.manifest {
        println!("{:#}", manifest(&wishes, None));
        return Ok(Outcome::Passed);
    }
    let api_url = config::process().github_api_url().map_err(|error| CommandError::Input(error.to_string()))?;
    let setup = AppSetup { api_url, wishes, folder: super::folder()? };
    setup.check_folder().map_err(|error| failed(error.into()))?;
    let pages = AppPages::open(setup).await.map_err(failed)?;
    println!("Open this page in a browser on this machine, and press its button (Ctrl-C stops):\n  {}", pages.url());
    let created = pages.serve(PATIENCE).await.map_err(failed)?;
    tell(&created);
    Ok(Outcome::Passed)
}

fn failed(error: PageError) -> CommandError {
    match error {
        PageError::Setup(SetupError::InTheWay(_)) => CommandError::Input(error.to_string()),
        other => CommandError::World(other.to_string()),
    }
}

fn wishes(arguments: &InitArguments) -> Result<AppWishes, CommandError> {
    let wrong = |text: &str| {
        CommandError::Input(format!("--url: `{text}` is not where a service can be reached; write it as https://HOST"))
    };
    let text = arguments.url.as_deref().unwrap_or_default();
    let url = Url::parse(text).map_err(|_| wrong(text))?;
    let is_plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() || !is_plain {
        return Err(wrong(text));
    }
    if url.scheme() == "http" && !is_here(&url) {
        return Err(CommandError::Input(format!(
            "--url: `{text}` is not encrypted, and GitHub sends texts of prompts there; put a proxy with a certificate in \
             front of the service and write https://HOST (http:// is for this machine alone)"
        )));
    }
    let url = url.as_str().trim_end_matches('/');
    let url = url.strip_suffix(HOOK).unwrap_or(url).trim_end_matches('/').to_owned();
    let org = arguments.org.as_deref().map(Login::parse).transpose();
    let org = org.map_err(|error| CommandError::Input(format!("--org: {error}")))?;
    Ok(AppWishes { url, org: org.map(|org| org.as_str().to_owned()), public: arguments.public })
}

/// Whether an address is on this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn tell(created: &Created) {
    let shown = |text: &str| Untrusted::new(text, &Secrets::default()).line(LINE);
    println!("Created the App `{}` (number {}).", shown(&created.name), created.id);
    created.files.iter().for_each(|file| println!("wrote {file}"));
    println!("These files are secret: keep them out of Git. Only you can read them.");
    created.warnings.iter().for_each(|warning| show::warning(&shown(warning)));
    println!(
        "Next:\n  1. Install it on your repositories: {}\n  \
         2. Start the service, with a key of your model provider:\n     \
         set -a; . {}; set +a\n     promptops serve\n  \
         3. Let GitHub reach it at the address you gave, and commit the settings that `promptops init` writes.",
        shown(&created.install_url),
        shown(&shell(&created.env_file.display().to_string())),
    );
}

/// A path as a word of a shell.
fn shell(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}
