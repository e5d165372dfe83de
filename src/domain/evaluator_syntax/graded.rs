//! Evaluators that ask a model, in our form and in promptfoo's. Knows not how a model is asked.

use super::{OPTIONS, read_model, with_options};
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec, FactualityScores, GradedKind, GradedSpec, Measure};
use crate::domain::ids::ModelId;
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};

/// Our names, in the order of the documentation.
pub(super) const KINDS: [&str; 13] = [
    "judge",
    "tone",
    "choices",
    "closed_qa",
    "g_eval",
    "factuality",
    "answer_relevance",
    "context_recall",
    "context_relevance",
    "context_faithfulness",
    "conversation_relevance",
    "select_best",
    "similar",
];

/// promptfoo's names.
pub(super) const PROMPTFOO: [&str; 15] = [
    "llm-rubric",
    "model-graded-closedqa",
    "g-eval",
    "factuality",
    "model-graded-factuality",
    "answer-relevance",
    "context-recall",
    "context-relevance",
    "context-faithfulness",
    "conversation-relevance",
    "select-best",
    "similar",
    "similar:cosine",
    "similar:dot",
    "similar:euclidean",
];

const MEASURES: [(&str, Measure); 3] =
    [("cosine", Measure::Cosine), ("dot", Measure::Dot), ("euclidean", Measure::Euclidean)];

/// Whether promptfoo's name is one of a kind that asks a model.
pub(super) fn is_promptfoo(name: &str) -> bool {
    PROMPTFOO.contains(&name)
}

/// Whether promptfoo's name says nothing without a value; the caller reports it, who knows the place.
pub(super) fn needs_value(name: &str) -> bool {
    matches!(name, "llm-rubric" | "model-graded-closedqa" | "select-best" | "g-eval")
}

/// The highest threshold a check can have: scores end at 1, distances nowhere.
pub(super) fn highest_threshold(check: &CheckSpec) -> f64 {
    let by_distance = |kind: &GradedKind| matches!(kind, GradedKind::Similar { measure: Measure::Euclidean, .. });
    match check {
        CheckSpec::Graded(graded) if by_distance(&graded.kind) => f64::INFINITY,
        _ => 1.0,
    }
}

/// Reads a value under promptfoo's name. The threshold is put into the evaluator by the caller.
pub(super) fn promptfoo(reader: &mut Reader<'_>, name: &str, value: Option<&Node>) -> Option<CheckSpec> {
    let value = value.filter(|value| !matches!(value.kind, Kind::Null));
    let text = |reader: &mut Reader<'_>| match value {
        Some(value) => reader.words(value, name).map(Some),
        None => Some(None),
    };
    let kind = match name {
        "llm-rubric" => {
            let rubric = reader.words(value?, name)?;
            return Some(CheckSpec::Judge { rubric, model: None });
        }
        "model-graded-closedqa" => GradedKind::ClosedQa { criterion: reader.words(value?, name)? },
        "select-best" => GradedKind::SelectBest { criterion: reader.words(value?, name)? },
        "g-eval" => GradedKind::GEval { criteria: texts(reader, value?, name)? },
        "factuality" | "model-graded-factuality" => {
            GradedKind::Factuality { reference: text(reader)?, scores: FactualityScores::default() }
        }
        "context-recall" => GradedKind::ContextRecall { reference: text(reader)? },
        "answer-relevance" => GradedKind::AnswerRelevance,
        "context-relevance" => GradedKind::ContextRelevance,
        "context-faithfulness" => GradedKind::ContextFaithfulness,
        "conversation-relevance" => GradedKind::ConversationRelevance,
        _ => {
            let suffix = name.split_once(':').map_or("cosine", |(_, suffix)| suffix);
            let measure = MEASURES.iter().find(|(known, _)| *known == suffix).map(|(_, measure)| *measure)?;
            let to = match value {
                Some(value) => texts(reader, value, name)?,
                None => Vec::new(),
            };
            GradedKind::Similar { to, measure }
        }
    };
    Some(CheckSpec::Graded(GradedSpec { kind, model: None }))
}

