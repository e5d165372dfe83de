//! One test binary: what users are promised, one file per promise.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told should panic")]

mod engine;
mod providers;
mod support;
