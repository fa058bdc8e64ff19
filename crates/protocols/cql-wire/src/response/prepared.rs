//! RESULT of kind Prepared: the id to run a statement with.

use bytes::{Bytes, BytesMut};

use super::{PreparedMetadata, ResultMetadata};
use crate::{Reader, Version, WireError, WireWrite};

/// What PREPARE gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Names the statement in EXECUTE and BATCH.
    pub id: Bytes,
    /// Names its result's metadata (v5); `None` before v5.
    pub result_metadata_id: Option<Bytes>,
    /// Its markers.
    pub metadata: PreparedMetadata,
    /// The columns of its result; none for a modification.
    pub result_metadata: ResultMetadata,
}

impl Prepared {
    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_short_bytes(&self.id);
        if version >= Version::V5 {
            body.put_short_bytes(self.result_metadata_id.as_deref().unwrap_or_default());
        }
        self.metadata.encode(version, body);
        self.result_metadata.encode(version, body);
    }

    pub(super) fn decode(reader: &mut Reader, version: Version) -> Result<Prepared, WireError> {
        let id = reader.short_bytes()?;
        let result_metadata_id =
            if version >= Version::V5 { Some(reader.short_bytes()?) } else { None };
        let metadata = PreparedMetadata::decode(reader, version)?;
        let (result_metadata, _) = ResultMetadata::decode(reader)?;
        Ok(Prepared { id, result_metadata_id, metadata, result_metadata })
    }
}
