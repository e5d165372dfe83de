//! promptfoo's providers: `openai:chat:gpt-4o` and their settings, as models and parameters. Asks nobody.

use std::borrow::Cow;

use super::refusal::{self, Refusal};
use super::settings::{self, Settings};
use super::shelf::{self, Shelf};
use crate::domain::diagnostic::Location;
use crate::domain::ids::ModelId;
use crate::domain::node::{Key, Kind, Node};
use crate::domain::policy::Change;
use crate::domain::reader::{Reader, Unknown};

/// Most providers of one config.
const MAX_PROVIDERS: usize = 100;

/// A model with its settings.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    /// As promptfoo writes it.
    pub id: String,
    /// What people call it, where the config says.
    pub label: Option<String>,
    pub model: ModelId,
    pub settings: Settings,
    /// The labels of the prompts it gets; `None`: all.
    pub prompts: Option<Vec<String>>,
}

impl Provider {
    /// What it is called.
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.id)
    }
}

const KEYS: [&str; 11] = [
    "id",
    "label",
    "config",
    "prompts",
    "delay",
    "env",
    "transform",
    "inputs",
    "description",
    "cost",
    "maxConcurrency",
];

/// Reads `providers` or `targets`.
pub(super) fn read(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, node: &Node) -> Vec<Provider> {
    let mut found = Vec::new();
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| one(reader, shelf, item, &mut found, true)),
        _ => one(reader, shelf, node, &mut found, true),
    }
    if found.len() > MAX_PROVIDERS {
        let message = format!("{} providers, at most {MAX_PROVIDERS} are asked", found.len());
        reader.error("too-many", node.at, message, "leave some out");
        found.clear();
    }
    found
}

fn one(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, item: &Node, found: &mut Vec<Provider>, may_name_files: bool) {
    match &item.kind {
        Kind::Text(id) if id.starts_with("file://") && may_name_files && !refusal::is_code(id) => {
            of_files(reader, shelf, item, id, found);
        }
        Kind::Text(id) => found.extend(provider(reader, id, item.at)),
        Kind::Map(entries) if item.get("id").is_none() => {
            // `openai:gpt-4o: {config: …}`: the key is the id.
            for (key, value) in entries {
                let Some(mut read) = provider(reader, &key.name, key.at) else { continue };
                if !matches!(value.kind, Kind::Null) && options(reader, shelf, value, &mut read).is_some() {
                    found.push(read);
                }
            }
        }
        Kind::Map(_) => {
            let Some(id) = item.get("id").and_then(|node| Some((reader.words(node, "id")?, node.at))) else { return };
            let Some(mut read) = provider(reader, &id.0, id.1) else { return };
            if options(reader, shelf, item, &mut read).is_some() {
                found.push(read);
            }
        }
        _ => {
            let message = format!("a provider must be a text or a mapping, found {}", item.kind_name());
            reader.error("wrong-type", item.at, message, "write for instance `openai:gpt-4o-mini`");
        }
    }
}

fn of_files(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, item: &Node, id: &str, found: &mut Vec<Provider>) {
    let files = match shelf.find(shelf.config(), id, Change::Prompt) {
        Ok(files) => files,
        Err(refused) => return refused.tell(reader, item.at),
    };
    for (path, bytes) in files {
        let source = match shelf::source(path, bytes) {
            Ok(source) => source,
            Err(finding) => return reader.push(*finding),
        };
        let node = match shelf::document(&source) {
            Ok(node) => node,
            Err(finding) => return reader.push(*finding),
        };
        let mut within = Reader::new(source);
        match &node.kind {
            Kind::List(items) => items.iter().for_each(|item| one(&mut within, shelf, item, found, false)),
            _ => one(&mut within, shelf, &node, found, false),
        }
        super::adopt(reader, within);
    }
}

