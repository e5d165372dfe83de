//! A case as files write it, and the builder that makes checked cases of it. Knows no file format.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Case, GoldenSet, MustPass};
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::Evaluator;
use crate::domain::evaluator::combine::{EvaluatorSet, Rule};
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::evaluator_syntax::{self, Written};
use crate::domain::ids::Digest;
use crate::domain::prompt::Vars;
use crate::domain::reader::Reader;

/// Most compiled evaluators and lists of them kept for sharing: sets that repeat themselves stay far below.
const MAX_SHARED: usize = 4096;

/// A case before its evaluators are compiled.
pub(crate) struct RawCase {
    pub(crate) id: Option<(String, Location)>,
    pub(crate) vars: Vars,
    pub(crate) expected: Option<String>,
    pub(crate) must_pass: Option<MustPass>,
    pub(crate) weight: f64,
    pub(crate) tags: Vec<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) evaluators: Vec<Written>,
    /// The score from which the case passes.
    pub(crate) threshold: Option<f64>,
    /// Those of `evaluators` that count as one, by their places in it.
    pub(crate) sets: Vec<EvaluatorSet>,
    pub(crate) at: Location,
}

impl RawCase {
    /// A case that says nothing yet.
    pub(crate) fn new(at: Location) -> Self {
        Self {
            id: None,
            vars: Vars::default(),
            expected: None,
            must_pass: None,
            weight: 1.0,
            tags: Vec::new(),
            cluster: None,
            evaluators: Vec::new(),
            threshold: None,
            sets: Vec::new(),
            at,
        }
    }
}

/// Collects cases; what is equal in several of them is kept once.
pub(crate) struct Builder<'p> {
    /// The prompt's own evaluators.
    prompt: &'p [Evaluator],
    set: Vec<(Evaluator, Location)>,
    /// Whether the prompt or the set has evaluators, even if they do not compile.
    has_shared: bool,
    /// Whether a case may check nothing: then every answer passes.
    may_check_nothing: bool,
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
    pub(crate) fn new(reader: &mut Reader<'_>, prompt: &'p [Evaluator], set: Vec<Written>) -> Self {
        let has_shared = !prompt.is_empty() || !set.is_empty();
        let compiled = set.into_iter().filter_map(|written| {
            let at = written.at;
            Some((evaluator_syntax::compile(reader, written)?, at))
        });
        let set = compiled.collect();
        Self {
            prompt,
            set,
            has_shared,
            may_check_nothing: false,
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

    /// The same builder, but a case that checks nothing passes, as promptfoo's tests without assertions do.
    pub(crate) fn passing_unchecked(mut self) -> Self {
        self.may_check_nothing = true;
        self
    }

    /// Checks a case and keeps it.
    pub(crate) fn push(&mut self, reader: &mut Reader<'_>, raw: RawCase) {
        let RawCase { id, vars, expected, must_pass, weight, tags, cluster, evaluators, threshold, mut sets, at } = raw;
        let id_at = id.as_ref().map_or(at, |(_, at)| *at);
        let derived = id.is_none();
        let vars_text = vars_text(&vars);
        let id: Arc<str> = id.map_or_else(|| derived_id(&vars_text), |(id, _)| id).into();
        let Some(evaluators) = self.judges(reader, (&id, at), &vars, expected.as_deref(), evaluators) else {
            return self.skip();
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
        let shared = self.prompt.len() + self.set.len();
        sets.iter_mut().for_each(|set| set.first += shared);
        let rule = Rule { threshold, sets: &sets };
        if must_pass.is_some() && only_compares(&evaluators, rule) {
            must_pass_compares(reader, &id, at);
            return self.skip();
        }
        let definition = definition(&vars_text, expected.as_deref(), &evaluators, rule);
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
            threshold,
            sets: sets.into(),
            line: at.line,
            definition,
        });
    }

    /// Everything that judges a case: shared with other cases where it is the same. `None` only after an error was recorded.
    fn judges(
        &mut self,
        reader: &mut Reader<'_>,
        (id, at): (&str, Location),
        vars: &Vars,
        expected: Option<&str>,
        evaluators: Vec<Written>,
    ) -> Option<Arc<[Evaluator]>> {
        let has_own = !evaluators.is_empty();
        let own: Vec<_> = evaluators
            .into_iter()
            .filter_map(|written| {
                let at = written.at;
                Some((self.compile(reader, written)?, at))
            })
            .collect();
        self.check_evaluators(reader, id, vars, expected, &own);
        if has_own || self.has_shared {
            return Some(self.share(own));
        }
        if expected.is_some() {
            let implied = self.compile(reader, implied_equals(at)).map(|evaluator| (evaluator, at));
            return Some(self.share(implied.into_iter().collect()));
        }
        if self.may_check_nothing {
            return Some(Arc::from([]));
        }
        let message = format!("case `{id}` checks nothing: it has neither `expected` nor an evaluator");
        reader.error("checks-nothing", at, message, "add `expected` or an evaluator");
        None
    }

    /// Notes a case that could not be read; its error is recorded already.
    pub(crate) fn skip(&mut self) {
        self.skipped = true;
    }

    /// The set, unless it has no cases.
    pub(crate) fn finish(mut self, reader: &mut Reader<'_>, at: Location, help: &str) -> Option<GoldenSet> {
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
        let list: Vec<Evaluator> = self.prompt.iter().cloned().chain(set).chain(own).collect();
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

/// Whether all that has a say compares the two sides.
fn only_compares(evaluators: &[Evaluator], rule: Rule<'_>) -> bool {
    let mut counted = rule.counted(evaluators).peekable();
    counted.peek().is_some() && counted.all(Evaluator::compares)
}

fn must_pass_compares(reader: &mut Reader<'_>, id: &str, at: Location) {
    let message = format!(
        "case `{id}` must pass, but only `select_best` judges it: must-pass runs are of the new prompt alone, and where there \
         is no other answer to compare with, every answer passes"
    );
    reader.error(
        "must-pass-compares",
        at,
        message,
        "add an evaluator that judges the answer by itself, or remove `must_pass`",
    );
}

fn implied_equals(at: Location) -> Written {
    let check = CheckSpec::Equals(None);
    Written { spec: EvaluatorSpec::plain(check), at }
}

/// The same vars give the same id, in every file and on both sides of a pull request.
pub(crate) fn derived_id(vars_text: &str) -> String {
    let digest = Digest::of_parts([vars_text.as_bytes()]).to_string();
    format!("case-{}", &digest[..12])
}

/// The vars as one text.
pub(crate) fn vars_text(vars: &Vars) -> String {
    serde_json::to_string(vars).unwrap_or_default()
}

fn definition(vars_text: &str, expected: Option<&str>, evaluators: &[Evaluator], rule: Rule<'_>) -> Digest {
    let fixed =
        [vars_text.as_bytes(), if expected.is_some() { b"+" } else { b"-" }, expected.unwrap_or_default().as_bytes()];
    let plain =
        Digest::of_parts(fixed.into_iter().chain(evaluators.iter().map(|evaluator| evaluator.definition.0.as_slice())));
    if rule.threshold.is_none() && rule.sets.is_empty() {
        return plain;
    }
    Digest::of_parts([b"rule".as_slice(), &plain.0, format!("{rule:?}").as_bytes()])
}
