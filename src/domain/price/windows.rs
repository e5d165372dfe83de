//! How many tokens a model takes, question and answer together: a dated table of public figures. A model that is not in it
//! has no known window.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{listed_name, without_date};
use crate::domain::ids::ModelId;

const TABLE: &str = include_str!("windows.json");

#[derive(Debug, Default, Deserialize)]
struct Table {
    models: HashMap<String, u32>,
}

// The file is part of the binary and read by a test: an unreadable one can only mean "no window known".
static TABLE_READ: LazyLock<Table> = LazyLock::new(|| serde_json::from_str(TABLE).unwrap_or_default());

/// The model's context window in tokens; a dated snapshot has its family's.
#[must_use]
pub fn context_window(model: &ModelId) -> Option<u32> {
    let name = listed_name(model);
    let models = &TABLE_READ.models;
    models.get(&name).or_else(|| models.get(without_date(&name)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, expected: Option<u32>) {
        assert_eq!(context_window(&ModelId::parse(model).unwrap()), expected, "{model}");
    }

    #[test]
    fn windows_are_known_by_family_and_unknown_models_have_none() {
        assert!(TABLE_READ.models.keys().all(|name| ModelId::parse(name).is_ok()));
        check("openai/gpt-4o-mini", Some(128_000));
        check("openai-responses/gpt-4o-2024-08-06", Some(128_000));
        check("google/gemini-2.5-flash", Some(1_048_576));
        check("anthropic/claude-haiku-4-5", Some(200_000));
        check("gateway/ours", None);
    }
}
