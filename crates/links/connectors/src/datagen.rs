//! Connector `datagen`: an endless, or counted, supply of empty records at a steady rate.
//!
//! The record's offset is its number; the engine makes the columns from it, so that a replay
//! makes the same rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidemill_runtime::Clock;

use crate::{Fetched, Polled, Positions, Record, Source, SourceError};

/// Records of one poll at most.
const BATCH_RECORDS_MAX: i64 = 8192;
/// How often a slow generator looks at the clock.
const TICK: Duration = Duration::from_millis(10);

/// What to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatagenConfig {
    /// Records per second, at least 1.
    pub rows_per_second: i64,
    /// Records in all; none for endless.
    pub number_of_rows: Option<i64>,
}

/// One partition, numbered records.
pub struct DatagenSource {
    config: DatagenConfig,
    clock: Arc<dyn Clock>,
    next: i64,
    /// When record `.1` was due.
    origin: (Duration, i64),
}

impl DatagenSource {
    /// Starts at record 0 when opened.
    pub fn new(config: DatagenConfig, clock: Arc<dyn Clock>) -> DatagenSource {
        DatagenSource { config, clock, next: 0, origin: (Duration::ZERO, 0) }
    }

    /// How many records are due by now.
    fn due(&self) -> i64 {
        let elapsed = self.clock.monotonic().saturating_sub(self.origin.0);
        let micros = i128::try_from(elapsed.as_micros()).unwrap_or(i128::MAX);
        let produced = micros * i128::from(self.config.rows_per_second) / 1_000_000;
        let until = i128::from(self.origin.1) + produced;
        let until = i64::try_from(until).unwrap_or(i64::MAX);
        let until = self.config.number_of_rows.map_or(until, |all| until.min(all));
        (until - self.next).clamp(0, BATCH_RECORDS_MAX)
    }
}

#[async_trait]
impl Source for DatagenSource {
    async fn open(&mut self, from: Option<&Positions>) -> Result<Positions, SourceError> {
        self.next = from.and_then(|from| from.next.get(&0).copied()).unwrap_or(0);
        self.origin = (self.clock.monotonic(), self.next);
        Ok(Positions { topic_id: None, next: BTreeMap::from([(0, self.next)]) })
    }

    async fn poll(&mut self) -> Result<Polled, SourceError> {
        if self.config.number_of_rows.is_some_and(|all| self.next >= all) {
            return Ok(Polled::End);
        }
        let mut due = self.due();
        if due == 0 {
            tokio::time::sleep(TICK).await;
            due = self.due();
        }
        let now_ms = self.clock.now_ms();
        let record = |offset| Record {
            partition: 0,
            offset,
            timestamp_ms: now_ms,
            key: None,
            value: None,
            headers: Vec::new(),
        };
        let records = (self.next..self.next + due).map(record).collect();
        self.next += due;
        let at = BTreeMap::from([(0, self.next)]);
        Ok(Polled::Fetched(Fetched { records, next: at.clone(), ends: at, ..Fetched::default() }))
    }

    async fn commit(&mut self, _positions: &Positions) -> Result<(), SourceError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Every look at it is a millisecond later.
    #[derive(Default)]
    struct Ticking(AtomicU64);

    impl Clock for Ticking {
        fn now_us(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    #[tokio::test]
    async fn a_counted_generator_numbers_its_records_and_ends() {
        let config = DatagenConfig { rows_per_second: 2000, number_of_rows: Some(5) };
        let mut source = DatagenSource::new(config, Arc::new(Ticking::default()));
        let from = Positions { topic_id: None, next: BTreeMap::from([(0, 2)]) };
        source.open(Some(&from)).await.unwrap();
        let mut offsets = Vec::new();
        while let Polled::Fetched(fetched) = source.poll().await.unwrap() {
            offsets.extend(fetched.records.iter().map(|record| record.offset));
        }
        assert_eq!(offsets, [2, 3, 4]);
    }
}
