//! A keyspace: tables, types, and how they would be replicated.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidemill_cql_wire::UdtType;

use super::table::Table;
use super::types::ColumnType;

/// A user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserType {
    /// As it travels.
    pub(crate) udt: Arc<UdtType>,
    /// The types of its fields, which say what is frozen.
    pub(crate) fields: Vec<ColumnType>,
}

impl UserType {
    /// A type of these fields.
    pub(crate) fn new(keyspace: &str, name: &str, fields: Vec<(String, ColumnType)>) -> UserType {
        let (keyspace, name) = (keyspace.to_owned(), name.to_owned());
        let (names, fields): (Vec<String>, Vec<ColumnType>) = fields.into_iter().unzip();
        let types = fields.iter().map(|field| field.cql.clone());
        let udt = UdtType { keyspace, name, fields: names.into_iter().zip(types).collect() };
        UserType { udt: Arc::new(udt), fields }
    }

    /// Its fields' names and types.
    pub(crate) fn named_fields(&self) -> impl Iterator<Item = (&String, &ColumnType)> {
        self.udt.fields.iter().map(|(name, _)| name).zip(&self.fields)
    }
}

/// A keyspace at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Keyspace {
    /// Its name.
    pub(crate) name: String,
    /// Strategy class and its options; kept and shown, one node holds everything.
    pub(crate) replication: BTreeMap<String, String>,
    /// Whether its writes wait for the disk.
    pub(crate) durable_writes: bool,
    /// By name.
    pub(crate) tables: BTreeMap<String, Arc<Table>>,
    /// By name.
    pub(crate) types: BTreeMap<String, UserType>,
    /// Whose content the server makes up; nobody writes there.
    pub(crate) is_system: bool,
    /// Whether Cassandra calls it virtual.
    pub(crate) is_virtual: bool,
}

/// Keyspaces that belong to the server.
pub(crate) const SYSTEM_KEYSPACES: [&str; 7] = [
    "system",
    "system_auth",
    "system_distributed",
    "system_schema",
    "system_traces",
    "system_views",
    "system_virtual_schema",
];

impl Keyspace {
    /// An empty keyspace.
    pub(crate) fn new(name: &str, replication: BTreeMap<String, String>) -> Keyspace {
        Keyspace {
            name: name.to_owned(),
            replication,
            durable_writes: true,
            tables: BTreeMap::new(),
            types: BTreeMap::new(),
            is_system: SYSTEM_KEYSPACES.contains(&name),
            is_virtual: name == "system_views" || name == "system_virtual_schema",
        }
    }
}
