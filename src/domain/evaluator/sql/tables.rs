//! Which tables SQL names, read from its tokens: an overlooked table would let a query through. Knows no dialect.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

/// A table and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    operation: &'static str,
    /// The last part of its name.
    pub name: String,
    /// All of its name.
    full: String,
}

impl Table {
    /// Whether one of the entries names it, as `table`, `database.table` or promptfoo's `operation::database::table`.
    pub fn is_in(&self, allowed: &[String]) -> bool {
        let database = self.full.strip_suffix(&self.name).unwrap_or_default().trim_end_matches('.');
        let is = |wanted: &str, found: &str| matches!(wanted, "(.*)" | ".*" | "*") || wanted == found;
        allowed.iter().any(|entry| match entry.split("::").collect::<Vec<_>>().as_slice() {
            [operation, wanted, table] => {
                let any_database = *wanted == "null" && database.is_empty();
                is(operation, self.operation) && (any_database || is(wanted, database)) && is(table, &self.name)
            }
            _ => *entry == self.name || *entry == self.full,
        })
    }
}

/// Names of tables: what stands after `FROM`, `JOIN`, `INTO`, `UPDATE` and `TABLE`, but for `WITH` names and for the
/// `FROM` of functions such as `EXTRACT(DAY FROM at)`. Rather one name too many than one too few.
pub(super) fn tables(tokens: &[Token]) -> Vec<Table> {
    let mut found = Vec::new();
    let mut with: Vec<String> = Vec::new();
    // Of each open parenthesis, whether it holds a query.
    let mut open: Vec<bool> = Vec::new();
    let mut operation = "select";
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        match token {
            Token::LParen => open.push(is_query(next)),
            Token::RParen => drop(open.pop()),
            Token::SemiColon => (operation, with) = ("select", Vec::new()),
            Token::Word(word) => {
                operation = operation_of(word.keyword).unwrap_or(operation);
                if next_is(tokens, at, Keyword::AS)
                    && tokens.get(at + 2) == Some(&Token::LParen)
                    && is_query(tokens.get(at + 3))
                {
                    with.push(word.value.to_lowercase());
                }
                if word.keyword == Keyword::UPDATE
                    && !previous_is(tokens, at, &[Keyword::FOR, Keyword::ON, Keyword::KEY])
                {
                    operation = "update";
                    name_at(tokens, at + 1, operation, &mut found);
                } else if opens_names(word, tokens, at, &open) {
                    names(tokens, at + 1, operation, &mut found);
                }
            }
            _ => {}
        }
    }
    found.retain(|table| !with.contains(&table.full));
    found
}

fn operation_of(keyword: Keyword) -> Option<&'static str> {
    Some(match keyword {
        Keyword::SELECT => "select",
        Keyword::INSERT | Keyword::REPLACE => "insert",
        Keyword::DELETE => "delete",
        Keyword::CREATE => "create",
        Keyword::DROP => "drop",
        Keyword::ALTER => "alter",
        Keyword::TRUNCATE => "truncate",
        _ => return None,
    })
}

fn keyword(token: Option<&Token>) -> Keyword {
    match token {
        Some(Token::Word(word)) => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

fn is_query(token: Option<&Token>) -> bool {
    matches!(keyword(token), Keyword::SELECT | Keyword::WITH | Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE)
}

fn next_is(tokens: &[Token], at: usize, wanted: Keyword) -> bool {
    keyword(tokens.get(at + 1)) == wanted
}

fn previous_is(tokens: &[Token], at: usize, wanted: &[Keyword]) -> bool {
    wanted.contains(&keyword(at.checked_sub(1).and_then(|before| tokens.get(before))))
}

/// Whether names of tables follow the word.
fn opens_names(word: &Word, tokens: &[Token], at: usize, open: &[bool]) -> bool {
    match word.keyword {
        Keyword::JOIN | Keyword::INTO | Keyword::TABLE => true,
        Keyword::FROM => open.last() != Some(&false) && !previous_is(tokens, at, &[Keyword::DISTINCT]),
        _ => false,
    }
}

/// The names from here on, with commas between them.
fn names(tokens: &[Token], from: usize, operation: &'static str, found: &mut Vec<Table>) {
    let mut at = name_at(tokens, from, operation, found);
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => {
                at = name_at(tokens, at + 1, operation, found);
                continue;
            }
            Token::SemiColon => return,
            Token::Word(word) if depth == 0 && ends_names(word.keyword) => return,
            _ => {}
        }
        at += 1;
    }
}

fn ends_names(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::WHERE
            | Keyword::GROUP
            | Keyword::ORDER
            | Keyword::HAVING
            | Keyword::LIMIT
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::SET
            | Keyword::VALUES
            | Keyword::SELECT
            | Keyword::WINDOW
            | Keyword::RETURNING
    )
}

/// The name at a place, after the words that may stand before it. Gives back where it ends.
fn name_at(tokens: &[Token], from: usize, operation: &'static str, found: &mut Vec<Table>) -> usize {
    let mut at = from;
    while matches!(
        keyword(tokens.get(at)),
        Keyword::IF | Keyword::NOT | Keyword::EXISTS | Keyword::ONLY | Keyword::LATERAL | Keyword::TABLE
    ) {
        at += 1;
    }
    let mut parts: Vec<String> = Vec::new();
    while let Some(Token::Word(word)) = tokens.get(at) {
        parts.push(word.value.to_lowercase());
        at += 1;
        if tokens.get(at) != Some(&Token::Period) {
            break;
        }
        at += 1;
    }
    // What is called is a function and no table.
    let is_call = tokens.get(at) == Some(&Token::LParen) && operation == "select";
    if let Some(name) = parts.last().filter(|_| !is_call && !is_query(tokens.get(from))) {
        found.push(Table { operation, name: name.clone(), full: parts.join(".") });
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::tokenizer::Tokenizer;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap();
        let tokens: Vec<_> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        let said: Vec<_> = tables(&tokens).iter().map(|table| format!("{} {}", table.operation, table.full)).collect();
        assert_eq!(said.join(", "), expected, "{text}");
    }

    #[test]
    fn tables_are_found_wherever_they_are_named() {
        check("SELECT a FROM t x, u WHERE b IN (SELECT c FROM s.v)", "select t, select u, select s.v");
        check("SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN (SELECT 1 FROM c) d ON 1", "select a, select b, select c");
        check("WITH w AS (SELECT * FROM a) SELECT * FROM w", "select a");
        check("INSERT INTO t SELECT * FROM u", "insert t, select u");
        check("UPDATE t SET a = 1; DELETE FROM u", "update t, delete u");
        check("DROP TABLE IF EXISTS t; TRUNCATE TABLE u", "drop t, truncate u");
        check("SELECT EXTRACT(DAY FROM at), TRIM(x FROM y) FROM t WHERE a IS DISTINCT FROM b", "select t");
        check("SELECT * FROM generate_series(1, 3)", "");
        check("SELECT '-- FROM x' FROM t -- FROM y", "select t");
        check("SELECT * FROM t FOR UPDATE", "select t");
    }
}
