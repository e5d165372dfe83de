//! `promptops init`: asks what cannot be known, shows what was found, writes what is missing.

use std::io::{BufRead, IsTerminal, Write};

use super::args::InitArguments;
use super::exit::{CommandError, Outcome};
use super::{init_app, show};
use crate::app::init::{self, InitError, Looked};
use crate::domain::ids::ModelId;
use crate::domain::init::{Choices, Found, Plan, plan, said};
use crate::domain::policy::Principal;

/// How often a question is put before an answer that cannot be used ends it.
const TRIES: usize = 3;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &InitArguments) -> Result<Outcome, CommandError> {
    if arguments.app {
        return init_app::run(arguments).await;
    }
    let mut wishes = Wishes::of(arguments)?;
    let looked = init::look(&super::folder()?).await.map_err(failed)?;
    print(&place(&looked));
    print(&said::found(&looked.found));
    if !arguments.yes && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        wishes.ask(&looked.found, &mut std::io::stdin().lock(), &mut std::io::stdout())?;
    }
    let plan = plan(&looked.found, &wishes.choices);
    if arguments.dry_run {
        preview(&looked, &plan);
    } else {
        write(&looked, &plan)?;
    }
    plan.notes.iter().for_each(|note| print(&format!("{note}\n")));
    print(&said::next(&looked.found, &plan, wishes.app));
    Ok(Outcome::Passed)
}

fn failed(error: InitError) -> CommandError {
    match error {
        InitError::Input(message) => CommandError::Input(message),
        InitError::World(message) => CommandError::World(message),
    }
}

/// A reader that closed the pipe has seen what it wanted.
fn print(text: &str) {
    write!(std::io::stdout().lock(), "{text}").ok();
}

fn place(looked: &Looked) -> String {
    let root = looked.root.display();
    if looked.is_repository {
        return format!("Looked at the repository {root}.\n");
    }
    show::warning("this folder is in no Git repository; pull requests need one: run `git init` at its top first");
    format!("Looked at the folder {root}.\n")
}

fn write(looked: &Looked, plan: &Plan) -> Result<(), CommandError> {
    for file in &plan.files {
        let path = said::path(&file.path);
        if init::write(&looked.root, file).map_err(failed)? {
            print(&format!("wrote {path}  ({})\n", file.what));
        } else {
            print(&format!("kept  {path}  (it is there already)\n"));
        }
    }
    Ok(())
}

fn preview(looked: &Looked, plan: &Plan) {
    for file in &plan.files {
        let path = said::path(&file.path);
        if init::is_there(&looked.root, &file.path) {
            print(&format!("would keep  {path}\n"));
            continue;
        }
        let lines: String = file.text.lines().map(|line| format!("  | {line}\n")).collect();
        print(&format!("would write {path}  ({})\n{lines}", file.what));
    }
}

/// What the person wants, and which of it they have said.
struct Wishes {
    choices: Choices,
    /// Whether the App is wanted in the workflow's place.
    app: bool,
}

impl Wishes {
    fn of(arguments: &InitArguments) -> Result<Self, CommandError> {
        let model = arguments.model.as_deref().map(ModelId::parse).transpose();
        let team = arguments.team.as_deref().map(principal).transpose();
        let choices = Choices {
            model: model.map_err(|error| CommandError::Input(format!("--model: {error}")))?,
            team: team.map_err(|error| CommandError::Input(format!("--team: {error}")))?,
            workflow: !arguments.no_workflow,
            example: arguments.example,
        };
        Ok(Self { choices, app: false })
    }

