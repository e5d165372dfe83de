//! Room 1. Pure decisions: no async, clock, environment, files, network, GitHub, SQL.

pub mod audit;
pub mod budget;
pub mod command;
pub mod convert;
pub mod diagnostic;
pub mod evaluator;
pub mod evaluator_syntax;
pub mod gate;
pub mod golden;
pub mod governed;
pub mod ids;
pub mod node;
pub mod policy;
pub mod policy_tests;
pub mod price;
pub mod price_overrides;
pub mod prompt;
pub mod promptfoo;
pub mod reader;
pub mod report;
pub mod schema;
pub mod settings;
pub mod source;
pub mod stats;
pub mod untrusted;
pub mod yaml;
