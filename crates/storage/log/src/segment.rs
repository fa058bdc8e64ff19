//! One segment: a file of batches and its indexes.
//!
//! While a segment is written its indexes live in memory. They are written to their files at
//! checkpoints, when a newer segment has taken over, and on close, always as whole files and always
//! after the batches they speak of were synced: the index may lag the log, never lead it. What an
//! index says is believed only if the batch it points at agrees; without an index a search reads
//! the segment from its start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tidemill_runtime::{Disk, DiskFile, OpenMode};

use crate::batch::{BatchHeader, Gaps, HEADER_BYTES};
use crate::checkpoint::Mark;
use crate::files::{self, LOG, OFFSET_INDEX, TIME_INDEX, TXN_INDEX, segment_path};
use crate::index::{Entry, decode_all, encode_all, last_in_file, last_in_memory};
use crate::offset_index::OffsetEntry;
use crate::time_index::TimeEntry;
use crate::txn_index::AbortedTransaction;
use crate::walk::Walk;
use crate::{LogConfig, LogError};

/// The newest timestamp of a segment and the last offset of the batch that has it.
pub(crate) type Newest = (i64, i64);

pub(crate) struct Segment {
    pub(crate) base_offset: i64,
    pub(crate) gaps: Gaps,
    dir: Arc<Path>,
    disk: Arc<dyn Disk>,
    /// Opened when first needed: a log may have many old segments that nobody reads.
    file: Mutex<Option<Arc<dyn DiskFile>>>,
    size: AtomicU64,
    synced: AtomicU64,
    /// `None` once they are in their files for good.
    indexes: RwLock<Option<Indexes>>,
    /// Of a segment whose indexes are in their files, once it was asked for.
    newest: Mutex<Option<Newest>>,
    /// Whether such a segment has a file of aborted transactions.
    has_txn_index: AtomicBool,
}

impl Segment {
    /// A segment that is complete; its indexes are in their files.
    pub(crate) fn sealed(
        disk: &Arc<dyn Disk>,
        dir: &Arc<Path>,
        base_offset: i64,
        gaps: Gaps,
        size: u64,
    ) -> Segment {
        Segment {
            base_offset,
            gaps,
            dir: dir.clone(),
            disk: disk.clone(),
            file: Mutex::new(None),
            size: AtomicU64::new(size),
            synced: AtomicU64::new(size),
            indexes: RwLock::new(None),
            newest: Mutex::new(None),
            has_txn_index: AtomicBool::new(false),
        }
    }

    /// Says that a complete segment has a file of aborted transactions.
    pub(crate) fn with_txn_index(self, has_txn_index: bool) -> Segment {
        Segment { has_txn_index: AtomicBool::new(has_txn_index), ..self }
    }

