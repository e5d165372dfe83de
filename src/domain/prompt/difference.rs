//! Which parts of a prompt beside its text differ between two versions. A side that is not there says nothing of itself.
//! Knows no golden set.

use super::{Parameters, Prompt};

/// Whether the model or its parameters differ.
#[must_use]
pub fn model_differs(base: Option<&Prompt>, head: Option<&Prompt>) -> bool {
    let says = |side: Option<&Prompt>| {
        let parameters = side.map_or_else(Parameters::default, |prompt| prompt.parameters.clone());
        (side.and_then(|prompt| prompt.model.clone()), parameters)
    };
    says(base) != says(head)
}

/// Whether anything differs that the prompt says about itself for people.
#[must_use]
pub fn metadata_differs(base: Option<&Prompt>, head: Option<&Prompt>) -> bool {
    match (base, head) {
        (None, None) => false,
        // A prompt always has a name.
        (None, Some(_)) | (Some(_), None) => true,
        (Some(base), Some(head)) => {
            let texts = |prompt: &Prompt| {
                let Prompt { name, description, owner, use_case, example_output, tags, .. } = prompt;
                let texts = [description, owner, use_case, example_output].map(Clone::clone);
                (name.clone(), texts, tags.clone(), prompt.version.clone())
            };
            texts(base) != texts(head) || base.variables != head.variables
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromptPath;
    use crate::domain::prompt::parse;

    const TEXT: &str = "name: Reply\nmodel: openai/gpt-4o-mini\nmodelParameters: { temperature: 0.2 }\nowner: '@mara'\n\
                        messages: [{ role: user, content: Hi }]\n";

    fn prompt(text: &str) -> Prompt {
        parse(&PromptPath::parse("p/a.prompt.yml").unwrap(), text.as_bytes()).unwrap().value
    }

    /// Whether the model, and whether the metadata differ once `from` is `to`.
    #[track_caller]
    fn check(from: &str, to: &str, expected: (bool, bool)) {
        let (base, head) = (prompt(TEXT), prompt(&TEXT.replace(from, to)));
        for (base, head) in [(&base, &head), (&head, &base)] {
            let found = (model_differs(Some(base), Some(head)), metadata_differs(Some(base), Some(head)));
            assert_eq!(found, expected, "{from} → {to}");
        }
    }

    #[test]
    fn the_text_is_neither_the_model_nor_metadata() {
        check("content: Hi", "content: Hello", (false, false));
    }

    #[test]
    fn model_and_parameters_are_one_kind_and_what_is_for_people_another() {
        check("gpt-4o-mini", "gpt-4o", (true, false));
        check("model: openai/gpt-4o-mini\n", "", (true, false));
        check("0.2", "0.9", (true, false));
        check("name: Reply", "name: Answer", (false, true));
        check("'@mara'", "'@max'", (false, true));
        for more in ["description: d", "version: 1.0.0", "useCase: u", "exampleOutput: e", "tags: [t]"] {
            check("name: Reply", &format!("name: Reply\n{more}"), (false, true));
        }
        check("name: Reply", "name: Reply\nvariables: { a: { description: d } }", (false, true));
    }

    #[test]
    fn a_side_that_is_not_there_says_nothing() {
        let (whole, bare) = (prompt(TEXT), prompt("messages: [{ role: user, content: Hi }]"));
        assert!(model_differs(None, Some(&whole)) && model_differs(Some(&whole), None));
        assert!(!model_differs(None, Some(&bare)) && !model_differs(None, None));
        assert!(metadata_differs(None, Some(&bare)) && !metadata_differs(None, None));
    }
}
