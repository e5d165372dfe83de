//! PromptOps: a merge gate for prompts.
//!
//! Gather facts once, decide purely, publish once. Six rooms, imports one way, held by a test:
//! 1. [`domain`] decides, purely. 2. [`engine`] asks models. 3. `provider`, `store`, `github`, `git` reach outside.
//! 4. `app` joins them into use cases. 5. `web`, `worker`, `sim` are doors. 6. `cli`, `config` are the binary.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod git;
pub mod github;
pub mod provider;
#[cfg(feature = "demo")]
pub mod sim;
pub mod store;
pub mod web;
pub mod worker;
