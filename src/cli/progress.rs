//! Progress of a run: a bar on a terminal, plain lines otherwise; Ctrl-C stops the run. Writes to standard error only.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engine::event::RunEvent;

/// A stage of fewer trials gets no lines between its start and its end.
const LONG_STAGE: usize = 100;
/// More kinds of trouble are not told, so that a log stays readable.
const TOLD_TROUBLES: usize = 3;

/// Shows a run's events.
pub struct Progress {
    /// `None` where standard error is no terminal.
    bar: Option<ProgressBar>,
    lines: Mutex<Lines>,
    stopper: JoinHandle<()>,
}

/// What plain lines have told so far.
#[derive(Default)]
struct Lines {
    stages: usize,
    trials: usize,
    done: usize,
    troubles: Vec<String>,
}

impl Progress {
    /// Starts showing; the first Ctrl-C cancels `cancel`.
    pub fn start(cancel: CancellationToken) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            match ProgressStyle::with_template("{bar:30} {pos}/{len} trials  {elapsed}  {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        let stopper = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancel.cancel();
            }
        });
        Self { bar, lines: Mutex::default(), stopper }
    }

    /// Shows one event.
    pub fn show(&self, event: &RunEvent) {
        match &self.bar {
            Some(bar) => match event {
                RunEvent::StageStarted { trials } => bar.inc_length(*trials as u64),
                RunEvent::TrialDone { .. } => bar.inc(1),
                RunEvent::Retrying { message } => bar.set_message(trying_again(message)),
            },
            None => {
                if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).next(event) {
                    eprintln!("{line}");
                }
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.stopper.abort();
    }
}

impl Lines {
    /// The line an event is worth, if any.
    fn next(&mut self, event: &RunEvent) -> Option<String> {
        match event {
            RunEvent::StageStarted { trials } => {
                self.stages += 1;
                (self.trials, self.done) = (*trials, 0);
                let more = if self.stages > 1 { "more " } else { "" };
                Some(format!("running {trials} {more}trial{}", if *trials == 1 { "" } else { "s" }))
            }
            RunEvent::TrialDone { .. } => {
                self.done += 1;
                let quarter = |done: usize| done * 4 / self.trials.max(1);
                let tell = self.trials >= LONG_STAGE && self.done < self.trials;
                (tell && quarter(self.done) > quarter(self.done - 1))
                    .then(|| format!("{} of {} trials done", self.done, self.trials))
            }
            RunEvent::Retrying { message } => {
                if self.troubles.len() >= TOLD_TROUBLES || self.troubles.contains(message) {
                    return None;
                }
                self.troubles.push(message.clone());
                Some(trying_again(message))
            }
        }
    }
}

fn trying_again(message: &str) -> String {
    format!("trying again: {}", message.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::Side;

    #[test]
    fn plain_lines_tell_quarters_of_long_stages_and_each_trouble_once() {
        let mut lines = Lines::default();
        let done = RunEvent::TrialDone { prompt: 0, side: Side::Head, measured: true, cached: false };
        let mut events = vec![RunEvent::StageStarted { trials: 200 }];
        events.extend(vec![RunEvent::Retrying { message: "openai answered 500".to_owned() }; 2]);
        events.extend(vec![done.clone(); 200]);
        events.extend([RunEvent::StageStarted { trials: 1 }, done]);
        let told: Vec<String> = events.iter().filter_map(|event| lines.next(event)).collect();
        assert_eq!(
            told,
            [
                "running 200 trials",
                "trying again: openai answered 500",
                "50 of 200 trials done",
                "100 of 200 trials done",
                "150 of 200 trials done",
                "running 1 more trial",
            ]
        );
    }
}
