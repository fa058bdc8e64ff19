//! Statements that change the schema. Each is checked against the schema of the moment, made
//! durable, then answered.

mod alter_table;
mod create_table;
mod keyspace;
mod truncate;
mod user_type;

pub(crate) use create_table::build;
use tidemill_cql_wire::response::SchemaChange;

use crate::cql::statements::Statement;
use crate::cql::statements::drop::Dropped;
use crate::database::Database;
use crate::error::CqlError;
use crate::schema::Schema;
use crate::schema::keyspace::{Keyspace, SYSTEM_KEYSPACES};
use crate::schema::table::NAME_CHARS_MAX;

/// What a change of the schema gives.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What clients are told; `None` if there was nothing to do.
    pub(crate) change: Option<SchemaChange>,
    /// What the author should know.
    pub(crate) warnings: Vec<String>,
}

impl From<Option<SchemaChange>> for Outcome {
    fn from(change: Option<SchemaChange>) -> Outcome {
        Outcome { change, warnings: Vec::new() }
    }
}

/// Runs a statement that changes the schema; `None` if it is not one.
pub(crate) fn execute(
    database: &Database,
    statement: &Statement,
    current: Option<&str>,
) -> Option<Result<Outcome, CqlError>> {
    Some(match statement {
        Statement::CreateKeyspace(create) => keyspace::create(database, create),
        Statement::AlterKeyspace(alter) => keyspace::alter(database, alter),
        Statement::CreateTable(create) => create_table::create(database, create, current),
        Statement::AlterTable(alter) => alter_table::alter(database, alter, current),
        Statement::CreateType(create) => user_type::create(database, create, current),
        Statement::AlterType(alter) => user_type::alter(database, alter, current),
        Statement::Truncate(truncate) => truncate::truncate(database, truncate, current),
        Statement::Drop(drop) => match &drop.what {
            Dropped::Keyspace(name) => keyspace::drop(database, name, drop.if_exists),
            Dropped::Table(name) => truncate::drop(database, name, drop.if_exists, current),
            Dropped::Type(name) => user_type::drop(database, name, drop.if_exists, current),
        },
        _ => return None,
    })
}

/// The keyspace a change happens in: there, and not the system's.
fn user_keyspace<'a>(schema: &'a Schema, name: &str) -> Result<&'a Keyspace, CqlError> {
    check_user(name)?;
    schema
        .keyspace(name)
        .map(|keyspace| &**keyspace)
        .ok_or_else(|| CqlError::invalid(format!("Keyspace '{name}' doesn't exist")))
}

fn check_user(name: &str) -> Result<(), CqlError> {
    if SYSTEM_KEYSPACES.contains(&name) {
        return Err(CqlError::unauthorized(format!("{name} keyspace is not user-modifiable.")));
    }
    Ok(())
}

fn is_valid_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What is accepted and means nothing here.
fn meaningless(options: &[String]) -> Vec<String> {
    if options.is_empty() {
        return Vec::new();
    }
    vec![format!("accepted and kept, but without effect on this server: {}", options.join(", "))]
}