fn options(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, node: &Node, provider: &mut Provider) -> Option<()> {
    let fields = reader.fields(node, "a provider", &KEYS, Unknown::Warned)?;
    provider.label = fields.read(reader, "label", Reader::words);
    if let Some(node) = fields.get("prompts") {
        provider.prompts = Some(names(reader, node, "prompts")?);
    }
    if let Some(node) = fields.get("transform") {
        let help = "judge the answer as it is, for instance with `contains-json` or `regex`";
        Refusal::code("`transform`", help).tell(reader, node.at);
        return None;
    }
    for key in ["env", "inputs"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` of a provider is not used");
            reader.warning("not-used", node.at, message, "set what it needs in the environment");
        }
    }
    if let Some(config) = fields.get("config") {
        provider.settings = settings::read(reader, shelf, config)?;
    }
    Some(())
}

/// One name or a list of them.
pub(super) fn names(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    match node.kind {
        Kind::List(_) => reader.texts(node, what),
        _ => Some(vec![reader.words(node, what)?]),
    }
}

fn provider(reader: &mut Reader<'_>, id: &str, at: Location) -> Option<Provider> {
    match model(id) {
        Ok(model) => {
            Some(Provider { id: id.to_owned(), label: None, model, settings: Settings::default(), prompts: None })
        }
        Err(refused) => {
            refused.tell(reader, at);
            None
        }
    }
}

/// The model that a provider's id means.
pub(super) fn model(id: &str) -> Result<ModelId, Refusal> {
    if let Some((_, refused)) = refusal::nunjucks(id) {
        return Err(refused);
    }
    if let Some(refused) = refusal::remote(id) {
        return Err(Refusal { help: "name a provider such as `openai:gpt-4o-mini`".to_owned(), ..refused });
    }
    let path = id.strip_prefix("file://").unwrap_or(id);
    let instead = "name a provider such as `openai:gpt-4o-mini`, or an OpenAI-compatible gateway by OPENAI_BASE_URL";
    let scheme = id.split(':').next().unwrap_or_default();
    if refusal::is_code(path) || matches!(scheme, "exec" | "python" | "golang" | "ruby" | "javascript" | "package") {
        return Err(Refusal::code(format!("the provider `{id}`"), instead));
    }
    let Some((vendor, rest)) = id.split_once(':') else {
        let message = format!("the provider `{id}` is not of the form `vendor:model`");
        return Err(Refusal::new("unknown-provider", message, instead));
    };
    let unsupported = |what: &str| {
        Err(Refusal::new("unknown-provider", format!("the provider `{id}` {what}, which is not asked here"), instead))
    };
    if vendor == "file" {
        let message = format!("the provider `{id}` is a file where a model must be named");
        return Err(Refusal::new(
            "unknown-provider",
            message,
            "name the file as the provider itself: `- file://models.yaml`",
        ));
    }
    if matches!(vendor, "http" | "https" | "ws" | "webhook" | "browser" | "mcp" | "echo" | "sequence" | "promptfoo") {
        return unsupported("is no model");
    }
    let (kind, name) = match rest.split_once(':') {
        Some((kind, name)) if KINDS.contains(&kind) => (kind, name),
        _ if KINDS.contains(&rest) => (rest, ""),
        _ => ("", rest),
    };
    match kind {
        "embedding" | "embeddings" | "moderation" | "image" | "video" | "realtime" | "live" | "assistant" => {
            return unsupported("does not answer a chat");
        }
        _ => {}
    }
    let vendor = match (vendor, kind) {
        ("openai", "responses") => "openai-responses",
        ("azureopenai", _) => "azure",
        ("google" | "palm", _) => "gemini",
        (vendor, _) => vendor,
    };
    ModelId::parse(&format!("{vendor}/{name}")).map_err(|_| {
        Refusal::new(
            "unknown-provider",
            format!("the provider `{id}` names no model"),
            format!("write `{vendor}:MODEL`"),
        )
    })
}

/// What may stand between a vendor and a model.
const KINDS: [&str; 14] = [
    "chat",
    "completion",
    "responses",
    "messages",
    "converse",
    "embedding",
    "embeddings",
    "moderation",
    "image",
    "video",
    "realtime",
    "live",
    "assistant",
    "text",
];

