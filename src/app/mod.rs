//! Use cases: the only room that sees store, GitHub and providers together. Knows no HTTP server and no terminal.

pub mod cached;
pub mod discover;
pub mod files;
pub mod intake;
pub mod job;
pub mod load;
pub mod local;
pub mod plan;
pub mod result;
