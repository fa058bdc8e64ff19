//! A query's body: window table functions taken out, the rest parsed by `sqlparser`, and what this
//! engine does not do refused with its place.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, Query as QueryAst, Select, SelectItem, SetExpr,
    SetOperator, SetQuantifier, Spanned, TableFactor, TableWithJoins,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::error::{Location, SqlError, SqlErrorKind};
use super::tokens::{Cursor, FlinkDialect, is_word, shown};

/// A query, and the window table functions it reads from.
#[derive(Debug, Clone)]
pub struct Query {
    /// Where it begins.
    pub at: Location,
    /// The body; each window table function is the name of one of `windows`.
    pub ast: Box<QueryAst>,
    /// What those names stand for.
    pub windows: Vec<Tumble>,
}

/// `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tumble {
    /// The name that stands for it in the body.
    pub marker: String,
    /// The table or view it cuts into windows.
    pub table: String,
    /// The time attribute.
    pub time_column: String,
    /// Length of a window in milliseconds.
    pub size_ms: i64,
    /// Where windows begin, relative to 1970-01-01T00:00:00Z, in milliseconds.
    pub offset_ms: i64,
    /// Where it is written.
    pub at: Location,
}

/// Reads a query from tokens that hold nothing else.
pub(super) fn parse_query(tokens: &[TokenWithSpan]) -> Result<Query, SqlError> {
    let at = tokens.first().map_or_else(Location::default, |first| first.span.start.into());
    let (body, windows) = take_out_windows(tokens)?;
    let mut parser = Parser::new(&FlinkDialect).with_tokens_with_locations(body);
    let ast = parser.parse_query().map_err(|error| parse_error(&error, &parser))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let at = next.span.start.into();
        return Err(SqlError::unexpected(&shown(&next.token), at, "<EOF>"));
    }
    Ok(Query { at, ast, windows })
}

/// Reads an expression from tokens that hold nothing else.
pub(super) fn parse_expression(tokens: &[TokenWithSpan], at: Location) -> Result<Expr, SqlError> {
    let Some(last) = tokens.last() else {
        return Err(SqlError::unexpected("<EOF>", at, "an expression"));
    };
    let mut all = tokens.to_vec();
    all.push(TokenWithSpan::new(Token::EOF, Span::new(last.span.end, last.span.end)));
    let mut parser = Parser::new(&FlinkDialect).with_tokens_with_locations(all);
    let expr = parser.parse_expr().map_err(|error| parse_error(&error, &parser))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let at = next.span.start.into();
        return Err(SqlError::unexpected(&shown(&next.token), at, "\",\" or \")\""));
    }
    Ok(expr)
}

/// `sqlparser` says `Expected: x, found: y at Line: 1, Column: 2`; said again as Calcite says it.
fn parse_error(error: &ParserError, parser: &Parser<'_>) -> SqlError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "the expression nests too deep".to_owned(),
    };
    let here = parser.peek_token();
    let mut at: Location = here.span.start.into();
    let mut words = text.as_str();
    if let Some((before, place)) = text.rsplit_once(" at Line: ") {
        words = before;
        let mut numbers = place.split(", Column: ").filter_map(|number| number.parse().ok());
        if let (Some(line), Some(column)) = (numbers.next(), numbers.next()) {
            at = Location { line, column };
        }
    }
    let at = Location { line: at.line.max(1), column: at.column.max(1) };
    if let Some((expected, found)) =
        words.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: "))
    {
        let found = if found == "EOF" { "<EOF>" } else { found };
        return SqlError::unexpected(found, at, expected);
    }
    SqlError { kind: SqlErrorKind::Parse, at, message: format!("At {at}: {words}") }
}

