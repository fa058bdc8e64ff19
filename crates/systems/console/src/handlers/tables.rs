//! Keyspaces, tables and rows, as Cassandra's own schema tables tell them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{ApiError, Part};
use crate::parts::Page;

/// Rows of the schema tables that are read.
const SCHEMA_ROWS: i32 = 5000;
/// Rows of a page.
const ROWS: i32 = 100;
const ROWS_MAX: i32 = 1000;
/// Keyspaces of Cassandra's own.
const SYSTEM: [&str; 8] = [
    "system",
    "system_auth",
    "system_distributed",
    "system_schema",
    "system_traces",
    "system_views",
    "system_virtual_schema",
    "system_cluster_metadata",
];

/// `GET /api/v1/keyspaces`: with their tables.
pub(super) async fn keyspaces(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let page = |cql| app.store.page(cql, (), SCHEMA_ROWS, None);
    let keyspaces = page("SELECT keyspace_name, replication FROM system_schema.keyspaces").await?;
    let tables = page("SELECT keyspace_name, table_name FROM system_schema.tables").await?;
    let columns =
        page("SELECT keyspace_name, table_name, column_name FROM system_schema.columns").await?;
    let mut counts = BTreeMap::<(String, String), usize>::new();
    for row in &columns.rows {
        *counts.entry((cell(row, 0), cell(row, 1))).or_default() += 1;
    }
    let mut shown: Vec<(bool, String, Value)> = keyspaces
        .rows
        .iter()
        .map(|row| {
            let name = cell(row, 0);
            let of_keyspace = tables.rows.iter().filter(|table| cell(table, 0) == name);
            let tables: Vec<Value> = of_keyspace
                .map(|table| {
                    let table = cell(table, 1);
                    let columns = counts.get(&(name.clone(), table.clone())).copied().unwrap_or(0);
                    json!({"name": table, "columns": columns})
                })
                .collect();
            let system = SYSTEM.contains(&name.as_str());
            let shown = json!({
                "name": name,
                "system": system,
                "replication": replication(row.get(1)),
                "tables": tables,
            });
            (system, name, shown)
        })
        .collect();
    shown.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Ok(Json(json!({"keyspaces": shown.into_iter().map(|(_, _, one)| one).collect::<Vec<_>>()})))
}

/// `SimpleStrategy · 1`.
fn replication(map: Option<&Value>) -> String {
    let Some(Value::Object(map)) = map else { return String::new() };
    let class = map.get("class").and_then(Value::as_str).unwrap_or_default();
    let class = class.rsplit('.').next().unwrap_or_default();
    let factors = map.iter().filter(|(key, _)| *key != "class").filter_map(|(_, v)| v.as_str());
    std::iter::once(class).chain(factors).collect::<Vec<_>>().join(" · ")
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    kind: String,
    position: i64,
    cql_type: String,
    clustering_order: String,
}

async fn columns(app: &App, keyspace: &str, table: &str) -> Result<Vec<Column>, ApiError> {
    let found = app
        .store
        .page(
            "SELECT column_name, kind, position, type, clustering_order FROM system_schema.columns \
             WHERE keyspace_name = ? AND table_name = ?",
            (keyspace, table),
            SCHEMA_ROWS,
            None,
        )
        .await?;
    let mut columns: Vec<Column> = found
        .rows
        .iter()
        .map(|row| Column {
            name: cell(row, 0),
            kind: cell(row, 1),
            position: row.get(2).and_then(Value::as_i64).unwrap_or(-1),
            cql_type: cell(row, 3),
            clustering_order: cell(row, 4),
        })
        .collect();
    if columns.is_empty() {
        let message = format!("table {keyspace}.{table} does not exist");
        return Err(ApiError::missing(Part::Store, message));
    }
    // As a SELECT gives them: keys first, then by name.
    let rank = |column: &Column| match column.kind.as_str() {
        "partition_key" => 0,
        "clustering" => 1,
        "static" => 2,
        _ => 3,
    };
    columns.sort_by(|a, b| (rank(a), a.position, &a.name).cmp(&(rank(b), b.position, &b.name)));
    Ok(columns)
}

