//! Calls of tools in answers: whether each is of a tool the prompt has, with arguments its schema accepts, and which
//! tools are called at all. Knows no case and no threshold.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Answer;
use super::check::Unjudged;
use super::json::{self, Schema};
use super::text::{excerpt, quote};

/// Longest list of names in a reason.
const NAMES: usize = 80;

/// Whether the answer is a call of one function: `{name, arguments}`, or `function_call` or a list of calls around it.
/// Within: why not.
pub(super) fn function_call(answer: &Answer<'_>) -> Result<Result<(), String>, Unjudged> {
    let Ok(parsed) = json::parse(answer.text) else { return Ok(Err("the answer calls no function".to_owned())) };
    match &parsed {
        Value::Object(call) => {
            let call = call.get("function_call").and_then(Value::as_object).unwrap_or(call);
            one_call(call, answer.tools)
        }
        _ => calls(&parsed, answer.tools),
    }
}

/// Whether the answer is a list of calls, alone or as `tool_calls`. Within: why not.
pub(super) fn tool_calls(answer: &Answer<'_>) -> Result<Result<(), String>, Unjudged> {
    let Ok(parsed) = json::parse(answer.text) else { return Ok(Err("the answer calls no tool".to_owned())) };
    calls(parsed.get("tool_calls").unwrap_or(&parsed), answer.tools)
}

fn calls(list: &Value, tools: &[Value]) -> Result<Result<(), String>, Unjudged> {
    let Some(list) = list.as_array().filter(|list| !list.is_empty()) else {
        return Ok(Err("the answer calls no tool".to_owned()));
    };
    for call in list {
        let Some(function) = call.get("function").and_then(Value::as_object) else {
            return Ok(Err("a call has no `function` with a name and arguments".to_owned()));
        };
        let found = one_call(function, tools)?;
        if found.is_err() {
            return Ok(found);
        }
    }
    Ok(Ok(()))
}

fn one_call(call: &Map<String, Value>, tools: &[Value]) -> Result<Result<(), String>, Unjudged> {
    let text = |key| call.get(key).and_then(Value::as_str);
    let (Some(name), Some(arguments)) = (text("name"), text("arguments")) else {
        return Ok(Err("a call has no name, or its arguments are no text".to_owned()));
    };
    let name_of = |tool: &&Value| tool.get("name").and_then(Value::as_str) == Some(name);
    let Some(tool) = tools.iter().map(|tool| tool.get("function").unwrap_or(tool)).find(name_of) else {
        return Ok(Err(format!("the prompt has no tool {}", quote(name))));
    };
    let Ok(arguments) = json::parse(arguments) else {
        return Ok(Err(format!("the arguments of {} are not JSON", quote(name))));
    };
    let Some(parameters) = tool.get("parameters") else {
        let why = || format!("the arguments of {} are no JSON object", quote(name));
        return Ok(if arguments.is_object() { Ok(()) } else { Err(why()) });
    };
    // Which tools there are differs by prompt and side, so that the schema is not known before the answer is.
    let schema = Schema::compile(parameters)
        .map_err(|error| Unjudged::new(format!("the parameters of tool {} are no schema: {error}", quote(name))))?;
    Ok(match schema.violation(&arguments) {
        None => Ok(()),
        Some(violation) => Err(format!("the arguments of {}: {violation}", quote(name))),
    })
}

/// F1 of the names of the tools that are called, as sets, with a line that says which.
pub(super) fn f1(answer: &str, wanted: &BTreeSet<String>) -> (f64, String) {
    let called = names(answer);
    let shared = called.intersection(wanted).count();
    #[expect(clippy::cast_precision_loss, reason = "names are few")]
    let score = if shared == 0 { 0.0 } else { 2.0 * shared as f64 / (called.len() + wanted.len()) as f64 };
    let list = |names: &BTreeSet<String>| match names.is_empty() {
        true => "nothing".to_owned(),
        false => excerpt(&names.iter().cloned().collect::<Vec<_>>().join(", "), NAMES),
    };
    (score, format!("F1 {score:.2}: called {}, wanted {}", list(&called), list(wanted)))
}

/// Names of called tools in the forms of OpenAI, Anthropic and Google, as the whole answer or between other text.
fn names(answer: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match json::parse(answer) {
        Ok(value) => collect(&value, &mut found),
        Err(_) => json::objects(answer).for_each(|value| collect(&value, &mut found)),
    }
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => found.extend(items.iter().filter_map(|item| called(item, true))),
        Value::Object(_) => {
            let lists = [value.get("tool_calls"), value.pointer("/toolCall/functionCalls")];
            match lists.into_iter().flatten().find_map(Value::as_array) {
                Some(items) => found.extend(items.iter().filter_map(|item| called(item, true))),
                None => found.extend(called(value, false)),
            }
        }
        _ => {}
    }
}

