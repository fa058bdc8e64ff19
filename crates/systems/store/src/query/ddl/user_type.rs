//! CREATE, ALTER and DROP TYPE.

use std::sync::Arc;

use tidemill_cql_wire::response::{ChangeTarget, ChangeType, SchemaChange};

use super::{Outcome, user_keyspace};
use crate::cql::names::QualifiedName;
use crate::cql::statements::alter_type::{AlterType, TypeChange};
use crate::cql::statements::create_type::CreateType;
use crate::cql::types::RawType;
use crate::database::Database;
use crate::error::CqlError;
use crate::schema::catalog::Changed;
use crate::schema::keyspace::{Keyspace, UserType};
use crate::schema::keyspace_of;
use crate::schema::types::{self, ColumnType, mentions, replace};

fn event(change: ChangeType, keyspace: &str, name: &str) -> Option<SchemaChange> {
    let target = ChangeTarget::Type(name.to_owned());
    Some(SchemaChange { change, keyspace: keyspace.to_owned(), target })
}

/// A field's type: what is many cells has no place in a type unless it is frozen.
fn field_type(raw: &RawType, keyspace: &Keyspace) -> Result<ColumnType, CqlError> {
    let resolved = types::resolve_field(raw, keyspace)?;
    if resolved.cql == tidemill_cql_wire::CqlType::Counter {
        return Err(CqlError::invalid("A user type cannot contain counters"));
    }
    if matches!(resolved.cql, tidemill_cql_wire::CqlType::Udt(_)) && resolved.is_multi_cell() {
        return Err(CqlError::invalid("A user type cannot contain non-frozen UDTs"));
    }
    Ok(resolved)
}

pub(super) fn create(
    database: &Database,
    create: &CreateType,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(&create.name, current)?.to_owned();
    let name = &create.name.name;
    let change = database.catalog().change(|schema| {
        let mut keyspace = user_keyspace(schema, &keyspace_name)?.clone();
        if keyspace.types.contains_key(name) {
            if create.if_not_exists {
                return Ok(Changed {
                    keyspace: (keyspace_name.clone(), Some(keyspace)),
                    event: None,
                });
            }
            return Err(CqlError::invalid(format!(
                "A user type with name '{name}' already exists"
            )));
        }
        let mut fields: Vec<(String, _)> = Vec::with_capacity(create.fields.len());
        for (field, raw) in &create.fields {
            if fields.iter().any(|(known, _)| known == field) {
                return Err(CqlError::invalid(format!(
                    "Duplicate field name '{field}' in type '{name}'"
                )));
            }
            fields.push((field.clone(), field_type(raw, &keyspace)?));
        }
        let user_type = UserType::new(&keyspace_name, name, fields);
        keyspace.types.insert(name.clone(), user_type);
        let event = event(ChangeType::Created, &keyspace_name, name);
        Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event })
    })?;
    Ok(change.into())
}

pub(super) fn alter(
    database: &Database,
    alter: &AlterType,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(&alter.name, current)?.to_owned();
    let name = &alter.name.name;
    let change = database.catalog().change(|schema| {
        let mut keyspace = user_keyspace(schema, &keyspace_name)?.clone();
        let Some(known) = keyspace.types.get(name) else {
            if alter.if_exists {
                return Ok(Changed {
                    keyspace: (keyspace_name.clone(), Some(keyspace)),
                    event: None,
                });
            }
            return Err(CqlError::invalid(format!("Type '{keyspace_name}.{name}' doesn't exist")));
        };
        let mut fields: Vec<(String, ColumnType)> =
            known.named_fields().map(|(field, cql)| (field.clone(), cql.clone())).collect();
        let has = |fields: &[(String, ColumnType)], field: &str| {
            fields.iter().any(|(known, _)| known == field)
        };
        match &alter.change {
            TypeChange::Add(field, raw) => {
                if has(&fields, field) {
                    return Err(CqlError::invalid(format!(
                        "Cannot add field {field} to type {keyspace_name}.{name}: a field with \
                         name {field} already exists"
                    )));
                }
                let added = field_type(raw, &keyspace)?;
                let cql = &added.cql;
                if mentions(cql, name) {
                    return Err(CqlError::invalid(format!(
                        "Cannot add new field {field} of type {cql} to user type \
                         {keyspace_name}.{name} as it would create a circular reference"
                    )));
                }
                fields.push((field.clone(), added));
            }
            TypeChange::Rename(renames) => {
                for (from, to) in renames {
                    if has(&fields, to) {
                        return Err(CqlError::invalid(format!(
                            "Unable to rename field {from} to {to} in type {keyspace_name}.{name}: \
                             a field with name {to} already exists"
                        )));
                    }
                    let Some(field) = fields.iter_mut().find(|(known, _)| known == from) else {
                        return Err(CqlError::invalid(format!(
                            "Unknown field {from} in user type {keyspace_name}.{name}"
                        )));
                    };
                    field.0 = to.clone();
                }
            }
            TypeChange::AlterField => {
                return Err(CqlError::invalid("Alterting field types is no longer supported"));
            }
        }
        spread(&mut keyspace, UserType::new(&keyspace_name, name, fields));
        let event = event(ChangeType::Updated, &keyspace_name, name);
        Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event })
    })?;
    Ok(change.into())
}

/// Puts a changed type wherever it is used.
fn spread(keyspace: &mut Keyspace, changed: UserType) {
    let udt = &changed.udt.clone();
    keyspace.types.insert(udt.name.clone(), changed);
    for known in keyspace.types.values_mut().filter(|known| known.udt.name != udt.name) {
        let replaced = known.named_fields().map(|(name, field)| {
            let cql = replace(&field.cql, udt);
            (name.clone(), ColumnType { cql, is_frozen: field.is_frozen })
        });
        *known = UserType::new(&known.udt.keyspace, &known.udt.name, replaced.collect());
    }
    for table in keyspace.tables.values_mut() {
        if !table.columns.iter().any(|column| mentions(&column.column_type.cql, &udt.name)) {
            continue;
        }
        let mut columns = table.columns.clone();
        for column in &mut columns {
            column.column_type.cql = replace(&column.column_type.cql, udt);
        }
        *table = Arc::new(table.with_columns(columns));
    }
}

pub(super) fn drop(
    database: &Database,
    type_name: &QualifiedName,
    if_exists: bool,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(type_name, current)?.to_owned();
    let name = &type_name.name;
    let change = database.catalog().change(|schema| {
        let mut keyspace = user_keyspace(schema, &keyspace_name)?.clone();
        if keyspace.types.remove(name).is_none() {
            if if_exists {
                return Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event: None });
            }
            return Err(CqlError::invalid(format!("Type '{keyspace_name}.{name}' doesn't exist")));
        }
        let types: Vec<_> = keyspace
            .types
            .values()
            .filter(|known| known.fields.iter().any(|field| mentions(&field.cql, name)))
            .map(|known| known.udt.name.clone())
            .collect();
        let tables: Vec<_> = keyspace
            .tables
            .values()
            .filter(|table| table.columns.iter().any(|it| mentions(&it.column_type.cql, name)))
            .map(|table| table.name.clone())
            .collect();
        for (what, users) in [("user types", types), ("tables", tables)] {
            if !users.is_empty() {
                return Err(CqlError::invalid(format!(
                    "Cannot drop user type '{keyspace_name}.{name}' as it is still used by {what} {}",
                    users.join(", ")
                )));
            }
        }
        let event = event(ChangeType::Dropped, &keyspace_name, name);
        Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event })
    })?;
    Ok(change.into())
}
