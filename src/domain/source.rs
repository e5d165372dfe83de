//! The text of a file from outside: size, encoding and kind are checked before anything reads it. Knows no format.

use super::diagnostic::{Diagnostic, Location};
use super::ids::PromptPath;

/// Largest prompt or settings file, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Largest golden set, in bytes.
pub const MAX_GOLDEN_SET_BYTES: usize = 64 << 20;

/// Lines between two entries of the index: small enough to find a line fast, large enough to cost little memory.
const INDEX_STEP: usize = 32;

/// A file's path and its text, without a byte order mark.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The file.
    pub path: &'a PromptPath,
    /// Its text.
    pub text: &'a str,
    /// Where every so many lines start.
    index: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Takes the bytes of a file as text.
    ///
    /// # Errors
    /// When there are more than `cap` bytes, when they are a Git LFS pointer, or not UTF-8.
    pub fn read(path: &'a PromptPath, bytes: &'a [u8], cap: usize) -> Result<Self, Box<Diagnostic>> {
        if bytes.len() > cap {
            return Err(Box::new(too_large(path, bytes.len() as u64, cap)));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| Box::new(not_utf8(path, bytes, error.valid_up_to())))?;
        if text.starts_with("version https://git-lfs") {
            let found = Diagnostic::error("lfs-pointer", path, "the file is a Git LFS pointer, not the text itself")
                .at(Location::START, text.lines().next());
            let help = "keep it out of Git LFS: run `git lfs untrack` on it and commit its text";
            return Err(Box::new(found.with_help(help)));
        }
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1));
        Ok(Self { path, text, index: starts.step_by(INDEX_STEP).collect() })
    }

    /// The text from the start of a line on; empty if there is no such line.
    #[must_use]
    pub fn from_line(&self, number: u32) -> &'a str {
        let Some(line) = (number as usize).checked_sub(1) else { return "" };
        let block = self.index.get(line / INDEX_STEP).and_then(|start| self.text.get(*start..)).unwrap_or("");
        let start = match line % INDEX_STEP {
            0 => Some(0),
            within => block.match_indices('\n').nth(within - 1).map(|(end, _)| end + 1),
        };
        start.and_then(|start| block.get(start..)).unwrap_or("")
    }

    /// One line without its end.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&'a str> {
        self.from_line(number).lines().next()
    }

    /// A source of which only the path is known: its findings have no excerpts.
    #[must_use]
    pub fn without_text(path: &'a PromptPath) -> Self {
        Self { path, text: "", index: Vec::new() }
    }

    /// An error at a place.
    #[must_use]
    pub fn error(&self, code: &str, at: Location, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.path, message).at(at, self.line(at.line))
    }
}

/// The finding for a file of more than `cap` bytes, for those who know its size before they read it.
#[must_use]
pub fn too_large(path: &PromptPath, size: u64, cap: usize) -> Diagnostic {
    let message = format!("the file has {size} bytes, more than the {cap} ({} MiB) allowed", cap >> 20);
    let found = Diagnostic::error("file-too-large", path, message).at(Location::START, None);
    found.with_help("split it, or move long texts out of it")
}

fn not_utf8(path: &PromptPath, bytes: &[u8], valid: usize) -> Diagnostic {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Diagnostic::error("not-utf8", path, format!("the byte 0x{byte:02x} here is not UTF-8"))
        .with_help("save the file as UTF-8")
        .at(Location { line: number(line), column: number(column), length: 0 }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<&str, (&str, u32, u32)>) {
        let path = PromptPath::parse("a.prompt.yml").unwrap();
        let read = Source::read(&path, bytes, 64);
        match (read, expected) {
            (Ok(source), Ok(text)) => assert_eq!(source.text, text),
            (Err(found), Err((code, line, column))) => {
                let at = found.location.unwrap();
                assert_eq!((found.code.as_str(), at.line, at.column), (code, line, column));
                assert!(found.help.is_some());
            }
            (read, expected) => panic!("{read:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        check(b"\xef\xbb\xbfname: a", Ok("name: a"));
    }

    #[test]
    fn what_is_not_utf8_is_refused_at_its_place() {
        check(b"name: a\r\nb\xc3\xa9: \xff", Err(("not-utf8", 2, 5)));
    }

    #[test]
    fn every_line_is_found_by_its_number() {
        let path = PromptPath::parse("a.csv").unwrap();
        let text: String = (1..=100).map(|n| format!("line {n}\r\n")).collect();
        let source = Source::read(&path, text.as_bytes(), 9999).unwrap();
        for number in 1..=100 {
            assert_eq!(source.line(number), Some(format!("line {number}").as_str()));
        }
        for number in [0, 101, 102, u32::MAX] {
            assert_eq!(source.line(number), None, "{number}");
        }
    }

    #[test]
    fn a_file_over_the_cap_is_refused_and_the_cap_named() {
        check(&[b'a'; 65], Err(("file-too-large", 1, 1)));
        let path = PromptPath::parse("a.prompt.yml").unwrap();
        let found = Source::read(&path, &vec![b'a'; 10_000_000], MAX_FILE_BYTES).unwrap_err();
        assert_eq!(found.message, "the file has 10000000 bytes, more than the 1048576 (1 MiB) allowed");
    }

    #[test]
    fn a_git_lfs_pointer_is_refused_by_name() {
        check(b"version https://git-lfs.github.com/spec/v1\noid sha256:0", Err(("lfs-pointer", 1, 1)));
    }
}
