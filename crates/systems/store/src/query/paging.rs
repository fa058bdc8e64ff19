//! Where a page ended. Holds nothing of this process: it is good after a restart.

use bytes::{BufMut, Bytes, BytesMut};
use tidemill_cql_wire::value::{read_unsigned_vint, write_unsigned_vint};

use crate::error::CqlError;

const VERSION: u8 = 1;

/// What the next page needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PagingState {
    /// The key of the last row shown.
    pub(crate) last_key: Bytes,
    /// Rows that LIMIT still allows.
    pub(crate) remaining: u64,
    /// Rows that PER PARTITION LIMIT still allows in the last row's partition.
    pub(crate) remaining_in_partition: u64,
}

impl PagingState {
    /// For the client to bring back.
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.last_key.len() + 20);
        out.put_u8(VERSION);
        write_unsigned_vint(self.remaining, &mut out);
        write_unsigned_vint(self.remaining_in_partition, &mut out);
        out.put_slice(&self.last_key);
        out.freeze()
    }

    /// What a client brought; nothing else than what it was given.
    pub(crate) fn decode(bytes: &Bytes) -> Result<PagingState, CqlError> {
        let read = || {
            let (version, mut rest) = bytes.split_first()?;
            let remaining = read_unsigned_vint(&mut rest)?;
            let remaining_in_partition = read_unsigned_vint(&mut rest)?;
            (*version == VERSION && !rest.is_empty()).then(|| PagingState {
                last_key: bytes.slice_ref(rest),
                remaining,
                remaining_in_partition,
            })
        };
        read().ok_or_else(|| CqlError::protocol("Invalid value for the paging state"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paging_state_reads_back_and_garbage_is_refused() {
        let state = PagingState {
            last_key: Bytes::from_static(b"key"),
            remaining: u64::MAX,
            remaining_in_partition: 3,
        };
        assert_eq!(PagingState::decode(&state.encode()).unwrap(), state);
        for garbage in [&b""[..], b"\x01", b"\x02\x00\x00k", b"\x01\xFF"] {
            assert!(PagingState::decode(&Bytes::from_static(garbage)).is_err());
        }
    }
}
