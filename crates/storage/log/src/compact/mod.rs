//! Compaction: of each key only the newest record stays.
//!
//! ```text
//! dirty segments ─▶ OffsetMap: newest offset of each key ─▶ all segments, in groups as large as
//!                   (fixed memory: several passes if need be)   one: Filter ─▶ new segment ─▶ swap
//! ```
//!
//! Offsets stay what they are: a compacted log has gaps between batches and inside them. The
//! segment that is written to is never compacted, nor is what an open transaction may still abort.
//! A [`Compaction`] works in small steps, so that its caller can limit how fast it reads and writes,
//! and drop it at any time. Kafka's `LogCleaner` is the model.

mod filter;
mod offset_map;
mod plan;
pub(crate) mod swap;
mod transactions;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::batch::{BatchError, BatchHeader, Gaps};
use crate::records;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::walk::{Check, Found};
use crate::{Compression, LogConfig, LogError, SEGMENT_BYTES_MAX};
use filter::{Candidate, Rules, Verdict};
use offset_map::OffsetMap;
pub(crate) use plan::Eligible;
use swap::Cleaned;
use transactions::Transactions;

/// Bytes read in one step.
const STEP_BYTES: u64 = 1 << 20;

/// Compresses and decompresses records: formats are not the log's business.
pub trait Codec: Send + Sync {
    /// The records of a batch; `None` if they cannot be decompressed.
    fn decompress(&self, compression: Compression, packed: &Bytes) -> Option<Bytes>;

    /// The same way back.
    fn compress(&self, compression: Compression, plain: Bytes) -> Bytes;
}

/// The newest batch of a producer: without it a client's next batch would not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastBatch {
    /// The last offset of its newest batch of records; `None` if only markers are known.
    pub data_offset: Option<i64>,
    /// Its epoch.
    pub epoch: i16,
}

/// What to compact, and by which rules.
pub struct CompactionRequest {
    /// Records below this offset were compacted before.
    pub first_dirty: i64,
    /// From this offset on nothing is touched: the last stable offset.
    pub below: i64,
    /// Wall time.
    pub now_ms: i64,
    /// `min.compaction.lag.ms`: younger records stay.
    pub min_lag_ms: i64,
    /// `delete.retention.ms`: how long deletions stay after they were compacted once.
    pub delete_retention_ms: i64,
    /// By producer id: what must stay of it.
    pub last_batches: HashMap<i64, LastBatch>,
    /// Bytes for the map of keys. What does not fit is left to a later compaction.
    pub map_bytes_max: usize,
    /// For compressed batches.
    pub codec: Arc<dyn Codec>,
}

/// How much of a log a compaction could work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compactable {
    /// Bytes that were compacted before.
    pub clean_bytes: u64,
    /// Bytes that were not, and can be.
    pub dirty_bytes: u64,
    /// The time of the first dirty batch, in ms; `None` if there is none.
    pub dirty_since_ms: Option<i64>,
}

/// What a compaction came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Records below this offset are now compacted.
    pub first_dirty: i64,
    /// Bytes of the segments it worked on, before.
    pub bytes_before: u64,
    /// And after.
    pub bytes_after: u64,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactionStep {
    /// So many bytes were read or written, and there is more to do.
    Worked(u64),
    /// It is done.
    Done(Compacted),
}

/// A compaction under way. Dropped before it is done, it leaves a log that is partly compacted.
pub struct Compaction {
    shared: Arc<Shared>,
    request: CompactionRequest,
    config: Arc<LogConfig>,
    map: OffsetMap,
    /// Records after this offset are not in the map.
    mapped_to: i64,
    transactions: Transactions,
    /// What is worked on: all segments up to the first that must not be touched.
    segments: Vec<Arc<Segment>>,
    /// The offset behind them.
    end: i64,
    phase: Phase,
    done: Compacted,
}

enum Phase {
    /// Learning keys from the dirty segments.
    Mapping { left: VecDeque<Arc<Segment>>, reading: Option<Reading> },
    /// Writing groups of segments anew.
    Copying { groups: VecDeque<Vec<Arc<Segment>>>, copying: Option<Box<Copying>> },
}

/// A segment that is being read.
struct Reading {
    segment: Arc<Segment>,
    check: Check,
}

/// A group of segments that is being written into one.
struct Copying {
    group: Vec<Arc<Segment>>,
    next: usize,
    reading: Option<Reading>,
    cleaned: Cleaned,
    /// Whether anything became different.
    has_changed: bool,
}

