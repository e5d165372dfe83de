//! What of promptfoo we do not do: by name, with the reason and what to write instead. Knows no config.

use crate::domain::diagnostic::Location;
use crate::domain::reader::Reader;
use crate::domain::source::Source;

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

impl Refusal {
    /// A refusal with what to do.
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }

    /// Something that would run code.
    pub fn code(what: impl std::fmt::Display, instead: &str) -> Self {
        let message = format!("{what} is code, and no code of a repository is run here");
        Self::new("code-refused", message, instead)
    }

    /// Says it at a place.
    pub fn tell(self, reader: &mut Reader<'_>, at: Location) {
        reader.error(self.code, at, self.message, self.help);
    }
}

/// Endings of files that are programs.
const CODE: [&str; 24] = [
    "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "py", "rb", "go", "sh", "bash", "zsh", "ps1", "bat", "cmd",
    "exe", "pl", "php", "lua", "jar", "wasm", "r",
];
/// Addresses of things that are not in the repository.
const REMOTE: [&str; 11] = [
    "http://",
    "https://",
    "huggingface://",
    "langfuse://",
    "portkey://",
    "helicone://",
    "az://",
    "s3://",
    "gs://",
    "ws://",
    "wss://",
];

/// A file's ending in small letters; of `a.py:run` and `b.xlsx#2` what stands before the colon or hash.
pub(super) fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.split(['#', ':']).next().unwrap_or(name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["csv", "json", "jsonl", "yaml", "yml", "txt", "md", "j2"]
        .iter()
        .chain(&CODE)
        .find(|known| known.eq_ignore_ascii_case(ending))
        .copied()
        .unwrap_or(ending)
}

/// Whether a file is a program.
pub(super) fn is_code(path: &str) -> bool {
    CODE.contains(&ending(path))
}

/// An address of something that is not in the repository.
pub(super) fn remote(text: &str) -> Option<Refusal> {
    let scheme = REMOTE.iter().find(|scheme| text.starts_with(**scheme))?;
    let message = format!("`{text}` is not in the repository (`{scheme}`), so nobody reviews what stands there");
    Some(Refusal::new("remote-refused", message, "commit the content to a file and name it with file://"))
}

/// A path that leads out of the repository.
pub(super) fn outside(written: &str) -> Refusal {
    let message = format!("`{written}` leads out of the repository");
    Refusal::new("path-outside", message, "name a file inside the repository, relative to the config's folder")
}

/// A path that is none of a file we read.
pub(super) fn of_path(path: &str) -> Option<Refusal> {
    if let Some(refused) = remote(path) {
        return Some(refused);
    }
    if path.contains("{{") {
        return Some(Refusal::new(
            "template-in-path",
            format!("`{path}` has a template in a path"),
            "write the path out: paths are not filled from the environment or from vars",
        ));
    }
    if path.starts_with("exec:") || path.starts_with("python:") {
        return Some(Refusal::code(format!("`{path}`"), "write what it gives into a file"));
    }
    if is_code(path) {
        return Some(Refusal::code(format!("`{path}`"), "write what it gives into a .yaml, .json, .csv or .txt file"));
    }
    if matches!(ending(path), "xlsx" | "xls") {
        let message = format!("`{path}` is a spreadsheet, which is not read");
        return Some(Refusal::new("unknown-format", message, "save it as CSV"));
    }
    let bytes = path.as_bytes();
    let drive = bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    let absolute = path.starts_with(['/', '~', '\\']) || drive;
    (absolute || path.contains('\\')).then(|| outside(path))
}

