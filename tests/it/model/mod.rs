//! The model-based test: random histories against the fake GitHub, and an oracle beside them that knows the rules in its own
//! words.
//!
//! **Promised.** A history is what people do to one repository with two protected branches: pushes, force-pushes, updates,
//! reviews, dismissals, edits, retargets, team changes, pushes to base, comments; webhooks are lost, repeated and shuffled, and
//! the server stops, dies and comes back. After each step `oracle` says what stands against merging each pull request. Then:
//! - *safety*, while things happen and after: what GitHub lets through, the oracle allows;
//! - *liveness*, once all has settled: what the oracle allows, GitHub lets through;
//! - at the end of a history, when what was lost has been made up for, the two agree on every pull request.
//!
//! A history that fails is told with its seed, which `cargo bench --bench histories -- --seed N` plays again by itself.
//!
//! **The window.** Between an event and the moment its webhook has been worked off, no bot can know better. So safety counts the
//! oracle's word at any moment since the last webhook that was worked off and that makes the product look again at this pull
//! request (`play::concerns`), as far as it went for this head and this base branch. What GitHub sees to by itself
//! counts at once: a new head has no checks, another base asks for other names, a draft, a closed or a conflicting pull request
//! cannot be merged. What happens to a closed pull request is looked at when it is opened again.
//!
//! **Left out.** Statistics (a case breaks every time or never), outages of models, forks, permissions that the app loses,
//! caps, links and other file kinds, merges. These have stories of their own.
//!
//! **Overrides** come alone and in good weather, on a pull request that the product knows all about: whether one counts
//! depends on what the product had evaluated when it was given, which no oracle can tell.

mod history;
mod judge;
mod oracle;
mod play;
mod policies;
mod run;
mod world;

pub use run::house;

/// Seeds of a house's histories.
pub const SEEDS: u64 = 1_000;
