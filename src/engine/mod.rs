//! The engine: asks models and measures answers. Async; knows the domain only, neither stores nor GitHub.

mod agreement;
pub mod allowance;
mod answer;
mod budget;
mod call;
pub mod clock;
pub mod event;
mod judging;
mod opinion;
mod outage;
mod pairs;
pub mod provider;
pub mod run;
mod stage;
mod tally;
