//! Which variables the models of a repository need, by the part before the slash. Knows no value of them.

use crate::domain::ids::ModelId;

/// Providers and their variables.
const VENDORS: [(&str, &[&str]); 7] = [
    ("openai", &["OPENAI_API_KEY"]),
    ("openai-responses", &["OPENAI_API_KEY"]),
    ("azure", &["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"]),
    ("anthropic", &["ANTHROPIC_API_KEY"]),
    ("gemini", &["GEMINI_API_KEY"]),
    ("google", &["GEMINI_API_KEY"]),
    ("bedrock", &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]),
];
/// A server on the user's own machine.
const LOCAL: &str = "ollama";
/// Where any other provider is asked: a gateway that speaks OpenAI's format.
const GATEWAY: [&str; 2] = ["OPENAI_API_KEY", "OPENAI_BASE_URL"];

/// The variables that these models need, each once, in order of the models.
#[must_use]
pub fn keys(models: &[ModelId]) -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = Vec::new();
    for model in models {
        for key in of(model.provider()) {
            if !keys.contains(key) {
                keys.push(key);
            }
        }
    }
    keys
}

fn of(provider: &str) -> &'static [&'static str] {
    match VENDORS.iter().find(|(name, _)| *name == provider) {
        Some((_, keys)) => keys,
        None if provider == LOCAL => &["OLLAMA_HOST"],
        None => &GATEWAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(models: &[&str], expected: &[&str]) {
        let models: Vec<ModelId> = models.iter().map(|model| ModelId::parse(model).unwrap()).collect();
        assert_eq!(keys(&models), expected, "{models:?}");
    }

    #[test]
    fn each_vendor_has_its_own_variables_and_others_are_behind_a_gateway() {
        check(&["openai/gpt-4o", "openai-responses/gpt-5"], &["OPENAI_API_KEY"]);
        check(&["anthropic/claude", "google/gemini"], &["ANTHROPIC_API_KEY", "GEMINI_API_KEY"]);
        check(&["ollama/llama3"], &["OLLAMA_HOST"]);
        check(&["mistral/large"], &["OPENAI_API_KEY", "OPENAI_BASE_URL"]);
        check(&["bedrock/nova"], &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]);
        check(&[], &[]);
    }

    #[test]
    fn the_reference_names_every_provider_with_these_variables() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md")).unwrap();
        for (provider, keys) in VENDORS {
            let row = text.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{provider}`")));
            let row = row.unwrap_or_else(|| panic!("no row for {provider}"));
            let same = row.contains("the same");
            keys.iter().for_each(|key| assert!(same || row.contains(key), "{provider}: {key}: {row}"));
        }
    }
}
