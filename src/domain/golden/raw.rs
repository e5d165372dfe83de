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
    set: Vec<(Evaluator, Location)>,
    /// Whether the prompt or the set has evaluators, even if they do not compile.
    has_shared: bool,
    /// Variables of the set's evaluators that were found missing once already.
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
        let compiled = set.into_iter().filter_map(|written| {
            let at = written.at;
            Some((evaluator_syntax::compile(reader, written)?, at))
        });
        let set = compiled.collect();
        Self {
            prompt,
            set,
            has_shared,
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
        let has_own = !evaluators.is_empty();
        let own: Vec<_> = evaluators
            .into_iter()
            .filter_map(|written| {
                let at = written.at;
                Some((self.compile(reader, written)?, at))
            })
            .collect();
        self.check_evaluators(reader, &id, &vars, expected.as_deref(), &own);
        let evaluators = match (has_own || self.has_shared, &expected) {
            (true, _) => self.share(own),
            (false, Some(_)) => {
                let implied = self.compile(reader, implied_equals(at)).map(|evaluator| (evaluator, at));
                self.share(implied.into_iter().collect())
            }
            (false, None) => {
                let message = format!("case `{id}` checks nothing: it has neither `expected` nor an evaluator");
                reader.error("checks-nothing", at, message, "add `expected` or an evaluator");
                return self.skip();
            }
        };
        if let Some(first) = self.lines.get(&id) {
            let (what, help) = if derived {
                ("two cases without an `id` have the same vars", "give each an `id`, or remove one")
            } else {
                ("two cases have the same id", "give each case an id of its own")
            };
            let message = format!("{what}: case `{id}` on line {} is also on line {first}", id_at.line);
            reader.error("duplicate-id", id_at, message, help);
            return self.skip();
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

    /// The prompt's evaluators, the set's and the case's; the same list of several cases is kept once.
    fn share(&mut self, own: Vec<(Evaluator, Location)>) -> Arc<[Evaluator]> {
        let set = self.set.iter().map(|(evaluator, _)| evaluator.clone());
        let own = own.into_iter().map(|(evaluator, _)| evaluator);
        let list: Vec<Evaluator> = self.prompt.evaluators.iter().cloned().chain(set).chain(own).collect();
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

    /// Every variable in the set's and the case's evaluators must have a value, and what it fills must be sound.
    /// (The prompt's evaluators are checked by `check_variables`.) The set's missing variables are told once each.
    fn check_evaluators(
        &mut self,
        reader: &mut Reader<'_>,
        id: &str,
        vars: &Vars,
        expected: Option<&str>,
        own: &[(Evaluator, Location)],
    ) {
        let has_value = |name: &str| vars.contains_key(name) || (name == "expected" && expected.is_some());
        let is_set = std::iter::repeat_n(true, self.set.len()).chain(std::iter::repeat(false));
        for ((evaluator, at), is_set) in self.set.iter().chain(own).zip(is_set) {
            let mut missing: Vec<&str> = evaluator.variables().filter(|name| !has_value(name)).collect();
            missing.sort_unstable();
            missing.dedup();
            for name in &missing {
                if !is_set || self.told.insert(((*name).to_owned(), *at)) {
                    undefined(reader, name, id, *at);
                }
            }
            if missing.is_empty()
                && let Err(error) = evaluator.check_case(vars, expected)
            {
                let help = error.help.unwrap_or_else(|| "correct the evaluator or the case".to_owned());
                reader.error("invalid-evaluator", *at, format!("in case `{id}`: {}", error.message), help);
            }
        }
    }
}

fn undefined(reader: &mut Reader<'_>, name: &str, id: &str, at: Location) {
    let (message, help) = if name == "expected" {
        (
            format!("the evaluator needs `expected`, which case `{id}` does not have"),
            "add `expected` to the case, or give the evaluator a text".to_owned(),
        )
    } else {
        (
            format!("variable `{name}` in an evaluator has no value in case `{id}`"),
            format!("add `{name}` to the case's `vars`"),
        )
    };
    reader.error("undefined-variable", at, message, help);
}

fn implied_equals(at: Location) -> Written {
    let check = CheckSpec::Equals(None);
    Written { spec: EvaluatorSpec::plain(check), at }
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
    let fixed =
        [vars.as_bytes(), if expected.is_some() { b"+" } else { b"-" }, expected.unwrap_or_default().as_bytes()];
    Digest::of_parts(fixed.into_iter().chain(evaluators.iter().map(|evaluator| evaluator.definition.0.as_slice())))
}
