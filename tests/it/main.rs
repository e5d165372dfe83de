//! The tests of the whole product, one binary: `support` first, then one file per promise.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told should panic")]

mod architecture;
mod cli_compare;
mod cli_convert;
mod cli_dotprompt;
mod cli_eval;
mod cli_evaluators;
mod cli_input;
mod cli_judges;
mod cli_lint;
mod cli_money;
mod cli_policy;
mod cli_promptfoo;
mod cli_prompty;
mod cli_provider;
mod cli_render;
mod cli_reports;
mod cli_vendors;
mod corpus;
mod demo;
mod engine;
mod engine_money;
mod github_client;
mod judges;
mod providers;
mod pull_approval;
mod pull_attached;
mod pull_commands;
mod pull_events;
mod pull_files;
mod pull_gate;
mod pull_money;
mod pull_organisation;
mod pull_process;
mod pull_trouble;
mod schemas;
mod sim_behaviour;
mod sim_conformance;
mod store_audit;
mod store_contract;
mod store_seen;
mod store_spending;
mod support;
mod webhook_door;
mod worker;
