//! Cuts a text file into its front matter (YAML between two fences) and its body. Knows no keys.

use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::node::{Kind, Node};
use crate::domain::source::Source;
use crate::domain::yaml;

/// The two parts of a file.
#[derive(Debug)]
pub(super) struct FrontMatter<'s> {
    /// The front matter; an empty mapping where there is none.
    pub(super) node: Node,
    /// All that follows it.
    pub(super) body: &'s str,
    /// The file's line that the body starts on.
    pub(super) body_line: u32,
}

/// Cuts the file. A file that does not start with a fence is all body.
///
/// # Errors
/// A front matter that is never closed, or is no YAML.
pub(super) fn split<'s>(source: &Source<'s>) -> Result<FrontMatter<'s>, Box<Diagnostic>> {
    let empty = Node { kind: Kind::Map(Vec::new()), at: Location::START };
    let Some(fenced) = fenced(source.text) else {
        return Ok(FrontMatter { node: empty, body: source.text, body_line: 1 });
    };
    let Some(close) = fenced.close else {
        let at = Location { line: fenced.open_line, column: 1, length: 3 };
        return Err(Box::new(
            source
                .error(
                    "front-matter-open",
                    at,
                    format!("the front matter is never closed by a line `{}`", fenced.fence),
                )
                .with_help(format!("add a line `{}` between the front matter and the text", fenced.fence)),
        ));
    };
    // Blank lines stand in for the fence, so that every place in the YAML is its place in the file.
    let before = "\n".repeat(fenced.open_line as usize);
    let yaml = format!("{before}{}", &source.text[fenced.content..close.start]);
    let read = Source::read(source.path, yaml.as_bytes(), usize::MAX)?;
    let mut node = yaml::parse(&read)?;
    if matches!(node.kind, Kind::Null) {
        node = empty;
    }
    Ok(FrontMatter { node, body: &source.text[close.end..], body_line: close.line + 1 })
}

struct Fenced<'s> {
    fence: &'s str,
    open_line: u32,
    /// Where the text between the fences starts.
    content: usize,
    close: Option<Close>,
}

struct Close {
    start: usize,
    end: usize,
    line: u32,
}

/// Finds the fences: `---` or `+++`, each on a line of its own, the first before any other text.
fn fenced(text: &str) -> Option<Fenced<'_>> {
    let mut offset = 0;
    let mut open: Option<Fenced<'_>> = None;
    for (number, line) in (1u32..).zip(text.split_inclusive('\n')) {
        let end = offset + line.len();
        let trimmed = line.trim_end();
        match &mut open {
            None if trimmed == "---" || trimmed == "+++" => {
                open = Some(Fenced { fence: trimmed, open_line: number, content: end, close: None });
            }
            None if trimmed.is_empty() => {}
            None => return None,
            Some(fenced) if trimmed == fenced.fence => {
                fenced.close = Some(Close { start: offset, end, line: number });
                break;
            }
            Some(_) => {}
        }
        offset = end;
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromptPath;

    /// What the front matter says, the body, and the body's first line.
    fn check(text: &str, expected: Result<(&str, &str, u32), (u32, &str)>) {
        let path = PromptPath::parse("a.prompty").unwrap();
        let source = Source::read(&path, text.as_bytes(), 9999).unwrap();
        let found = split(&source);
        match (&found, expected) {
            (Ok(found), Ok((node, body, line))) => {
                assert_eq!(found.node.to_value().to_string(), node);
                assert_eq!((found.body, found.body_line), (body, line));
            }
            (Err(error), Err((line, code))) => {
                assert_eq!((error.location.unwrap().line, error.code.as_str()), (line, code));
            }
            _ => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn fences_of_both_kinds_are_found_with_blank_lines_before_and_dos_lines() {
        check("---\na: 1\n---\nHi\n", Ok((r#"{"a":1}"#, "Hi\n", 4)));
        check("\n+++\r\na: 1\r\n+++\r\nHi", Ok((r#"{"a":1}"#, "Hi", 5)));
        check("---\n---\n", Ok(("{}", "", 3)));
        check("---\na: '+++'\nb: x --- y\n---\n", Ok((r#"{"a":"+++","b":"x --- y"}"#, "", 5)));
    }

    #[test]
    fn a_file_without_a_fence_is_all_body() {
        check("Hi\n---\na: 1\n---\n", Ok(("{}", "Hi\n---\na: 1\n---\n", 1)));
        check("", Ok(("{}", "", 1)));
    }

    #[test]
    fn what_is_wrong_has_the_line_of_the_file() {
        check("\n---\na: 1\n", Err((2, "front-matter-open")));
        check("---\n\na: 1\na: 2\n---\n", Err((4, "duplicate-key")));
        check("---\na: [\n---\nx", Err((2, "yaml-syntax")));
    }
}
