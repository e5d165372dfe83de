//! A GitHub on loopback: a stateful HTTP server over real Git objects, with authentication, permissions, paging, limits,
//! webhooks and faults. It serves `promptops demo`, the tests and the benchmarks, and knows none of the rooms but
//! [`crate::domain::ids`].
//!
//! [`Sim::start`] gives a handle. Through it people act (push, review, comment), and what the app did can be read.

mod api;
mod auth;
mod call;
mod clock;
mod diff;
mod events;
mod fault;
mod handle;
mod history;
mod limits;
mod merge;
mod objects;
mod record;
mod route;
mod server;
mod shape;
mod state;
mod webhook;
mod wire;

pub use fault::{Fault, Trouble, When};
pub use handle::{
    Change, CheckView, CommentView, DEFAULT_PERMISSIONS, NewPull, PullView, Repo, Sim, SimError, Verdict,
};
pub use limits::{Caps, Limits};
pub use objects::Mode;
pub use record::{Caller, Exchange};
pub use state::{Manner, RequiredCheck};
pub use webhook::{Delivery, Knobs};
