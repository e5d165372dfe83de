//! The environment becomes options, once, at the start. The only place that reads it; knows no default of a room.

mod action;
mod file;
mod providers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

pub use crate::provider::ProviderConfig;
pub use action::{ActionConfig, ActionInputs};
use providers::Place;

/// A variable that is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Needed and not there.
    #[error("{name} is not set: {help}, or name a file that holds it in {name}_FILE")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// There, and not of its form.
    #[error("{name} is not valid: {help}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// An input of the workflow's step is not of its form.
    #[error("the input `{name}` is not valid: {help}")]
    Input {
        /// The input.
        name: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// There is no runner of workflows.
    #[error(
        "this is no step of a workflow (GITHUB_ACTIONS and GITHUB_EVENT_NAME are not set): use `promptops eval` here, or \
         `uses: promptops/promptops` in a workflow"
    )]
    NoRunner,
    /// Set twice.
    #[error("{name} and {name}_FILE are both set: remove one of them")]
    Twice {
        /// The variable.
        name: &'static str,
    },
    /// Several at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<ConfigError>),
    /// Its file cannot be read.
    #[error("the file that {name}_FILE names cannot be read: check that it exists and may be read")]
    File {
        /// The variable.
        name: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The settings file cannot be read.
    #[error("the settings `{}` cannot be read: {source}: check the path, or unset PROMPTOPS_CONFIG", path.display())]
    SettingsFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The settings file says something wrong.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong and what to do.
        message: String,
    },
    /// A key that the settings file points at is not there.
    #[error("the key of [providers.{name}] in promptops.toml is not to be had: {what}")]
    ProviderKey {
        /// The provider.
        name: String,
        /// What is wrong and what to do.
        what: String,
    },
}

/// How to be a GitHub App.
#[derive(Debug, Clone)]
pub struct GithubConfig {
    /// The app's id.
    pub app_id: u64,
    /// Its private key, PEM.
    pub private_key: SecretString,
    /// At least one.
    pub webhook_secrets: Vec<SecretString>,
    /// Where the API is.
    pub api_url: Url,
}

/// How to read GitHub as the app, without its webhooks.
#[derive(Debug, Clone)]
pub struct GithubReader {
    /// The app's id.
    pub app_id: u64,
    /// Its private key, PEM.
    pub private_key: SecretString,
    /// Where the API is.
    pub api_url: Url,
    /// The service's database, if it is named.
    pub database_url: Option<SecretString>,
}

/// All that `serve` needs to know.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Which database; may hold a password.
    pub database_url: SecretString,
    /// The app.
    pub github: GithubConfig,
    /// Where people reach us, for links back.
    pub public_url: Option<Url>,
    /// Period of the sweep.
    pub reconcile: Duration,
    /// The model providers.
    pub providers: ProviderConfig,
}

/// Where variables come from: the process, or a test.
pub struct Environment<V, R> {
    variable: V,
    read: R,
}

