//! `{{> partial}}`: what it sees, how it is indented, and where its troubles are told. Knows no files.

use std::rc::Rc;

use super::ast::{Expression, ExpressionKind, Include};
use super::render::{Piece, Ran, Run, Trouble, undefined};
use super::scope::{Frame, Scope};
use crate::domain::diagnostic::Location;

impl<'v> Run<'v> {
    pub(super) fn include(&mut self, include: &'v Include, scope: &Scope<'v>) -> Ran<()> {
        let at = include.at;
        self.spend(1, at)?;
        let Some(program) = self.partials.get(&include.name) else {
            return Err(Trouble::new(at, format!("partial `{}` not found; add its file", include.name)));
        };
        let mut added = Vec::with_capacity(include.hash.len());
        for (name, expression) in &include.hash {
            added.push((&**name, self.expression(expression, scope)?));
        }
        let this = match &include.context {
            Some(expression) => Some(self.strict(expression, scope)?),
            None => scope.frame.this.clone(),
        };
        let mut inside = Scope { names: None, ..scope.clone() };
        if include.context.is_some() || !added.is_empty() {
            let inherited = if include.context.is_none() { scope.frame.added.clone() } else { Vec::new() };
            self.spend(inherited.len() + added.len(), at)?;
            let added = inherited.into_iter().chain(added).collect();
            inside.frame = Rc::new(Frame { this, added, around: Some(Rc::clone(&scope.frame)) });
        }
        let before = std::mem::take(&mut self.out);
        let ran = self.deeper(program, &inside, at).map_err(|trouble| inside_partial(trouble, include));
        let pieces = std::mem::replace(&mut self.out, before);
        ran?;
        self.put(pieces, &include.indent, at)
    }

    /// Puts a partial's pieces out, each of its lines indented as the include was.
    fn put(&mut self, pieces: Vec<Piece>, indent: &str, at: Location) -> Ran<()> {
        let mut line_starts = true;
        for piece in pieces {
            let Piece::Text(text) = piece else {
                if line_starts {
                    self.write(indent, at)?;
                }
                line_starts = false;
                self.out.push(piece);
                continue;
            };
            // The text was counted when the partial wrote it.
            self.bytes = self.bytes.saturating_add(text.len());
            if indent.is_empty() {
                self.write(&text, at)?;
                continue;
            }
            for line in text.split_inclusive('\n') {
                if line_starts {
                    self.write(indent, at)?;
                }
                self.write(line, at)?;
                line_starts = line.ends_with('\n');
            }
        }
        Ok(())
    }
}

/// What went wrong in a partial, told where that is included; the innermost partial is the one that is named.
fn inside_partial(mut trouble: Box<Trouble>, include: &Include) -> Box<Trouble> {
    let given = include.hash.iter().find(|(name, _)| trouble.undefined.as_deref() == Some(&**name));
    if let Some((_, Expression { kind: ExpressionKind::Path(path), at })) = given {
        // What it lacks is a variable of ours that was passed on.
        return undefined(path, *at);
    }
    if !trouble.in_partial {
        let place = format!("in the partial `{}`, line {}", include.name, trouble.at.line);
        trouble.message = match trouble.undefined.take() {
            Some(name) => {
                format!(
                    "{place}: variable `{name}` has no value: give it in the case's vars, or to the partial as `name=value`"
                )
            }
            None => format!("{place}: {}", trouble.message),
        };
        trouble.in_partial = true;
    }
    trouble.at = include.at;
    trouble
}
