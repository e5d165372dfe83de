//! `promptops demo`: the bundled library through a whole pull request, with the real service and a GitHub on loopback.

mod show;
mod stage;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::args::DemoArguments;
use super::exit::{CommandError, Outcome};
use super::show::look;
use crate::domain::report::terminal::Look;
use crate::engine::provider::Provider;
use crate::provider::Replay;
use crate::sim::{Change, NewPull, Verdict};
use show::Page;
use stage::{Stage, bug};

const PROMPT: &str = "prompts/reply.prompt.yml";
const FIRST_PUSH: &str = include_str!("../../../examples/support-team/pushes/1-hand-over.prompt.yml");
const SECOND_PUSH: &str = include_str!("../../../examples/support-team/pushes/2-shorten.prompt.yml");
const ANSWERS: &str = include_str!("../../../examples/support-team/answers.jsonl");

/// Plays the demo and prints it.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &DemoArguments) -> Result<Outcome, CommandError> {
    let answers = Replay::read(ANSWERS.as_bytes(), Path::new("answers.jsonl")).map_err(bug)?;
    let mut printed = Vec::new();
    let played = play(Arc::new(answers), look(), arguments.keep.as_deref(), &mut printed).await;
    // A reader that closed the pipe has seen what it wanted.
    io::stdout().write_all(&printed).ok();
    played?;
    Ok(Outcome::Passed)
}

/// Plays the demo with `provider` answering, and writes what happens to `out`; the comments and checks also into the folder
/// `keep`.
///
/// # Errors
/// See [`CommandError`].
pub async fn play(
    provider: Arc<dyn Provider>,
    look: Look,
    keep: Option<&Path>,
    out: &mut (dyn Write + Send),
) -> Result<(), CommandError> {
    let stage = Stage::build(provider).await?;
    let told = tell(&stage, &mut Page { look, keep, out }).await;
    stage.clear().await?;
    told
}

async fn tell(stage: &Stage, page: &mut Page<'_>) -> Result<(), CommandError> {
    let push = |content, title: &str| {
        stage.repo.push("hand-over", &Change::by("tom").message(title).write(PROMPT, content)).map_err(bug)
    };
    page.opening()?;

    page.heading("1. Tom adds a sentence to the prompt and opens a pull request")?;
    stage.repo.branch("hand-over", "main").map_err(bug)?;
    let head = push(FIRST_PUSH, "Say who takes over and by when")?;
    let new = NewPull { title: "Say who takes over and by when", ..NewPull::new("tom", "hand-over", "main") };
    let number = stage.repo.open_pull(&new).map_err(bug)?;
    stage.settled(&head, "evaluation").await?;
    let opened = stage.moment(number, &head);
    page.checks(&opened)?;
    page.comment(&opened)?;
    page.keep("1-opened", &opened)?;

    page.heading("2. Ida of the support team approves")?;
    stage.repo.review(number, "ida", Verdict::Approve, "Reads well.").map_err(bug)?;
    stage.settled(&head, "approval").await?;
    let approved = stage.moment(number, &head);
    page.checks(&approved)?;
    page.keep("2-approved", &approved)?;

    page.heading("3. Tom pushes a shorter prompt, without the rule on large refunds")?;
    let head = push(SECOND_PUSH, "Shorten the instructions")?;
    stage.settled(&head, "evaluation").await?;
    let shortened = stage.moment(number, &head);
    page.checks(&shortened)?;
    page.comment(&shortened)?;
    page.keep("3-shortened", &shortened)?;

    page.ending()
}
