//! Gathers the facts of which `promptops doctor` speaks. Judges nothing, prints nothing, and reads no environment.

pub mod here;
pub mod providers;
pub mod repository;
pub mod service;
