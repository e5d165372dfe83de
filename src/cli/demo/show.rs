//! What the demo prints: headings, checks with a word and a sign, the comment as a terminal shows it. Knows no GitHub.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::stage::bug;
use crate::cli::exit::CommandError;
use crate::domain::report::terminal::{Ink, Look, Span, columns, terminal};
use crate::sim::CheckView;

/// Column in which the word on a check begins.
const WORDS: usize = 32;

/// What stands before each line of the comment.
const MARGIN: &str = "  │ ";

/// What a pull request shows at one moment.
pub struct Moment {
    /// The checks on its head.
    pub checks: Vec<CheckView>,
    /// Why it cannot be merged; empty if it can.
    pub held: Vec<String>,
    /// Our comment's Markdown.
    pub comment: String,
}

/// Where the demo goes.
pub struct Page<'a> {
    /// Width and colours.
    pub look: Look,
    /// A folder that also gets the comments and checks.
    pub keep: Option<&'a Path>,
    /// The printed text.
    pub out: &'a mut (dyn Write + Send),
}

impl Page<'_> {
    pub fn opening(&mut self) -> Result<(), CommandError> {
        let title = "PromptOps demo: a pull request on a support team's prompt library.";
        self.prose("", title, Ink::Strong)?;
        self.prose("", "The answers are recorded and GitHub is on loopback: no key, no network.", Ink::Plain)
    }

    pub fn heading(&mut self, title: &str) -> Result<(), CommandError> {
        self.line("")?;
        self.prose("", title, Ink::Strong)?;
        let rule = self.look.paint(&"─".repeat(columns(title).min(self.look.columns)), Ink::Dim);
        self.line(&rule)
    }

    /// The two checks, and whether the pull request can be merged.
    pub fn checks(&mut self, moment: &Moment) -> Result<(), CommandError> {
        for check in &moment.checks {
            let (sign, ink) = match check.conclusion.as_deref() {
                Some("success") => ("✓", Ink::Good),
                Some(_) => ("✗", Ink::Bad),
                None => ("…", Ink::Warn),
            };
            let state = check.conclusion.as_deref().unwrap_or(&check.status).replace('_', " ");
            self.state(sign, ink, &check.name, &state)?;
            self.prose("    ", check.title.as_deref().unwrap_or_default(), Ink::Plain)?;
        }
        if moment.held.is_empty() {
            return self.state("✓", Ink::Good, "merge", "open");
        }
        self.state("✗", Ink::Bad, "merge", "held")?;
        moment.held.iter().try_for_each(|why| {
            self.prose("    ", &why.replace("in_progress", "in progress").replace('`', ""), Ink::Plain)
        })
    }

    fn state(&mut self, sign: &str, ink: Ink, name: &str, state: &str) -> Result<(), CommandError> {
        let gap = " ".repeat(WORDS.saturating_sub(columns(name)).max(2));
        let words = format!("{sign} {state}");
        let line = format!("  {}{gap}{}", self.look.paint(name, Ink::Plain), self.look.paint(&words, ink));
        self.line(&line)
    }

    pub fn comment(&mut self, moment: &Moment) -> Result<(), CommandError> {
        self.line("")?;
        self.prose("  ", "The comment on the pull request:", Ink::Plain)?;
        let bar = self.look.paint(MARGIN, Ink::Dim);
        for line in terminal(&moment.comment, self.look.less(columns(MARGIN))) {
            let shown = format!("{bar}{line}");
            self.line(shown.trim_end())?;
        }
        Ok(())
    }

    pub fn ending(&mut self) -> Result<(), CommandError> {
        self.line("")?;
        self.prose("", "The merge is held, and everybody can see why.", Ink::Strong)?;
        self.line("")?;
        self.prose("", "Next, in a repository of yours:", Ink::Plain)?;
        for (command, what) in [
            ("promptops init", "finds prompts, writes settings and golden sets"),
            ("promptops eval --base main", "compares your branch with main; needs a model key"),
            ("promptops demo --keep DIR", "writes these comments and checks into a folder"),
        ] {
            let command = Span::new(&format!("{command:<28}"), Ink::Code);
            let room = self.look.columns.saturating_sub(30);
            if columns(what) <= room {
                let command = self.look.paint(&command.text, Ink::Code);
                self.line(&format!("  {command}{what}"))?;
            } else {
                self.prose("  ", &command.text, Ink::Code)?;
                self.prose("      ", what, Ink::Plain)?;
            }
        }
        self.line("")?;
        self.prose("", "Three ways to start, five minutes each:", Ink::Plain)?;
        // Not folded: a link that is cut opens nothing.
        self.line("  https://github.com/promptops/promptops/blob/main/docs/quick-start.md")?;
        if let Some(folder) = self.keep {
            self.prose("", &format!("Kept in {}.", folder.display()), Ink::Plain)?;
        }
        Ok(())
    }

    /// Writes the comment as Markdown and the checks as JSON, where a folder is named.
    pub fn keep(&self, name: &str, moment: &Moment) -> Result<(), CommandError> {
        let Some(folder) = self.keep else { return Ok(()) };
        let checks = serde_json::to_string_pretty(&checks_json(moment)).map_err(bug)? + "\n";
        let write = |file: &Path, text: &str| std::fs::write(file, text);
        std::fs::create_dir_all(folder)
            .and_then(|()| write(&folder.join(format!("{name}.md")), &moment.comment))
            .and_then(|()| write(&folder.join(format!("{name}.checks.json")), &checks))
            .map_err(|error| {
                let folder = folder.display();
                CommandError::Input(format!(
                    "cannot write into `{folder}`: {error}: name a folder that can be written to"
                ))
            })
    }

    fn prose(&mut self, first: &str, text: &str, ink: Ink) -> Result<(), CommandError> {
        let lines = self.look.prose(first, &[Span::new(text, ink)]);
        lines.iter().try_for_each(|line| self.line(line))
    }

    fn line(&mut self, line: &str) -> Result<(), CommandError> {
        writeln!(self.out, "{line}").map_err(bug)
    }
}

