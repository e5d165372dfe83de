//! The engine: asks models and measures answers. Async; knows the domain only, neither stores nor GitHub.

pub mod clock;
pub mod event;
pub mod provider;
pub mod run;
