//! A topic, a table and dead letters in memory: the second implementation of each port, with which
//! the engine is tested. A [`Fuse`] ends the world at the n-th step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    DATA_EXCEPTION, DeadLetter, DeadLetters, Fetched, Polled, Positions, Record, Rejected, Sink,
    SinkError, SinkRows, Source, SourceError, Written,
};

/// Lets `n` steps pass; then every step fails, as if the process were gone.
#[derive(Debug, Clone)]
pub struct Fuse(Arc<AtomicI64>);

impl Fuse {
    /// Burns at step `n`, counted from 0.
    pub fn after(steps: i64) -> Fuse {
        Fuse(Arc::new(AtomicI64::new(steps)))
    }

    /// Never burns.
    pub fn never() -> Fuse {
        Fuse::after(i64::MAX)
    }

    /// Takes one step; false once the fuse has burnt.
    pub fn step(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) > 0
    }

    /// Whether the world has ended.
    pub fn burnt(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }
}

/// A topic whose partitions are vectors.
#[derive(Debug, Clone)]
pub struct MemoryTopic {
    state: Arc<Mutex<TopicState>>,
    arrived: Arc<Notify>,
}

#[derive(Debug)]
struct TopicState {
    id: Uuid,
    partitions: Vec<Vec<Record>>,
    /// The source answers `End` instead of waiting.
    closed: bool,
    committed: Option<Positions>,
}

impl MemoryTopic {
    /// Empty partitions.
    pub fn new(partitions: usize) -> MemoryTopic {
        let state = TopicState {
            id: Uuid::from_u128(1),
            partitions: vec![Vec::new(); partitions],
            closed: false,
            committed: None,
        };
        MemoryTopic { state: Arc::new(Mutex::new(state)), arrived: Arc::new(Notify::new()) }
    }

    /// Appends a record and returns its offset.
    pub fn append(&self, partition: i32, timestamp_ms: i64, value: impl Into<Bytes>) -> i64 {
        let mut state = self.state.lock();
        let log = &mut state.partitions[usize::try_from(partition).expect("not negative")];
        let offset = log.len() as i64;
        log.push(Record {
            partition,
            offset,
            timestamp_ms,
            key: None,
            value: Some(value.into()),
            headers: Vec::new(),
        });
        drop(state);
        self.arrived.notify_waiters();
        offset
    }

    /// No record will follow: readers see the end.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.notify_waiters();
    }

    /// Deletes the topic and makes an empty one of the same name.
    pub fn recreate(&self) {
        let mut state = self.state.lock();
        state.id = Uuid::from_u128(state.id.as_u128() + 1);
        state.partitions.iter_mut().for_each(Vec::clear);
        state.closed = false;
    }

    /// What a reader said it has checkpointed.
    pub fn committed(&self) -> Option<Positions> {
        self.state.lock().committed.clone()
    }

    /// A reader that takes at most `batch` records per poll.
    pub fn source(&self, batch: usize, fuse: Fuse) -> MemorySource {
        MemorySource { topic: self.clone(), at: Positions::default(), batch, fuse }
    }
}

/// Reads a [`MemoryTopic`], its partitions in turn.
pub struct MemorySource {
    topic: MemoryTopic,
    at: Positions,
    batch: usize,
    fuse: Fuse,
}

impl MemorySource {
    fn take(&mut self) -> Option<Polled> {
        let state = self.topic.state.lock();
        let mut fetched = Fetched { topic_id: Some(state.id), ..Fetched::default() };
        if self.at.topic_id != Some(state.id) {
            fetched.notice = Some("the topic was recreated".to_owned());
            self.at = Positions { topic_id: Some(state.id), next: BTreeMap::new() };
        }
        for (log, partition) in state.partitions.iter().zip(0..) {
            let next = self.at.next.entry(partition).or_insert(0);
            let from = usize::try_from(*next).expect("not negative");
            let until = log.len().min(from + self.batch - fetched.records.len());
            fetched.records.extend_from_slice(log.get(from..until).unwrap_or_default());
            *next = until as i64;
            fetched.ends.insert(partition, log.len() as i64);
        }
        fetched.next = self.at.next.clone();
        match (fetched.records.is_empty(), state.closed) {
            (false, _) => Some(Polled::Fetched(fetched)),
            (true, true) => Some(Polled::End),
            (true, false) => None,
        }
    }
}