fn checks_json(moment: &Moment) -> Value {
    let checks: Vec<Value> = moment
        .checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name, "status": check.status, "conclusion": check.conclusion, "title": check.title,
                "summary": check.summary, "text": check.text,
            })
        })
        .collect();
    json!({ "can_merge": moment.held.is_empty(), "held_by": moment.held, "checks": checks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::text::Style;

    fn shown(width: usize, colour: bool) -> String {
        let mut out = Vec::new();
        let mut page = Page { look: Look { columns: width, style: Style { colour } }, keep: None, out: &mut out };
        let check = CheckView {
            id: 1,
            app_id: 1,
            name: "promptops/evaluation: main".to_owned(),
            status: "completed".to_owned(),
            conclusion: Some("failure".to_owned()),
            external_id: String::new(),
            title: Some("Regression: 2 of 40 cases got worse, 3 better".to_owned()),
            summary: None,
            text: None,
            annotations: Vec::new(),
            actions: Vec::new(),
        };
        let moment = Moment {
            checks: vec![check],
            held: vec!["required check `promptops/evaluation: main` is failure".to_owned()],
            comment: "<!-- x -->\n> [!CAUTION]\n> **Regression.**\n".to_owned(),
        };
        page.checks(&moment).expect("checks");
        page.comment(&moment).expect("a comment");
        page.ending().expect("an ending");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_narrow_terminal_gets_narrow_lines() {
        let narrow = shown(60, false);
        assert!(narrow.lines().all(|line| columns(line) <= 60 || line.contains("://")), "{narrow}");
        assert!(narrow.contains("  promptops/evaluation: main      ✗ failure\n    Regression: 2 of 40"), "{narrow}");
        assert!(narrow.contains("  │ ┃ Caution\n  │ ┃ Regression.\n"), "{narrow}");
        assert!(narrow.contains("  promptops init\n      finds prompts"), "{narrow}");
    }

    #[test]
    fn colours_are_added_and_nothing_else() {
        let colour = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
        assert!(shown(80, true).contains("\u{1b}[31m✗ failure\u{1b}[0m"));
        assert_eq!(colour.replace_all(&shown(80, true), ""), shown(80, false));
    }
}
