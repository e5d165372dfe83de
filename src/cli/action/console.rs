//! The step's log: what a model or a file says is printed there and never obeyed. Knows no report's meaning.

use std::io::Write;

use crate::domain::actions::commands;
use crate::domain::report::Report;
use crate::domain::report::text::{self, Style};
use crate::domain::untrusted::{Secrets, Untrusted};

/// The log while the runner is told to obey nothing.
pub struct Console {
    token: String,
}

impl Console {
    /// Stops the runner from obeying what is printed, by a token that nobody can guess.
    pub fn quiet() -> Self {
        let console = Self { token: unguessable() };
        print(&commands::stop(&console.token));
        console
    }

    /// Prints the report as a terminal would show it.
    pub fn report(&self, report: &Report, secrets: &Secrets) {
        self.tell(&text::text(report, Style { colour: false }, secrets), secrets);
    }

    /// Prints lines, whoever wrote them.
    pub fn tell(&self, lines: &str, secrets: &Secrets) {
        print(&format!("{}\n", Untrusted::new(lines.trim_end(), secrets).lines(usize::MAX)));
    }

    /// Lets the runner obey again.
    pub fn resume(self) {
        print(&commands::resume(&self.token));
    }
}

/// A word that nobody can guess.
pub fn unguessable() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Prints as it is. A reader that closed the pipe has seen what it wanted.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).ok();
}
