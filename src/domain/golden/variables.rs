//! Every variable a prompt uses must have a value in every case; said before anything is run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::GoldenSet;
use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::prompt::{Body, Prompt, RenderError};
use crate::domain::reader::nearest;

/// Most cases named in one finding.
const MAX_NAMED: usize = 3;

/// What the cases leave undefined of the prompt's messages and of its own evaluators, at the place that uses it.
/// (The set's evaluators are checked when the set is parsed.)
#[must_use]
pub fn check_variables(prompt: &Prompt, set: &GoldenSet) -> Vec<Diagnostic> {
    let in_messages = prompt.body.places().into_iter().map(|place| (place.variable, place.at, "a message"));
    let in_evaluators = prompt.evaluator_variables.iter().map(|(name, at)| (name.as_str(), Some(*at), "an evaluator"));
    let mut first_uses: BTreeMap<(&str, &str), Option<Location>> = BTreeMap::new();
    for (name, at, place) in in_messages.chain(in_evaluators) {
        first_uses.entry((name, place)).or_insert(at);
    }
    let mut findings: Vec<_> =
        first_uses.into_iter().filter_map(|((name, place), at)| undefined(prompt, set, name, place, at)).collect();
    if !findings.iter().any(|finding| finding.message.contains("in an evaluator")) {
        findings.extend(unsound(prompt, set));
    }
    if findings.is_empty() {
        findings.extend(unfilled(prompt, set));
    }
    findings.sort_by_key(|finding| finding.location.map_or((0, 0), |at| (at.line, at.column)));
    findings
}

/// What only shows when a template with conditions and loops is filled with a case: each kind once, with its first case.
fn unfilled(prompt: &Prompt, set: &GoldenSet) -> Vec<Diagnostic> {
    if matches!(prompt.body, Body::Messages(_)) {
        return Vec::new();
    }
    let mut findings: Vec<Diagnostic> = Vec::new();
    let mut told = Vec::new();
    for case in &set.cases {
        let Err(error) = prompt.render(&case.vars) else { continue };
        if told.contains(&error) {
            continue;
        }
        let (code, problem, location) = match &error {
            RenderError::Undefined(undefined) => ("undefined-variable", undefined.to_string(), undefined.location),
            RenderError::Template { message, location } => ("template-fails", message.clone(), *location),
        };
        let message = format!("in case `{}` ({}:{}): {problem}", case.id, set.path, case.line);
        let help = "correct the template, or the vars of the case";
        let mut finding = Diagnostic::error(code, &prompt.path, message).with_help(help);
        finding.location = location;
        findings.push(finding);
        told.push(error);
        if told.len() == MAX_NAMED {
            break;
        }
    }
    findings
}

/// What the cases make of the prompt's own evaluators that cannot work, such as a pattern that is none once filled.
fn unsound(prompt: &Prompt, set: &GoldenSet) -> Vec<Diagnostic> {
    let checks = prompt.evaluators.iter().flat_map(|evaluator| set.cases.iter().map(move |case| (evaluator, case)));
    let broken = checks.filter_map(|(evaluator, case)| {
        let error = evaluator.check_case(&case.vars, case.expected.as_deref()).err()?;
        let message = format!("in case `{}` ({}:{}): {}", case.id, set.path, case.line, error.message);
        let help = error.help.unwrap_or_else(|| "correct the evaluator or the case".to_owned());
        let mut finding = Diagnostic::error("invalid-evaluator", &prompt.path, message).with_help(help);
        let mut names = evaluator.variables();
        finding.location =
            names.find_map(|name| prompt.evaluator_variables.iter().find(|(used, _)| used == name)).map(|(_, at)| *at);
        Some(finding)
    });
    broken.take(MAX_NAMED).collect()
}

/// What the cases call a variable of a name like this one, if the prompt does not use that as well.
fn meant<'s>(prompt: &Prompt, set: &'s GoldenSet, name: &str) -> Option<&'s str> {
    let places = prompt.body.places();
    // Of `a.b` not `a` is misspelt where the cases have that.
    let used: BTreeSet<&str> = places.iter().map(|place| place.variable).chain(name.split('.').next()).collect();
    let given: BTreeSet<&str> = set.cases.iter().flat_map(|case| case.vars.keys()).map(|name| &**name).collect();
    let spare: Vec<&str> = given.into_iter().filter(|name| !used.contains(*name)).collect();
    nearest(name, &spare)
}

fn undefined(prompt: &Prompt, set: &GoldenSet, name: &str, place: &str, at: Option<Location>) -> Option<Diagnostic> {
    // A default stands in for a missing value in a message only; evaluators see what the case gives.
    if place == "a message" && prompt.variables.get(name).is_some_and(|variable| variable.default.is_some()) {
        return None;
    }
    let expected_counts = name == "expected" && place == "an evaluator";
    let mut without =
        set.cases.iter().filter(|case| !(case.vars.contains_key(name) || expected_counts && case.expected.is_some()));
    let named: Vec<String> =
        without.by_ref().take(MAX_NAMED).map(|case| format!("`{}` ({}:{})", case.id, set.path, case.line)).collect();
    if named.is_empty() {
        return None;
    }
    let more = without.count();
    let cases = if named.len() == 1 { "case" } else { "cases" };
    let mut message = format!("variable `{name}` in {place} has no value in {cases} {}", named.join(", "));
    if more > 0 {
        let _ = write!(message, " and {more} more");
    }
    let or_default = if place == "a message" { ", or give it a `default` under `variables`" } else { "" };
    let meant = meant(prompt, set, name).map_or_else(String::new, |meant| format!("did you mean `{meant}`? Else "));
    let mut finding = Diagnostic::error("undefined-variable", &prompt.path, message)
        .with_help(format!("{meant}add `{name}` to the vars of the case{or_default}"));
    finding.location = at;
    Some(finding)
}
