//! Holds exchanges with the fake GitHub against GitHub's own API description, where that file is at hand.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use promptops::sim::Exchange;
use regex::Regex;
use serde_json::{Value, json};

/// The description, loaded once; `None` where the file is not there.
static DESCRIPTION: LazyLock<Option<Description>> = LazyLock::new(Description::load);

/// Parameters that may hold slashes.
const WIDE: [&str; 5] = ["ref", "branch", "basehead", "tree_sha", "sha"];

struct Description {
    document: Value,
    operations: Vec<Operation>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

struct Operation {
    method: String,
    path: Regex,
    /// Literal parts, more of which make a better match.
    literals: usize,
    /// Where it stands in the document; empty for those whose schemas were left out of the file.
    pointer: String,
}

/// Fails with every way in which requests and answers are not what GitHub describes; says so where the check is skipped.
pub fn assert_conforms(exchanges: &[Exchange]) {
    match differences(exchanges) {
        None => println!("skipped: GitHub's API description is not at ../shared/github-openapi.json"),
        Some(faults) => {
            assert!(
                faults.is_empty(),
                "{} differences from GitHub's description:\n{}",
                faults.len(),
                faults.join("\n")
            );
        }
    }
}

/// Every way in which requests and answers are not what GitHub describes; `None` where the description is not there.
pub fn differences(exchanges: &[Exchange]) -> Option<Vec<String>> {
    let description = DESCRIPTION.as_ref()?;
    Some(exchanges.iter().flat_map(|exchange| description.check(exchange)).collect())
}

fn file() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/github-openapi.json");
    std::env::var_os("PROMPTOPS_GITHUB_OPENAPI").map_or_else(beside, PathBuf::from)
}

