//! The arguments of every command. Knows how they are written, not what they do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::audit::chain::Pin;
use crate::domain::date::parse_day_or_time;
use crate::domain::ids::RepoName;

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

/// `promptops audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    /// What to do with the log.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no entry was changed, left out or put elsewhere; prints the last place and its digest
    Verify(AuditVerifyArguments),
    /// Write the entries as lines that can be checked again
    Export(AuditExportArguments),
}

/// `promptops audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArguments {
    /// Check an exported file instead of the database
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What was noted of the log earlier: it must still stand there
    #[arg(long, value_name = "SEQ:DIGEST", value_parser = Pin::parse)]
    pub expect: Option<Pin>,
}

/// `promptops audit export`.
#[derive(Debug, Args)]
pub struct AuditExportArguments {
    /// How entries are written
    #[arg(long, value_enum, default_value_t = AuditFormat::Jsonl, value_name = "FORMAT")]
    pub format: AuditFormat,
    /// Write to FILE instead of printing
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Only entries from this day or time on, in UTC: 2026-11-01 or 2026-11-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
    pub since: Option<i64>,
    /// Only entries about this repository
    #[arg(long, value_name = "OWNER/NAME", value_parser = RepoName::parse)]
    pub repo: Option<RepoName>,
}

/// How exported entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// A JSON object per line
    Jsonl,
    /// A table for a spreadsheet
    Csv,
}

/// `promptops eval`.
#[derive(Debug, Args)]
pub struct EvalArguments {
    /// Prompt files, folders or globs; every governed prompt if none is given
    pub paths: Vec<String>,
    /// Compare with this Git revision; without it only the head side is measured
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Git revision to measure [default: the working tree]
    #[arg(long, value_name = "REV")]
    pub head: Option<String>,
    /// Compare two prompt files, or two models (provider/name) on every prompt, on one golden set
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["base", "head"])]
    pub compare: Vec<String>,
    /// Golden set for --compare [default: that of B, else that of A]
    #[arg(long, value_name = "FILE", requires = "compare")]
    pub golden: Option<String>,
    /// Model for every prompt, as provider/name, whatever the prompt files say
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Samples per case and side
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub trials: Option<u32>,
    /// Model calls at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub concurrency: u32,
    /// Do not start, or stop, when the run costs more than this
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub max_cost: Option<f64>,
    /// Say what the run would ask and cost, and call nobody
    #[arg(long, conflicts_with_all = ["record", "replay"])]
    pub estimate: bool,
    /// Ask the model again even where its answer is known
    #[arg(long)]
    pub no_cache: bool,
    /// Seed of the statistics' random draws [default: from the content]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Exit with 1 if any case fails
    #[arg(long)]
    pub strict: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
    /// Write to FILE instead of printing; FORMAT=FILE writes a second format beside it (repeatable)
    #[arg(long, value_name = "[FORMAT=]FILE", value_parser = output)]
    pub output: Vec<Output>,
    /// Keep the provider's answers in FILE
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    pub record: Option<PathBuf>,
    /// Answer from FILE, which an earlier --record wrote, instead of asking a provider
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
}

/// `promptops lint`.
#[derive(Debug, Args)]
pub struct LintArguments {
    /// Prompt files, folders or globs; every governed prompt if none is given
    pub paths: Vec<String>,
    /// Compare with this Git revision: what changed wants a higher version
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = LintFormat::Text, value_name = "FORMAT")]
    pub format: LintFormat,
    /// List the rules with their levels
    #[arg(long, conflicts_with_all = ["paths", "base", "explain"])]
    pub rules: bool,
    /// Say what a rule looks at and what to do
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "base"])]
    pub explain: Option<String>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// For a terminal, with the lines meant, on standard error
    Text,
    /// promptops.lint/v1
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// `promptops render`.
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// Prompt file
    pub file: String,
    /// Values of variables
    #[arg(long, value_name = "JSON", group = "given")]
    pub vars: Option<String>,
    /// Dotprompt's data: {input, messages, docs, context}
    #[arg(long, value_name = "JSON", group = "given")]
    pub data: Option<String>,
    /// Take the values from this case of the prompt's golden set
    #[arg(long, value_name = "ID", group = "given")]
    pub case: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = RenderFormat::Text, value_name = "FORMAT")]
    pub format: RenderFormat,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// For a terminal
    Text,
    /// For programs
    Json,
}

