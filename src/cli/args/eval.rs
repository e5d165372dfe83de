//! The arguments of `promptops eval`. Knows how they are written, not what they do.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
    /// Settings file [default: .github/promptops.yml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

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
