//! The GitHub App of the service: its manifest goes out, its credentials are kept in files that only their owner reads. Knows
//! no page.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use thiserror::Error;
use url::Url;

use crate::domain::init::manifest::{self, AppWishes};
use crate::github::manifest::{ConversionError, CreatedApp, convert, pages_url};

/// Names of the files, in the order in which they are written.
const KEY_FILE: &str = "promptops-app.pem";
const SECRET_FILE: &str = "promptops-app.webhook-secret";
const ENV_FILE: &str = "promptops-app.env";
/// Where GitHub.com's API is; no variable needs to say so.
const USUAL_API: &str = "https://api.github.com/";

/// All that is known before the person presses the button.
#[derive(Debug, Clone)]
pub struct AppSetup {
    /// Base of GitHub's API.
    pub api_url: Url,
    /// What is wanted.
    pub wishes: AppWishes,
    /// Where the files go.
    pub folder: PathBuf,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The App's number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Where it is installed.
    pub install_url: String,
    /// The files, by their names.
    pub files: Vec<&'static str>,
    /// The file with the environment.
    pub env_file: PathBuf,
    /// What deserves a look.
    pub warnings: Vec<String>,
}

/// Why there is no App, or none that can be used.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The person can try again with another code.
    #[error(transparent)]
    Code(#[from] ConversionError),
    /// A file is in the way.
    #[error(
        "`{0}` is there already: it belongs to an App that was made before; move it away, or run this in another folder"
    )]
    InTheWay(&'static str),
    /// The folder takes no files.
    #[error("cannot write into `{}`: {source}; run this in a folder of yours", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The App is there, its credentials could not be kept.
    #[error(
        "the App `{name}` was created, but `{file}` cannot be written: {source}; delete the App at {html_url}, then run this again"
    )]
    NotKept {
        /// The App.
        name: String,
        /// Its page.
        html_url: String,
        /// The file.
        file: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

impl AppSetup {
    /// Makes sure that nothing is in the way of the files: the code of an App can be used once.
    ///
    /// # Errors
    /// What is in the way.
    pub fn check_folder(&self) -> Result<(), SetupError> {
        for name in [KEY_FILE, SECRET_FILE, ENV_FILE] {
            if self.folder.join(name).symlink_metadata().is_ok() {
                return Err(SetupError::InTheWay(name));
            }
        }
        let probe = self.folder.join(format!(".promptops-app-{}.tmp", std::process::id()));
        let tried = OpenOptions::new().write(true).create_new(true).open(&probe);
        std::fs::remove_file(&probe).ok();
        tried.map(drop).map_err(|source| SetupError::Folder { folder: self.folder.clone(), source })
    }

    /// Where the manifest is posted to.
    #[must_use]
    pub fn form_url(&self, state: &str) -> String {
        let pages = self.pages_url();
        match &self.wishes.org {
            Some(org) => format!("{pages}/organizations/{org}/settings/apps/new?state={state}"),
            None => format!("{pages}/settings/apps/new?state={state}"),
        }
    }

    /// Where GitHub's pages are.
    #[must_use]
    pub fn pages_url(&self) -> String {
        pages_url(&self.api_url)
    }

    /// The manifest, as GitHub's form takes it.
    #[must_use]
    pub fn manifest(&self, redirect: &str) -> String {
        manifest::manifest(&self.wishes, Some(redirect)).to_string()
    }

    /// Trades GitHub's code for the App's credentials, and keeps them.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub async fn create(&self, code: &str) -> Result<Created, SetupError> {
        let app = convert(&self.api_url, code).await?;
        self.keep(&app)
    }

    fn keep(&self, app: &CreatedApp) -> Result<Created, SetupError> {
        let env = self.environment(app.id);
        let files: [(&'static str, &str); 3] = [
            (KEY_FILE, app.private_key.expose_secret()),
            (SECRET_FILE, app.webhook_secret.expose_secret()),
            (ENV_FILE, &env),
        ];
        for (file, text) in files {
            write_private(&self.folder.join(file), text).map_err(|source| SetupError::NotKept {
                name: app.name.clone(),
                html_url: app.html_url.to_string(),
                file,
                source,
            })?;
        }
        let install_url = format!("{}/installations/new", app.html_url.as_str().trim_end_matches('/'));
        let differs = manifest::differences(&app.permissions);
        let warnings = differs.into_iter().map(|what| format!("the App is not what was asked for: {what}")).collect();
        Ok(Created {
            id: app.id,
            name: app.name.clone(),
            install_url,
            files: files.map(|(file, _)| file).to_vec(),
            env_file: self.folder.join(ENV_FILE),
            warnings,
        })
    }

    /// The environment of `promptops serve`, as shells and service managers read it.
    fn environment(&self, id: u64) -> String {
        let file = |name: &str| quoted(&self.folder.join(name).display().to_string());
        let mut env = format!(
            "PROMPTOPS_GITHUB_APP_ID={id}\nPROMPTOPS_GITHUB_PRIVATE_KEY_FILE={}\n\
             PROMPTOPS_GITHUB_WEBHOOK_SECRET_FILE={}\nPROMPTOPS_PUBLIC_URL={}\n",
            file(KEY_FILE),
            file(SECRET_FILE),
            quoted(&self.wishes.url),
        );
        if self.api_url.as_str() != USUAL_API {
            env.push_str(&format!("PROMPTOPS_GITHUB_API_URL={}\n", quoted(self.api_url.as_str())));
        }
        env
    }
}

/// A value as shells read it: as it is where that is safe, else in single quotes.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/:._-@%+,=".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

/// Writes a new file that only its owner can read.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(folder: &Path, org: Option<&str>) -> AppSetup {
        let wishes = AppWishes { url: "https://p.dev".to_owned(), org: org.map(str::to_owned), public: false };
        let api_url = "https://git.acme.dev/api/v3".parse().unwrap();
        AppSetup { api_url, wishes, folder: folder.to_owned() }
    }

    #[test]
    fn the_form_goes_to_whoever_will_own_the_app() {
        let check = |org, expected: &str| assert_eq!(setup(Path::new("."), org).form_url("s"), expected);
        check(None, "https://git.acme.dev/settings/apps/new?state=s");
        check(Some("acme"), "https://git.acme.dev/organizations/acme/settings/apps/new?state=s");
    }

    #[test]
    fn the_environment_is_read_by_a_shell_whatever_the_folder_is_called() {
        assert_eq!(
            setup(Path::new("/srv/it's mine"), None).environment(7),
            "PROMPTOPS_GITHUB_APP_ID=7\n\
             PROMPTOPS_GITHUB_PRIVATE_KEY_FILE='/srv/it'\\''s mine/promptops-app.pem'\n\
             PROMPTOPS_GITHUB_WEBHOOK_SECRET_FILE='/srv/it'\\''s mine/promptops-app.webhook-secret'\n\
             PROMPTOPS_PUBLIC_URL=https://p.dev\n\
             PROMPTOPS_GITHUB_API_URL=https://git.acme.dev/api/v3\n"
        );
    }

    #[test]
    fn an_app_that_was_made_before_is_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        setup(folder.path(), None).check_folder().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        write_private(&folder.path().join(SECRET_FILE), "x").unwrap();
        assert!(matches!(setup(folder.path(), None).check_folder(), Err(SetupError::InTheWay(SECRET_FILE))));
        let gone = setup(&folder.path().join("gone"), None).check_folder();
        assert!(matches!(gone, Err(SetupError::Folder { .. })), "{gone:?}");
    }
}