/// Reads the value of one of our [`KINDS`], bare or with options.
pub(super) fn ours(reader: &mut Reader<'_>, kind: &str, value: &Node) -> Option<EvaluatorSpec> {
    let form = Form::read(reader, kind, value)?;
    let model = form.model(reader)?;
    let graded = |kind| CheckSpec::Graded(GradedSpec { kind, model: model.clone() });
    let check = match kind {
        "judge" | "tone" => CheckSpec::Judge { rubric: form.needed(reader)?, model },
        "choices" => choices(reader, &form, model)?,
        "closed_qa" => graded(GradedKind::ClosedQa { criterion: form.needed(reader)? }),
        "select_best" => graded(GradedKind::SelectBest { criterion: form.needed(reader)? }),
        "g_eval" => {
            let criteria = form.needed_node(reader)?;
            graded(GradedKind::GEval { criteria: texts(reader, criteria, kind)? })
        }
        "factuality" => {
            let reference = form.text(reader)?;
            graded(GradedKind::Factuality { reference, scores: scores(reader, &form)? })
        }
        "context_recall" => graded(GradedKind::ContextRecall { reference: form.text(reader)? }),
        "similar" => {
            let to = match form.main {
                Some(node) => texts(reader, node, kind)?,
                None => Vec::new(),
            };
            graded(GradedKind::Similar { to, measure: measure(reader, &form)? })
        }
        "answer_relevance" => graded(GradedKind::AnswerRelevance),
        "context_relevance" => graded(GradedKind::ContextRelevance),
        "context_faithfulness" => graded(GradedKind::ContextFaithfulness),
        _ => graded(GradedKind::ConversationRelevance),
    };
    let mut spec = with_options(reader, form.fields, check)?;
    if kind == "tone" && spec.metric.is_none() {
        spec.metric = Some(kind.to_owned());
    }
    Some(spec)
}

/// A value in its bare form, or in the mapping form with options.
struct Form<'n> {
    kind: &'n str,
    node: &'n Node,
    /// What is judged by: the bare value, or the one under `value` or the kind's own key.
    main: Option<&'n Node>,
    fields: Option<Fields<'n>>,
}

