//! From what rules find to what is shown: waivers, levels, caps, and which lines a change brings. Knows no single rule.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::catalogue::{self, RuleId};
use super::finding::Finding;
use super::place;
use super::subject::{Config, Subject, Text};
use super::waiver::{self, Waiver};
use super::{RULES, Rule};
use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::ids::PromptPath;
use crate::domain::reader::suggestion;

/// Findings of one rule in one file that are shown one by one.
const MOST_OF_A_RULE: usize = 20;

/// What there is to say of a prompt file.
#[derive(Debug, Default)]
pub struct Checked {
    /// Findings in the order of files and lines.
    pub findings: Vec<Diagnostic>,
    /// Waivers that head has and base has not, one sentence each.
    pub new_waivers: Vec<String>,
    /// What only waivers allow that head has and base has not: rules on approvals count it all the same.
    pub waived_anew: Vec<Diagnostic>,
}

/// What there is to say once prompts have run.
#[derive(Debug, Default)]
pub struct Ran {
    /// Findings in the order of files and lines.
    pub findings: Vec<Diagnostic>,
    /// As with [`Checked`].
    pub waived_anew: Vec<Diagnostic>,
}

/// Whether waivers allow a finding; the later, the better it is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Allowed {
    No,
    /// By waivers only that a pull request brings.
    Anew,
    Yes,
}

/// The waivers of one text, and which of them were of use.
struct Waivers<'a> {
    text: &'a Text<'a>,
    all: Vec<Waiver>,
    /// Which of them base lacks.
    new: Vec<bool>,
    used: Vec<bool>,
}

impl<'a> Waivers<'a> {
    fn of(text: &'a Text<'a>) -> Self {
        let all = waiver::read(text.text);
        let of_base = text.base.map(waiver::read).unwrap_or_default();
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        for waiver in &of_base {
            *known.entry((waiver.name.clone(), waiver.reason.clone())).or_default() += 1;
        }
        // Of several that say the same, base's are the first: a copy is new.
        let mut is_new = |waiver: &Waiver| match known.get_mut(&(waiver.name.clone(), waiver.reason.clone())) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        let new = all.iter().map(&mut is_new).collect();
        let used = vec![false; all.len()];
        Self { text, all, new, used }
    }

    /// Whether a waiver of this text allows the finding.
    fn allow(&mut self, finding: &Finding, is_pull: bool) -> Allowed {
        let mut allowed = Allowed::No;
        for at in 0..self.all.len() {
            let Some(waiver) = self.all.get(at) else { break };
            if !waiver.covers(finding.rule, finding.at) {
                continue;
            }
            // Head must not wave a secret through that base has never seen, not even with the words of a waiver of base.
            if finding.rule != RuleId::Secret || !is_pull || finding.on_base {
                let by = if is_pull && self.new.get(at) == Some(&true) { Allowed::Anew } else { Allowed::Yes };
                allowed = allowed.max(by);
            }
            if let Some(used) = self.used.get_mut(at) {
                *used = true;
            }
        }
        allowed
    }
}

/// Asks every rule that is wanted.
#[must_use]
pub fn check(subject: &Subject<'_>, config: &Config<'_>) -> Checked {
    let mut found = Vec::new();
    for rule in RULES.iter().filter(|rule| config.wants(rule.id())) {
        rule.check(subject, config, &mut found);
    }
    let mut waivers: Vec<Waivers<'_>> = subject.texts.iter().map(Waivers::of).collect();
    let Sifted { mut kept, anew } = sift(found, subject, config, &mut waivers);
    kept.extend(waivers.iter().flat_map(|waivers| of_waivers(waivers, config)));
    let new_waivers = if config.is_pull { new_waivers(&waivers) } else { Vec::new() };
    let findings = shown(kept, subject, config);
    Checked { findings, new_waivers, waived_anew: shown(anew, subject, config) }
}

/// Asks the rules that look at how a run came out.
#[must_use]
pub fn after_run(subject: &Subject<'_>, config: &Config<'_>) -> Ran {
    let rule = &super::rules::flaky::FlakyMustPass;
    if !config.wants(rule.id()) {
        return Ran::default();
    }
    let mut found = Vec::new();
    rule.check(subject, config, &mut found);
    let mut waivers: Vec<Waivers<'_>> = subject.texts.iter().map(Waivers::of).collect();
    let Sifted { kept, anew } = sift(found, subject, config, &mut waivers);
    Ran { findings: shown(kept, subject, config), waived_anew: shown(anew, subject, config) }
}

/// Findings by what waivers do to them; those that are allowed for good are gone.
#[derive(Default)]
struct Sifted {
    kept: Vec<Finding>,
    anew: Vec<Finding>,
}