impl Reading {
    fn open(segment: &Arc<Segment>) -> Result<Reading, LogError> {
        let place = (0, segment.base_offset);
        let check = Check::new(segment.file()?, place, segment.gaps, segment.size());
        Ok(Reading { segment: segment.clone(), check })
    }

    /// The next batch and where it is; `None` at the end.
    fn next(&mut self) -> Result<Option<(BatchHeader, u64)>, LogError> {
        match self.check.next().map_err(LogError::io("read a segment"))? {
            Found::Batch(header, at) => Ok(Some((header, at))),
            Found::Bad(reason) => Err(self.corrupt(self.check.position, reason)),
            Found::End => Ok(None),
        }
    }

    fn corrupt(&self, position: u64, reason: BatchError) -> LogError {
        let (offset, segment) = (self.check.expected, self.segment.base_offset);
        LogError::Corrupt { offset, segment, position, reason }
    }
}

impl Shared {
    pub(crate) fn compact(
        self: &Arc<Shared>,
        request: CompactionRequest,
    ) -> Result<Option<Compaction>, LogError> {
        self.check_alive()?;
        let eligible = Eligible::of(&request);
        let (segments, end) = self.compactable_segments(&eligible)?;
        if end <= request.first_dirty || self.compacting.swap(true, Ordering::AcqRel) {
            return Ok(None);
        }
        let dirty: VecDeque<Arc<Segment>> = segments
            .iter()
            .zip(segments.iter().skip(1).map(|next| next.base_offset).chain([end]))
            .filter(|(_, next)| *next > request.first_dirty)
            .map(|(segment, _)| segment.clone())
            .collect();
        let mapped_from = dirty.front().map_or(end, |segment| segment.base_offset);
        let keys_max = end - request.first_dirty.max(segments[0].base_offset);
        let mut compaction = Compaction {
            shared: self.clone(),
            config: self.config(),
            map: OffsetMap::new(keys_max.unsigned_abs(), request.map_bytes_max),
            mapped_to: request.first_dirty - 1,
            transactions: Transactions::new(Vec::new()),
            end,
            phase: Phase::Mapping { left: dirty, reading: None },
            done: Compacted { first_dirty: end, bytes_before: 0, bytes_after: 0 },
            segments,
            request,
        };
        compaction.transactions = compaction.transactions_from(mapped_from)?;
        Ok(Some(compaction))
    }
}

impl Compaction {
    /// Does some of the work, on this thread.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if a batch is damaged: such a log cannot be compacted.
    /// [`LogError::NoSpace`] and [`LogError::Io`] leave the log as it was, [`LogError::Poisoned`]
    /// does not.
    pub fn step(&mut self) -> Result<CompactionStep, LogError> {
        match &self.phase {
            Phase::Mapping { .. } => self.map_some(),
            Phase::Copying { .. } => self.copy_some(),
        }
    }

    /// The aborted transactions with batches at or after an offset in the segments worked on.
    fn transactions_from(&self, offset: i64) -> Result<Transactions, LogError> {
        Ok(Transactions::new(self.shared.aborted_between(offset, self.end)?))
    }

    fn map_some(&mut self) -> Result<CompactionStep, LogError> {
        let mut bytes = 0;
        while bytes < STEP_BYTES {
            let Phase::Mapping { left, reading } = &mut self.phase else { break };
            let Some(current) = reading else {
                match left.pop_front() {
                    Some(segment) => *reading = Some(Reading::open(&segment)?),
                    None => {
                        self.begin_copying()?;
                        break;
                    }
                }
                continue;
            };
            let Some((header, at)) = current.next()? else {
                *reading = None;
                continue;
            };
            bytes += header.size_bytes() as u64;
            let batch = current.check.bytes_of(&header, at);
            let mapper = Mapper {
                map: &mut self.map,
                transactions: &mut self.transactions,
                codec: &*self.request.codec,
                from: self.request.first_dirty,
                mapped_to: &mut self.mapped_to,
            };
            let has_room = mapper.map(&header, batch).map_err(|why| current.corrupt(at, why))?;
            if !has_room {
                let full_in = current.segment.base_offset;
                self.end_mapping_at(full_in)?;
                break;
            }
        }
        Ok(CompactionStep::Worked(bytes))
    }

