//! Tokens to a program: which tag closes which. Knows no values.

use super::SyntaxError;
use super::ast::{Arm, Block, Call, Include, Node, Program};
use super::expression::Words;
use super::helper::no_names;
use super::lexer::{Tag, TagKind, Token, tokens};
use super::whitespace;
use crate::domain::diagnostic::Location;

/// Most blocks inside each other.
pub(super) const MAX_BLOCKS: usize = 50;

/// Reads a template; `start` is where its first character stands in its file.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str, start: Location) -> Result<Program, SyntaxError> {
    let tokens = whitespace::control(tokens(text, start)?);
    let mut parser = Parser { tokens: tokens.into_iter() };
    let (program, end) = parser.program(0)?;
    match end {
        None => Ok(program),
        Some(tag) if tag.kind == TagKind::Close => {
            Err(SyntaxError::new(tag.at, "this closes a block that is not open", "remove it, or open the block before"))
        }
        Some(tag) => Err(SyntaxError::new(tag.at, "`else` outside any block", "put it into a block such as {{#if …}}")),
    }
}

struct Parser {
    tokens: std::vec::IntoIter<Token>,
}

impl Parser {
    /// Nodes up to a tag that ends them: `else`, a closing tag, or the end of the text.
    fn program(&mut self, depth: usize) -> Result<(Program, Option<Tag>), SyntaxError> {
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.next() {
            let tag = match token {
                Token::Text(text) => {
                    nodes.push(Node::Text(text.into()));
                    continue;
                }
                Token::Tag(tag) => tag,
            };
            match tag.kind {
                TagKind::Comment => {}
                TagKind::Value => nodes.push(Node::Value(value(&tag)?)),
                TagKind::Partial => nodes.push(Node::Partial(include(&tag)?)),
                TagKind::Open => nodes.push(Node::Block(self.block(&tag, depth + 1)?)),
                TagKind::Inverse if !tag.words.is_empty() => nodes.push(Node::Block(self.inverse(&tag, depth + 1)?)),
                TagKind::Inverse | TagKind::Else | TagKind::Close => return Ok((Program { nodes }, Some(tag))),
            }
        }
        Ok((Program { nodes }, None))
    }

    /// `{{#a}}…{{/a}}`, with all its branches.
    fn block(&mut self, open: &Tag, depth: usize) -> Result<Block, SyntaxError> {
        let (call, names) = opening(open, depth)?;
        let name = call.head.written.clone();
        let (body, mut end) = self.program(depth)?;
        let mut block = Block { arms: vec![Arm { call, names, body }], otherwise: None };
        loop {
            let tag = end.ok_or_else(|| unclosed(open, &name))?;
            if tag.kind == TagKind::Close {
                check_close(&tag, &name, open.at)?;
                return Ok(block);
            }
            if block.otherwise.is_some() {
                return Err(SyntaxError::new(tag.at, "a second `else` in one block", "remove it"));
            }
            let chained = if tag.words.is_empty() { None } else { Some(opening(&tag, depth)?) };
            let (body, next) = self.program(depth)?;
            match chained {
                Some((call, names)) => block.arms.push(Arm { call, names, body }),
                None => block.otherwise = Some(body),
            }
            end = next;
        }
    }

    /// `{{^a}}…{{/a}}`: shown where `{{#a}}` would show nothing.
    fn inverse(&mut self, open: &Tag, depth: usize) -> Result<Block, SyntaxError> {
        let Block { arms, otherwise } = self.block(open, depth)?;
        let mut arms = arms.into_iter();
        let Some(Arm { call, names, body: shown }) = arms.next() else { return Ok(Block { arms: vec![], otherwise }) };
        let rest: Vec<Arm> = arms.collect();
        // What follows `else` is what `{{#a}}` would show.
        let body = match otherwise {
            otherwise if rest.is_empty() => otherwise.unwrap_or_default(),
            otherwise => Program { nodes: vec![Node::Block(Block { arms: rest, otherwise })] },
        };
        Ok(Block { arms: vec![Arm { call, names, body }], otherwise: Some(shown) })
    }
}

fn value(tag: &Tag) -> Result<Call, SyntaxError> {
    let mut words = Words::of(tag);
    let mut call = words.call(0)?;
    words.end()?;
    call.at = tag.at;
    if let Some(helper) = call.helper {
        helper.check_inline(&call)?;
    }
    Ok(call)
}

fn opening(tag: &Tag, depth: usize) -> Result<(Call, Vec<Box<str>>), SyntaxError> {
    if depth > MAX_BLOCKS {
        let message = format!("more than {MAX_BLOCKS} blocks inside each other");
        return Err(SyntaxError::new(tag.at, message, "move some into a partial, or simplify them"));
    }
    let mut words = Words::of(tag);
    let mut call = words.call(0)?;
    let names = words.names();
    words.end()?;
    call.at = tag.at;
    match call.helper {
        Some(helper) => helper.check_block(&call, !names.is_empty())?,
        None if !names.is_empty() => return Err(no_names(tag.at)),
        None => {}
    }
    Ok((call, names))
}

fn include(tag: &Tag) -> Result<Include, SyntaxError> {
    let mut words = Words::of(tag);
    let name = words.partial_name()?;
    let context = if words.has_param() { Some(words.expression(0)?) } else { None };
    let hash = words.hash(0)?;
    words.end()?;
    Ok(Include { name, context, hash, indent: tag.indent.as_str().into(), at: tag.at })
}

fn unclosed(open: &Tag, name: &str) -> SyntaxError {
    SyntaxError::new(open.at, format!("the block `{name}` is not closed"), format!("add {{{{/{name}}}}}"))
}

fn check_close(tag: &Tag, name: &str, open: Location) -> Result<(), SyntaxError> {
    let mut words = Words::of(tag);
    let found = words.call(0)?.head.written;
    words.end()?;
    if *found == *name {
        return Ok(());
    }
    let message = format!("{{{{/{found}}}}} does not close the block `{name}` of line {}", open.line);
    Err(SyntaxError::new(tag.at, message, format!("write {{{{/{name}}}}} here")))
}