/// Replaces `TABLE(TUMBLE(…))` by a name each.
fn take_out_windows(
    tokens: &[TokenWithSpan],
) -> Result<(Vec<TokenWithSpan>, Vec<Tumble>), SqlError> {
    let mut all = tokens.to_vec();
    let end = tokens.last().map_or_else(Span::empty, |last| last.span);
    all.push(TokenWithSpan::new(Token::EOF, end));
    let mut cursor = Cursor::new(&all);
    let (mut body, mut windows) = (Vec::with_capacity(tokens.len()), Vec::new());
    while !cursor.is_end() {
        let opens = cursor.is_word("TABLE")
            && *cursor.peek_after(1) == Token::LParen
            && matches!(cursor.peek_after(2), Token::Word(_))
            && *cursor.peek_after(3) == Token::LParen;
        let start = cursor.position();
        if !opens {
            cursor.advance();
            body.extend_from_slice(cursor.since(start));
            continue;
        }
        let window = tumble(&mut cursor, format!("$tumble{}", windows.len()))?;
        let name = Token::Word(Word {
            value: window.marker.clone(),
            quote_style: Some('`'),
            keyword: Keyword::NoKeyword,
        });
        body.push(TokenWithSpan::new(name, cursor.since(start)[0].span));
        windows.push(window);
    }
    body.push(TokenWithSpan::new(Token::EOF, Span::new(end.end, end.end)));
    Ok((body, windows))
}

/// The cursor stands at `TABLE`.
fn tumble(cursor: &mut Cursor<'_>, marker: String) -> Result<Tumble, SqlError> {
    cursor.expect_words(&["TABLE"])?;
    cursor.expect(&Token::LParen)?;
    let at = cursor.location();
    let function = cursor.identifier()?;
    if !function.eq_ignore_ascii_case("TUMBLE") {
        return Err(match function.to_ascii_uppercase().as_str() {
            "HOP" | "CUMULATE" | "SESSION" => SqlError::unsupported(
                at,
                format!("window table function {function}; TUMBLE is the only one so far"),
            ),
            _ => SqlError::invalid(
                at,
                format!(
                    "No match found for function signature {function}(); TUMBLE is the only \
                         table function"
                ),
            ),
        });
    }
    cursor.expect(&Token::LParen)?;
    named(cursor, "DATA");
    cursor.expect_words(&["TABLE"])?;
    let table = cursor.object_name()?;
    cursor.expect(&Token::Comma)?;
    named(cursor, "TIMECOL");
    cursor.expect_words(&["DESCRIPTOR"])?;
    cursor.expect(&Token::LParen)?;
    let time_column = cursor.identifier()?;
    cursor.expect(&Token::RParen)?;
    cursor.expect(&Token::Comma)?;
    named(cursor, "SIZE");
    let size_at = cursor.location();
    let size_ms = interval_ms(cursor)?;
    let mut offset_ms = 0;
    if cursor.take(&Token::Comma) {
        named(cursor, "OFFSET");
        offset_ms = interval_ms(cursor)?;
    }
    cursor.expect(&Token::RParen)?;
    cursor.expect(&Token::RParen)?;
    if size_ms <= 0 {
        return Err(SqlError::invalid(
            size_at,
            format!("TUMBLE table function requires a positive size, but got {size_ms} ms"),
        ));
    }
    Ok(Tumble { marker, table, time_column, size_ms, offset_ms, at })
}

/// `NAME =>`, which may be left out.
fn named(cursor: &mut Cursor<'_>, name: &str) {
    if cursor.is_word(name) && *cursor.peek_after(1) == Token::RArrow {
        cursor.advance();
        cursor.advance();
    }
}

/// `INTERVAL '10' MINUTES`, in milliseconds.
fn interval_ms(cursor: &mut Cursor<'_>) -> Result<i64, SqlError> {
    cursor.expect_words(&["INTERVAL"])?;
    let negative = cursor.take(&Token::Minus);
    let at = cursor.location();
    let text = cursor.string()?;
    let number: i64 = text
        .trim()
        .parse()
        .map_err(|_| SqlError::invalid(at, format!("Illegal interval literal format '{text}'")))?;
    let unit = match cursor.peek() {
        token if is_word(token, "SECOND") || is_word(token, "SECONDS") => 1_000,
        token if is_word(token, "MINUTE") || is_word(token, "MINUTES") => 60_000,
        token if is_word(token, "HOUR") || is_word(token, "HOURS") => 3_600_000,
        token if is_word(token, "DAY") || is_word(token, "DAYS") => 86_400_000,
        _ => return Err(cursor.unexpected("\"DAY\", \"HOUR\", \"MINUTE\" or \"SECOND\"")),
    };
    cursor.advance();
    let number = if negative { -number } else { number };
    number
        .checked_mul(unit)
        .ok_or_else(|| SqlError::invalid(at, format!("Interval '{text}' is out of range")))
}