    /// The map is full: what was mapped is compacted, the rest waits for the next time.
    fn end_mapping_at(&mut self, full_in: i64) -> Result<(), LogError> {
        if full_in > self.request.first_dirty {
            // Whole segments only, if there is one.
            self.segments.retain(|segment| segment.base_offset < full_in);
            self.end = full_in;
            self.mapped_to = full_in - 1;
        } else {
            let after = self.segments.iter().find(|segment| segment.base_offset > full_in);
            self.end = after.map_or(self.end, |next| next.base_offset);
            self.segments.retain(|segment| segment.base_offset <= full_in);
        }
        self.done.first_dirty = self.mapped_to + 1;
        self.begin_copying()
    }

    fn begin_copying(&mut self) -> Result<(), LogError> {
        // From the start again: what was met while mapping began in the dirty part.
        self.transactions = self.transactions_from(self.segments[0].base_offset)?;
        self.mapped_to = self.done.first_dirty - 1;
        let groups = plan::groups(&self.segments, self.end, &self.config);
        self.phase = Phase::Copying { groups, copying: None };
        Ok(())
    }

    fn copy_some(&mut self) -> Result<CompactionStep, LogError> {
        let Phase::Copying { groups, copying } = &mut self.phase else {
            return Ok(CompactionStep::Worked(0));
        };
        let Some(current) = copying else {
            let Some(group) = groups.pop_front() else { return self.finish() };
            let begun = Copying::begin(group, &self.shared, &self.config)?;
            *copying = Some(Box::new(begun));
            return Ok(CompactionStep::Worked(0));
        };
        let rules = Rules {
            map: &self.map,
            mapped_to: self.mapped_to,
            now_ms: self.request.now_ms,
            delete_retention_ms: self.request.delete_retention_ms,
            last_batches: &self.request.last_batches,
            codec: &*self.request.codec,
        };
        let mut bytes = 0;
        while bytes < STEP_BYTES {
            match current.copy_next(&rules, &mut self.transactions)? {
                Some(read) => bytes += read,
                None => {
                    if let Some(copied) = copying.take() {
                        self.swap_in(*copied)?;
                    }
                    break;
                }
            }
        }
        Ok(CompactionStep::Worked(bytes))
    }

    /// Lets a compacted segment take the place of its group.
    fn swap_in(&mut self, copied: Copying) -> Result<(), LogError> {
        let Copying { group, cleaned, has_changed, .. } = copied;
        let (shared, base_offset) = (self.shared.clone(), group[0].base_offset);
        let bytes_before: u64 = group.iter().map(|segment| segment.size()).sum();
        self.done.bytes_before += bytes_before;
        if !has_changed && group.len() == 1 {
            self.done.bytes_after += bytes_before;
            swap::discard(&*shared.disk, &shared.dir, base_offset);
            return Ok(());
        }
        let mut has_aborted = false;
        for segment in &group {
            has_aborted |= !segment.aborted()?.is_empty();
        }
        let ready = cleaned.finish(has_aborted).map_err(|error| {
            swap::discard(&*shared.disk, &shared.dir, base_offset);
            failed("write a compacted segment", error)
        })?;
        self.done.bytes_after += ready.size;

        let mut turn = shared.turn.lock();
        shared.check_alive()?;
        if !shared.holds(&group) {
            // Retention was faster.
            swap::discard(&*shared.disk, &shared.dir, base_offset);
            return Ok(());
        }
        // No reader opens one of them by its name later.
        group.iter().try_for_each(|segment| segment.file().map(drop))?;
        shared.allow_gaps(&mut turn, self.end)?;
        let replaced: Vec<i64> = group[1..].iter().map(|segment| segment.base_offset).collect();
        let (disk, dir) = (&*shared.disk, &*shared.dir);
        swap::decide(disk, dir, base_offset)
            .and_then(|()| swap::complete(disk, dir, base_offset, &replaced))
            .map_err(|error| shared.poison("replace compacted segments", &error))?;
        let content = (ready.size, ready.indexes);
        let segment =
            Segment::open(&shared.disk, &shared.dir, base_offset, Gaps::Legal, ready.file, content);
        shared.replace(&group, Arc::new(segment));
        Ok(())
    }

    fn finish(&mut self) -> Result<CompactionStep, LogError> {
        let mut turn = self.shared.turn.lock();
        // The new segments' indexes reach their files.
        self.shared.flush_and_checkpoint(&mut turn, self.shared.start_offset())?;
        Ok(CompactionStep::Done(self.done))
    }
}