#[async_trait]
impl Source for MemorySource {
    async fn open(&mut self, from: Option<&Positions>) -> Result<Positions, SourceError> {
        if !self.fuse.step() {
            return Err(SourceError::Failed("crashed".into()));
        }
        let id = self.topic.state.lock().id;
        self.at = from
            .cloned()
            .unwrap_or_else(|| Positions { topic_id: Some(id), next: BTreeMap::new() });
        Ok(self.at.clone())
    }

    async fn poll(&mut self) -> Result<Polled, SourceError> {
        if !self.fuse.step() {
            return Err(SourceError::Failed("crashed".into()));
        }
        let arrived = Arc::clone(&self.topic.arrived);
        loop {
            let notified = arrived.notified();
            if let Some(polled) = self.take() {
                return Ok(polled);
            }
            notified.await;
        }
    }

    async fn commit(&mut self, positions: &Positions) -> Result<(), SourceError> {
        self.topic.state.lock().committed = Some(positions.clone());
        Ok(())
    }
}

/// Rows by key, each with its write timestamp.
type Rows = BTreeMap<Vec<String>, (i64, Vec<String>)>;

/// A table of text rows by primary key; the higher write timestamp wins, as in Cassandra.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    key: Vec<usize>,
    rows: Arc<Mutex<Rows>>,
    writes: Arc<AtomicI64>,
}

impl MemoryTable {
    /// `key`: indexes of the key's columns.
    pub fn new(key: Vec<usize>) -> MemoryTable {
        MemoryTable { key, rows: Arc::default(), writes: Arc::default() }
    }

    /// The rows in key order; NULL is `NULL`.
    pub fn rows(&self) -> Vec<Vec<String>> {
        self.rows.lock().values().map(|(_, row)| row.clone()).collect()
    }

    /// How many rows were written, counting each time a key is written again.
    pub fn writes(&self) -> i64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// A sink that writes here. A value `reject-me` is refused.
    pub fn sink(&self, fuse: Fuse) -> MemorySink {
        MemorySink { table: self.clone(), fuse }
    }

    fn upsert(&self, row: Vec<String>, timestamp_us: i64) {
        self.writes.fetch_add(1, Ordering::SeqCst);
        let key = self.key.iter().map(|column| row[*column].clone()).collect();
        let mut rows = self.rows.lock();
        let held = rows.entry(key).or_insert((i64::MIN, Vec::new()));
        if timestamp_us >= held.0 {
            *held = (timestamp_us, row);
        }
    }
}

/// Writes into a [`MemoryTable`]; when the fuse burns, half of the rows are in.
pub struct MemorySink {
    table: MemoryTable,
    fuse: Fuse,
}

#[async_trait]
impl Sink for MemorySink {
    async fn open(&mut self) -> Result<(), SinkError> {
        if self.fuse.step() { Ok(()) } else { Err(SinkError::Failed("crashed".into())) }
    }

    async fn write(&mut self, rows: &SinkRows) -> Written {
        let count = rows.batch.num_rows();
        let alive = self.fuse.step();
        let done = if alive { count } else { count / 2 };
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> = rows
            .batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).expect("printable"))
            .collect();
        let mut written = Written::default();
        for row in 0..done {
            let values: Vec<_> =
                columns.iter().map(|column| column.value(row).to_string()).collect();
            if values.iter().any(|value| value == "reject-me") {
                let reason = "the table refuses it".to_owned();
                written.rejected.push(Rejected { row, class: DATA_EXCEPTION, reason });
            } else {
                self.table.upsert(values, rows.write_timestamps_us[row]);
            }
        }
        if !alive {
            written.unfinished = (done..count).collect();
            written.error = Some(SinkError::Failed("crashed".into()));
        }
        written
    }
}

/// Keeps dead letters.
#[derive(Debug, Clone)]
pub struct MemoryDeadLetters {
    letters: Arc<Mutex<Vec<DeadLetter>>>,
    fuse: Fuse,
}

impl MemoryDeadLetters {
    /// None yet.
    pub fn new(fuse: Fuse) -> MemoryDeadLetters {
        MemoryDeadLetters { letters: Arc::default(), fuse }
    }

    /// The same letters, with another fuse: what a restart sees.
    pub fn with_fuse(&self, fuse: Fuse) -> MemoryDeadLetters {
        MemoryDeadLetters { letters: Arc::clone(&self.letters), fuse }
    }

    /// All letters so far.
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.letters.lock().clone()
    }
}

#[async_trait]
impl DeadLetters for MemoryDeadLetters {
    async fn write(&mut self, letters: &[DeadLetter]) -> Result<(), SinkError> {
        if !self.fuse.step() {
            return Err(SinkError::Failed("crashed".into()));
        }
        self.letters.lock().extend_from_slice(letters);
        Ok(())
    }
}