    /// A segment with its indexes in memory, of which `size` bytes are synced.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        dir: &Arc<Path>,
        base_offset: i64,
        gaps: Gaps,
        file: Arc<dyn DiskFile>,
        (size, indexes): (u64, Indexes),
    ) -> Segment {
        Segment {
            file: Mutex::new(Some(file)),
            indexes: RwLock::new(Some(indexes)),
            ..Segment::sealed(disk, dir, base_offset, gaps, size)
        }
    }

    /// A new, empty file. Its name is not yet durable.
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        dir: &Arc<Path>,
        base_offset: i64,
    ) -> io::Result<Segment> {
        // A file of this name can only be left from an attempt that failed half-way: no record of
        // it was acknowledged.
        let file = disk.open(&segment_path(dir, base_offset, LOG), OpenMode::OrCreate)?;
        if !file.is_empty()? {
            file.set_len(0)?;
        }
        Ok(Segment::open(disk, dir, base_offset, Gaps::None, file, (0, Indexes::default())))
    }

    pub(crate) fn file(&self) -> Result<Arc<dyn DiskFile>, LogError> {
        let mut file = self.file.lock();
        if let Some(open) = &*file {
            return Ok(open.clone());
        }
        let path = self.path(LOG);
        let open =
            self.disk.open(&path, OpenMode::Existing).map_err(LogError::io("open a segment"))?;
        Ok(file.insert(open).clone())
    }

    pub(crate) fn path(&self, suffix: &str) -> PathBuf {
        segment_path(&self.dir, self.base_offset, suffix)
    }

    /// Bytes of batches in it.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// After batches were written at the end of the file.
    pub(crate) fn grow_to(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    /// Syncs the batches, if there are any since the last time.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let size = self.size();
        let file = self.file.lock().clone();
        if let Some(file) = file
            && self.synced.load(Ordering::Acquire) < size
        {
            file.sync_data()?;
            self.synced.store(size, Ordering::Release);
        }
        Ok(())
    }

    /// Gives back the space reserved beyond the end. Failing to is no loss.
    pub(crate) fn release_space(&self) {
        let file = self.file.lock().clone();
        if let Some(Err(error)) = file.map(|file| file.set_len(self.size())) {
            tracing::warn!(segment = self.base_offset, %error, "reserved space was not given back");
        }
    }

    /// Does something with the indexes, if they are in memory.
    pub(crate) fn with_indexes<T>(&self, work: impl FnOnce(&mut Indexes) -> T) -> Option<T> {
        self.indexes.write().as_mut().map(work)
    }

    /// The index files with what they say about batches before `mark`; none if they are in their
    /// files for good. There is a file of aborted transactions only where there are such.
    pub(crate) fn index_files(&self, mark: Mark) -> Vec<(PathBuf, Vec<u8>)> {
        let indexes = self.indexes.read();
        let Some(indexes) = indexes.as_ref() else { return Vec::new() };
        let (offsets, times, aborted) = indexes.before(self.base_offset, mark);
        let mut files = vec![(self.path(OFFSET_INDEX), offsets), (self.path(TIME_INDEX), times)];
        if !aborted.is_empty() {
            files.push((self.path(TXN_INDEX), aborted));
        }
        files
    }

    /// Bytes of the two indexes by offset and time; what is unknown counts as none.
    pub(crate) fn index_bytes(&self) -> u64 {
        let length = |suffix| {
            let file = self.disk.open(&self.path(suffix), OpenMode::Existing);
            file.and_then(|file| file.len()).unwrap_or(0)
        };
        length(OFFSET_INDEX).max(length(TIME_INDEX))
    }

    /// The transactions whose abort marker is in the segment, by the marker's offset.
    pub(crate) fn aborted(&self) -> Result<Vec<AbortedTransaction>, LogError> {
        if let Some(indexes) = &*self.indexes.read() {
            return Ok(indexes.aborted.clone());
        }
        if !self.has_txn_index.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        self.read_aborted()
    }

    fn read_aborted(&self) -> Result<Vec<AbortedTransaction>, LogError> {
        match self.disk.read(&self.path(TXN_INDEX)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(LogError::io("read an index of aborted transactions")(error)),
            Ok(bytes) => Ok(decode_all(&bytes)),
        }
    }

    /// The indexes are complete in their files: the memory is free.
    pub(crate) fn forget_indexes(&self) {
        let indexes = self.indexes.write().take();
        let has_aborted = indexes.as_ref().is_some_and(|indexes| !indexes.aborted.is_empty());
        self.has_txn_index.fetch_or(has_aborted, Ordering::AcqRel);
        *self.newest.lock() = indexes.and_then(|indexes| indexes.newest);
    }

    /// A position at or before the batch that contains `offset`, at most about one index interval
    /// before it.
    pub(crate) fn position_before_offset(&self, offset: i64) -> Result<u64, LogError> {
        let Ok(relative) = u32::try_from(offset - self.base_offset) else {
            return Ok(if offset < self.base_offset { 0 } else { self.size() });
        };
        self.believed(self.last_offset_entry(|entry| entry.relative_offset <= relative))
    }

    /// Where a batch begins at or before `position`, at most about one index interval before it.
    pub(crate) fn batch_before_position(&self, position: u64) -> Result<u64, LogError> {
        self.believed(self.last_offset_entry(|entry| u64::from(entry.position) <= position))
    }

    fn last_offset_entry(&self, holds: impl Fn(&OffsetEntry) -> bool) -> Option<OffsetEntry> {
        match &*self.indexes.read() {
            Some(indexes) => last_in_memory(&indexes.offsets, holds),
            None => self.last_in(OFFSET_INDEX, holds),
        }
    }

    /// The position an entry names if the batch there is the one it means; else the start.
    fn believed(&self, entry: Option<OffsetEntry>) -> Result<u64, LogError> {
        let Some(entry) = entry else { return Ok(0) };
        let position = u64::from(entry.position);
        if position + HEADER_BYTES as u64 <= self.size() {
            let mut head = [0; HEADER_BYTES];
            self.file()?
                .read_exact_at(&mut head, position)
                .map_err(LogError::io("read a segment"))?;
            let last_offset = self.base_offset + i64::from(entry.relative_offset);
            if BatchHeader::parse(&head).is_ok_and(|header| header.last_offset() == last_offset) {
                return Ok(position);
            }
        }
        tracing::warn!(segment = self.base_offset, position, "index entry points at no such batch");
        Ok(0)
    }

    /// An offset up to which every record is older than `ms`; `None` if that is unknown.
    pub(crate) fn offset_older_than(&self, ms: i64) -> Result<Option<i64>, LogError> {
        let older = |entry: &TimeEntry| entry.timestamp < ms;
        if let Some(indexes) = &*self.indexes.read() {
            let entry = last_in_memory(&indexes.times, older);
            return Ok(entry.map(|entry| self.base_offset + i64::from(entry.relative_offset)));
        }
        let newest = self.believed_time(self.last_in(TIME_INDEX, older))?;
        Ok(newest.map(|(_, offset)| offset))
    }

    /// The newest timestamp in the whole segment. `None` if it holds no batch.
    pub(crate) fn newest(&self) -> Result<Option<Newest>, LogError> {
        if let Some(indexes) = &*self.indexes.read() {
            return Ok(indexes.newest);
        }
        if let Some(newest) = *self.newest.lock() {
            return Ok(Some(newest));
        }
        // The file of a complete segment ends with the newest.
        let newest = match self.believed_time(self.last_in(TIME_INDEX, |_| true))? {
            Some(newest) => Some(newest),
            None => self.newest_by_walking(0, self.size())?,
        };
        *self.newest.lock() = newest;
        Ok(newest)
    }

    /// What an entry says, if the batch it names says the same.
    fn believed_time(&self, entry: Option<TimeEntry>) -> Result<Option<Newest>, LogError> {
        let Some(entry) = entry else { return Ok(None) };
        let offset = self.base_offset + i64::from(entry.relative_offset);
        let from = self.position_before_offset(offset)?;
        for found in self.walk(from, self.size())? {
            match found {
                Ok((header, _)) if header.last_offset() < offset => {}
                Ok((header, _)) => {
                    let is_it = header.last_offset() == offset;
                    let agrees = is_it && header.max_timestamp == entry.timestamp;
                    return Ok(agrees.then_some((entry.timestamp, offset)));
                }
                Err(LogError::Corrupt { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The newest timestamp among the batches between two positions. The first of equals.
    pub(crate) fn newest_by_walking(&self, from: u64, to: u64) -> Result<Option<Newest>, LogError> {
        let mut newest: Option<Newest> = None;
        for found in self.walk(from, to)? {
            let (header, _) = found?;
            if newest.is_none_or(|(timestamp, _)| header.max_timestamp > timestamp) {
                newest = Some((header.max_timestamp, header.last_offset()));
            }
        }
        Ok(newest)
    }

    fn last_in<E: Entry>(&self, suffix: &str, holds: impl Fn(&E) -> bool) -> Option<E> {
        let search = || {
            let file = self.disk.open(&self.path(suffix), OpenMode::Existing)?;
            last_in_file(&*file, holds)
        };
        match search() {
            Ok(entry) => entry,
            Err(error) => {
                tracing::warn!(segment = self.base_offset, suffix, %error, "index is unreadable");
                None
            }
        }
    }

    /// The batches between two positions.
    pub(crate) fn walk(&self, from: u64, to: u64) -> Result<Walk, LogError> {
        Ok(Walk::new(self.file()?, self.base_offset, self.gaps, (from, to)))
    }

    /// Removes the segment's files. What cannot be removed now is removed at the next start.
    pub(crate) fn remove(&self) {
        for suffix in files::OF_A_SEGMENT {
            match self.disk.remove_file(&self.path(suffix)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(segment = self.base_offset, suffix, %error, "file was not removed");
                }
            }
        }
    }
}

/// The indexes of a segment that is being written.
#[derive(Debug, Default, Clone)]
pub(crate) struct Indexes {
    offsets: Vec<OffsetEntry>,
    times: Vec<TimeEntry>,
    /// Transactions whose abort marker is in the segment, by the marker's offset.
    pub(crate) aborted: Vec<AbortedTransaction>,
    /// Bytes since the batch of the last offset entry began.
    bytes_since_entry: u64,
    /// The newest timestamp so far.
    pub(crate) newest: Option<Newest>,
    /// The newest timestamp of the first batch: what `segment.ms` counts from.
    pub(crate) first_timestamp: Option<i64>,
}

impl Indexes {
    /// Takes note of a batch at `position`. Kafka's `LogSegment.append`: an entry goes before the
    /// first batch that begins more than an interval after the last entry's.
    pub(crate) fn note(
        &mut self,
        base_offset: i64,
        header: &BatchHeader,
        position: u64,
        interval: u32,
    ) {
        self.first_timestamp.get_or_insert(header.max_timestamp);
        if self.newest.is_none_or(|(timestamp, _)| header.max_timestamp > timestamp) {
            self.newest = Some((header.max_timestamp, header.last_offset()));
        }
        // A segment is rolled before either number could leave its range.
        let relative = u32::try_from(header.last_offset() - base_offset);
        if self.bytes_since_entry > u64::from(interval)
            && let (Ok(relative_offset), Ok(position)) = (relative, u32::try_from(position))
        {
            self.offsets.push(OffsetEntry { relative_offset, position });
            self.note_newest(base_offset);
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += header.size_bytes() as u64;
    }

    /// The last word of a segment that is complete or closed.
    pub(crate) fn note_newest(&mut self, base_offset: i64) {
        let Some((timestamp, offset)) = self.newest else { return };
        let newer = self.times.last().is_none_or(|last| timestamp > last.timestamp);
        if newer && let Ok(relative_offset) = u32::try_from(offset - base_offset) {
            self.times.push(TimeEntry { timestamp, relative_offset });
        }
    }

    /// Whether one of the files would outgrow its limit.
    pub(crate) fn is_full(&self, config: &LogConfig) -> bool {
        let max = config.index_bytes_max as usize;
        (self.offsets.len() + 1) * OffsetEntry::BYTES > max
            || (self.times.len() + 1) * TimeEntry::BYTES > max
    }

    /// Takes note of an aborted transaction, once.
    pub(crate) fn note_aborted(&mut self, aborted: AbortedTransaction) {
        if self.aborted.last().is_none_or(|last| last.last_offset < aborted.last_offset) {
            self.aborted.push(aborted);
        }
    }

    /// The content of the three files, as far as it concerns batches before `mark`.
    fn before(&self, base_offset: i64, mark: Mark) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let offsets = self.offsets.iter().filter(|entry| {
            mark.segment > base_offset || u64::from(entry.position) < mark.position
        });
        let times = self
            .times
            .iter()
            .filter(|entry| base_offset + i64::from(entry.relative_offset) < mark.offset);
        let aborted = self.aborted.iter().filter(|entry| entry.last_offset < mark.offset);
        (encode_all(offsets), encode_all(times), encode_all(aborted))
    }

    /// Rebuilds the indexes of the batches before `mark`, from the files as far as they go. If the
    /// segment is damaged there, as far as it is whole: what cannot be reached reads as damaged.
    pub(crate) fn load(
        segment: &Segment,
        mark: Mark,
        config: &LogConfig,
    ) -> Result<Indexes, LogError> {
        let mut indexes = Indexes::from_files(segment, mark)?;
        // What was aborted is not told by the headers: this file is believed as it is.
        let mut aborted = segment.read_aborted()?;
        aborted.retain(|entry| entry.last_offset < mark.offset);
        indexes.aborted.clone_from(&aborted);
        let from = indexes.offsets.last().map_or(0, |entry| u64::from(entry.position));
        if indexes.catch_up(segment, from, mark, config)? {
            return Ok(indexes);
        }
        tracing::warn!(
            segment = segment.base_offset,
            "indexes do not fit the segment, rebuilding them"
        );
        let mut rebuilt = Indexes { aborted, ..Indexes::default() };
        if rebuilt.catch_up(segment, 0, mark, config)?
            || rebuilt.offsets.len() > indexes.offsets.len()
        {
            return Ok(rebuilt);
        }
        Ok(indexes)
    }

    fn from_files(segment: &Segment, mark: Mark) -> Result<Indexes, LogError> {
        let read = |suffix| match segment.disk.read(&segment.path(suffix)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other.map_err(LogError::io("read an index")),
        };
        let mut offsets: Vec<OffsetEntry> = decode_all(&read(OFFSET_INDEX)?);
        let mut times: Vec<TimeEntry> = decode_all(&read(TIME_INDEX)?);
        offsets.retain(|entry| u64::from(entry.position) < mark.position);
        times.retain(|entry| segment.base_offset + i64::from(entry.relative_offset) < mark.offset);
        let sorted = offsets
            .is_sorted_by(|a, b| a.position < b.position && a.relative_offset < b.relative_offset)
            && times.is_sorted_by(|a, b| {
                a.timestamp < b.timestamp && a.relative_offset <= b.relative_offset
            });
        if !sorted {
            return Ok(Indexes::default());
        }
        let newest = times
            .last()
            .map(|last| (last.timestamp, segment.base_offset + i64::from(last.relative_offset)));
        Ok(Indexes { offsets, times, newest, ..Indexes::default() })
    }

    /// Takes note of the batches from `from`, where the last entry points, to `mark`. False if they
    /// are not what was expected.
    fn catch_up(
        &mut self,
        segment: &Segment,
        from: u64,
        mark: Mark,
        config: &LogConfig,
    ) -> Result<bool, LogError> {
        self.bytes_since_entry = 0;
        if mark.position > 0 {
            let first = segment.walk(0, mark.position)?.next();
            self.first_timestamp =
                first.and_then(Result::ok).map(|(header, _)| header.max_timestamp);
        }
        let mut walk = segment.walk(from, mark.position)?;
        for found in walk.by_ref() {
            match found {
                Ok((header, position)) => {
                    self.note(segment.base_offset, &header, position, config.index_interval_bytes);
                }
                Err(LogError::Corrupt { .. }) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        let arrived = walk.position() == mark.position
            && walk.expected().is_none_or(|expected| segment.gaps.allow(expected, mark.offset));
        Ok(arrived)
    }
}
