//! Searching by time.

use std::sync::Arc;

use crate::checkpoint::Mark;
use crate::read::{containing, slice, visible_bytes};
use crate::records::records;
use crate::segment::{Newest, Segment};
use crate::shared::Shared;
use crate::{BatchHeader, Compression, LogError, LogSlice};

/// The answer to a search by time.
#[derive(Debug, Clone)]
pub enum TimestampMatch {
    /// Exactly this record.
    Record {
        /// Its offset.
        offset: i64,
        /// Its timestamp in milliseconds.
        timestamp: i64,
    },
    /// The record is in this compressed batch: decode it to find which.
    Batch(LogSlice),
}

impl Shared {
    /// The first visible record at or after offset `from` whose timestamp is `ms` or later.
    pub(crate) fn first_since(
        &self,
        ms: i64,
        from: i64,
    ) -> Result<Option<TimestampMatch>, LogError> {
        let from = from.max(self.start_offset());
        let visible = *self.visible.lock();
        for segment in since(&self.segments(), from) {
            if segment.newest()?.is_none_or(|(timestamp, _)| timestamp < ms) {
                continue;
            }
            if let Some(found) = first_in_segment(segment, ms, from, visible)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The newest visible timestamp and where it is.
    pub(crate) fn newest(&self) -> Result<Option<(i64, TimestampMatch)>, LogError> {
        let (start, visible) = (self.start_offset(), *self.visible.lock());
        let mut best: Option<(Newest, &Arc<Segment>)> = None;
        let segments = self.segments();
        for segment in since(&segments, start) {
            let newest = newest_between(segment, start, visible)?;
            if let Some((timestamp, offset)) = newest
                && best.is_none_or(|((best, _), _)| timestamp > best)
            {
                best = Some(((timestamp, offset), segment));
            }
        }
        let Some(((timestamp, offset), segment)) = best else { return Ok(None) };
        let (header, position) = containing(segment, offset, visible_bytes(segment, visible))?;
        let found = in_batch(segment, &header, position, timestamp, start)?;
        // Its batch says that the record is there.
        let found =
            found.unwrap_or(TimestampMatch::Record { offset: header.last_offset(), timestamp });
        Ok(Some((timestamp, found)))
    }
}

/// The segments from the one that contains `offset` on.
fn since(segments: &[Arc<Segment>], offset: i64) -> &[Arc<Segment>] {
    &segments[segments.partition_point(|s| s.base_offset <= offset).saturating_sub(1)..]
}

fn first_in_segment(
    segment: &Segment,
    ms: i64,
    from: i64,
    visible: Mark,
) -> Result<Option<TimestampMatch>, LogError> {
    let older = segment.offset_older_than(ms)?.unwrap_or(segment.base_offset);
    let begin = segment.position_before_offset(older.max(from))?;
    let stop = visible_bytes(segment, visible);
    for found in segment.walk(begin.min(stop), stop)? {
        let (header, position) = found?;
        if header.max_timestamp < ms || header.last_offset() < from {
            continue;
        }
        if let Some(found) = in_batch(segment, &header, position, ms, from)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn in_batch(
    segment: &Segment,
    header: &BatchHeader,
    position: u64,
    ms: i64,
    from: i64,
) -> Result<Option<TimestampMatch>, LogError> {
    if header.is_log_append_time() {
        let offset = header.base_offset.max(from);
        return Ok(Some(TimestampMatch::Record { offset, timestamp: header.max_timestamp }));
    }
    let batch = slice(segment, header.base_offset, position, header.size_bytes() as u64)?;
    if header.compression() != Compression::None {
        return Ok(Some(TimestampMatch::Batch(batch)));
    }
    let bytes = batch.bytes()?;
    for record in records(&bytes, header) {
        let (offset, timestamp) = record?;
        if timestamp >= ms && offset >= from {
            return Ok(Some(TimestampMatch::Record { offset, timestamp }));
        }
    }
    Ok(None)
}

/// The newest timestamp of the visible records at or after `start`.
fn newest_between(
    segment: &Segment,
    start: i64,
    visible: Mark,
) -> Result<Option<Newest>, LogError> {
    let stop = visible_bytes(segment, visible);
    if stop == 0 || start >= visible.offset {
        return Ok(None);
    }
    // The batch that the start of the log cuts in two, if there is one in this segment.
    let (cut, rest) = if start > segment.base_offset {
        let (header, position) = containing(segment, start, stop)?;
        (Some((header, position)), position + header.size_bytes() as u64)
    } else {
        (None, 0)
    };
    let after = cut.map_or(segment.base_offset, |(header, _)| header.next_offset());
    if let Some((timestamp, offset)) = segment.newest()?
        && (after..visible.offset).contains(&offset)
    {
        return Ok(Some((timestamp, offset)));
    }
    let rest = segment.newest_by_walking(rest, stop)?;
    let cut = match cut {
        Some((header, position)) => newest_of_cut(segment, &header, position, start)?,
        None => None,
    };
    Ok(if cut.is_some_and(|cut| rest.is_none_or(|rest| cut.0 >= rest.0)) { cut } else { rest })
}

/// The newest timestamp of a batch's records at or after `start`; of a compressed batch, of all.
fn newest_of_cut(
    segment: &Segment,
    header: &BatchHeader,
    position: u64,
    start: i64,
) -> Result<Option<Newest>, LogError> {
    let mut newest = Some((header.max_timestamp, header.last_offset()));
    if header.compression() == Compression::None && !header.is_log_append_time() {
        let batch = slice(segment, header.base_offset, position, header.size_bytes() as u64)?;
        let bytes = batch.bytes()?;
        newest = None;
        for record in records(&bytes, header) {
            let (offset, timestamp) = record?;
            if offset >= start && newest.is_none_or(|(best, _)| timestamp > best) {
                newest = Some((timestamp, header.last_offset()));
            }
        }
    }
    Ok(newest)
}
