//! RESULT: what a statement gave.

use bytes::{BufMut, BytesMut};

use super::{Prepared, Rows, SchemaChange};
use crate::{Reader, Version, WireError, WireWrite};

const VOID: i32 = 1;
const ROWS: i32 = 2;
const SET_KEYSPACE: i32 = 3;
const PREPARED: i32 = 4;
const SCHEMA_CHANGE: i32 = 5;

/// The five kinds of results.
#[derive(Debug, Clone, PartialEq)]
pub enum ResultResponse {
    /// Nothing to say.
    Void,
    /// Rows.
    Rows(Rows),
    /// The connection's keyspace is this now.
    SetKeyspace(String),
    /// The statement is kept.
    Prepared(Box<Prepared>),
    /// The schema changed.
    SchemaChange(SchemaChange),
}

impl ResultResponse {
    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        match self {
            ResultResponse::Void => body.put_i32(VOID),
            ResultResponse::Rows(rows) => {
                body.put_i32(ROWS);
                rows.encode(version, body);
            }
            ResultResponse::SetKeyspace(keyspace) => {
                body.put_i32(SET_KEYSPACE);
                body.put_string(keyspace);
            }
            ResultResponse::Prepared(prepared) => {
                body.put_i32(PREPARED);
                prepared.encode(version, body);
            }
            ResultResponse::SchemaChange(change) => {
                body.put_i32(SCHEMA_CHANGE);
                change.encode(body);
            }
        }
    }

    pub(super) fn decode(
        reader: &mut Reader,
        version: Version,
    ) -> Result<ResultResponse, WireError> {
        match reader.int()? {
            VOID => Ok(ResultResponse::Void),
            ROWS => Ok(ResultResponse::Rows(Rows::decode(reader)?)),
            SET_KEYSPACE => Ok(ResultResponse::SetKeyspace(reader.string()?)),
            PREPARED => {
                let prepared = Prepared::decode(reader, version)?;
                Ok(ResultResponse::Prepared(Box::new(prepared)))
            }
            SCHEMA_CHANGE => Ok(ResultResponse::SchemaChange(SchemaChange::decode(reader)?)),
            kind => Err(WireError::unknown("Result kind", kind)),
        }
    }
}
