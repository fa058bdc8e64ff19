//! Opening a log: at once after an orderly close, after checks and a cut otherwise.
//!
//! The checkpoint names a place, the recovery point, before which everything is synced. If the log
//! ends there, nothing is checked. Otherwise every batch after it is, and the log is cut where the
//! first one is torn, damaged or not where it should be; the cut, and what is kept, are synced
//! before anything is served or appended. Before the recovery point nothing is ever cut.
//!
//! Before any of it, a compacted segment that was about to take the place of others takes it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tidemill_runtime::{DirEntry, Disk, DiskFile, OpenMode, World};

use crate::batch::{BatchError, Gaps};
use crate::checkpoint::{Checkpoint, LeaderEpochs, Mark};
use crate::compact::swap;
use crate::files::{
    self, BESIDE, CLEANED, LOG, OFFSET_INDEX, POISONED, SNAPSHOT, TIME_INDEX, TXN_INDEX,
    base_offset_of, segment_path,
};
use crate::segment::{Indexes, Segment};
use crate::walk::{Check, Found};
use crate::{LogConfig, LogError};

/// What opening a log found.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// The log ended at its recovery point, as after an orderly close: nothing had to be checked.
    pub clean: bool,
    /// Batches from this offset on were checked.
    pub checked_from: i64,
    /// Bytes of good batches that were checked.
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

/// A log as it was found, ready to be used.
pub(crate) struct Opened {
    pub(crate) dir: Arc<Path>,
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Complete segments whose index files have yet to be written.
    pub(crate) rolled: Vec<Arc<Segment>>,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) start_offset: i64,
    pub(crate) end: Mark,
    pub(crate) recovery: Mark,
    /// In segments that begin below this offset, offsets may be missing.
    pub(crate) gaps_below: i64,
    /// Whether neither the directory's name nor those in it are known to be durable.
    pub(crate) is_new: bool,
    pub(crate) report: Recovery,
}

/// The work in progress.
struct Opening<'a> {
    dir: Arc<Path>,
    disk: &'a Arc<dyn Disk>,
    config: &'a LogConfig,
    entries: Vec<DirEntry>,
    epochs: LeaderEpochs,
    report: Recovery,
    segments: Vec<Arc<Segment>>,
    rolled: Vec<Arc<Segment>>,
    /// Whether an earlier process saw a sync or a write fail.
    poisoned: bool,
    /// In segments that begin below this offset, offsets may be missing.
    gaps_below: i64,
}

pub(crate) fn open(dir: &Path, config: &LogConfig, world: &World) -> Result<Opened, LogError> {
    let disk = &world.disk;
    disk.create_dir_all(dir).map_err(LogError::io("make the log's directory"))?;
    let list = || disk.list(dir).map_err(LogError::io("list the log's directory"));
    let mut entries = list()?;
    if swap::complete_all(disk, dir, &entries)? {
        entries = list()?;
    }
    let opening = Opening {
        dir: dir.into(),
        disk,
        config,
        poisoned: entries.iter().any(|entry| entry.name == POISONED),
        entries,
        epochs: LeaderEpochs::load(&**disk, dir).map_err(LogError::io("read the leader epochs"))?,
        report: Recovery::default(),
        segments: Vec::new(),
        rolled: Vec::new(),
        gaps_below: 0,
    };
    let opened = opening.run()?;
    if opened.report.first_bad.is_some() || !opened.report.clean {
        let report = &opened.report;
        tracing::warn!(dir = %dir.display(), checked_from = report.checked_from,
            checked_bytes = report.checked_bytes, truncated_bytes = report.truncated_bytes,
            first_bad = ?report.first_bad, end_offset = opened.end.offset, "log recovered");
    }
    Ok(opened)
}

