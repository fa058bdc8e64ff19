//! CREATE TABLE.

use std::sync::Arc;

use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::response::{ChangeTarget, ChangeType, SchemaChange};
use uuid::Uuid;

use super::{Outcome, is_valid_name, meaningless, user_keyspace};
use crate::cql::statements::create_table::CreateTable;
use crate::database::Database;
use crate::error::CqlError;
use crate::schema::catalog::Changed;
use crate::schema::keyspace::Keyspace;
use crate::schema::keyspace_of;
use crate::schema::options::TableOptions;
use crate::schema::table::{Column, ColumnKind, Table};
use crate::schema::types::{self, ColumnType};

pub(super) fn create(
    database: &Database,
    create: &CreateTable,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(&create.table, current)?.to_owned();
    let name = &create.table.name;
    if !is_valid_name(name) {
        return Err(CqlError::config(format!(
            "{keyspace_name}.{name}: Table name must not be empty or not contain \
             non-alphanumeric-underscore characters (got \"{name}\")"
        )));
    }
    let mut warnings = Vec::new();
    let change = database.catalog().change(|schema| {
        let mut keyspace = user_keyspace(schema, &keyspace_name)?.clone();
        if keyspace.tables.contains_key(name) {
            if create.if_not_exists {
                return Ok(Changed {
                    keyspace: (keyspace_name.clone(), Some(keyspace)),
                    event: None,
                });
            }
            return Err(CqlError::already_exists(&keyspace_name, name));
        }
        let id = database.environment().timeuuid();
        let (table, ignored) = build(create, &keyspace, id)?;
        warnings = meaningless(&ignored);
        keyspace.tables.insert(name.clone(), Arc::new(table));
        let event = SchemaChange {
            change: ChangeType::Created,
            keyspace: keyspace_name.clone(),
            target: ChangeTarget::Table(name.clone()),
        };
        Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event: Some(event) })
    })?;
    Ok(Outcome { change, warnings })
}

/// The table a statement describes, and the names of options that mean nothing here.
pub(crate) fn build(
    create: &CreateTable,
    keyspace: &Keyspace,
    id: Uuid,
) -> Result<(Table, Vec<String>), CqlError> {
    // As it is written: with its keyspace only if that is written.
    let full_name = match &create.table.keyspace {
        Some(keyspace) => format!("{keyspace}.{}", create.table.name),
        None => create.table.name.clone(),
    };
    if create.is_compact {
        return Err(CqlError::invalid(
            "COMPACT STORAGE tables are not allowed starting with version 4.0",
        ));
    }
    let mut options = TableOptions::default();
    let ignored = options.set(&create.properties)?;
    let mut declared: Vec<(String, ColumnType, bool)> = Vec::with_capacity(create.columns.len());
    for column in &create.columns {
        if declared.iter().any(|(name, _, _)| *name == column.name) {
            return Err(CqlError::invalid(format!(
                "Duplicate column '{}' declaration for table '{full_name}'",
                column.name
            )));
        }
        let column_type = types::resolve(&column.raw_type, keyspace)?;
        declared.push((column.name.clone(), column_type, column.is_static));
    }
    let key = match create.primary_keys.as_slice() {
        [key] => key,
        [] => {
            return Err(CqlError::invalid(format!(
                "No PRIMARY KEY specifed for table '{full_name}' (exactly one required)"
            )));
        }
        _ => {
            return Err(CqlError::invalid(format!(
                "Multiple PRIMARY KEY specified for table '{full_name}' (exactly one required)"
            )));
        }
    };
    let mut columns: Vec<Column> = Vec::with_capacity(declared.len());
    let parts = key.partition.iter().map(|name| (name, ColumnKind::PartitionKey));
    for (name, kind) in parts.chain(key.clustering.iter().map(|it| (it, ColumnKind::Clustering))) {
        if columns.iter().any(|column| column.name == *name) {
            return Err(CqlError::invalid(format!(
                "Duplicate column '{name}' in PRIMARY KEY clause for table '{full_name}'"
            )));
        }
        let found = declared.iter().position(|(declared, _, _)| declared == name);
        let Some(at) = found else {
            return Err(CqlError::invalid(format!(
                "Unknown column '{name}' referenced in PRIMARY KEY for table '{}'",
                create.table.name
            )));
        };
        let (name, column_type, is_static) = declared.remove(at);
        check_key_column(&name, &column_type, is_static)?;
        let descending = create.order.iter().any(|(ordered, desc)| *ordered == name && *desc);
        columns.push(Column { id: 0, name, column_type, kind, descending });
    }
    check_order(create, &key.clustering)?;
    let has_clustering = !key.clustering.is_empty();
    for (name, column_type, is_static) in declared {
        if is_static && !has_clustering {
            return Err(CqlError::invalid(
                "Static columns are only useful (and thus allowed) if the table has at least one \
                 clustering column",
            ));
        }
        let kind = if is_static { ColumnKind::Static } else { ColumnKind::Regular };
        columns.push(Column { id: 0, name, column_type, kind, descending: false });
    }
    check_counters(&columns, &options)?;
    for (id, column) in (0..).zip(&mut columns) {
        column.id = id;
    }
    Ok((Table::new(id, &keyspace.name, &create.table.name, columns, options), ignored))
}

