//! The keyspaces of the system: the tables drivers read to find their way. Their columns are
//! Cassandra's; their rows are made up when somebody asks.

mod local;
mod rows;
mod schema_tables;
mod size_estimates;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::cql::statements::Statement;
use crate::cql::{SyntaxError, parse_statement};
use crate::database::Database;
use crate::error::CqlError;
use crate::query::ddl_build;
use crate::schema::Schema;
use crate::schema::catalog::system_table_id;
use crate::schema::keyspace::{Keyspace, SYSTEM_KEYSPACES};
use crate::schema::table::Table;
use crate::storage::engine::{EngineError, Entries};
use crate::storage::partition::RowSource;

use rows::RowMaker;

/// All tables of the system, as CREATE TABLE statements.
const TABLES: &str = include_str!("tables.cql");

const REPLICATION_PACKAGE: &str = "org.apache.cassandra.locator.";

/// The keyspaces of the system.
pub(crate) fn keyspaces() -> Result<Vec<Keyspace>, CqlError> {
    let mut keyspaces: BTreeMap<&str, Keyspace> = SYSTEM_KEYSPACES
        .iter()
        .map(|name| (*name, Keyspace::new(name, replication(name))))
        .collect();
    for line in TABLES.lines().filter(|line| line.starts_with("CREATE")) {
        let parsed = parse_statement(line)?;
        let Statement::CreateTable(create) = parsed.statement else {
            return Err(SyntaxError(format!("not a table: {line}")).into());
        };
        let name = create.table.keyspace.clone().unwrap_or_default();
        let Some(keyspace) = keyspaces.get_mut(name.as_str()) else { continue };
        let id = system_table_id(&name, &create.table.name);
        let table = ddl_build(&create, keyspace, id)?;
        keyspace.tables.insert(create.table.name.clone(), Arc::new(table));
    }
    Ok(keyspaces.into_values().collect())
}

fn replication(keyspace: &str) -> BTreeMap<String, String> {
    let (class, factor) = match keyspace {
        "system_auth" => ("SimpleStrategy", Some("1")),
        "system_distributed" => ("SimpleStrategy", Some("3")),
        "system_traces" => ("SimpleStrategy", Some("2")),
        _ => ("LocalStrategy", None),
    };
    let class = ("class".to_owned(), format!("{REPLICATION_PACKAGE}{class}"));
    let factor = factor.map(|factor| ("replication_factor".to_owned(), factor.to_owned()));
    std::iter::once(class).chain(factor).collect()
}

/// Rows made up for one question, in the order of their keys.
pub(crate) struct VirtualRows(BTreeMap<Bytes, Bytes>);

impl RowSource for VirtualRows {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(key).cloned())
    }

    fn range(&self, start: &[u8], end: &[u8], reverse: bool) -> Result<Entries<'_>, EngineError> {
        if start >= end {
            return Ok(Box::new(std::iter::empty()));
        }
        let range = Bytes::copy_from_slice(start)..Bytes::copy_from_slice(end);
        let entries = self.0.range(range).map(|(key, value)| Ok((key.clone(), value.clone())));
        Ok(if reverse { Box::new(entries.rev()) } else { Box::new(entries) })
    }
}

/// The rows of a table of the system. Tables that Cassandra fills for its own use are empty.
pub(crate) fn rows(
    database: &Database,
    schema: &Schema,
    table: &Table,
) -> Result<VirtualRows, CqlError> {
    let mut maker = RowMaker::new(table);
    match (table.keyspace.as_str(), table.name.as_str()) {
        ("system", "local") => local::local(database, schema, &mut maker),
        ("system", "size_estimates") => size_estimates::fill(database, schema, &mut maker, false)?,
        ("system", "table_estimates") => size_estimates::fill(database, schema, &mut maker, true)?,
        ("system", "prepared_statements") => local::prepared_statements(database, &mut maker),
        ("system_schema", "keyspaces") => schema_tables::keyspaces(schema, &mut maker),
        ("system_schema", "tables") => schema_tables::tables(schema, &mut maker),
        ("system_schema", "columns") => schema_tables::columns(schema, &mut maker, false),
        ("system_schema", "types") => schema_tables::types(schema, &mut maker),
        ("system_schema", "dropped_columns") => schema_tables::dropped(schema, &mut maker),
        ("system_virtual_schema", "keyspaces") => {
            schema_tables::virtual_keyspaces(schema, &mut maker);
        }
        ("system_virtual_schema", "tables") => schema_tables::virtual_tables(schema, &mut maker),
        ("system_virtual_schema", "columns") => schema_tables::columns(schema, &mut maker, true),
        ("system_views", "settings") => views::settings(database, &mut maker),
        ("system_views", "clients") => views::clients(database, &mut maker),
        ("system_views", "disk_usage") => views::disk_usage(database, schema, &mut maker),
        _ => {}
    }
    Ok(VirtualRows(maker.finish()))
}
