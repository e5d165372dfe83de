//! A starter prompt with its golden set, for a repository that has none. Knows no file system.

use super::PlannedFile;
use super::settings::quoted;
use crate::domain::ids::{ModelId, PromptPath};

const PROMPT: &str = r#"name: Summarise a message
description: Says in one sentence what a customer wants
model: MODEL
modelParameters:
  temperature: 0
variables:
  message:
    description: What the customer wrote
messages:
  - role: system
    content: |
      You read messages of customers. Say in one sentence of at most 25 words what the customer wants.
      Keep numbers of orders as they are.
  - role: user
    content: "{{message}}"
"#;

const GOLDEN: &str = r#"# Golden set of summarise.prompt.yml: inputs, and what a good answer to each looks like.
# Ten to thirty cases from real life tell more than a hundred made-up ones.
evaluators:                        # run on every case
  - not_contains: "As an AI"
  - word_count: { max: 30 }
cases:
  - id: late-parcel
    vars: { message: "Hi, I ordered two weeks ago (A-1042) and nothing came. Where is my parcel?" }
    evaluators:
      - contains: "A-1042"
  - id: refund
    vars: { message: "The lamp from order B-77 arrived broken. I do not want a new one, I want my money back." }
    must_pass: reliably
    evaluators:
      - contains: "B-77"
      - regex: "(?i)refund|money back|reimburse"
  - id: thanks
    vars: { message: "Just wanted to say thank you, the support was great!" }
    evaluators:
      - regex: "(?i)thank"
"#;

/// The two files.
pub(super) fn files(model: &ModelId) -> Vec<PlannedFile> {
    let prompt = PROMPT.replace("MODEL", &quoted(model.as_str()));
    let file = |path: &str, text: String, what: &str| {
        Some(PlannedFile { path: PromptPath::parse(path).ok()?, text, what: what.to_owned() })
    };
    let files = [
        file("prompts/summarise.prompt.yml", prompt, "starter prompt"),
        file("prompts/summarise.golden.yml", GOLDEN.to_owned(), "its golden set"),
    ];
    files.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{golden, prompt};

    #[test]
    fn both_files_are_read_without_a_warning() {
        let files = files(&ModelId::parse("openai/gpt-4o-mini").unwrap());
        let read = prompt::parse(&files[0].path, files[0].text.as_bytes()).unwrap();
        assert_eq!(read.warnings, []);
        let set = golden::parse(&files[1].path, files[1].text.as_bytes(), &read.value).unwrap();
        assert_eq!((set.warnings, set.value.cases.len()), (Vec::new(), 3));
        assert_eq!(golden::check_variables(&read.value, &set.value), []);
    }
}
