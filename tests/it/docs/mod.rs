//! What README.md and docs/ say holds: links, paths, commands, variables, and every YAML file that is shown.

mod cookbook;
mod page;
mod settings_page;
mod tried;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use clap::Parser;
use clap::error::ErrorKind;
use promptops::cli::Arguments;
use promptops::domain::ids::PromptPath;
use promptops::domain::source::Source;
use promptops::domain::{golden, policy_tests, prompt, settings, yaml};
use regex::Regex;

use page::{Page, root};

/// Paths that pages name and that are the reader's own, or a build's.
const READERS_OWN: [(&str, &str); 8] = [
    (".github/promptops.yml", "the reader's settings"),
    (".github/promptops.tests.yml", "the reader's policy tests"),
    (".github/CODEOWNERS", "the reader's code owners"),
    ("docs/CODEOWNERS", "another place of the reader's code owners"),
    (".github/prompts/**", "where editors keep their own prompts"),
    (".github/workflows/promptops.yml", "the reader's workflow"),
    ("target/release/promptops", "what a build leaves"),
    ("target/debug/promptops", "what a build leaves"),
];

/// Words in capitals that are no variables of ours.
const NO_VARIABLES: [(&str, &str); 7] = [
    ("MAX_TOKENS", "a vendor's reason to stop"),
    ("MISTRAL_API_KEY", "a name that an example of promptops.toml chooses"),
    ("GITHUB_TOKEN", "GitHub's own token of a job"),
    ("GITHUB_OUTPUT", "the runner's"),
    ("RUNNER_TEMP", "the runner's"),
    ("RUNNER_TOOL_CACHE", "the runner's"),
    ("PROMPTOPS_DOWNLOAD_URL", "read by the install script of the workflow step, not by the program"),
];

/// Fails with everything that is wrong, a line each.
#[track_caller]
fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong in the docs:\n{}", wrong.len(), wrong.join("\n"));
}

fn at(page: &Page, line: usize, what: impl std::fmt::Display) -> String {
    format!("{}:{line}: {what}", page.path.display())
}

#[test]
fn every_link_leads_somewhere() {
    let pages = page::all();
    let mut wrong = Vec::new();
    for page in &pages {
        for (line, link) in page.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.path.clone() } else { beside(&page.path, file) };
            if !root().join(&target).exists() {
                wrong.push(at(page, line, format!("no file at {}", target.display())));
            } else if !anchor.is_empty() && !Page::read(&target).anchors().contains(anchor) {
                wrong.push(at(page, line, format!("{} has no #{anchor}", target.display())));
            }
        }
    }
    nothing(&wrong);
}

/// A path written in a file, from the repository's top.
fn beside(file: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in file.parent().unwrap().join(link).components() {
        match part {
            Component::ParentDir => _ = path.pop(),
            part => path.push(part),
        }
    }
    path
}

#[test]
fn the_index_names_every_page() {
    let index = Page::read(Path::new("docs/README.md"));
    let named: BTreeSet<PathBuf> = index.links().iter().map(|(_, link)| beside(&index.path, link)).collect();
    let missing = page::all().into_iter().filter(|page| page.path.starts_with("docs") && page.path != index.path);
    let wrong: Vec<String> =
        missing.filter(|page| !named.contains(&page.path)).map(|page| page.path.display().to_string()).collect();
    nothing(&wrong);
}

#[test]
fn every_path_exists() {
    let top: BTreeSet<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let mut wrong = Vec::new();
    for page in page::all() {
        let in_blocks = page.blocks.iter().filter(|block| block.language == "sh").flat_map(|block| {
            let words = block.text.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned());
            words.map(|word| (block.line, word)).collect::<Vec<_>>()
        });
        for (line, word) in page.code().into_iter().chain(in_blocks) {
            let first = word.split('/').next().unwrap_or_default();
            let word = word.trim_end_matches(":LINE:COLUMN").to_owned();
            let ours = word.contains('/') && !word.contains(' ') && top.contains(first);
            let known = READERS_OWN.iter().any(|(path, _)| *path == word);
            if ours && !known && !root().join(&word).exists() {
                wrong.push(at(&page, line, format!("no file at {word}")));
            }
        }
    }
    nothing(&wrong);
}

