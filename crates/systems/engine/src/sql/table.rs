//! `CREATE TABLE name (columns) WITH (options)`.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::error::{Location, SqlError};
use super::parser::Text;
use super::query::parse_expression;
use super::statement::{Column, ColumnKind, CreateTable, Watermark};
use super::tokens::Cursor;
use super::types::TypeParser;

/// Columns of a table at most.
const COLUMNS_MAX: usize = 1000;

/// The cursor stands after `CREATE [TEMPORARY] TABLE`.
pub(super) fn create_table(
    cursor: &mut Cursor<'_>,
    text: &Text<'_>,
    started: Location,
) -> Result<CreateTable, SqlError> {
    let if_not_exists = cursor.take_words(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    let mut table = CreateTable {
        name,
        if_not_exists,
        columns: Vec::new(),
        primary_key: Vec::new(),
        watermark: None,
        options: Vec::new(),
        text: String::new(),
    };
    if !cursor.take(&Token::LParen) {
        return Err(match cursor.peek() {
            token if super::tokens::is_word(token, "AS") => {
                SqlError::unsupported(cursor.location(), "CREATE TABLE … AS SELECT")
            }
            _ => cursor.unexpected("\"(\""),
        });
    }
    loop {
        element(cursor, text, &mut table)?;
        if !cursor.take(&Token::Comma) {
            break;
        }
    }
    cursor.expect(&Token::RParen)?;
    if cursor.take_word("COMMENT") {
        cursor.string()?;
    }
    for (word, what) in [("PARTITIONED", "PARTITIONED BY"), ("DISTRIBUTED", "DISTRIBUTED BY")] {
        if cursor.is_word(word) {
            return Err(SqlError::unsupported(cursor.location(), what));
        }
    }
    table.options = options(cursor)?;
    for (word, what) in [("LIKE", "CREATE TABLE … LIKE"), ("AS", "CREATE TABLE … AS SELECT")] {
        if cursor.is_word(word) {
            return Err(SqlError::unsupported(cursor.location(), what));
        }
    }
    table.text = text.between(started, cursor.end_of_last()).to_owned();
    check_names(&table)?;
    Ok(table)
}

/// A column, a watermark or a key.
fn element(
    cursor: &mut Cursor<'_>,
    text: &Text<'_>,
    table: &mut CreateTable,
) -> Result<(), SqlError> {
    if cursor.is_word("WATERMARK") && super::tokens::is_word(cursor.peek_after(1), "FOR") {
        return watermark(cursor, text, table);
    }
    if cursor.is_word("CONSTRAINT") {
        cursor.advance();
        cursor.identifier()?;
        return primary_key(cursor, table);
    }
    if cursor.is_word("PRIMARY") && super::tokens::is_word(cursor.peek_after(1), "KEY") {
        return primary_key(cursor, table);
    }
    if table.columns.len() == COLUMNS_MAX {
        let message = format!("a table has at most {COLUMNS_MAX} columns");
        return Err(SqlError::invalid(cursor.location(), message));
    }
    let column = column(cursor, text, table)?;
    table.columns.push(column);
    Ok(())
}

fn column(
    cursor: &mut Cursor<'_>,
    text: &Text<'_>,
    table: &mut CreateTable,
) -> Result<Column, SqlError> {
    let at = cursor.location();
    let name = cursor.identifier()?;
    let kind = if cursor.take_word("AS") {
        let start = cursor.location();
        let tokens = expression_tokens(cursor);
        let expr = Box::new(parse_expression(tokens, start)?);
        ColumnKind::Computed { expr, text: text.between(start, cursor.end_of_last()).to_owned() }
    } else {
        let sql_type = TypeParser::read(cursor)?;
        if cursor.take_word("METADATA") {
            let key = if cursor.take_word("FROM") { cursor.string()? } else { name.clone() };
            ColumnKind::Metadata { sql_type, key, is_virtual: cursor.take_word("VIRTUAL") }
        } else {
            let not_null = cursor.take_words(&["NOT", "NULL"]);
            if !not_null {
                cursor.take_word("NULL");
            }
            if cursor.is_word("PRIMARY") {
                column_key(cursor, &name, table)?;
            }
            ColumnKind::Physical { sql_type, not_null }
        }
    };
    let comment = if cursor.take_word("COMMENT") { Some(cursor.string()?) } else { None };
    Ok(Column { name, at, comment, kind })
}

/// The tokens of an expression in a column list; a `COMMENT` after it is not part of it.
fn expression_tokens<'a>(cursor: &mut Cursor<'a>) -> &'a [TokenWithSpan] {
    let start = cursor.position();
    let comment = Token::make_keyword("COMMENT");
    let mut ends = vec![Token::Comma, Token::RParen, comment];
    // A keyword token remembers how it was spelt.
    ends.push(Token::make_keyword("comment"));
    cursor.take_until(&ends);
    cursor.since(start)
}