/// Where a query runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Without end, into a sink.
    Streaming,
    /// To the current end, for a caller.
    Batch,
}

/// Refuses what the engine does not do, before names are looked up.
pub fn check(query: &Query, mode: Mode) -> Result<(), SqlError> {
    check_query(&query.ast, mode, query.at)
}

fn check_query(query: &QueryAst, mode: Mode, at: Location) -> Result<(), SqlError> {
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        check_query(&cte.query, mode, place(cte, at))?;
    }
    if query.with.as_ref().is_some_and(|with| with.recursive) {
        return Err(SqlError::unsupported(at, "WITH RECURSIVE"));
    }
    if mode == Mode::Streaming {
        if let Some(order_by) = &query.order_by {
            return Err(SqlError::unsupported(
                place(order_by, at),
                "Sort on a non-time-attribute field is not supported: ORDER BY in a streaming query",
            ));
        }
        if query.limit_clause.is_some() || query.fetch.is_some() {
            return Err(SqlError::unsupported(at, "LIMIT in a streaming query"));
        }
    }
    check_body(&query.body, mode, at)
}

fn check_body(body: &SetExpr, mode: Mode, at: Location) -> Result<(), SqlError> {
    match body {
        SetExpr::Select(select) => check_select(select, mode, at),
        SetExpr::Query(query) => check_query(query, mode, at),
        SetExpr::SetOperation { op, set_quantifier, left, right } => {
            let all = *set_quantifier == SetQuantifier::All;
            if mode == Mode::Streaming && !(*op == SetOperator::Union && all) {
                return Err(SqlError::unsupported(
                    place(&**right, at),
                    format!("{op} in a streaming query; UNION ALL is the only set operation"),
                ));
            }
            check_body(left, mode, at)?;
            check_body(right, mode, at)
        }
        SetExpr::Values(_) if mode == Mode::Batch => Ok(()),
        other => Err(SqlError::unsupported(
            at,
            format!("{} as the source of rows", first_word(&other.to_string())),
        )),
    }
}

fn check_select(select: &Select, mode: Mode, at: Location) -> Result<(), SqlError> {
    for table in &select.from {
        check_from(table, mode, at)?;
    }
    if mode == Mode::Batch {
        return Ok(());
    }
    if select.from.is_empty() {
        return Err(SqlError::unsupported(place(select, at), "SELECT without FROM in a job"));
    }
    if matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
        return Err(SqlError::unsupported(
            place(select, at),
            "SELECT DISTINCT in a streaming query: it would keep every row for ever",
        ));
    }
    if let GroupByExpr::All(_) = &select.group_by {
        return Err(SqlError::unsupported(place(select, at), "GROUP BY ALL"));
    }
    let extra = [
        ("QUALIFY", select.qualify.is_some()),
        ("WINDOW", !select.named_window.is_empty()),
        ("LATERAL VIEW", !select.lateral_views.is_empty()),
    ];
    match extra.iter().find(|(_, used)| *used) {
        Some((name, _)) => Err(SqlError::unsupported(place(select, at), *name)),
        None => Ok(()),
    }
}

fn check_from(table: &TableWithJoins, mode: Mode, at: Location) -> Result<(), SqlError> {
    if let (Mode::Streaming, Some(join)) = (mode, table.joins.first()) {
        return Err(SqlError::unsupported(
            place(&join.relation, at),
            "joins in a streaming query are not supported yet",
        ));
    }
    match &table.relation {
        TableFactor::Derived { subquery, .. } => check_query(subquery, mode, at),
        TableFactor::Table { .. } => Ok(()),
        TableFactor::NestedJoin { table_with_joins, .. } => check_from(table_with_joins, mode, at),
        other => Err(SqlError::unsupported(
            place(other, at),
            format!("{} in FROM", first_word(&other.to_string())),
        )),
    }
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(text)
}

/// Where a part of the tree begins; `otherwise` if the parser did not keep it.
pub(crate) fn place(part: &impl Spanned, otherwise: Location) -> Location {
    let start = part.span().start;
    if start.line == 0 { otherwise } else { start.into() }
}

