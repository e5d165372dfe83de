//! The GitHub App as a manifest. Knows no network.

use serde_json::{Value, json};

use crate::domain::app_manifest::{EVENTS, PERMISSIONS};

/// Longest name of an App.
const LONGEST_NAME: usize = 34;

/// What the App is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppWishes {
    /// Where the service is reached, without a slash at the end.
    pub url: String,
    /// The organisation that will own it; the person who creates it if absent.
    pub org: Option<String>,
    /// Whether others may install it.
    pub public: bool,
}

/// The manifest. `redirect` is where GitHub sends the browser once the App is there.
#[must_use]
pub fn manifest(wishes: &AppWishes, redirect: Option<&str>) -> Value {
    let permissions: serde_json::Map<String, Value> =
        PERMISSIONS.iter().map(|(name, level)| ((*name).to_owned(), json!(level))).collect();
    let mut manifest = json!({
        "name": name(wishes),
        "url": "https://github.com/promptops/promptops",
        "description": "Evaluates changed prompts against their golden sets, and holds the merge until people approve.",
        "hook_attributes": { "url": format!("{}/webhooks/github", wishes.url), "active": true },
        "public": wishes.public,
        "default_permissions": permissions,
        "default_events": EVENTS,
    });
    if let Some(redirect) = redirect {
        manifest["redirect_url"] = json!(redirect);
    }
    manifest
}

/// Names are unique on GitHub, so the owner or the host is part of it. The person can change it on GitHub's page.
fn name(wishes: &AppWishes) -> String {
    let host = || {
        let rest = wishes.url.split_once("://").map_or(wishes.url.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or_default().to_owned()
    };
    let whose = wishes.org.clone().unwrap_or_else(host);
    format!("PromptOps {whose}").chars().take(LONGEST_NAME).collect::<String>().trim_end_matches(['-', '.']).to_owned()
}

/// What a registered App holds beyond or short of the manifest, each in a few words; the manifest goes through a browser, and
/// GitHub's page lets the person change it.
#[must_use]
pub fn differences(permissions: &serde_json::Map<String, Value>) -> Vec<String> {
    let wanted = |name: &str| PERMISSIONS.iter().find(|(wanted, _)| *wanted == name).map(|(_, level)| *level);
    let more = permissions.iter().filter(|(name, level)| wanted(name) != level.as_str());
    let mut found: Vec<String> = more
        .map(|(name, level)| {
            let level = level.as_str().unwrap_or("something");
            format!("it holds {name}: {level} in the place of {}", wanted(name).unwrap_or("nothing"))
        })
        .collect();
    let missing = PERMISSIONS.iter().filter(|(name, _)| !permissions.contains_key(*name));
    found.sort();
    found.extend(missing.map(|(name, level)| format!("it lacks {name}: {level}")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(url: &str, org: Option<&str>) -> AppWishes {
        AppWishes { url: url.to_owned(), org: org.map(str::to_owned), public: false }
    }

    #[test]
    fn a_name_tells_whose_app_it_is_and_is_short() {
        let check = |url, org, expected: &str| assert_eq!(name(&wishes(url, org)), expected);
        check("https://prompts.acme.dev:8443/x", None, "PromptOps prompts.acme.dev");
        check("https://p.dev", Some("acme"), "PromptOps acme");
        check("https://p.dev", Some("a-very-long-organisation-name-indeed"), "PromptOps a-very-long-organisation");
    }

    #[test]
    fn the_manifest_says_all_that_the_app_needs() {
        let manifest = manifest(&wishes("https://p.dev", Some("acme")), Some("http://127.0.0.1:9/x"));
        insta::assert_snapshot!(serde_json::to_string_pretty(&manifest).unwrap(), @r#"
        {
          "name": "PromptOps acme",
          "url": "https://github.com/promptops/promptops",
          "description": "Evaluates changed prompts against their golden sets, and holds the merge until people approve.",
          "hook_attributes": {
            "url": "https://p.dev/webhooks/github",
            "active": true
          },
          "public": false,
          "default_permissions": {
            "checks": "write",
            "contents": "read",
            "members": "read",
            "merge_queues": "read",
            "metadata": "read",
            "pull_requests": "write"
          },
          "default_events": [
            "check_run",
            "check_suite",
            "issue_comment",
            "member",
            "membership",
            "merge_group",
            "organization",
            "pull_request",
            "pull_request_review",
            "push",
            "team"
          ],
          "redirect_url": "http://127.0.0.1:9/x"
        }
        "#);
    }

    #[test]
    fn an_app_with_other_permissions_is_told() {
        let given = |value: Value| value.as_object().unwrap().clone();
        let asked = manifest(&wishes("https://p.dev", None), None)["default_permissions"].clone();
        assert_eq!(differences(&given(asked.clone())), Vec::<String>::new());
        let mut other = given(asked);
        other.insert("contents".to_owned(), json!("write"));
        other.insert("secrets".to_owned(), json!("read"));
        other.remove("checks");
        assert_eq!(
            differences(&other),
            [
                "it holds contents: write in the place of read",
                "it holds secrets: read in the place of nothing",
                "it lacks checks: write",
            ]
        );
    }

    /// GitHub's pages write names with capitals and spaces.
    fn in_words(name: &str) -> String {
        let words = name.replace('_', " ");
        let mut chars = words.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }

    #[test]
    fn the_documentation_names_the_same_permissions_and_events() {
        let operating = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md")).unwrap();
        let section = operating.split("### Permissions and events").nth(1).unwrap().split("\n## ").next().unwrap();
        for (name, _) in PERMISSIONS {
            assert!(section.contains(&in_words(name)), "docs/operating.md does not name {}", in_words(name));
        }
        let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| event"));
        let mut told: Vec<String> = rows
            .flat_map(|row| row.split('|').nth(1).unwrap().split(", "))
            .map(|name| name.trim().to_lowercase().replace(' ', "_"))
            .collect();
        told.sort();
        assert_eq!(told, EVENTS);
        let written: Vec<&str> =
            PERMISSIONS.iter().filter(|(_, level)| *level == "write").map(|(name, _)| *name).collect();
        assert_eq!(written, ["checks", "pull_requests"]);
        let one_line = section.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains("Pull requests and Checks write"), "{section}");
    }
}
