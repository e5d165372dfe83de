//! SQL in answers: whether a dialect can parse it, and which tables it names. Runs nothing. Knows no case.

use sqlparser::dialect::{
    BigQueryDialect, Dialect, GenericDialect, HiveDialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect,
    RedshiftSqlDialect, SQLiteDialect, SnowflakeDialect,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer, Word};

use super::check::Unjudged;
use super::spec::SqlDialect;
use super::text::quote;

/// Deepest nesting that is parsed.
const DEPTH: usize = 50;
/// Most tokens that are parsed: a chain of operators is a tree as deep as it is long.
const TOKENS: usize = 4_000;

/// What SQL has to be.
#[derive(Debug)]
pub(super) struct Sql {
    dialect: SqlDialect,
    tables: Option<Vec<String>>,
}

impl Sql {
    /// SQL of a dialect that names these tables only, in any case.
    pub fn new(dialect: SqlDialect, tables: Option<Vec<String>>) -> Self {
        let lower = |tables: Vec<String>| tables.iter().map(|table| table.to_lowercase()).collect();
        Self { dialect, tables: tables.map(lower) }
    }

    /// Whether the whole text is such SQL. Within: why it is not.
    pub fn whole(&self, text: &str) -> Result<Result<(), String>, Unjudged> {
        let dialect = dialect(self.dialect);
        let tokens = match Tokenizer::new(&*dialect, text).tokenize() {
            Ok(tokens) => tokens,
            Err(error) => return Ok(Err(format!("not SQL: {error}"))),
        };
        let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        if tokens.len() > TOKENS {
            return Err(Unjudged::from("the SQL is too long to parse"));
        }
        if tokens.iter().all(|token| *token == Token::SemiColon) {
            return Ok(Err("the answer holds no statement".to_owned()));
        }
        let named = self.tables.as_ref().map(|allowed| (allowed, tables(&tokens)));
        match Parser::new(&*dialect).with_recursion_limit(DEPTH).with_tokens(tokens).parse_statements() {
            Ok(_) => {}
            Err(ParserError::RecursionLimitExceeded) => {
                return Err(Unjudged::from("the SQL is nested too deeply to parse"));
            }
            Err(error) => return Ok(Err(format!("not SQL: {error}"))),
        }
        Ok(match named.and_then(|(allowed, named)| named.into_iter().find(|table| !table.is_in(allowed))) {
            Some(table) => Err(format!("the table {} is not allowed", quote(&table.name))),
            None => Ok(()),
        })
    }

    /// Whether a fenced block, or the whole text where it has none, is such SQL.
    pub fn part(&self, text: &str) -> Result<Result<(), String>, Unjudged> {
        let blocks = fenced(text);
        if blocks.is_empty() {
            return self.whole(text);
        }
        let mut reason = String::new();
        for block in blocks {
            match self.whole(&block)? {
                Ok(()) => return Ok(Ok(())),
                Err(found) => reason = found,
            }
        }
        Ok(Err(reason))
    }
}

fn dialect(dialect: SqlDialect) -> Box<dyn Dialect> {
    match dialect {
        SqlDialect::Generic => Box::new(GenericDialect {}),
        SqlDialect::MySql => Box::new(MySqlDialect {}),
        SqlDialect::Postgres => Box::new(PostgreSqlDialect {}),
        SqlDialect::Sqlite => Box::new(SQLiteDialect {}),
        SqlDialect::MsSql => Box::new(MsSqlDialect {}),
        SqlDialect::BigQuery => Box::new(BigQueryDialect {}),
        SqlDialect::Snowflake => Box::new(SnowflakeDialect {}),
        SqlDialect::Redshift => Box::new(RedshiftSqlDialect {}),
        SqlDialect::Hive => Box::new(HiveDialect {}),
    }
}

/// Blocks between Markdown fences that say `sql` or nothing.
fn fenced(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, Vec<&str>)> = None;
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```").map(|info| info.trim_matches('`').trim());
        match (&mut open, fence) {
            (None, Some(info)) => open = Some((info.is_empty() || info.eq_ignore_ascii_case("sql"), Vec::new())),
            (Some((is_sql, lines)), Some("")) => {
                if *is_sql {
                    blocks.push(lines.join("\n"));
                }
                open = None;
            }
            (Some((_, lines)), _) => lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// A table and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    operation: &'static str,
    /// The last part of its name.
    name: String,
    /// All of its name.
    full: String,
}

