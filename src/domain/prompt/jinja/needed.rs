//! Which variables a Jinja text cannot do without. Knows no values.

use std::collections::BTreeSet;

use minijinja::Environment;

use super::scan::{Piece, PieceKind, names, word};

/// The variables that every case has to give, each with the offset of its first use: those outside conditions and loops.
pub(super) fn needed(environment: &Environment<'_>, text: &str, pieces: &[Piece]) -> Vec<(String, usize)> {
    let always = undeclared(environment, &unconditional(text, pieces));
    let globals: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
    let set = set_somewhere(text, pieces);
    let named = always.iter().filter(|name| !globals.contains(name.as_str()) && !set.contains(name.as_str()));
    let mut found: Vec<_> = named.filter_map(|name| Some((name.clone(), first_use(text, pieces, name)?))).collect();
    found.sort_by_key(|(_, at)| *at);
    found
}

/// Where a name is first used.
pub(super) fn first_use(text: &str, pieces: &[Piece], name: &str) -> Option<usize> {
    let code = pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Expression | PieceKind::Tag));
    let mut uses = code.flat_map(|piece| {
        let names = names(&text[piece.inner.clone()]);
        names.into_iter().map(|(at, name)| (piece.inner.start + at, name))
    });
    uses.find(|(_, used)| *used == name).map(|(at, _)| at)
}

/// The variables that the text looks up from outside, on whatever branch.
pub(super) fn undeclared(environment: &Environment<'_>, text: &str) -> BTreeSet<String> {
    environment
        .template_from_str(text)
        .map(|template| template.undeclared_variables(false).into_iter().collect())
        .unwrap_or_default()
}

/// The text without what runs perhaps: branches, the insides of loops and macros, expressions with a way out.
fn unconditional(text: &str, pieces: &[Piece]) -> String {
    let mut out = String::new();
    let mut skipped = 0usize;
    for piece in pieces {
        let inner = &text[piece.inner.clone()];
        match piece.kind {
            PieceKind::Expression if skipped == 0 && !has_way_out(inner) => out += &format!("{{{{ {inner} }}}}"),
            PieceKind::Tag => match word(inner) {
                "if" => skipped += 1,
                "for" => {
                    if skipped == 0
                        && let Some(list) = list_of_loop(inner)
                    {
                        out += &format!("{{{{ {list} }}}}");
                    }
                    skipped += 1;
                }
                "macro" | "call" => skipped += 1,
                "endif" | "endfor" | "endmacro" | "endcall" => skipped = skipped.saturating_sub(1),
                "raw" | "endraw" => {}
                "set" if has_way_out(inner) => {}
                _ if skipped == 0 => out += &format!("{{% {inner} %}}"),
                _ => {}
            },
            _ => {}
        }
    }
    out
}

/// The names that the text gives a value to, perhaps on one branch only.
fn set_somewhere<'t>(text: &'t str, pieces: &[Piece]) -> BTreeSet<&'t str> {
    let tags = pieces.iter().filter(|piece| piece.kind == PieceKind::Tag).map(|piece| &text[piece.inner.clone()]);
    let sets = tags.filter(|inner| matches!(word(inner), "set" | "macro"));
    sets.flat_map(|inner| names(inner.split(['=', '(']).next().unwrap_or_default())).map(|(_, name)| name).collect()
}

/// What a `for` goes over.
fn list_of_loop(inner: &str) -> Option<&str> {
    let names = names(inner);
    let (at, _) = names.iter().find(|(_, name)| *name == "in")?;
    let rest = &inner[at + 2..];
    (!has_way_out(rest) && !names.iter().any(|(_, name)| *name == "recursive")).then_some(rest)
}

/// Whether an expression may do without one of its variables.
fn has_way_out(inner: &str) -> bool {
    let words = ["if", "or", "and", "not", "is"];
    let defaults = inner.split('|').skip(1).any(|filter| matches!(word(filter), "default" | "d"));
    defaults || names(inner).iter().any(|(_, name)| words.contains(name))
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::environment;
    use super::super::scan::pieces;
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = needed(&environment(), text, &pieces(text));
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_variable_outside_conditions_is_needed() {
        check("{{ a }} {{ b.c | upper }} {{ d['e'] }}", &["a", "b", "d"]);
        check("{% for x in items %}{{ x }}{{ y }}{% endfor %}", &["items"]);
        check("{% set a = b %}{{ a }}", &["b"]);
        check("{% set a %}{{ b }}{% endset %}{{ a }}", &["b"]);
        check("{% filter upper %}{{ a }}{% endfilter %}", &["a"]);
    }

    #[test]
    fn a_variable_that_may_be_missing_is_not() {
        check("{% if a %}{{ a }}{% else %}{{ b }}{% endif %}", &[]);
        check("{{ a | default('x') }} {{ b if c }} {{ d or 'x' }}", &[]);
        check("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b) }}", &["b"]);
        check("{% if a %}{% set b = 1 %}{% endif %}{{ b }}", &[]);
        check("{% raw %}{{ a }}{% endraw %} {# {{ b }} #}", &[]);
        check("{{ range(3) }}", &[]);
    }
}
