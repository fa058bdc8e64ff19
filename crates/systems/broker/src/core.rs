//! What all requests share.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tidemill_kafka_wire::ErrorCode;
use tidemill_log::{Flusher, LogError};
use tidemill_runtime::{DirLock, Tasks, World};
use uuid::Uuid;

use crate::cleaner::Cleaner;
use crate::config::Config;
use crate::error::StartError;
use crate::fetch_sessions::FetchSessions;
use crate::group::Groups;
use crate::group::store::Store;
use crate::journal::{Event, Journal};
use crate::topics::name::{OFFSETS_TOPIC, TRANSACTIONS_TOPIC};
use crate::topics::settings::Overrides;
use crate::topics::{Topic, Topics};
use crate::transactions::Transactions;

/// This broker's number: it is the only one.
pub(crate) const NODE_ID: i32 = 1;
/// Producer ids reserved in one step, as in Kafka.
const PRODUCER_ID_BLOCK: i64 = 1000;
/// Segments of the broker's own topics: what is being written to cannot be compacted.
const OWN_SEGMENT_BYTES: u32 = 16 << 20;

/// The broker without its sockets.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) tasks: Tasks,
    pub(crate) cluster_id: String,
    pub(crate) topics: Arc<Topics>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) cleaner: Cleaner,
    journal: Arc<Journal>,
    flusher: Arc<Flusher>,
    producer_ids: Mutex<ProducerIds>,
    groups: Arc<Groups>,
    pub(crate) transactions: Transactions,
    /// Held while one of the broker's own topics is made.
    making_topics: Mutex<()>,
    _held: DirLock,
}

struct ProducerIds {
    next: i64,
    /// Ids below this one are reserved in the journal.
    below: i64,
}

impl Core {
    /// Opens everything in the data directory; blocking.
    pub(crate) fn open(
        config: Config,
        dir: PathBuf,
        world: World,
        tasks: Tasks,
    ) -> Result<Core, StartError> {
        let held = take_dir(&dir, &world)?;
        let cluster_id = cluster_id(&dir, &world)?;
        let flusher = Flusher::start(&world).map_err(|source| StartError::Dir {
            dir: dir.clone(),
            action: "start the threads that sync",
            source,
        })?;
        let flusher = Arc::new(flusher);
        let journal = Arc::new(Journal::open(&dir.join("metadata"), &world, &flusher)?);
        let below = journal.metadata().producer_ids_below;
        let cleaner = Cleaner::open(dir.clone(), world.clone());
        let topics =
            Topics::open(dir, config.clone(), world.clone(), flusher.clone(), journal.clone());
        let groups = Arc::new(Groups::new(&config, world.clone()));
        if let Some(topic) = topics.named(OFFSETS_TOPIC) {
            load_groups(&groups, &topic, topics.dir())?;
        }
        let transactions = Transactions::new(&config, world.clone());
        if let Some(topic) = topics.named(TRANSACTIONS_TOPIC) {
            load_transactions(&transactions, &topic, topics.dir())?;
        }
        Ok(Core {
            config,
            world,
            tasks,
            cluster_id,
            topics: Arc::new(topics),
            fetch_sessions: FetchSessions::default(),
            cleaner,
            journal,
            flusher,
            producer_ids: Mutex::new(ProducerIds { next: below, below }),
            groups,
            transactions,
            making_topics: Mutex::new(()),
            _held: held,
        })
    }

    /// A producer id nobody was given before; blocking.
    pub(crate) fn new_producer_id(&self) -> Result<i64, LogError> {
        let mut ids = self.producer_ids.lock();
        if ids.next == ids.below {
            let below = ids.below + PRODUCER_ID_BLOCK;
            self.journal.commit(Event::ProducerIdsReserved { below })?;
            ids.below = below;
        }
        ids.next += 1;
        Ok(ids.next - 1)
    }

    /// The groups. At the first question their topic is made, which blocks for a moment.
    pub(crate) fn groups(&self) -> Result<&Arc<Groups>, ErrorCode> {
        if !self.groups.is_ready() {
            let _one_at_a_time = self.making_topics.lock();
            if !self.groups.is_ready() {
                self.make_groups().map_err(|reason| {
                    tracing::error!(reason, "__consumer_offsets cannot be made");
                    ErrorCode::CoordinatorNotAvailable
                })?;
            }
        }
        Ok(&self.groups)
    }

    /// The transactional ids. At the first question their topic is made, which blocks for a moment.
    pub(crate) fn transactions(&self) -> Result<&Transactions, ErrorCode> {
        if !self.transactions.is_ready() {
            let _one_at_a_time = self.making_topics.lock();
            if !self.transactions.is_ready() {
                self.make_transactions().map_err(|reason| {
                    tracing::error!(reason, "__transaction_state cannot be made");
                    ErrorCode::CoordinatorNotAvailable
                })?;
            }
        }
        Ok(&self.transactions)
    }

    fn make_transactions(&self) -> Result<(), String> {
        let topic = self.make_own(TRANSACTIONS_TOPIC)?;
        load_transactions(&self.transactions, &topic, self.topics.dir())
            .map_err(|error| error.to_string())
    }