impl Description {
    fn load() -> Option<Self> {
        let text = std::fs::read_to_string(file()).ok()?;
        let mut document: Value = serde_json::from_str(&text).expect("the API description is JSON");
        if document["openapi"].as_str().is_some_and(|version| version.starts_with("3.0")) {
            nullable_to_null(&mut document);
        }
        let described = document["paths"].as_object().into_iter().flatten().flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, _)| {
                let pointer = format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
                Operation::new(&method.to_uppercase(), path, pointer)
            })
        });
        let others = document["x-other-operations"].as_object().into_iter().flatten();
        let others = others.filter_map(|(name, _)| {
            let (method, path) = name.split_once(' ')?;
            Some(Operation::new(method, path, String::new()))
        });
        let mut operations: Vec<Operation> = described.chain(others).collect();
        operations.sort_by_key(|operation| std::cmp::Reverse(operation.literals));
        Some(Self { document, operations, compiled: Mutex::default() })
    }

    fn check(&self, exchange: &Exchange) -> Vec<String> {
        // The description is of the REST API alone.
        if exchange.path == "/graphql" {
            return Vec::new();
        }
        let wanted =
            |operation: &&Operation| operation.method == exchange.method && operation.path.is_match(&exchange.path);
        let name = format!("{} {} -> {}", exchange.method, exchange.path, exchange.status);
        let Some(operation) = self.operations.iter().find(wanted) else {
            return vec![format!("{name}: GitHub has no such operation")];
        };
        if operation.pointer.is_empty() {
            return Vec::new();
        }
        let mut faults = self.check_query(operation, exchange);
        // What was refused need not have been well-formed.
        if exchange.status < 400 || exchange.faulted {
            faults.extend(self.check_request(operation, exchange));
        }
        if !exchange.faulted {
            faults.extend(self.check_response(operation, exchange));
        }
        faults.into_iter().map(|fault| format!("{name}: {fault}")).collect()
    }

    fn at(&self, pointer: &str) -> &Value {
        let found = self.document.pointer(pointer).unwrap_or(&Value::Null);
        match found["$ref"].as_str() {
            Some(reference) => self.at(reference.trim_start_matches('#')),
            None => found,
        }
    }

    fn check_query(&self, operation: &Operation, exchange: &Exchange) -> Vec<String> {
        let list = format!("{}/parameters", operation.pointer);
        let count = self.at(&list).as_array().map_or(0, Vec::len);
        let known: Vec<&Value> = (0..count).map(|at| &self.at(&format!("{list}/{at}"))["name"]).collect();
        let given = url::form_urlencoded::parse(exchange.query.as_bytes());
        let unknown = given.filter(|(name, _)| !known.contains(&&json!(name)));
        unknown.map(|(name, _)| format!("unknown query parameter `{name}`")).collect()
    }

    fn check_request(&self, operation: &Operation, exchange: &Exchange) -> Vec<String> {
        let pointer = format!("{}/requestBody/content/application~1json/schema", operation.pointer);
        match (&exchange.request, self.document.pointer(&pointer)) {
            (Some(body), Some(_)) => self.errors("request", &pointer, body),
            _ => Vec::new(),
        }
    }

    fn check_response(&self, operation: &Operation, exchange: &Exchange) -> Vec<String> {
        let status = format!("{}/responses/{}", operation.pointer, exchange.status);
        let documented = !self.at(&status).is_null();
        let Some(body) = &exchange.response else {
            return if documented || exchange.status == 304 { Vec::new() } else { vec!["undocumented".to_owned()] };
        };
        let inline = format!("{status}/content/application~1json/schema");
        let shared = self.document.pointer(&status).and_then(|response| response["$ref"].as_str());
        let shared = shared.map(|to| format!("{}/content/application~1json/schema", to.trim_start_matches('#')));
        let pointer = shared.unwrap_or(inline);
        match self.document.pointer(&pointer) {
            Some(_) => self.errors("response", &pointer, body),
            // Errors have one form, listed for an operation or not.
            None if exchange.status >= 400 => self.errors("response", "/components/schemas/basic-error", body),
            None if documented => Vec::new(),
            None => vec!["undocumented".to_owned()],
        }
    }

    fn errors(&self, what: &str, pointer: &str, body: &Value) -> Vec<String> {
        let validator = self.validator(pointer);
        let errors = validator.iter_errors(body);
        errors.map(|error| format!("{what}{}: {}", error.instance_path(), shorten(&error.to_string()))).collect()
    }

    /// The shared schemas that a schema needs: compiling all of them each time would be slow.
    fn collect_references(&self, value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect_references(item, into)),
            Value::Object(map) => {
                let name =
                    map.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/components/schemas/"));
                if let Some(name) = name.filter(|name| into.insert((*name).to_owned())) {
                    self.collect_references(&self.document["components"]["schemas"][name], into);
                }
                map.values().for_each(|item| self.collect_references(item, into));
            }
            _ => {}
        }
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(pointer) {
            return known.clone();
        }
        let schema = self.document.pointer(pointer).unwrap_or(&Value::Null);
        let mut needed = BTreeSet::new();
        self.collect_references(schema, &mut needed);
        // A reference's siblings are ignored, so the schema is wrapped instead of extended.
        let mut schema = json!({"allOf": [schema], "components": {"schemas": {}}});
        for name in needed {
            schema["components"]["schemas"][&name] = self.document["components"]["schemas"][&name].clone();
        }
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true);
        let built = options.build(&schema).unwrap_or_else(|error| panic!("{pointer} does not compile: {error}"));
        let built = Arc::new(built);
        compiled.insert(pointer.to_owned(), built.clone());
        built
    }
}

impl Operation {
    fn new(method: &str, path: &str, pointer: String) -> Self {
        let mut pattern = String::from("^");
        let mut literals = 0;
        for part in path.split('/').skip(1) {
            pattern.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                // The root folder's path is empty.
                Some("path") => pattern.push_str(".*"),
                Some(name) if WIDE.contains(&name) => pattern.push_str(".+"),
                Some(_) => pattern.push_str("[^/]+"),
                None => {
                    literals += 1;
                    pattern.push_str(&regex::escape(part));
                }
            }
        }
        let path = Regex::new(&format!("{pattern}/?$")).expect("an escaped pattern is valid");
        Self { method: method.to_owned(), path, literals, pointer }
    }
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(300).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// OpenAPI 3.0's `nullable: true` in JSON Schema's words.
fn nullable_to_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(nullable_to_null),
        Value::Object(map) => {
            map.values_mut().for_each(nullable_to_null);
            if map.get("nullable") != Some(&Value::Bool(true)) {
                return;
            }
            map.remove("nullable");
            let schema = Value::Object(std::mem::take(map));
            map.insert("anyOf".to_owned(), json!([{"type": "null"}, schema]));
        }
        _ => {}
    }
}