impl Opening<'_> {
    fn run(mut self) -> Result<Opened, LogError> {
        let checkpoint = Checkpoint::load(&**self.disk, &self.dir)
            .map_err(LogError::io("read the recovery checkpoint"))?;
        // What Kafka compacted has gaps, and no checkpoint that says how far. A log of our own without
        // one was never compacted: a gap in it is the mark of a power cut.
        let unknown = if self.config.compacted && self.is_kafkas() { i64::MAX } else { 0 };
        self.gaps_below = checkpoint.map_or(unknown, |checkpoint| checkpoint.gaps_below);
        self.remove_unfinished();
        let mut found = self.segments_on_disk();
        let start_offset = checkpoint.map_or(found.first().map_or(0, |s| s.0), |c| c.start_offset);
        // Left over from a removal that the crash undid in part.
        let recovery = match checkpoint {
            Some(checkpoint) => checkpoint.recovery,
            None => Mark { offset: start_offset, segment: start_offset, position: 0 },
        };
        self.drop_never_used(&mut found, recovery);
        let below = found.partition_point(|(base, _)| *base <= start_offset).saturating_sub(1);
        let trusted = found.partition_point(|(base, _)| *base < recovery.segment);
        for (base, _) in found.drain(..below.min(trusted)) {
            Segment::sealed(self.disk, &self.dir, base, Gaps::None, 0).remove();
        }
        // Without a checkpoint nobody ever waited for the directory's own name to be durable.
        let is_new = checkpoint.is_none();
        if found.is_empty() {
            return self.empty(recovery, start_offset, is_new);
        }
        self.report.checked_from = recovery.offset;
        let trusted = found.partition_point(|(base, _)| *base < recovery.segment);
        let unchecked = found.split_off(trusted);
        if unchecked.first().is_none_or(|(base, _)| *base != recovery.segment) {
            return Err(self.missing(recovery, "its segment is gone"));
        }
        let mut next_base = unchecked[0].0;
        for (base, size) in found.into_iter().rev() {
            self.trust(base, size, next_base)?;
            next_base = base;
        }
        self.segments.reverse();
        let end = self.check(recovery, &unchecked)?;
        self.epochs.cut(end.offset);
        let (_active, complete) = self.segments.split_last().expect("one at least was checked");
        for segment in complete.iter().filter(|s| s.base_offset >= recovery.segment) {
            segment.with_indexes(|indexes| indexes.note_newest(segment.base_offset));
            self.rolled.push(segment.clone());
        }
        Ok(Opened {
            start_offset: start_offset.min(end.offset),
            end,
            recovery,
            gaps_below: self.gaps_below.min(end.offset),
            is_new,
            dir: self.dir,
            segments: self.segments,
            rolled: self.rolled,
            epochs: self.epochs,
            report: self.report,
        })
    }

    /// No segment at all: a new log, or one whose records were all deleted.
    fn empty(mut self, recovery: Mark, start: i64, is_new: bool) -> Result<Opened, LogError> {
        if recovery.offset > start {
            return Err(self.missing(recovery, "no segment is left"));
        }
        let segment = Segment::create(self.disk, &self.dir, start)
            .map_err(LogError::io("create a segment"))?;
        let end = Mark { offset: start, segment: start, position: 0 };
        self.epochs.cut(start);
        Ok(Opened {
            dir: self.dir,
            segments: vec![Arc::new(segment)],
            rolled: Vec::new(),
            epochs: self.epochs,
            start_offset: start,
            end,
            recovery: end,
            gaps_below: self.gaps_below.min(start),
            is_new,
            report: Recovery { clean: true, checked_from: start, ..Recovery::default() },
        })
    }

    /// Files that were about to replace others.
    fn remove_unfinished(&self) {
        let is_unfinished =
            |entry: &&DirEntry| entry.name.ends_with(BESIDE) || entry.name.ends_with(CLEANED);
        for entry in self.entries.iter().filter(is_unfinished) {
            // Still there next time if this fails, and never read.
            let _ = self.disk.remove_file(&self.dir.join(&entry.name));
        }
    }

    /// Base offsets and sizes, by offset.
    fn segments_on_disk(&self) -> Vec<(i64, u64)> {
        let of_log = |entry: &DirEntry| Some((base_offset_of(&entry.name, LOG)?, entry.len));
        let mut found: Vec<_> = self.entries.iter().filter_map(of_log).collect();
        found.sort_unstable();
        found
    }

    /// An empty file before the last one was made by an attempt to roll that failed: its records
    /// went elsewhere. If they did not, the gap shows.
    fn drop_never_used(&self, found: &mut Vec<(i64, u64)>, recovery: Mark) {
        let last = found.last().map(|(base, _)| *base);
        found.retain(|(base, size)| {
            let keep = *size > 0 || Some(*base) == last || *base == recovery.segment;
            if !keep {
                Segment::sealed(self.disk, &self.dir, *base, Gaps::None, 0).remove();
            }
            keep
        });
    }

    /// Whether Kafka wrote it: with each segment it leaves a snapshot of producers.
    fn is_kafkas(&self) -> bool {
        self.entries.iter().any(|entry| base_offset_of(&entry.name, SNAPSHOT).is_some())
    }

    fn gaps(&self, base: i64) -> Gaps {
        if base < self.gaps_below { Gaps::Legal } else { Gaps::None }
    }

    fn missing(&self, recovery: Mark, what: &str) -> LogError {
        let Mark { offset, segment, position } = recovery;
        let dir = self.dir.display();
        LogError::Missing(
            format!("{dir}: synced up to offset {offset} (segment {segment}, byte {position}), but {what}").into(),
        )
    }

    /// A segment before the recovery point: only its indexes are looked for.
    fn trust(&mut self, base: i64, size: u64, next_base: i64) -> Result<(), LogError> {
        let has = |suffix, entry_bytes| {
            let is_it = |e: &&DirEntry| base_offset_of(&e.name, suffix) == Some(base);
            self.entries.iter().find(is_it).is_some_and(|e| e.len.is_multiple_of(entry_bytes))
        };
        let gaps = self.gaps(base);
        let mut segment = Segment::sealed(self.disk, &self.dir, base, gaps, size)
            .with_txn_index(has(TXN_INDEX, 1));
        let indexed = has(OFFSET_INDEX, 8) && has(TIME_INDEX, 12);
        if !indexed {
            tracing::warn!(dir = %self.dir.display(), segment = base, "indexes are missing, rebuilding them");
            let end = Mark { offset: next_base, segment: base, position: size };
            let mut indexes = Indexes::load(&segment, end, self.config)?;
            indexes.note_newest(base);
            let file = segment.file()?;
            segment = Segment::open(self.disk, &self.dir, base, gaps, file, (size, indexes));
        }
        let segment = Arc::new(segment);
        if !indexed {
            self.rolled.push(segment.clone());
        }
        self.segments.push(segment);
        Ok(())
    }

    /// The segments from the recovery point on. Gives the end of the log.
    fn check(&mut self, recovery: Mark, unchecked: &[(i64, u64)]) -> Result<Mark, LogError> {
        let (mut end, mut kept) = (recovery, 0);
        for (base, _) in unchecked {
            if *base != recovery.segment && !self.gaps(*base).allow(end.offset, *base) {
                self.note_bad(end, BatchError::Chain { expected: end.offset, actual: *base });
                break;
            }
            let from = if *base == recovery.segment {
                recovery
            } else {
                Mark { offset: *base, segment: *base, position: 0 }
            };
            end = self.check_segment(from)?;
            kept += 1;
            if self.report.first_bad.is_some() {
                break;
            }
        }
        let clean = end == recovery && self.report.first_bad.is_none() && !self.poisoned;
        self.report.clean = clean;
        if !clean {
            self.cut(recovery, end, &unchecked[kept..])?;
        }
        Ok(end)
    }

    fn check_segment(&mut self, from: Mark) -> Result<Mark, LogError> {
        let base = from.segment;
        let path = segment_path(&self.dir, base, LOG);
        let open = self.disk.open(&path, OpenMode::Existing);
        let file = open.map_err(LogError::io("open a segment"))?;
        let len = file.len().map_err(LogError::io("read a segment"))?;
        if len < from.position {
            return Err(self.missing(from, "the segment is shorter"));
        }
        let gaps = self.gaps(base);
        let bare = Segment::sealed(self.disk, &self.dir, base, gaps, len);
        let mut indexes = Indexes::load(&bare, from, self.config)?;
        let end = self.check_batches(file.clone(), from, len, &mut indexes)?;
        self.report.truncated_bytes += len - end.position;
        let segment =
            Segment::open(self.disk, &self.dir, base, gaps, file, (end.position, indexes));
        self.segments.push(Arc::new(segment));
        Ok(end)
    }

    fn check_batches(
        &mut self,
        file: Arc<dyn DiskFile>,
        from: Mark,
        len: u64,
        indexes: &mut Indexes,
    ) -> Result<Mark, LogError> {
        let place = (from.position, from.offset);
        let mut check = Check::new(file, place, self.gaps(from.segment), len);
        loop {
            let found = check.next().map_err(LogError::io("read a segment"))?;
            let end =
                Mark { offset: check.expected, segment: from.segment, position: check.position };
            match found {
                Found::Batch(header, at) => {
                    indexes.note(from.segment, &header, at, self.config.index_interval_bytes);
                    self.epochs.note(header.partition_leader_epoch, header.base_offset);
                    self.report.checked_bytes += header.size_bytes() as u64;
                }
                Found::Bad(reason) => {
                    self.note_bad(end, reason);
                    return Ok(end);
                }
                Found::End => return Ok(end),
            }
        }
    }

    fn note_bad(&mut self, at: Mark, reason: BatchError) {
        let Mark { offset, segment, position } = at;
        self.report.first_bad = Some(FirstBad { offset, segment, position, reason });
    }

    /// Makes the disk hold what was found good and nothing after it. Later segments go first: as
    /// long as one of them is there, the gap before it shows.
    fn cut(&mut self, recovery: Mark, end: Mark, beyond: &[(i64, u64)]) -> Result<(), LogError> {
        for (base, size) in beyond.iter().rev() {
            self.report.truncated_bytes += size;
            for suffix in files::OF_A_SEGMENT {
                match self.disk.remove_file(&segment_path(&self.dir, *base, suffix)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(LogError::io("remove a segment")(error));
                    }
                    _ => {}
                }
            }
        }
        for segment in self.segments.iter().filter(|s| s.base_offset >= recovery.segment) {
            let from = if segment.base_offset == recovery.segment { recovery.position } else { 0 };
            self.secure(segment, from, segment.base_offset == end.segment)
                .map_err(LogError::io("sync a recovered segment"))?;
        }
        if self.poisoned {
            let marker = self.dir.join(POISONED);
            self.disk.remove_file(&marker).map_err(LogError::io("end the log's poisoning"))?;
        }
        Ok(())
    }

    /// Makes the disk hold a segment as it was found.
    fn secure(&self, segment: &Segment, from: u64, cut: bool) -> io::Result<()> {
        let file = self.disk.open(&segment.path(LOG), OpenMode::Existing)?;
        if cut {
            file.set_len(segment.size())?;
        }
        if self.poisoned {
            rewrite(&*file, from, segment.size())?;
        }
        file.sync_data()
    }
}

/// Writes bytes again as they are read. After a failed sync the kernel shows them and takes them for
/// written, though the disk may not have them: only a new write makes the next sync carry them.
fn rewrite(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    const CHUNK_BYTES: u64 = 1 << 20;
    let (mut at, mut chunk) = (from, Vec::new());
    while at < to {
        chunk.resize((to - at).min(CHUNK_BYTES) as usize, 0);
        file.read_exact_at(&mut chunk, at)?;
        file.write_all_at(&chunk, at)?;
        at += chunk.len() as u64;
    }
    Ok(())
}