impl Table {
    /// Whether one of the entries names it, as `table`, `database.table` or promptfoo's `operation::database::table`.
    fn is_in(&self, allowed: &[String]) -> bool {
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
fn tables(tokens: &[Token]) -> Vec<Table> {
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
    use proptest::prelude::*;

    #[track_caller]
    fn check(dialect: SqlDialect, text: &str, expected: bool) {
        let found = Sql::new(dialect, None).whole(text).unwrap();
        assert_eq!(found.is_ok(), expected, "{text}: {found:?}");
    }

    #[track_caller]
    fn check_tables(text: &str, expected: &str) {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap();
        let tokens: Vec<_> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        let said: Vec<_> = tables(&tokens).iter().map(|table| format!("{} {}", table.operation, table.full)).collect();
        assert_eq!(said.join(", "), expected, "{text}");
    }

    #[test]
    fn sql_is_what_the_dialect_can_parse() {
        check(SqlDialect::MySql, "SELECT `a` FROM t WHERE b = 'x';", true);
        check(SqlDialect::MySql, "SELECT 1; SELECT 2", true);
        check(SqlDialect::Postgres, "SELECT a::int FROM t WHERE b ILIKE '%x%'", true);
        check(SqlDialect::Sqlite, "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", true);
        check(SqlDialect::MsSql, "SELECT TOP 5 [a b] FROM t", true);
        check(SqlDialect::MySql, "SELEC a FROM t", false);
        check(SqlDialect::MySql, "SELECT a FROM", false);
        check(SqlDialect::MySql, "SELECT 'open", false);
        check(SqlDialect::MySql, "Sure! SELECT a FROM t", false);
        check(SqlDialect::MySql, " ; ", false);
        check(SqlDialect::MySql, "", false);
    }

    #[test]
    fn sql_is_found_in_a_fence() {
        let sql = Sql::new(SqlDialect::MySql, None);
        assert_eq!(sql.part("Run this:\n```sql\nSELECT 1\n```\nDone.").unwrap(), Ok(()));
        assert_eq!(sql.part("SELECT 1").unwrap(), Ok(()));
        assert!(sql.part("```python\nSELECT 1\n```").unwrap().is_err());
        assert!(sql.part("```\nnothing\n```").unwrap().is_err());
    }

    #[test]
    fn tables_are_found_wherever_they_are_named() {
        check_tables("SELECT a FROM t x, u WHERE b IN (SELECT c FROM s.v)", "select t, select u, select s.v");
        check_tables(
            "SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN (SELECT 1 FROM c) d ON 1",
            "select a, select b, select c",
        );
        check_tables("WITH w AS (SELECT * FROM a) SELECT * FROM w", "select a");
        check_tables("INSERT INTO t SELECT * FROM u", "insert t, select u");
        check_tables("UPDATE t SET a = 1; DELETE FROM u", "update t, delete u");
        check_tables("DROP TABLE IF EXISTS t; TRUNCATE TABLE u", "drop t, truncate u");
        check_tables("SELECT EXTRACT(DAY FROM at), TRIM(x FROM y) FROM t WHERE a IS DISTINCT FROM b", "select t");
        check_tables("SELECT * FROM generate_series(1, 3)", "");
        check_tables("SELECT '-- FROM x' FROM t -- FROM y", "select t");
        check_tables("SELECT * FROM t FOR UPDATE", "select t");
    }

    #[test]
    fn other_tables_are_refused() {
        let check = |allowed: &[&str], text: &str, expected: Result<(), &str>| {
            let allowed = allowed.iter().map(|entry| (*entry).to_owned()).collect();
            let found = Sql::new(SqlDialect::Postgres, Some(allowed)).whole(text).unwrap();
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        };
        check(&["Orders"], "SELECT * FROM orders", Ok(()));
        check(&["orders"], "SELECT * FROM Users", Err("the table \"users\" is not allowed"));
        check(&["orders"], "SELECT (SELECT max(x) FROM users) FROM orders", Err("the table \"users\" is not allowed"));
        check(&["select::null::orders"], "SELECT * FROM orders", Ok(()));
        check(&["select::null::orders"], "DELETE FROM orders", Err("the table \"orders\" is not allowed"));
        check(&["(.*)::(.*)::orders"], "DELETE FROM shop.orders", Ok(()));
    }

    #[test]
    fn depth_and_size_are_no_danger() {
        let sql = Sql::new(SqlDialect::MySql, Some(vec!["t".to_owned()]));
        let chain = |parts: usize| format!("SELECT {}1", "1+".repeat(parts));
        assert_eq!(sql.whole(&chain(1_900)).unwrap(), Ok(()));
        assert!(sql.whole(&chain(100_000)).is_err());
        assert!(sql.whole(&format!("SELECT {}1{}", "(".repeat(1_000), ")".repeat(1_000))).is_err());
        assert!(sql.whole(&"(SELECT ".repeat(1_000)).is_err());
        for prefix in ["NOT ", "- ", "CASE WHEN ", "ARRAY[", "a.", "CAST("] {
            let _ = sql.whole(&format!("SELECT {}1", prefix.repeat(1_900)));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "((SELECT|FROM|JOIN|WITH|AS|t|,|\\(|\\)|;|'|`|\\.) ){0,15}|\\PC{0,30}") {
            let _ = Sql::new(SqlDialect::MySql, Some(Vec::new())).part(&text);
        }
    }
}
