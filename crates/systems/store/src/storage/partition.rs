//! What is live: rows of partitions and of ranges of the ring, with every deletion applied.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;

use super::engine::{Engine, EngineError, Entries, SpaceId};
use super::header::Header;
use super::key::{ClusteringBound, PartitionPrefix, Slice};
use super::row::RowData;
use super::row_codec::{self, CorruptRow};

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What it keeps.
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
}

/// Where rows come from: a space of the engine, or rows made up on the spot.
pub(crate) trait RowSource {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError>;

    /// Entries from `start` (in) to `end` (out); backwards if `reverse`.
    fn range(&self, start: &[u8], end: &[u8], reverse: bool) -> Result<Entries<'_>, EngineError>;
}

/// A space of the engine.
pub(crate) struct StoredRows<'a> {
    /// The engine.
    pub(crate) engine: &'a dyn Engine,
    /// The space.
    pub(crate) space: SpaceId,
}

impl RowSource for StoredRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        self.engine.get(self.space, key)
    }

    fn range(&self, start: &[u8], end: &[u8], reverse: bool) -> Result<Entries<'_>, EngineError> {
        self.engine.range(self.space, start, end, reverse)
    }
}

/// What to read, in the order it is wanted.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// Slices of one partition, sorted.
    Partition {
        /// The partition key's components.
        pk: Arc<[Bytes]>,
        /// The same as a prefix of keys.
        prefix: PartitionPrefix,
        /// Sorted and disjoint.
        slices: Vec<Slice>,
        /// An earlier page has shown rows of it.
        is_resumed: bool,
    },
    /// All partitions whose keys lie between two keys (start in, end out).
    Ring {
        /// The first key.
        start: Bytes,
        /// The key behind the last.
        end: Bytes,
    },
}

/// A row that somebody can see.
#[derive(Debug, Clone)]
pub(crate) struct LiveRow {
    /// Its key in the engine: where a page may end. A partition without rows is named by the key
    /// of its header.
    pub(crate) key: Bytes,
    /// The partition key's components.
    pub(crate) pk: Arc<[Bytes]>,
    /// The clustering's components; none if only the static row is there.
    pub(crate) ck: Vec<Bytes>,
    /// What is live in it.
    pub(crate) data: RowData,
    /// What is live in the partition's static row.
    pub(crate) statics: Arc<RowData>,
}

struct Partition {
    pk: Arc<[Bytes]>,
    prefix: PartitionPrefix,
    header: Header,
    statics: Arc<RowData>,
    has_rows: bool,
}

/// How rows are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadOptions {
    /// Backwards within each partition.
    pub(crate) reverse: bool,
    /// Seconds since 1970: what has expired by then is not there.
    pub(crate) now: i64,
    /// Whether a partition without rows shows its static row.
    pub(crate) shows_static_only: bool,
}

/// Rows one after the other.
pub(crate) struct LiveRows<'a> {
    source: &'a dyn RowSource,
    key_types: &'a [CqlType],
    targets: VecDeque<Target>,
    options: ReadOptions,
    slices: VecDeque<Slice>,
    entries: Option<Entries<'a>>,
    ring_end: Option<Bytes>,
    partition: Option<Partition>,
    /// A ring that is entered behind a row has not seen that partition's header.
    is_header_unseen: bool,
    ready: Option<LiveRow>,
}

