//! What the stories stand on.

pub mod database;
pub mod plans;
pub mod provider;
