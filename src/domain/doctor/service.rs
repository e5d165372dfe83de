//! Judges the service: the app and its key, permissions, events, webhook, installations, database, clock. Asks nobody.

use std::collections::BTreeMap;

use super::{Finding, Part, Sheet, Trouble, count, some};
use crate::domain::app_manifest::{EVENTS, PERMISSIONS, covers};

/// A clock that differs by more is said.
const BEARABLE_SKEW_S: i64 = 30;
/// GitHub refuses the app's own token beyond: it is backdated by a minute.
const FATAL_SKEW_S: i64 = 60;
/// Most names in a line.
const MOST_NAMES: usize = 5;
/// Where deliveries go.
pub const WEBHOOK_PATH: &str = "/webhooks/github";

/// Permissions by name.
pub type Permissions = BTreeMap<String, String>;

/// The app as GitHub shows it to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSeen {
    /// Its name in addresses.
    pub slug: String,
    /// What it asks for.
    pub permissions: Permissions,
    /// What it listens to.
    pub events: Vec<String>,
}

/// The app's webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSeen {
    /// Where deliveries go.
    pub url: Option<String>,
    /// Whether certificates are not checked.
    pub is_insecure: bool,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// Whether bodies are JSON.
    pub is_json: bool,
}

/// The newest deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveriesSeen {
    /// How many were looked at.
    pub all: usize,
    /// Those whose newest attempt failed: event and status, 0 for no answer.
    pub failed: Vec<(String, u16)>,
}

/// An installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationSeen {
    /// The account.
    pub account: String,
    /// Whether somebody suspended it.
    pub is_suspended: bool,
    /// What was granted.
    pub permissions: Permissions,
}

/// The tables of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSeen {
    /// There is no file yet.
    Absent,
    /// It opens, and holds none of our tables.
    Empty,
    /// It lacks so many changes of the tables.
    Behind(usize),
    /// Its tables are those of this version.
    Current,
    /// Its tables are of a newer version.
    Newer,
}

/// All facts. What follows on a failed fact is `None`.
#[derive(Debug, Clone)]
pub struct ServiceFacts {
    /// Whether the app's id and its private key can be used.
    pub key: Result<(), String>,
    /// Whether webhook secrets are set.
    pub secrets: Result<usize, String>,
    /// GitHub's clock less ours, in seconds.
    pub skew_s: Result<Option<i64>, Trouble>,
    /// The app.
    pub app: Option<Result<AppSeen, Trouble>>,
    /// Its webhook.
    pub hook: Option<Result<HookSeen, Trouble>>,
    /// Its deliveries.
    pub deliveries: Option<Result<DeliveriesSeen, Trouble>>,
    /// Where it is installed.
    pub installations: Option<Result<Vec<InstallationSeen>, Trouble>>,
    /// The database.
    pub database: Result<DatabaseSeen, String>,
    /// Where people reach the service.
    pub public_url: Result<Option<String>, String>,
    /// The model providers that it may ask.
    pub providers: Result<Vec<String>, String>,
}

/// What to say of these facts.
#[must_use]
pub fn judge(facts: &ServiceFacts) -> Vec<Finding> {
    let mut sheet = Sheet::new(Part::Service);
    match &facts.key {
        Ok(()) => sheet.ok("credentials", "an app id, and an RSA key in PEM"),
        Err(why) => wrong(&mut sheet, "credentials", why),
    }
    match &facts.secrets {
        Ok(number) => sheet.ok("webhook-secret", format!("{} set", count(*number, "webhook secret"))),
        Err(why) => wrong(&mut sheet, "webhook-secret", why),
    }
    clock(&mut sheet, &facts.skew_s);
    seen(&mut sheet, "app", facts.app.as_ref(), app);
    let public = facts.public_url.as_ref().ok().and_then(Option::as_deref);
    seen(&mut sheet, "webhook", facts.hook.as_ref(), |sheet, hook| self::hook(sheet, hook, public));
    seen(&mut sheet, "deliveries", facts.deliveries.as_ref(), deliveries);
    seen(&mut sheet, "installations", facts.installations.as_ref(), |sheet, all| installations(sheet, all));
    database(&mut sheet, &facts.database);
    match &facts.public_url {
        Ok(Some(url)) => sheet.ok("public-url", format!("links lead to {url}")),
        Ok(None) => sheet.skipped("public-url", "PROMPTOPS_PUBLIC_URL is not set, so comments have no links back"),
        Err(why) => sheet.problem("public-url", why, "write it as https://HOST"),
    }
    match &facts.providers {
        Ok(names) if names.is_empty() => sheet.warning(
            "providers",
            "the service has no model provider, so it can evaluate nothing",
            "set a vendor's own variables, or add [providers.NAME] to promptops.toml",
        ),
        Ok(names) => sheet.ok("providers", format!("the service may ask {}", some(names, MOST_NAMES))),
        Err(why) => sheet.problem("providers", why, "mend it: `serve` does not start with it"),
    }
    sheet.finish()
}

