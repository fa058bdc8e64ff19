//! Topics: which there are, by name and by id, and how they come, change and go.
//!
//! Invariants: what the journal does not know does not exist, whatever directories there are; a
//! change is in the journal before anybody sees it. Directories lie directly in the data directory,
//! named `<topic>-<partition>`, as Kafka lays them out.

pub(crate) mod name;
pub(crate) mod settings;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tidemill_kafka_wire::ErrorCode;
use tidemill_log::{Flusher, Log, LogError};
use tidemill_runtime::World;
use uuid::Uuid;

use crate::config::Config;
use crate::error::PartitionError;
use crate::journal::{Event, Journal, TopicRecord};
use crate::partition::Partition;
use settings::{Overrides, TopicSettings};

/// Directories on their way out end so.
const DELETED_SUFFIX: &str = "-delete";

/// A topic.
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    settings: RwLock<Arc<TopicSettings>>,
    partitions: RwLock<Arc<[Arc<Partition>]>>,
}

impl Topic {
    /// Its settings now.
    pub(crate) fn settings(&self) -> Arc<TopicSettings> {
        self.settings.read().clone()
    }

    /// Its partitions now, by index.
    pub(crate) fn partitions(&self) -> Arc<[Arc<Partition>]> {
        self.partitions.read().clone()
    }

    /// One partition.
    pub(crate) fn partition(&self, index: i32) -> Result<Arc<Partition>, PartitionError> {
        let index = usize::try_from(index).map_err(|_| PartitionError::Unknown)?;
        self.partitions.read().get(index).cloned().ok_or(PartitionError::Unknown)
    }

    /// Whether the broker keeps its own records in it.
    pub(crate) fn is_internal(&self) -> bool {
        [name::OFFSETS_TOPIC, name::TRANSACTIONS_TOPIC].contains(&self.name.as_str())
    }
}

/// Why a topic was not created, changed or deleted: a code and a sentence for people.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refused {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Refused {
        Refused { code, message: message.into() }
    }

    fn storage(error: &LogError) -> Refused {
        Refused::new(ErrorCode::KafkaStorageError, error.to_string())
    }

    fn unknown(name: &str) -> Refused {
        let message = format!("there is no topic '{name}'");
        Refused::new(ErrorCode::UnknownTopicOrPartition, message)
    }
}

/// All topics.
pub(crate) struct Topics {
    dir: PathBuf,
    config: Config,
    world: World,
    flusher: Arc<Flusher>,
    journal: Arc<Journal>,
    index: RwLock<Index>,
    /// Held while a topic comes, changes or goes.
    changes: Mutex<()>,
}

#[derive(Default)]
struct Index {
    by_name: BTreeMap<String, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
    partitions: usize,
}

impl Index {
    fn add(&mut self, topic: Arc<Topic>) {
        self.partitions += topic.partitions().len();
        self.by_id.insert(topic.id, topic.clone());
        self.by_name.insert(topic.name.clone(), topic);
    }
}

impl Topics {
    /// Opens the logs of all topics the journal knows; blocking. A log that does not open leaves its
    /// partition offline.
    pub(crate) fn open(
        dir: PathBuf,
        config: Config,
        world: World,
        flusher: Arc<Flusher>,
        journal: Arc<Journal>,
    ) -> Topics {
        let (index, changes) = (RwLock::default(), Mutex::new(()));
        let topics = Topics { dir, config, world, flusher, journal, index, changes };
        topics.remove_leftovers();
        for (id, record) in topics.journal.metadata().topics {
            let settings = TopicSettings::new(record.settings, &topics.config);
            let open = |p| topics.open_partition(&record.name, id, p, &settings);
            let partitions = (0..record.partitions).map(open).collect();
            let topic = topics.assemble(record.name.clone(), id, settings, partitions);
            topics.index.write().add(topic);
        }
        topics
    }

