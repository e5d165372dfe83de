//! The tests of the whole product, one binary: `support` first, then one file per promise.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told should panic")]

mod architecture;
mod cli_eval;
mod cli_input;
mod cli_lint;
mod cli_promptfoo;
mod cli_provider;
mod demo;
mod engine;
mod github_client;
mod providers;
mod pull_approval;
mod pull_attached;
mod pull_commands;
mod pull_events;
mod pull_files;
mod pull_gate;
mod pull_process;
mod pull_trouble;
mod sim_behaviour;
mod sim_conformance;
mod store_contract;
mod support;
mod webhook_door;
mod worker;
