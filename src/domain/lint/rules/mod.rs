//! The rules, one a file. None knows another.

pub mod duplicate;
pub mod flaky;
pub mod length;
pub mod metadata;
pub mod personal;
pub mod phrase;
pub mod placeholder;
pub mod secret;
pub mod size;
pub mod undeclared;
pub mod unused;
pub mod version;
