//! BATCH: several modifications as one. Spec v5, section 4.1.7.
//!
//! Names for values are read as the specification describes them, although it also says that no
//! client can use them; Cassandra refuses them.

use bytes::{BufMut, Bytes, BytesMut};

use super::parameters::{NAMES_FOR_VALUES, read_flags, write_flags};
use super::{QueryParameters, Values};
use crate::{Consistency, Reader, Version, WireError, WireWrite};

/// How a batch is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// All or nothing.
    Logged,
    /// No promise across partitions.
    Unlogged,
    /// Counter updates.
    Counter,
}

impl BatchKind {
    fn from_number(number: u8) -> Result<BatchKind, WireError> {
        match number {
            0 => Ok(BatchKind::Logged),
            1 => Ok(BatchKind::Unlogged),
            2 => Ok(BatchKind::Counter),
            _ => Err(WireError::unknown("Batch type", number)),
        }
    }

    fn number(self) -> u8 {
        match self {
            BatchKind::Logged => 0,
            BatchKind::Unlogged => 1,
            BatchKind::Counter => 2,
        }
    }
}

/// A statement of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// As text.
    Query(String),
    /// By its id.
    Prepared(Bytes),
}

/// A statement of a batch and the values of its markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatement {
    /// The statement.
    pub statement: Statement,
    /// Its values.
    pub values: Values,
}

/// Several modifications.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// How it is applied.
    pub kind: BatchKind,
    /// In the order sent.
    pub statements: Vec<BatchStatement>,
    /// Consistency, timestamp, keyspace, now; values and paging stay empty.
    pub parameters: QueryParameters,
}

impl Batch {
    pub(super) fn decode(reader: &mut Reader, version: Version) -> Result<Batch, WireError> {
        let kind = BatchKind::from_number(reader.byte()?)?;
        let count = usize::from(reader.short()?);
        let mut statements = Vec::with_capacity(reader.capacity(count, 5));
        for _ in 0..count {
            let statement = match reader.byte()? {
                0 => Statement::Query(reader.long_string()?),
                1 => Statement::Prepared(reader.short_bytes()?),
                other => {
                    return Err(WireError::invalid("query kind in BATCH messages, 0 or 1", other));
                }
            };
            let values = Values::decode(reader, version, false)?;
            statements.push(BatchStatement { statement, values });
        }
        let consistency = Consistency::from_number(reader.short()?)?;
        let flags = read_flags(reader, version)?;
        if flags & NAMES_FOR_VALUES != 0 {
            return Err(WireError::invalid("flag in BATCH messages", "names for values"));
        }
        let mut parameters = QueryParameters { consistency, ..QueryParameters::default() };
        parameters.decode_tail(reader, version, flags)?;
        Ok(Batch { kind, statements, parameters })
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_u8(self.kind.number());
        body.put_count(self.statements.len());
        for BatchStatement { statement, values } in &self.statements {
            match statement {
                Statement::Query(query) => {
                    body.put_u8(0);
                    body.put_long_string(query);
                }
                Statement::Prepared(id) => {
                    body.put_u8(1);
                    body.put_short_bytes(id);
                }
            }
            values.encode(body);
        }
        body.put_u16(self.parameters.consistency.number());
        write_flags(self.parameters.tail_flags(version), version, body);
        self.parameters.encode_tail(version, body);
    }
}
