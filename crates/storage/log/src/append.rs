//! Appending: check, stamp, one write.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::batch::{self, BatchError, BatchHeader};
use crate::error::is_full;
use crate::segment::Segment;
use crate::shared::{Shared, Writer};
use crate::{AbortedTransaction, Appended, Durability, LogConfig, LogError};

/// A small segment reserves as much as it holds, at least this: a thousand partitions with a few
/// records each must not take a laptop's disk.
const PREALLOCATE_BYTES_MIN: u64 = 64 << 10;

/// What is known of an append before it has its place.
struct Incoming {
    bytes: u64,
    records: i64,
    max_timestamp: i64,
}

impl Shared {
    pub(crate) fn append(
        self: &Arc<Shared>,
        batches: &mut [u8],
        leader_epoch: i32,
    ) -> Result<Appended, LogError> {
        self.append_noting(batches, leader_epoch, None::<fn(i64) -> AbortedTransaction>)
    }

    /// Appends batches, and notes the transaction they abort: one without the other is never in a
    /// checkpoint.
    pub(crate) fn append_noting(
        self: &Arc<Shared>,
        batches: &mut [u8],
        leader_epoch: i32,
        aborted: Option<impl FnOnce(i64) -> AbortedTransaction>,
    ) -> Result<Appended, LogError> {
        let config = self.config();
        // Outside the lock: checksums are most of an append's work.
        let incoming = check(batches, &config)?;
        let (appended, mark) = {
            let mut writer = self.writer.lock();
            let appended =
                self.append_locked(&mut writer, batches, leader_epoch, &incoming, &config)?;
            if let Some(aborted) = aborted {
                let aborted = aborted(appended.base_offset);
                writer.active.with_indexes(|indexes| indexes.note_aborted(aborted));
            }
            (appended, writer.mark())
        };
        match config.durability {
            Durability::Fsync => self.queue.flush_soon(self),
            Durability::PageCache => {
                self.publish(mark);
                self.queue.flush_later(self);
            }
        }
        Ok(appended)
    }

    /// See [`crate::Log::note_aborted`]. A complete segment knows its own from its file.
    pub(crate) fn note_aborted(&self, aborted: AbortedTransaction) {
        let segments = self.segments();
        let of_marker =
            segments.iter().rev().find(|segment| segment.base_offset <= aborted.last_offset);
        if let Some(segment) = of_marker {
            segment.with_indexes(|indexes| indexes.note_aborted(aborted));
        }
    }

    fn append_locked(
        &self,
        writer: &mut Writer,
        batches: &mut [u8],
        leader_epoch: i32,
        incoming: &Incoming,
        config: &LogConfig,
    ) -> Result<Appended, LogError> {
        if writer.closed {
            return Err(LogError::Closed);
        }
        self.check_alive()?;
        if must_roll(writer, incoming, config) {
            self.roll(writer, config)?;
        }
        let base_offset = writer.end_offset;
        stamp(batches, base_offset, leader_epoch);
        self.write(writer, batches, config)?;

        let position = writer.active.size();
        writer.active.with_indexes(|indexes| {
            let mut at = 0;
            for (header, size) in headers(batches) {
                let position = position + at;
                indexes.note(
                    writer.active.base_offset,
                    &header,
                    position,
                    config.index_interval_bytes,
                );
                at += size as u64;
            }
        });
        writer.epochs.note(leader_epoch, base_offset);
        writer.active.grow_to(position + incoming.bytes);
        writer.end_offset += incoming.records;
        writer.appended += incoming.bytes;
        self.end_offset.store(writer.end_offset, Ordering::Release);
        Ok(Appended {
            base_offset,
            last_offset: writer.end_offset - 1,
            start_offset: self.start_offset(),
        })
    }