/// The models that judge: one that is asked, one whose vectors are compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Judges {
    pub text: Option<ModelId>,
    pub embeddings: Option<ModelId>,
}

/// Reads `provider` of an assertion or of a test's options: one model, or one of each kind as `{text, embedding}`.
pub(super) fn judges(reader: &mut Reader<'_>, node: &Node) -> Option<Judges> {
    let mut judges = Judges::default();
    let by_kind: Vec<&Node> = ["text", "embedding"].iter().filter_map(|key| node.get(key)).collect();
    let named = if by_kind.is_empty() { vec![node] } else { by_kind };
    for node in named {
        let id = node.get("id").unwrap_or(node);
        let text = reader.words(id, "provider")?;
        let (plain, embeds) = without_embedding(&text);
        match model(&plain) {
            Ok(model) if embeds => judges.embeddings = Some(model),
            Ok(model) => judges.text = Some(model),
            Err(refused) => {
                refused.tell(reader, id.at);
                return None;
            }
        }
    }
    Some(judges)
}

/// `openai:x` for `openai:embedding:x`, and whether a provider's id means embeddings: by its kind, else by its name.
fn without_embedding(id: &str) -> (Cow<'_, str>, bool) {
    let Some((vendor, rest)) = id.split_once(':') else { return (id.into(), false) };
    match rest.split_once(':') {
        Some(("embedding" | "embeddings", name)) => (format!("{vendor}:{name}").into(), true),
        _ => (id.into(), vendor == "voyage" || rest.contains("embed")),
    }
}

/// A mapping with one entry more.
pub(super) fn with_entry(node: &Node, name: &str, value: Node) -> Node {
    let mut node = node.clone();
    if let Kind::Map(entries) = &mut node.kind {
        entries.push((Key { name: name.into(), at: value.at }, value));
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, expected: Result<&str, &str>) {
        let found = model(id);
        let found = found.as_ref().map(ModelId::as_str).map_err(|refused| refused.code);
        assert_eq!(found, expected, "{id}");
    }

    #[test]
    fn a_providers_id_names_a_model() {
        check("openai:gpt-4o-mini", Ok("openai/gpt-4o-mini"));
        check("openai:chat:gpt-4o", Ok("openai/gpt-4o"));
        check("openai:responses:gpt-5", Ok("openai-responses/gpt-5"));
        check("anthropic:messages:claude-sonnet-4-5", Ok("anthropic/claude-sonnet-4-5"));
        check("azure:chat:my-deployment", Ok("azure/my-deployment"));
        check("azureopenai:chat:d", Ok("azure/d"));
        check("google:gemini-2.5-flash", Ok("gemini/gemini-2.5-flash"));
        check("vertex:gemini-2.5-pro", Ok("vertex/gemini-2.5-pro"));
        check("bedrock:anthropic.claude-v2:1", Ok("bedrock/anthropic.claude-v2:1"));
        check("bedrock:converse:us.amazon.nova-pro-v1:0", Ok("bedrock/us.amazon.nova-pro-v1:0"));
        check("ollama:chat:llama3.2:1b", Ok("ollama/llama3.2:1b"));
        check("ollama:llama3.2", Ok("ollama/llama3.2"));
        check("openrouter:meta/llama-3", Ok("openrouter/meta/llama-3"));
    }

    #[test]
    fn what_is_no_model_is_refused_by_name() {
        check("gpt-4o", Err("unknown-provider"));
        check("openai:", Err("unknown-provider"));
        check("openai:chat", Err("unknown-provider"));
        check("openai:embedding:text-embedding-3-small", Err("unknown-provider"));
        check("echo", Err("unknown-provider"));
        check("file://provider.py", Err("code-refused"));
        check("python:provider.py", Err("code-refused"));
        check("exec:./run.sh", Err("code-refused"));
        check("./provider.js", Err("code-refused"));
        check("file://other.yaml", Err("unknown-provider"));
        check("https://example.org/v1", Err("remote-refused"));
        check("openai:{{env.MODEL}}", Err("environment-refused"));
    }
}