impl<V, R> Environment<V, R>
where
    V: Fn(&str) -> Option<String>,
    R: Fn(&Path) -> std::io::Result<String>,
{
    /// Variables by `variable`, files of `_FILE` variables by `read`.
    pub fn new(variable: V, read: R) -> Self {
        Self { variable, read }
    }

    /// Reads what `serve` needs.
    ///
    /// # Errors
    /// When a variable is missing or wrong; says which and what to do.
    pub fn serve(&self) -> Result<ServeConfig, ConfigError> {
        Ok(ServeConfig {
            listen: self.parsed(
                "PROMPTOPS_LISTEN",
                "127.0.0.1:8080",
                "write it as ADDRESS:PORT, as in 0.0.0.0:8080",
            )?,
            database_url: self.database_url()?,
            github: self.github()?,
            public_url: self.url("PROMPTOPS_PUBLIC_URL")?,
            reconcile: self.reconcile()?,
            providers: self.provider_config(Place::WorkingFolder, self.flag("PROMPTOPS_ALLOW_PRIVATE_PROVIDERS")?)?,
        })
    }

    /// Reads which database the service uses.
    ///
    /// # Errors
    /// When the variable is set twice or its file cannot be read.
    pub fn database_url(&self) -> Result<SecretString, ConfigError> {
        Ok(self.text("PROMPTOPS_DATABASE_URL")?.unwrap_or_else(|| "sqlite://promptops.db".into()).into())
    }

    /// Reads how to reach model providers, from a desk: its own and private addresses may be asked.
    ///
    /// # Errors
    /// When a variable is wrong; says which and what to do.
    pub fn providers(&self) -> Result<ProviderConfig, ConfigError> {
        self.provider_config(Place::UsersFolder, true)
    }

    /// Where answers are kept between runs: `PROMPTOPS_CACHE_DIR`, else the user's cache folder; `None` if there is neither.
    ///
    /// # Errors
    /// When the variable is set twice or its file cannot be read.
    pub fn cache_folder(&self) -> Result<Option<PathBuf>, ConfigError> {
        if let Some(folder) = self.text("PROMPTOPS_CACHE_DIR")? {
            return Ok(Some(folder.into()));
        }
        Ok(self.users_folder("XDG_CACHE_HOME", ".cache", "LOCALAPPDATA"))
    }

    /// Our folder among the user's: below a variable's folder, else below one in the home folder, else on Windows.
    fn users_folder(&self, variable: &str, in_home: &str, on_windows: &str) -> Option<PathBuf> {
        let users = |name: &str, below: &str| {
            let folder = (self.variable)(name).filter(|folder| !folder.is_empty())?;
            Some(PathBuf::from(folder).join(below).join("promptops"))
        };
        users(variable, "").or_else(|| users("HOME", in_home)).or_else(|| users(on_windows, ""))
    }

    /// Whether output to a terminal may be coloured: `NO_COLOR` is not set and the terminal is no dumb one.
    #[must_use]
    pub fn colour(&self) -> bool {
        let set = |name: &str| (self.variable)(name).filter(|value| !value.is_empty());
        set("NO_COLOR").is_none() && set("TERM").is_none_or(|terminal| terminal != "dumb")
    }

    /// Reads what a look at GitHub needs.
    ///
    /// # Errors
    /// When a variable is missing or wrong; says which and what to do.
    pub fn github_reader(&self) -> Result<GithubReader, ConfigError> {
        let key = self.required("PROMPTOPS_GITHUB_PRIVATE_KEY", "generate a private key on the app's settings page");
        let (app_id, key) = match (self.app_id(), key) {
            (Ok(app_id), Ok(key)) => (app_id, key),
            // Whoever sets it up wants to know all that is missing.
            (app_id, key) => return Err(together([app_id.err(), key.err()])),
        };
        let api_url = self.url("PROMPTOPS_GITHUB_API_URL")?;
        Ok(GithubReader {
            app_id,
            database_url: self.text("PROMPTOPS_DATABASE_URL")?.map(SecretString::from),
            // Many deployment tools cannot hold line breaks and write them as \n.
            private_key: if key.contains('\n') { key } else { key.replace("\\n", "\n") }.into(),
            api_url: match api_url {
                Some(url) => url,
                None => self.parsed("PROMPTOPS_GITHUB_API_URL", "https://api.github.com", URL_HELP)?,
            },
        })
    }

    fn github(&self) -> Result<GithubConfig, ConfigError> {
        let (reader, webhook_secrets) = match (self.github_reader(), self.webhook_secrets()) {
            (Ok(reader), Ok(secrets)) => (reader, secrets),
            (reader, secrets) => return Err(together([reader.err(), secrets.err()])),
        };
        let GithubReader { app_id, private_key, api_url, .. } = reader;
        Ok(GithubConfig { app_id, private_key, webhook_secrets, api_url })
    }

    fn app_id(&self) -> Result<u64, ConfigError> {
        const NAME: &str = "PROMPTOPS_GITHUB_APP_ID";
        let help = "copy the number from the app's settings page";
        self.required(NAME, help)?.parse().map_err(|_| ConfigError::Invalid { name: NAME, help })
    }

    fn webhook_secrets(&self) -> Result<Vec<SecretString>, ConfigError> {
        const NAME: &str = "PROMPTOPS_GITHUB_WEBHOOK_SECRET";
        let help = "set the secret of the app's webhook; without it anybody could send events";
        let secrets: Vec<SecretString> = self
            .required(NAME, help)?
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(SecretString::from)
            .collect();
        if secrets.is_empty() { Err(ConfigError::Missing { name: NAME, help }) } else { Ok(secrets) }
    }

    fn reconcile(&self) -> Result<Duration, ConfigError> {
        const NAME: &str = "PROMPTOPS_RECONCILE_SECONDS";
        const HELP: &str = "give a whole number of seconds, 1 or more";
        match self.parsed(NAME, "300", HELP)? {
            0 => Err(ConfigError::Invalid { name: NAME, help: HELP }),
            seconds => Ok(Duration::from_secs(seconds)),
        }
    }

    fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.text(name)?.as_deref() {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(ConfigError::Invalid { name, help: "write 1 for yes or 0 for no" }),
        }
    }

    fn url(&self, name: &'static str) -> Result<Option<Url>, ConfigError> {
        let text = self.text(name)?;
        text.map(|text| web_url(&text).ok_or(ConfigError::Invalid { name, help: URL_HELP })).transpose()
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        name: &'static str,
        default: &str,
        help: &'static str,
    ) -> Result<T, ConfigError> {
        let text = self.text(name)?;
        text.as_deref().unwrap_or(default).parse().map_err(|_| ConfigError::Invalid { name, help })
    }

    fn required(&self, name: &'static str, help: &'static str) -> Result<String, ConfigError> {
        self.text(name)?.ok_or(ConfigError::Missing { name, help })
    }

    /// The value or that of its `_FILE` twin; empty counts as absent.
    fn text(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let present = |name: &str| (self.variable)(name).filter(|value| !value.trim().is_empty());
        match (present(name), present(&format!("{name}_FILE"))) {
            (Some(_), Some(_)) => Err(ConfigError::Twice { name }),
            (Some(value), None) => Ok(Some(value.trim().to_owned())),
            (None, Some(file)) => {
                let text = (self.read)(Path::new(&file)).map_err(|source| ConfigError::File { name, source })?;
                Ok(Some(text.trim().to_owned()).filter(|value| !value.is_empty()))
            }
            (None, None) => Ok(None),
        }
    }
}

