//! One partition: the rules for what is appended, read and searched, above its log.
//!
//! Invariants: what is answered as stored is durable as configured; readers see nothing above the
//! high watermark, which never goes back; a batch of an idempotent producer is stored once. Readers
//! of committed records see nothing above the last stable offset: the first record whose
//! transaction is open, or whose end is not durable.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_kafka_wire::records::{self, Record};
use tidemill_log::{BatchHeader, Log, LogError, LogSlice, TimestampMatch};
use tidemill_runtime::Disk;
use tokio::sync::{Notify, oneshot};

use crate::error::{AppendError, PartitionError};
use crate::producers::Producers;
use crate::producers_file;
use crate::topics::settings::TopicSettings;
use crate::{transactions, validate};

/// This broker leads every partition from its creation on, so there is one epoch of leadership.
pub(crate) const LEADER_EPOCH: i32 = 0;

/// Bytes appended after which what is known of producers is written down again.
const CHECKPOINT_BYTES: u64 = 32 << 20;

/// One partition of a topic.
pub(crate) struct Partition {
    pub(crate) index: i32,
    /// Or why it could not be opened: the partition is offline then, its neighbours are not.
    log: Result<Log, PartitionError>,
    pub(crate) producers: Mutex<Producers>,
    /// Whether a transaction may be open or ending: set before its first batch is in the log, so
    /// that readers of other partitions need not ask the producers, who are held during a write.
    may_be_unstable: AtomicBool,
    waiters: Arc<Waiters>,
    disk: Arc<dyn Disk>,
    /// Bytes appended since what is known of producers was written down.
    unwritten_bytes: AtomicU64,
}

/// Where a batch is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) start_offset: i64,
    /// The broker's time, in ms, where that is what the records bear; otherwise -1.
    pub(crate) append_time_ms: i64,
}

/// An offset found, and the timestamp of its record; -1 where there is none to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
}

