//! ALTER TABLE.

use std::sync::Arc;

use tidemill_cql_wire::response::{ChangeTarget, ChangeType, SchemaChange};

use super::{Outcome, meaningless, user_keyspace};
use crate::cql::statements::alter_table::{AlterTable, TableChange};
use crate::cql::statements::create_table::ColumnDeclaration;
use crate::database::Database;
use crate::error::CqlError;
use crate::schema::catalog::Changed;
use crate::schema::keyspace::Keyspace;
use crate::schema::keyspace_of;
use crate::schema::table::{Column, ColumnKind, DroppedColumn, Table};
use crate::schema::types;

pub(super) fn alter(
    database: &Database,
    alter: &AlterTable,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(&alter.table, current)?.to_owned();
    let name = &alter.table.name;
    let mut warnings = Vec::new();
    let now_ms = database.environment().clock.now_ms();
    let change = database.catalog().change(|schema| {
        let mut keyspace = user_keyspace(schema, &keyspace_name)?.clone();
        let Some(table) = keyspace.tables.get(name).cloned() else {
            if alter.if_exists {
                return Ok(Changed {
                    keyspace: (keyspace_name.clone(), Some(keyspace)),
                    event: None,
                });
            }
            return Err(CqlError::invalid(format!("Table '{keyspace_name}.{name}' doesn't exist")));
        };
        let changed = match &alter.change {
            TableChange::Add(columns, tolerant) => add(&table, &keyspace, columns, *tolerant)?,
            TableChange::Drop(columns, tolerant) => drop(&table, columns, *tolerant, now_ms)?,
            TableChange::Rename(renames, tolerant) => rename(&table, renames, *tolerant)?,
            TableChange::AlterType => {
                return Err(CqlError::invalid("Altering column types is no longer supported"));
            }
            TableChange::With(properties) => {
                let mut changed = (*table).clone();
                warnings = meaningless(&changed.options.set(properties)?);
                changed
            }
        };
        keyspace.tables.insert(name.clone(), Arc::new(changed));
        let event = SchemaChange {
            change: ChangeType::Updated,
            keyspace: keyspace_name.clone(),
            target: ChangeTarget::Table(name.clone()),
        };
        Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event: Some(event) })
    })?;
    Ok(Outcome { change, warnings })
}

fn add(
    table: &Table,
    keyspace: &Keyspace,
    declared: &[ColumnDeclaration],
    tolerant: bool,
) -> Result<Table, CqlError> {
    let mut columns = table.columns.clone();
    let mut next = table.next_column_id;
    for column in declared {
        if columns.iter().any(|known| known.name == column.name) {
            if tolerant {
                continue;
            }
            return Err(CqlError::invalid(format!(
                "Column with name '{}' already exists",
                column.name
            )));
        }
        if column.is_static && table.clustering_count == 0 {
            return Err(CqlError::invalid(
                "Static columns are only useful (and thus allowed) if the table has at least one \
                 clustering column",
            ));
        }
        let column_type = types::resolve(&column.raw_type, keyspace)?;
        let is_counter = column_type.cql == tidemill_cql_wire::CqlType::Counter;
        if is_counter != table.is_counter() && !table.values().is_empty() {
            return Err(if is_counter {
                CqlError::config(format!(
                    "{}.{}: Cannot have a counter column (\"{}\") in a non counter table",
                    table.keyspace, table.name, column.name
                ))
            } else {
                CqlError::config(format!(
                    "{}.{}: Cannot have a non counter column (\"{}\") in a counter table",
                    table.keyspace, table.name, column.name
                ))
            });
        }
        let kind = if column.is_static { ColumnKind::Static } else { ColumnKind::Regular };
        let name = column.name.clone();
        columns.push(Column { id: next, name, column_type, kind, descending: false });
        next += 1;
    }
    Ok(table.with_columns(columns))
}

fn drop(table: &Table, names: &[String], tolerant: bool, now_ms: i64) -> Result<Table, CqlError> {
    let mut columns = table.columns.clone();
    let mut dropped = table.dropped.clone();
    for name in names {
        let Some(at) = columns.iter().position(|column| column.name == *name) else {
            if tolerant {
                continue;
            }
            return Err(CqlError::invalid(format!(
                "Column {name} was not found in table '{}.{}'",
                table.keyspace, table.name
            )));
        };
        if columns[at].kind.is_key() {
            return Err(CqlError::invalid(format!("Cannot drop PRIMARY KEY column {name}")));
        }
        let column = columns.remove(at);
        dropped.retain(|known| known.name != *name);
        dropped.push(DroppedColumn {
            name: column.name,
            type_text: column.column_type.text(),
            is_static: column.kind == ColumnKind::Static,
            dropped_ms: now_ms,
        });
    }
    let mut changed = table.with_columns(columns);
    changed.dropped = dropped;
    Ok(changed)
}

fn rename(table: &Table, renames: &[(String, String)], tolerant: bool) -> Result<Table, CqlError> {
    let mut columns = table.columns.clone();
    for (from, to) in renames {
        let Some(at) = columns.iter().position(|column| column.name == *from) else {
            if tolerant {
                continue;
            }
            return Err(CqlError::invalid(format!(
                "Column {from} was not found in table '{}.{}'",
                table.keyspace, table.name
            )));
        };
        if !columns[at].kind.is_key() {
            return Err(CqlError::invalid(format!("Cannot rename non PRIMARY KEY column {from}")));
        }
        if columns.iter().any(|column| column.name == *to) {
            return Err(CqlError::invalid(format!(
                "Cannot rename column {from} to {to} in table '{}.{}'; another column with that \
                 name already exists",
                table.keyspace, table.name
            )));
        }
        columns[at].name = to.clone();
    }
    Ok(table.with_columns(columns))
}
