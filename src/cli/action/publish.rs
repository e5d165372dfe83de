//! Where the step's result goes: files, the job's summary, outputs, annotations, the pull request's comment. Decides nothing.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::super::eval;
use super::super::exit::CommandError;
use super::Ended;
use super::console::{print, unguessable};
use crate::config::ActionConfig;
use crate::domain::actions::commands::{self, Kind};
use crate::domain::actions::{Outputs, PERMISSIONS, PullEvent};
use crate::domain::report::annotations::Level;
use crate::domain::report::{Outcome, Report, annotations as remarks_of, json_v1, junit, markdown, sarif};
use crate::domain::untrusted::{Secrets, Untrusted};
use crate::github::{CommentOutcome, CommentWrite, GithubError, Remembered, Repository};

/// GitHub shows no longer summary of a step.
const SUMMARY_BYTES: usize = 1024 * 1024;
/// Longest remark beside the report.
const REMARK: usize = 2_000;
/// What remarks are called.
const TITLE: &str = "PromptOps";

/// Writes the result's files, the summary and the outputs; gives what could not be written.
pub fn files(config: &ActionConfig, ended: &Ended, secrets: &Secrets) -> Vec<(Kind, String)> {
    let report = &ended.report;
    let mut troubles = Vec::new();
    let mut write = |file: &Path, text: &str| match not_by_link(file, config.workspace.as_deref())
        .and_then(|()| eval::write_file(file, text))
    {
        Ok(()) => true,
        Err(error) => {
            troubles.push((Kind::Warning, error.to_string()));
            false
        }
    };
    let file = config.temp.as_ref().map(|temp| temp.join(format!("promptops-{}.json", unguessable())));
    let file = file.filter(|file| write(file, &json_v1::json(report, secrets)));
    if let Some(file) = &config.inputs.sarif_file {
        write(file, &sarif::json(report, secrets));
    }
    if let Some(file) = &config.inputs.junit_file {
        write(file, &junit::xml(report, secrets));
    }
    let file = file.map_or_else(String::new, |file| file.display().to_string());
    let outputs = Outputs::of(report, ended.end).text(&file, &unguessable());
    let mut append = |name: &str, file: Option<&Path>, text: &str| {
        let Some(file) = file else { return };
        let written =
            OpenOptions::new().create(true).append(true).open(file).and_then(|mut f| f.write_all(text.as_bytes()));
        if let Err(error) = written {
            troubles.push((Kind::Warning, format!("{name} cannot be written: {error}")));
        }
    };
    append("GITHUB_OUTPUT", config.output.as_deref(), &outputs);
    let summary = config.summary.as_deref();
    append("GITHUB_STEP_SUMMARY", summary, &page(summary, ended, secrets));
    troubles
}

/// The change may have committed a link where a result is to go, which would lead to a file that is none of its own.
fn not_by_link(file: &Path, workspace: Option<&Path>) -> Result<(), CommandError> {
    // What lies above the checkout is the runner's.
    let is_ours = |part: &&Path| match workspace {
        Some(workspace) if part.is_absolute() => part.starts_with(workspace) && *part != workspace,
        _ => part.is_relative() && !part.as_os_str().is_empty(),
    };
    match file.ancestors().filter(is_ours).find(|part| part.is_symlink()) {
        Some(link) => Err(CommandError::Input(format!(
            "`{}` was not written: `{}` is a symbolic link; name a file that is none",
            file.display(),
            link.display()
        ))),
        None => Ok(()),
    }
}

/// The page for the summary, within what the step has left of it.
fn page(summary: Option<&Path>, ended: &Ended, secrets: &Secrets) -> String {
    let there = summary.and_then(|file| file.metadata().ok()).map_or(0, |there| there.len());
    let more: String = ended
        .remarks
        .iter()
        .filter(|(kind, remark)| *kind == Kind::Error && remark.contains('\n'))
        .map(|(_, remark)| format!("\n{}", Untrusted::new(remark, secrets).fence(REMARK)))
        .collect();
    let room =
        SUMMARY_BYTES.saturating_sub(usize::try_from(there).unwrap_or(usize::MAX)).saturating_sub(more.len() + 2);
    format!("{}{more}\n", markdown::page(&ended.report, room, secrets))
}

/// Prints the annotations, and the remarks as such that belong to no file.
pub fn annotations(ended: &Ended, secrets: &Secrets) {
    let count = |wanted: Kind| ended.remarks.iter().filter(|(kind, _)| *kind == wanted).count();
    for (kind, remark) in &ended.remarks {
        print(&commands::remark(*kind, TITLE, &Untrusted::new(remark.trim_end(), secrets).lines(REMARK)));
    }
    let mut all = remarks_of::annotations(&ended.report, secrets);
    // Where there is room for some only, what has to be fixed goes first.
    all.sort_by_key(|annotation| annotation.level == Level::Warning);
    print(&commands::annotations(&all, (count(Kind::Error), count(Kind::Warning))));
}

/// Writes the one comment of the pull request; gives why it was not written.
pub async fn comment(
    repository: Option<&Repository>,
    pull: &PullEvent,
    report: &Report,
    secrets: &Secrets,
) -> Option<(Kind, String)> {
    let notice = |text: &str| Some((Kind::Notice, text.to_owned()));
    if pull.is_fork && !pull.has_secrets {
        return notice(
            "No comment was written: the token of a fork's pull request may only read. The job summary says it all.",
        );
    }
    let Some(repository) = repository else {
        return notice("No comment was written: there is no `github-token`. The job summary says it all.");
    };
    match write(repository, pull, report, secrets).await {
        Ok(None) => None,
        Ok(Some(why)) => notice(why),
        Err(error) => Some((Kind::Warning, refused(&error))),
    }
}

async fn write(
    repository: &Repository,
    pull: &PullEvent,
    report: &Report,
    secrets: &Secrets,
) -> Result<Option<&'static str>, GithubError> {
    if repository.pull(pull.number).await?.head_sha != pull.head {
        return Ok(Some("No comment was written: the pull request has a newer commit."));
    }
    // Where nothing is governed there is something to say only in the place of what was said before.
    if report.outcome == Outcome::NothingGoverned && !repository.has_report(pull.number).await? {
        return Ok(None);
    }
    let comment = CommentWrite { body: markdown::comment(report, secrets), known: Remembered::Unsure, last: None };
    Ok(match repository.upsert_comment(pull.number, &comment).await? {
        CommentOutcome::Written { .. } => None,
        CommentOutcome::Locked => Some("No comment was written: the conversation is locked."),
    })
}

/// Which permission is missing, or what else went wrong; the verdict stays.
fn refused(error: &GithubError) -> String {
    match error {
        GithubError::Forbidden { .. } | GithubError::NotFound { .. } => format!(
            "the comment was not written: the job's token may not write to pull requests (pull-requests: write); add to the job:\n{PERMISSIONS}"
        ),
        GithubError::Unauthorized { .. } => {
            "the comment was not written: GitHub does not accept the `github-token`; leave the input out, or give a valid one"
                .to_owned()
        }
        other => format!("the comment was not written: {other}"),
    }
}
