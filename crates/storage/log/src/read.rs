//! Reading: from an offset to a range of a file.

use std::sync::Arc;

use crate::batch::BatchError;
use crate::checkpoint::Mark;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::walk::Walk;
use crate::{AbortedTransaction, BatchHeader, LogError, LogSlice};

/// Which batches a reader wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// From the batch that contains this offset.
    pub(crate) offset: i64,
    /// Batches with records at or after this are left out.
    pub(crate) limit: i64,
    pub(crate) max_bytes: u64,
    /// Whether the first batch may be larger than that.
    pub(crate) at_least_one_batch: bool,
}

impl Shared {
    pub(crate) fn read(&self, wanted: Wanted) -> Result<LogSlice, LogError> {
        // In this order: what is visible lies in the segments that are looked at.
        let visible = *self.visible.lock();
        let segments = self.segments();
        let (start, end) = (self.start_offset(), self.end_offset());
        let segment = segments
            .iter()
            .rev()
            .find(|segment| segment.base_offset <= wanted.offset)
            .filter(|_| (start..=end).contains(&wanted.offset))
            .ok_or(LogError::OutOfRange { offset: wanted.offset, start, end })?;
        let wanted = Wanted { limit: wanted.limit.min(visible.offset), ..wanted };
        if wanted.offset >= wanted.limit {
            return slice(segment, wanted.offset, 0, 0);
        }
        read_segment(segment, wanted, visible)
    }

    /// The aborted transactions with a batch or the marker at or after `from`, and records before
    /// `to`, in the order of their markers.
    pub(crate) fn aborted_between(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<AbortedTransaction>, LogError> {
        let segments = self.segments();
        let first = segments.partition_point(|s| s.base_offset <= from).saturating_sub(1);
        let mut found = Vec::new();
        for segment in &segments[first..] {
            for aborted in segment.aborted()? {
                if aborted.last_offset >= from && aborted.first_offset < to {
                    found.push(aborted);
                }
                if aborted.last_stable_offset >= to {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// The headers from the batch that contains `from` to the end of the log.
    pub(crate) fn headers(&self, from: i64) -> Headers {
        let end = self.writer.lock().mark();
        let segments = self.segments();
        let first = segments.partition_point(|s| s.base_offset <= from).saturating_sub(1);
        let rest: Vec<_> = segments[first..].to_vec();
        Headers { segments: rest.into_iter(), walk: None, from, end }
    }
}

/// Up to which byte of a segment readers see.
pub(crate) fn visible_bytes(segment: &Segment, visible: Mark) -> u64 {
    match segment.base_offset.cmp(&visible.segment) {
        std::cmp::Ordering::Less => segment.size(),
        std::cmp::Ordering::Equal => visible.position,
        std::cmp::Ordering::Greater => 0,
    }
}

fn read_segment(segment: &Segment, wanted: Wanted, visible: Mark) -> Result<LogSlice, LogError> {
    let stop = visible_bytes(segment, visible);
    let (first, position) = containing(segment, wanted.offset, stop)?;
    let size = first.size_bytes() as u64;
    let fits = size <= wanted.max_bytes || wanted.at_least_one_batch;
    if first.next_offset() > wanted.limit || !fits {
        return slice(segment, wanted.offset, position, 0);
    }
    let reach = position.saturating_add(wanted.max_bytes.max(size));
    let end = if wanted.limit == visible.offset && stop <= reach {
        stop
    } else {
        last_whole(segment, position + size, stop, Wanted { max_bytes: reach, ..wanted })?
    };
    slice(segment, first.base_offset, position, end - position)
}

/// The batch that contains `offset`, and where it begins.
pub(crate) fn containing(
    segment: &Segment,
    offset: i64,
    stop: u64,
) -> Result<(BatchHeader, u64), LogError> {
    let from = segment.position_before_offset(offset)?;
    for found in segment.walk(from, stop)? {
        let (header, position) = found?;
        if header.next_offset() > offset {
            return Ok((header, position));
        }
    }
    // The file ends before the next one begins.
    Err(LogError::Corrupt {
        offset,
        segment: segment.base_offset,
        position: stop,
        reason: BatchError::Truncated { needed: 1, actual: 0 },
    })
}

/// The end of the last batch that ends at or before byte `wanted.max_bytes` and offset
/// `wanted.limit`; `from` is the end of a batch that does.
fn last_whole(segment: &Segment, from: u64, stop: u64, wanted: Wanted) -> Result<u64, LogError> {
    let by_offset = segment.position_before_offset(wanted.limit - 1)?;
    let by_bytes = segment.batch_before_position(wanted.max_bytes.min(stop))?;
    let mut end = by_offset.min(by_bytes).max(from);
    let mut walk = segment.walk(end, stop)?;
    for found in walk.by_ref() {
        // A damaged batch ends what is given; it is reported to who asks for it.
        let Ok((header, position)) = found else { break };
        let batch_end = position + header.size_bytes() as u64;
        if batch_end > wanted.max_bytes || header.next_offset() > wanted.limit {
            break;
        }
        end = batch_end;
    }
    Ok(end)
}

pub(crate) fn slice(
    segment: &Segment,
    base_offset: i64,
    position: u64,
    len: u64,
) -> Result<LogSlice, LogError> {
    Ok(LogSlice {
        file: segment.file()?,
        segment: segment.base_offset,
        position,
        len: len as usize,
        base_offset,
        gaps: segment.gaps,
    })
}

/// See [`crate::Log::batch_headers`].
pub(crate) struct Headers {
    segments: std::vec::IntoIter<Arc<Segment>>,
    walk: Option<Walk>,
    from: i64,
    end: Mark,
}

impl Iterator for Headers {
    type Item = Result<BatchHeader, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(walk) = &mut self.walk {
                match walk.next() {
                    Some(Ok((header, _))) if header.next_offset() <= self.from => continue,
                    Some(Ok((header, _))) => return Some(Ok(header)),
                    Some(Err(error)) => {
                        // What follows cannot be trusted to be complete.
                        (self.walk, self.segments) = (None, Vec::new().into_iter());
                        return Some(Err(error));
                    }
                    None => self.walk = None,
                }
            }
            let segment = self.segments.next()?;
            let stop = visible_bytes(&segment, self.end);
            let walk = segment
                .position_before_offset(self.from)
                .and_then(|position| segment.walk(position.min(stop), stop));
            match walk {
                Ok(walk) => self.walk = Some(walk),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
