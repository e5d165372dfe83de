//! What `promptops doctor --format json` prints, `promptops.doctor/v1`. Frozen: programs of other people read it. Knows no other
//! rendering.

use serde::Serialize;

use crate::domain::doctor::{Finding, Level, Part};
use crate::domain::untrusted::{Secrets, Untrusted};

/// Name and version of the format.
const SCHEMA: &str = "promptops.doctor/v1";

#[derive(Serialize)]
struct Doctor {
    schema: &'static str,
    problems: usize,
    unreachable: usize,
    warnings: usize,
    findings: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    part: Part,
    check: &'static str,
    level: Level,
    message: String,
    advice: Option<String>,
}

/// How many findings are of this level.
#[must_use]
pub fn number(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

/// The JSON text, indented, with a line end.
#[must_use]
pub fn json(findings: &[Finding], secrets: &Secrets) -> String {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let line = |finding: &Finding| Line {
        part: finding.part,
        check: finding.check,
        level: finding.level,
        message: clean(&finding.message),
        advice: finding.advice.as_deref().map(clean),
    };
    let doctor = Doctor {
        schema: SCHEMA,
        problems: number(findings, Level::Problem),
        unreachable: number(findings, Level::Unreachable),
        warnings: number(findings, Level::Warning),
        findings: findings.iter().map(line).collect(),
    };
    // Strings and numbers: nothing in it can fail to serialise.
    serde_json::to_string_pretty(&doctor).unwrap_or_default() + "\n"
}