fn watermark(
    cursor: &mut Cursor<'_>,
    text: &Text<'_>,
    table: &mut CreateTable,
) -> Result<(), SqlError> {
    let at = cursor.location();
    cursor.expect_words(&["WATERMARK", "FOR"])?;
    let column = cursor.identifier()?;
    if *cursor.peek() == Token::Period {
        return Err(SqlError::unsupported(
            at,
            "a watermark for a nested field; declare a computed \
            column of it",
        ));
    }
    cursor.expect_words(&["AS"])?;
    let start = cursor.location();
    let tokens = expression_tokens(cursor);
    let expr = parse_expression(tokens, start)?;
    if table.watermark.is_some() {
        return Err(SqlError::invalid(at, "Multiple WATERMARK statements is not supported yet."));
    }
    let text = text.between(start, cursor.end_of_last()).to_owned();
    table.watermark = Some(Watermark { column, expr, text, at });
    Ok(())
}

/// `PRIMARY KEY (a, b) NOT ENFORCED` of a table.
fn primary_key(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Result<(), SqlError> {
    let at = cursor.location();
    cursor.expect_words(&["PRIMARY", "KEY"])?;
    cursor.expect(&Token::LParen)?;
    let mut columns = vec![cursor.identifier()?];
    while cursor.take(&Token::Comma) {
        columns.push(cursor.identifier()?);
    }
    cursor.expect(&Token::RParen)?;
    set_key(cursor, at, columns, table)
}

/// `PRIMARY KEY NOT ENFORCED` of a column.
fn column_key(
    cursor: &mut Cursor<'_>,
    name: &str,
    table: &mut CreateTable,
) -> Result<(), SqlError> {
    let at = cursor.location();
    cursor.expect_words(&["PRIMARY", "KEY"])?;
    set_key(cursor, at, vec![name.to_owned()], table)
}

fn set_key(
    cursor: &mut Cursor<'_>,
    at: Location,
    columns: Vec<String>,
    table: &mut CreateTable,
) -> Result<(), SqlError> {
    if !cursor.take_words(&["NOT", "ENFORCED"]) {
        return Err(SqlError::invalid(
            at,
            "Flink doesn't support ENFORCED mode for PRIMARY KEY constraint. ENFORCED/NOT ENFORCED \
             controls if the constraint checks are performed on the incoming/outgoing data. Flink \
             does not own the data therefore the only supported mode is the NOT ENFORCED mode",
        ));
    }
    if !table.primary_key.is_empty() {
        return Err(SqlError::invalid(at, "Duplicate primary key definition"));
    }
    table.primary_key = columns;
    Ok(())
}

/// `WITH ('key' = 'value', …)`; none without.
fn options(cursor: &mut Cursor<'_>) -> Result<Vec<(String, String, Location)>, SqlError> {
    let mut options: Vec<(String, String, Location)> = Vec::new();
    if !cursor.take_word("WITH") {
        return Ok(options);
    }
    cursor.expect(&Token::LParen)?;
    loop {
        let at = cursor.location();
        let key = cursor.string()?;
        cursor.expect(&Token::Eq)?;
        let value = cursor.string()?;
        if options.iter().any(|(known, ..)| *known == key) {
            return Err(SqlError::invalid(at, format!("Duplicate option '{key}'")));
        }
        options.push((key, value, at));
        if !cursor.take(&Token::Comma) {
            break;
        }
    }
    cursor.expect(&Token::RParen)?;
    Ok(options)
}

/// Names are unique, and those of the key exist.
fn check_names(table: &CreateTable) -> Result<(), SqlError> {
    for (index, column) in table.columns.iter().enumerate() {
        if table.columns[..index].iter().any(|other| other.name == column.name) {
            let message = format!("A column named '{}' already exists in the table.", column.name);
            return Err(SqlError::invalid(column.at, message));
        }
    }
    let at = table.columns.first().map_or_else(Location::default, |first| first.at);
    for key in &table.primary_key {
        let column = table.columns.iter().find(|column| column.name == *key);
        let problem = match column.map(|column| &column.kind) {
            Some(ColumnKind::Physical { .. }) => continue,
            Some(_) => format!(
                "Could not create a PRIMARY KEY with column '{key}'. \
                                A PRIMARY KEY constraint must be declared on physical columns."
            ),
            None => format!("Primary key column '{key}' is not defined in the schema."),
        };
        return Err(SqlError::invalid(at, problem));
    }
    if let Some(watermark) = &table.watermark
        && !table.columns.iter().any(|column| column.name == watermark.column)
    {
        return Err(SqlError::invalid(
            watermark.at,
            format!(
                "The rowtime attribute field '{}' is not defined in the table schema.",
                watermark.column
            ),
        ));
    }
    Ok(())
}
