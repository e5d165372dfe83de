//! Reads what was written and holds it against what it was written from. Knows no file system.

use super::{Loss, Written};
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::golden::{self, Case, GoldenSet};
use crate::domain::prompt::{self, Body, Prompt};

/// Most cases named that read differently.
const MAX_NAMED: usize = 3;

/// What reads differently although it could be written.
///
/// # Errors
/// A difference that is no known loss: our mistake.
pub(super) fn check(
    prompt: &Prompt,
    set: Option<&GoldenSet>,
    written: &Written,
    lossy: bool,
) -> Result<Vec<Loss>, String> {
    let read = prompt::parse(&written.prompt.0, written.prompt.1.as_bytes()).map_err(|errors| told(&errors))?.value;
    same_prompt(prompt, &read)?;
    let (Some(set), Some((path, text))) = (set, &written.golden) else { return Ok(Vec::new()) };
    let again = golden::parse(path, text.as_bytes(), &read).map_err(|errors| told(&errors))?.value;
    if set.cases.len() != again.cases.len() {
        return Err(format!("{} cases became {}", set.cases.len(), again.cases.len()));
    }
    let mut losses = Vec::new();
    for (case, other) in set.cases.iter().zip(&again.cases) {
        if !same_case(case, other) && !lossy {
            return Err(format!("case `{}` became another", case.id));
        }
        if lossy || prompt.render(&case.vars).ok() == read.render(&other.vars).ok() {
            continue;
        }
        if matches!(prompt.body, Body::Messages(_)) {
            return Err(format!("the prompt reads differently in case `{}`", case.id));
        }
        if losses.len() < MAX_NAMED {
            let what = format!(
                "case `{}` reads differently: lists, true and false, and null are printed as JSON in a .prompt.yml",
                case.id
            );
            losses.push(Loss { at: None, what });
        }
    }
    Ok(losses)
}

fn same_prompt(a: &Prompt, b: &Prompt) -> Result<(), String> {
    let parts = [
        ("name", a.name == b.name),
        ("description", a.description == b.description),
        ("model", a.model == b.model),
        ("parameters", a.parameters == b.parameters),
        ("response format", a.response_format == b.response_format),
        ("tools", a.tools == b.tools),
        ("variables", a.variables == b.variables),
        ("version", a.version == b.version),
        ("owner", a.owner == b.owner),
        ("use case", a.use_case == b.use_case),
        ("example output", a.example_output == b.example_output),
        ("tags", a.tags == b.tags),
    ];
    match parts.iter().find(|(_, same)| !same) {
        Some((part, _)) => Err(format!("the prompt's {part} became another")),
        None => Ok(()),
    }
}

fn same_case(a: &Case, b: &Case) -> bool {
    a.id == b.id
        && a.definition == b.definition
        && (a.must_pass, a.weight.to_bits()) == (b.must_pass, b.weight.to_bits())
        && (&a.tags, &a.cluster) == (&b.tags, &b.cluster)
}

fn told(findings: &[Diagnostic]) -> String {
    let first = findings.iter().find(|finding| finding.severity == Severity::Error);
    first.map_or_else(|| "it cannot be read".to_owned(), |finding| finding.render().trim_end().to_owned())
}
