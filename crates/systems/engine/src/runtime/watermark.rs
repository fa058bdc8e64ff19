//! How far event time is: per partition, and for a source the least of its partitions.

use std::collections::BTreeMap;
use std::time::Duration;

/// The watermarks of one source.
#[derive(Debug, Clone)]
pub(super) struct SourceWatermark {
    partitions: BTreeMap<i32, PartitionMark>,
    /// A partition that was read to its end and got nothing for so long holds nobody back.
    idle_timeout: Option<Duration>,
    current: i64,
}

#[derive(Debug, Clone)]
struct PartitionMark {
    watermark: i64,
    active_at: Duration,
    caught_up: bool,
}

/// No watermark yet.
pub(super) const NONE: i64 = i64::MIN;
/// Nothing will follow.
pub(super) const END: i64 = i64::MAX;

impl SourceWatermark {
    pub(super) fn new(idle_timeout: Option<Duration>) -> SourceWatermark {
        SourceWatermark { partitions: BTreeMap::new(), idle_timeout, current: NONE }
    }

    /// A partition exists; it holds the watermark back until it has records or is idle.
    pub(super) fn know(&mut self, partition: i32, now: Duration) {
        self.partitions.entry(partition).or_insert(PartitionMark {
            watermark: NONE,
            active_at: now,
            caught_up: false,
        });
    }

    /// A row of a partition told its watermark, in milliseconds.
    pub(super) fn observe(&mut self, partition: i32, watermark: i64, now: Duration) {
        self.know(partition, now);
        if let Some(mark) = self.partitions.get_mut(&partition) {
            mark.watermark = mark.watermark.max(watermark);
            mark.active_at = now;
        }
    }

    /// Whether a partition is read to its end.
    pub(super) fn caught_up(&mut self, partition: i32, caught_up: bool, now: Duration) {
        self.know(partition, now);
        if let Some(mark) = self.partitions.get_mut(&partition) {
            mark.caught_up = caught_up;
        }
    }

    /// The watermark now; it never goes back.
    pub(super) fn advance(&mut self, now: Duration) -> i64 {
        let is_idle = |mark: &PartitionMark| {
            mark.caught_up
                && self
                    .idle_timeout
                    .is_some_and(|timeout| now.saturating_sub(mark.active_at) >= timeout)
        };
        let active = self.partitions.values().filter(|mark| !is_idle(mark));
        // If all are idle, nothing is known about the present: the watermark stays.
        if let Some(least) = active.map(|mark| mark.watermark).min() {
            self.current = self.current.max(least);
        }
        self.current
    }

    /// Nothing will follow.
    pub(super) fn end(&mut self) -> i64 {
        self.current = END;
        END
    }

    /// As far as time is; [`NONE`] and [`END`] included.
    pub(super) fn reached(&self) -> i64 {
        self.current
    }

    pub(super) fn current(&self) -> Option<i64> {
        (self.current != NONE && self.current != END).then_some(self.current)
    }

    /// What a checkpoint keeps: by partition, and the whole as partition -1.
    pub(super) fn save(&self) -> BTreeMap<i32, i64> {
        let marks = self.partitions.iter().map(|(partition, mark)| (*partition, mark.watermark));
        marks.chain([(-1, self.current)]).collect()
    }

    pub(super) fn load(&mut self, saved: &BTreeMap<i32, i64>, now: Duration) {
        for (partition, watermark) in saved {
            if *partition == -1 {
                self.current = *watermark;
            } else {
                self.observe(*partition, *watermark, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_slowest_partition_holds_the_watermark_back_until_it_is_idle() {
        let mut source = SourceWatermark::new(Some(5 * SECOND));
        source.know(0, Duration::ZERO);
        source.know(1, Duration::ZERO);
        source.observe(0, 100, SECOND);
        assert_eq!(source.advance(SECOND), NONE);
        source.caught_up(1, true, SECOND);
        assert_eq!(source.advance(4 * SECOND), NONE);
        assert_eq!(source.advance(5 * SECOND), 100);
        // A late arrival does not turn time back.
        source.observe(1, 50, 6 * SECOND);
        assert_eq!(source.advance(6 * SECOND), 100);
    }

    #[test]
    fn a_partition_that_is_behind_is_never_idle() {
        let mut source = SourceWatermark::new(Some(SECOND));
        source.observe(0, 100, Duration::ZERO);
        source.know(1, Duration::ZERO);
        source.caught_up(1, false, Duration::ZERO);
        assert_eq!(source.advance(60 * SECOND), NONE);
    }

    #[test]
    fn when_all_are_idle_the_watermark_stays() {
        let mut source = SourceWatermark::new(Some(SECOND));
        source.observe(0, 100, Duration::ZERO);
        source.caught_up(0, true, Duration::ZERO);
        assert_eq!(source.advance(Duration::ZERO), 100);
        assert_eq!(source.advance(60 * SECOND), 100);
        let mut again = SourceWatermark::new(Some(SECOND));
        again.load(&source.save(), Duration::ZERO);
        assert_eq!(again.advance(Duration::ZERO), 100);
    }

    /// Forgotten, it would let time jump after a restart.
    #[test]
    fn a_partition_without_records_is_remembered() {
        let mut source = SourceWatermark::new(None);
        source.observe(0, 100, Duration::ZERO);
        source.know(1, Duration::ZERO);
        let mut again = SourceWatermark::new(None);
        again.load(&source.save(), Duration::ZERO);
        assert_eq!(again.advance(Duration::ZERO), NONE);
    }
}
