//! What the broker itself must not forget: topics with their ids, partitions and settings, and how
//! far producer ids are given out.
//!
//! A log of events in `<data dir>/metadata`, in the same format as every other log; each value is
//! one JSON object with the format's version. An event is synced before anybody is told of it. In
//! place of Kafka's `__cluster_metadata`.

use std::collections::BTreeMap;
use std::path::Path;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression};
use tidemill_log::{Flusher, Log, LogConfig, LogError};
use tidemill_runtime::World;
use uuid::Uuid;

use crate::error::StartError;
use crate::topics::settings::Overrides;

/// Version of the events' format.
const FORMAT: u32 = 1;
/// Bytes of events beyond which a start writes one snapshot in their place.
const EVENT_BYTES_MAX: u64 = 4 << 20;
/// Bytes read at once at the start.
const READ_BYTES: usize = 1 << 20;

/// A change, on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(crate) enum Event {
    /// A topic was created.
    TopicCreated { id: Uuid, topic: TopicRecord },
    /// A topic was deleted.
    TopicDeleted { id: Uuid },
    /// A topic has so many partitions now.
    PartitionsAdded { id: Uuid, partitions: i32 },
    /// A topic has these settings now.
    TopicConfigured { id: Uuid, settings: Overrides },
    /// Producer ids below this one may have been given out.
    ProducerIdsReserved { below: i64 },
    /// All of it, in place of the events before.
    Snapshot { metadata: Metadata },
}

/// What the events come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) topics: BTreeMap<Uuid, TopicRecord>,
    pub(crate) producer_ids_below: i64,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TopicRecord {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    pub(crate) settings: Overrides,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u32,
    #[serde(flatten)]
    event: Event,
}

impl Metadata {
    fn apply(&mut self, event: Event) {
        match event {
            Event::TopicCreated { id, topic } => {
                self.topics.insert(id, topic);
            }
            Event::TopicDeleted { id } => {
                self.topics.remove(&id);
            }
            Event::PartitionsAdded { id, partitions } => {
                if let Some(topic) = self.topics.get_mut(&id) {
                    topic.partitions = partitions;
                }
            }
            Event::TopicConfigured { id, settings } => {
                if let Some(topic) = self.topics.get_mut(&id) {
                    topic.settings = settings;
                }
            }
            Event::ProducerIdsReserved { below } => self.producer_ids_below = below,
            Event::Snapshot { metadata } => *self = metadata,
        }
    }
}

/// The log of events.
pub(crate) struct Journal {
    log: Log,
    world: World,
    metadata: Mutex<Metadata>,
}

impl Journal {
    /// Reads what is there; blocking.
    pub(crate) fn open(
        dir: &Path,
        world: &World,
        flusher: &Flusher,
    ) -> Result<Journal, StartError> {
        let failed = |source| StartError::Log { dir: dir.to_owned(), source };
        let config = LogConfig {
            segment_bytes: EVENT_BYTES_MAX,
            retention_ms: None,
            preallocate_bytes: 0,
            ..LogConfig::default()
        };
        let (log, recovery) = Log::open(dir, config, world, flusher).map_err(failed)?;
        if recovery.truncated_bytes > 0 {
            tracing::warn!(
                bytes = recovery.truncated_bytes,
                "torn end of the metadata log was cut"
            );
        }
        let unreadable = |reason| StartError::Unreadable { path: dir.to_owned(), reason };
        let metadata = replay(&log, unreadable, failed)?;
        let journal = Journal { log, world: world.clone(), metadata: Mutex::new(metadata) };
        journal.shorten().map_err(failed)?;
        Ok(journal)
    }

    /// What all events so far come to.
    pub(crate) fn metadata(&self) -> Metadata {
        self.metadata.lock().clone()
    }

    /// Makes an event durable; blocking. After an error it did not happen.
    pub(crate) fn commit(&self, event: Event) -> Result<(), LogError> {
        let mut metadata = self.metadata.lock();
        self.append(&event)?;
        metadata.apply(event);
        Ok(())
    }

    /// Syncs and closes the log in order; blocking.
    pub(crate) fn close(&self) -> Result<(), LogError> {
        self.log.close()
    }

    fn append(&self, event: &Event) -> Result<i64, LogError> {
        let envelope = Envelope { version: FORMAT, event: event.clone() };
        let json = serde_json::to_vec(&envelope).expect("maps with string keys have a JSON form");
        let mut batch = BatchBuilder::new(Compression::None);
        batch.push(self.world.clock.now_ms(), None, Some(&json), &[]);
        let appended = self.log.append(&mut batch.build().to_vec(), 0)?;
        self.log.flush()?;
        Ok(appended.base_offset)
    }

    /// Puts a snapshot in place of many events.
    fn shorten(&self) -> Result<(), LogError> {
        if self.log.size_bytes() > EVENT_BYTES_MAX {
            let snapshot = self.append(&Event::Snapshot { metadata: self.metadata() })?;
            self.log.delete_records_before(snapshot)?;
        }
        Ok(())
    }
}

fn replay(
    log: &Log,
    unreadable: impl Fn(String) -> StartError,
    failed: impl Fn(LogError) -> StartError,
) -> Result<Metadata, StartError> {
    let mut metadata = Metadata::default();
    let mut next = log.start_offset();
    loop {
        let slice = log.read(next, READ_BYTES, true).map_err(&failed)?;
        if slice.is_empty() {
            return Ok(metadata);
        }
        for record in records::decode(&slice.bytes().map_err(&failed)?) {
            let record = record.map_err(|error| unreadable(error.to_string()))?;
            next = record.offset + 1;
            let json = record.value.unwrap_or_default();
            let envelope: Envelope = serde_json::from_slice(&json)
                .map_err(|error| unreadable(format!("event {}: {error}", record.offset)))?;
            if envelope.version > FORMAT {
                let version = envelope.version;
                return Err(unreadable(format!("format {version} is of a later release")));
            }
            metadata.apply(envelope.event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(name: &str) -> Event {
        let topic =
            TopicRecord { name: name.into(), partitions: 1, settings: Overrides::default() };
        Event::TopicCreated { id: Uuid::from_u128(name.len() as u128), topic }
    }

    #[test]
    fn what_was_committed_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (world, settings) = (World::real(), Overrides::from([("a".into(), "b".into())]));
        let flusher = Flusher::start(&world).unwrap();
        let open = || Journal::open(&dir.path().join("metadata"), &world, &flusher).unwrap();
        let journal = open();
        let id = Uuid::from_u128(1);
        for event in [
            created("a"),
            created("bb"),
            Event::PartitionsAdded { id, partitions: 3 },
            Event::TopicConfigured { id, settings: settings.clone() },
            Event::TopicDeleted { id: Uuid::from_u128(2) },
            Event::ProducerIdsReserved { below: 1000 },
        ] {
            journal.commit(event).unwrap();
        }
        let before = journal.metadata();
        journal.close().unwrap();
        drop(journal);
        let after = open().metadata();
        assert_eq!(after, before);
        assert_eq!(after.topics[&id], TopicRecord { name: "a".into(), partitions: 3, settings });
        assert_eq!((after.topics.len(), after.producer_ids_below), (1, 1000));
    }
}
