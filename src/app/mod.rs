//! Use cases: the only room that sees store, GitHub and providers together. Knows no HTTP server and no terminal.

pub mod intake;
pub mod job;
