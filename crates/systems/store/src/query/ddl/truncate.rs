//! TRUNCATE and DROP TABLE: both take a table's rows away at once.

use std::sync::Arc;

use tidemill_cql_wire::response::{ChangeTarget, ChangeType, SchemaChange};

use super::{Outcome, check_user, user_keyspace};
use crate::cql::names::QualifiedName;
use crate::cql::statements::truncate::Truncate;
use crate::database::Database;
use crate::error::CqlError;
use crate::schema::catalog::Changed;
use crate::schema::keyspace_of;

/// The table gets a new, empty space; the old one goes.
pub(super) fn truncate(
    database: &Database,
    truncate: &Truncate,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(&truncate.table, current)?.to_owned();
    // Says what does not exist in the words of every other statement.
    database.catalog().schema().resolve(&truncate.table, current)?;
    check_user(&keyspace_name)?;
    let name = &truncate.table.name;
    database.without_writers(|| {
        let mut old = None;
        database.catalog().change(|schema| {
            let mut keyspace = user_keyspace(schema, &keyspace_name)?.clone();
            let Some(table) = keyspace.tables.get(name) else {
                return Err(CqlError::invalid(format!("table {name} does not exist")));
            };
            old = Some(table.space);
            let mut emptied = (**table).clone();
            emptied.space = database.environment().random.uuid();
            keyspace.tables.insert(name.clone(), Arc::new(emptied));
            Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event: None })
        })?;
        database.catalog().drop_spaces(old.as_slice())?;
        Ok(Outcome::default())
    })
}

/// The table goes with its rows.
pub(super) fn drop(
    database: &Database,
    table: &QualifiedName,
    if_exists: bool,
    current: Option<&str>,
) -> Result<Outcome, CqlError> {
    let keyspace_name = keyspace_of(table, current)?.to_owned();
    check_user(&keyspace_name)?;
    let name = &table.name;
    database.without_writers(|| {
        let mut spaces = Vec::new();
        let change = database.catalog().change(|schema| {
            let Some(keyspace) = schema.keyspace(&keyspace_name) else {
                if if_exists {
                    return Ok(Changed { keyspace: (keyspace_name.clone(), None), event: None });
                }
                return Err(CqlError::invalid(format!("Keyspace '{keyspace_name}' doesn't exist")));
            };
            let mut keyspace = (**keyspace).clone();
            let Some(dropped) = keyspace.tables.remove(name) else {
                if if_exists {
                    return Ok(Changed {
                        keyspace: (keyspace_name.clone(), Some(keyspace)),
                        event: None,
                    });
                }
                return Err(CqlError::invalid(format!(
                    "Table '{keyspace_name}.{name}' doesn't exist"
                )));
            };
            spaces.push(dropped.space);
            let event = SchemaChange {
                change: ChangeType::Dropped,
                keyspace: keyspace_name.clone(),
                target: ChangeTarget::Table(name.clone()),
            };
            Ok(Changed { keyspace: (keyspace_name.clone(), Some(keyspace)), event: Some(event) })
        })?;
        database.catalog().drop_spaces(&spaces)?;
        Ok(change.into())
    })
}
