//! The state behind the requests: one task reads the log into it, one task writes.
//!
//! A write is planned on the state, appended, and answered when the reader has applied it: so every
//! client reads its own writes, and the state never says what the log does not. The writer takes
//! one write at a time; after an append whose outcome is not known it first reads to the end of the
//! log, so that no plan is made on a state that lags behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;
use tidemill_runtime::{Shutdown, Tasks};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::RegistryError;
use crate::record::{Key, Payload, Record, RecordError};
use crate::state::{Plan, State};
use crate::storage::{Entry, Storage, StorageError, StoredEntry};

/// Writes that wait for their turn; more than that wait in their connections.
const WRITES_WAITING_MAX: usize = 256;
/// The first and the longest pause after a failed read.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// State, log, and the tasks between them.
pub(crate) struct Service {
    state: RwLock<State>,
    storage: Arc<dyn Storage>,
    /// The offset that is applied next.
    applied: watch::Sender<i64>,
    writes: mpsc::Sender<Box<dyn Write>>,
    write_timeout: Duration,
    /// Records that were left out because they could not be understood, or contradict others.
    skipped: AtomicU64,
    /// Whether the last read failed.
    cut_off: AtomicBool,
}

/// What the health page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) subjects: usize,
    pub(crate) versions: usize,
    pub(crate) skipped: u64,
    pub(crate) applied: i64,
    pub(crate) cut_off: bool,
}

/// A write that waits for its turn.
trait Write: Send {
    /// The records to append; none if the write is refused, which is answered at once.
    fn plan(&mut self, state: &State) -> Option<Vec<Record>>;
    /// Answers.
    fn done(self: Box<Self>, outcome: Result<(), RegistryError>);
}

struct Planned<T, F> {
    plan: Option<F>,
    answer: Option<T>,
    reply: Option<oneshot::Sender<Result<T, RegistryError>>>,
}

impl<T, F> Planned<T, F> {
    /// A client that is gone needs no answer.
    fn reply(&mut self, outcome: Result<T, RegistryError>) {
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(outcome);
        }
    }
}

impl<T, F> Write for Planned<T, F>
where
    T: Send,
    F: FnOnce(&State) -> Result<Plan<T>, RegistryError> + Send,
{
    fn plan(&mut self, state: &State) -> Option<Vec<Record>> {
        let plan = self.plan.take()?;
        match plan(state) {
            Ok(Plan { records, answer }) => {
                self.answer = Some(answer);
                Some(records)
            }
            Err(error) => {
                self.reply(Err(error));
                None
            }
        }
    }

    fn done(mut self: Box<Self>, outcome: Result<(), RegistryError>) {
        if let Some(answer) = self.answer.take() {
            self.reply(outcome.map(|()| answer));
        } else if let Err(error) = outcome {
            self.reply(Err(error));
        }
    }
}

impl Service {
    /// Opens the log, starts the tasks, and returns when everything in the log is applied.
    pub(crate) async fn start(
        state: State,
        storage: Arc<dyn Storage>,
        write_timeout: Duration,
        tasks: &Tasks,
    ) -> Result<Arc<Service>, StorageError> {
        storage.open().await?;
        let (writes, waiting) = mpsc::channel(WRITES_WAITING_MAX);
        let service = Arc::new(Service {
            state: RwLock::new(state),
            storage,
            applied: watch::Sender::new(0),
            writes,
            write_timeout,
            skipped: AtomicU64::new(0),
            cut_off: AtomicBool::new(false),
        });
        let end = service.storage.end().await?;
        let (reader, shutdown) = (Arc::clone(&service), tasks.shutdown());
        tasks.spawn_vital("schemas reader", async move { reader.read(shutdown).await });
        let mut applied = service.applied.subscribe();
        tokio::select! {
            _ = applied.wait_for(|applied| *applied >= end) => {}
            failure = tasks.failed() => return Err(StorageError::Lost(failure.reason)),
        }
        let (writer, shutdown) = (Arc::clone(&service), tasks.shutdown());
        tasks.spawn_vital(
            "schemas writer",
            async move { writer.write_all(waiting, shutdown).await },
        );
        Ok(service)
    }

