//! Searching by time.

use std::sync::Arc;

use crate::checkpoint::Mark;
use crate::read::{containing, slice, visible_bytes};
use crate::records::first_at_or_after;
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
        // Its batch says that the record is there, unless the log now starts behind it.
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
    let older = segment.offset_older_than(ms).unwrap_or(segment.base_offset);
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
    let found = first_at_or_after(&batch.bytes()?, header, ms, from)?;
    Ok(found.map(|(offset, timestamp)| TimestampMatch::Record { offset, timestamp }))
}

/// The newest timestamp of the batches that are visible and reach beyond `start`.
fn newest_between(
    segment: &Segment,
    start: i64,
    visible: Mark,
) -> Result<Option<Newest>, LogError> {
    let stop = visible_bytes(segment, visible);
    if let Some((timestamp, offset)) = segment.newest()?
        && offset >= start
        && offset < visible.offset
    {
        return Ok(Some((timestamp, offset)));
    }
    // The newest of all is not yet visible or deleted already: look at those between.
    let from = segment.position_before_offset(start)?;
    segment.newest_by_walking(from.min(stop), stop)
}