/// The commands of a shell block: lines joined at `\`, cut at what belongs to the shell.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let mut commands = Vec::new();
    for line in joined.lines() {
        let line = line.split(" #").next().unwrap_or_default();
        for part in line.split(['|', '&', ';', '>']) {
            let words = part.split_whitespace().skip_while(|word| word.contains('=') && !word.starts_with('-'));
            let words: Vec<&str> = words.collect();
            if words.first() == Some(&"promptops") {
                commands.push(words.join(" "));
            }
        }
    }
    commands
}

/// Words as a shell would give them: quotes keep spaces.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    // A digest that a page cuts short.
    let whole = command.replace("9f2c…", &"9f2c".repeat(16));
    for c in whole.chars().chain([' ']) {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) if word.is_empty() => {}
            (' ', None) => words.push(std::mem::take(&mut word)),
            (c, _) => word.push(c),
        }
    }
    words
}

#[test]
fn every_command_parses() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in page::all() {
        let shell = page.blocks.iter().filter(|block| block.language == "sh");
        let in_blocks = shell.flat_map(|block| commands(&block.text).into_iter().map(|command| (block.line, command)));
        let in_prose = page.code().into_iter().filter(|(_, code)| code.starts_with("promptops "));
        for (line, command) in in_blocks.chain(in_prose) {
            seen += 1;
            let Err(error) = Arguments::try_parse_from(words(&command)) else { continue };
            let only_shows = [
                ErrorKind::DisplayHelp,
                ErrorKind::DisplayVersion,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            // A command alone in prose is its name: what it must be given is told elsewhere.
            let name = command.split(' ').count() <= 3 && error.kind() == ErrorKind::MissingRequiredArgument;
            if !only_shows.contains(&error.kind()) && !name {
                let error = error.to_string();
                wrong.push(at(&page, line, format!("`{command}`: {}", error.lines().next().unwrap_or_default())));
            }
        }
    }
    assert!(seen > 40, "only {seen} commands were looked at");
    nothing(&wrong);
}

#[test]
fn every_command_in_comments_is_one() {
    let mut wrong = Vec::new();
    for page in page::all() {
        for (line, code) in page.code() {
            let Some(rest) = code.strip_prefix("/promptops") else { continue };
            if !matches!(rest.split_whitespace().next(), None | Some("eval" | "explain" | "override" | "help")) {
                wrong.push(at(&page, line, code));
            }
        }
    }
    nothing(&wrong);
}

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b").unwrap());
static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""([A-Z][A-Z0-9_]+)""#).unwrap());

