//! Schema objects as the CQL that would make them, as `DESCRIBE` prints it.

use super::keyspace::{Keyspace, UserType};
use super::options::map_text;
use super::table::{Column, ColumnKind, Table};
use crate::cql::keywords::quoted;

/// `CREATE KEYSPACE …`. Cassandra prints two spaces before AND.
pub(crate) fn create_keyspace(keyspace: &Keyspace) -> String {
    if keyspace.is_virtual {
        return format!(
            "/*\nWarning: Keyspace {0} is a virtual keyspace and cannot be recreated with CQL.\n\
             Structure, for reference:\nVIRTUAL KEYSPACE {0};\n*/",
            quoted(&keyspace.name)
        );
    }
    let mut replication = keyspace.replication.clone();
    if let Some(class) = replication.get_mut("class")
        && let Some(short) = class.strip_prefix("org.apache.cassandra.locator.")
    {
        *class = short.to_owned();
    }
    format!(
        "CREATE KEYSPACE {} WITH replication = {}  AND durable_writes = {};",
        quoted(&keyspace.name),
        map_text(&replication),
        keyspace.durable_writes
    )
}

/// `CREATE TYPE …`.
pub(crate) fn create_type(user_type: &UserType) -> String {
    let udt = &user_type.udt;
    let fields: Vec<_> = user_type
        .named_fields()
        .map(|(name, field)| format!("    {} {}", quoted(name), field.text()))
        .collect();
    format!(
        "CREATE TYPE {}.{} (\n{}\n);",
        quoted(&udt.keyspace),
        quoted(&udt.name),
        fields.join(",\n")
    )
}

/// `CREATE TABLE …`, with the table's id if internals are wanted.
pub(crate) fn create_table(table: &Table, is_virtual: bool, with_internals: bool) -> String {
    let name = format!("{}.{}", quoted(&table.keyspace), quoted(&table.name));
    let head = if is_virtual { "VIRTUAL TABLE" } else { "CREATE TABLE" };
    let body = format!(
        "{head} {name} (\n{}\n) WITH {};",
        columns(table),
        options(table, is_virtual, with_internals)
    );
    if !is_virtual {
        return body;
    }
    format!(
        "/*\nWarning: Table {name} is a virtual table and cannot be recreated with CQL.\n\
         Structure, for reference:\n{body}\n*/"
    )
}

/// Key columns, then static and regular ones: those of one cell before those of many.
fn columns(table: &Table) -> String {
    let has_simple_key = table.partition_key_count == 1 && table.clustering_count == 0;
    let line = |column: &Column| {
        let suffix = match column.kind {
            ColumnKind::Static => " static",
            ColumnKind::PartitionKey if has_simple_key => " PRIMARY KEY",
            _ => "",
        };
        format!("    {} {}{suffix}", quoted(&column.name), column.column_type.text())
    };
    let mut lines: Vec<String> =
        table.partition_key().iter().chain(table.clustering()).map(line).collect();
    for kind in [ColumnKind::Static, ColumnKind::Regular] {
        for is_multi_cell in [false, true] {
            let matching = table.values().iter().filter(|column| {
                column.kind == kind && column.column_type.is_multi_cell() == is_multi_cell
            });
            lines.extend(matching.map(line));
        }
    }
    if !has_simple_key {
        lines.push(format!("    PRIMARY KEY ({})", primary_key(table)));
    }
    lines.join(",\n")
}

fn primary_key(table: &Table) -> String {
    let names =
        |columns: &[Column]| columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>();
    let partition = names(table.partition_key()).join(", ");
    let partition =
        if table.partition_key_count > 1 { format!("({partition})") } else { partition };
    let clustering = names(table.clustering());
    [vec![partition], clustering].concat().join(", ")
}

fn options(table: &Table, is_virtual: bool, with_internals: bool) -> String {
    let mut parts = Vec::new();
    if with_internals {
        parts.push(format!("ID = {}", table.id));
    }
    if table.clustering_count > 0 {
        let order: Vec<_> = table
            .clustering()
            .iter()
            .map(|column| {
                let direction = if column.descending { "DESC" } else { "ASC" };
                format!("{} {direction}", quoted(&column.name))
            })
            .collect();
        parts.push(format!("CLUSTERING ORDER BY ({})", order.join(", ")));
    }
    if is_virtual {
        parts.push(format!("comment = '{}'", table.options.text("comment").replace('\'', "''")));
    } else {
        let described = table.options.described();
        parts.extend(described.iter().map(|(name, value)| format!("{name} = {value}")));
    }
    parts.join("\n    AND ")
}
