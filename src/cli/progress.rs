//! Progress of a run: a bar on a terminal, plain lines otherwise; Ctrl-C stops the run. Writes to standard error only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engine::event::RunEvent;

/// Shows a run's events.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
    stage: AtomicUsize,
    stopper: JoinHandle<()>,
}

impl Progress {
    /// Starts showing; the first Ctrl-C cancels `cancel`.
    pub fn start(cancel: CancellationToken) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} trials  {elapsed}  {msg}") {
            bar.set_style(style);
        }
        let stopper = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancel.cancel();
            }
        });
        Self { bar, terminal, stage: AtomicUsize::new(0), stopper }
    }

    /// Shows one event.
    pub fn show(&self, event: &RunEvent) {
        match event {
            RunEvent::StageStarted { trials } => {
                self.bar.inc_length(*trials as u64);
                let stage = self.stage.fetch_add(1, Ordering::Relaxed) + 1;
                if !self.terminal {
                    eprintln!("stage {stage}: {trials} trials");
                }
            }
            RunEvent::TrialDone { .. } => self.bar.inc(1),
            RunEvent::Retrying { message } => self.bar.set_message(format!("trying again: {}", message.escape_debug())),
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
        self.stopper.abort();
    }
}