/// `GET /api/v1/keyspaces/{keyspace}/tables/{table}`: columns and the statement that makes them.
pub(super) async fn table(
    State(app): State<Arc<App>>,
    Path((keyspace, table)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let columns = columns(&app, &keyspace, &table).await?;
    let shown: Vec<Value> = columns
        .iter()
        .map(|c| json!({"name": c.name, "type": c.cql_type, "kind": c.kind}))
        .collect();
    let cql = create_statement(&keyspace, &table, &columns);
    Ok(Json(json!({"keyspace": keyspace, "table": table, "columns": shown, "cql": cql})))
}

fn create_statement(keyspace: &str, table: &str, columns: &[Column]) -> String {
    let of = |kind: &str| columns.iter().filter(|c| c.kind == kind).collect::<Vec<_>>();
    let (partition, clustering) = (of("partition_key"), of("clustering"));
    let names = |columns: &[&Column]| {
        columns.iter().map(|c| quoted(&c.name)).collect::<Vec<_>>().join(", ")
    };
    let single = partition.len() == 1 && clustering.is_empty();
    let mut lines: Vec<String> = columns
        .iter()
        .map(|column| {
            let note = match column.kind.as_str() {
                "static" => " STATIC",
                "partition_key" if single => " PRIMARY KEY",
                _ => "",
            };
            format!("    {} {}{note}", quoted(&column.name), column.cql_type)
        })
        .collect();
    if !single {
        let key = match partition.len() {
            1 => names(&partition),
            _ => format!("({})", names(&partition)),
        };
        let rest =
            if clustering.is_empty() { String::new() } else { format!(", {}", names(&clustering)) };
        lines.push(format!("    PRIMARY KEY ({key}{rest})"));
    }
    let order = if clustering.iter().any(|c| c.clustering_order == "desc") {
        let orders: Vec<String> = clustering
            .iter()
            .map(|c| format!("{} {}", quoted(&c.name), c.clustering_order.to_uppercase()))
            .collect();
        format!(" WITH CLUSTERING ORDER BY ({})", orders.join(", "))
    } else {
        String::new()
    };
    format!(
        "CREATE TABLE {}.{} (\n{}\n){order};",
        quoted(keyspace),
        quoted(table),
        lines.join(",\n")
    )
}

/// An identifier as CQL reads it back: quoted unless it is plain.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RowParams {
    page: Option<String>,
    limit: Option<i32>,
    /// The partition key; several columns are separated by commas.
    key: String,
}

/// `GET /api/v1/keyspaces/{keyspace}/tables/{table}/rows?page=&limit=&key=`
pub(super) async fn rows(
    State(app): State<Arc<App>>,
    Path((keyspace, table)): Path<(String, String)>,
    Query(params): Query<RowParams>,
) -> Result<Json<Value>, ApiError> {
    let began = app.world.clock.monotonic();
    let limit = params.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let from = params.page.as_deref().filter(|page| !page.is_empty());
    let name = format!("{}.{}", quoted(&keyspace), quoted(&table));
    let cql = if params.key.trim().is_empty() {
        format!("SELECT * FROM {name}")
    } else {
        let columns = columns(&app, &keyspace, &table).await?;
        format!("SELECT * FROM {name} WHERE {}", by_key(&columns, params.key.trim())?)
    };
    let Page { columns, rows, next } = app.store.page(&cql, (), limit, from).await?;
    Ok(Json(json!({
        "columns": columns, "rows": rows, "next": next, "took_ms": milliseconds(&app, began),
    })))
}

/// The partition key as a condition, with each value as a literal of its column's type.
fn by_key(columns: &[Column], text: &str) -> Result<String, ApiError> {
    let keys: Vec<&Column> = columns.iter().filter(|c| c.kind == "partition_key").collect();
    let values: Vec<&str> = match keys.len() {
        1 => vec![text],
        _ => text.split(',').map(str::trim).collect(),
    };
    if values.len() != keys.len() {
        let names: Vec<&str> = keys.iter().map(|c| c.name.as_str()).collect();
        return Err(ApiError::bad(format!(
            "the key has {} parts: {}",
            keys.len(),
            names.join(", ")
        )));
    }
    let parts = keys.iter().zip(values).map(|(column, value)| {
        Ok(format!("{} = {}", quoted(&column.name), literal(&column.cql_type, value)?))
    });
    Ok(parts.collect::<Result<Vec<_>, ApiError>>()?.join(" AND "))
}

