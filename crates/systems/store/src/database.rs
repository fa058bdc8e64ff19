//! Everything statements run on: schema, rows, prepared statements, and who this node is.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use parking_lot::Mutex;
use tidemill_cql_wire::{Reader, WireWrite};
use tidemill_runtime::World;
use uuid::Uuid;

use crate::config::{CommitlogSync, Config};
use crate::error::CqlError;
use crate::prepared::PreparedStatements;
use crate::query::context::Environment;
use crate::schema::catalog::{Catalog, SYSTEM_SPACE};
use crate::storage::committer::{CommitLogSync, Committer, Poisoned};
use crate::storage::engine::{Durability, Engine, Write};
use crate::storage::fjall_engine::{EngineLimits, FjallEngine};
use crate::storage::purge::Purge;
use crate::storage::writer::Writer;
use crate::system;

/// What drivers may rely on: Cassandra's features of this release.
pub(crate) const RELEASE_VERSION: &str = "5.0.6";
/// The version of the language.
pub(crate) const CQL_VERSION: &str = "3.4.7";
/// The newest protocol.
pub(crate) const NATIVE_PROTOCOL_VERSION: &str = "5";
/// How keys become tokens.
pub(crate) const PARTITIONER: &str = "org.apache.cassandra.dht.Murmur3Partitioner";
/// The name a single Cassandra gives its data centre.
pub(crate) const DATACENTER: &str = "datacenter1";
/// The name a single Cassandra gives its rack.
pub(crate) const RACK: &str = "rack1";

/// Where this node's identity is kept.
const IDENTITY_KEY: &[u8] = b"0identity";
const IDENTITY_VERSION: u8 = 1;
/// Tokens of a node, as Cassandra's `num_tokens`.
const TOKENS: usize = 16;
/// Writers that may work at the same moment, each on its part of the ring.
const WRITE_SHARDS: usize = 16;

/// Who this node is; made once, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Its id.
    pub(crate) host_id: Uuid,
    /// Its tokens.
    pub(crate) tokens: Vec<i64>,
}

/// A connection, as `system_views.clients` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) protocol_version: u8,
    pub(crate) driver_name: Option<String>,
    pub(crate) driver_version: Option<String>,
    pub(crate) keyspace: Option<String>,
    pub(crate) request_count: i64,
}

/// The connections of now.
#[derive(Default)]
pub(crate) struct Clients {
    next: AtomicU64,
    known: Mutex<HashMap<u64, Client>>,
}

impl Clients {
    /// Adds one; the number takes it away again.
    pub(crate) fn add(&self, client: Client) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.known.lock().insert(number, client);
        number
    }

    /// Changes what is known of one.
    pub(crate) fn update(&self, number: u64, change: impl FnOnce(&mut Client)) {
        if let Some(client) = self.known.lock().get_mut(&number) {
            change(client);
        }
    }

    /// It is gone.
    pub(crate) fn remove(&self, number: u64) {
        self.known.lock().remove(&number);
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Client> {
        self.known.lock().values().cloned().collect()
    }
}

/// What statements run on.
pub(crate) struct Database {
    catalog: Catalog,
    writer: Writer,
    committer: Arc<Committer>,
    engine: Arc<dyn Engine>,
    environment: Environment,
    identity: Identity,
    cluster_name: String,
    commitlog_sync: &'static str,
    prepared: PreparedStatements,
    clients: Clients,
    address: Mutex<SocketAddr>,
    started_seconds: AtomicI64,
}

