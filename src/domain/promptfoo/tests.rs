//! Stories of configs, from text to prompts and cases.
