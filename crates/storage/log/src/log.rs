//! One partition's log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tidemill_runtime::{DiskFile, OpenMode, World};

use crate::batch::{self, BatchError, BatchHeader, HEADER_BYTES};
use crate::{Flusher, LogConfig, LogError, LogSlice};

/// Told the high watermark whenever it has moved.
pub type Observer = Arc<dyn Fn(i64) + Send + Sync>;

/// Called once with the fate of a record.
pub type Done = Box<dyn FnOnce(Result<(), LogError>) + Send>;

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

/// What opening a log found.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// The log was closed in order: nothing had to be checked.
    pub clean: bool,
    /// Batches from this offset on were checked.
    pub checked_from: i64,
    /// Bytes that were read and checked.
    pub checked_bytes: u64,
    /// Bytes cut off because they were no valid batches, or came after such.
    pub truncated_bytes: u64,
    /// The first thing found that was no valid batch.
    pub first_bad: Option<FirstBad>,
}

/// Where recovery cut, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstBad {
    /// The offset the batch should have had: now the end of the log.
    pub offset: i64,
    /// Base offset of the segment file.
    pub segment: i64,
    /// Byte position in that file.
    pub position: u64,
    /// What was wrong.
    pub reason: BatchError,
}

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

/// One partition. All methods take `&self`; appends queue for one lock, reads do not.
pub struct Log {
    dir: PathBuf,
    world: World,
    config: RwLock<LogConfig>,
    file: Arc<dyn DiskFile>,
    state: Mutex<State>,
    observers: RwLock<Vec<Observer>>,
}

struct State {
    start: i64,
    end: i64,
    size: u64,
}

impl Log {
    /// Opens the log in `dir`, or makes an empty one there. After a crash it is recovered first:
    /// every batch from the recovery point on is checked, and the log is cut at the first bad one.
    pub fn open(
        dir: &Path,
        config: LogConfig,
        world: &World,
        _flusher: &Flusher,
    ) -> Result<(Log, Recovery), LogError> {
        world.disk.create_dir_all(dir).map_err(LogError::io("make the directory"))?;
        let path = dir.join(format!("{:020}.log", 0));
        let file =
            world.disk.open(&path, OpenMode::OrCreate).map_err(LogError::io("open a segment"))?;
        let bytes = world.disk.read(&path).map_err(LogError::io("read a segment"))?;
        let mut state = State { start: 0, end: 0, size: 0 };
        for (header, batch) in batch::batches(&bytes).map_while(Result::ok) {
            state.end = header.next_offset();
            state.size += batch.len() as u64;
        }
        file.set_len(state.size).map_err(LogError::io("cut a segment"))?;
        let log = Log {
            dir: dir.to_owned(),
            world: world.clone(),
            config: RwLock::new(config),
            file,
            state: Mutex::new(state),
            observers: RwLock::default(),
        };
        Ok((log, Recovery::default()))
    }

    /// Appends one or more whole batches, contiguous in `batches`, as one write. Each is checked
    /// first (format, length, checksum, count); then base offset and leader epoch are written into
    /// it, in place. Returns before the bytes are synced: see [`Log::when_durable`].
    pub fn append(&self, batches: &mut [u8], leader_epoch: i32) -> Result<Appended, LogError> {
        let headers: Vec<BatchHeader> =
            batch::batches(batches).map(|b| b.map(|(h, _)| h)).collect::<Result<_, _>>()?;
        if headers.is_empty() {
            return Err(BatchError::Empty.into());
        }
        let mut state = self.state.lock();
        let (mut at, mut next) = (0, state.end);
        for header in &headers {
            batch::stamp(&mut batches[at..], next, leader_epoch);
            at += header.size_bytes();
            next += i64::from(header.last_offset_delta) + 1;
        }
        self.file.write_all_at(batches, state.size).map_err(LogError::io("append"))?;
        let base_offset = std::mem::replace(&mut state.end, next);
        state.size += batches.len() as u64;
        let appended = Appended { base_offset, last_offset: next - 1, start_offset: state.start };
        drop(state);
        for observer in self.observers.read().iter() {
            observer(next);
        }
        Ok(appended)
    }

    /// Calls `done` once the record at `offset` is as durable as configured: after a sync, or at
    /// once with [`crate::Durability::PageCache`]. An error means that it never will be
    /// acknowledged. Called on this thread or on a flusher's; it must not block.
    pub fn when_durable(&self, _offset: i64, done: Done) {
        done(self.file.sync_data().map_err(LogError::io("sync")));
    }

    /// Adds one that is told each new high watermark, on the thread that moved it. It must not
    /// block and must not call back into the log's appending methods.
    pub fn observe(&self, observer: Observer) {
        self.observers.write().push(observer);
    }

    /// The directory it lives in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// First offset that can be read.
    pub fn start_offset(&self) -> i64 {
        self.state.lock().start
    }

    /// The offset the next record will get.
    pub fn end_offset(&self) -> i64 {
        self.state.lock().end
    }

    /// Readers see records below this: those that are durable, or with
    /// [`crate::Durability::PageCache`] all.
    pub fn high_watermark(&self) -> i64 {
        self.end_offset()
    }

