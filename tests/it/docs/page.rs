//! A page of documentation, taken apart: fenced blocks, inline code, links and anchors. Knows nothing of what they should say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    pub line: usize,
    pub language: String,
    pub text: String,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Path from the repository's top.
    pub path: PathBuf,
    pub blocks: Vec<Block>,
    /// The page without its blocks; a blank line stands for each of theirs.
    pub prose: String,
}

static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([^`\n]+)`").unwrap());
static WRAPPED_CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([^`]+)`").unwrap());
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").unwrap());
static SOURCE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?:src|srcset|href)="([^"]+)""#).unwrap());

/// README.md and every page in docs/.
pub fn all() -> Vec<Page> {
    let root = root();
    let mut files = vec![PathBuf::from("README.md")];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            files.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
    files.sort();
    files.into_iter().map(|path| Page::read(&path)).collect()
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Page {
    pub fn read(path: &Path) -> Self {
        Self::parse(path, &std::fs::read_to_string(root().join(path)).unwrap())
    }

    pub fn parse(path: &Path, text: &str) -> Self {
        let mut page = Self { path: path.to_owned(), blocks: Vec::new(), prose: String::new() };
        let mut open: Option<(usize, Block)> = None;
        for (at, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(language)) => {
                    let block = Block { line: at + 1, language: language.trim().to_owned(), text: String::new() };
                    open = Some((indent, block));
                }
                (Some(_), Some("")) => page.blocks.extend(open.take().map(|(_, block)| block)),
                (Some((indent, block)), _) => {
                    block.text.push_str(line.get(*indent..).unwrap_or(line.trim_start()));
                    block.text.push('\n');
                }
                (None, None) => page.prose.push_str(line),
            }
            page.prose.push('\n');
        }
        assert!(open.is_none(), "{}: a fenced block is not closed", path.display());
        page
    }

    /// Inline code with its line. Code may go over the end of a line, which counts as a space.
    pub fn code(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for caught in WRAPPED_CODE.captures_iter(&self.prose).filter_map(|caught| caught.get(1)) {
            if !caught.as_str().contains("\n\n") && !caught.as_str().contains('|') {
                let words: Vec<&str> = caught.as_str().split_whitespace().collect();
                found.push((self.line_of(caught.start()), words.join(" ")));
            }
        }
        found
    }

    fn line_of(&self, at: usize) -> usize {
        self.prose[..at].matches('\n').count() + 1
    }

    /// Where the page's links and pictures go, with their lines.
    pub fn links(&self) -> Vec<(usize, String)> {
        let plain = CODE.replace_all(&self.prose, |caught: &regex::Captures<'_>| " ".repeat(caught[0].len()));
        let links = LINK.captures_iter(&plain).chain(SOURCE.captures_iter(&plain));
        links.filter_map(|caught| caught.get(1)).map(|to| (self.line_of(to.start()), to.as_str().to_owned())).collect()
    }

    /// What a link may name after `#`, as GitHub makes it of headings.
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut anchors = BTreeSet::new();
        for line in self.prose.lines().filter(|line| line.starts_with('#')) {
            let heading = line.trim_start_matches('#').trim();
            let slug: String = heading
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect();
            let taken = (1..).map(|n| format!("{slug}-{n}")).find(|other| !anchors.contains(other));
            anchors.extend(if anchors.contains(&slug) { taken } else { Some(slug) });
        }
        anchors
    }
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# A `b.c` d\n\nSee [x](y.md#z) and `promptops\nlint`.\n\n```sh\npromptops eval\n```\n\n## A b.c d\n  ```yaml\n  a:\n    b\n  ```\n";
    let page = Page::parse(Path::new("a.md"), text);
    assert_eq!(page.code(), [(1, "b.c".to_owned()), (3, "promptops lint".to_owned())]);
    assert_eq!(page.links(), [(3, "y.md#z".to_owned())]);
    assert_eq!(page.anchors().into_iter().collect::<Vec<_>>(), ["a-bc-d", "a-bc-d-1"]);
    assert_eq!((page.blocks[0].line, page.blocks[0].text.as_str()), (6, "promptops eval\n"));
    assert_eq!((page.blocks[1].language.as_str(), page.blocks[1].text.as_str()), ("yaml", "a:\n  b\n"));
}