impl Database {
    /// Opens what is in `dir`, or starts anew.
    pub(crate) fn open(config: &Config, dir: &Path, world: &World) -> Result<Database, CqlError> {
        let limits = EngineLimits {
            cache_bytes: config.cache_bytes.0,
            memtable_bytes: config.memtable_bytes.0,
            journal_bytes: config.journal_bytes.0,
        };
        let purge = Arc::new(Purge::new(world.clock.clone()));
        let engine: Arc<dyn Engine> = Arc::new(FjallEngine::open(dir, limits, purge.clone())?);
        engine.create_space(SYSTEM_SPACE)?;
        let identity = identity(&*engine, world)?;
        let catalog = Catalog::open(engine.clone(), system::keyspaces()?, purge)?;
        let (sync, commitlog_sync) = match config.commitlog_sync {
            CommitlogSync::Group => (CommitLogSync::Group, "group"),
            CommitlogSync::Batch => (CommitLogSync::Group, "batch"),
            CommitlogSync::Periodic => {
                (CommitLogSync::Periodic(config.commitlog_sync_period.0), "periodic")
            }
        };
        let committer = Arc::new(Committer::new(engine.clone(), sync));
        let environment = Environment::new(world.clock.clone(), world.random.clone());
        let started_seconds = AtomicI64::new(environment.now_seconds());
        let prepared = PreparedStatements::open(engine.clone(), config.prepared_statements_max)?;
        Ok(Database {
            catalog,
            writer: Writer::new(engine.clone(), committer.clone(), WRITE_SHARDS),
            committer,
            engine,
            environment,
            identity,
            cluster_name: config.cluster_name.clone(),
            commitlog_sync,
            prepared,
            clients: Clients::default(),
            address: Mutex::new(config.listen),
            started_seconds,
        })
    }

    /// The schema.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The way of writes.
    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The thread that makes them durable.
    pub(crate) fn committer(&self) -> &Arc<Committer> {
        &self.committer
    }

    /// The rows.
    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Time and chance.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Who this node is.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What its cluster is called.
    pub(crate) fn cluster_name(&self) -> &str {
        &self.cluster_name
    }

    /// How writes are acknowledged.
    pub(crate) fn commitlog_sync(&self) -> &'static str {
        self.commitlog_sync
    }

    /// The kept statements.
    pub(crate) fn prepared(&self) -> &PreparedStatements {
        &self.prepared
    }

    /// The connections of now.
    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        *self.address.lock()
    }

    /// Says where it listens, once that is known.
    pub(crate) fn set_address(&self, address: SocketAddr) {
        *self.address.lock() = address;
    }

    /// When it started, in seconds since 1970.
    pub(crate) fn started_seconds(&self) -> i32 {
        i32::try_from(self.started_seconds.load(Ordering::Relaxed)).unwrap_or(i32::MAX)
    }

    /// Runs a change while nobody writes and all that was written is durable.
    pub(crate) fn without_writers<R>(
        &self,
        change: impl FnOnce() -> Result<R, CqlError>,
    ) -> Result<R, CqlError> {
        self.writer.alone(change).map_err(|poisoned: Poisoned| CqlError::from(poisoned))?
    }
}

/// The stored identity, or a new one, stored before anybody sees it.
fn identity(engine: &dyn Engine, world: &World) -> Result<Identity, CqlError> {
    if let Some(stored) = engine.get(SYSTEM_SPACE, IDENTITY_KEY)? {
        return decode_identity(stored)
            .ok_or_else(|| CqlError::server("the node's identity cannot be read"));
    }
    let host_id = world.random.uuid();
    // One token in each part of the ring: ranges of about the same length.
    let width = u64::MAX / TOKENS as u64;
    let tokens = (0..TOKENS as u64).map(|part| {
        let at = part * width + world.random.below(width - 2) + 1;
        (at as i64) ^ i64::MIN
    });
    let identity = Identity { host_id, tokens: tokens.collect() };
    let mut out = BytesMut::new();
    out.put_u8(IDENTITY_VERSION);
    out.put_uuid(identity.host_id);
    out.put_count(identity.tokens.len());
    identity.tokens.iter().for_each(|token| out.put_i64(*token));
    let key = Bytes::from_static(IDENTITY_KEY);
    let write = Write { space: SYSTEM_SPACE, key, value: Some(out.freeze()) };
    engine.commit(&[write], Durability::Disk)?;
    Ok(identity)
}

fn decode_identity(stored: Bytes) -> Option<Identity> {
    let mut reader = Reader::new(stored);
    if reader.byte().ok()? != IDENTITY_VERSION {
        return None;
    }
    let host_id = reader.uuid().ok()?;
    let count = reader.short().ok()?;
    let tokens = (0..count).map(|_| reader.long().ok()).collect::<Option<_>>()?;
    Some(Identity { host_id, tokens })
}
