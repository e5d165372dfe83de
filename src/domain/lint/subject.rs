//! What a rule looks at: a prompt file with all that belongs to it, and what settings ask. Knows no rule.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::catalogue::{Level, RuleId};
use super::near_duplicate::Index;
use crate::domain::evaluator::banned;
use crate::domain::golden::GoldenSet;
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::prompt::Prompt;
use crate::domain::report::PromptReport;
use crate::domain::settings::Settings;

/// Part that a file has in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The prompt file itself.
    Prompt,
    /// A file that it is made of.
    Attached,
    /// Its golden set, in a file of its own.
    GoldenSet,
}

/// One file as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The file.
    pub path: &'a PromptPath,
    /// What it is.
    pub part: Part,
    /// Its text, without a byte order mark.
    pub text: &'a str,
    /// Its text on base, if it is there.
    pub base: Option<&'a str>,
}

/// One prompt of the file.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The prompt.
    pub prompt: &'a Prompt,
    /// Its cases.
    pub golden: Option<&'a GoldenSet>,
    /// What it was on base.
    pub base: Option<&'a Prompt>,
}

/// The other prompts of the repository.
#[derive(Debug, Clone, Copy)]
pub struct Neighbours<'a> {
    /// All prompts that were read.
    pub index: &'a Index,
    /// Those that are looked at themselves: of two alike, the later by path is told.
    pub looked_at: &'a BTreeSet<PromptPath>,
}

/// A prompt file and all that belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The prompt file.
    pub path: &'a PromptPath,
    /// Its texts, the prompt file first.
    pub texts: &'a [Text<'a>],
    /// Its prompts.
    pub members: &'a [Member<'a>],
    /// The other prompts; `None` where nobody looked.
    pub neighbours: Option<Neighbours<'a>>,
    /// How its prompts came out in a run; empty before one.
    pub ran: &'a [&'a PromptReport],
}

impl<'a> Subject<'a> {
    /// The text of one of its files.
    #[must_use]
    pub fn text_of(&self, path: &PromptPath) -> Option<&'a Text<'a>> {
        self.texts.iter().find(|text| text.path == path)
    }

    /// The text of the prompt file.
    #[must_use]
    pub fn own_text(&self) -> &'a str {
        self.text_of(self.path).map_or("", |text| text.text)
    }
}

/// What settings ask of prompts.
#[derive(Debug)]
pub struct Config<'a> {
    levels: &'a BTreeMap<RuleId, Level>,
    /// Keys that every prompt has to fill.
    pub required: &'a [String],
    /// Phrases that no prompt may hold.
    pub banned: Option<Regex>,
    /// A drop in mean score that the team would overlook.
    pub margin: f64,
    /// Model of prompts that name none.
    pub model: Option<&'a ModelId>,
    /// Whether head is a pull request's: then it cannot waive a secret by itself.
    pub is_pull: bool,
}

impl<'a> Config<'a> {
    /// What these settings ask.
    #[must_use]
    pub fn new(settings: &'a Settings, is_pull: bool) -> Self {
        Self {
            levels: &settings.lint_rules,
            required: &settings.required_metadata,
            // Phrases that cannot be searched for are refused where settings are read.
            banned: banned(&settings.banned_phrases).ok().flatten(),
            margin: settings.margin,
            model: settings.model.as_ref(),
            is_pull,
        }
    }

    /// What a finding of the rule does.
    #[must_use]
    pub fn level(&self, rule: RuleId) -> Level {
        self.levels.get(&rule).copied().unwrap_or(rule.about().level)
    }

    /// Whether the rule is asked at all.
    #[must_use]
    pub fn wants(&self, rule: RuleId) -> bool {
        self.level(rule) != Level::Off
    }
}
