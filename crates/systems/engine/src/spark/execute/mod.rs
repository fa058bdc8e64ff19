//! Plans carried out: rows to the client, commands.

pub(super) mod command;
pub(super) mod query;

mod sql;
mod write;
