//! Room 1. Pure decisions: no async, clock, environment, files, network, GitHub, SQL.

pub mod command;
pub mod diagnostic;
pub mod evaluator;
pub mod gate;
pub mod golden;
pub mod ids;
pub mod policy;
pub mod prompt;
pub mod report;
pub mod settings;
pub mod untrusted;
