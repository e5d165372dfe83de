//! Which paths the bot governs, and as what. Pure: paths and settings in, answers out; compared without regard to case.

use std::collections::BTreeMap;

use super::codeowners;
use super::diagnostic::Diagnostic;
use super::ids::PromptPath;
pub use super::patterns::{InvalidPattern, Patterns};
use super::policy::Change;
use super::prompt::{self, Prompt};
use super::settings::{SETTINGS_PATH, Settings};

/// Endings of golden sets that are found by their name.
const GOLDEN_ENDINGS: [&str; 4] = [".golden.yml", ".golden.yaml", ".golden.jsonl", ".golden.csv"];

/// The rule that says what is governed.
#[derive(Debug, Clone)]
pub struct Governed {
    /// `None`: every file.
    include: Option<Patterns>,
    exclude: Patterns,
    /// Governed whatever `exclude` says.
    always: Patterns,
    named_golden_sets: Vec<String>,
    /// Whether CODEOWNERS says who approves.
    asks_code_owners: bool,
    /// By folded path.
    attachments: BTreeMap<String, Attachment>,
    overlooks: bool,
}

/// A file that prompt files are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What a change of it is.
    pub change: Change,
    /// The prompt files that it is part of.
    pub users: Vec<PromptPath>,
}

/// Where a prompt's golden set is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoldenSource {
    /// The prompt names it: it must be there.
    Named(PromptPath),
    /// The first of these that is there; else the prompt's `testData`.
    Siblings(Vec<PromptPath>),
}

impl Governed {
    /// The rule of these settings.
    ///
    /// # Errors
    /// A glob that cannot be read; validated settings have none.
    pub fn new(settings: &Settings) -> Result<Self, InvalidPattern> {
        let include = match settings.include.as_slice() {
            [] => None,
            include => Some(Patterns::new(include.iter().map(String::as_str))?),
        };
        let exclude = Patterns::new(settings.exclude.iter().map(String::as_str))?;
        let always = Patterns::new(settings.always.iter().map(String::as_str))?;
        Ok(Self {
            include,
            exclude,
            always,
            named_golden_sets: Vec::new(),
            asks_code_owners: settings.policy.asks_code_owners(),
            attachments: BTreeMap::new(),
            overlooks: false,
        })
    }

    /// Adds files that governed prompt files are made of, wherever they lie.
    #[must_use]
    pub fn with_attachments(mut self, attachments: impl IntoIterator<Item = (PromptPath, Attachment)>) -> Self {
        self.attachments.extend(attachments.into_iter().map(|(path, attachment)| (path.folded(), attachment)));
        self
    }

    /// The same rule, knowing that there are prompt files whose attached files nobody read.
    #[must_use]
    pub fn overlooking(mut self) -> Self {
        self.overlooks = true;
        self
    }

