//! One test binary: what users are promised, one file per promise.

mod engine;
mod providers;
mod support;
