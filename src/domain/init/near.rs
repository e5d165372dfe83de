//! Which files look like prompts without being in a format that is read, and which prompts are not the repository's own.
//! Goes by names alone.

use crate::domain::ids::PromptPath;
use crate::domain::prompt::Format;

/// Folders of other people's code and of tools.
const THIRD_PARTY: [&str; 7] = ["node_modules", ".git", ".venv", "venv", "site-packages", "__pycache__", "vendor"];
/// Endings of texts that are often prompts.
const TEXTS: [&str; 8] = ["txt", "md", "j2", "jinja", "jinja2", "hbs", "mustache", "tmpl"];

/// Whether a file belongs to somebody else's code that lies in the repository.
#[must_use]
pub fn is_third_party(path: &PromptPath) -> bool {
    let mut folders = path.as_str().split('/');
    folders.next_back();
    folders.any(|folder| THIRD_PARTY.contains(&folder))
}

/// Whether a file is a prompt of an editor's, which looks like one of ours.
#[must_use]
pub fn is_editors(path: &PromptPath) -> bool {
    let folded = path.folded();
    folded.starts_with(".github/prompts/") && folded.ends_with(".prompt.md")
}

/// Whether a file is likely a prompt in no known format: a text in a folder of prompts, or one that is called a prompt.
#[must_use]
pub fn is_near_miss(path: &PromptPath) -> bool {
    let folded = path.folded();
    let (folder, name) = folded.rsplit_once('/').unwrap_or(("", &folded));
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    if !TEXTS.contains(&ending) || stem.is_empty() || is_third_party(path) || Format::of(path).is_some() {
        return false;
    }
    let is_about = ["readme", "changelog", "license", "contributing", "index"].contains(&stem);
    let among_prompts = folder.split('/').any(|part| matches!(part, "prompt" | "prompts"));
    let is_called_so = stem == "prompt" || ["_prompt", "-prompt", ".prompt"].iter().any(|end| stem.ends_with(end));
    // Where any text may be meant, Markdown is more often about prompts than one.
    !is_about && (among_prompts || (is_called_so && ending != "md"))
}

/// The command that makes a prompt of a text: as it is, it is one message of the user. Texts in a template language are none
/// that another name makes one.
#[must_use]
pub fn renaming(near: &[&PromptPath]) -> Option<String> {
    let (path, stem) = near.iter().find_map(|path| {
        let (stem, ending) = path.as_str().rsplit_once('.')?;
        (ending.eq_ignore_ascii_case("txt") && !stem.is_empty() && !stem.ends_with('/')).then_some((path, stem))
    })?;
    let stem = stem.strip_suffix(".prompt").unwrap_or(stem);
    let quoted = |text: &str| {
        let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    Some(format!("git mv {} {}", quoted(path.as_str()), quoted(&format!("{stem}.prompt.md"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: bool) {
        assert_eq!(is_near_miss(&PromptPath::parse(path).unwrap()), expected, "{path}");
    }

    #[test]
    fn texts_among_prompts_and_texts_called_prompts_are_near() {
        check("prompts/refund.txt", true);
        check("app/prompts/de/refund.jinja2", true);
        check("src/system_prompt.txt", true);
        check("prompt.txt", true);
        check("prompts/refund.md", true);
        check("prompts/README.md", false);
        check("docs/how-to-prompt.md", false);
        check("prompts/refund.prompt.md", false);
        check("prompts/refund.golden.csv", false);
        check("node_modules/x/prompts/a.txt", false);
        check("notes.txt", false);
        check("prompts/.txt", false);
    }

    #[test]
    fn a_text_becomes_a_prompt_by_its_name() {
        let check = |near: &[&str], expected: Option<&str>| {
            let near: Vec<PromptPath> = near.iter().map(|path| PromptPath::parse(path).unwrap()).collect();
            assert_eq!(renaming(&near.iter().collect::<Vec<_>>()).as_deref(), expected);
        };
        check(&["prompts/a.jinja", "prompts/b.txt"], Some("git mv prompts/b.txt prompts/b.prompt.md"));
        check(&["b.prompt.txt"], Some("git mv b.prompt.txt b.prompt.md"));
        check(&["my prompt's.txt"], Some(r"git mv 'my prompt'\''s.txt' 'my prompt'\''s.prompt.md'"));
        check(&["prompts/a.jinja"], None);
    }

    #[test]
    fn an_editors_prompts_and_other_peoples_code_are_told_apart() {
        let path = |text: &str| PromptPath::parse(text).unwrap();
        assert!(is_editors(&path(".github/prompts/review.prompt.md")));
        assert!(!is_editors(&path(".github/prompts/review.prompt.yml")));
        assert!(is_third_party(&path("web/node_modules/x/a.prompt.yml")));
        assert!(!is_third_party(&path("vendor.prompt.yml")));
    }
}
