//! Room 3. GitHub's REST API: credentials, one call with one retry policy, all facts of a pull request, what is published.
//! Knows the domain and nothing of models, the database, HTTP servers or the command line.

mod answer;
mod auth;
mod branch;
mod changes;
pub mod check;
mod client;
mod content;
mod contributors;
mod deliveries;
mod error;
mod membership;
mod organisation;
mod overriders;
mod publish;
mod repository;
mod snapshot;
mod survey;
mod time;
mod tree;
pub mod webhook;
mod wire;

pub use client::{Github, GithubOptions, NowMs, SetupError, TokenOptions};
pub use content::{ChangedFile, Governed};
pub use deliveries::{DeliveryPage, LoggedDelivery};
pub use error::GithubError;
pub use membership::Teams;
pub use organisation::OrganisationFile;
pub use publish::{CheckId, CheckWrite, CommentId, CommentOutcome, CommentWrite, Head, REPORT_MARKER, Remembered};
pub use repository::{Permission, PullView, Repository};
pub use snapshot::Snapshot;
pub use survey::{ListedPull, ListedRepository};
pub use tree::{EntryKind, Tree, TreeEntry};
