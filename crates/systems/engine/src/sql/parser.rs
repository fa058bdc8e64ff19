//! A text to its statements.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::error::{Location, SqlError};
use super::query::parse_query;
use super::statement::{CreateView, Drop, Insert, Located, Statement};
use super::table::create_table;
use super::tokens::{Cursor, tokenize};

/// Statements of one text at most.
const STATEMENTS_MAX: usize = 1000;

/// The statements of a text, which are separated by semicolons.
pub fn parse(text: &str) -> Result<Vec<Located>, SqlError> {
    let tokens = tokenize(text)?;
    let text = Text::new(text);
    let mut cursor = Cursor::new(&tokens);
    let mut statements = Vec::new();
    loop {
        while cursor.take(&Token::SemiColon) {}
        if cursor.is_end() {
            return Ok(statements);
        }
        let at = cursor.location();
        if statements.len() == STATEMENTS_MAX {
            return Err(SqlError::invalid(at, format!("more than {STATEMENTS_MAX} statements")));
        }
        let statement = statement(&mut cursor, &text)?;
        let text = text.between(at, cursor.end_of_last()).to_owned();
        statements.push(Located { at, text, statement });
        if !cursor.is_end() {
            cursor.expect(&Token::SemiColon)?;
        }
    }
}

/// The text, to quote from by place.
pub(super) struct Text<'t> {
    text: &'t str,
    /// Byte offset of each line.
    lines: Vec<usize>,
}

impl<'t> Text<'t> {
    fn new(text: &'t str) -> Text<'t> {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Text { text, lines: std::iter::once(0).chain(breaks).collect() }
    }

    /// From one place up to another one, trimmed.
    pub(super) fn between(&self, from: Location, to: Location) -> &'t str {
        let (from, to) = (self.offset(from), self.offset(to));
        self.text.get(from..to).unwrap_or_default().trim()
    }

