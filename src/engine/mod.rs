//! The engine: asks models and measures answers. Async; knows the domain only, neither stores nor GitHub.

pub mod account;
mod agreement;
pub mod allowance;
mod answer;
mod budget;
mod call;
pub mod clock;
mod estimate;
pub mod event;
mod judging;
pub mod limits;
mod opinion;
mod outage;
mod pairs;
pub mod provider;
mod reuse;
pub mod run;
mod stage;
mod tally;