impl<'a> LiveRows<'a> {
    /// The live rows of the targets, from the first, or behind `resume_after` if a page ended there.
    pub(crate) fn new(
        source: &'a dyn RowSource,
        key_types: &'a [CqlType],
        targets: Vec<Target>,
        options: ReadOptions,
        resume_after: Option<&Bytes>,
    ) -> LiveRows<'a> {
        let targets = match resume_after {
            Some(key) => all_behind(targets, key, options.reverse),
            None => targets.into(),
        };
        LiveRows {
            source,
            key_types,
            targets,
            options,
            slices: VecDeque::new(),
            entries: None,
            ring_end: None,
            partition: None,
            is_header_unseen: resume_after.is_some(),
            ready: None,
        }
    }

    /// The next row.
    pub(crate) fn next_row(&mut self) -> Result<Option<LiveRow>, ReadError> {
        loop {
            if let Some(row) = self.ready.take() {
                return Ok(Some(row));
            }
            match self.entries.as_mut().map(Iterator::next) {
                Some(Some(entry)) => {
                    let (key, value) = entry?;
                    if let Some(row) = self.entry(key, &value)? {
                        // A static row of the partition before goes first.
                        return Ok(Some(match self.ready.take() {
                            Some(first) => {
                                self.ready = Some(row);
                                first
                            }
                            None => row,
                        }));
                    }
                }
                Some(None) => self.entries = None,
                None if self.advance()? => {}
                None => return Ok(self.ready.take()),
            }
        }
    }

    /// Leaves out what remains of a row's partition.
    pub(crate) fn skip_partition(&mut self, row: &LiveRow) {
        // A partition without rows is shown when the next one has begun: nothing remains of it.
        let is_current = |partition: &Partition| partition.pk == row.pk;
        let Some(partition) = self.partition.take_if(|it| is_current(it)) else { return };
        self.slices.clear();
        self.entries = None;
        if let Some(end) = self.ring_end.take() {
            self.targets.push_front(Target::Ring { start: partition.prefix.end(), end });
        }
    }

    /// Opens what comes next. False at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        let slice =
            if self.options.reverse { self.slices.pop_back() } else { self.slices.pop_front() };
        if let (Some(slice), Some(partition)) = (slice, &self.partition) {
            let start = partition.prefix.with(&slice.start.0);
            let end = partition.prefix.with(&slice.end.0);
            self.entries = Some(self.source.range(&start, &end, self.options.reverse)?);
            return Ok(true);
        }
        self.close_partition();
        self.ring_end = None;
        match self.targets.pop_front() {
            None => return Ok(false),
            Some(Target::Ring { start, end }) => {
                self.entries = Some(self.source.range(&start, &end, false)?);
                self.ring_end = Some(end);
            }
            Some(Target::Partition { pk, prefix, slices, is_resumed }) => {
                let header = self.header_of(&prefix)?;
                self.open_partition(pk, prefix, header, is_resumed);
                self.slices = slices.into();
            }
        }
        Ok(true)
    }

    fn header_of(&self, prefix: &PartitionPrefix) -> Result<Header, ReadError> {
        match self.source.get(&prefix.header())? {
            Some(stored) => Ok(Header::decode(&stored)?.1),
            None => Ok(Header::default()),
        }
    }

    fn open_partition(
        &mut self,
        pk: Arc<[Bytes]>,
        prefix: PartitionPrefix,
        mut header: Header,
        has_rows: bool,
    ) {
        let mut statics = std::mem::take(&mut header.statics);
        statics.keep_live(header.deletion, self.options.now);
        // A static row has columns only: it is not there without them.
        statics.liveness = None;
        let statics = Arc::new(statics);
        self.partition = Some(Partition { pk, prefix, header, statics, has_rows });
    }

    /// The partition is read: without rows, its static row speaks for it.
    fn close_partition(&mut self) {
        let Some(partition) = self.partition.take() else { return };
        let has_statics = !partition.statics.columns.is_empty();
        if self.options.shows_static_only && !partition.has_rows && has_statics {
            self.ready = Some(LiveRow {
                key: partition.prefix.header(),
                pk: partition.pk,
                ck: Vec::new(),
                data: RowData::default(),
                statics: partition.statics,
            });
        }
    }

    fn entry(&mut self, key: Bytes, value: &Bytes) -> Result<Option<LiveRow>, ReadError> {
        if key.last() == Some(&0x00) {
            let (pk, header) = Header::decode(value)?;
            self.close_partition();
            let prefix = PartitionPrefix::new(self.key_types, &pk);
            self.open_partition(pk.into(), prefix, header, false);
            self.is_header_unseen = false;
            return Ok(None);
        }
        let (pk, ck, mut data) = row_codec::decode(value)?;
        if self.partition.as_ref().is_none_or(|partition| *partition.pk != *pk) {
            self.close_partition();
            let prefix = PartitionPrefix::new(self.key_types, &pk);
            let header = if std::mem::take(&mut self.is_header_unseen) {
                self.header_of(&prefix)?
            } else {
                Header::default()
            };
            self.open_partition(pk.into(), prefix, header, false);
        }
        let Some(partition) = &mut self.partition else { return Ok(None) };
        let clustering = partition.prefix.strip(&key).unwrap_or_default();
        let deletion = partition.header.deletion_of(clustering);
        if !data.keep_live(deletion, self.options.now) {
            return Ok(None);
        }
        partition.has_rows = true;
        Ok(Some(LiveRow {
            key,
            pk: partition.pk.clone(),
            ck,
            data,
            statics: partition.statics.clone(),
        }))
    }
}

/// What of the targets lies behind a row: partitions before its own have been read.
fn all_behind(targets: Vec<Target>, key: &Bytes, reverse: bool) -> VecDeque<Target> {
    let is_own = |target: &Target| match target {
        Target::Partition { prefix, .. } => prefix.strip(key).is_some(),
        Target::Ring { .. } => true,
    };
    let own = targets.iter().position(is_own).unwrap_or(0);
    targets.into_iter().skip(own).filter_map(|target| behind(target, key, reverse)).collect()
}

/// What of a target lies behind a row.
fn behind(target: Target, key: &Bytes, reverse: bool) -> Option<Target> {
    match target {
        Target::Ring { start, end } => {
            // Behind a header, which stands for a whole partition, lies the next one.
            let next: Bytes = match key.split_last() {
                Some((0x00, prefix)) => [prefix, &[0xFF]].concat().into(),
                _ => [key, &[0][..]].concat().into(),
            };
            (next < end).then(|| Target::Ring { start: start.max(next), end })
        }
        Target::Partition { pk, prefix, slices, is_resumed } => {
            let Some(clustering) = prefix.strip(key) else {
                return Some(Target::Partition { pk, prefix, slices, is_resumed });
            };
            if clustering == [0x00] {
                return None;
            }
            let here = ClusteringBound(Bytes::copy_from_slice(clustering));
            let past = ClusteringBound([clustering, &[0]].concat().into());
            let cut = |slice: Slice| {
                let slice = if reverse {
                    Slice { end: slice.end.min(here.clone()), ..slice }
                } else {
                    Slice { start: slice.start.max(past.clone()), ..slice }
                };
                (!slice.is_empty()).then_some(slice)
            };
            let slices: Vec<Slice> = slices.into_iter().filter_map(cut).collect();
            (!slices.is_empty()).then_some(Target::Partition {
                pk,
                prefix,
                slices,
                is_resumed: true,
            })
        }
    }
}
