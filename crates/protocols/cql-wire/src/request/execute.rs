//! EXECUTE: run a kept statement. v5 adds the id of the result metadata the client knows.

use bytes::{Bytes, BytesMut};

use super::QueryParameters;
use crate::{Reader, Version, WireError, WireWrite};

/// A kept statement's id and what it is run with.
#[derive(Debug, Clone, PartialEq)]
pub struct Execute {
    /// As PREPARE's answer gave it.
    pub id: Bytes,
    /// The result metadata the client has (v5); `None` before v5.
    pub result_metadata_id: Option<Bytes>,
    /// Consistency, values, paging.
    pub parameters: QueryParameters,
}

impl Execute {
    pub(super) fn decode(reader: &mut Reader, version: Version) -> Result<Execute, WireError> {
        let id = reader.short_bytes()?;
        let result_metadata_id =
            if version >= Version::V5 { Some(reader.short_bytes()?) } else { None };
        let parameters = QueryParameters::decode(reader, version)?;
        Ok(Execute { id, result_metadata_id, parameters })
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_short_bytes(&self.id);
        if version >= Version::V5 {
            body.put_short_bytes(self.result_metadata_id.as_deref().unwrap_or_default());
        }
        self.parameters.encode(version, body);
    }
}
