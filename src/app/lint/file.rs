//! One loaded prompt file as lint's rules want to see it. Reads nothing; decides nothing.

use std::collections::BTreeMap;

use crate::app::load::{LoadedPrompt, Written};
use crate::app::plan::Pair;
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::ids::PromptPath;
use crate::domain::lint::{self, Checked, Config, Member, Neighbours, Part, Ran, RuleId, Subject, Text};
use crate::domain::policy::facts::LintCounts;
use crate::domain::report::{PromptReport, Report};

/// A prompt file with both its sides.
pub struct LintFile<'a> {
    /// Head's path.
    pub path: &'a PromptPath,
    /// Head's files.
    pub head: &'a [Written],
    /// Base's, where there is a base.
    pub base: &'a [Written],
    /// Its prompts, each with what it was.
    pub prompts: Vec<(Option<&'a LoadedPrompt>, &'a LoadedPrompt)>,
    /// The other prompts, if they are known.
    pub neighbours: Option<Neighbours<'a>>,
}

/// What lint says of it.
pub fn check(file: &LintFile<'_>, config: &Config<'_>) -> Checked {
    let texts: Vec<Text<'_>> = file.head.iter().filter_map(|written| text(written, file.base)).collect();
    let members: Vec<Member<'_>> = file
        .prompts
        .iter()
        .map(|(before, after)| Member {
            prompt: &after.prompt,
            golden: after.golden.as_ref(),
            base: before.map(|before| &*before.prompt),
        })
        .collect();
    let subject = Subject { path: file.path, texts: &texts, members: &members, neighbours: file.neighbours, ran: &[] };
    lint::check(&subject, config)
}

/// A file and what it was: a prompt and its golden set may have had another name.
fn text<'a>(written: &'a Written, base: &'a [Written]) -> Option<Text<'a>> {
    let before = base.iter().find(|before| match written.part {
        Part::Attached => before.part == Part::Attached && before.path == written.path,
        part => before.part == part,
    });
    Some(Text { path: &written.path, part: written.part, text: written.text()?, base: before.and_then(Written::text) })
}

/// What lint says once the prompts have run. Their files keep what waivers they have.
pub fn after_run(pairs: &[Pair], report: &Report, config: &Config<'_>) -> Ran {
    let mut files: BTreeMap<&PromptPath, (Vec<Text<'_>>, Vec<&PromptReport>)> = BTreeMap::new();
    for (pair, report) in pairs.iter().zip(&report.prompts) {
        let base: &[Written] = pair.base.as_ref().map_or(&[], |base| &base.texts);
        let (texts, reports) = files.entry(&pair.path).or_default();
        texts.extend(pair.head.texts.iter().filter_map(|written| text(written, base)));
        reports.push(report);
    }
    let mut found = Ran::default();
    for (path, (texts, reports)) in &files {
        let subject = Subject { path, texts, members: &[], neighbours: None, ran: reports };
        let ran = lint::after_run(&subject, config);
        extend(&mut found.findings, ran.findings);
        extend(&mut found.waived_anew, ran.waived_anew);
    }
    // Nothing of it is about a line that the change brings.
    found.findings = found.findings.into_iter().map(Diagnostic::aside).collect();
    found
}

/// Adds findings; what two prompts share (a golden set, an attached file) is told once.
pub fn extend(findings: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for finding in more {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
}

/// How many of the findings are of lint rules, by severity; with what waivers allow that head itself brings.
pub fn counts(findings: &[Diagnostic], waived_anew: &[Diagnostic]) -> LintCounts {
    let of_rules = || findings.iter().chain(waived_anew).filter(|finding| RuleId::named(&finding.code).is_some());
    let count = |severity| of_rules().filter(|finding| finding.severity == severity).count() as u64;
    LintCounts { errors: count(Severity::Error), warnings: count(Severity::Warning) }
}
