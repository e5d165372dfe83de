//! The promises, one file each, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod store_contract;
mod support;
mod webhook_door;
mod worker;