/// A setting that cannot be used; why says what to do.
fn wrong(sheet: &mut Sheet, check: &'static str, why: &str) {
    sheet.failed(check, &Trouble { message: why.to_owned(), is_world: false });
}

/// Judges a fact that may be missing.
fn seen<T>(
    sheet: &mut Sheet,
    check: &'static str,
    fact: Option<&Result<T, Trouble>>,
    judge: impl FnOnce(&mut Sheet, &T),
) {
    match fact {
        None => sheet.skipped(check, "GitHub cannot be asked as the app; see above"),
        Some(Ok(fact)) => judge(sheet, fact),
        Some(Err(trouble)) => sheet.failed(check, trouble),
    }
}

fn clock(sheet: &mut Sheet, skew: &Result<Option<i64>, Trouble>) {
    const ADVICE: &str = "set the server's clock, for instance with NTP";
    match skew {
        Err(trouble) => sheet.failed("github-api", trouble),
        Ok(None) => sheet.skipped("clock", "GitHub's answer names no time"),
        Ok(Some(skew)) => {
            let (seconds, way) = (skew.unsigned_abs(), if *skew > 0 { "behind" } else { "ahead of" });
            let message = format!("the clock is {seconds} s {way} GitHub's");
            match skew.abs() {
                0..=BEARABLE_SKEW_S => sheet.ok("clock", "it agrees with GitHub's"),
                31..=FATAL_SKEW_S => sheet.warning("clock", message, ADVICE),
                _ => sheet.problem("clock", format!("{message}: GitHub refuses the app's tokens"), ADVICE),
            }
        }
    }
}

