//! How a compacted segment takes the place of those it came from, whenever the power goes.
//!
//! ```text
//! 1  00…0.log.cleaned, 00…0.txnindex.cleaned     written, synced, their names synced
//! 2  00…0.log.cleaned → 00…0.log.swap            synced: from here on it counts
//! 3  the old segments' other files removed, 00…0.txnindex.cleaned → 00…0.txnindex   synced
//! 4  00…0.log.swap → 00…0.log                    synced
//! ```
//!
//! A crash before 2 leaves files that a start removes; after 2 a start does 3 and 4 again. Which
//! segments the new one replaces is told by its offsets: it begins where the first began, and its
//! last batch, kept as an empty one if need be, ends where the last ended. Every step is synced
//! before the next, because of two changes of a directory a power cut may take the first alone: a
//! removed deletion must never come back without what it deleted being gone.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tidemill_runtime::{DirEntry, Disk, DiskFile, OpenMode};

use crate::batch::{BatchHeader, Gaps};
use crate::files::{
    self, CLEANED, LOG, OFFSET_INDEX, SWAP, TIME_INDEX, TXN_INDEX, base_offset_of, segment_path,
};
use crate::index::encode_all;
use crate::segment::Indexes;
use crate::walk::Walk;
use crate::{AbortedTransaction, LogError};

/// Bytes written at once.
const WRITE_BYTES: usize = 1 << 20;

/// A compacted segment that is being written beside those it comes from.
pub(super) struct Cleaned {
    disk: Arc<dyn Disk>,
    dir: Arc<Path>,
    base_offset: i64,
    file: Arc<dyn DiskFile>,
    written: u64,
    buffer: Vec<u8>,
    indexes: Indexes,
    interval: u32,
}

/// A compacted segment that is complete and synced.
pub(super) struct Ready {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) size: u64,
    pub(super) indexes: Indexes,
}

impl Cleaned {
    pub(super) fn create(
        disk: &Arc<dyn Disk>,
        dir: &Arc<Path>,
        base_offset: i64,
        interval: u32,
    ) -> io::Result<Cleaned> {
        let file = disk.open(&path(dir, base_offset, LOG, CLEANED), OpenMode::OrCreate)?;
        file.set_len(0)?;
        Ok(Cleaned {
            disk: disk.clone(),
            dir: dir.clone(),
            base_offset,
            file,
            written: 0,
            buffer: Vec::with_capacity(WRITE_BYTES),
            indexes: Indexes::default(),
            interval,
        })
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Adds a whole batch.
    pub(super) fn push(&mut self, header: &BatchHeader, batch: &[u8]) -> io::Result<()> {
        self.indexes.note(self.base_offset, header, self.size(), self.interval);
        self.buffer.extend_from_slice(batch);
        if self.buffer.len() >= WRITE_BYTES { self.write() } else { Ok(()) }
    }

    /// Notes a transaction whose abort marker was added.
    pub(super) fn push_aborted(&mut self, aborted: AbortedTransaction) {
        self.indexes.note_aborted(aborted);
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest and makes all of it durable. `with_txn_index`: one of the old segments has
    /// an index of aborted transactions, so that the new one gets one, be it empty.
    pub(super) fn finish(mut self, with_txn_index: bool) -> io::Result<Ready> {
        self.write()?;
        self.file.sync_all()?;
        self.indexes.note_newest(self.base_offset);
        if with_txn_index {
            let path = path(&self.dir, self.base_offset, TXN_INDEX, CLEANED);
            let file = self.disk.open(&path, OpenMode::OrCreate)?;
            file.set_len(0)?;
            file.write_all_at(&encode_all(self.indexes.aborted.iter()), 0)?;
            file.sync_all()?;
        }
        self.disk.sync_dir(&self.dir)?;
        Ok(Ready { file: self.file, size: self.written, indexes: self.indexes })
    }
}

/// Removes what an attempt to compact left. What cannot be removed is removed at the next start.
pub(super) fn discard(disk: &dyn Disk, dir: &Path, base_offset: i64) {
    for suffix in [TXN_INDEX, LOG] {
        let _ = disk.remove_file(&path(dir, base_offset, suffix, CLEANED));
    }
}

/// Step 2: from now on the compacted segment counts.
pub(super) fn decide(disk: &dyn Disk, dir: &Path, base_offset: i64) -> io::Result<()> {
    let cleaned = path(dir, base_offset, LOG, CLEANED);
    disk.rename(&cleaned, &path(dir, base_offset, LOG, SWAP))?;
    disk.sync_dir(dir)
}

/// Steps 3 and 4. `replaced`: the base offsets of the old segments behind the first.
pub(super) fn complete(
    disk: &dyn Disk,
    dir: &Path,
    base_offset: i64,
    replaced: &[i64],
) -> io::Result<()> {
    for other in replaced {
        for suffix in files::OF_A_SEGMENT {
            if_there(disk.remove_file(&segment_path(dir, *other, suffix)))?;
        }
    }
    for suffix in [OFFSET_INDEX, TIME_INDEX] {
        if_there(disk.remove_file(&segment_path(dir, base_offset, suffix)))?;
    }
    let aborted = segment_path(dir, base_offset, TXN_INDEX);
    if_there(disk.rename(&path(dir, base_offset, TXN_INDEX, CLEANED), &aborted))?;
    disk.sync_dir(dir)?;
    let log = segment_path(dir, base_offset, LOG);
    disk.rename(&path(dir, base_offset, LOG, SWAP), &log)?;
    disk.sync_dir(dir)
}

/// Completes every swap that was decided before a crash. Gives whether there was one.
pub(crate) fn complete_all(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    entries: &[DirEntry],
) -> Result<bool, LogError> {
    let suffix = format!("{LOG}{SWAP}");
    let mut decided: Vec<(i64, u64)> = entries
        .iter()
        .filter_map(|entry| Some((base_offset_of(&entry.name, &suffix)?, entry.len)))
        .collect();
    decided.sort_unstable();
    for (base_offset, size) in &decided {
        let end = end_offset(disk, dir, *base_offset, *size)?;
        let bases = entries.iter().filter_map(|entry| base_offset_of(&entry.name, LOG));
        let replaced: Vec<i64> =
            bases.filter(|other| (*base_offset + 1..end).contains(other)).collect();
        complete(&**disk, dir, *base_offset, &replaced)
            .map_err(LogError::io("complete a compaction"))?;
        tracing::info!(dir = %dir.display(), base_offset, end, "interrupted compaction completed");
    }
    Ok(!decided.is_empty())
}

/// The offset after the last batch of a segment that is to take the place of others.
fn end_offset(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    base_offset: i64,
    size: u64,
) -> Result<i64, LogError> {
    let path = path(dir, base_offset, LOG, SWAP);
    let file =
        disk.open(&path, OpenMode::Existing).map_err(LogError::io("open a compacted segment"))?;
    let mut end = base_offset;
    for found in Walk::new(file, base_offset, Gaps::Legal, (0, size)) {
        end = found?.0.next_offset();
    }
    Ok(end)
}

fn path(dir: &Path, base_offset: i64, suffix: &str, behind: &str) -> std::path::PathBuf {
    segment_path(dir, base_offset, &format!("{suffix}{behind}"))
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
