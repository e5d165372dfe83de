//! What the stories stand on.

pub mod plans;
pub mod provider;
