//! One partition's log, as boxes see it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};

use parking_lot::{Mutex, RwLock};
use tidemill_runtime::World;

use crate::acks::{Acks, Done};
use crate::checkpoint::{self, PARTITION_METADATA};
use crate::compact::Eligible;
use crate::files::{self, ReplaceError};
use crate::flusher::Ticket;
use crate::read::Wanted;
use crate::recovery::{self, Opened};
use crate::retention::size_bytes;
use crate::shared::{Observer, Shared, Turn, Writer};
use crate::{
    AbortedTransaction, BatchHeader, Compactable, Compaction, CompactionRequest, Durability,
    Flusher, LogConfig, LogError, LogSlice, Recovery, TimestampMatch,
};

/// Where an append went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Offset of the last record.
    pub last_offset: i64,
    /// The first readable offset of the log at that moment.
    pub start_offset: i64,
}

/// One partition. All methods take `&self`: appends queue for one lock, reads never wait for it.
///
/// Dropping a log without [`Log::close`] is as [`Log::abandon`], except that it does not wait: the
/// last owner may be a callback that the flush itself has called.
pub struct Log(Arc<Shared>);

impl Log {
    /// Opens the log in `dir`, or makes an empty one there. If it was not closed in order it is
    /// recovered first: every batch after the recovery point is checked, and the log is cut at the
    /// first bad one.
    ///
    /// The caller holds the lock of the data directory, and sees to it that the *parent* of `dir`
    /// has a durable name.
    ///
    /// # Errors
    /// [`LogError::Missing`] if synced records are gone, [`LogError::Io`] if the disk refuses; then
    /// nothing was cut.
    pub fn open(
        dir: &Path,
        config: LogConfig,
        world: &World,
        flusher: &Flusher,
    ) -> Result<(Log, Recovery), LogError> {
        let opened = recovery::open(dir, &config, world)?;
        let (report, unwritten) = (opened.report.clone(), !opened.rolled.is_empty());
        let log = Log(Arc::new(share(opened, config, world, flusher)));
        if !report.clean || unwritten {
            let mut turn = log.0.turn.lock();
            // The log is as good without: a checkpoint only saves the next start some work.
            let _ = log.0.flush_and_checkpoint(&mut turn, log.start_offset());
        }
        Ok((log, report))
    }

    /// Appends one or more whole batches, contiguous in `batches`, as one write. Each is checked
    /// first (format, length, checksum, count); then base offset and leader epoch are written into
    /// it, in place. Returns before the bytes are synced: see [`Log::when_durable`].
    ///
    /// # Errors
    /// After [`LogError::Batch`], [`LogError::TooLarge`] and [`LogError::NoSpace`] the log is as it
    /// was. After [`LogError::Poisoned`] it takes no more appends.
    pub fn append(&self, batches: &mut [u8], leader_epoch: i32) -> Result<Appended, LogError> {
        self.0.append(batches, leader_epoch)
    }