/// The first thing in a prompt or an assertion that only Nunjucks could do, and where it starts in the text.
pub(super) fn nunjucks(text: &str) -> Option<(usize, Refusal)> {
    let mut from = 0;
    while let Some(open) = text.get(from..)?.find('{').map(|at| from + at) {
        let rest = &text[open..];
        from = open + 1;
        let (close, what) = match rest.as_bytes().get(1) {
            Some(b'%') => ("%}", "a statement"),
            Some(b'#') => ("#}", "a comment"),
            Some(b'{') => ("}}", "an expression"),
            _ => continue,
        };
        let Some(end) = rest.find(close) else { continue };
        let whole = &rest[..end + close.len()];
        if close == "}}" {
            let inner = rest[2..end].trim();
            from = open + whole.len();
            if let Some(name) = inner.strip_prefix("env.") {
                let message = format!("`{whole}` reads the environment");
                let help = format!("write the value out, or make `{name}` a variable of the cases");
                return Some((open, Refusal::new("environment-refused", message, help)));
            }
            if is_name(inner) {
                continue;
            }
        }
        let shown: String = whole.chars().take(60).collect();
        let message = format!("`{shown}` is {what} of Nunjucks; templates here only fill `{{{{ name }}}}`");
        let help = match what {
            "a comment" => "remove the comment",
            "a statement" => "write one prompt for each case of it, or put what it makes into a variable",
            _ => "put the finished value into a variable of the cases",
        };
        return Some((open, Refusal::new("nunjucks-refused", message, help)));
    }
    None
}

/// A name, or a way into a value: `user.name`.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'))
}

/// Records the first such thing of a text that stands at `at` in the reader's file; true if there is one.
pub(super) fn tell_nunjucks(reader: &mut Reader<'_>, text: &str, at: Location) -> bool {
    let Some((start, refused)) = nunjucks(text) else { return false };
    let place = place_of(&reader.source, at, &text[start..]);
    refused.tell(reader, place);
    true
}

/// Where a part of a text stands in the file, near the place where the text starts.
fn place_of(source: &Source<'_>, at: Location, part: &str) -> Location {
    const FAR: usize = 64 * 1024;
    let line = part.lines().next().unwrap_or(part);
    let wanted: String = line.chars().take(24).collect();
    let rest = source.from_line(at.line);
    let skipped = rest.char_indices().nth((at.column as usize).saturating_sub(1)).map_or(0, |(start, _)| start);
    let near = rest.get(skipped..).unwrap_or_default();
    let Some(found) = near.find(&wanted).filter(|found| *found < FAR && !wanted.is_empty()) else { return at };
    let before = &rest[..skipped + found];
    let lines = u32::try_from(before.matches('\n').count()).unwrap_or(0);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let length = line.find("}}").or(line.find("%}")).map_or(0, |end| line[..end].chars().count() + 2);
    let number = |n: usize| u32::try_from(n).unwrap_or(0);
    Location { line: at.line + lines, column: number(column), length: number(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(usize, &str)>) {
        let found = nunjucks(text).map(|(at, refused)| (at, refused.code));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn names_are_filled_and_all_else_of_nunjucks_is_refused() {
        for text in ["", "{{name}}", "Hi {{ user.first_name }}!", "{ not } {a: {b}}", "{{", "{{ open", "{%", "}} {{a}}"]
        {
            check(text, None);
        }
        check("a {{ name | upper }}", Some((2, "nunjucks-refused")));
        check("{{a}} {% if x %}y{% endif %}", Some((6, "nunjucks-refused")));
        check("{# note #}", Some((0, "nunjucks-refused")));
        check("{{ env.KEY }}", Some((0, "environment-refused")));
        check("{{ 1 + 1 }}", Some((0, "nunjucks-refused")));
        check("{{}}", Some((0, "nunjucks-refused")));
        check("{{ fn() }}", Some((0, "nunjucks-refused")));
    }

    #[test]
    fn endings_are_seen_behind_functions_and_sheets() {
        assert_eq!(ending("a/b.PY:run"), "py");
        assert_eq!(ending("a.xlsx#2"), "xlsx");
        assert_eq!(ending("a.b/c"), "");
        assert!(is_code("x.mjs") && !is_code("x.json"));
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        for (path, code) in [
            ("/etc/passwd", "path-outside"),
            ("~/x.txt", "path-outside"),
            ("C:/x.txt", "path-outside"),
            ("a\\b.txt", "path-outside"),
            ("https://x.org/a.csv", "remote-refused"),
            ("huggingface://datasets/x", "remote-refused"),
            ("{{env.X}}/a.txt", "template-in-path"),
            ("gen.py:run", "code-refused"),
            ("exec:./x", "code-refused"),
            ("a.xlsx#2", "unknown-format"),
        ] {
            assert_eq!(of_path(path).map(|refused| refused.code), Some(code), "{path}");
        }
        assert_eq!(of_path("../shared/a.txt"), None);
    }
}
