//! promptfoo's types that are not supported: why, and what to use in their place. Knows no file.

/// Name (or its beginning, where it ends in a dash or colon), why it is refused, and what to do.
const REFUSED: [(&str, &str, &str); 25] = [
    ("javascript", CODE, INSTEAD_OF_CODE),
    ("fn", CODE, INSTEAD_OF_CODE),
    ("eval", CODE, INSTEAD_OF_CODE),
    ("python", CODE, INSTEAD_OF_CODE),
    ("ruby", CODE, INSTEAD_OF_CODE),
    ("file", CODE, INSTEAD_OF_CODE),
    ("webhook", "it sends answers to another server", INSTEAD_OF_CODE),
    ("guardrails", "it needs a provider's guardrails", "use `is-refusal`, `finish-reason` or `sensitive_data`"),
    ("guardrail", "it needs a provider's guardrails", "use `is-refusal`, `finish-reason` or `sensitive_data`"),
    ("moderation", "it needs a moderation service", "use `llm-rubric` with what is not allowed, or `banned_phrases`"),
    ("classifier", "it needs a classifier service", "use `llm-rubric` with the classes in words"),
    ("perplexity", NO_LOGPROBS, "use `llm-rubric` for how well a text reads"),
    ("perplexity-score", NO_LOGPROBS, "use `llm-rubric` for how well a text reads"),
    ("human", "nobody is asked while cases run", "use `llm-rubric`, or review the answers in the pull request"),
    ("pi", "it needs a scoring service", "use `llm-rubric`"),
    ("search-rubric", "it searches the web", "put the facts into `expected` and use `factuality`"),
    ("agent-rubric", "it runs an agent", "use `llm-rubric`"),
    ("skill-used", NO_TRACE, "use `tool-call-f1` for the tools that are called"),
    ("trace-", NO_TRACE, "use `latency`, or `tool-call-f1` for the tools that are called"),
    ("trajectory:", NO_TRACE, "use `tool-call-f1` for the tools that are called"),
    ("max-score", "it picks among several prompts", "use `promptops eval --compare A B`"),
    ("assert-set", "it is a list of assertions and stands for none", "write it in the `assert` list of a test"),
    ("promptfoo:redteam:", "it belongs to red teaming", "use `llm-rubric` or `is-refusal`"),
    ("rouge-l", "only single words are counted", "use `rouge-n` or `lexical_similarity`"),
    ("rouge-s", "only single words are counted", "use `rouge-n` or `lexical_similarity`"),
];

const CODE: &str = "it runs code from the file";
const INSTEAD_OF_CODE: &str =
    "say it without code: `regex`, `is-json` with a schema, `contains-json`, `word-count` or `llm-rubric`";
const NO_LOGPROBS: &str = "providers' token probabilities are not kept";
const NO_TRACE: &str = "traces of agents are not read";

/// Why a type is not supported, and what to do; `None` where it is, or is not known at all.
pub(super) fn reason(name: &str) -> Option<(&'static str, &'static str)> {
    let is = |known: &str| match known.strip_suffix(':') {
        Some(family) => name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')),
        None if known.ends_with('-') => name.starts_with(known),
        None => name == known,
    };
    REFUSED.iter().find(|(known, ..)| is(known)).map(|(_, why, instead)| (*why, *instead))
}
