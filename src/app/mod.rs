//! Use cases: the only room that sees store, GitHub and providers together. Knows no HTTP server and no terminal.

pub mod approval;
mod attached;
pub mod cached;
pub mod commands;
pub mod compare;
pub mod control;
pub mod convert;
pub mod desk;
pub mod discover;
pub mod dispatch;
pub mod ending;
pub mod files;
mod guards;
pub mod intake;
pub mod job;
pub mod lint;
pub mod load;
pub mod local;
pub mod measure;
pub mod named;
pub mod plan;
pub mod pull;
pub mod render;
pub mod result;
pub mod service;
pub mod sides;
mod till;