    /// Asks for what no option has said.
    fn ask(&mut self, found: &Found, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<(), CommandError> {
        if self.choices.model.is_none() {
            let usual = found.usual_model();
            let question = format!("Model for prompts that name none [{usual}]: ");
            let read = |text: &str| ModelId::parse(text).map_err(|error| error.to_string());
            self.choices.model = question_put(&question, input, out, |text| given(text).map(read).transpose())?;
        }
        if self.choices.team.is_none() {
            let question = "Who approves changes, as @org/team or @login [nobody has to]: ";
            self.choices.team = question_put(question, input, out, |text| given(text).map(principal).transpose())?;
        }
        if self.choices.workflow {
            let question =
                "Pull requests are checked by (a) a workflow with the Action, (b) the GitHub App, (c) neither [a]: ";
            let (workflow, app) = question_put(question, input, out, |text| match text.to_lowercase().as_str() {
                "" | "a" => Ok((true, false)),
                "b" => Ok((false, true)),
                "c" => Ok((false, false)),
                _ => Err("answer a, b or c".to_owned()),
            })?;
            (self.choices.workflow, self.app) = (workflow, app);
        }
        if !self.choices.example && found.prompts.is_empty() && found.broken.is_empty() {
            let question = "Write a starter prompt with a golden set? [y]: ";
            self.choices.example = question_put(question, input, out, |text| match text.to_lowercase().as_str() {
                "" | "y" | "yes" => Ok(true),
                "n" | "no" => Ok(false),
                _ => Err("answer y or n".to_owned()),
            })?;
        }
        Ok(())
    }
}

fn principal(text: &str) -> Result<Principal, String> {
    let text = if text.starts_with('@') { text.to_owned() } else { format!("@{text}") };
    Principal::try_from(text)
}

/// An answer that is more than the return key.
fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Puts a question until its answer can be used.
fn question_put<T>(
    question: &str,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, CommandError> {
    for _ in 0..TRIES {
        // A terminal that cannot be written to shows nothing either way.
        write!(out, "{question}").and_then(|()| out.flush()).ok();
        let mut line = String::new();
        let bytes = input.read_line(&mut line);
        if !bytes.is_ok_and(|bytes| bytes > 0) {
            return Err(CommandError::Input("the input ended, so nothing was written; --yes asks nothing".to_owned()));
        }
        match read(line.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => drop(writeln!(out, "  {why}")),
        }
    }
    Err(CommandError::Input("no answer that can be used, so nothing was written; --help lists the options".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these answers, and how many questions were put.
    fn asked(answers: &str) -> (Result<(Choices, bool), String>, usize) {
        let choices = Choices { model: None, team: None, workflow: true, example: false };
        let mut wishes = Wishes { choices, app: false };
        let mut out = Vec::new();
        let ended = wishes.ask(&Found::default(), &mut answers.as_bytes(), &mut out);
        let said = String::from_utf8(out).unwrap();
        (ended.map(|()| (wishes.choices, wishes.app)).map_err(|error| error.to_string()), said.matches("]: ").count())
    }

    #[test]
    fn the_return_key_takes_the_defaults() {
        let (answered, questions) = asked("\n\n\n\n");
        let expected = Choices { model: None, team: None, workflow: true, example: true };
        assert_eq!((answered, questions), (Ok((expected, false)), 4));
    }

    #[test]
    fn answers_count_and_wrong_ones_are_asked_again() {
        let (answered, questions) = asked("gpt-4o\nopenai/gpt-4o\nacme/prompts\nB\nmaybe\nno\n");
        let (choices, app) = answered.unwrap();
        assert_eq!(choices.model.map(|model| model.to_string()).as_deref(), Some("openai/gpt-4o"));
        assert_eq!(choices.team.map(|team| team.to_string()).as_deref(), Some("@acme/prompts"));
        assert_eq!((choices.workflow, choices.example, app, questions), (false, false, true, 6));
    }

    #[test]
    fn an_input_that_ends_writes_nothing() {
        let (answered, _) = asked("\n\n");
        assert_eq!(answered, Err("the input ended, so nothing was written; --yes asks nothing".to_owned()));
        let (answered, _) = asked("x\nx\nx\n");
        assert!(answered.unwrap_err().starts_with("no answer that can be used"));
    }
}
