//! Role markers: lines such as `system:` that split a text into messages. Knows no template language.

use super::Role;
use super::jinja::Remark;
use crate::domain::diagnostic::Location;
use crate::domain::reader::Reader;

/// What a line that stands for itself starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// A message of this role.
    Role {
        /// Who speaks.
        role: Role,
        /// Whether the marker has attributes, which nothing is done with.
        attributes: bool,
    },
    /// A marker of a kind that is not supported: its name.
    Refused(&'static str),
}

/// Reads a line as a marker: perhaps `#`s, a role, perhaps `[attributes]`, a colon, and nothing else.
pub(super) fn marker(line: &str) -> Option<Marker> {
    let line = line.trim();
    if line.to_ascii_lowercase().starts_with("![thread]") {
        return Some(Marker::Refused("![thread]"));
    }
    let inner = line.trim_start_matches('#').trim_start().strip_suffix(':')?.trim_end();
    let end = inner.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let attributes = match rest {
        "" => false,
        rest if rest.starts_with('[') && rest.ends_with(']') && rest.contains('=') => true,
        _ => return None,
    };
    let role = match name.to_ascii_lowercase().as_str() {
        // What OpenAI calls the developer is the system elsewhere.
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        "tools" => return Some(Marker::Refused("tools:")),
        _ => return None,
    };
    Some(Marker::Role { role, attributes })
}

/// Tells what was found of markers in a text that starts on line `first_line`.
pub(super) fn tell(reader: &mut Reader<'_>, first_line: u32, remark: Remark) {
    let at = Location { line: first_line + remark.line - 1, column: 1, length: 0 };
    match remark.refused {
        None => {
            let message = "the attributes of this role marker are not sent to the model";
            reader.warning("ignored-key", at, message, "remove them, or write them into the text");
        }
        Some("tools:") => {
            let help = "declare the tools under `tools` in the front matter";
            reader.error("unsupported-marker", at, "tools in the text are not supported", help);
        }
        Some(name) => {
            let message = format!("`{name}` is not supported: a conversation from outside cannot be tested");
            reader.error("unsupported-marker", at, message, "write the turns as messages, each after its role");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Role>) {
        let found = marker(line).and_then(|marker| match marker {
            Marker::Role { role, .. } => Some(role),
            Marker::Refused(_) => None,
        });
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn a_role_on_a_line_of_its_own_is_a_marker_in_any_case() {
        for line in ["system:", "System:", "  # SYSTEM :  ", "developer:", "## system:", "system[name=\"a\"]:\r"] {
            check(line, Some(Role::System));
        }
        check("user:", Some(Role::User));
        check("assistant[a=1, b=\"x\"]:", Some(Role::Assistant));
        check("function:", Some(Role::Tool));
    }

    #[test]
    fn a_role_within_a_text_is_none() {
        for line in
            ["user: hello", "the user:", "users:", "user", "user[]:", "{{role}}:", ":", "", "# Customer", "éuser:"]
        {
            check(line, None);
        }
    }

    #[test]
    fn what_we_do_not_support_is_named() {
        assert_eq!(marker("![thread]"), Some(Marker::Refused("![thread]")));
        assert_eq!(marker("tools:"), Some(Marker::Refused("tools:")));
    }
}
