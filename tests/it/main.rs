//! One binary for all integration tests: what they share, then one file per promise.

mod github_client;
mod sim_behaviour;
mod sim_conformance;
mod support;
