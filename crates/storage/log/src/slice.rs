//! What a read gives: a range of a segment file that holds whole batches.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tidemill_runtime::DiskFile;

use crate::LogError;
use crate::batch::{BatchError, BatchHeader, Gaps};

/// Whole record batches in one segment file. Holding it keeps the file's content readable, even
/// when retention deletes the segment meanwhile.
#[derive(Clone)]
pub struct LogSlice {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) segment: i64,
    pub(crate) position: u64,
    pub(crate) len: usize,
    pub(crate) base_offset: i64,
    pub(crate) gaps: Gaps,
}

impl LogSlice {
    /// The segment file, for `sendfile`. Bytes sent this way are not checked here.
    pub fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Where in the file the first batch begins, in bytes.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of all batches together.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no batch in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Base offset of the first batch; for an empty slice, the offset that was asked for.
    pub fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// The batches. Each one's checksum, and that they follow one another, is checked: damaged bytes
    /// are [`LogError::Corrupt`], never served. If the damage is not in the first batch, the
    /// batches before it are given.
    pub fn bytes(&self) -> Result<Bytes, LogError> {
        let mut bytes = vec![0; self.len];
        self.file
            .read_exact_at(&mut bytes, self.position)
            .map_err(LogError::io("read a segment"))?;
        let good = self.verified_len(&bytes)?;
        bytes.truncate(good);
        Ok(bytes.into())
    }

    /// How many bytes from the start are whole, unharmed batches.
    fn verified_len(&self, bytes: &[u8]) -> Result<usize, LogError> {
        let (mut at, mut expected) = (0, self.base_offset);
        while at < bytes.len() {
            match check_chained(&bytes[at..], expected, self.gaps) {
                Ok(header) => {
                    at += header.size_bytes();
                    expected = header.next_offset();
                }
                Err(reason) if at == 0 => {
                    return Err(LogError::Corrupt {
                        offset: expected,
                        segment: self.segment,
                        position: self.position,
                        reason,
                    });
                }
                Err(_) => break,
            }
        }
        Ok(at)
    }
}

impl fmt::Debug for LogSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSlice")
            .field("segment", &self.segment)
            .field("position", &self.position)
            .field("len", &self.len)
            .field("base_offset", &self.base_offset)
            .finish_non_exhaustive()
    }
}

/// Checks the batch at the start of `bytes` and that it continues the chain at `expected`.
pub(crate) fn check_chained(
    bytes: &[u8],
    expected: i64,
    gaps: Gaps,
) -> Result<BatchHeader, BatchError> {
    let header = BatchHeader::check_stored(bytes, gaps)?;
    if !gaps.allow(expected, header.base_offset) {
        return Err(BatchError::Chain { expected, actual: header.base_offset });
    }
    Ok(header)
}
