//! CREATE, ALTER and DROP KEYSPACE.

use std::collections::BTreeMap;

use tidemill_cql_wire::response::{ChangeTarget, ChangeType, SchemaChange};

use super::{Outcome, check_user, is_valid_name, user_keyspace};
use crate::cql::statements::alter_keyspace::AlterKeyspace;
use crate::cql::statements::create_keyspace::CreateKeyspace;
use crate::cql::statements::properties::{Properties, PropertyValue};
use crate::database::{DATACENTER, Database};
use crate::error::CqlError;
use crate::schema::catalog::Changed;
use crate::schema::keyspace::Keyspace;

const PACKAGE: &str = "org.apache.cassandra.locator.";

fn event(change: ChangeType, keyspace: &str) -> Option<SchemaChange> {
    Some(SchemaChange { change, keyspace: keyspace.to_owned(), target: ChangeTarget::Keyspace })
}

pub(super) fn create(database: &Database, create: &CreateKeyspace) -> Result<Outcome, CqlError> {
    let name = &create.name;
    if !is_valid_name(name) {
        return Err(CqlError::invalid(format!(
            "Keyspace name must not be empty and must contain alphanumeric or underscore \
             characters only (got \"{name}\")"
        )));
    }
    let mut warnings = Vec::new();
    let change = database.catalog().change(|schema| {
        if schema.keyspace(name).is_some() {
            if create.if_not_exists {
                let kept = schema.keyspace(name).map(|it| (**it).clone());
                return Ok(Changed { keyspace: (name.clone(), kept), event: None });
            }
            return Err(CqlError::already_exists(name, ""));
        }
        check_user(name)?;
        let mut keyspace = Keyspace::new(name, BTreeMap::new());
        warnings = set(&mut keyspace, &create.properties, true)?;
        let event = event(ChangeType::Created, name);
        Ok(Changed { keyspace: (name.clone(), Some(keyspace)), event })
    })?;
    Ok(Outcome { change, warnings })
}

pub(super) fn alter(database: &Database, alter: &AlterKeyspace) -> Result<Outcome, CqlError> {
    let name = &alter.name;
    let mut warnings = Vec::new();
    let change = database.catalog().change(|schema| {
        if schema.keyspace(name).is_none() && alter.if_exists {
            return Ok(Changed { keyspace: (name.clone(), None), event: None });
        }
        let mut keyspace = user_keyspace(schema, name)?.clone();
        warnings = set(&mut keyspace, &alter.properties, false)?;
        let event = event(ChangeType::Updated, name);
        Ok(Changed { keyspace: (name.clone(), Some(keyspace)), event })
    })?;
    Ok(Outcome { change, warnings })
}

pub(super) fn drop(database: &Database, name: &str, if_exists: bool) -> Result<Outcome, CqlError> {
    check_user(name)?;
    database.without_writers(|| {
        let mut spaces = Vec::new();
        let change = database.catalog().change(|schema| {
            let Some(keyspace) = schema.keyspace(name) else {
                if if_exists {
                    return Ok(Changed { keyspace: (name.to_owned(), None), event: None });
                }
                return Err(CqlError::invalid(format!("Keyspace '{name}' doesn't exist")));
            };
            spaces = keyspace.tables.values().map(|table| table.space).collect();
            let event = event(ChangeType::Dropped, name);
            Ok(Changed { keyspace: (name.to_owned(), None), event })
        })?;
        database.catalog().drop_spaces(&spaces)?;
        Ok(change.into())
    })
}

/// Sets properties; returns what the author should know.
fn set(
    keyspace: &mut Keyspace,
    properties: &Properties,
    is_new: bool,
) -> Result<Vec<String>, CqlError> {
    let mut warnings = Vec::new();
    let mut has_replication = false;
    for (name, value) in properties {
        match (name.as_str(), value) {
            ("durable_writes", PropertyValue::Text(text)) => {
                keyspace.durable_writes =
                    ["true", "yes", "1"].contains(&text.to_ascii_lowercase().as_str());
                if !keyspace.durable_writes {
                    warnings.push(
                        "durable_writes = false is kept, but writes are durable all the same"
                            .to_owned(),
                    );
                }
            }
            ("replication", PropertyValue::Map(map)) => {
                has_replication = true;
                keyspace.replication = replication(&keyspace.name, map, &mut warnings)?;
            }
            ("replication", PropertyValue::Text(_)) => {
                return Err(CqlError::syntax(
                    "Invalid value for property 'replication'. It should be a map.",
                ));
            }
            _ => return Err(CqlError::syntax(format!("Unknown property '{name}'"))),
        }
    }
    if is_new && !has_replication {
        return Err(CqlError::invalid("Missing mandatory option 'replication'"));
    }
    Ok(warnings)
}

fn replication(
    keyspace: &str,
    given: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, CqlError> {
    let Some(class) = given.get("class") else {
        return Err(CqlError::config("Missing replication strategy class"));
    };
    let short = class.strip_prefix(PACKAGE).unwrap_or(class);
    let mut map = given.clone();
    map.insert("class".to_owned(), format!("{PACKAGE}{short}"));
    match short {
        "SimpleStrategy" => {
            let factor = map.entry("replication_factor".to_owned()).or_insert_with(|| "1".into());
            if check_factor(factor)? > 1 {
                warnings.push(format!(
                    "Your replication factor {factor} for keyspace {keyspace} is higher than the \
                     number of nodes 1"
                ));
            }
        }
        "NetworkTopologyStrategy" => {
            // One number for all data centres is a number for the one there is.
            if let Some(factor) = map.remove("replication_factor") {
                map.entry(DATACENTER.to_owned()).or_insert(factor);
            }
            for (name, factor) in map.iter().filter(|(name, _)| *name != "class") {
                if name != DATACENTER {
                    return Err(CqlError::config(format!(
                        "Unrecognized strategy option {{{name}}} passed to \
                         NetworkTopologyStrategy for keyspace {keyspace}"
                    )));
                }
                if check_factor(factor)? > 1 {
                    warnings.push(format!(
                        "Your replication factor {factor} for keyspace {keyspace} is higher than \
                         the number of nodes 1 for datacenter {name}"
                    ));
                }
            }
        }
        "LocalStrategy" => {
            return Err(CqlError::config(
                "Unable to use given strategy class: LocalStrategy is reserved for internal use.",
            ));
        }
        _ => {
            return Err(CqlError::config(format!(
                "Unable to find replication strategy class '{PACKAGE}{short}'"
            )));
        }
    }
    Ok(map)
}

fn check_factor(text: &str) -> Result<u32, CqlError> {
    text.parse().map_err(|_| CqlError::config(format!("For input string: \"{text}\"")))
}