fn app(sheet: &mut Sheet, app: &AppSeen) {
    sheet.ok("app", format!("the key is that of the app `{}`", app.slug));
    let held = |name: &str| app.permissions.get(name).map(String::as_str);
    let lacking: Vec<String> = PERMISSIONS
        .iter()
        .filter(|(name, level)| !covers(held(name), level))
        .map(|(name, level)| format!("{name}: {level}"))
        .collect();
    const GRANT: &str = "grant them on the app's settings page, then accept them on each installation";
    let (optional, needed): (Vec<_>, Vec<_>) = lacking.into_iter().partition(|one| is_optional(one));
    match (needed.as_slice(), optional.as_slice()) {
        ([], []) => sheet.ok("permissions", "the app has all it needs"),
        ([], optional) => sheet.warning(
            "permissions",
            format!("the app lacks {}: teams or merge queues cannot be looked at", optional.join(", ")),
            GRANT,
        ),
        (needed, _) => sheet.problem("permissions", format!("the app lacks {}", needed.join(", ")), GRANT),
    }
    let more: Vec<&str> = app
        .permissions
        .iter()
        .filter(|(name, level)| {
            level.as_str() != "read" && !PERMISSIONS.iter().any(|(known, need)| known == name && *need == "write")
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if !more.is_empty() {
        sheet.warning(
            "permissions",
            format!("the app may write more than it needs: {}", some(&more, MOST_NAMES)),
            "take that back on the app's settings page",
        );
    }
    let deaf: Vec<&str> = EVENTS.iter().copied().filter(|event| !app.events.iter().any(|own| own == event)).collect();
    match deaf.as_slice() {
        [] => sheet.ok("events", "the app listens to all it needs"),
        deaf => sheet.warning(
            "events",
            format!("the app does not listen to {}: the sweep notices that later, merge groups never", deaf.join(", ")),
            "tick them on the app's settings page, under Permissions & events",
        ),
    }
}

/// Permissions that not every team needs.
fn is_optional(permission: &str) -> bool {
    permission.starts_with("members") || permission.starts_with("merge_queues")
}

fn hook(sheet: &mut Sheet, hook: &HookSeen, public: Option<&str>) {
    const CHECK: &str = "webhook";
    let Some(url) = hook.url.as_deref().filter(|url| !url.is_empty()) else {
        let advice = format!("set it on the app's settings page to https://HOST{WEBHOOK_PATH}");
        return sheet.problem(CHECK, "the app has no webhook URL, so nothing is delivered", advice);
    };
    let before = sheet.findings.len();
    if hook.is_insecure {
        sheet.problem(
            CHECK,
            "GitHub does not check the receiver's certificate (insecure_ssl)",
            "turn SSL verification on, on the app's settings page",
        );
    }
    if !hook.has_secret {
        sheet.problem(
            CHECK,
            "the app's webhook has no secret, so every delivery is refused",
            "set the one of PROMPTOPS_GITHUB_WEBHOOK_SECRET on the app's settings page",
        );
    }
    if !hook.is_json {
        sheet.problem(CHECK, "deliveries are not sent as JSON", "set the content type to application/json");
    }
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if !path.ends_with(WEBHOOK_PATH) {
        let advice = format!("let it end in {WEBHOOK_PATH}, unless a proxy in front rewrites the path");
        sheet.warning(CHECK, format!("deliveries go to {url}"), advice);
    } else if public.is_some_and(|public| !path.starts_with(public.trim_end_matches('/'))) {
        let advice = "check which of the webhook's URL and PROMPTOPS_PUBLIC_URL is right";
        sheet.warning(CHECK, format!("deliveries go to {url}, which is not below PROMPTOPS_PUBLIC_URL"), advice);
    }
    if sheet.findings.len() == before {
        sheet.ok(CHECK, format!("deliveries go to {url}"));
    }
}

fn deliveries(sheet: &mut Sheet, seen: &DeliveriesSeen) {
    let DeliveriesSeen { all, failed } = seen;
    if failed.is_empty() {
        return match all {
            0 => sheet.skipped("deliveries", "GitHub has sent none yet"),
            all => sheet.ok("deliveries", format!("the last {} arrived", count(*all, "delivery").replace("ys", "ies"))),
        };
    }
    let said: Vec<String> = failed
        .iter()
        .map(|(event, status)| match status {
            0 => format!("{event} (no answer)"),
            status => format!("{event} ({status})"),
        })
        .collect();
    let advice = match failed.first() {
        Some((_, 401)) => "401 means another secret: compare PROMPTOPS_GITHUB_WEBHOOK_SECRET with the app's",
        Some((_, 0)) => "GitHub did not reach the service: check its address, its certificate and that it runs",
        _ => "read the service's log of that time",
    };
    sheet.warning(
        "deliveries",
        format!("{} of the last {all} failed: {}", failed.len(), some(&said, MOST_NAMES)),
        advice,
    );
}

fn installations(sheet: &mut Sheet, all: &[InstallationSeen]) {
    const CHECK: &str = "installations";
    if all.is_empty() {
        return sheet.problem(CHECK, "the app is installed nowhere", "install it on the app's public page");
    }
    let before = sheet.findings.len();
    for one in all {
        if one.is_suspended {
            let advice = "lift that in the account's settings, or uninstall the app there";
            sheet.warning(CHECK, format!("the installation on {} is suspended", one.account), advice);
            continue;
        }
        let held = |name: &str| one.permissions.get(name).map(String::as_str);
        let lacking: Vec<String> = PERMISSIONS
            .iter()
            .filter(|(name, level)| !covers(held(name), level))
            .map(|(name, level)| format!("{name}: {level}"))
            .filter(|one| !is_optional(one))
            .collect();
        if !lacking.is_empty() {
            let message = format!("{} has not granted {}", one.account, lacking.join(", "));
            sheet.problem(CHECK, message, "an owner of the account has to accept the app's new permissions");
        }
    }
    if sheet.findings.len() == before {
        let accounts: Vec<&str> = all.iter().map(|one| one.account.as_str()).collect();
        sheet.ok(CHECK, format!("installed on {}", some(&accounts, MOST_NAMES)));
    }
}

fn database(sheet: &mut Sheet, seen: &Result<DatabaseSeen, String>) {
    const CHECK: &str = "database";
    match seen {
        Err(why) => {
            sheet.problem(CHECK, why, "check PROMPTOPS_DATABASE_URL, and that the file or server can be reached")
        }
        Ok(DatabaseSeen::Absent) => sheet.skipped(CHECK, "there is no file yet; `promptops serve` makes it"),
        Ok(DatabaseSeen::Empty) => sheet.warning(
            CHECK,
            "it opens, and has no tables of promptops",
            "start `promptops serve` once, which makes them, or correct PROMPTOPS_DATABASE_URL",
        ),
        Ok(DatabaseSeen::Behind(missing)) => sheet.warning(
            CHECK,
            format!("its tables lack {}", count(*missing, "change")),
            "start this version of `promptops serve`, which makes them; back up before",
        ),
        Ok(DatabaseSeen::Newer) => sheet.problem(
            CHECK,
            "its tables are of a newer version than this program",
            "use the newer promptops, or a backup of before",
        ),
        Ok(DatabaseSeen::Current) => sheet.ok(CHECK, "it opens, and its tables are current"),
    }
}

#[cfg(test)]
mod tests;