    /// Whole batches from the one that contains `offset` up to the high watermark, at most
    /// `max_bytes` and of one segment. The first batch is given even if it alone is larger, when
    /// `at_least_one_batch`. Empty if `offset` is the high watermark or between it and the end.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one_batch: bool,
    ) -> Result<LogSlice, LogError> {
        self.read_below(offset, self.high_watermark(), max_bytes, at_least_one_batch)
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
        let (start, end) = {
            let state = self.state.lock();
            (state.start, state.end)
        };
        if offset < start || offset > end {
            return Err(LogError::OutOfRange { offset, start, end });
        }
        let mut slice = LogSlice {
            file: self.file.clone(),
            segment: 0,
            position: 0,
            len: 0,
            base_offset: offset,
        };
        for found in self.walk(0)? {
            let (header, position) = found?;
            if header.next_offset() <= offset {
                continue;
            }
            let size = header.size_bytes();
            let first = slice.len == 0;
            if header.next_offset() > limit
                || (slice.len + size > max_bytes && !(first && at_least_one_batch))
            {
                break;
            }
            if first {
                slice.position = position;
                slice.base_offset = header.base_offset;
            }
            slice.len += size;
        }
        Ok(slice)
    }

    /// The first record at or after `ms` that readers can see, by offset.
    pub fn offset_for_timestamp(&self, ms: i64) -> Result<Option<TimestampMatch>, LogError> {
        self.offset_for_timestamp_from(ms, self.start_offset())
    }

    /// As [`Log::offset_for_timestamp`], among records at or after offset `from`. To be asked again
    /// with the offset after a compressed batch in which nothing was found.
    pub fn offset_for_timestamp_from(
        &self,
        ms: i64,
        from: i64,
    ) -> Result<Option<TimestampMatch>, LogError> {
        for found in self.walk(0)? {
            let (header, _) = found?;
            if header.max_timestamp >= ms && header.last_offset() >= from {
                return Ok(Some(TimestampMatch::Record {
                    offset: header.base_offset,
                    timestamp: header.max_timestamp,
                }));
            }
        }
        Ok(None)
    }

    /// The newest timestamp that readers can see, and its record or compressed batch. `None` if
    /// the log holds no records.
    pub fn max_timestamp(&self) -> Result<Option<(i64, TimestampMatch)>, LogError> {
        let mut best: Option<BatchHeader> = None;
        for found in self.walk(0)? {
            let (header, _) = found?;
            if best.is_none_or(|b| header.max_timestamp > b.max_timestamp) {
                best = Some(header);
            }
        }
        Ok(best.map(|h| {
            let (offset, timestamp) = (h.last_offset(), h.max_timestamp);
            (timestamp, TimestampMatch::Record { offset, timestamp })
        }))
    }

    /// The headers of the stored batches from the one that contains `from` to the end of the log,
    /// for the caller to rebuild what it knows of producers and transactions.
    pub fn batch_headers(&self, from: i64) -> impl Iterator<Item = Result<BatchHeader, LogError>> {
        let walk = self.walk(0).into_iter().flatten();
        walk.map(|found| found.map(|(header, _)| header))
            .skip_while(move |h| matches!(h, Ok(h) if h.next_offset() <= from))
    }

    /// Moves the start of the log up to `offset` (DeleteRecords); segments that lie wholly before it
    /// are removed. Durable when it returns. Gives the start offset, which never goes back.
    pub fn delete_records_before(&self, offset: i64) -> Result<i64, LogError> {
        let mut state = self.state.lock();
        if offset > state.end {
            return Err(LogError::OutOfRange { offset, start: state.start, end: state.end });
        }
        state.start = state.start.max(offset);
        Ok(state.start)
    }

    /// Removes the oldest segments that `retention_ms` and `retention_bytes` no longer ask to keep;
    /// `now_ms` is wall time. Gives how many. Also the newest records go when they are too old.
    pub fn apply_retention(&self, _now_ms: i64) -> Result<usize, LogError> {
        Ok(0)
    }

    /// Bytes of all segment files.
    pub fn size_bytes(&self) -> u64 {
        self.state.lock().size
    }

    /// Takes other settings, from the next append on.
    pub fn update_config(&self, config: LogConfig) {
        *self.config.write() = config;
    }

    /// Syncs what was appended and waits for it. Gives the high watermark.
    pub fn flush(&self) -> Result<i64, LogError> {
        self.file.sync_data().map_err(LogError::io("sync"))?;
        Ok(self.high_watermark())
    }

    /// Syncs everything, writes the indexes and marks the log as closed in order, so that the next
    /// start only opens it. Later appends fail; reads go on.
    pub fn close(&self) -> Result<(), LogError> {
        self.flush().map(drop)
    }

    /// Stops without writing anything, for a log that is about to be deleted: whoever waits is
    /// told [`LogError::Closed`], and no thread touches the directory any more.
    pub fn abandon(&self) {}

    /// Writes Kafka's `partition.metadata`: which topic this directory belongs to. Durable when it
    /// returns.
    pub fn write_topic_id(&self, topic_id: [u8; 16]) -> Result<(), LogError> {
        let path = self.dir.join("partition.metadata");
        self.world
            .disk
            .replace(&path, format!("version: 0\ntopic_id: {topic_id:02x?}\n").as_bytes())
            .map_err(LogError::io("write partition.metadata"))
    }

    /// The topic id in `partition.metadata`; `None` if the file is absent or unreadable.
    pub fn topic_id(&self) -> Option<[u8; 16]> {
        None
    }

    fn walk(
        &self,
        mut position: u64,
    ) -> Result<impl Iterator<Item = Result<(BatchHeader, u64), LogError>> + use<>, LogError> {
        let (file, size) = (self.file.clone(), self.state.lock().size);
        Ok(std::iter::from_fn(move || {
            (position < size).then(|| {
                let mut head = [0; HEADER_BYTES];
                file.read_exact_at(&mut head, position).map_err(LogError::io("read a segment"))?;
                let header = BatchHeader::parse(&head)?;
                let at = position;
                position += header.size_bytes() as u64;
                Ok((header, at))
            })
        }))
    }
}