fn check_key_column(name: &str, column_type: &ColumnType, is_static: bool) -> Result<(), CqlError> {
    if is_static {
        return Err(CqlError::invalid(format!(
            "Static column '{name}' cannot be part of the PRIMARY KEY"
        )));
    }
    if column_type.is_multi_cell() {
        return Err(CqlError::invalid(if column_type.cql.is_collection() {
            format!(
                "Invalid non-frozen collection type {} for PRIMARY KEY column '{name}'",
                column_type.text()
            )
        } else {
            format!("Invalid non-frozen user-defined type for PRIMARY KEY column '{name}'")
        }));
    }
    match column_type.cql {
        CqlType::Counter => Err(CqlError::invalid(format!(
            "counter type is not supported for PRIMARY KEY column '{name}'"
        ))),
        CqlType::Duration => Err(CqlError::invalid(format!(
            "duration type is not supported for PRIMARY KEY column '{name}'"
        ))),
        _ => Ok(()),
    }
}

fn check_order(create: &CreateTable, clustering: &[String]) -> Result<(), CqlError> {
    if create.order.is_empty() {
        return Ok(());
    }
    let ordered: Vec<&String> = create.order.iter().map(|(name, _)| name).collect();
    if let Some(other) = ordered.iter().find(|name| !clustering.contains(name)) {
        return Err(CqlError::invalid(format!(
            "Only clustering key columns can be defined in CLUSTERING ORDER directive: [{other}] \
             are not clustering columns"
        )));
    }
    if let Some(missing) = clustering.iter().find(|name| !ordered.contains(name)) {
        return Err(CqlError::invalid(format!("Missing CLUSTERING ORDER for column {missing}")));
    }
    if let Some((expected, found)) = clustering.iter().zip(ordered).find(|(a, b)| a != b) {
        return Err(CqlError::invalid(format!(
            "The order of columns in the CLUSTERING ORDER directive must match that of the \
             clustering columns ({expected} must appear before {found})"
        )));
    }
    Ok(())
}

fn check_counters(columns: &[Column], options: &TableOptions) -> Result<(), CqlError> {
    let is_counter = |column: &&Column| column.column_type.cql == CqlType::Counter;
    let values: Vec<&Column> = columns.iter().filter(|column| !column.kind.is_key()).collect();
    let counters = values.iter().filter(|column| is_counter(column)).count();
    if counters > 0 && counters < values.len() {
        return Err(CqlError::invalid(
            "Cannot mix counter and non counter columns in the same table",
        ));
    }
    if counters > 0 && options.default_ttl() > 0 {
        return Err(CqlError::invalid("Cannot set default_time_to_live on a table with counters"));
    }
    Ok(())
}