/// The name of the tool that one value calls; a name alone is one only in a list of calls.
fn called(value: &Value, in_list: bool) -> Option<String> {
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    let nested = ["function", "functionCall"].iter().find_map(|key| value.get(key).and_then(name));
    let is_call = matches!(value.get("type").and_then(Value::as_str), Some("tool_use" | "function_call"));
    nested.or_else(|| name(value).filter(|_| is_call || in_list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tools() -> Vec<Value> {
        let parameters = json!({"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]});
        vec![
            json!({"type": "function", "function": {"name": "refund", "parameters": parameters}}),
            json!({"type": "function", "function": {"name": "ping"}}),
            json!({"type": "function", "function": {"name": "broken", "parameters": {"type": "nonsense"}}}),
        ]
    }

    fn call(name: &str, arguments: &str) -> Value {
        json!({"type": "function", "function": {"name": name, "arguments": arguments}})
    }

    #[track_caller]
    fn check(text: &Value, expected: Result<(), &str>) {
        let (text, tools) = (text.to_string(), tools());
        let found = tool_calls(&Answer { tools: &tools, ..Answer::text(&text) }).unwrap();
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn every_call_is_held_against_the_schema_of_its_tool() {
        check(&json!([call("refund", r#"{"id": 1}"#), call("ping", "{}")]), Ok(()));
        check(&json!({"tool_calls": [call("refund", r#"{"id": 1}"#)]}), Ok(()));
        let integer = r#"the arguments of "refund": at `/id`: "x" is not of type "integer""#;
        check(&json!([call("refund", r#"{"id": "x"}"#)]), Err(integer));
        check(&json!([call("refund", "{")]), Err("the arguments of \"refund\" are not JSON"));
        check(&json!([call("ping", "1")]), Err("the arguments of \"ping\" are no JSON object"));
        check(&json!([call("delete", "{}")]), Err("the prompt has no tool \"delete\""));
        check(
            &json!([{"function": {"name": "ping", "arguments": {}}}]),
            Err("a call has no name, or its arguments are no text"),
        );
        check(&json!([{"name": "ping"}]), Err("a call has no `function` with a name and arguments"));
        check(&json!([]), Err("the answer calls no tool"));
        check(&json!("refund"), Err("the answer calls no tool"));
        let (text, tools) = (json!([call("broken", "{}")]).to_string(), tools());
        assert!(tool_calls(&Answer { tools: &tools, ..Answer::text(&text) }).is_err());
    }

    #[test]
    fn a_function_call_is_one_object_or_calls_around_it() {
        let tools = tools();
        let found = |text: &str| function_call(&Answer { tools: &tools, ..Answer::text(text) }).unwrap().is_ok();
        assert!(found(r#"{"name": "ping", "arguments": "{}"}"#));
        assert!(found(r#"{"function_call": {"name": "ping", "arguments": "{}"}}"#));
        assert!(found(&json!([call("ping", "{}")]).to_string()));
        assert!(!found(r#"{"name": "gone", "arguments": "{}"}"#));
        assert!(!found("I would call ping"));
    }

    #[test]
    fn called_names_are_compared_as_sets() {
        let check = |text: &str, wanted: &[&str], expected: f64| {
            let (score, said) = f1(text, &wanted.iter().map(|name| (*name).to_owned()).collect());
            assert!((score - expected).abs() < 1e-9, "{text}: {said}");
        };
        let two = json!([call("a", "{}"), call("b", "{}")]).to_string();
        check(&two, &["a", "b"], 1.0);
        check(&two, &["a"], 2.0 / 3.0);
        check(&two, &["c"], 0.0);
        check("no call", &["a"], 0.0);
        check(r#"{"tool_calls": [{"name": "a"}]}"#, &["a"], 1.0);
        check(r#"Sure. {"type": "tool_use", "name": "a", "input": {}} Done."#, &["a"], 1.0);
        check(r#"{"functionCall": {"name": "a"}}"#, &["a"], 1.0);
        check(r#"{"toolCall": {"functionCalls": [{"name": "a"}]}}"#, &["a"], 1.0);
        check(r#"{"type": "function_call", "name": "a"}"#, &["a"], 1.0);
        check(r#"{"name": "a"}"#, &["a"], 0.0);
    }
}