fn sift(found: Vec<Finding>, subject: &Subject<'_>, config: &Config<'_>, waivers: &mut [Waivers<'_>]) -> Sifted {
    let mut sifted = Sifted::default();
    for mut finding in found {
        let mut allowed = Allowed::No;
        for waivers in &mut *waivers {
            // What concerns a file as a whole may be waived in the prompt file: not every golden set has comments.
            let reaches =
                waivers.text.path == &finding.path || finding.at.is_none() && waivers.text.path == subject.path;
            if reaches {
                allowed = allowed.max(waivers.allow(&finding, config.is_pull));
            }
        }
        match allowed {
            Allowed::Yes => continue,
            Allowed::Anew => {
                sifted.anew.push(finding);
                continue;
            }
            Allowed::No => {}
        }
        let waived_by_head = finding.rule == RuleId::Secret
            && waivers.iter().any(|waivers| {
                waivers.text.path == &finding.path
                    && waivers.all.iter().any(|waiver| waiver.covers(finding.rule, finding.at))
            });
        if waived_by_head {
            finding.help.push_str("; a waiver of a secret counts only where the base branch has the very same secret");
        }
        sifted.kept.push(finding);
    }
    sifted
}

/// What is wrong with the waivers themselves.
fn of_waivers(waivers: &Waivers<'_>, config: &Config<'_>) -> Vec<Finding> {
    let path = waivers.text.path;
    let mut found = Vec::new();
    for (waiver, used) in waivers.all.iter().zip(&waivers.used) {
        let finding =
            |rule, message: String, help: String| Finding::of_file(rule, path, message, help).at(Some(waiver.at));
        let name = &waiver.name;
        found.push(match waiver.rule {
            None => {
                let message = if name.is_empty() {
                    "the waiver names no rule".to_owned()
                } else {
                    format!("the waiver names `{name}`, which is no rule")
                };
                finding(RuleId::UnusedWaiver, message, suggestion(name, &catalogue::names()))
            }
            Some(_) if waiver.reason.is_empty() => {
                let help = format!("write `promptops: allow {name} because` and the reason");
                let message = format!("the waiver of `{name}` says no reason, so it counts for nothing");
                finding(RuleId::WaiverWithoutReason, message, help)
            }
            // Whether a case is flaky shows in a run; a rule that is off finds nothing to waive.
            Some(RuleId::FlakyMustPass) => continue,
            Some(rule) if *used || !config.wants(rule) => continue,
            Some(_) => {
                let message = format!("the waiver of `{name}` waives nothing");
                finding(RuleId::UnusedWaiver, message, "remove it, or put it on the line it is meant for".to_owned())
            }
        });
    }
    found.retain(|finding| config.wants(finding.rule));
    found
}

fn new_waivers(waivers: &[Waivers<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for waivers in waivers {
        let new = waivers.all.iter().zip(&waivers.new).filter(|(waiver, new)| {
            let counts = waiver.rule.is_some() && !waiver.reason.is_empty();
            counts && **new
        });
        notes.extend(new.map(|(waiver, _)| {
            format!(
                "{} line {}: a new waiver of lint rule {}: {}",
                waivers.text.path, waiver.at.line, waiver.name, waiver.reason
            )
        }));
    }
    notes
}

/// Levels, caps and places.
fn shown(mut found: Vec<Finding>, subject: &Subject<'_>, config: &Config<'_>) -> Vec<Diagnostic> {
    let order = |path: &PromptPath| subject.texts.iter().position(|text| text.path == path);
    let place = |at: Option<Location>| at.map_or((0, 0), |at| (at.line, at.column));
    found.sort_by_cached_key(|finding| (order(&finding.path), place(finding.at), finding.rule));
    found.dedup();
    let mut counts: BTreeMap<(RuleId, PromptPath), usize> = BTreeMap::new();
    let mut changed: BTreeMap<&PromptPath, Option<BTreeSet<u32>>> = BTreeMap::new();
    let mut all = Vec::new();
    for finding in found {
        let Some(severity) = config.level(finding.rule).severity() else { continue };
        let count = counts.entry((finding.rule, finding.path.clone())).or_default();
        *count += 1;
        if *count > MOST_OF_A_RULE {
            continue;
        }
        let line = finding.at.map_or(1, |at| at.line);
        let is_aside = subject.text_of(&finding.path).is_some_and(|text| {
            let changed =
                changed.entry(text.path).or_insert_with(|| text.base.map(|base| place::changed_lines(base, text.text)));
            changed.as_ref().is_some_and(|changed| !changed.contains(&line))
        });
        let diagnostic = finding.into_diagnostic(severity, subject);
        all.push(if is_aside && config.is_pull { diagnostic.aside() } else { diagnostic });
    }
    for ((rule, path), count) in counts {
        if let Some(severity) = config.level(rule).severity()
            && let Some(more) = count.checked_sub(MOST_OF_A_RULE).filter(|more| *more > 0)
        {
            let message = format!("{more} more findings of this rule in the file");
            let finding = Finding::of_file(rule, &path, message, "mend the ones above first");
            all.push(finding.into_diagnostic(severity, subject).aside());
        }
    }
    all
}
