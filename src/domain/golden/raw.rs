//! A case as files write it, and the builder that makes checked cases of it. Knows no file format.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Case, GoldenSet, MustPass};
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::Evaluator;
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::evaluator_syntax::{self, Written};
use crate::domain::ids::Digest;
use crate::domain::prompt::{Prompt, Vars};
use crate::domain::reader::Reader;

/// Most compiled evaluators and lists of them kept for sharing: sets that repeat themselves stay far below.
const MAX_SHARED: usize = 4096;

/// A case before its evaluators are compiled.
pub(super) struct RawCase {
    pub(super) id: Option<(String, Location)>,
    pub(super) vars: Vars,
    pub(super) expected: Option<String>,
    pub(super) must_pass: Option<MustPass>,
    pub(super) weight: f64,
    pub(super) tags: Vec<String>,
    pub(super) cluster: Option<String>,
    pub(super) evaluators: Vec<Written>,
    pub(super) at: Location,
}

/// Collects cases; what is equal in several of them is kept once.
pub(super) struct Builder<'p> {
    prompt: &'p Prompt,
    shared: Vec<Evaluator>,
    /// Whether the prompt or the set has evaluators, even if they do not compile.
    has_shared: bool,
    shared_variables: Vec<(String, Location)>,
    told: HashSet<(String, Location)>,
    cases: Vec<Case>,
    skipped: bool,
    lines: HashMap<Arc<str>, u32>,
    compiled: HashMap<Digest, Evaluator>,
    lists: HashMap<Digest, Arc<[Evaluator]>>,
    texts: HashMap<String, Arc<str>>,
    tags: Arc<[String]>,
}

impl<'p> Builder<'p> {
    /// A builder for a set whose own evaluators run on every case.
    pub(super) fn new(reader: &mut Reader<'_>, prompt: &'p Prompt, set: Vec<Written>) -> Self {
        let has_shared = !prompt.evaluators.is_empty() || !set.is_empty();
        let mut shared = prompt.evaluators.clone();
        let mut shared_variables = Vec::new();
        for written in set {
            shared_variables.extend(evaluator_syntax::variables(&written.spec).into_iter().map(|name| (name, written.at)));
            shared.extend(evaluator_syntax::compile(reader, written));
        }
        Self {
            prompt,
            shared,
            has_shared,
            shared_variables,
            told: HashSet::new(),
            cases: Vec::new(),
            skipped: false,
            lines: HashMap::new(),
            compiled: HashMap::new(),
            lists: HashMap::new(),
            texts: HashMap::new(),
            tags: Arc::from([]),
        }
    }

    /// Checks a case and keeps it.
    pub(super) fn push(&mut self, reader: &mut Reader<'_>, raw: RawCase) {
        let RawCase { id, vars, expected, must_pass, weight, tags, cluster, evaluators, at } = raw;
        let id_at = id.as_ref().map_or(at, |(_, at)| *at);
        let derived = id.is_none();
        let id: Arc<str> = id.map_or_else(|| derived_id(&vars), |(id, _)| id).into();
        self.check_evaluator_variables(reader, &id, &vars, expected.is_some(), &evaluators);
        let evaluators = self.evaluators(reader, &id, at, evaluators, expected.is_some());
        if let Some(first) = self.lines.get(&id) {
            let (what, help) = if derived {
                ("two cases without an `id` have the same vars", "give each an `id`, or remove one")
            } else {
                ("two cases have the same id", "give each case an id of its own")
            };
            let message = format!("{what}: case `{id}` on line {} is also on line {first}", id_at.line);
            reader.error("duplicate-id", id_at, message, help);
            return;
        }
        self.lines.insert(Arc::clone(&id), id_at.line);
        let definition = definition(&vars, expected.as_deref(), &evaluators);
        if *tags != *self.tags {
            self.tags = tags.into();
        }
        let cluster = cluster.map(|cluster| self.text(cluster));
        let expected = expected.map(|expected| self.text(expected));
        self.cases.push(Case {
            id,
            vars: Arc::new(vars),
            expected,
            must_pass,
            weight,
            tags: Arc::clone(&self.tags),
            cluster,
            evaluators,
            line: at.line,
            definition,
        });
    }

    /// Notes a case that could not be read; its error is recorded already.
    pub(super) fn skip(&mut self) {
        self.skipped = true;
    }

    /// The set, unless it has no cases.
    pub(super) fn finish(mut self, reader: &mut Reader<'_>, at: Location, help: &str) -> Option<GoldenSet> {
        if self.cases.is_empty() && self.skipped {
            return None;
        }
        if self.cases.is_empty() {
            reader.error("no-cases", at, "the golden set has no cases", help);
            return None;
        }
        self.cases.shrink_to_fit();
        Some(GoldenSet { path: reader.source.path.clone(), cases: self.cases })
    }