    /// Asks the state.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&State) -> T) -> T {
        question(&self.state.read())
    }

    /// Plans a write, appends it, and answers when it is applied. A client that goes away leaves the
    /// write to be finished without it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        plan: impl FnOnce(&State) -> Result<Plan<T>, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (reply, answer) = oneshot::channel();
        let planned = Planned { plan: Some(plan), answer: None, reply: Some(reply) };
        let stopped = || RegistryError::Store("the registry is stopping".to_owned());
        self.writes.send(Box::new(planned)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    pub(crate) fn health(&self) -> Health {
        let (subjects, versions) = self.state.read().counts();
        Health {
            subjects,
            versions,
            skipped: self.skipped.load(Ordering::Relaxed),
            applied: *self.applied.borrow(),
            cut_off: self.cut_off.load(Ordering::Relaxed),
        }
    }

    pub(crate) async fn cluster_id(&self) -> Option<String> {
        self.storage.cluster_id().await
    }

    async fn write_all(
        &self,
        mut waiting: mpsc::Receiver<Box<dyn Write>>,
        shutdown: Shutdown,
    ) -> Result<(), StorageError> {
        let mut certain = true;
        loop {
            let next = tokio::select! {
                next = waiting.recv() => next,
                () = shutdown.requested() => None,
            };
            let Some(mut write) = next else {
                return Ok(());
            };
            if !certain {
                match self.catch_up().await {
                    Ok(()) => certain = true,
                    Err(error) => {
                        write.done(Err(refusal(&error)));
                        continue;
                    }
                }
            }
            let planned = write.plan(&self.state.read());
            let Some(records) = planned else { continue };
            let outcome = self.append(&records).await;
            certain = outcome.is_ok();
            if let Err(error) = &outcome {
                tracing::warn!(%error, records = records.len(), "write failed");
            }
            write.done(outcome.map_err(|error| refusal(&error)));
        }
    }

    /// Appends records and waits until they are applied.
    async fn append(&self, records: &[Record]) -> Result<(), StorageError> {
        if records.is_empty() {
            return Ok(());
        }
        let entries = records.iter().map(|record| Entry {
            key: Bytes::from(record.key.encode()),
            value: record.payload.as_ref().map(|value| Bytes::from(value.encode(&record.key))),
        });
        let append = self.storage.append(entries.collect());
        let work = async { self.wait_for(append.await?).await };
        let late = || StorageError::TimedOut("the topic did not answer in time".to_owned());
        tokio::time::timeout(self.write_timeout, work).await.map_err(|_| late())?
    }

    /// Waits until all that is in the log is applied.
    async fn catch_up(&self) -> Result<(), StorageError> {
        let work = async { self.wait_for(self.storage.end().await?).await };
        let late = || StorageError::TimedOut("the topic could not be read in time".to_owned());
        tokio::time::timeout(self.write_timeout, work).await.map_err(|_| late())?
    }

    async fn wait_for(&self, offset: i64) -> Result<(), StorageError> {
        let mut applied = self.applied.subscribe();
        let waited = applied.wait_for(|applied| *applied >= offset).await;
        waited.map(|_| ()).map_err(|_| StorageError::Lost("the reader is gone".to_owned()))
    }

    async fn read(&self, shutdown: Shutdown) -> Result<(), StorageError> {
        let mut pause = RETRY_MIN;
        loop {
            let from = *self.applied.borrow();
            let read = tokio::select! {
                read = self.storage.read(from) => read,
                () = shutdown.requested() => return Ok(()),
            };
            match read {
                Ok(chunk) => {
                    if self.cut_off.swap(false, Ordering::Relaxed) {
                        tracing::info!(from, "topic can be read again");
                    }
                    pause = RETRY_MIN;
                    self.apply(chunk.entries);
                    self.applied.send_replace(chunk.next);
                }
                Err(error @ StorageError::Lost(_)) => return Err(error),
                Err(error) => {
                    if !self.cut_off.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, from, "topic cannot be read, trying again");
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = shutdown.requested() => return Ok(()),
                    }
                    pause = RETRY_MAX.min(pause * 2);
                }
            }
        }
    }

    fn apply(&self, entries: Vec<StoredEntry>) {
        let mut state = self.state.write();
        for entry in entries {
            let (offset, timestamp) = (entry.offset, entry.timestamp);
            match record_of(entry) {
                Ok(Some(record)) => {
                    if let Err(conflict) = state.apply(record, timestamp) {
                        self.skip(offset, &conflict);
                    }
                }
                Ok(None) => {}
                Err(RecordError::UnknownKeyType(kind)) => {
                    self.skipped.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(offset, kind, "record of an unknown kind is left out");
                }
                Err(error @ RecordError::Corrupt(_)) => self.skip(offset, &error),
            }
        }
    }

    fn skip(&self, offset: i64, error: &dyn std::fmt::Display) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
        tracing::error!(offset, %error, "record is left out");
    }
}

/// The record of an entry; none if it says nothing.
fn record_of(entry: StoredEntry) -> Result<Option<Record>, RecordError> {
    let no_key = || RecordError::Corrupt("a record without a key".to_owned());
    let key = Key::decode(&entry.key.ok_or_else(no_key)?)?;
    let payload = match entry.value {
        Some(value) => Some(Payload::decode(&key, &value)?),
        None if key == Key::Noop => return Ok(None),
        None => None,
    };
    Ok(Some(Record { key, payload }))
}

fn refusal(error: &StorageError) -> RegistryError {
    match error {
        StorageError::TooLarge(_) => RegistryError::SchemaTooLarge,
        StorageError::TimedOut(reason) => {
            RegistryError::Timeout(format!("Register operation timed out: {reason}"))
        }
        StorageError::Unavailable(reason) | StorageError::Lost(reason) => RegistryError::Store(
            format!("Register schema operation failed while writing to the Kafka store: {reason}"),
        ),
    }
}
