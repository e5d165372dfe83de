//! The facts of the service: GitHub's clock, the app as it shows itself, the database's tables. Changes nothing.

use crate::domain::doctor::Trouble;
use crate::domain::doctor::service::{DatabaseSeen, ServiceFacts};
use crate::github::{Github, github_clock};
use crate::store::{Store, StoreError, Tables};

/// What the environment says of the service.
#[derive(Debug)]
pub struct Settings<'a> {
    /// The client, or why there is none.
    pub github: Result<&'a Github, String>,
    /// Where the API is.
    pub api_url: &'a str,
    /// The database.
    pub database_url: Result<&'a str, String>,
    /// How many webhook secrets there are.
    pub secrets: Result<usize, String>,
    /// Where people reach the service.
    pub public_url: Result<Option<String>, String>,
    /// The model providers that it may ask.
    pub providers: Result<Vec<String>, String>,
    /// Now, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// Looks at the service.
pub async fn gather(settings: Settings<'_>) -> ServiceFacts {
    let clock = github_clock(settings.api_url).await;
    let skew_s = clock.map(|clock| clock.map(|theirs| (theirs - settings.now_ms) / 1000));
    let mut facts = ServiceFacts {
        key: settings.github.as_ref().map(|_| ()).map_err(String::clone),
        secrets: settings.secrets,
        skew_s,
        app: None,
        hook: None,
        deliveries: None,
        installations: None,
        database: match settings.database_url {
            Ok(url) => database(url).await,
            Err(why) => Err(why),
        },
        public_url: settings.public_url,
        providers: settings.providers,
    };
    if let (Ok(github), Ok(_)) = (&settings.github, &facts.skew_s) {
        facts.app = Some(github.app_seen().await);
        if matches!(facts.app, Some(Ok(_))) {
            facts.hook = Some(github.hook_seen().await.map_err(Trouble::from));
            facts.deliveries = Some(github.deliveries_seen().await.map_err(Trouble::from));
            facts.installations = Some(github.installations_seen().await.map_err(Trouble::from));
        }
    }
    facts
}

async fn database(url: &str) -> Result<DatabaseSeen, String> {
    match Store::tables(url).await {
        Ok(Tables::Absent) => Ok(DatabaseSeen::Absent),
        Ok(Tables::Empty) => Ok(DatabaseSeen::Empty),
        Ok(Tables::Behind(missing)) => Ok(DatabaseSeen::Behind(missing)),
        Ok(Tables::Current) => Ok(DatabaseSeen::Current),
        Ok(Tables::Newer) => Ok(DatabaseSeen::Newer),
        // What the driver says may hold the address, and that a password.
        Err(StoreError::Open(_)) => Err("it cannot be opened".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