    /// The same text of several cases, kept once.
    fn text(&mut self, text: String) -> Arc<str> {
        if let Some(kept) = self.texts.get(&text) {
            return Arc::clone(kept);
        }
        let kept: Arc<str> = text.as_str().into();
        if self.texts.len() < MAX_SHARED {
            self.texts.insert(text, Arc::clone(&kept));
        }
        kept
    }

    fn evaluators(
        &mut self,
        reader: &mut Reader<'_>,
        id: &str,
        at: Location,
        own: Vec<Written>,
        has_expected: bool,
    ) -> Arc<[Evaluator]> {
        // An own evaluator that does not compile is told as such, not as a case that checks nothing.
        let has_none = own.is_empty() && !self.has_shared;
        let mut list = self.shared.clone();
        list.extend(own.into_iter().filter_map(|written| self.compile(reader, written)).collect::<Vec<_>>());
        if has_none && has_expected {
            list.extend(self.compile(reader, implied_equals(at)));
        } else if has_none {
            let message = format!("case `{id}` checks nothing: it has neither `expected` nor an evaluator");
            reader.error("checks-nothing", at, message, "add `expected` or an evaluator");
        }
        let key = Digest::of_parts(list.iter().map(|evaluator| evaluator.definition.0.as_slice()));
        if let Some(kept) = self.lists.get(&key) {
            return Arc::clone(kept);
        }
        let list: Arc<[Evaluator]> = list.into();
        if self.lists.len() < MAX_SHARED {
            self.lists.insert(key, Arc::clone(&list));
        }
        list
    }

    fn compile(&mut self, reader: &mut Reader<'_>, written: Written) -> Option<Evaluator> {
        let key = Digest::of_parts([format!("{:?}", written.spec).as_bytes()]);
        if let Some(kept) = self.compiled.get(&key) {
            return Some(kept.clone());
        }
        let compiled = evaluator_syntax::compile(reader, written)?;
        if self.compiled.len() < MAX_SHARED {
            self.compiled.insert(key, compiled.clone());
        }
        Some(compiled)
    }

    /// Every variable in the set's and the case's evaluator texts must have a value. The set's are told once each.
    fn check_evaluator_variables(
        &mut self,
        reader: &mut Reader<'_>,
        id: &str,
        vars: &Vars,
        has_expected: bool,
        own: &[Written],
    ) {
        let defaults = &self.prompt.variables;
        let has_value = |name: &str| {
            vars.contains_key(name)
                || (name == "expected" && has_expected)
                || defaults.get(name).is_some_and(|variable| variable.default.is_some())
        };
        let own = own.iter().flat_map(|written| {
            evaluator_syntax::variables(&written.spec).into_iter().map(|name| (name, written.at))
        });
        let mut missing: Vec<_> = own.filter(|(name, _)| !has_value(name)).collect();
        for (name, at) in self.shared_variables.iter().filter(|(name, _)| !has_value(name)) {
            if self.told.insert((name.clone(), *at)) {
                missing.push((name.clone(), *at));
            }
        }
        for (name, at) in missing {
            let (message, help) = if name == "expected" {
                (
                    format!("the evaluator compares with `expected`, which case `{id}` does not have"),
                    "add `expected` to the case, or give the evaluator a text".to_owned(),
                )
            } else {
                (
                    format!("variable `{name}` in an evaluator has no value in case `{id}`"),
                    format!("add `{name}` to the case's `vars`, or give it a `default` in the prompt file"),
                )
            };
            reader.error("undefined-variable", at, message, help);
        }
    }
}

fn implied_equals(at: Location) -> Written {
    let check = CheckSpec::Equals(None);
    Written { spec: EvaluatorSpec { name: None, weight: None, threshold: None, metric: None, check }, at }
}

/// The same vars give the same id, in every file and on both sides of a pull request.
fn derived_id(vars: &Vars) -> String {
    let digest = Digest::of_parts([vars_text(vars).as_bytes()]).to_string();
    format!("case-{}", &digest[..12])
}

fn vars_text(vars: &Vars) -> String {
    serde_json::to_string(vars).unwrap_or_default()
}

fn definition(vars: &Vars, expected: Option<&str>, evaluators: &[Evaluator]) -> Digest {
    let vars = vars_text(vars);
    let fixed = [vars.as_bytes(), if expected.is_some() { b"+" } else { b"-" }, expected.unwrap_or_default().as_bytes()];
    Digest::of_parts(fixed.into_iter().chain(evaluators.iter().map(|evaluator| evaluator.definition.0.as_slice())))
}
