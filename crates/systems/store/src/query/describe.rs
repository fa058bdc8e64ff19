//! DESCRIBE: the schema as rows of names and CQL. cqlsh sends it since Cassandra 4.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::response::{ColumnSpec, Rows, RowsBuilder};

use super::context::text_bytes;
use crate::cql::keywords::quoted;
use crate::cql::names::QualifiedName;
use crate::cql::statements::describe::{Describe, Described};
use crate::error::CqlError;
use crate::schema::Schema;
use crate::schema::catalog::in_order_of_use;
use crate::schema::describe::{create_keyspace, create_table, create_type};
use crate::schema::keyspace::Keyspace;

const LIST: [&str; 3] = ["keyspace_name", "type", "name"];
const ELEMENT: [&str; 4] = ["keyspace_name", "type", "name", "create_statement"];

/// One line: keyspace, kind, name, and the statement if it is asked for.
type Line = Vec<String>;

/// Answers a DESCRIBE.
pub(crate) fn describe(
    describe: &Describe,
    schema: &Schema,
    current: Option<&str>,
    cluster_name: &str,
) -> Result<Rows, CqlError> {
    let internals = describe.with_internals;
    // Lists are of the connection's keyspace, or of all.
    let listed = || {
        let all = schema.keyspaces.values();
        all.filter(|keyspace| current.is_none_or(|current| keyspace.name == current))
    };
    let line = |keyspace: &Keyspace, kind: &str, name: &str| -> Line {
        vec![quoted(&keyspace.name), kind.to_owned(), quoted(name)]
    };
    let lines: Vec<Line> = match &describe.what {
        Described::Cluster => {
            let row = vec![
                cluster_name.to_owned(),
                "Murmur3Partitioner".to_owned(),
                "DynamicEndpointSnitch".to_owned(),
            ];
            return Ok(rows(&["cluster", "partitioner", "snitch"], vec![row]));
        }
        Described::Keyspaces => {
            schema.keyspaces.values().map(|it| line(it, "keyspace", &it.name)).collect()
        }
        Described::Tables => listed()
            .flat_map(|keyspace| keyspace.tables.keys().map(|name| line(keyspace, "table", name)))
            .collect(),
        Described::Types => listed()
            .flat_map(|keyspace| keyspace.types.keys().map(|name| line(keyspace, "type", name)))
            .collect(),
        // There are none.
        Described::Functions | Described::Aggregates => Vec::new(),
        Described::Schema { full } => {
            let keyspaces = schema.keyspaces.values().filter(|it| *full || !it.is_system);
            let lines = keyspaces.flat_map(|keyspace| whole(keyspace, internals)).collect();
            return Ok(rows(&ELEMENT, lines));
        }
        Described::Keyspace { name, only } => {
            let Some(name) = name.as_deref().or(current) else {
                return Err(CqlError::invalid("No keyspace specified and no current keyspace"));
            };
            let keyspace = schema
                .keyspace(name)
                .ok_or_else(|| CqlError::invalid(format!("'{name}' not found in keyspaces")))?;
            let mut lines = whole(keyspace, internals);
            if *only {
                lines.truncate(1);
            }
            return Ok(rows(&ELEMENT, lines));
        }
        Described::Table(name) => {
            let line = table(schema, name, current, internals)?;
            return Ok(rows(&ELEMENT, vec![line]));
        }
        Described::Type(name) => {
            let (keyspace, found) = keyspace_of(schema, name, current)?;
            let Some(known) = found.types.get(&name.name) else {
                return Err(CqlError::invalid(format!(
                    "User defined type '{}' not found in '{keyspace}'",
                    name.name
                )));
            };
            let mut line = line(found, "type", &known.udt.name);
            line.push(create_type(known));
            return Ok(rows(&ELEMENT, vec![line]));
        }
        Described::Other(kind, name) => {
            let (keyspace, _) = keyspace_of(schema, name, current)?;
            let mut kind = (*kind).to_owned();
            kind[..1].make_ascii_uppercase();
            return Err(CqlError::invalid(format!(
                "{kind} '{}' not found in keyspace '{keyspace}'",
                name.name
            )));
        }
        Described::Any(name) => return any(schema, name, current, internals),
    };
    Ok(rows(&LIST, lines))
}

/// A keyspace, or a table of the connection's keyspace.
fn any(
    schema: &Schema,
    name: &QualifiedName,
    current: Option<&str>,
    internals: bool,
) -> Result<Rows, CqlError> {
    if name.keyspace.is_none()
        && let Some(keyspace) = schema.keyspace(&name.name)
    {
        return Ok(rows(&ELEMENT, whole(keyspace, internals)));
    }
    let keyspace = name.keyspace.as_deref().or(current);
    let Some(keyspace) = keyspace else {
        return Err(CqlError::invalid(format!("'{}' not found in keyspaces", name.name)));
    };
    match table(schema, name, Some(keyspace), internals) {
        Ok(line) => Ok(rows(&ELEMENT, vec![line])),
        Err(_) => {
            Err(CqlError::invalid(format!("'{}' not found in keyspace '{keyspace}'", name.name)))
        }
    }
}

fn keyspace_of<'a>(
    schema: &'a Schema,
    name: &'a QualifiedName,
    current: Option<&'a str>,
) -> Result<(&'a str, &'a Keyspace), CqlError> {
    let Some(keyspace) = name.keyspace.as_deref().or(current) else {
        return Err(CqlError::invalid("No keyspace specified and no current keyspace"));
    };
    match schema.keyspace(keyspace) {
        Some(found) => Ok((keyspace, found)),
        None => Err(CqlError::invalid(format!("'{keyspace}' not found in keyspaces"))),
    }
}

fn table(
    schema: &Schema,
    name: &QualifiedName,
    current: Option<&str>,
    internals: bool,
) -> Result<Line, CqlError> {
    let (keyspace, found) = keyspace_of(schema, name, current)?;
    let table = found.tables.get(&name.name).ok_or_else(|| {
        CqlError::invalid(format!("Table '{}' not found in keyspace '{keyspace}'", name.name))
    })?;
    Ok(vec![
        quoted(keyspace),
        "table".to_owned(),
        quoted(&table.name),
        create_table(table, found.is_virtual, internals),
    ])
}

/// A keyspace and all that is in it.
fn whole(keyspace: &Keyspace, internals: bool) -> Vec<Line> {
    let line = |kind: &str, name: &str, statement: String| {
        vec![quoted(&keyspace.name), kind.to_owned(), quoted(name), statement]
    };
    let mut lines = vec![line("keyspace", &keyspace.name, create_keyspace(keyspace))];
    for known in in_order_of_use(keyspace) {
        lines.push(line("type", &known.udt.name, create_type(known)));
    }
    for table in keyspace.tables.values() {
        let statement = create_table(table, keyspace.is_virtual, internals);
        lines.push(line("table", &table.name, statement));
    }
    lines
}

fn rows(columns: &[&str], lines: Vec<Line>) -> Rows {
    let (keyspace, table): (Arc<str>, Arc<str>) = ("system".into(), "describe".into());
    let spec = |name: &&str| ColumnSpec {
        keyspace: keyspace.clone(),
        table: table.clone(),
        name: (*name).to_owned(),
        cql_type: CqlType::Text,
    };
    let mut builder = RowsBuilder::new(Arc::new(columns.iter().map(spec).collect()));
    for line in lines {
        let cells: Vec<Option<Bytes>> = line.iter().map(|text| Some(text_bytes(text))).collect();
        builder.push(cells);
    }
    builder.finish()
}
