//! SQL in answers: whether a dialect can parse it, and which tables it names. Runs nothing. Knows no case.

use sqlparser::dialect::{
    BigQueryDialect, Dialect, GenericDialect, HiveDialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect,
    RedshiftSqlDialect, SQLiteDialect, SnowflakeDialect,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

mod tables;

use super::check::Unjudged;
use super::spec::SqlDialect;
use super::text::quote;
use tables::tables;

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(dialect: SqlDialect, text: &str, expected: bool) {
        let found = Sql::new(dialect, None).whole(text).unwrap();
        assert_eq!(found.is_ok(), expected, "{text}: {found:?}");
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
