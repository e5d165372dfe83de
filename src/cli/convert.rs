//! `promptops convert`: files of any format to native ones.

use super::args::ConvertArguments;
use super::exit::{CommandError, Outcome};
use super::show;
use crate::app::convert::{self, ConvertError, ConvertOptions};

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &ConvertArguments) -> Result<Outcome, CommandError> {
    let options = ConvertOptions {
        folder: super::folder()?,
        file: arguments.file.clone(),
        output_dir: arguments.output_dir.clone(),
    };
    let conversion = match convert::convert(&options).await {
        Ok(conversion) => conversion,
        Err(ConvertError::Findings(findings)) => {
            show::findings(&findings);
            return Ok(Outcome::WrongInput);
        }
        Err(error) => return Err(failed(&error)),
    };
    show::findings(&conversion.warnings);
    show::findings(&conversion.losses);
    let lost = conversion.losses.len();
    if lost > 0 && !arguments.allow_losses {
        let losses = if lost == 1 { "1 loss".to_owned() } else { format!("{lost} losses") };
        return Err(CommandError::Input(format!(
            "{losses}, so nothing was written; mend them first, or accept them with --allow-losses"
        )));
    }
    convert::write(&conversion, arguments.force).map_err(|error| failed(&error))?;
    for (file, _) in &conversion.files {
        let shown = file.strip_prefix(&options.folder).unwrap_or(file);
        println!("wrote {}", shown.display());
    }
    Ok(Outcome::Passed)
}

fn failed(error: &ConvertError) -> CommandError {
    match error {
        ConvertError::Input(_) | ConvertError::Findings(_) => CommandError::Input(error.to_string()),
        ConvertError::World(_) => CommandError::World(error.to_string()),
        ConvertError::Bug { .. } => CommandError::Bug(error.to_string()),
    }
}