/// Every variable that `src/config` reads.
fn variables() -> BTreeSet<String> {
    let mut folders = vec![root().join("src/config")];
    let mut found = BTreeSet::from(["RUST_LOG".to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(path).unwrap();
                found.extend(QUOTED.captures_iter(&text).map(|caught| caught[1].to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_variable_is_read() {
    let known = variables();
    let mut wrong = Vec::new();
    for page in page::all() {
        let in_blocks = page.blocks.iter().map(|block| (block.line, block.text.clone()));
        for (line, text) in page.code().into_iter().chain(in_blocks) {
            for name in VARIABLE.find_iter(&text).map(|found| found.as_str()) {
                let plain = name.strip_suffix("_FILE").unwrap_or(name);
                // The workflow step hands its inputs over under these names.
                let input = name.starts_with("INPUT_");
                if !known.contains(plain) && !input && !NO_VARIABLES.iter().any(|(word, _)| *word == name) {
                    wrong.push(at(&page, line, name));
                }
            }
        }
    }
    nothing(&wrong);
}

/// What a workflow, or a piece of one, may begin with where no file is named.
const OF_A_WORKFLOW: [&str; 8] = ["name:", "on:", "permissions:", "jobs:", "steps:", "env:", "with:", "- uses:"];

fn is_yaml(path: &PromptPath, text: &str) -> Result<(), String> {
    let source = Source::read(path, text.as_bytes(), 1 << 20).map_err(|error| error.message.to_string())?;
    yaml::parse(&source).map(drop).map_err(|error| error.message.to_string())
}

/// Reads a YAML block by the name of the file in its first line; what is wrong with it.
fn read_block(text: &str) -> Result<(), String> {
    if OF_A_WORKFLOW.iter().any(|key| text.starts_with(key)) {
        return is_yaml(&PromptPath::parse("workflow.yml").unwrap(), text);
    }
    let name = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
    let name = name.split([' ', ':']).next().unwrap_or_default();
    let path = PromptPath::parse(name).map_err(|_| "its first line does not name a file, as in `# a.prompt.yml`")?;
    let said = |errors: Vec<promptops::domain::diagnostic::Diagnostic>| {
        errors.iter().map(|error| error.message.to_string()).collect::<Vec<_>>().join("; ")
    };
    let bytes = text.as_bytes();
    match name {
        ".github/promptops.yml" if text.lines().next().is_some_and(|line| line.contains("organisation")) => {
            settings::parse_organisation(&path, bytes).map(drop).map_err(said)
        }
        ".github/promptops.yml" => settings::parse(&path, bytes).map(drop).map_err(said),
        ".github/promptops.tests.yml" => policy_tests::parse(&path, bytes).map(drop).map_err(said),
        _ if name.ends_with(".prompt.yml") => prompt::parse(&path, bytes).map(drop).map_err(said),
        _ if name.ends_with(".golden.yml") => {
            let of = "messages: [{ role: user, content: a }]\n";
            let prompt = prompt::parse(&PromptPath::parse("a.prompt.yml").unwrap(), of.as_bytes()).unwrap().value;
            golden::parse(&path, bytes, &prompt).map(drop).map_err(said)
        }
        _ if name.starts_with(".github/workflows/") || name == "promptfooconfig.yaml" => is_yaml(&path, text),
        _ => Err(format!("`{name}` is no file that this test can read")),
    }
}

#[test]
fn every_yaml_file_can_be_read() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in page::all() {
        for block in page.blocks.iter().filter(|block| block.language == "yaml") {
            // One line for an editor, and waivers, which belong to any file.
            if block.text.starts_with("# yaml-language-server:") || block.text.starts_with("# promptops: allow") {
                continue;
            }
            seen += 1;
            wrong.extend(read_block(&block.text).err().map(|error| at(&page, block.line, error)));
        }
    }
    assert!(seen > 25, "only {seen} files were looked at");
    nothing(&wrong);
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    assert!(read_block("prompts: {}\n").unwrap_err().contains("first line"));
    assert!(read_block("# .github/promptops.yml\nprompt: {}\n").unwrap_err().contains("prompt"));
    assert_eq!(read_block("# .github/promptops.yml\nprompts: { include: [\"a/**\"] }\n"), Ok(()));
    assert!(read_block("# a.golden.yml\ncases: []\n").is_err());
    assert_eq!(read_block("permissions: { contents: read }\n"), Ok(()));
    assert!(read_block("permissions: { contents: read\n").is_err());
    assert_eq!(
        commands("A=b promptops eval \\\n  --base main | tee x  # c\ncargo run\n"),
        ["promptops eval --base main"]
    );
    assert_eq!(words("promptops render a --vars '{\"b\": 1}'"), ["promptops", "render", "a", "--vars", "{\"b\": 1}"]);
    assert_eq!(beside(Path::new("docs/a.md"), "../schemas"), Path::new("schemas"));
}
