//! From one batch of a segment file to the next.

use std::io;
use std::sync::Arc;

use tidemill_runtime::DiskFile;

use crate::LogError;
use crate::batch::{BatchError, BatchHeader, Gaps, HEADER_BYTES};
use crate::slice::check_chained;

/// Bytes read at once while only headers are wanted: several small batches, little of a big one.
const HEADERS_CHUNK_BYTES: u64 = 4096;

/// Bytes read at once while everything is checked.
const CHECK_CHUNK_BYTES: u64 = 256 << 10;

/// The headers of the batches between two positions of a segment. The records are not read; that
/// each batch begins where the one before ended, in bytes and offsets, is checked. Ends after the
/// first error.
pub(crate) struct Walk {
    file: Arc<dyn DiskFile>,
    segment: i64,
    position: u64,
    end: u64,
    /// What the next base offset must be; unknown before the first batch.
    expected: Option<i64>,
    gaps: Gaps,
    chunk: Vec<u8>,
    chunk_at: u64,
    failed: bool,
}

impl Walk {
    /// From `position`, where a batch begins, to `end`, where one ends.
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        segment: i64,
        gaps: Gaps,
        (position, end): (u64, u64),
    ) -> Walk {
        let expected = (position == 0).then_some(segment);
        Walk {
            file,
            segment,
            position,
            end,
            expected,
            gaps,
            chunk: Vec::new(),
            chunk_at: 0,
            failed: false,
        }
    }

    /// Where the next batch begins.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The base offset the next batch must have, once one was seen.
    pub(crate) fn expected(&self) -> Option<i64> {
        self.expected
    }

    fn step(&mut self) -> Result<(BatchHeader, u64), LogError> {
        let at = self.position;
        let left = self.end - at;
        let head = self.head()?;
        let header = self.linked(head, left).map_err(|reason| LogError::Corrupt {
            offset: self.expected.unwrap_or(self.segment),
            segment: self.segment,
            position: at,
            reason,
        })?;
        self.position += header.size_bytes() as u64;
        self.expected = Some(header.next_offset());
        Ok((header, at))
    }

    fn linked(
        &self,
        head: Result<BatchHeader, BatchError>,
        left: u64,
    ) -> Result<BatchHeader, BatchError> {
        let header = head?;
        if header.size_bytes() as u64 > left {
            let (needed, actual) = (header.size_bytes(), left as usize);
            return Err(BatchError::Truncated { needed, actual });
        }
        match self.expected {
            Some(expected) if !self.gaps.allow(expected, header.base_offset) => {
                Err(BatchError::Chain { expected, actual: header.base_offset })
            }
            _ => Ok(header),
        }
    }

    fn head(&mut self) -> Result<Result<BatchHeader, BatchError>, LogError> {
        let needed = (self.end - self.position).min(HEADER_BYTES as u64);
        let chunk_end = self.chunk_at + self.chunk.len() as u64;
        if self.position < self.chunk_at || self.position + needed > chunk_end {
            let len = (self.end - self.position).min(HEADERS_CHUNK_BYTES);
            self.chunk.resize(len as usize, 0);
            self.chunk_at = self.position;
            self.file
                .read_exact_at(&mut self.chunk, self.position)
                .map_err(LogError::io("read a segment"))?;
        }
        Ok(BatchHeader::parse(&self.chunk[(self.position - self.chunk_at) as usize..]))
    }
}

impl Iterator for Walk {
    type Item = Result<(BatchHeader, u64), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.position >= self.end {
            return None;
        }
        let step = self.step();
        self.failed = step.is_err();
        Some(step)
    }
}

/// What [`Check::next`] found at a position.
pub(crate) enum Found {
    /// A valid batch at this position.
    Batch(BatchHeader, u64),
    /// Something that is none.
    Bad(BatchError),
    /// The end of the file.
    End,
}

/// Reads a segment whole and checks every batch, for recovery and compaction.
pub(crate) struct Check {
    file: Arc<dyn DiskFile>,
    /// Where the next batch begins.
    pub(crate) position: u64,
    /// The base offset it must have.
    pub(crate) expected: i64,
    gaps: Gaps,
    len: u64,
    chunk: Vec<u8>,
    chunk_at: u64,
}

impl Check {
    /// From `position`, where the batch at offset `expected` begins, to `len`.
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        (position, expected): (u64, i64),
        gaps: Gaps,
        len: u64,
    ) -> Check {
        Check { file, position, expected, gaps, len, chunk: Vec::new(), chunk_at: 0 }
    }

    /// Whether everything was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.position >= self.len
    }

    /// The bytes of the batch that [`Check::next`] found at `position`, until it is called again.
    pub(crate) fn bytes_of(&self, header: &BatchHeader, position: u64) -> &[u8] {
        let from = (position - self.chunk_at) as usize;
        &self.chunk[from..from + header.size_bytes()]
    }

    pub(crate) fn next(&mut self) -> io::Result<Found> {
        if self.position >= self.len {
            return Ok(Found::End);
        }
        self.hold(HEADER_BYTES as u64)?;
        let head = BatchHeader::parse(self.rest());
        if let Ok(header) = head
            && header.size_bytes() as u64 <= self.len - self.position
        {
            self.hold(header.size_bytes() as u64)?;
        }
        Ok(match check_chained(self.rest(), self.expected, self.gaps) {
            Ok(header) => {
                let at = self.position;
                self.position += header.size_bytes() as u64;
                self.expected = header.next_offset();
                Found::Batch(header, at)
            }
            Err(reason) => Found::Bad(reason),
        })
    }

    /// The bytes from the current position that are in memory.
    fn rest(&self) -> &[u8] {
        &self.chunk[(self.position - self.chunk_at) as usize..]
    }

    /// Has so many bytes from the current position in memory, or all there are.
    fn hold(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.len - self.position;
        let have = (self.chunk_at + self.chunk.len() as u64).saturating_sub(self.position);
        if have < bytes.min(left) {
            let len = bytes.max(CHECK_CHUNK_BYTES).min(left);
            self.chunk.resize(len as usize, 0);
            self.chunk_at = self.position;
            self.file.read_exact_at(&mut self.chunk, self.position)?;
        }
        Ok(())
    }
}