    /// Makes one of the broker's own topics.
    fn make_own(&self, name: &str) -> Result<Arc<Topic>, String> {
        let overrides = Overrides::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("compression.type".to_owned(), "producer".to_owned()),
            ("segment.bytes".to_owned(), OWN_SEGMENT_BYTES.to_string()),
        ]);
        self.topics.create(name, 1, overrides).map_err(|refused| refused.to_string())
    }

    fn make_groups(&self) -> Result<(), String> {
        let topic = self.make_own(OFFSETS_TOPIC)?;
        load_groups(&self.groups, &topic, self.topics.dir()).map_err(|error| error.to_string())
    }

    /// The groups that members or commits have made so far; none if nobody ever asked.
    pub(crate) fn existing_groups(&self) -> &Arc<Groups> {
        &self.groups
    }

    /// Removes what is older than it has to be kept; blocking.
    pub(crate) fn clean(&self) {
        let now_ms = self.world.clock.now_ms();
        let silent_ms = millis(self.config.producer_id_expiration.0);
        self.groups.clean();
        self.transactions.clean();
        for topic in self.topics.all() {
            for partition in topic.partitions().iter() {
                let (topic, partition_index) = (&topic.name, partition.index);
                match partition.clean(now_ms, silent_ms) {
                    Ok(0) => {}
                    Ok(segments) => {
                        tracing::info!(topic, partition_index, segments, "old segments removed");
                    }
                    Err(error) => {
                        tracing::warn!(topic, partition_index, %error, "retention not applied");
                    }
                }
            }
        }
    }

    /// Syncs and closes all logs in order; blocking.
    pub(crate) fn close(&self) {
        self.topics.close();
        if let Err(error) = self.journal.close() {
            tracing::error!(%error, "metadata log not closed");
        }
        self.flusher.stop();
    }
}

fn load_groups(groups: &Groups, topic: &Topic, dir: &Path) -> Result<(), StartError> {
    let partition = topic.partition(0);
    partition.and_then(|partition| groups.load(Store::new(partition))).map_err(|error| {
        let path = dir.join(format!("{OFFSETS_TOPIC}-0"));
        StartError::Unreadable { path, reason: error.to_string() }
    })
}

fn load_transactions(
    transactions: &Transactions,
    topic: &Topic,
    dir: &Path,
) -> Result<(), StartError> {
    let partition = topic.partition(0);
    partition.and_then(|partition| transactions.load(partition)).map_err(|error| {
        let path = dir.join(format!("{TRANSACTIONS_TOPIC}-0"));
        StartError::Unreadable { path, reason: error.to_string() }
    })
}

/// A duration as Kafka's milliseconds.
pub(crate) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn take_dir(dir: &Path, world: &World) -> Result<DirLock, StartError> {
    let failed = |action| move |source| StartError::Dir { dir: dir.to_owned(), action, source };
    make_dir(dir, world).map_err(failed("make the data directory"))?;
    world.disk.lock_dir(dir).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => StartError::InUse { dir: dir.to_owned() },
        _ => failed("take the lock")(error),
    })
}

/// Makes a directory whose name, and those above it that had to be made, survive a power cut.
fn make_dir(dir: &Path, world: &World) -> io::Result<()> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !world.disk.exists(path);
    let made: Vec<&Path> = dir.ancestors().take_while(missing).collect();
    world.disk.create_dir_all(dir)?;
    let sync_parent = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => world.disk.sync_dir(Path::new(".")),
        Some(parent) => world.disk.sync_dir(parent),
        None => Ok(()),
    };
    if made.is_empty() {
        // An earlier start may have died between the two. One that did not left nothing to do, also
        // where the parent may not be opened.
        let _ = sync_parent(dir);
    }
    made.into_iter().try_for_each(sync_parent)
}

/// The cluster's id in `meta.properties`, where Kafka keeps it; made up at the first start.
fn cluster_id(dir: &Path, world: &World) -> Result<String, StartError> {
    let path = dir.join("meta.properties");
    let failed = |source| StartError::Dir {
        dir: dir.to_owned(),
        action: "read or write meta.properties",
        source,
    };
    if !world.disk.exists(&path) {
        let (cluster, directory) = (text_id(world.random.uuid()), text_id(world.random.uuid()));
        let content = format!(
            "version=1\ncluster.id={cluster}\nnode.id={NODE_ID}\ndirectory.id={directory}\n"
        );
        world.disk.replace(&path, content.as_bytes()).map_err(failed)?;
        return Ok(cluster);
    }
    let content = world.disk.read(&path).map_err(failed)?;
    let content = String::from_utf8_lossy(&content);
    let value = content.lines().find_map(|line| line.strip_prefix("cluster.id="));
    match value.map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => Ok(id.to_owned()),
        None => Err(StartError::Unreadable { path, reason: "there is no cluster.id".to_owned() }),
    }
}

/// A UUID in the form Kafka prints it: 22 characters of URL-safe base64.
pub(crate) fn text_id(id: Uuid) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 128 bits and four zeros make 22 digits of six bits.
    let digit = |n: u32| {
        let bits = if n == 21 { id.as_u128() << 4 } else { id.as_u128() >> (122 - 6 * n) };
        char::from(DIGITS[(bits & 0x3f) as usize])
    };
    (0..22).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_printed_as_kafka_prints_it() {
        let id = Uuid::from_bytes(*b"2E78EBA57052D436");
        assert_eq!(text_id(id), "MkU3OEVCQTU3MDUyRDQzNg");
        assert_eq!(text_id(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
    }
}
