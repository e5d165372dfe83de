//! What `promptops lint --format json` prints, `promptops.lint/v1`. Frozen: programs of other people read it. Knows no other
//! rendering.

use serde::Serialize;

use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::untrusted::{Secrets, Untrusted};

/// Name and version of the format.
const SCHEMA: &str = "promptops.lint/v1";

#[derive(Serialize)]
struct Lint {
    schema: &'static str,
    prompts: usize,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    rule: String,
    severity: Severity,
    path: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    help: Option<String>,
}

/// The JSON text, indented, with a line end.
#[must_use]
pub fn json(prompts: usize, findings: &[Diagnostic], secrets: &Secrets) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let lint = Lint {
        schema: SCHEMA,
        prompts,
        errors,
        warnings: findings.len() - errors,
        findings: findings.iter().map(|finding| of(finding, secrets)).collect(),
    };
    // Strings and numbers: nothing in it can fail to serialise.
    serde_json::to_string_pretty(&lint).unwrap_or_default() + "\n"
}

fn of(finding: &Diagnostic, secrets: &Secrets) -> Finding {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    Finding {
        rule: finding.code.clone(),
        severity: finding.severity,
        path: clean(finding.path.as_str()),
        line: finding.location.map(|at| at.line),
        column: finding.location.map(|at| at.column),
        message: clean(&finding.message),
        help: finding.help.as_deref().map(clean),
    }
}