    /// The first changed file that may be part of a prompt without that being known.
    #[must_use]
    pub fn overlooked<'p>(&self, changed: impl IntoIterator<Item = &'p PromptPath>) -> Option<&'p PromptPath> {
        changed.into_iter().find(|path| self.overlooks && self.classify(path).is_none())
    }

    /// The prompt files that a file is part of.
    #[must_use]
    pub fn users(&self, path: &PromptPath) -> &[PromptPath] {
        self.attachments.get(&path.folded()).map_or(&[], |attachment| &attachment.users)
    }

    /// Adds golden sets that prompts name (`goldenSet`): they are golden sets whatever their file is called.
    #[must_use]
    pub fn with_golden_sets<'p>(mut self, named: impl IntoIterator<Item = &'p PromptPath>) -> Self {
        self.named_golden_sets.extend(named.into_iter().map(PromptPath::folded));
        self
    }

    /// Whether a changed file that is nothing by its name may be a golden set that some prompt names.
    #[must_use]
    pub fn may_be_golden_set(&self, path: &PromptPath) -> bool {
        const ENDINGS: [&str; 4] = [".yml", ".yaml", ".jsonl", ".csv"];
        let folded = path.folded();
        ENDINGS.iter().any(|ending| folded.ends_with(ending)) && self.classify(path).is_none()
    }

    /// Whether the settings' globs cover a path, whatever it is.
    #[must_use]
    pub fn covers(&self, path: &PromptPath) -> bool {
        self.includes(path)
    }

    /// What a path is, if it is governed. Both names of a rename have to be asked for.
    #[must_use]
    pub fn classify(&self, path: &PromptPath) -> Option<Change> {
        let folded = path.folded();
        let is_code_owners = || codeowners::PLACES.iter().any(|place| place.eq_ignore_ascii_case(&folded));
        if folded == SETTINGS_PATH || (self.asks_code_owners && is_code_owners()) {
            return Some(Change::Policy);
        }
        if self.named_golden_sets.contains(&folded) {
            return Some(Change::GoldenSet);
        }
        // What a file is by its own name it stays when it is part of another as well.
        let by_name = self.classify_by_name(path, &folded);
        by_name.or_else(|| self.attachments.get(&folded).map(|attachment| attachment.change))
    }

    fn classify_by_name(&self, path: &PromptPath, folded: &str) -> Option<Change> {
        if prompt::Format::of(path).is_some() {
            return self.includes(path).then_some(Change::Prompt);
        }
        let stem = GOLDEN_ENDINGS.iter().find_map(|ending| folded.strip_suffix(ending))?;
        // A set is governed with its prompt, even where the globs name only prompt files.
        let belongs = prompt::ENDINGS.iter().any(|(ending, _)| {
            PromptPath::parse(&format!("{stem}{ending}")).is_ok_and(|prompt| self.includes(&prompt))
        });
        (belongs || self.includes(path)).then_some(Change::GoldenSet)
    }

    fn includes(&self, path: &PromptPath) -> bool {
        let own = self.include.as_ref().is_none_or(|include| include.matches(path)) && !self.exclude.matches(path);
        own || self.always.matches(path)
    }

    /// An error if the golden set a prompt names lies outside the governed paths.
    #[must_use]
    pub fn check_golden_set(&self, prompt: &Prompt) -> Option<Diagnostic> {
        let named = prompt.golden_set.as_ref()?;
        let by_name = self.classify_by_name(named, &named.folded());
        if self.includes(named) || by_name == Some(Change::GoldenSet) {
            return None;
        }
        let message = format!("golden set `{named}` lies outside the governed paths");
        let found = Diagnostic::error("golden-set-outside", &prompt.path, message)
            .with_help("move it to a path that `prompts.include` covers, or widen `prompts.include`");
        Some(match prompt.golden_set_at {
            Some(place) => found.at(place, None),
            None => found,
        })
    }
}

/// Where to look for a prompt's golden set.
#[must_use]
pub fn golden_source(prompt: &Prompt) -> GoldenSource {
    match &prompt.golden_set {
        Some(path) => GoldenSource::Named(path.clone()),
        None => GoldenSource::Siblings(golden_siblings(&prompt.path)),
    }
}

