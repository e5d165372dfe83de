//! What `promptops init` says: what was found, and what to do next. Knows no terminal.

use std::fmt::Write as _;

use super::{Cases, Found, FoundPrompt, Plan, WORKFLOW_PATH, renaming};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::Format;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Longest name or message that is shown.
const LINE: usize = 300;
/// Most files of one kind that are named.
const LISTED: usize = 20;

/// What was found, a line for each file.
#[must_use]
pub fn found(found: &Found) -> String {
    let mut out = String::new();
    let prompts = found.prompts.len();
    match prompts {
        0 => out.push_str("No prompts found.\n"),
        1 => out.push_str("Found 1 prompt file:\n"),
        more => {
            let _ = writeln!(out, "Found {more} prompt files:");
        }
    }
    listed(&mut out, &found.prompts, prompt);
    if found.unseen > 0 {
        let _ = writeln!(out, "{} more were not looked at; they are governed all the same.", found.unseen);
    }
    if !found.broken.is_empty() {
        let _ = writeln!(out, "Cannot be read (`promptops lint` says more):");
        listed(&mut out, &found.broken, |finding| {
            let place = finding.location.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
            format!("{}{place}: {}", path(&finding.path), shown(&finding.message))
        });
    }
    if !found.near.is_empty() {
        out.push_str("Perhaps prompts, but in no format that is read; a text becomes one as NAME.prompt.md:\n");
        listed(&mut out, &found.near, path);
        if let Some(command) = renaming(&found.near.iter().collect::<Vec<_>>()) {
            let _ = writeln!(out, "  as in: {} (its variables are written {{{{ name }}}})", shown(&command));
        }
    }
    if found.editors > 0 {
        let _ =
            writeln!(out, "Left out: {} in .github/prompts, which are your editor's.", count(found.editors, "prompt"));
    }
    out
}

fn listed<T>(out: &mut String, all: &[T], line: impl Fn(&T) -> String) {
    for one in all.iter().take(LISTED) {
        let _ = writeln!(out, "  {}", line(one));
    }
    if all.len() > LISTED {
        let _ = writeln!(out, "  and {} more", all.len() - LISTED);
    }
}

fn prompt(found: &FoundPrompt) -> String {
    let format = match found.format {
        Format::GithubModels => "prompt.yml",
        Format::Dotprompt => "Dotprompt",
        Format::Prompty => "Prompty",
        Format::Markdown => "Markdown",
        Format::Promptfoo => "promptfoo config",
    };
    let cases = match &found.cases {
        Cases::Set { path: set, count: number } if *set == found.path => count(*number, "case"),
        Cases::Set { path: set, count: number } => format!("{} in {}", count(*number, "case"), path(set)),
        Cases::Inline(number) => format!("{} in the file", count(*number, "case")),
        Cases::None => "no cases".to_owned(),
    };
    format!("{}  ({format}, {cases})", path(&found.path))
}

/// What to do next, with commands that work.
#[must_use]
pub fn next(found: &Found, plan: &Plan, wants_app: bool) -> String {
    let mut steps: Vec<String> = Vec::new();
    let writes_prompts = plan.files.iter().any(|file| Format::of(&file.path).is_some());
    if found.prompts.is_empty() && !writes_prompts {
        steps.push("promptops init --example         writes a starter prompt with a golden set".to_owned());
    }
    if let Some(set) = &plan.made_up {
        steps.push(format!("Put a real input in the place of each REPLACE ME in {}.", path(set)));
    }
    steps.push("promptops lint                   checks the files, asks no model".to_owned());
    if !found.prompts.is_empty() || writes_prompts {
        let keys: Vec<String> = plan.keys.iter().map(|key| format!("export {key}=…")).collect();
        let before = if keys.is_empty() { String::new() } else { format!("{}, then ", keys.join(", ")) };
        steps.push(format!("{before}promptops eval"));
    }
    let has_workflow = plan.files.iter().any(|file| file.path.as_str() == WORKFLOW_PATH);
    if has_workflow && !plan.keys.is_empty() {
        let set: Vec<String> = plan.keys.iter().map(|key| format!("gh secret set {key}")).collect();
        steps.push(format!("Give the workflow its secrets: {}", set.join(", ")));
    }
    if wants_app {
        steps.push("promptops init --app --url https://YOUR-HOST    creates the GitHub App".to_owned());
    }
    steps.push("Commit the files and open a pull request.".to_owned());
    let lines = (1..).zip(steps).map(|(number, step)| format!("  {number}. {step}\n"));
    format!("Next:\n{}", lines.collect::<String>())
}

/// A file's path on a terminal.
#[must_use]
pub fn path(path: &PromptPath) -> String {
    shown(path.as_str())
}

fn shown(text: &str) -> String {
    Untrusted::new(text, &Secrets::default()).line(LINE)
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
