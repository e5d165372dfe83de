//! What the GitHub App must be allowed and told, in one list: `promptops init --app` asks for it, `promptops doctor` compares an
//! app with it. Knows no API.

/// Permissions that the gate needs, by GitHub's names: read or write.
pub const PERMISSIONS: &[(&str, &str)] = &[
    ("checks", "write"),
    ("contents", "read"),
    // Who is in the teams that rules name; an organisation's permission.
    ("members", "read"),
    // Without it GitHub refuses the event `merge_group`.
    ("merge_queues", "read"),
    ("metadata", "read"),
    ("pull_requests", "write"),
];

/// Events that the gate acts upon, by GitHub's names.
pub const EVENTS: &[&str] = &[
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
    "team",
];

/// Whether a granted level is at least the one that is needed.
#[must_use]
pub fn covers(granted: Option<&str>, needed: &str) -> bool {
    match granted {
        Some("admin" | "write") => true,
        Some("read") => needed == "read",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_level_covers_a_lower_one() {
        for (granted, needed, expected) in [
            (Some("write"), "read", true),
            (Some("read"), "read", true),
            (Some("read"), "write", false),
            (Some("none"), "read", false),
            (None, "read", false),
        ] {
            assert_eq!(covers(granted, needed), expected, "{granted:?} for {needed}");
        }
    }

    #[test]
    fn nothing_may_write_contents_or_administer() {
        assert!(PERMISSIONS.iter().all(|(name, level)| *level == "read" || ["pull_requests", "checks"].contains(name)));
        assert!(!PERMISSIONS.iter().any(|(name, _)| *name == "administration"));
    }
}
