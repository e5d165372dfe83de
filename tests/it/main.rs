//! The tests of the whole product, one binary: `support` first, then one file per promise.

mod architecture;
mod store_contract;
mod support;
mod webhook_door;
mod worker;
