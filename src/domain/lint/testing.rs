//! A prompt file with what may belong to it, for the rules' tests.

use std::collections::BTreeSet;

use super::near_duplicate::Index;
use super::{Checked, Config, Member, Neighbours, Part, Subject, Text, check};
use crate::domain::golden;
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{self, Prompt};
use crate::domain::settings::{self, Settings};

/// What is looked at.
pub struct Bench {
    path: PromptPath,
    file: String,
    base: Option<String>,
    golden: Option<String>,
    settings: Settings,
    others: Option<Vec<(PromptPath, String)>>,
    looked_at: BTreeSet<PromptPath>,
    is_pull: bool,
}

fn path(name: &str) -> PromptPath {
    PromptPath::parse(name).unwrap()
}

impl Bench {
    /// A `.prompt.yml`.
    pub fn new(file: &str) -> Self {
        Self::named("a.prompt.yml", file)
    }

    /// A file of any format.
    pub fn named(name: &str, file: &str) -> Self {
        let file = file.to_owned();
        let settings = Settings::default();
        let (path, looked_at) = (path(name), BTreeSet::new());
        Self { path, file, base: None, golden: None, settings, others: None, looked_at, is_pull: false }
    }

    /// What the file was on base.
    pub fn base(mut self, file: &str) -> Self {
        self.base = Some(file.to_owned());
        self
    }

    /// Its golden set, `golden.yml`.
    pub fn golden(mut self, file: &str) -> Self {
        self.golden = Some(file.to_owned());
        self
    }

    pub fn settings(mut self, text: &str) -> Self {
        self.settings = settings::parse(&path("settings.yml"), text.as_bytes()).unwrap().value;
        self
    }

    /// What other prompts of the repository say.
    pub fn others(mut self, others: &[(&str, &str)]) -> Self {
        self.others = Some(others.iter().map(|(name, text)| (path(name), format!("User:\n{text}"))).collect());
        self
    }

    /// Which of them are looked at, too.
    pub fn looking_at(mut self, names: &[&str]) -> Self {
        self.looked_at = names.iter().map(|name| path(name)).collect();
        self
    }

    /// As a pull request brings it.
    pub fn pull(mut self) -> Self {
        self.is_pull = true;
        self
    }

    fn parsed(&self, file: &str) -> Prompt {
        prompt::parse(&self.path, file.as_bytes()).unwrap().value
    }

    pub fn checked(&self) -> Checked {
        let head = self.parsed(&self.file);
        let base = self.base.as_ref().map(|base| self.parsed(base));
        let golden_path = path("golden.yml");
        let named = self.golden.as_ref().map(|text| golden::parse(&golden_path, text.as_bytes(), &head).unwrap().value);
        let golden = named.or_else(|| golden::inline(&head).map(|set| set.unwrap().value));
        let mut texts =
            vec![Text { path: &self.path, part: Part::Prompt, text: &self.file, base: self.base.as_deref() }];
        let of_set = |text| Text { path: &golden_path, part: Part::GoldenSet, text, base: None };
        texts.extend(self.golden.as_deref().map(of_set));
        let members = [Member { prompt: &head, golden: golden.as_ref(), base: base.as_ref() }];
        let entries = self.others.iter().flatten().map(|(path, text)| (path.clone(), text.as_str()));
        let index = Index::new(entries);
        let neighbours = self.others.as_ref().map(|_| Neighbours { index: &index, looked_at: &self.looked_at });
        let subject = Subject { path: &self.path, texts: &texts, members: &members, neighbours, ran: &[] };
        check(&subject, &Config::new(&self.settings, self.is_pull))
    }

    /// What one rule finds, each as `[golden:]LINE RULE: MESSAGE`; returns all that would be printed of it.
    #[track_caller]
    pub fn expect(self, rule: &str, expected: &[&str]) -> String {
        let checked = self.checked();
        let found = checked.findings.iter().filter(|finding| finding.code == rule);
        let shown: Vec<String> = found
            .clone()
            .map(|finding| {
                let file = if finding.path == self.path { "" } else { "golden:" };
                let line = finding.location.map_or("-".to_owned(), |at| at.line.to_string());
                format!("{file}{line} {}: {}", finding.code, finding.message)
            })
            .collect();
        assert_eq!(shown, expected, "{}", self.file);
        found.map(crate::domain::diagnostic::Diagnostic::render).collect()
    }
}
