//! Spark SQL's text: `sqlparser` reads it, and what comes out are the same expressions and relations
//! that a data frame would send. So a function or an operator means one thing, however it is asked
//! for.

mod expressions;
mod query;

use datafusion::sql::sqlparser::ast::SelectItem;
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;
use tidemill_spark_connect::{Alias, ExprType, Expression};

use super::error::{Result, SparkError};

use expressions::lower;
pub(super) use query::{Asked, Node, Select, refuse_arguments, statement};

/// Characters of a text at most.
const TEXT_CHARS_MAX: usize = 1 << 20;
/// Expressions inside expressions at most.
const DEPTH_MAX: usize = 60;

/// `a + 1 AS b`.
pub(super) fn expression(text: &str) -> Result<Expression> {
    let mut parser = parser(text)?;
    let item = parser.parse_select_item().map_err(|error| syntax(&error, &parser, text))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let at = next.span.start;
        return Err(SparkError::syntax(
            &next.token.to_string(),
            text,
            at.line.max(1),
            at.column.saturating_sub(1),
        ));
    }
    select_item(&item)
}

/// One item of a `SELECT`.
pub(super) fn select_item(item: &SelectItem) -> Result<Expression> {
    match item {
        SelectItem::UnnamedExpr(expr) => lower(expr),
        SelectItem::ExprWithAlias { expr, alias } => {
            let alias = Alias {
                expr: Some(Box::new(lower(expr)?)),
                name: vec![alias.value.clone()],
                metadata: None,
            };
            Ok(Expression { expr_type: Some(ExprType::Alias(Box::new(alias))) })
        }
        SelectItem::Wildcard(_) => Ok(expressions::star(None)),
        SelectItem::QualifiedWildcard(kind, _) => {
            Ok(expressions::star(Some(kind.to_string().replace('`', ""))))
        }
        SelectItem::ExprWithAliases { .. } => {
            Err(SparkError::unsupported("an expression with several aliases"))
        }
    }
}

fn parser(text: &str) -> Result<Parser<'static>> {
    if text.len() > TEXT_CHARS_MAX {
        let most = TEXT_CHARS_MAX;
        return Err(SparkError::argument(format!("SQL of more than {most} characters")));
    }
    let parser = Parser::new(&SparkSqlDialect).with_recursion_limit(DEPTH_MAX);
    parser.try_with_sql(text).map_err(|error| SparkError::syntax(&reason(&error), text, 1, 0))
}

fn reason(error: &ParserError) -> String {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "too many expressions inside each other".to_owned(),
    }
}

/// Spark's error: what stands where the text stops to make sense.
fn syntax(error: &ParserError, parser: &Parser<'_>, text: &str) -> SparkError {
    let found = match error {
        ParserError::ParserError(message) => message
            .split("found: ")
            .nth(1)
            .map(|rest| rest.split(" at Line").next().unwrap_or(rest).trim().to_owned()),
        _ => None,
    };
    let at = parser.peek_token().span.start;
    let near = match found.as_deref() {
        Some("EOF") => String::new(),
        Some(found) => found.to_owned(),
        None => reason(error),
    };
    SparkError::syntax(&near, text, at.line.max(1), at.column.saturating_sub(1))
}