/// `promptops convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// The file; a prompt file takes its golden set along
    pub file: String,
    /// Folder to write to [default: beside the file]
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    pub force: bool,
    /// Write although something is lost; what is lost is listed either way
    #[arg(long)]
    pub allow_losses: bool,
}

/// `promptops policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say rule by rule what a policy makes of a pull request; nothing is written
    Explain(ExplainArguments),
    /// Run the tests of the policy, .github/promptops.tests.yml; no network, no keys
    Test(PolicyTestArguments),
}

/// `promptops policy explain`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["pull", "facts"]))]
pub struct ExplainArguments {
    /// A live pull request; needs the app's id and key in the environment
    #[arg(long, value_name = "URL")]
    pub pull: Option<String>,
    /// Facts of an imagined pull request as in a policy test, or a stored run's as JSON
    #[arg(long, value_name = "FILE")]
    pub facts: Option<String>,
    /// Other settings than those that count: what would they decide? [default with --facts: .github/promptops.yml]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<String>,
    /// The evaluation's verdict [default: the stored one, where PROMPTOPS_DATABASE_URL is set]
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub verdict: Option<VerdictArgument>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = RenderFormat::Text, value_name = "FORMAT")]
    pub format: RenderFormat,
}

/// A verdict, as results write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum VerdictArgument {
    /// Everything passes
    Pass,
    /// Nothing got worse that could be found
    NoRegressionFound,
    /// Something got worse
    Regression,
    /// Nothing could be said
    NotMeasured,
}

/// `promptops policy test`.
#[derive(Debug, Args)]
pub struct PolicyTestArguments {
    /// The tests [default: .github/promptops.tests.yml]
    pub file: Option<String>,
}

/// A rendering of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    Text,
    /// The pull request's comment
    Markdown,
    /// promptops.result/v1
    Json,
    /// JUnit XML: a suite per prompt, a test case per case
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// One page that needs nothing else
    Html,
    /// What `gh models eval --json` printed; implies --strict
    GithubModels,
}

/// A file to write, and the format if it is not the one of `--format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format named before `=`.
    pub format: Option<Format>,
    /// The file.
    pub file: PathBuf,
}

fn output(text: &str) -> Result<Output, String> {
    // What stands before `=` is a format unless it can only be a path.
    match text.split_once('=').filter(|(name, _)| !name.contains(['/', '\\', '.'])) {
        None if text.is_empty() => Err("give a file, or FORMAT=FILE".to_owned()),
        None => Ok(Output { format: None, file: text.into() }),
        Some((_, "")) => Err("give a file after `=`".to_owned()),
        Some((name, file)) => match Format::from_str(name, false) {
            Ok(format) => Ok(Output { format: Some(format), file: file.into() }),
            Err(_) => {
                let known: Vec<String> = Format::value_variants().iter().filter_map(written).collect();
                Err(format!("`{name}` is no format; write {}, or ./ before a file's name", known.join(", ")))
            }
        },
    }
}

/// A format as it is written before a file.
fn written(format: &Format) -> Option<String> {
    Some(format!("{}=", format.to_possible_value()?.get_name()))
}

fn dollars(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(amount),
        _ => Err("give an amount in US dollars, for instance 0.50".to_owned()),
    }
}

fn day_or_time(text: &str) -> Result<i64, String> {
    parse_day_or_time(text).ok_or_else(|| "write a day, 2026-11-01, or a time, 2026-11-01T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_argument_parser_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_output_may_name_its_format() {
        assert_eq!(
            output("json=out/a=b.json").unwrap(),
            Output { format: Some(Format::Json), file: "out/a=b.json".into() }
        );
        assert_eq!(output("./a=b").unwrap(), Output { format: None, file: "./a=b".into() });
        assert_eq!(
            output("xml=report.xml").unwrap_err(),
            "`xml` is no format; write text=, markdown=, json=, junit=, sarif=, html=, github-models=, or ./ before a \
             file's name"
        );
        assert!(output("json=").is_err());
        assert!(output("").is_err());
    }
}
