//! How many tokens a text has: counted for models whose vocabulary is public, estimated for the rest. Knows no price.

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use crate::domain::ids::ModelId;
use crate::domain::prompt::{ChatMessage, Part};

/// Tokens that a message's envelope takes.
const ENVELOPE: u32 = 4;
/// Tokens taken for a picture or another medium; vendors count by its size, which a reference does not tell.
const MEDIUM: u32 = 1_000;
/// Longer texts, and texts with longer stretches of white space, are estimated: the counter's pattern backtracks on them.
const COUNTED_BYTES: usize = 100_000;
const COUNTED_SPACES: usize = 200;

/// An estimate of a text's tokens: four characters each, rounded up. Right within a third for English prose.
#[must_use]
pub fn estimated_tokens(text: &str) -> u32 {
    u32::try_from(text.chars().count().div_ceil(4)).unwrap_or(u32::MAX)
}

/// A text's tokens for a model: counted with OpenAI's vocabularies for OpenAI's models, else estimated.
#[must_use]
pub fn expected_tokens(model: &ModelId, text: &str) -> u32 {
    match vocabulary(model).filter(|_| is_countable(text)) {
        Some(vocabulary) => u32::try_from(vocabulary.count_ordinary(text)).unwrap_or(u32::MAX),
        None => estimated_tokens(text),
    }
}

/// The same for messages, each with the few tokens its envelope takes.
#[must_use]
pub fn expected_message_tokens(model: &ModelId, messages: &[ChatMessage]) -> u32 {
    sum(messages, |text| expected_tokens(model, text))
}

/// A quick estimate for messages, whatever the model: for limits that are corrected by what the provider counted.
#[must_use]
pub fn rough_message_tokens(messages: &[ChatMessage]) -> u32 {
    sum(messages, |text| u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX))
}

fn sum(messages: &[ChatMessage], tokens: impl Fn(&str) -> u32) -> u32 {
    let of_part = |part: &Part| match part {
        Part::Text(text) => tokens(text),
        Part::Media { .. } => MEDIUM,
    };
    messages.iter().fold(0, |sum: u32, message| {
        // A message in parts says nothing twice: its text is the parts'.
        let said = if message.parts.is_empty() {
            tokens(&message.content)
        } else {
            message.parts.iter().map(of_part).fold(0, u32::saturating_add)
        };
        sum.saturating_add(said).saturating_add(ENVELOPE)
    })
}

fn vocabulary(model: &ModelId) -> Option<&'static CoreBPE> {
    if !matches!(model.provider(), "openai" | "openai-responses" | "azure") {
        return None;
    }
    match get_tokenizer(model.name())? {
        Tokenizer::O200kBase | Tokenizer::O200kHarmony => Some(tiktoken_rs::o200k_base_singleton()),
        Tokenizer::Cl100kBase => Some(tiktoken_rs::cl100k_base_singleton()),
        Tokenizer::P50kBase | Tokenizer::R50kBase | Tokenizer::P50kEdit | Tokenizer::Gpt2 => None,
    }
}

fn is_countable(text: &str) -> bool {
    let mut spaces = 0;
    text.len() <= COUNTED_BYTES
        && text.chars().all(|c| {
            spaces = if c.is_whitespace() { spaces + 1 } else { 0 };
            spaces <= COUNTED_SPACES
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prompt::Role;

    fn check(model: &str, text: &str, expected: u32) {
        assert_eq!(expected_tokens(&ModelId::parse(model).unwrap(), text), expected, "{model}: {text:.40}");
    }

    #[test]
    fn tokens_are_counted_for_openai_and_estimated_for_the_rest() {
        check("openai/gpt-4o-mini", "The refund is on its way.", 7);
        check("openai/gpt-4o-2024-08-06", "The refund is on its way.", 7);
        check("anthropic/claude-haiku-4-5", "The refund is on its way.", 7);
        check("anthropic/claude-haiku-4-5", "äöüß", 1);
        check("openai/gpt-4o", "äöüß", 4);
        check("openai/a-model-of-tomorrow", "abcde", 2);
        check("openai/gpt-4o", "", 0);
    }

    #[test]
    fn a_text_made_to_stall_the_counter_is_estimated() {
        check("openai/gpt-4o", &" ".repeat(4_000), 1_000);
        check("openai/gpt-4o", &"\n".repeat(4_000), 1_000);
        check("openai/gpt-4o", &"a ".repeat(100_000), 50_000);
        let long_word = "a".repeat(50_000);
        assert!(expected_tokens(&ModelId::parse("openai/gpt-4o").unwrap(), &long_word) < 50_000);
    }

    #[test]
    fn a_message_takes_its_text_and_its_envelope() {
        let messages = [ChatMessage::text(Role::User, "abcd"), ChatMessage::text(Role::Assistant, "efghijkl")];
        assert_eq!(rough_message_tokens(&messages), 3 + 2 * ENVELOPE);
        let model = ModelId::parse("anthropic/x").unwrap();
        assert_eq!(expected_message_tokens(&model, &messages), 3 + 2 * ENVELOPE);
    }
}
