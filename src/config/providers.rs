//! How to reach model providers: the vendors' own variables and `promptops.toml` become one set of values.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use super::file::{self, File, KeySource, Section};
use super::{ConfigError, Environment, URL_HELP, web_url};
use crate::provider::{AwsKeys, Kind, ModelServer, Origin, ProviderConfig};

/// The file's name.
const FILE: &str = "promptops.toml";
/// The variable that names another.
const VARIABLE: &str = "PROMPTOPS_CONFIG";

/// Where `promptops.toml` is looked for when nothing names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the working folder: a service's own.
    WorkingFolder,
    /// Among the user's settings. A working folder may be a repository, which must not say where keys go.
    UsersFolder,
}

impl<V, R> Environment<V, R>
where
    V: Fn(&str) -> Option<String>,
    R: Fn(&Path) -> std::io::Result<String>,
{
    /// Reads how to reach model providers.
    pub(super) fn provider_config(&self, place: Place, allow_private: bool) -> Result<ProviderConfig, ConfigError> {
        let mut config = ProviderConfig { allow_private, ..ProviderConfig::default() };
        for (name, server) in [
            ("openai", self.keyed(Kind::OpenAi, &["OPENAI_API_KEY"], "OPENAI_BASE_URL")?),
            ("anthropic", self.keyed(Kind::Anthropic, &["ANTHROPIC_API_KEY"], "ANTHROPIC_BASE_URL")?),
            ("gemini", self.keyed(Kind::Gemini, &["GEMINI_API_KEY", "GOOGLE_API_KEY"], "GEMINI_BASE_URL")?),
            ("azure", self.azure()?),
            ("bedrock", self.bedrock()?),
            ("ollama", self.ollama_host()?.map(|host| ModelServer::new(Kind::Ollama).at(host))),
        ] {
            config.providers.extend(server.map(|server| (name.to_owned(), server)));
        }
        let Some((path, File { providers, prices })) = self.settings_file(place)? else { return Ok(config) };
        config.prices = prices;
        let set_by_variables = config.providers.clone();
        for (name, section) in providers {
            config.limits.insert(name.clone(), section.limits);
            let variables = set_by_variables.get(own_name(&name)).cloned();
            if let Some(server) = self.server(&path, &name, section, variables)? {
                config.providers.insert(name, server);
            }
        }
        Ok(config)
    }

    /// A vendor that is set up by a key or an address.
    fn keyed(
        &self,
        kind: Kind,
        keys: &[&'static str],
        base_url: &'static str,
    ) -> Result<Option<ModelServer>, ConfigError> {
        let mut key = None;
        for name in keys {
            key = key.or(self.text(name)?);
        }
        let base_url = self.url(base_url)?.map(String::from);
        let server = ModelServer { key: key.map(Into::into), base_url, ..ModelServer::new(kind) };
        Ok(Some(server).filter(|server| server.key.is_some() || server.base_url.is_some()))
    }

    fn azure(&self) -> Result<Option<ModelServer>, ConfigError> {
        let server = self.keyed(Kind::Azure, &["AZURE_OPENAI_API_KEY"], "AZURE_OPENAI_ENDPOINT")?;
        let api_version = self.text("OPENAI_API_VERSION")?;
        Ok(server.map(|server| ModelServer { api_version, ..server }))
    }

    fn bedrock(&self) -> Result<Option<ModelServer>, ConfigError> {
        let server = self.keyed(Kind::Bedrock, &["AWS_BEARER_TOKEN_BEDROCK"], "AWS_ENDPOINT_URL_BEDROCK_RUNTIME")?;
        let aws = self.aws_keys()?;
        let server = match (server, &aws) {
            (None, None) => return Ok(None),
            (server, _) => server.unwrap_or_else(|| ModelServer::new(Kind::Bedrock)),
        };
        Ok(Some(ModelServer { aws, region: self.aws_region()?, ..server }))
    }

    fn aws_region(&self) -> Result<Option<String>, ConfigError> {
        Ok(self.text("AWS_REGION")?.or(self.text("AWS_DEFAULT_REGION")?))
    }

    fn aws_keys(&self) -> Result<Option<AwsKeys>, ConfigError> {
        let keys = (self.text("AWS_ACCESS_KEY_ID")?, self.text("AWS_SECRET_ACCESS_KEY")?);
        let session_token = self.text("AWS_SESSION_TOKEN")?.map(SecretString::from);
        Ok(match keys {
            (Some(id), Some(secret)) => Some(AwsKeys { id, secret: secret.into(), session_token }),
            _ => None,
        })
    }

    fn ollama_host(&self) -> Result<Option<Url>, ConfigError> {
        const NAME: &str = "OLLAMA_HOST";
        // Ollama itself takes a bare host, with or without a port.
        let Some(host) = self.text(NAME)? else { return Ok(None) };
        let url = match (host.contains("://"), host.contains(':')) {
            (true, _) => host,
            (false, true) => format!("http://{host}"),
            (false, false) => format!("http://{host}:11434"),
        };
        web_url(&url).map(Some).ok_or(ConfigError::Invalid { name: NAME, help: URL_HELP })
    }

    /// Where an author's `promptops.toml` is, and whether it can be read, whatever it says; `None` where nothing names one.
    ///
    /// # Errors
    /// When the variable is set twice or its file cannot be read.
    pub fn users_settings_file(&self) -> Result<Option<(PathBuf, bool)>, ConfigError> {
        let Some((path, _)) = self.settings_path(Place::UsersFolder)? else { return Ok(None) };
        let is_there = (self.read)(&path).is_ok();
        Ok(Some((path, is_there)))
    }

    /// Where the settings file is looked for, and whether a variable names it.
    fn settings_path(&self, place: Place) -> Result<Option<(PathBuf, bool)>, ConfigError> {
        let named = self.text(VARIABLE)?.map(PathBuf::from);
        let in_users = || Some(self.users_folder("XDG_CONFIG_HOME", ".config", "APPDATA")?.join(FILE));
        Ok(match (named, place) {
            (Some(named), _) => Some((named, true)),
            (None, Place::WorkingFolder) => Some((FILE.into(), false)),
            (None, Place::UsersFolder) => in_users().map(|path| (path, false)),
        })
    }

    /// The settings file with its path; `None` where nothing names one and none is there.
    fn settings_file(&self, place: Place) -> Result<Option<(PathBuf, File)>, ConfigError> {
        let Some((path, is_named)) = self.settings_path(place)? else { return Ok(None) };
        let text = match (self.read)(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => return Ok(None),
            Err(source) if is_named && source.kind() == std::io::ErrorKind::NotFound => {
                return Err(ConfigError::NoSettingsFile { path });
            }
            Err(source) => return Err(ConfigError::SettingsFile { path, source }),
        };
        match file::parse(&text) {
            Ok(file) => Ok(Some((path, file))),
            Err(file::Wrong { line, column, message }) => Err(ConfigError::Settings { path, line, column, message }),
        }
    }

    /// The server of a section. Key and address come from one place, so that no key goes to a server it was not meant for:
    /// from the section if it has either, else from the vendor's variables.
    fn server(
        &self,
        path: &Path,
        name: &str,
        section: Section,
        variables: Option<ModelServer>,
    ) -> Result<Option<ModelServer>, ConfigError> {
        let variables = variables.filter(|server| server.kind == section.kind);
        let speaks = section.base_url.is_some() || !matches!(section.key, KeySource::None);
        let key = self.key(path, name, section.key)?;
        // These sign and are never sent, so they may go with any address.
        let aws = if section.kind == Kind::Bedrock && key.is_none() { self.aws_keys()? } else { None };
        let region = match section.kind {
            Kind::Bedrock if section.region.is_none() => self.aws_region()?,
            _ => section.region,
        };
        let headers = section.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
        let own = ModelServer { base_url: section.base_url, key, aws, headers, ..ModelServer::new(section.kind) };
        let server = match variables {
            Some(variables) if !speaks => ModelServer { headers: own.headers, ..variables },
            // Limits alone set nothing up.
            None if !speaks && own.aws.is_none() && Kind::named(own_name(name)) == Some(own.kind) => return Ok(None),
            _ => ModelServer { origin: Origin::File, ..own },
        };
        let api_version = section.api_version.or_else(|| server.api_version.clone());
        Ok(Some(ModelServer { region: region.or_else(|| server.region.clone()), api_version, ..server }))
    }

    fn key(&self, path: &Path, name: &str, source: KeySource) -> Result<Option<SecretString>, ConfigError> {
        let missing = |what: String| ConfigError::ProviderKey { name: name.to_owned(), what };
        let key = match source {
            KeySource::None => return Ok(None),
            KeySource::Here(key) => key,
            KeySource::Variable(variable) => {
                (self.variable)(&variable).ok_or_else(|| missing(format!("`{variable}` is not set: set it")))?
            }
            KeySource::File(file) => {
                let file = path.parent().unwrap_or(Path::new("")).join(file);
                (self.read)(&file).map_err(|error| {
                    missing(format!(
                        "`{}` cannot be read: {error}: check that it exists and may be read",
                        file.display()
                    ))
                })?
            }
        };
        match key.trim() {
            "" => Err(missing("it is empty: set it, or leave it out".to_owned())),
            key => Ok(Some(key.into())),
        }
    }
}

/// The name under which a vendor's variables are known.
fn own_name(name: &str) -> &str {
    if name == "google" { "gemini" } else { name }
}

#[cfg(test)]
mod tests;
