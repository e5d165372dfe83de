//! A check run as it is to appear: plain data, its limits, and its JSON. Knows no verdict and sends nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::ids::{CommitSha, Digest, PromptPath};

/// How a check ends. GitHub's `neutral` and `skipped` count as passing, so they cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// The gate is open.
    Success,
    /// The gate is closed.
    Failure,
    /// Somebody must do something first.
    ActionRequired,
    /// Overtaken by a newer head, or the pull request was closed.
    Cancelled,
}

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Accepted, not begun.
    Queued,
    /// Begun, or waiting for people.
    InProgress,
    /// Ended.
    Completed(Conclusion),
}

/// How an annotation looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// For information.
    Notice,
    /// Worth a look.
    Warning,
    /// Blocks.
    Failure,
}

/// A remark at some lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: PromptPath,
    /// The first line, from 1.
    pub line: u32,
    /// The last one.
    pub end_line: u32,
    /// First and last column, from 1; GitHub takes them on a single line only.
    pub columns: Option<(u32, u32)>,
    /// How it looks.
    pub level: Level,
    /// What it says; rendered for GitHub by the caller.
    pub message: String,
    /// Its heading.
    pub title: String,
}

/// What a check says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckOutput {
    /// One line.
    pub title: String,
    /// Markdown above the text.
    pub summary: String,
    /// Markdown; may be empty.
    pub text: String,
    /// Remarks at lines.
    pub annotations: Vec<Annotation>,
}

/// A button that a check shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Button {
    /// Evaluate again, with new answers.
    RunAgain,
    /// Say in a comment how the verdict was reached.
    Explain,
}

/// A check run as it is to appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Its name, for instance `promptops/evaluation: main`.
    pub name: String,
    /// Where it stands.
    pub state: CheckState,
    /// What it says.
    pub output: CheckOutput,
    /// Our own name for it, the same for the same pull request, commit and check.
    pub external_id: String,
    /// Where "Details" leads, if anywhere.
    pub details_url: Option<String>,
    /// Its buttons; GitHub shows at most three.
    pub buttons: Vec<Button>,
}

/// Annotations GitHub takes in one request.
pub(super) const ANNOTATIONS_A_REQUEST: usize = 50;
/// Bytes of summary and of text; one more and the check hangs.
const OUTPUT_BYTES: usize = 65_535;
/// Bytes of a title.
const TITLE_BYTES: usize = 255;
/// Bytes of an annotation's message.
const MESSAGE_BYTES: usize = 64 * 1024 - 1;

impl CheckRun {
    /// The name of the evaluation's check for pull requests to a branch.
    #[must_use]
    pub fn evaluation_name(base: &crate::domain::ids::BranchName) -> String {
        format!("promptops/evaluation: {base}")
    }

    /// The name of the approval's check for pull requests to a branch.
    #[must_use]
    pub fn approval_name(base: &crate::domain::ids::BranchName) -> String {
        format!("promptops/approval: {base}")
    }

    /// Whether a check of ours by this name is about approvals, for whatever branch.
    #[must_use]
    pub fn is_approval(name: &str) -> bool {
        name.starts_with("promptops/approval: ")
    }

    /// The digest of all that is shown: equal digests need no second write.
    #[must_use]
    pub fn digest(&self, head: &CommitSha) -> Digest {
        let shown = json!([self.body(Some(head)), self.pages()]).to_string();
        Digest::of_parts([shown.as_bytes()])
    }

    /// The first request's body; `head` where the check is created.
    pub(super) fn body(&self, head: Option<&CommitSha>) -> Value {
        let mut body = json!({ "name": self.name, "external_id": self.external_id, "output": self.output_of(0) });
        match self.state {
            CheckState::Queued => body["status"] = "queued".into(),
            CheckState::InProgress => body["status"] = "in_progress".into(),
            CheckState::Completed(conclusion) => {
                body["status"] = "completed".into();
                body["conclusion"] = conclusion.word().into();
            }
        }
        if !self.buttons.is_empty() {
            body["actions"] = self.buttons.iter().map(|button| button.body()).collect();
        }
        if let Some(head) = head {
            body["head_sha"] = head.as_str().into();
        }
        if let Some(url) = &self.details_url {
            body["details_url"] = url.as_str().into();
        }
        body
    }

    /// Further requests' bodies: GitHub appends their annotations.
    pub(super) fn pages(&self) -> Vec<Value> {
        let pages = self.output.annotations.len().div_ceil(ANNOTATIONS_A_REQUEST);
        (1..pages).map(|page| json!({ "output": self.output_of(page) })).collect()
    }

