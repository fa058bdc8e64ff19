//! Statements with a meaning: names looked up in the schema, types checked, markers found; then run
//! with values. Synchronous: a write's answer comes through a callback once it is durable.

pub(crate) mod batch;
pub(crate) mod conditions;
pub(crate) mod context;
pub(crate) mod ddl;
pub(crate) mod describe;
pub(crate) mod filter;
pub(crate) mod functions;
pub(crate) mod literal;
pub(crate) mod modification;
pub(crate) mod mutate;
pub(crate) mod paging;
pub(crate) mod plan;
pub(crate) mod restrictions;
pub(crate) mod select;
pub(crate) mod selection;
pub(crate) mod term;
pub(crate) mod time_text;

/// The longest TTL: twenty years, in seconds.
pub(crate) const TTL_MAX: i32 = 630_720_000;

use uuid::Uuid;

use crate::cql::statements::create_table::CreateTable;
use crate::error::CqlError;
use crate::schema::keyspace::Keyspace;
use crate::schema::table::Table;

/// The table a CREATE TABLE describes, outside of any change: for the system's own.
pub(crate) fn ddl_build(
    create: &CreateTable,
    keyspace: &Keyspace,
    id: Uuid,
) -> Result<Table, CqlError> {
    ddl::build(create, keyspace, id).map(|(table, _)| table)
}