    /// One positioned write at the end of the active segment.
    fn write(&self, writer: &mut Writer, bytes: &[u8], config: &LogConfig) -> Result<(), LogError> {
        let size = writer.active.size();
        let file = writer.active.file()?;
        let end = size + bytes.len() as u64;
        if config.preallocate_bytes > 0 && end > writer.reserved {
            let step = size
                .clamp(PREALLOCATE_BYTES_MIN, PREALLOCATE_BYTES_MIN.max(config.preallocate_bytes));
            let step = step.min(config.preallocate_bytes).max(end - writer.reserved);
            // Without reserved space a sync is slower, nothing else; a full disk tells the write.
            if file.allocate(writer.reserved, step).is_ok() {
                writer.reserved += step;
            }
        }
        let Err(error) = file.write_all_at(bytes, size) else { return Ok(()) };
        // What was written of it must not be taken for records after a crash.
        let cut = file.set_len(size);
        writer.reserved = size;
        match (is_full(&error), cut) {
            (true, Ok(())) => Err(LogError::NoSpace),
            (true, Err(error)) => Err(self.poison("cut off a partial append", &error)),
            (false, _) => Err(self.poison("append", &error)),
        }
    }

    /// Ends the active segment and begins the next one at the end of the log.
    pub(crate) fn roll(&self, writer: &mut Writer, config: &LogConfig) -> Result<(), LogError> {
        let next = Segment::create(&self.disk, &self.dir, writer.end_offset).map_err(
            |error: io::Error| match is_full(&error) {
                true => LogError::NoSpace,
                false => LogError::io("create a segment")(error),
            },
        )?;
        let next = Arc::new(next);
        let done = std::mem::replace(&mut writer.active, next.clone());
        done.with_indexes(|indexes| indexes.note_newest(done.base_offset));
        writer.rolled.push(done);
        writer.names += 1;
        writer.reserved = 0;
        let mut segments = self.segments.write();
        let with_next = segments.iter().cloned().chain([next]).collect();
        *segments = Arc::new(with_next);
        tracing::debug!(dir = %self.dir.display(), base_offset = writer.end_offset,
            segment_bytes = config.segment_bytes, "segment rolled");
        Ok(())
    }
}

/// Checks every batch. Gives what decides where they go.
fn check(batches: &[u8], config: &LogConfig) -> Result<Incoming, LogError> {
    let mut incoming =
        Incoming { bytes: batches.len() as u64, records: 0, max_timestamp: i64::MIN };
    for checked in batch::batches(batches) {
        let (header, _) = checked?;
        incoming.records += i64::from(header.record_count);
        // A relative offset in an index has 31 bits.
        if incoming.records > i64::from(i32::MAX) {
            let BatchHeader { record_count: records, last_offset_delta, .. } = header;
            return Err(BatchError::Count { records, last_offset_delta }.into());
        }
        incoming.max_timestamp = incoming.max_timestamp.max(header.max_timestamp);
    }
    if incoming.records == 0 {
        return Err(BatchError::Empty.into());
    }
    if incoming.bytes > config.segment_limit() {
        return Err(LogError::TooLarge { size: incoming.bytes, max: config.segment_limit() });
    }
    Ok(incoming)
}

/// Kafka's `LogSegment.shouldRoll`.
fn must_roll(writer: &Writer, incoming: &Incoming, config: &LogConfig) -> bool {
    let active = &writer.active;
    if active.size() == 0 {
        return false;
    }
    let last_offset = writer.end_offset + incoming.records - 1;
    let by_index = active.with_indexes(|indexes| {
        let waited =
            indexes.first_timestamp.map(|first| incoming.max_timestamp.saturating_sub(first));
        indexes.is_full(config) || waited.is_some_and(|waited| waited > config.segment_ms)
    });
    active.size() + incoming.bytes > config.segment_limit()
        || last_offset - active.base_offset > i64::from(i32::MAX)
        || by_index.unwrap_or(false)
}

/// Gives the batches, which were checked, their offsets.
fn stamp(batches: &mut [u8], base_offset: i64, leader_epoch: i32) {
    let (mut at, mut next) = (0, base_offset);
    while let Ok(header) = BatchHeader::parse(&batches[at..]) {
        batch::stamp(&mut batches[at..], next, leader_epoch);
        next += i64::from(header.record_count);
        at += header.size_bytes();
    }
}

/// The headers of batches that were checked, and their sizes.
fn headers(batches: &[u8]) -> impl Iterator<Item = (BatchHeader, usize)> {
    let mut rest = batches;
    std::iter::from_fn(move || {
        let header = BatchHeader::parse(rest).ok()?;
        rest = &rest[header.size_bytes()..];
        Some((header, header.size_bytes()))
    })
}