impl<'n> Form<'n> {
    fn read(reader: &mut Reader<'_>, kind: &'n str, node: &'n Node) -> Option<Self> {
        let takes_value = !own_keys(kind).is_empty();
        match &node.kind {
            Kind::Null => Some(Self { kind, node, main: None, fields: None }),
            Kind::Flag(true) if !takes_value => Some(Self { kind, node, main: None, fields: None }),
            Kind::Map(_) => {
                let known: Vec<&str> = own_keys(kind).iter().chain(["model"].iter()).chain(&OPTIONS).copied().collect();
                let fields = reader.fields(node, kind, &known, Unknown::Refused)?;
                let main = own_keys(kind).iter().take(main_keys(kind)).find_map(|key| fields.get(key));
                Some(Self { kind, node, main, fields: Some(fields) })
            }
            _ if takes_value && kind != "choices" => Some(Self { kind, node, main: Some(node), fields: None }),
            _ => {
                reader.fields(node, kind, &[], Unknown::Refused)?;
                None
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'n Node> {
        self.fields.and_then(|fields| fields.get(key))
    }

    fn model(&self, reader: &mut Reader<'_>) -> Option<Option<ModelId>> {
        match self.get("model") {
            Some(node) => read_model(reader, node, "model").map(Some),
            None => Some(None),
        }
    }

    fn text(&self, reader: &mut Reader<'_>) -> Option<Option<String>> {
        match self.main {
            Some(node) => reader.words(node, self.kind).map(Some),
            None => Some(None),
        }
    }

    fn needed_node(&self, reader: &mut Reader<'_>) -> Option<&'n Node> {
        if self.main.is_none() {
            let key = own_keys(self.kind).first().copied().unwrap_or("value");
            let message = format!("`{}` has no `{key}`", self.kind);
            reader.error("invalid-evaluator", self.node.at, message, format!("say what a good answer is in `{key}`"));
        }
        self.main
    }

    fn needed(&self, reader: &mut Reader<'_>) -> Option<String> {
        let node = self.needed_node(reader)?;
        reader.words(node, own_keys(self.kind).first().copied().unwrap_or(self.kind))
    }
}

/// The keys of a kind in its mapping form; those that mean its main value come first.
fn own_keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "judge" | "tone" => &["rubric", "value"],
        "choices" => &["question", "prompt", "system", "choices"],
        "closed_qa" | "select_best" => &["criterion", "value"],
        "g_eval" => &["criteria", "value"],
        "factuality" => &["reference", "value", "scores"],
        "context_recall" => &["reference", "value"],
        "similar" => &["to", "value", "measure"],
        _ => &[],
    }
}

fn main_keys(kind: &str) -> usize {
    // All but `choices`, whose two ways to ask are told apart, have two names for their value.
    if kind == "choices" { 0 } else { 2 }
}

/// A text, or a list of texts.
fn texts(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    match node.kind {
        Kind::List(_) => reader.texts(node, what),
        _ => reader.words(node, what).map(|text| vec![text]),
    }
}

/// A question in our frame, or a prompt of the team's own with a place for the answer.
fn choices(reader: &mut Reader<'_>, form: &Form<'_>, model: Option<ModelId>) -> Option<CheckSpec> {
    let (question, prompt, listed) = (form.get("question"), form.get("prompt"), form.get("choices"));
    let (Some(listed), true) = (listed, question.is_some() != prompt.is_some()) else {
        let message = "`choices` needs `choices` and either `question` or `prompt`";
        let help = "write `choices: { question: \"Is it polite?\", choices: { yes: 1, no: 0 } }`";
        reader.error("invalid-evaluator", form.node.at, message, help);
        return None;
    };
    let mut choices = Vec::new();
    for (key, score) in reader.map(listed, "choices")? {
        choices.push((key.name.to_string(), reader.number(score, &key.name, 0.0, 1.0)?));
    }
    if let Some(question) = question {
        if let Some(system) = form.get("system") {
            let help = "remove it, or write the whole question as `prompt`";
            reader.error("invalid-evaluator", system.at, "`system` goes with `prompt` only", help);
            return None;
        }
        let kind = GradedKind::Choices { question: reader.words(question, "question")?, choices };
        return Some(CheckSpec::Graded(GradedSpec { kind, model }));
    }
    let system_prompt = match form.get("system") {
        Some(node) => Some(reader.text(node, "system")?),
        None => None,
    };
    let prompt = reader.words(prompt?, "prompt")?;
    Some(CheckSpec::GithubChoice { model, system_prompt, prompt, choices })
}

fn scores(reader: &mut Reader<'_>, form: &Form<'_>) -> Option<FactualityScores> {
    let mut scores = FactualityScores::default();
    let Some(node) = form.get("scores") else { return Some(scores) };
    let known = ["subset", "superset", "agree", "disagree", "differ_but_factual"];
    let fields = reader.fields(node, "scores", &known, Unknown::Refused)?;
    let places = [
        &mut scores.subset,
        &mut scores.superset,
        &mut scores.agree,
        &mut scores.disagree,
        &mut scores.differ_but_factual,
    ];
    for (name, place) in known.into_iter().zip(places) {
        if let Some(node) = fields.get(name) {
            *place = reader.number(node, name, 0.0, 1.0)?;
        }
    }
    Some(scores)
}

fn measure(reader: &mut Reader<'_>, form: &Form<'_>) -> Option<Measure> {
    let Some(node) = form.get("measure") else { return Some(Measure::Cosine) };
    let name = reader.text(node, "measure")?;
    let found = MEASURES.iter().find(|(known, _)| *known == name).map(|(_, measure)| *measure);
    if found.is_none() {
        let help = suggestion(&name, &MEASURES.map(|(name, _)| name));
        reader.error("unknown-value", node.at, format!("`measure` is `{name}`"), help);
    }
    found
}
