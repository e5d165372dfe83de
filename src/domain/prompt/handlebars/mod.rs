//! Handlebars as dotprompt uses it: parsed with the places of everything, run in steps that are counted. Knows no files.
//!
//! Our own reading of the language: whoever reviews a prompt needs the line and column of a variable without a value, and
//! a template from a pull request must end in milliseconds and on a small stack, whatever it says.

mod ast;
mod cursor;
mod expression;
mod helper;
mod include;
mod inline;
mod lexer;
mod parser;
mod places;
mod plain;
mod render;
mod scope;
mod value;
mod whitespace;

use std::collections::BTreeMap;

pub use ast::Program;
pub use parser::parse;
pub use places::places;
pub use plain::logic;
pub use render::{Piece, Trouble, render};
pub use value::text_of;

use crate::domain::diagnostic::Location;

/// Templates that others include, by the name they are included under.
pub type Partials = BTreeMap<Box<str>, Program>;

/// What is wrong with a template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// A lower-case fragment that names the thing.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where.
    pub at: Location,
}

impl SyntaxError {
    fn new(at: Location, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), at }
    }
}

#[cfg(test)]
mod tests;
