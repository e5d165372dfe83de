//! `promptops render`: the messages of a prompt, printed.

use std::io::Write;

use secrecy::ExposeSecret;
use serde_json::Value;

use super::args::{RenderArguments, RenderFormat};
use super::exit::{CommandError, Outcome};
use super::show;
use crate::app::local::LocalError;
use crate::app::render::{self, Given, RenderOptions, RenderedFile};
use crate::config;
use crate::domain::prompt::rendered;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &RenderArguments) -> Result<Outcome, CommandError> {
    let given = match (&arguments.vars, &arguments.data, &arguments.case) {
        (Some(vars), ..) => Given::Vars(vars.clone()),
        (_, Some(data), _) => Given::Data(data.clone()),
        (.., Some(case)) => Given::Case(case.clone()),
        _ => Given::Nothing,
    };
    let options = RenderOptions { folder: super::folder()?, file: arguments.file.clone(), given };
    let file = match render::render(&options).await {
        Ok(file) => file,
        Err(LocalError::Findings(findings)) => {
            show::findings(&findings);
            return Ok(Outcome::WrongInput);
        }
        Err(LocalError::Files(error)) => return Err(CommandError::World(error.to_string())),
        Err(error) => return Err(CommandError::Input(error.to_string())),
    };
    show::findings(&file.warnings);
    let vendors = config::process().providers().map_err(|error| CommandError::Input(error.to_string()))?;
    let secrets = Secrets::new(vendors.keys().map(|key| key.expose_secret().to_owned()));
    let text = match arguments.format {
        RenderFormat::Text => text(&file, &secrets),
        RenderFormat::Json => secrets.redact(&json(&file)).into_owned(),
    };
    // A reader that closed the pipe has seen what it wanted.
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).ok();
    Ok(Outcome::Passed)
}

/// One prompt as an object; several as a list.
fn json(file: &RenderedFile) -> String {
    let mut all: Vec<Value> =
        file.prompts.iter().map(|(prompt, messages)| rendered::to_json(prompt, messages)).collect();
    let value = if all.len() == 1 { all.swap_remove(0) } else { Value::Array(all) };
    format!("{value:#}")
}

/// Each prompt in turn, under its name where there are several.
fn text(file: &RenderedFile, secrets: &Secrets) -> String {
    let one = file.prompts.len() == 1;
    let texts = file.prompts.iter().map(|(prompt, messages)| {
        let name = prompt.label.as_deref().unwrap_or(&prompt.name);
        let heading = if one { String::new() } else { format!("=== {}\n", Untrusted::new(name, secrets).line(200)) };
        heading + &rendered::to_text(prompt, messages, secrets)
    });
    texts.collect::<Vec<_>>().join("\n")
}