/// The golden sets that would belong to a prompt file by their names, in order of preference.
#[must_use]
pub fn golden_siblings(prompt: &PromptPath) -> Vec<PromptPath> {
    // A promptfoo config brings its own tests.
    if prompt::Format::of(prompt) == Some(prompt::Format::Promptfoo) {
        return Vec::new();
    }
    let stem = prompt::path_stem(prompt);
    GOLDEN_ENDINGS.iter().filter_map(|ending| PromptPath::parse(&format!("{stem}{ending}")).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PromptPath {
        PromptPath::parse(text).unwrap()
    }

    fn governed(include: &[&str], exclude: &[&str]) -> Governed {
        let texts = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        Governed::new(&Settings { include: texts(include), exclude: texts(exclude), ..Settings::default() }).unwrap()
    }

    fn check(include: &[&str], exclude: &[&str], file: &str, expected: Option<Change>) {
        assert_eq!(governed(include, exclude).classify(&path(file)), expected, "{include:?} {exclude:?} {file}");
    }

    #[test]
    fn by_default_every_known_prompt_file_and_golden_set_is_governed() {
        check(&[], &[], "a.prompt.yml", Some(Change::Prompt));
        check(&[], &[], "deep/er/b.prompt.yaml", Some(Change::Prompt));
        for ending in GOLDEN_ENDINGS {
            check(&[], &[], &format!("deep/b{ending}"), Some(Change::GoldenSet));
        }
        check(&[], &[], "README.md", None);
        check(&[], &[], "ci.yml", None);
        check(&[], &[], ".github/promptops.yml", Some(Change::Policy));
        check(&[], &["**"], ".github/promptops.yml", Some(Change::Policy));
        check(&[], &[], "docs/.github/promptops.yml", None);
    }

    #[test]
    fn globs_choose_and_exclude() {
        check(&["prompts/**"], &[], "prompts/a/b.prompt.yml", Some(Change::Prompt));
        check(&["prompts/"], &[], "prompts/a/b.prompt.yml", Some(Change::Prompt));
        check(&["/prompts/*.yml"], &[], "prompts/b.prompt.yml", Some(Change::Prompt));
        check(&["prompts/*.yml"], &[], "prompts/a/b.prompt.yml", None);
        check(&["prompts/**"], &["**/draft/**"], "prompts/draft/b.prompt.yml", None);
        check(&["prompts/**"], &[], "other/b.prompt.yml", None);
        check(&["prompts/**"], &[], "prompts/notes.md", None);
    }

    #[test]
    fn case_and_unicode_form_are_no_way_around() {
        check(&["prompts/**"], &[], "Prompts/B.PROMPT.YML", Some(Change::Prompt));
        check(&["PROMPTS/**"], &[], "prompts/b.prompt.yml", Some(Change::Prompt));
        check(&["caf\u{e9}/**"], &[], "cafe\u{301}/b.prompt.yml", Some(Change::Prompt));
        check(&[], &[], ".GitHub/PromptOps.yml", Some(Change::Policy));
        check(&[], &[], "a.Golden.CSV", Some(Change::GoldenSet));
    }

    #[test]
    fn a_golden_set_is_governed_with_its_prompt_even_if_the_globs_name_prompt_files_only() {
        check(&["prompts/*.prompt.yml"], &[], "prompts/a.golden.jsonl", Some(Change::GoldenSet));
        check(&["prompts/*.prompt.yml"], &[], "other/a.golden.jsonl", None);
    }

    #[test]
    fn a_golden_set_that_a_prompt_names_is_one_whatever_it_is_called() {
        let rule = governed(&["prompts/**"], &[]).with_golden_sets([&path("prompts/cases.csv"), &path("data/x.csv")]);
        assert_eq!(rule.classify(&path("Prompts/Cases.csv")), Some(Change::GoldenSet));
        let named = |golden: &str| {
            let text = format!("messages: [{{role: user, content: Hi}}]\ngoldenSet: {golden}\n");
            let prompt = prompt::parse(&path("prompts/a.prompt.yml"), text.as_bytes()).unwrap().value;
            rule.check_golden_set(&prompt).map(|found| found.code)
        };
        assert_eq!(named("cases.csv"), None);
        assert_eq!(named("../data/x.csv").as_deref(), Some("golden-set-outside"));
    }

    #[test]
    fn a_file_that_a_prompt_is_made_of_is_governed_wherever_it_lies() {
        let config = path("prompts/promptfooconfig.yaml");
        let attachment = |change| Attachment { change, users: vec![config.clone()] };
        let rule = governed(&["prompts/**"], &[]).with_attachments([
            (path("texts/Reply.txt"), attachment(Change::Prompt)),
            (path("data/cases.csv"), attachment(Change::GoldenSet)),
        ]);
        assert_eq!(rule.classify(&config), Some(Change::Prompt));
        assert_eq!(rule.classify(&path("texts/reply.TXT")), Some(Change::Prompt));
        assert_eq!(rule.classify(&path("data/cases.csv")), Some(Change::GoldenSet));
        assert_eq!(rule.classify(&path("data/other.csv")), None);
        assert_eq!(rule.users(&path("data/cases.csv")), [config]);
        assert!(golden_siblings(&path("prompts/promptfooconfig.yaml")).is_empty());
    }

    #[test]
    fn siblings_are_looked_for_in_a_fixed_order() {
        let siblings = golden_siblings(&path("p/a.Prompt.yml"));
        let names: Vec<&str> = siblings.iter().map(PromptPath::as_str).collect();
        assert_eq!(names, ["p/a.golden.yml", "p/a.golden.yaml", "p/a.golden.jsonl", "p/a.golden.csv"]);
    }
}
