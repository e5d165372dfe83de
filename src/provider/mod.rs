//! Model providers: vendors over HTTP, recordings and replay. Knows the engine's trait; neither stores nor GitHub.

mod address;
mod anthropic;
mod bedrock;
mod embedding;
mod form;
mod gemini;
mod http;
mod media;
mod openai;
mod rate;
mod record;
mod recording;
mod refusal;
mod registry;
mod replay;
mod settings;
mod tools;
mod vendor;

pub use bedrock::AwsKeys;
pub use record::Recorder;
pub use recording::RecordingError;
pub use registry::{Registry, SetupError, variables};
pub use replay::Replay;
pub use settings::{Kind, ModelServer, Origin, ProviderConfig};
