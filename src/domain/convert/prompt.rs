//! A prompt as `.prompt.yml` has it, and what that cannot hold. Knows no file system.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Loss, evaluators, number};
use crate::domain::prompt::template::Template;
use crate::domain::prompt::{Body, Parameters, Prompt, ResponseFormat, Role, Variable};

/// The file's content. Evaluators are written where `with_evaluators` says that no golden set takes them.
pub(super) fn write(prompt: &Prompt, with_evaluators: bool, losses: &mut Vec<Loss>) -> Value {
    let Prompt {
        path: _,
        label: _,
        group: _,
        trials,
        name,
        description,
        model,
        parameters,
        response_format,
        tools,
        body,
        variables,
        version,
        owner,
        use_case,
        example_output,
        // The golden set is written beside the prompt, where it is found by its name.
        golden_set: _,
        golden_set_at: _,
        tags,
        test_data: _,
        evaluators: own,
        evaluator_variables: _,
    } = prompt;
    if let Some(trials) = trials {
        let what = format!("{trials} trials per case, which the settings' `evaluation.trials` say");
        losses.push(Loss { at: None, what });
    }
    let mut file = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            file.insert(key.to_owned(), value);
        }
    };
    put("name", Some(json!(name)));
    put("description", description.as_ref().map(|text| json!(text)));
    put("version", version.as_ref().map(|version| json!(version.to_string())));
    put("owner", owner.as_ref().map(|owner| json!(owner)));
    put("useCase", use_case.as_ref().map(|text| json!(text)));
    put("tags", (!tags.is_empty()).then(|| json!(tags)));
    put("model", model.as_ref().map(|model| json!(model.as_str())));
    put("modelParameters", sampling(parameters));
    let (format, schema) = answer(response_format);
    put("responseFormat", format);
    put("jsonSchema", schema);
    put("tools", (!tools.is_empty()).then(|| json!(tools)));
    put("variables", declared(variables));
    put("messages", Some(messages(body, losses)));
    put("exampleOutput", example_output.as_ref().map(|text| json!(text)));
    let own = if with_evaluators { evaluators(own, losses) } else { Vec::new() };
    put("evaluators", (!own.is_empty()).then(|| json!(own)));
    Value::Object(file)
}

/// A mapping of what there is.
fn some(entries: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Map<String, Value> {
    entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn sampling(parameters: &Parameters) -> Option<Value> {
    let Parameters { max_tokens, temperature, top_p, seed, stop } = parameters;
    let given = some([
        ("maxTokens", max_tokens.map(|tokens| json!(tokens))),
        ("temperature", temperature.map(number)),
        ("topP", top_p.map(number)),
        ("seed", seed.map(|seed| json!(seed))),
        ("stop", (!stop.is_empty()).then(|| json!(stop))),
    ]);
    (!given.is_empty()).then_some(Value::Object(given))
}

fn answer(format: &ResponseFormat) -> (Option<Value>, Option<Value>) {
    match format {
        ResponseFormat::Text => (None, None),
        ResponseFormat::JsonObject => (Some(json!("json_object")), None),
        ResponseFormat::JsonSchema { name, schema, strict } => {
            let whole = some([
                ("name", Some(json!(name))),
                ("strict", strict.map(|strict| json!(strict))),
                ("schema", Some((**schema).clone())),
            ]);
            (Some(json!("json_schema")), Some(Value::Object(whole)))
        }
    }
}

fn declared(variables: &BTreeMap<String, Variable>) -> Option<Value> {
    let all = variables.iter().map(|(name, variable)| {
        let Variable { description, required, default, example } = variable;
        let said = some([
            ("description", description.as_ref().map(|text| json!(text))),
            ("required", required.map(|required| json!(required))),
            ("default", default.clone()),
            ("example", example.clone()),
        ]);
        (name.clone(), Value::Object(said))
    });
    let all: Map<String, Value> = all.collect();
    (!all.is_empty()).then_some(Value::Object(all))
}

fn messages(body: &Body, losses: &mut Vec<Loss>) -> Value {
    let said: Vec<(Role, String)> = match body {
        Body::Messages(messages) => messages.iter().map(|message| (message.role, message.content.source())).collect(),
        Body::Handlebars(template) => {
            let (messages, lost) = template.plain();
            losses.extend(lost.into_iter().map(|(at, what)| Loss { at: Some(at), what }));
            messages
        }
        Body::Jinja(jinja) => {
            let (messages, lost) = jinja.plain();
            let lost = lost.into_iter().map(|lost| {
                let what =
                    format!("`{}` is logic, which a .prompt.yml cannot say; it would stand there as text", lost.what);
                Loss { at: Some(lost.at), what }
            });
            losses.extend(lost);
            messages.into_iter().map(|(role, text)| (role, Template::parse(&text).source())).collect()
        }
    };
    let written = said.into_iter().map(|(role, content)| {
        let role = match role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => {
                let what = "a message of a tool, which a .prompt.yml cannot hold, would be the user's".to_owned();
                losses.push(Loss { at: None, what });
                "user"
            }
        };
        json!({"role": role, "content": content})
    });
    Value::Array(written.collect())
}