/// What people type is data: whatever is not plainly a number or an id goes as quoted text.
fn literal(cql_type: &str, value: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::bad(format!("{value:?} is not a {cql_type}"));
    match cql_type {
        "int" | "bigint" | "smallint" | "tinyint" | "varint" | "counter" => {
            let digits = value.strip_prefix('-').unwrap_or(value);
            let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            whole.then(|| value.to_owned()).ok_or_else(wrong)
        }
        "float" | "double" | "decimal" => {
            let number = value.parse::<f64>().is_ok_and(f64::is_finite);
            number.then(|| value.to_owned()).ok_or_else(wrong)
        }
        "boolean" => {
            let word = value.to_ascii_lowercase();
            matches!(word.as_str(), "true" | "false").then_some(word).ok_or_else(wrong)
        }
        "uuid" | "timeuuid" => {
            uuid::Uuid::parse_str(value).map(|id| id.to_string()).map_err(|_| wrong())
        }
        "blob" => {
            let digits = value.strip_prefix("0x").ok_or_else(wrong)?;
            let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            hex.then(|| value.to_owned()).ok_or_else(wrong)
        }
        _ => Ok(format!("'{}'", value.replace('\'', "''"))),
    }
}

fn cell(row: &[Value], at: usize) -> String {
    row.get(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Since `began`, to a tenth.
pub(super) fn milliseconds(app: &App, began: Duration) -> f64 {
    let took = app.world.clock.monotonic().saturating_sub(began);
    (took.as_secs_f64() * 1e4).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str, position: i64, cql_type: &str) -> Column {
        Column {
            name: name.into(),
            kind: kind.into(),
            position,
            cql_type: cql_type.into(),
            clustering_order: if kind == "clustering" { "desc".into() } else { "none".into() },
        }
    }

    #[test]
    fn a_table_is_told_as_the_statement_that_makes_it() {
        let simple =
            [column("id", "partition_key", 0, "uuid"), column("Name", "regular", -1, "text")];
        assert_eq!(
            create_statement("shop", "people", &simple),
            "CREATE TABLE shop.people (\n    id uuid PRIMARY KEY,\n    \"Name\" text\n);"
        );
        let wide = [
            column("a", "partition_key", 0, "int"),
            column("b", "partition_key", 1, "int"),
            column("at", "clustering", 0, "timestamp"),
        ];
        assert_eq!(
            create_statement("shop", "events", &wide),
            "CREATE TABLE shop.events (\n    a int,\n    b int,\n    at timestamp,\n    \
             PRIMARY KEY ((a, b), at)\n) WITH CLUSTERING ORDER BY (at DESC);"
        );
    }

    #[test]
    fn a_typed_key_stays_data() {
        for (kind, value, expected) in [
            ("int", "42", Some("42")),
            ("int", "-7", Some("-7")),
            ("int", "1 OR 1=1", None),
            ("int", "", None),
            ("text", "O'Brien", Some("'O''Brien'")),
            (
                "uuid",
                "9b2f0a3e-54f4-4f1e-8f3a-1e2d3c4b5a69",
                Some("9b2f0a3e-54f4-4f1e-8f3a-1e2d3c4b5a69"),
            ),
            ("uuid", "x'; DROP", None),
            ("boolean", "TRUE", Some("true")),
            ("double", "NaN", None),
            ("blob", "0xff", Some("0xff")),
            ("blob", "0xfg", None),
            ("frozen<x>", "'", Some("''''")),
        ] {
            assert_eq!(literal(kind, value).ok().as_deref(), expected, "{kind} {value}");
        }
        let keys =
            [column("a", "partition_key", 0, "int"), column("b", "partition_key", 1, "text")];
        assert_eq!(by_key(&keys, "1, x").unwrap(), "a = 1 AND b = 'x'");
        assert!(by_key(&keys, "1").is_err());
    }
}