impl Drop for Compaction {
    fn drop(&mut self) {
        if let Phase::Copying { copying: Some(copying), .. } = &self.phase {
            let base_offset = copying.group[0].base_offset;
            swap::discard(&*self.shared.disk, &self.shared.dir, base_offset);
        }
        self.shared.compacting.store(false, Ordering::Release);
    }
}

/// Learns the keys of a batch.
struct Mapper<'a> {
    map: &'a mut OffsetMap,
    transactions: &'a mut Transactions,
    codec: &'a dyn Codec,
    from: i64,
    mapped_to: &'a mut i64,
}

impl Mapper<'_> {
    /// False if the map is full.
    fn map(self, header: &BatchHeader, batch: &[u8]) -> Result<bool, BatchError> {
        let counts = if header.is_control() {
            self.transactions.see_marker(header, batch);
            false
        } else {
            !self.transactions.see_batch(header)
        };
        if counts && header.last_offset() >= self.from {
            let packed = Bytes::copy_from_slice(&batch[crate::batch::HEADER_BYTES..]);
            let payload = match header.compression() {
                Compression::None => packed,
                codec => self.codec.decompress(codec, &packed).ok_or(BatchError::Record)?,
            };
            for record in records::decode(&payload, header) {
                let record = record?;
                let offset = header.base_offset.saturating_add(record.offset_delta);
                let Some(key) = record.key.filter(|_| offset >= self.from) else { continue };
                if !self.map.put(key, offset) {
                    return Ok(false);
                }
                *self.mapped_to = offset.max(*self.mapped_to);
            }
        }
        *self.mapped_to = header.last_offset().max(*self.mapped_to);
        Ok(true)
    }
}

impl Copying {
    fn begin(
        group: Vec<Arc<Segment>>,
        shared: &Shared,
        config: &LogConfig,
    ) -> Result<Copying, LogError> {
        let interval = config.index_interval_bytes;
        let cleaned = Cleaned::create(&shared.disk, &shared.dir, group[0].base_offset, interval)
            .map_err(|error| failed("create a compacted segment", error))?;
        Ok(Copying { group, next: 0, reading: None, cleaned, has_changed: false })
    }

    /// Copies what stays of the next batch. Gives the bytes read; `None` when all is copied.
    fn copy_next(
        &mut self,
        rules: &Rules<'_>,
        transactions: &mut Transactions,
    ) -> Result<Option<u64>, LogError> {
        let Some(reading) = &mut self.reading else {
            let Some(segment) = self.group.get(self.next) else { return Ok(None) };
            self.next += 1;
            self.reading = Some(Reading::open(segment)?);
            return Ok(Some(0));
        };
        let Some((header, at)) = reading.next()? else {
            self.reading = None;
            return Ok(Some(0));
        };
        let bytes = reading.check.bytes_of(&header, at);
        let ends_segment = self.next == self.group.len() && reading.check.is_at_end();
        let mut batch = Candidate {
            header: &header,
            bytes,
            is_aborted: false,
            ends_nothing: false,
            ends_segment,
        };
        let mut aborted = None;
        if header.is_control() {
            let marker = transactions.see_marker(&header, bytes);
            (batch.ends_nothing, aborted) = (marker.ends_nothing, marker.aborted);
        } else {
            batch.is_aborted = transactions.see_batch(&header);
        }
        let verdict = rules.judge(&batch).map_err(|reason| reading.corrupt(at, reason))?;
        let size = bytes.len() as u64;
        self.has_changed |= verdict != Verdict::Stays;
        let pushed = match verdict {
            Verdict::Goes => Ok(()),
            Verdict::Stays => self.cleaned.push(&header, bytes),
            Verdict::Becomes(bytes) => match BatchHeader::parse(&bytes) {
                Ok(header) => self.cleaned.push(&header, &bytes),
                Err(reason) => return Err(reading.corrupt(at, reason)),
            },
        };
        pushed.map_err(|error| failed("write a compacted segment", error))?;
        if self.cleaned.size() > SEGMENT_BYTES_MAX {
            let (size, max) = (self.cleaned.size(), SEGMENT_BYTES_MAX);
            return Err(LogError::TooLarge { size, max });
        }
        aborted.into_iter().for_each(|aborted| self.cleaned.push_aborted(aborted));
        Ok(Some(size))
    }
}

fn failed(action: &'static str, error: io::Error) -> LogError {
    if crate::error::is_full(&error) { LogError::NoSpace } else { LogError::io(action)(error) }
}