impl Partition {
    /// A partition over its log, which may have failed to open. `now_ms` counts as the time at which
    /// the producers found in it last wrote.
    pub(crate) fn new(
        index: i32,
        log: Result<Log, LogError>,
        disk: Arc<dyn Disk>,
        now_ms: i64,
    ) -> Partition {
        let waiters = Arc::new(Waiters::default());
        let mut producers = Producers::default();
        let log = log.map_err(PartitionError::from).and_then(|log| {
            producers = producers_of(&log, &*disk, now_ms)?;
            let woken = waiters.clone();
            log.observe(Arc::new(move |_| woken.wake()));
            Ok(log)
        });
        Partition {
            index,
            log,
            producers: Mutex::new(producers),
            may_be_unstable: AtomicBool::new(true),
            waiters,
            disk,
            unwritten_bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn log(&self) -> Result<&Log, PartitionError> {
        self.log.as_ref().map_err(Clone::clone)
    }

    /// Whether the epoch a client believes current is the current one; -1 means it does not know.
    pub(crate) fn check_epoch(&self, epoch: i32) -> Result<(), PartitionError> {
        match epoch {
            -1 | LEADER_EPOCH => Ok(()),
            e if e < LEADER_EPOCH => Err(PartitionError::FencedEpoch { current: LEADER_EPOCH }),
            _ => Err(PartitionError::UnknownEpoch { current: LEADER_EPOCH }),
        }
    }

    /// Appends the one batch that `records` must be. It is stored when this returns, and durable
    /// when [`Partition::when_durable`] says so of its last offset.
    pub(crate) fn append(
        &self,
        records: &Bytes,
        settings: &TopicSettings,
        now_ms: i64,
    ) -> Result<Stored, AppendError> {
        let log = self.log()?;
        let header = validate::batch(records, settings, now_ms)?;
        // Held until the batch is in the log: sequence numbers are judged in the order of offsets.
        let mut producers = self.producers.lock();
        if header.producer_id >= 0
            && let Some(stored) = producers.judge(&header)?
        {
            return Ok(Stored {
                base_offset: stored.base_offset,
                last_offset: stored.last_offset,
                start_offset: log.start_offset(),
                append_time_ms: if settings.log_append_time { stored.max_timestamp } else { -1 },
            });
        }
        let mut batch = validate::as_configured(records, &header, settings, now_ms)?;
        self.expect_transaction(&header);
        let appended = log.append(&mut batch, LEADER_EPOCH)?;
        let placed = BatchHeader { base_offset: appended.base_offset, ..header };
        producers.record(&placed, now_ms);
        self.unwritten_bytes.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(Stored {
            base_offset: appended.base_offset,
            last_offset: appended.last_offset,
            start_offset: appended.start_offset,
            append_time_ms: if settings.log_append_time { now_ms } else { -1 },
        })
    }

    /// Appends one of the broker's own batches, which needs no judgement; gives its last offset.
    pub(crate) fn append_own(&self, batch: &Bytes, now_ms: i64) -> Result<i64, PartitionError> {
        let log = self.log()?;
        let header = BatchHeader::parse(batch).map_err(LogError::from)?;
        let mut producers = self.producers.lock();
        self.expect_transaction(&header);
        let appended = log.append(&mut batch.to_vec(), LEADER_EPOCH)?;
        producers.record(&BatchHeader { base_offset: appended.base_offset, ..header }, now_ms);
        Ok(appended.last_offset)
    }

    /// Completes when the record at `offset` is as durable as configured. Asked for at once, not
    /// when first polled.
    pub(crate) fn when_durable(
        &self,
        offset: i64,
    ) -> impl Future<Output = Result<(), PartitionError>> + Send + use<> {
        let (done, fate) = oneshot::channel();
        let asked = self.log().map(|log| {
            log.when_durable(offset, Box::new(move |result| drop(done.send(result))));
        });
        async move {
            asked?;
            match fate.await {
                Ok(result) => Ok(result?),
                Err(_) => Err(PartitionError::Storage("the log was closed".to_owned())),
            }
        }
    }

    /// Calls `done` when the record at `offset` is durable, or can no longer be. See
    /// [`Log::when_durable`] for what it must not do.
    pub(crate) fn notify_durable(
        &self,
        offset: i64,
        done: impl FnOnce(Result<(), PartitionError>) + Send + 'static,
    ) {
        match self.log() {
            Ok(log) => log.when_durable(offset, Box::new(|fate| done(fate.map_err(Into::into)))),
            Err(error) => done(Err(error)),
        }
    }

    /// Whole batches from the one that holds `offset`.
    pub(crate) fn read(
        &self,
        offset: i64,
        bytes_max: usize,
        at_least_one_batch: bool,
    ) -> Result<LogSlice, PartitionError> {
        self.read_below(offset, i64::MAX, bytes_max, at_least_one_batch)
    }

    /// As [`Partition::read`], only batches whose records are all below `limit`.
    pub(crate) fn read_below(
        &self,
        offset: i64,
        limit: i64,
        bytes_max: usize,
        at_least_one_batch: bool,
    ) -> Result<LogSlice, PartitionError> {
        Ok(self.log()?.read_below(offset, limit, bytes_max, at_least_one_batch)?)
    }

    pub(crate) fn start_offset(&self) -> Result<i64, PartitionError> {
        Ok(self.log()?.start_offset())
    }

    pub(crate) fn high_watermark(&self) -> Result<i64, PartitionError> {
        Ok(self.log()?.high_watermark())
    }

    /// Up to where readers of committed records see.
    pub(crate) fn last_stable_offset(&self) -> Result<i64, PartitionError> {
        let log = self.log()?;
        // In this order: a marker below this high watermark has been noted.
        let high_watermark = log.high_watermark();
        if !self.may_be_unstable.load(Ordering::SeqCst) {
            return Ok(high_watermark);
        }
        let mut producers = self.producers.lock();
        let first_unstable = producers.first_unstable(high_watermark);
        if first_unstable.is_none() {
            self.may_be_unstable.store(false, Ordering::SeqCst);
        }
        let start = log.start_offset();
        Ok(first_unstable.map_or(high_watermark, |first| first.max(start).min(high_watermark)))
    }

    /// Before a batch is in the log. Whoever calls this holds the producers.
    fn expect_transaction(&self, header: &BatchHeader) {
        if header.is_transactional() {
            self.may_be_unstable.store(true, Ordering::SeqCst);
        }
    }

    /// The first record at or after a time.
    pub(crate) fn first_at_or_after(&self, ms: i64) -> Result<Option<Found>, PartitionError> {
        let log = self.log()?;
        let mut from = log.start_offset();
        while let Some(place) = log.offset_for_timestamp_from(ms, from)? {
            match place {
                TimestampMatch::Record { offset, timestamp } => {
                    return Ok(Some(Found { offset, timestamp }));
                }
                TimestampMatch::Batch(slice) => {
                    let begin = from;
                    let is_it = |r: &Record| r.timestamp >= ms && r.offset >= begin;
                    if let Some(found) = find(&slice, is_it, &mut from)? {
                        return Ok(Some(found));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The first record with the largest timestamp.
    pub(crate) fn with_max_timestamp(&self) -> Result<Option<Found>, PartitionError> {
        match self.log()?.max_timestamp()? {
            None => Ok(None),
            Some((_, TimestampMatch::Record { offset, timestamp })) => {
                Ok(Some(Found { offset, timestamp }))
            }
            Some((largest, TimestampMatch::Batch(slice))) => {
                find(&slice, |record| record.timestamp == largest, &mut 0)
            }
        }
    }

    /// Moves the beginning up to `offset`; -1 means the high watermark. Gives the new beginning.
    pub(crate) fn delete_records_before(&self, offset: i64) -> Result<i64, PartitionError> {
        let log = self.log()?;
        let end = log.high_watermark();
        let offset = if offset == -1 { end } else { offset };
        if offset < 0 || offset > end {
            let start = log.start_offset();
            return Err(PartitionError::OutOfRange { offset, start, end });
        }
        Ok(log.delete_records_before(offset)?)
    }

    pub(crate) fn size_bytes(&self) -> Result<u64, PartitionError> {
        Ok(self.log()?.size_bytes())
    }

    /// Takes other settings.
    pub(crate) fn configure(&self, config: tidemill_log::LogConfig) {
        if let Ok(log) = self.log() {
            log.update_config(config);
        }
    }

    /// Removes old segments, and forgets producers that were silent for `silent_ms`; blocking.
    pub(crate) fn clean(&self, now_ms: i64, silent_ms: i64) -> Result<usize, PartitionError> {
        let log = self.log()?;
        self.producers.lock().expire(now_ms, silent_ms);
        if self.unwritten_bytes.load(Ordering::Relaxed) >= CHECKPOINT_BYTES {
            self.write_producers(log)?;
        }
        Ok(log.apply_retention(now_ms)?)
    }

    /// Syncs and closes the log in order; blocking.
    pub(crate) fn close(&self) -> Result<(), PartitionError> {
        let log = self.log()?;
        self.write_producers(log)?;
        Ok(log.close()?)
    }

    /// Writes down what is known of producers, up to an offset that is durable.
    fn write_producers(&self, log: &Log) -> Result<(), PartitionError> {
        let (content, written) = {
            let producers = self.producers.lock();
            let content = producers_file::encode(&producers, log.end_offset());
            (content, self.unwritten_bytes.load(Ordering::Relaxed))
        };
        // With the index of aborted transactions: a start looks at no marker before this again.
        log.checkpoint()?;
        self.disk
            .replace(&log.dir().join(producers_file::NAME), &content)
            .map_err(|error| PartitionError::Storage(error.to_string()))?;
        self.unwritten_bytes.fetch_sub(written, Ordering::Relaxed);
        Ok(())
    }

    /// Lets go of a directory that is about to be removed, and wakes who waits for records.
    pub(crate) fn abandon(&self) {
        if let Ok(log) = self.log() {
            log.abandon();
        }
        self.waiters.wake();
    }

    /// Has `waiter` woken whenever there is more to read, until it is dropped.
    pub(crate) fn wake_on_change(&self, waiter: &Arc<Notify>) {
        self.waiters.add(waiter);
    }
}

/// What is known of producers: from the file as far as it goes, then from the batches.
fn producers_of(log: &Log, disk: &dyn Disk, now_ms: i64) -> Result<Producers, PartitionError> {
    let path = log.dir().join(producers_file::NAME);
    let mut known = (Producers::default(), log.start_offset());
    if disk.exists(&path) {
        // A file that knows of more than there is belongs to records that are gone.
        let file = disk.read(&path).ok().and_then(producers_file::decode);
        match file.filter(|(_, end_offset)| *end_offset <= log.end_offset()) {
            Some((producers, end_offset)) => known = (producers, end_offset.max(known.1)),
            None => drop(disk.remove_file(&path)),
        }
    }
    let (mut producers, from) = known;
    if from < log.end_offset() {
        for header in log.batch_headers(from) {
            let header = header?;
            if header.is_control() {
                transactions::replay_marker(log, &mut producers, &header, now_ms)?;
            } else {
                producers.record(&header, now_ms);
            }
        }
        // What recovery keeps is durable.
        producers.first_unstable(log.high_watermark());
    }
    Ok(producers)
}

/// The first record of a compressed batch that fits; otherwise `from` becomes the offset behind.
fn find(
    slice: &LogSlice,
    fits: impl Fn(&Record) -> bool,
    from: &mut i64,
) -> Result<Option<Found>, PartitionError> {
    let bytes = slice.bytes()?;
    // Of a compacted batch the last record may be gone.
    let header = BatchHeader::parse(&bytes).map_err(LogError::from)?;
    for record in records::decode(&bytes) {
        let record = record.map_err(|error| PartitionError::Storage(error.to_string()))?;
        if fits(&record) {
            return Ok(Some(Found { offset: record.offset, timestamp: record.timestamp }));
        }
    }
    *from = header.next_offset().max(*from);
    Ok(None)
}

/// Fetches that wait for more records of one partition.
#[derive(Default)]
struct Waiters(Mutex<Vec<Weak<Notify>>>);

impl Waiters {
    fn add(&self, waiter: &Arc<Notify>) {
        let mut waiting = self.0.lock();
        // A fetch answered for another partition's sake is gone by now.
        waiting.retain(|other| other.strong_count() > 0);
        waiting.push(Arc::downgrade(waiter));
    }

    fn wake(&self) {
        for waiter in self.0.lock().drain(..).filter_map(|waiter| waiter.upgrade()) {
            waiter.notify_one();
        }
    }
}