    fn offset(&self, at: Location) -> usize {
        let line = usize::try_from(at.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.lines.get(line) else { return self.text.len() };
        let column = usize::try_from(at.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = &self.text[*start..];
        start + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset)
    }
}

const STATEMENTS: &str = "\"CREATE\", \"DROP\", \"INSERT\", \"EXECUTE\", \"SELECT\", \"WITH\", \
                          \"SET\", \"RESET\", \"SHOW\", \"DESCRIBE\", \"EXPLAIN\" or \"STOP\"";

fn statement(cursor: &mut Cursor<'_>, text: &Text<'_>) -> Result<Statement, SqlError> {
    let at = cursor.location();
    let Token::Word(word) = cursor.peek() else {
        if *cursor.peek() == Token::LParen {
            return Ok(Statement::Select(parse_query(rest(cursor))?));
        }
        return Err(cursor.unexpected(STATEMENTS));
    };
    match word.value.to_ascii_uppercase().as_str() {
        "CREATE" => create(cursor, text),
        "DROP" => drop_object(cursor),
        "INSERT" => Ok(Statement::Insert(Box::new(insert(cursor, text)?))),
        "EXECUTE" => execute(cursor, text),
        "BEGIN" => {
            cursor.advance();
            cursor.expect_words(&["STATEMENT", "SET"])?;
            cursor.expect(&Token::SemiColon)?;
            Ok(Statement::StatementSet(inserts(cursor, text)?))
        }
        "SELECT" | "WITH" | "VALUES" => Ok(Statement::Select(parse_query(rest(cursor))?)),
        "SET" => set(cursor),
        "RESET" => {
            cursor.advance();
            let all = cursor.is_end() || *cursor.peek() == Token::SemiColon;
            Ok(Statement::Reset(if all { None } else { Some(cursor.string()?) }))
        }
        "SHOW" => show(cursor),
        "DESCRIBE" | "DESC" => {
            cursor.advance();
            Ok(Statement::Describe(cursor.object_name()?))
        }
        "EXPLAIN" => {
            cursor.advance();
            let _ = cursor.take_words(&["PLAN", "FOR"]);
            Ok(Statement::Explain(Box::new(statement(cursor, text)?)))
        }
        "STOP" => {
            cursor.advance();
            cursor.expect_words(&["JOB"])?;
            Ok(Statement::StopJob(cursor.string()?))
        }
        word @ ("ALTER" | "DELETE" | "UPDATE" | "TRUNCATE" | "USE" | "LOAD" | "UNLOAD" | "CALL"
        | "ANALYZE" | "ADD" | "REMOVE" | "COMPILE" | "REPLACE") => {
            Err(SqlError::unsupported(at, format!("{word} statements")))
        }
        _ => Err(cursor.unexpected(STATEMENTS)),
    }
}

fn create(cursor: &mut Cursor<'_>, text: &Text<'_>) -> Result<Statement, SqlError> {
    let at = cursor.location();
    cursor.expect_words(&["CREATE"])?;
    if cursor.take_words(&["OR", "REPLACE"]) {
        return Err(SqlError::unsupported(at, "CREATE OR REPLACE"));
    }
    let _ = cursor.take_word("TEMPORARY");
    if cursor.take_word("TABLE") {
        return Ok(Statement::CreateTable(Box::new(create_table(cursor, text, at)?)));
    }
    if cursor.take_word("VIEW") {
        return create_view(cursor);
    }
    match cursor.peek() {
        Token::Word(word)
            if ["MATERIALIZED", "FUNCTION", "CATALOG", "DATABASE", "SYSTEM", "MODEL"]
                .contains(&word.value.to_ascii_uppercase().as_str()) =>
        {
            let word = word.value.to_ascii_uppercase();
            Err(SqlError::unsupported(cursor.location(), format!("CREATE {word}")))
        }
        _ => Err(cursor.unexpected("\"TABLE\" or \"VIEW\"")),
    }
}

fn create_view(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let if_not_exists = cursor.take_words(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    let columns = names(cursor)?;
    if cursor.take_word("COMMENT") {
        cursor.string()?;
    }
    cursor.expect_words(&["AS"])?;
    let query = parse_query(rest(cursor))?;
    Ok(Statement::CreateView(Box::new(CreateView { name, if_not_exists, columns, query })))
}

/// `(a, b)`, or nothing.
fn names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    let mut names = Vec::new();
    if cursor.take(&Token::LParen) {
        names.push(cursor.identifier()?);
        while cursor.take(&Token::Comma) {
            names.push(cursor.identifier()?);
        }
        cursor.expect(&Token::RParen)?;
    }
    Ok(names)
}

fn drop_object(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect_words(&["DROP"])?;
    let _ = cursor.take_word("TEMPORARY");
    let view = cursor.take_word("VIEW");
    if !view && !cursor.take_word("TABLE") {
        return Err(cursor.unexpected("\"TABLE\" or \"VIEW\""));
    }
    let if_exists = cursor.take_words(&["IF", "EXISTS"]);
    Ok(Statement::Drop(Drop { view, name: cursor.object_name()?, if_exists }))
}

fn insert(cursor: &mut Cursor<'_>, text: &Text<'_>) -> Result<Insert, SqlError> {
    let at = cursor.location();
    cursor.expect_words(&["INSERT"])?;
    if cursor.is_word("OVERWRITE") {
        return Err(SqlError::unsupported(
            at,
            "INSERT OVERWRITE requires that the underlying sink implements overwriting",
        ));
    }
    cursor.expect_words(&["INTO"])?;
    let table_at = cursor.location();
    let table = cursor.object_name()?;
    if cursor.is_word("PARTITION") {
        return Err(SqlError::unsupported(cursor.location(), "INSERT INTO … PARTITION"));
    }
    // A bracket opens the columns, or a query in brackets.
    let query_follows = super::tokens::is_word(cursor.peek_after(1), "SELECT")
        || super::tokens::is_word(cursor.peek_after(1), "WITH");
    let columns = if query_follows { Vec::new() } else { names(cursor)? };
    let query = parse_query(rest(cursor))?;
    let text = text.between(at, cursor.end_of_last()).to_owned();
    Ok(Insert { at, text, table, table_at, columns, query })
}

fn execute(cursor: &mut Cursor<'_>, text: &Text<'_>) -> Result<Statement, SqlError> {
    cursor.expect_words(&["EXECUTE"])?;
    if cursor.is_word("INSERT") {
        return Ok(Statement::Insert(Box::new(insert(cursor, text)?)));
    }
    cursor.expect_words(&["STATEMENT", "SET", "BEGIN"])?;
    Ok(Statement::StatementSet(inserts(cursor, text)?))
}

/// `INSERT …; INSERT …; END`.
fn inserts(cursor: &mut Cursor<'_>, text: &Text<'_>) -> Result<Vec<Insert>, SqlError> {
    let mut inserts = Vec::new();
    while !cursor.take_word("END") {
        if !cursor.is_word("INSERT") {
            return Err(cursor.unexpected("\"INSERT\" or \"END\""));
        }
        inserts.push(insert(cursor, text)?);
        cursor.expect(&Token::SemiColon)?;
    }
    if inserts.is_empty() {
        return Err(cursor.unexpected("at least one \"INSERT\" in the statement set"));
    }
    Ok(inserts)
}

fn set(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect_words(&["SET"])?;
    if cursor.is_end() || *cursor.peek() == Token::SemiColon {
        return Ok(Statement::Set(None));
    }
    let key = cursor.string()?;
    cursor.expect(&Token::Eq)?;
    Ok(Statement::Set(Some((key, cursor.string()?))))
}

fn show(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect_words(&["SHOW"])?;
    if cursor.take_words(&["CREATE", "TABLE"]) {
        return Ok(Statement::ShowCreateTable(cursor.object_name()?));
    }
    for (word, statement) in [
        ("TABLES", Statement::ShowTables),
        ("VIEWS", Statement::ShowViews),
        ("JOBS", Statement::ShowJobs),
    ] {
        if cursor.take_word(word) {
            return Ok(statement);
        }
    }
    Err(cursor.unexpected("\"TABLES\", \"VIEWS\", \"JOBS\" or \"CREATE TABLE\""))
}

/// The tokens up to the semicolon.
fn rest<'a>(cursor: &mut Cursor<'a>) -> &'a [TokenWithSpan] {
    cursor.take_until(&[Token::SemiColon])
}
