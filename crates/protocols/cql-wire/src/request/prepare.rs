//! PREPARE: keep a statement. v5 may name the keyspace.

use bytes::{BufMut, BytesMut};

use crate::{Reader, Version, WireError, WireWrite};

const WITH_KEYSPACE: i32 = 0x01;

/// A statement to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepare {
    /// CQL.
    pub query: String,
    /// The keyspace of names without one (v5).
    pub keyspace: Option<String>,
}

impl Prepare {
    pub(super) fn decode(reader: &mut Reader, version: Version) -> Result<Prepare, WireError> {
        let query = reader.long_string()?;
        // Some clients of v5 leave out flags that are zero.
        let flags =
            if version >= Version::V5 && reader.remaining() >= 4 { reader.int()? } else { 0 };
        let keyspace = if flags & WITH_KEYSPACE != 0 { Some(reader.string()?) } else { None };
        Ok(Prepare { query, keyspace })
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_long_string(&self.query);
        if version < Version::V5 {
            return;
        }
        match &self.keyspace {
            Some(keyspace) => {
                body.put_i32(WITH_KEYSPACE);
                body.put_string(keyspace);
            }
            None => body.put_i32(0),
        }
    }
}
