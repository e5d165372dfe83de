//! The rubrics of model-graded evaluators, one function each. Instructions are ours; every text from a case or a model is fenced.

use std::sync::Arc;

use super::draft::Draft;
use super::reading::Reading;
use crate::domain::evaluator::choices::Choices;

/// The five relations of an answer to its reference.
pub(super) const RELATIONS: [&str; 5] = ["A", "B", "C", "D", "E"];

/// The query where there is one, then the others.
fn held<'a>(query: Option<&'a str>, others: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    query.map(|query| ("query", query)).into_iter().chain(others.iter().copied()).collect()
}

/// A team's question with choices.
pub(super) fn choices(question: &str, output: &str, choices: &Arc<Choices>) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You judge an answer that another model gave. Answer this question about it with one of the choices.\n\n\
             Question:\n{question}\n\n{notice}\n\n{}",
            Draft::choice(&choices.texts())
        )
    };
    let held = [("answer", output)];
    let last = "Answer the question about the answer above.";
    Draft::fenced(&[question], &held, instruct, last, Reading::Verdict(Arc::clone(choices)))
}

/// How the facts of an answer stand to a reference.
pub(super) fn factuality(query: Option<&str>, reference: &str, output: &str, relations: &Arc<Choices>) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You compare the facts in an answer that another model gave with those in a reference that an expert wrote. \
             Style, wording, order and punctuation do not count.\n\nA: the answer says a part of what the reference says, \
             and nothing that contradicts it.\nB: the answer says all that the reference says and more, and nothing that \
             contradicts it.\nC: both say the same.\nD: the answer contradicts the reference.\nE: they differ, but in \
             nothing that touches the facts.\n\n{notice}\n\n{}",
            Draft::choice(&RELATIONS)
        )
    };
    let held = held(query, &[("reference", reference), ("answer", output)]);
    let last = "How does the answer above stand to the reference?";
    Draft::fenced(&[], &held, instruct, last, Reading::Verdict(Arc::clone(relations)))
}

/// A criterion that is met or not.
pub(super) fn closed_qa(query: Option<&str>, criterion: &str, output: &str, choices: &Arc<Choices>) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You judge whether an answer that another model gave meets a criterion. Nothing but the criterion counts.\n\n\
             Criterion:\n{criterion}\n\n{notice}\n\n{}",
            Draft::choice(&choices.texts())
        )
    };
    let held = held(query, &[("answer", output)]);
    let last = "Does the answer above meet the criterion?";
    Draft::fenced(&[criterion], &held, instruct, last, Reading::Verdict(Arc::clone(choices)))
}

/// How well an answer deals with a query.
pub(super) fn answer_relevance(query: &str, output: &str) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You judge how well an answer that another model gave deals with what was asked: with all of it and with \
             nothing else. Whether it is right does not count. An answer that evades the question, or says only that it \
             does not know, deals with none of it.\n\nScore from 0 (it is about something else) over 0.5 (it deals with \
             about half) to 1 (it deals with all that was asked and with nothing else).\n\n{notice}\n\n{}",
            Draft::SCORE
        )
    };
    let held = [("query", query), ("answer", output)];
    let last = "How well does the answer above deal with the query?";
    Draft::fenced(&[], &held, instruct, last, Reading::Score)
}

/// How much of a reference a context holds.
pub(super) fn context_recall(context: &str, reference: &str) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You check a text that was looked up against a reference that an expert wrote. List each statement of the \
             reference once, in its order. A statement holds if the context says it, or if it follows from the context \
             alone; what you know yourself does not count.\n\n{notice}\n\n{}",
            Draft::STATEMENTS
        )
    };
    let held = [("context", context), ("reference", reference)];
    let last = "List the statements of the reference, and whether each holds by the context.";
    Draft::fenced(&[], &held, instruct, last, Reading::Share { nothing: None })
}

/// How much of a context a query needs.
pub(super) fn context_relevance(context: &str, query: &str) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You check how much of a text that was looked up is needed to answer a query. List each sentence of the context \
             once, in its order. A sentence holds if the query could not be answered as fully without it.\n\n{notice}\n\n{}",
            Draft::STATEMENTS
        )
    };
    let held = [("query", query), ("context", context)];
    let last = "List the sentences of the context, and whether each is needed.";
    Draft::fenced(&[], &held, instruct, last, Reading::Share { nothing: None })
}

/// How much of an answer a context supports.
pub(super) fn context_faithfulness(query: Option<&str>, context: &str, output: &str) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You check an answer that another model gave against the text it was given as its only source. List each claim \
             of the answer once, in its order; greetings, questions and offers are no claims. A claim holds if the \
             context says it, or if it follows from the context alone; what you know yourself does not count. If the \
             answer claims nothing, the list is empty.\n\n{notice}\n\n{}",
            Draft::STATEMENTS
        )
    };
    let held = held(query, &[("context", context), ("answer", output)]);
    let last = "List the claims of the answer, and whether each holds by the context.";
    Draft::fenced(&[], &held, instruct, last, Reading::Share { nothing: Some(1.0) })
}

/// How many replies of a conversation fit what was said before.
pub(super) fn conversation_relevance(before: &str, output: &str) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You check whether the replies in a conversation fit what was said before them. The answer is the last reply. \
             List each reply of the assistant once, in its order, the answer last. A reply holds if it deals with what \
             the person said before it; a vague reply to a vague message, such as a greeting, holds.\n\n{notice}\n\n{}",
            Draft::STATEMENTS
        )
    };
    let held = [("conversation", before), ("answer", output)];
    let last = "List the replies, the answer last, and whether each holds.";
    Draft::fenced(&[], &held, instruct, last, Reading::Share { nothing: None })
}
