//! What a step of GitHub Actions reads and says: the event, workflow commands, outputs, when it fails. Knows no runner and no API.

pub mod commands;
mod event;
mod fail_on;
mod outputs;

pub use event::{Event, EventError, PullEvent};
pub use fail_on::{End, FailOn};
pub use outputs::Outputs;

/// What a workflow must grant its job, and what a step must be given.
pub const PERMISSIONS: &str = "permissions:\n  contents: read\n  pull-requests: write\n";

/// How a checkout gets the history that holds base.
pub const FULL_CHECKOUT: &str = "- uses: actions/checkout@v4\n  with:\n    fetch-depth: 0\n";

/// How the step gets the job's token.
pub const TOKEN_INPUT: &str = "with:\n  github-token: ${{ github.token }}\n";
