//! Forgetting the oldest records.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use crate::segment::Segment;
use crate::shared::{Shared, Turn};
use crate::{LogConfig, LogError};

impl Shared {
    pub(crate) fn delete_records_before(&self, offset: i64) -> Result<i64, LogError> {
        let mut turn = self.turn.lock();
        let (start, visible) = (self.start_offset(), self.visible.lock().offset);
        if offset > visible {
            return Err(LogError::OutOfRange { offset, start, end: visible });
        }
        if offset > start {
            self.move_start(&mut turn, offset)?;
        }
        Ok(self.start_offset())
    }

    pub(crate) fn apply_retention(&self, now_ms: i64) -> Result<usize, LogError> {
        let mut turn = self.turn.lock();
        self.check_alive()?;
        let config = self.config();
        let expired = self.expired(now_ms, &config)?;
        if expired == 0 {
            return Ok(0);
        }
        if expired == self.segments().len() {
            // The newest records are too old as well. The segment after them, whose name is the end
            // offset, is durable before they go: offsets are not given twice.
            let mut writer = self.writer.lock();
            if writer.closed {
                return Err(LogError::Closed);
            }
            self.roll(&mut writer, &config)?;
        }
        let start = self.segments()[expired].base_offset.max(self.start_offset());
        self.move_start(&mut turn, start)
    }

    /// How many of the oldest segments need not be kept.
    fn expired(&self, now_ms: i64, config: &LogConfig) -> Result<usize, LogError> {
        let segments = self.segments();
        let visible = self.visible.lock().offset;
        let mut excess = match config.retention_bytes {
            Some(keep) => size_bytes(&segments).saturating_sub(keep),
            None => 0,
        };
        let mut expired = 0;
        for (number, segment) in segments.iter().enumerate() {
            let next = segments.get(number + 1);
            let end = next.map_or(self.end_offset(), |next| next.base_offset);
            if segment.size() == 0 || end > visible {
                break;
            }
            let too_old = match (config.retention_ms, segment.newest()?) {
                (Some(keep), Some((newest, _))) if newest >= 0 => {
                    now_ms.saturating_sub(newest) > keep
                }
                // Records without a time have no age.
                _ => false,
            };
            let too_much = excess >= segment.size();
            if !too_old && !too_much {
                break;
            }
            excess = excess.saturating_sub(segment.size());
            expired += 1;
        }
        Ok(expired)
    }

    /// Lets the log begin at `start`, and removes the segments before it. The new start is durable
    /// before the first file goes, so that a removal which a crash undoes in part leaves no gap.
    fn move_start(&self, turn: &mut MutexGuard<'_, Turn>, start: i64) -> Result<usize, LogError> {
        self.flush_and_checkpoint(turn, start)?;
        self.start_offset.fetch_max(start, Ordering::AcqRel);
        let removed = {
            let mut segments = self.segments.write();
            let covered = segments.partition_point(|s| s.base_offset <= start).saturating_sub(1);
            // What the recovery point speaks of stays.
            let checked = segments.partition_point(|s| s.base_offset < turn.recovery.segment);
            let (removed, kept) = segments.split_at(covered.min(checked));
            let (removed, kept) = (removed.to_vec(), kept.to_vec());
            *segments = Arc::new(kept);
            removed
        };
        removed.iter().for_each(|segment| segment.remove());
        Ok(removed.len())
    }
}

/// Bytes of all segments.
pub(crate) fn size_bytes(segments: &[Arc<Segment>]) -> u64 {
    segments.iter().map(|segment| segment.size()).sum()
}