    /// A topic by name.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Topic>> {
        self.index.read().by_name.get(name).cloned()
    }

    /// A topic by id.
    pub(crate) fn with_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.index.read().by_id.get(&id).cloned()
    }

    /// All topics, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.index.read().by_name.values().cloned().collect()
    }

    /// Judges a topic that someone wants: its name, its number of partitions, its settings.
    pub(crate) fn judge(
        &self,
        name: &str,
        partitions: i32,
        overrides: &Overrides,
    ) -> Result<(), Refused> {
        name::check(name)
            .map_err(|reason| Refused::new(ErrorCode::InvalidTopicException, reason))?;
        let index = self.index.read();
        if index.by_name.contains_key(name) {
            let message = format!("topic '{name}' exists already");
            return Err(Refused::new(ErrorCode::TopicAlreadyExists, message));
        }
        if let Some(other) = index.by_name.keys().find(|other| name::collide(other, name)) {
            let message =
                format!("topic '{name}' collides with '{other}': '.' and '_' count as one");
            return Err(Refused::new(ErrorCode::InvalidTopicException, message));
        }
        if partitions < 1 {
            let message = format!("a topic has at least one partition, not {partitions}");
            return Err(Refused::new(ErrorCode::InvalidPartitions, message));
        }
        self.judge_room(&index, partitions)?;
        for (key, value) in overrides {
            settings::check(key, value)
                .map_err(|reason| Refused::new(ErrorCode::InvalidConfig, reason))?;
        }
        Ok(())
    }

    fn judge_room(&self, index: &Index, more: i32) -> Result<(), Refused> {
        let max = self.config.partitions_max;
        if index.partitions.saturating_add(usize::try_from(more).unwrap_or(0)) > max {
            let message = format!("this broker takes {max} partitions in all (partitions_max)");
            return Err(Refused::new(ErrorCode::PolicyViolation, message));
        }
        Ok(())
    }

    /// Makes a topic; blocking.
    pub(crate) fn create(
        &self,
        name: &str,
        partitions: i32,
        overrides: Overrides,
    ) -> Result<Arc<Topic>, Refused> {
        let _one_at_a_time = self.changes.lock();
        self.judge(name, partitions, &overrides)?;
        let id = self.new_id();
        let settings = TopicSettings::new(overrides.clone(), &self.config);
        let logs = self.make_logs(name, id, 0..partitions, &settings)?;
        let record = TopicRecord { name: name.to_owned(), partitions, settings: overrides };
        if let Err(error) = self.journal.commit(Event::TopicCreated { id, topic: record }) {
            self.remove_dirs(name, &logs);
            return Err(Refused::storage(&error));
        }
        let topic = self.assemble(name.to_owned(), id, settings, logs);
        self.index.write().add(topic.clone());
        tracing::info!(topic = name, %id, partitions, "topic created");
        Ok(topic)
    }

    /// Removes a topic with its records; blocking.
    pub(crate) fn delete(&self, topic: &Topic) -> Result<(), Refused> {
        let _one_at_a_time = self.changes.lock();
        if self.with_id(topic.id).is_none() {
            return Err(Refused::unknown(&topic.name));
        }
        self.journal
            .commit(Event::TopicDeleted { id: topic.id })
            .map_err(|error| Refused::storage(&error))?;
        let partitions = topic.partitions();
        let mut index = self.index.write();
        index.by_id.remove(&topic.id);
        index.by_name.remove(&topic.name);
        index.partitions -= partitions.len();
        drop(index);
        self.remove_dirs(&topic.name, &partitions);
        tracing::info!(topic = topic.name, id = %topic.id, "topic deleted");
        Ok(())
    }

    /// Gives a topic more partitions, `count` in all; blocking. `validate_only`: judges, no more.
    pub(crate) fn grow(
        &self,
        topic: &Topic,
        count: i32,
        validate_only: bool,
    ) -> Result<(), Refused> {
        let _one_at_a_time = self.changes.lock();
        let before = topic.partitions();
        let have = i32::try_from(before.len()).unwrap_or(i32::MAX);
        if count <= have {
            let message =
                format!("topic '{}' has {have} partitions, not fewer than {count}", topic.name);
            return Err(Refused::new(ErrorCode::InvalidPartitions, message));
        }
        self.judge_room(&self.index.read(), count - have)?;
        if validate_only {
            return Ok(());
        }
        let added = self.make_logs(&topic.name, topic.id, have..count, &topic.settings())?;
        let event = Event::PartitionsAdded { id: topic.id, partitions: count };
        if let Err(error) = self.journal.commit(event) {
            self.remove_dirs(&topic.name, &added);
            return Err(Refused::storage(&error));
        }
        self.index.write().partitions += added.len();
        *topic.partitions.write() = before.iter().cloned().chain(added).collect();
        Ok(())
    }

    /// Gives a topic other settings, all of them; blocking.
    pub(crate) fn configure(&self, topic: &Topic, overrides: Overrides) -> Result<(), Refused> {
        let _one_at_a_time = self.changes.lock();
        let event = Event::TopicConfigured { id: topic.id, settings: overrides.clone() };
        self.journal.commit(event).map_err(|error| Refused::storage(&error))?;
        let settings = TopicSettings::new(overrides, &self.config);
        for partition in topic.partitions().iter() {
            partition.configure(settings.log.clone());
        }
        *topic.settings.write() = Arc::new(settings);
        Ok(())
    }

    /// Syncs and closes all logs in order; blocking.
    pub(crate) fn close(&self) {
        for topic in self.all() {
            for partition in topic.partitions().iter() {
                if let Err(error) = partition.close() {
                    let index = partition.index;
                    tracing::error!(topic = topic.name, partition = index, %error, "not closed");
                }
            }
        }
    }

    /// Where the partitions' directories are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn assemble(
        &self,
        name: String,
        id: Uuid,
        settings: TopicSettings,
        partitions: Vec<Arc<Partition>>,
    ) -> Arc<Topic> {
        let settings = RwLock::new(Arc::new(settings));
        Arc::new(Topic { name, id, settings, partitions: RwLock::new(partitions.into()) })
    }

    /// Kafka's own ids are reserved, and its tools dislike a leading dash in the text form.
    fn new_id(&self) -> Uuid {
        loop {
            let id = self.world.random.uuid();
            if id.as_u128() > 100 && id.as_bytes()[0] >> 2 != 62 {
                return id;
            }
        }
    }

    fn partition_dir(&self, name: &str, index: i32) -> PathBuf {
        self.dir.join(format!("{name}-{index}"))
    }

    fn open_partition(
        &self,
        name: &str,
        id: Uuid,
        index: i32,
        settings: &TopicSettings,
    ) -> Arc<Partition> {
        let dir = self.partition_dir(name, index);
        let opened = Log::open(&dir, settings.log.clone(), &self.world, &self.flusher);
        let log = opened.and_then(|(log, recovery)| {
            if recovery.truncated_bytes > 0 {
                let bytes = recovery.truncated_bytes;
                tracing::warn!(
                    topic = name,
                    partition = index,
                    bytes,
                    "torn end of the log was cut"
                );
            }
            if log.topic_id().is_none() {
                log.write_topic_id(id.into_bytes())?;
            }
            Ok(log)
        });
        if let Err(error) = &log {
            tracing::error!(topic = name, partition = index, %error, "partition is offline");
        }
        let (disk, now_ms) = (self.world.disk.clone(), self.world.clock.now_ms());
        Arc::new(Partition::new(index, log, disk, now_ms))
    }

    /// New logs, in directories that hold nothing yet.
    fn make_logs(
        &self,
        name: &str,
        id: Uuid,
        indexes: std::ops::Range<i32>,
        settings: &TopicSettings,
    ) -> Result<Vec<Arc<Partition>>, Refused> {
        let mut made = Vec::new();
        for index in indexes {
            // The journal does not know it, so nobody was ever told of a record in it.
            self.remove_dir(&self.partition_dir(name, index));
            let partition = self.open_partition(name, id, index, settings);
            let opened = partition.start_offset();
            made.push(partition);
            if let Err(error) = opened {
                self.remove_dirs(name, &made);
                return Err(Refused::new(ErrorCode::KafkaStorageError, error.to_string()));
            }
        }
        Ok(made)
    }

    fn remove_dirs(&self, name: &str, partitions: &[Arc<Partition>]) {
        for partition in partitions {
            partition.abandon();
            self.remove_dir(&self.partition_dir(name, partition.index));
        }
    }

    /// Removes a directory under another name, so that a topic of the same name can come at once.
    fn remove_dir(&self, dir: &Path) {
        let disk = &self.world.disk;
        if !disk.exists(dir) {
            return;
        }
        let id = self.world.random.uuid().simple();
        let aside = PathBuf::from(format!("{}.{id}{DELETED_SUFFIX}", dir.display()));
        let removed = disk.rename(dir, &aside).and_then(|()| disk.remove_dir_all(&aside));
        if let Err(error) = removed {
            // A start tries again.
            tracing::warn!(dir = %dir.display(), %error, "a deleted partition is still on the disk");
        }
    }

    fn remove_leftovers(&self) {
        for entry in self.world.disk.list(&self.dir).unwrap_or_default() {
            if entry.is_dir && entry.name.ends_with(DELETED_SUFFIX) {
                let path = self.dir.join(&entry.name);
                if let Err(error) = self.world.disk.remove_dir_all(&path) {
                    tracing::warn!(dir = %path.display(), %error, "cannot remove a deleted partition");
                }
            }
        }
    }
}
