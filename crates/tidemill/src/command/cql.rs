//! `tidemill cql`: statements on the store, over the CQL native protocol.

use anyhow::{Context as _, bail};
use scylla::client::session::Session;
use scylla::response::query_result::QueryResult;
use scylla::value::{CqlValue, Row};
use serde_json::{Map, Value, json};
use tidemill_access::CassandraAccess;
use tidemill_connectors::cassandra::session_builder;

use super::{ANSWER_WITHIN, Context, statements};
use crate::arguments::Statement;
use crate::output;

pub(crate) async fn run(context: Context, statement: Statement) -> anyhow::Result<()> {
    let text = statements(&statement)?;
    let session = connect(&context.cassandra()?).await?;
    for statement in split(&text) {
        let result = session
            .query_unpaged(statement.as_str(), ())
            .await
            .map_err(|error| anyhow::anyhow!("{}", plain(&error.to_string())))?;
        if result.is_rows() {
            print(&context, result)?;
        } else if context.json {
            output::json(&json!({ "applied": true }))?;
        }
    }
    Ok(())
}

/// A session with the store, ours or the real one in its place.
pub(super) async fn connect(store: &CassandraAccess) -> anyhow::Result<Session> {
    session_builder(store).connection_timeout(ANSWER_WITHIN).build().await.with_context(|| {
        let at = store.contact_points.join(",");
        format!("the store does not answer at {at}; see: tidemill status")
    })
}

/// The server's own words, without the driver's around them.
fn plain(message: &str) -> &str {
    message.rsplit_once("Error message: ").map_or(message, |(_, said)| said)
}

fn print(context: &Context, result: QueryResult) -> anyhow::Result<()> {
    let rows = result.into_rows_result()?;
    let names: Vec<String> =
        rows.column_specs().iter().map(|column| column.name().to_owned()).collect();
    let mut cells = Vec::new();
    for row in rows.rows::<Row>()? {
        let row = row?;
        if context.json {
            let object: Map<String, Value> = names
                .iter()
                .zip(&row.columns)
                .map(|(name, value)| (name.clone(), as_json(value.as_ref())))
                .collect();
            output::json(&object)?;
        } else {
            cells.push(row.columns.iter().map(|value| shown(value.as_ref())).collect());
        }
    }
    if context.json {
        return Ok(());
    }
    output::table(&names.iter().map(String::as_str).collect::<Vec<_>>(), &cells)?;
    output::line(&format!("({} rows)", cells.len()))
}

fn shown(value: Option<&CqlValue>) -> String {
    match value {
        None => "null".to_owned(),
        Some(CqlValue::Text(text) | CqlValue::Ascii(text)) => text.clone(),
        Some(other) => match as_json(Some(other)) {
            Value::String(text) => text,
            value => value.to_string(),
        },
    }
}

fn as_json(value: Option<&CqlValue>) -> Value {
    let Some(value) = value else { return Value::Null };
    match value {
        CqlValue::Text(text) | CqlValue::Ascii(text) => json!(text),
        CqlValue::Boolean(is) => json!(is),
        CqlValue::TinyInt(n) => json!(n),
        CqlValue::SmallInt(n) => json!(n),
        CqlValue::Int(n) => json!(n),
        CqlValue::BigInt(n) => json!(n),
        CqlValue::Counter(n) => json!(n.0),
        CqlValue::Float(n) => json!(n),
        CqlValue::Double(n) => json!(n),
        CqlValue::List(values) | CqlValue::Set(values) => {
            values.iter().map(|value| as_json(Some(value))).collect()
        }
        CqlValue::Map(pairs) => {
            let pair =
                |(key, value): &(CqlValue, CqlValue)| (shown(Some(key)), as_json(Some(value)));
            Value::Object(pairs.iter().map(pair).collect())
        }
        // The driver prints these as CQL literals.
        other => json!(other.to_string().trim_matches('\'')),
    }
}

/// Statements end at a `;` that is in no string, no quoted name and no comment.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut current = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' => {
                current.push(c);
                for inner in rest.by_ref() {
                    current.push(inner);
                    if inner == c {
                        break;
                    }
                }
            }
            '-' if rest.peek() == Some(&'-') => {
                rest.by_ref().take_while(|inner| *inner != '\n').for_each(drop);
                current.push('\n');
            }
            ';' => statements.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    statements.push(current);
    statements.iter().map(|each| each.trim().to_owned()).filter(|each| !each.is_empty()).collect()
}

/// How many rows and how many different primary keys a table holds.
pub(super) async fn count(session: &Session, table: &str, key: &str) -> anyhow::Result<(u64, u64)> {
    let one = async |what: &str| -> anyhow::Result<Option<i64>> {
        let result = session.query_unpaged(format!("SELECT {what} FROM {table}"), ()).await?;
        Ok(result.into_rows_result()?.first_row::<(i64,)>().ok().map(|(n,)| n))
    };
    let Some(rows) = one("count(*)").await? else { bail!("no count of {table}") };
    let result = session.query_iter(format!("SELECT {key} FROM {table}"), ()).await?;
    let mut keys = result.rows_stream::<(CqlValue,)>()?;
    let mut distinct = std::collections::HashSet::new();
    while let Some(row) = futures::StreamExt::next(&mut keys).await {
        distinct.insert(row?.0.to_string());
    }
    Ok((u64::try_from(rows)?, distinct.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_outside_of_strings() {
        let text = "insert into t (a) values ('x;''y'); -- a; comment\nselect \"b;c\" from t;";
        assert_eq!(split(text), ["insert into t (a) values ('x;''y')", "select \"b;c\" from t"]);
    }
}