const URL_HELP: &str = "give a URL that begins with https:// or http://";

fn web_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// One error that says them all.
fn together(errors: impl IntoIterator<Item = Option<ConfigError>>) -> ConfigError {
    let flat = |error| match error {
        ConfigError::Several(errors) => errors,
        one => vec![one],
    };
    let mut errors: Vec<ConfigError> = errors.into_iter().flatten().flat_map(flat).collect();
    match errors.pop() {
        Some(only) if errors.is_empty() => only,
        last => ConfigError::Several(errors.into_iter().chain(last).collect()),
    }
}

/// The process's own environment and file system.
#[must_use]
pub fn process() -> Environment<impl Fn(&str) -> Option<String>, impl Fn(&Path) -> std::io::Result<String>> {
    Environment::new(
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        |name: &str| std::env::var(name).ok(),
        |path: &Path| std::fs::read_to_string(path),
    )
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const COMPLETE: [(&str, &str); 3] = [
        ("PROMPTOPS_GITHUB_APP_ID", "42"),
        ("PROMPTOPS_GITHUB_PRIVATE_KEY", "-----BEGIN KEY-----\\nabc\\n-----END KEY-----"),
        ("PROMPTOPS_GITHUB_WEBHOOK_SECRET", "new, old"),
    ];

    /// Reads the complete environment with changes; an empty value removes a variable.
    fn serve(changes: &[(&str, &str)]) -> Result<ServeConfig, String> {
        let all: Vec<(&str, &str)> = changes.iter().chain(&COMPLETE).copied().collect();
        let variable = |name: &str| all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let read = |path: &Path| match path.to_str() {
            Some("key.txt") => Ok("from a file\n".to_owned()),
            _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        };
        Environment::new(variable, read).serve().map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let config = serve(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.database_url.expose_secret(), "sqlite://promptops.db");
        assert_eq!(config.github.api_url.as_str(), "https://api.github.com/");
        assert_eq!(config.reconcile, Duration::from_secs(300));
        assert!(config.public_url.is_none() && !config.providers.allow_private);
        assert!(config.github.private_key.expose_secret().starts_with("-----BEGIN KEY-----\nabc\n"));
        let secrets: Vec<&str> = config.github.webhook_secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["new", "old"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let check = |changes: &[(&str, &str)], expected: &str| assert_eq!(serve(changes).unwrap_err(), expected);
        check(
            &[("PROMPTOPS_GITHUB_WEBHOOK_SECRET", "")],
            "PROMPTOPS_GITHUB_WEBHOOK_SECRET is not set: set the secret of the app's webhook; without it anybody could \
             send events, or name a file that holds it in PROMPTOPS_GITHUB_WEBHOOK_SECRET_FILE",
        );
        check(
            &[
                ("PROMPTOPS_GITHUB_APP_ID", "mine"),
                ("PROMPTOPS_GITHUB_PRIVATE_KEY", ""),
                ("PROMPTOPS_GITHUB_WEBHOOK_SECRET", ""),
            ],
            "PROMPTOPS_GITHUB_APP_ID is not valid: copy the number from the app's settings page\n\
             PROMPTOPS_GITHUB_PRIVATE_KEY is not set: generate a private key on the app's settings page, or name a file that \
             holds it in PROMPTOPS_GITHUB_PRIVATE_KEY_FILE\n\
             PROMPTOPS_GITHUB_WEBHOOK_SECRET is not set: set the secret of the app's webhook; without it anybody could \
             send events, or name a file that holds it in PROMPTOPS_GITHUB_WEBHOOK_SECRET_FILE",
        );
        check(
            &[("PROMPTOPS_LISTEN", "8080")],
            "PROMPTOPS_LISTEN is not valid: write it as ADDRESS:PORT, as in 0.0.0.0:8080",
        );
        check(
            &[("PROMPTOPS_GITHUB_APP_ID_FILE", "key.txt")],
            "PROMPTOPS_GITHUB_APP_ID and PROMPTOPS_GITHUB_APP_ID_FILE are both set: remove one of them",
        );
        check(
            &[("PROMPTOPS_PUBLIC_URL_FILE", "gone.txt")],
            "the file that PROMPTOPS_PUBLIC_URL_FILE names cannot be read: check that it exists and may be read",
        );
        check(
            &[("PROMPTOPS_ALLOW_PRIVATE_PROVIDERS", "yes")],
            "PROMPTOPS_ALLOW_PRIVATE_PROVIDERS is not valid: write 1 for yes or 0 for no",
        );
        check(
            &[("PROMPTOPS_GITHUB_WEBHOOK_SECRET", " , ")],
            "PROMPTOPS_GITHUB_WEBHOOK_SECRET is not set: set the secret of the app's webhook; without it anybody could \
             send events, or name a file that holds it in PROMPTOPS_GITHUB_WEBHOOK_SECRET_FILE",
        );
    }
}
