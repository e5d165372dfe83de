//! The arguments of every command. Knows how they are written, not what they do.

mod audit;
mod eval;
mod lint;
mod policy;
mod prompt;

use clap::{Parser, Subcommand};

pub use audit::{AuditArguments, AuditCommand, AuditExportArguments, AuditFormat, AuditVerifyArguments};
pub use eval::{EvalArguments, Format, Output};
pub use lint::{LintArguments, LintFormat};
pub use policy::{ExplainArguments, PolicyCommand, PolicyTestArguments, VerdictArgument};
pub use prompt::{ConvertArguments, RenderArguments, RenderFormat};

/// A merge gate for prompts: evaluates changed prompts against their golden sets, base and head side by side.
#[derive(Debug, Parser)]
#[command(name = "promptops", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run prompts on their golden sets, and compare with a base revision
    Eval(Box<EvalArguments>),
    /// Run as a step of a GitHub workflow: everything is read from the runner's environment
    #[command(hide = true)]
    Action,
    /// Check prompts, golden sets and settings without calling a model
    Lint(LintArguments),
    /// Print the messages of a prompt as a model would get them; no model is called
    Render(RenderArguments),
    /// Write a prompt file or golden set of any format as .prompt.yml and .golden.yml
    Convert(ConvertArguments),
    /// Explain and test who must approve what
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Take a bundled prompt library through a whole pull request: no key, no network, no GitHub
    #[cfg(feature = "demo")]
    Demo,
    /// Run the GitHub App: webhooks in, comments and checks out
    Serve,
    /// Check and export the audit log of the service
    Audit(AuditArguments),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_argument_parser_is_sound() {
        Arguments::command().debug_assert();
    }
}
