//! What a tag alone puts out: a variable's value, or what a helper makes of its arguments. Knows no blocks.

use serde_json::Value;

use super::ast::Call;
use super::helper::Helper;
use super::render::{Piece, Ran, Run, STEP_BYTES, Trouble, undefined};
use super::scope::{Scope, Seen, property};
use super::text_of;
use super::value::{json, weight};
use crate::domain::diagnostic::Location;

impl<'v> Run<'v> {
    pub(super) fn value(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<()> {
        let at = call.at;
        let Some(helper) = call.helper else {
            let seen = self.path(&call.head, scope, at)?;
            let value = seen.ok_or_else(|| undefined(&call.head, at))?;
            return self.write_value(&value, at);
        };
        match helper {
            Helper::Json => {
                let text = self.json(call, scope)?;
                self.write(&text, at)
            }
            Helper::Lookup => {
                let value = self.lookup(call, scope)?;
                let value = value.ok_or_else(|| Trouble::new(at, "`lookup` finds nothing; check the key"))?;
                self.write_value(&value, at)
            }
            Helper::Role => {
                let name = self.param_text(call, scope)?;
                let mut metadata = Vec::new();
                for (key, value) in &call.hash {
                    let value = text_of(&*self.strict(value, scope)?);
                    self.count(key.len() + value.len(), at)?;
                    metadata.push((key.to_string(), value));
                }
                self.out.push(Piece::Role { name, metadata, at });
                Ok(())
            }
            Helper::Section => {
                let name = self.param_text(call, scope)?;
                self.out.push(Piece::Section(name));
                Ok(())
            }
            Helper::Media => self.media(call, scope),
            Helper::History => {
                self.out.push(Piece::History);
                Ok(())
            }
            // Written for a console that is not there; blocks never stand here.
            _ => Ok(()),
        }
    }

    fn write_value(&mut self, value: &Value, at: Location) -> Ran<()> {
        match value {
            Value::String(text) => self.write(text, at),
            other => {
                self.spend(weight(other) / STEP_BYTES, at)?;
                self.write(&text_of(other), at)
            }
        }
    }

    fn param_text(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<String> {
        match call.params.first() {
            Some(param) => {
                let text = text_of(&*self.strict(param, scope)?);
                self.count(text.len(), call.at)?;
                Ok(text)
            }
            None => Ok(String::new()),
        }
    }

    fn media(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<()> {
        let Some(url) = call.hash("url") else { return Ok(()) };
        let url = text_of(&*self.strict(url, scope)?);
        if url.trim().is_empty() {
            return Err(Trouble::new(call.at, "`media` has an empty `url`; give an address or a data: URL"));
        }
        let content_type = match call.hash("contentType") {
            Some(expression) => self.expression(expression, scope)?.map(|value| text_of(&value)),
            None => None,
        };
        self.count(url.len() + content_type.as_ref().map_or(0, String::len), call.at)?;
        self.out.push(Piece::Media { url, content_type: content_type.filter(|kind| !kind.is_empty()) });
        Ok(())
    }

    pub(super) fn json(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<String> {
        let Some(param) = call.params.first() else { return Ok(String::new()) };
        let value = self.strict(param, scope)?;
        self.spend(weight(&value) / STEP_BYTES, call.at)?;
        let indent = match call.hash("indent") {
            Some(expression) => self.expression(expression, scope)?,
            None => None,
        };
        let indent = match indent.as_deref() {
            Some(Value::Number(number)) => " ".repeat(number.as_u64().unwrap_or(0).min(10) as usize),
            Some(Value::String(text)) => text.chars().take(10).collect(),
            _ => String::new(),
        };
        Ok(json(&value, &indent))
    }

    pub(super) fn lookup(&mut self, call: &'v Call, scope: &Scope<'v>) -> Ran<Seen<'v>> {
        let [from, key] = call.params.as_slice() else { return Ok(None) };
        let from = self.strict(from, scope)?;
        let key = text_of(&*self.strict(key, scope)?);
        Ok(property(Some(from), &key))
    }
}