    fn output_of(&self, page: usize) -> Value {
        let output = &self.output;
        let annotations: Vec<Value> = output
            .annotations
            .iter()
            .skip(page * ANNOTATIONS_A_REQUEST)
            .take(ANNOTATIONS_A_REQUEST)
            .map(Annotation::body)
            .collect();
        let mut body = json!({
            "title": cut(&output.title, TITLE_BYTES), "summary": cut(&output.summary, OUTPUT_BYTES),
        });
        if !output.text.is_empty() {
            body["text"] = cut(&output.text, OUTPUT_BYTES).into();
        }
        if !annotations.is_empty() {
            body["annotations"] = annotations.into();
        }
        body
    }
}

impl Button {
    /// What a press names.
    #[must_use]
    pub fn identifier(self) -> &'static str {
        match self {
            Self::RunAgain => "run-again",
            Self::Explain => "explain",
        }
    }

    /// The button that a press names.
    #[must_use]
    pub fn of_identifier(identifier: &str) -> Option<Self> {
        [Self::RunAgain, Self::Explain].into_iter().find(|button| button.identifier() == identifier)
    }

    /// GitHub takes 20 characters of label and identifier, and 40 of description.
    fn body(self) -> Value {
        let (label, description) = match self {
            Self::RunAgain => ("Run again", "Evaluate again with new answers"),
            Self::Explain => ("Explain", "Say how this verdict was reached"),
        };
        json!({ "label": label, "description": description, "identifier": self.identifier() })
    }
}

impl Annotation {
    fn body(&self) -> Value {
        let level = match self.level {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Failure => "failure",
        };
        let line = self.line.max(1);
        let mut body = json!({
            "path": self.path.as_str(), "start_line": line, "end_line": self.end_line.max(line),
            "annotation_level": level, "message": cut(&self.message, MESSAGE_BYTES), "title": cut(&self.title, TITLE_BYTES),
        });
        if let Some((start, end)) = self.columns.filter(|_| self.end_line <= line) {
            body["start_column"] = start.into();
            body["end_column"] = end.into();
        }
        body
    }
}

impl Conclusion {
    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::ActionRequired => "action_required",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The text, cut to so many bytes at a character.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(annotations: usize) -> CheckRun {
        let annotation = Annotation {
            path: PromptPath::parse("a.prompt.yml").unwrap(),
            line: 0,
            end_line: 0,
            columns: None,
            level: Level::Failure,
            message: "m".into(),
            title: "t".into(),
        };
        CheckRun {
            name: "promptops/evaluation: main".into(),
            state: CheckState::Completed(Conclusion::ActionRequired),
            output: CheckOutput {
                title: "t".into(),
                summary: "é".repeat(40_000),
                text: String::new(),
                annotations: vec![annotation; annotations],
            },
            external_id: "7".into(),
            details_url: None,
            buttons: Vec::new(),
        }
    }

    #[test]
    fn annotations_go_out_in_pages_of_fifty() {
        let check = |annotations, expected: &[usize]| {
            let run = run(annotations);
            let count = |body: &Value| body["output"]["annotations"].as_array().map_or(0, Vec::len);
            let sent: Vec<usize> = std::iter::once(&run.body(None)).chain(&run.pages()).map(count).collect();
            assert_eq!(sent, expected);
        };
        check(0, &[0]);
        check(50, &[50]);
        check(120, &[50, 50, 20]);
    }

    #[test]
    fn buttons_keep_to_githubs_limits_and_a_press_finds_its_button() {
        for button in [Button::RunAgain, Button::Explain] {
            let body = button.body();
            let length = |field: &str| body[field].as_str().unwrap().chars().count();
            assert!(length("label") <= 20 && length("identifier") <= 20 && length("description") <= 40, "{body}");
            assert_eq!(Button::of_identifier(button.identifier()), Some(button));
        }
        assert_eq!(Button::of_identifier("merge"), None);
    }

    #[test]
    fn columns_are_said_of_a_single_line_only() {
        let check = |lines: (u32, u32), expected: Value| {
            let annotation = run(1).output.annotations.remove(0);
            let shown = Annotation { line: lines.0, end_line: lines.1, columns: Some((3, 7)), ..annotation }.body();
            assert_eq!(json!([shown["start_line"], shown["end_line"], shown.get("end_column")]), expected);
        };
        check((2, 2), json!([2, 2, 7]));
        check((2, 4), json!([2, 4, null]));
        check((0, 0), json!([1, 1, 7]));
    }

    #[test]
    fn a_summary_is_cut_between_characters_below_the_limit_that_hangs_a_check() {
        assert_eq!(run(0).body(None)["output"]["summary"].as_str().unwrap().len(), 65_534);
    }

    #[test]
    fn equal_digests_show_the_same() {
        let head = CommitSha::parse(&"a".repeat(40)).unwrap();
        assert_eq!(run(60).digest(&head), run(60).digest(&head));
        assert_ne!(run(60).digest(&head), run(61).digest(&head));
        let waiting = CheckRun { state: CheckState::InProgress, ..run(60) };
        assert_ne!(run(60).digest(&head), waiting.digest(&head));
    }
}
