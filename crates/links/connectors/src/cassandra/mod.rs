//! Connector `cassandra`: a table as an upsert sink.
//!
//! Every row is one prepared `INSERT … USING TIMESTAMP`: an upsert by primary key whose write
//! timestamp comes from the source, so that a replay changes nothing and the later of two rows wins
//! whatever order they arrive in. NULL overwrites. Values are converted to the types the table
//! really has; a row that does not fit them (a uuid that is none) is refused alone.

mod schema;
mod session;
mod sink;
mod value;

pub use schema::{CassandraColumn, cql_type_of, known_cql_type};
pub use session::session_builder;
pub use sink::{CassandraConfig, CassandraSink};