    /// Appends one batch that ends a transaction by aborting it. `aborted` is given the batch's
    /// offset, which the index of aborted transactions then knows with the batch.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_abort(
        &self,
        batch: &mut [u8],
        leader_epoch: i32,
        aborted: impl FnOnce(i64) -> AbortedTransaction,
    ) -> Result<Appended, LogError> {
        self.0.append_noting(batch, leader_epoch, Some(aborted))
    }

    /// Calls `done` once the record at `offset` is as durable as configured: after a sync, or at
    /// once with [`Durability::PageCache`]. An error means that it will never be acknowledged,
    /// though it may survive.
    ///
    /// Called on this thread or on a flusher's. It must not block, and must not flush, close or
    /// delete from this log; appending is allowed.
    pub fn when_durable(&self, offset: i64, done: Done) {
        match self.0.config().durability {
            Durability::Fsync => self.0.acks.wait(offset, done),
            Durability::PageCache => done(self.0.acks.without_sync(offset)),
        }
    }

    /// Adds one that is told each new high watermark, on the thread that moved it. The same rules
    /// as for [`Log::when_durable`] hold.
    pub fn observe(&self, observer: Observer) {
        self.0.observers.write().push(observer);
    }

    /// The directory it lives in.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// First offset that can be read.
    pub fn start_offset(&self) -> i64 {
        self.0.start_offset()
    }

    /// The offset the next record will get.
    pub fn end_offset(&self) -> i64 {
        self.0.end_offset()
    }

    /// Readers see records below this: those that are durable, or with
    /// [`Durability::PageCache`] all. Never goes back while the log is open.
    pub fn high_watermark(&self) -> i64 {
        self.0.visible.lock().offset
    }

    /// Whole batches from the one that contains `offset` up to the high watermark, at most
    /// `max_bytes` and of one segment. The first batch is given even if it alone is larger, when
    /// `at_least_one_batch`. Empty if `offset` is the high watermark or between it and the end.
    ///
    /// # Errors
    /// [`LogError::OutOfRange`] before the start or after the end; [`LogError::Corrupt`] if the
    /// batch at `offset` cannot be found because the segment is damaged.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one_batch: bool,
    ) -> Result<LogSlice, LogError> {
        self.read_below(offset, i64::MAX, max_bytes, at_least_one_batch)
    }

    /// As [`Log::read`], with batches whose records are all below `limit` only: for readers that
    /// stop at the last stable offset.
    pub fn read_below(
        &self,
        offset: i64,
        limit: i64,
        max_bytes: usize,
        at_least_one_batch: bool,
    ) -> Result<LogSlice, LogError> {
        let max_bytes = max_bytes as u64;
        self.0.read(Wanted { offset, limit, max_bytes, at_least_one_batch })
    }

    /// The first visible record whose timestamp is `ms` or later. Exact to the record, except in a
    /// compressed batch, which is given to be decoded.
    pub fn offset_for_timestamp(&self, ms: i64) -> Result<Option<TimestampMatch>, LogError> {
        self.0.first_since(ms, i64::MIN)
    }

    /// As [`Log::offset_for_timestamp`], among records at or after offset `from`: to go on after a
    /// compressed batch whose only such record lies before the start of the log.
    pub fn offset_for_timestamp_from(
        &self,
        ms: i64,
        from: i64,
    ) -> Result<Option<TimestampMatch>, LogError> {
        self.0.first_since(ms, from)
    }

    /// The newest timestamp that readers can see, and its record or compressed batch. `None` if
    /// the log holds no visible records.
    pub fn max_timestamp(&self) -> Result<Option<(i64, TimestampMatch)>, LogError> {
        self.0.newest()
    }

    /// The headers of the stored batches from the one that contains `from` to the end of the log,
    /// for the caller to rebuild what it knows of producers and transactions. Ends after an error.
    pub fn batch_headers(
        &self,
        from: i64,
    ) -> impl Iterator<Item = Result<BatchHeader, LogError>> + Send + use<> {
        self.0.headers(from)
    }

    /// At which offset each leader epoch began, oldest first.
    pub fn leader_epochs(&self) -> Vec<(i32, i64)> {
        self.0.writer.lock().epochs.entries().to_vec()
    }

    /// Moves the start of the log up to `offset` (DeleteRecords), at most to the high watermark.
    /// Segments that lie wholly before it are removed. Durable when it returns. Gives the start
    /// offset, which never goes back.
    pub fn delete_records_before(&self, offset: i64) -> Result<i64, LogError> {
        self.0.delete_records_before(offset)
    }

    /// Removes the oldest segments that `retention_ms` and `retention_bytes` no longer ask to keep;
    /// `now_ms` is wall time. Gives how many. The newest records go as well when all are too old.
    pub fn apply_retention(&self, now_ms: i64) -> Result<usize, LogError> {
        self.0.apply_retention(now_ms)
    }

    /// How much a compaction could work on; see [`CompactionRequest`] for what is asked.
    pub fn compactable(
        &self,
        first_dirty: i64,
        below: i64,
        now_ms: i64,
        min_lag_ms: i64,
    ) -> Result<Compactable, LogError> {
        self.0.compactable(&Eligible { first_dirty, below, now_ms, min_lag_ms })
    }

    /// Begins a compaction: of each key only the newest record stays. `None` if there is nothing to
    /// do, or one is under way. The log goes on meanwhile.
    pub fn compact(&self, request: CompactionRequest) -> Result<Option<Compaction>, LogError> {
        self.0.compact(request)
    }

    /// The aborted transactions with a batch or the marker at or after `from`, and records before
    /// `to`: what a reader of committed records there must know. In the order of their markers.
    pub fn aborted_transactions(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<AbortedTransaction>, LogError> {
        self.0.aborted_between(from, to)
    }

    /// Notes a transaction whose abort marker is in the log, if that is not known yet: for who
    /// rebuilds this from the batches after a crash.
    pub fn note_aborted(&self, aborted: AbortedTransaction) {
        self.0.note_aborted(aborted);
    }

    /// Bytes of all segments' batches.
    pub fn size_bytes(&self) -> u64 {
        size_bytes(&self.0.segments())
    }

    /// Takes other settings, from the next append on.
    pub fn update_config(&self, config: LogConfig) {
        *self.0.config.write() = Arc::new(config);
    }

    /// Syncs on this thread what was appended so far. Gives the high watermark.
    pub fn flush(&self) -> Result<i64, LogError> {
        self.0.flush(&mut self.0.turn.lock())?;
        Ok(self.high_watermark())
    }

    /// Syncs what was appended so far, and writes indexes and recovery point: what they say is as
    /// durable as the records. Gives the offset up to which that is so.
    pub fn checkpoint(&self) -> Result<i64, LogError> {
        let mut turn = self.0.turn.lock();
        self.0.flush_and_checkpoint(&mut turn, self.start_offset())?;
        Ok(turn.recovery.offset)
    }

    /// Takes no more appends, syncs everything, and writes indexes and recovery point, so that the
    /// next start only opens it. Reads go on.
    pub fn close(&self) -> Result<(), LogError> {
        self.0.close()
    }

    /// Stops without writing anything, for a log that is about to be deleted: whoever waits is
    /// told [`LogError::Closed`], and no thread touches the directory any more.
    pub fn abandon(&self) {
        self.0.abandon();
    }

    /// Writes Kafka's `partition.metadata`: to which topic the directory belongs. Durable when it
    /// returns.
    pub fn write_topic_id(&self, topic_id: [u8; 16]) -> Result<(), LogError> {
        let _turn = self.0.turn.lock();
        self.0.check_alive()?;
        let content = checkpoint::partition_metadata(topic_id).into_bytes();
        let file = (self.0.dir.join(PARTITION_METADATA), content);
        files::replace(&*self.0.disk, &self.0.dir, &[file]).map_err(|error| match error {
            ReplaceError::Full => LogError::NoSpace,
            ReplaceError::Failed(error) => self.0.poison("write partition.metadata", &error),
        })
    }

    /// The topic id in `partition.metadata`; `None` if the file is absent or unreadable.
    pub fn topic_id(&self) -> Option<[u8; 16]> {
        checkpoint::load_topic_id(&*self.0.disk, &self.0.dir).ok().flatten()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("dir", &self.0.dir)
            .field("start_offset", &self.start_offset())
            .field("high_watermark", &self.high_watermark())
            .field("end_offset", &self.end_offset())
            .finish_non_exhaustive()
    }
}

fn share(opened: Opened, config: LogConfig, world: &World, flusher: &Flusher) -> Shared {
    let active = opened.segments.last().expect("an opened log has a segment").clone();
    let writer = Writer {
        end_offset: opened.end.offset,
        reserved: active.size(),
        active,
        appended: 0,
        rolled: opened.rolled,
        names: u64::from(opened.is_new),
        names_synced: 0,
        dir_is_new: opened.is_new,
        epochs: opened.epochs,
        closed: false,
    };
    Shared {
        dir: opened.dir,
        disk: world.disk.clone(),
        config: RwLock::new(Arc::new(config)),
        queue: flusher.queue(),
        ticket: Ticket::default(),
        turn: Mutex::new(Turn {
            recovery: opened.recovery,
            appended_at_checkpoint: 0,
            gaps_below: opened.gaps_below,
        }),
        compacting: AtomicBool::new(false),
        writer: Mutex::new(writer),
        segments: RwLock::new(Arc::new(opened.segments)),
        start_offset: AtomicI64::new(opened.start_offset),
        end_offset: AtomicI64::new(opened.end.offset),
        visible: Mutex::new(opened.end),
        acks: Acks::new(opened.end.offset),
        observers: RwLock::default(),
    }
}
