//! Model providers: vendors over HTTP, recordings and replay. Knows the engine's trait; neither stores nor GitHub.

mod address;
mod anthropic;
mod date;
mod embedding;
mod http;
mod media;
mod openai;
mod rate;
mod record;
mod recording;
mod refusal;
mod registry;
mod replay;
mod tools;
mod turn;

pub use record::Recorder;
pub use recording::RecordingError;
pub use registry::{ProviderConfig, Registry, SetupError};
pub use replay::Replay;
