//! The promises, one file each, in one binary.

mod store_contract;
mod support;
mod webhook_door;
mod worker;