/// Calls `visit` with every table a query names in FROM, as written, and its place. Names of the
/// query's own WITH clause are left out.
pub(crate) fn for_each_table(query: &QueryAst, visit: &mut dyn FnMut(&[String], Location)) {
    let mut names = Vec::new();
    tables_of(query, &mut Vec::new(), &mut names);
    for (parts, at) in names {
        visit(&parts, at);
    }
}

type Named = (Vec<String>, Location);

fn tables_of(query: &QueryAst, hidden: &mut Vec<String>, found: &mut Vec<Named>) {
    let before = hidden.len();
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        tables_of(&cte.query, hidden, found);
        hidden.push(cte.alias.name.value.clone());
    }
    tables_of_body(&query.body, hidden, found);
    hidden.truncate(before);
}

fn tables_of_body(body: &SetExpr, hidden: &mut Vec<String>, found: &mut Vec<Named>) {
    match body {
        SetExpr::Select(select) => {
            for table in &select.from {
                tables_of_from(table, hidden, found);
            }
        }
        SetExpr::Query(query) => tables_of(query, hidden, found),
        SetExpr::SetOperation { left, right, .. } => {
            tables_of_body(left, hidden, found);
            tables_of_body(right, hidden, found);
        }
        _ => {}
    }
}

fn tables_of_from(table: &TableWithJoins, hidden: &mut Vec<String>, found: &mut Vec<Named>) {
    let joined = table.joins.iter().map(|join| &join.relation);
    for factor in std::iter::once(&table.relation).chain(joined) {
        match factor {
            TableFactor::Table { name, .. } => {
                let idents = name.0.iter().filter_map(|part| part.as_ident());
                let parts: Vec<String> = idents.map(|ident| ident.value.clone()).collect();
                if !(parts.len() == 1 && hidden.contains(&parts[0])) {
                    found.push((parts, place(name, Location::default())));
                }
            }
            TableFactor::Derived { subquery, .. } => tables_of(subquery, hidden, found),
            TableFactor::NestedJoin { table_with_joins, .. } => {
                tables_of_from(table_with_joins, hidden, found);
            }
            _ => {}
        }
    }
}

/// `SELECT a, a` is valid in Flink and names the second one `a0`; DataFusion wants different names.
pub(crate) fn name_columns(query: &mut QueryAst) {
    if let Some(with) = &mut query.with {
        with.cte_tables.iter_mut().for_each(|cte| name_columns(&mut cte.query));
    }
    name_in_body(&mut query.body);
}

fn name_in_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let mut names: Vec<String> = Vec::new();
            for (place, item) in select.projection.iter_mut().enumerate() {
                names.extend(name_item(item, place, &names));
            }
            for table in &mut select.from {
                let joined = table.joins.iter_mut().map(|join| &mut join.relation);
                for factor in std::iter::once(&mut table.relation).chain(joined) {
                    if let TableFactor::Derived { subquery, .. } = factor {
                        name_columns(subquery);
                    }
                }
            }
        }
        SetExpr::Query(query) => name_columns(query),
        SetExpr::SetOperation { left, right, .. } => {
            name_in_body(left);
            name_in_body(right);
        }
        _ => {}
    }
}

/// Names a column as Flink does: a field by its own name, an expression `EXPR$` and its place, and a
/// name that is taken with a number behind it.
fn name_item(item: &mut SelectItem, place: usize, names: &[String]) -> Option<String> {
    let (expr, own) = match item {
        SelectItem::ExprWithAlias { alias, .. } => return Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => {
            (Expr::Identifier(name.clone()), name.value.clone())
        }
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            let own = parts.last().map(|name| name.value.clone())?;
            (Expr::CompoundIdentifier(parts.clone()), own)
        }
        SelectItem::UnnamedExpr(expr) => (expr.clone(), format!("EXPR${place}")),
        _ => return None,
    };
    let mut name = own.clone();
    let mut numbers = 0..;
    while names.contains(&name) {
        name = format!("{own}{}", numbers.next().expect("numbers do not run out"));
    }
    // A plain column keeps its table's name, which other clauses may use.
    if !(matches!(expr, Expr::Identifier(_)) && name == own) {
        let alias = Ident::with_quote('`', name.clone());
        *item = SelectItem::ExprWithAlias { expr, alias };
    }
    Some(name)
}
