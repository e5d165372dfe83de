//! Judges the model providers that prompts need: set up or not, and whether their keys are accepted. Sees no key.

use super::{Finding, Part, Sheet, Trouble, count, some};

/// Most names in a line.
const MOST_NAMES: usize = 5;

/// What asking a provider came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Nobody asked.
    No,
    /// It cannot be asked for nothing; why.
    NotForFree(String),
    /// It accepts the key, or asks for none; how that was seen.
    Accepts(String),
    /// It does not, or gave no answer.
    Failed(Trouble),
}

/// A provider that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSeen {
    /// Its name: what models begin with.
    pub name: String,
    /// The models that are needed of it.
    pub models: Vec<String>,
    /// What is missing for it and what to do, if anything.
    pub missing: Option<String>,
    /// Whether it was asked.
    pub asked: Asked,
}

/// All facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderFacts {
    /// Those that are needed.
    pub needed: Vec<ProviderSeen>,
    /// Prompts that name no model and find none in the settings.
    pub without_model: Vec<String>,
    /// Whether GitHub's API answers, where that was asked.
    pub github: Option<Result<String, Trouble>>,
    /// Whether `--online` was given.
    pub online: bool,
}

/// What to say of these facts.
#[must_use]
pub fn judge(facts: &ProviderFacts) -> Vec<Finding> {
    let mut sheet = Sheet::new(Part::Providers);
    if !facts.without_model.is_empty() {
        sheet.problem(
            "models",
            format!("no model for {}", some(&facts.without_model, MOST_NAMES)),
            "add `model: provider/name` to each, or set `evaluation.model` in .github/promptops.yml",
        );
    }
    if facts.needed.is_empty() && facts.without_model.is_empty() {
        sheet.skipped("models", "no prompt needs one");
    }
    for seen in &facts.needed {
        one(&mut sheet, seen);
    }
    match &facts.github {
        None if facts.online => {}
        None => sheet.skipped("online", "nobody was asked; `--online` asks each provider whether it accepts the key"),
        Some(Ok(what)) => sheet.ok("github-api", what),
        Some(Err(trouble)) => sheet.failed("github-api", trouble),
    }
    sheet.finish()
}

fn one(sheet: &mut Sheet, seen: &ProviderSeen) {
    let ProviderSeen { name, models, missing, asked } = seen;
    let models = format!("{name}: needed for {}", some(models, MOST_NAMES));
    match (missing, asked) {
        (Some(missing), _) => sheet.problem("provider", models, missing),
        (None, Asked::No) => sheet.ok("provider", format!("{models}; set up")),
        (None, Asked::Accepts(how)) => sheet.ok("provider", format!("{models}; {how}")),
        (None, Asked::NotForFree(why)) => {
            sheet.ok("provider", format!("{models}; set up"));
            sheet.skipped("provider-key", why);
        }
        (None, Asked::Failed(trouble)) => sheet.failed("provider", trouble),
    }
}

/// How many models a list names, in words.
#[must_use]
pub fn listed(models: usize) -> String {
    format!("it accepts the key and lists {}", count(models, "model"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::has;
    use super::*;

    fn check(missing: Option<&str>, asked: Asked, expected: &str) {
        let seen = ProviderSeen {
            name: "openai".to_owned(),
            models: vec!["openai/gpt-4o".to_owned()],
            missing: missing.map(str::to_owned),
            asked,
        };
        has(&judge(&ProviderFacts { needed: vec![seen], ..ProviderFacts::default() }), expected);
    }

    #[test]
    fn a_provider_is_set_up_and_accepts_its_key_or_not() {
        let trouble = |is_world| Trouble { message: "it said so".to_owned(), is_world };
        check(Some("set OPENAI_API_KEY"), Asked::No, "problem provider: openai: needed for openai/gpt-4o");
        check(None, Asked::No, "ok provider: openai: needed for openai/gpt-4o; set up");
        check(
            None,
            Asked::Accepts(listed(3)),
            "ok provider: openai: needed for openai/gpt-4o; it accepts the key and lists 3",
        );
        check(None, Asked::NotForFree("why".to_owned()), "skipped provider-key: why");
        check(None, Asked::Failed(trouble(true)), "no answer provider: it said so");
        check(None, Asked::Failed(trouble(false)), "problem provider: it said so");
    }

    #[test]
    fn prompts_without_a_model_are_named() {
        let facts = ProviderFacts { without_model: vec!["a.prompt.yml".to_owned()], ..ProviderFacts::default() };
        has(&judge(&facts), "problem models: no model for a.prompt.yml");
        has(&judge(&ProviderFacts::default()), "skipped models: no prompt needs one");
    }
}
