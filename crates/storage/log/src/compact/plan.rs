//! Which segments a compaction works on, and how the list of segments changes with it.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::{Compactable, CompactionRequest};
use crate::segment::Segment;
use crate::shared::{Shared, Turn};
use crate::{LogConfig, LogError};

/// Which part of a log may be compacted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eligible {
    pub(crate) first_dirty: i64,
    pub(crate) below: i64,
    pub(crate) now_ms: i64,
    pub(crate) min_lag_ms: i64,
}

impl Eligible {
    pub(super) fn of(request: &CompactionRequest) -> Eligible {
        let CompactionRequest { first_dirty, below, now_ms, min_lag_ms, .. } = *request;
        Eligible { first_dirty, below, now_ms, min_lag_ms }
    }
}

fn is_young(segment: &Segment, request: &Eligible) -> Result<bool, LogError> {
    let newest = segment.newest()?.map_or(-1, |(timestamp, _)| timestamp);
    Ok(newest > request.now_ms.saturating_sub(request.min_lag_ms))
}

impl Shared {
    /// The segments a compaction may touch, and the offset behind them: complete, stable, and, as
    /// far as they are dirty, old enough.
    pub(super) fn compactable_segments(
        &self,
        request: &Eligible,
    ) -> Result<(Vec<Arc<Segment>>, i64), LogError> {
        let segments = self.segments();
        let below = request.below.min(self.visible.lock().offset);
        let (mut chosen, mut end) = (Vec::new(), segments[0].base_offset);
        for (segment, next) in segments.iter().zip(&segments[1..]) {
            let is_dirty = next.base_offset > request.first_dirty;
            if next.base_offset > below
                || (is_dirty && request.min_lag_ms > 0 && is_young(segment, request)?)
            {
                break;
            }
            chosen.push(segment.clone());
            end = next.base_offset;
        }
        Ok((chosen, end))
    }

    pub(crate) fn compactable(&self, request: &Eligible) -> Result<Compactable, LogError> {
        let (segments, end) = self.compactable_segments(request)?;
        let mut found = Compactable { clean_bytes: 0, dirty_bytes: 0, dirty_since_ms: None };
        for (number, segment) in segments.iter().enumerate() {
            let next = segments.get(number + 1).map_or(end, |next| next.base_offset);
            if next <= request.first_dirty {
                found.clean_bytes += segment.size();
                continue;
            }
            found.dirty_bytes += segment.size();
            if found.dirty_since_ms.is_none() {
                let first = segment.walk(0, segment.size())?.next().transpose()?;
                found.dirty_since_ms = first.map(|(header, _)| header.max_timestamp);
            }
        }
        Ok(found)
    }

    /// Whether all of a group are still there, one behind the other.
    pub(super) fn holds(&self, group: &[Arc<Segment>]) -> bool {
        let segments = self.segments();
        let first = segments.iter().position(|segment| Arc::ptr_eq(segment, &group[0]));
        let found = first.and_then(|first| segments.get(first..first + group.len()));
        found.is_some_and(|found| found.iter().zip(group).all(|(a, b)| Arc::ptr_eq(a, b)))
    }

    /// Makes it durable that segments which begin below `end` may have gaps, and that a start
    /// need not check them.
    pub(super) fn allow_gaps(
        &self,
        turn: &mut MutexGuard<'_, Turn>,
        end: i64,
    ) -> Result<(), LogError> {
        if turn.gaps_below >= end && turn.recovery.segment >= end {
            return Ok(());
        }
        let before = turn.gaps_below;
        turn.gaps_below = before.max(end);
        let written = self.flush_and_checkpoint(turn, self.start_offset());
        if written.is_err() {
            turn.gaps_below = before;
        }
        written
    }

    /// Puts a compacted segment in the place of a group. Its indexes are written with the next
    /// checkpoint.
    pub(super) fn replace(&self, group: &[Arc<Segment>], segment: Arc<Segment>) {
        self.writer.lock().rolled.push(segment.clone());
        let mut segments = self.segments.write();
        let is_of_group = |other: &Arc<Segment>| group.iter().any(|old| Arc::ptr_eq(old, other));
        let before = segments.iter().take_while(|other| !is_of_group(other)).cloned();
        let behind = segments.iter().skip_while(|other| !is_of_group(other)).skip(group.len());
        *segments = Arc::new(before.chain([segment]).chain(behind.cloned()).collect());
    }
}

/// Neighbours that fit in one segment together, by what they hold before.
pub(super) fn groups(
    segments: &[Arc<Segment>],
    end: i64,
    config: &LogConfig,
) -> VecDeque<Vec<Arc<Segment>>> {
    let mut groups: VecDeque<Vec<Arc<Segment>>> = VecDeque::new();
    let (mut bytes, mut index_bytes) = (0, 0);
    for (number, segment) in segments.iter().enumerate() {
        let next = segments.get(number + 1).map_or(end, |next| next.base_offset);
        let (size, index_size) = (segment.size(), segment.index_bytes());
        let fits = groups.back().is_some_and(|group| {
            bytes + size <= config.segment_limit()
                && index_bytes + index_size <= u64::from(config.index_bytes_max)
                && next - group[0].base_offset <= i64::from(i32::MAX)
        });
        match groups.back_mut().filter(|_| fits) {
            Some(group) => group.push(segment.clone()),
            None => {
                (bytes, index_bytes) = (0, 0);
                groups.push_back(vec![segment.clone()]);
            }
        }
        bytes += size;
        index_bytes += index_size;
    }
    groups
}
