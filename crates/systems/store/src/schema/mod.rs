//! The schema: keyspaces, tables, types. A version of it never changes; a change makes a new one,
//! which is durable before anybody is told.

pub(crate) mod catalog;
mod codec;
pub(crate) mod describe;
pub(crate) mod keyspace;
pub(crate) mod options;
pub(crate) mod table;
pub(crate) mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::cql::names::QualifiedName;
use crate::error::CqlError;
use keyspace::Keyspace;
use table::Table;

/// All keyspaces at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    /// By name; the system's included.
    pub(crate) keyspaces: BTreeMap<String, Arc<Keyspace>>,
    /// Differs whenever what users see differs.
    pub(crate) version: Uuid,
}

impl Schema {
    /// A keyspace.
    pub(crate) fn keyspace(&self, name: &str) -> Option<&Arc<Keyspace>> {
        self.keyspaces.get(name)
    }

    /// The table a statement names; `current` is the connection's keyspace.
    pub(crate) fn resolve(
        &self,
        name: &QualifiedName,
        current: Option<&str>,
    ) -> Result<&Arc<Table>, CqlError> {
        let keyspace = keyspace_of(name, current)?;
        let Some(found) = self.keyspace(keyspace) else {
            return Err(CqlError::invalid(format!("keyspace {keyspace} does not exist")));
        };
        found
            .tables
            .get(&name.name)
            .ok_or_else(|| CqlError::invalid(format!("table {} does not exist", name.name)))
    }
}

/// The keyspace a name is in: its own or the connection's.
pub(crate) fn keyspace_of<'a>(
    name: &'a QualifiedName,
    current: Option<&'a str>,
) -> Result<&'a str, CqlError> {
    name.keyspace.as_deref().or(current).ok_or_else(|| {
        CqlError::invalid(
            "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename",
        )
    })
}
