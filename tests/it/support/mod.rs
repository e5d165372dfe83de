//! What the stories stand on.

pub mod act;
pub mod api;
pub mod app;
pub mod database;
pub mod desk;
pub mod openapi;
pub mod plans;
pub mod provider;
pub mod runner;
pub mod step;
pub mod terminal;
