//! What stands before a record to name its schema.
//!
//! Classic: a zero byte and the id in four bytes, most significant first. Since Schema Registry 8
//! also: a one byte and the schema's GUID in sixteen bytes. For Protobuf, message indexes follow;
//! they belong to the payload. Spec:
//! <https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format>

/// Bytes of the classic header.
pub const ID_HEADER_BYTES: usize = 5;
/// Bytes of the header with a GUID.
pub const GUID_HEADER_BYTES: usize = 17;

/// How a record names its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// By its number in the registry.
    Id(u32),
    /// By the digest of its content.
    Guid([u8; 16]),
}

/// Why bytes do not start with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Most likely the record was not written with a registry.
    #[error("unknown magic byte {0:#04x}: the record was not written with a schema registry")]
    Magic(u8),
    /// Too short for a header.
    #[error("{len} bytes are too few for a schema id")]
    Truncated {
        /// Length in bytes.
        len: usize,
    },
}

/// Splits a record into its schema's id and the payload.
pub fn split(bytes: &[u8]) -> Result<(SchemaId, &[u8]), WireError> {
    let truncated = WireError::Truncated { len: bytes.len() };
    match bytes.split_first() {
        None => Err(truncated),
        Some((0, rest)) => {
            let (id, payload) = rest.split_first_chunk::<4>().ok_or(truncated)?;
            Ok((SchemaId::Id(u32::from_be_bytes(*id)), payload))
        }
        Some((1, rest)) => {
            let (guid, payload) = rest.split_first_chunk::<16>().ok_or(truncated)?;
            Ok((SchemaId::Guid(*guid), payload))
        }
        Some((magic, _)) => Err(WireError::Magic(*magic)),
    }
}

/// Appends the header.
pub fn put(out: &mut Vec<u8>, id: SchemaId) {
    match id {
        SchemaId::Id(id) => {
            out.push(0);
            out.extend_from_slice(&id.to_be_bytes());
        }
        SchemaId::Guid(guid) => {
            out.push(1);
            out.extend_from_slice(&guid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back() {
        for (id, len) in [
            (SchemaId::Id(0x0102_0304), ID_HEADER_BYTES),
            (SchemaId::Guid([7; 16]), GUID_HEADER_BYTES),
        ] {
            let mut record = Vec::new();
            put(&mut record, id);
            assert_eq!(record.len(), len);
            record.extend_from_slice(b"payload");
            assert_eq!(split(&record), Ok((id, &b"payload"[..])));
            for cut in 0..len {
                assert_eq!(split(&record[..cut]), Err(WireError::Truncated { len: cut }));
            }
        }
        assert_eq!(&[0, 0, 0, 0, 1][..], &{
            let mut header = Vec::new();
            put(&mut header, SchemaId::Id(1));
            header
        });
    }

    #[test]
    fn a_record_that_starts_otherwise_was_not_written_with_a_registry() {
        assert_eq!(split(b"{\"a\":1}"), Err(WireError::Magic(b'{')));
    }
}
