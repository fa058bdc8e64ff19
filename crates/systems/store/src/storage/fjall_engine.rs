//! The engine on disk: fjall, one of its keyspaces per space, one journal for all of them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fjall::compaction::filter::{CompactionFilter, Context, Factory, ItemAccessor, Verdict};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use parking_lot::RwLock;

use super::engine::{Durability, Engine, EngineError, Entries, SpaceId, Write};
use super::purge::Purge;

/// The smallest journal fjall takes: 64 MiB.
const JOURNAL_BYTES_MIN: u64 = 64 << 20;
/// Open files kept for reading.
const FILES_MAX: usize = 256;
/// Threads that flush and compact.
const WORKERS: usize = 1;

/// How much memory and disk the engine may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineLimits {
    /// Blocks kept in memory.
    pub(crate) cache_bytes: u64,
    /// A table's rows in memory before they are flushed.
    pub(crate) memtable_bytes: u64,
    /// All journals together.
    pub(crate) journal_bytes: u64,
}

/// Drops what is dead while tables are compacted.
struct PurgeFactory {
    space: SpaceId,
    purge: Arc<Purge>,
}

/// A panic in a filter ends the compaction; nothing of the purge is half changed by it.
impl std::panic::RefUnwindSafe for PurgeFactory {}

impl Factory for PurgeFactory {
    fn name(&self) -> &str {
        "purge"
    }

    fn make_filter(&self, _context: &Context) -> Box<dyn CompactionFilter> {
        Box::new(PurgeFilter { space: self.space, purge: self.purge.clone() })
    }
}

struct PurgeFilter {
    space: SpaceId,
    purge: Arc<Purge>,
}

impl CompactionFilter for PurgeFilter {
    fn filter_item(
        &mut self,
        item: ItemAccessor<'_>,
        _context: &Context,
    ) -> fjall::compaction::filter::CompactionFilterResult {
        let value = item.value()?;
        // Removing leaves a tombstone: an older version further down does not come back.
        Ok(match self.purge.is_dead(self.space, item.key(), &value) {
            true => Verdict::Remove,
            false => Verdict::Keep,
        })
    }
}

/// An LSM tree per space.
pub(crate) struct FjallEngine {
    database: Database,
    limits: EngineLimits,
    spaces: RwLock<HashMap<SpaceId, Keyspace>>,
}

fn storage(error: fjall::Error) -> EngineError {
    EngineError::Storage(error.to_string())
}

impl FjallEngine {
    /// Opens or makes the database in `dir`. What a crash left half done is cut off.
    pub(crate) fn open(
        dir: &Path,
        limits: EngineLimits,
        purge: Arc<Purge>,
    ) -> Result<FjallEngine, EngineError> {
        let filter = move |name: &str| -> Option<Arc<dyn Factory>> {
            let space = SpaceId::try_parse(name).ok()?;
            Some(Arc::new(PurgeFactory { space, purge: purge.clone() }))
        };
        let database = Database::builder(dir)
            .cache_size(limits.cache_bytes)
            .max_cached_files(Some(FILES_MAX))
            .max_journaling_size(limits.journal_bytes.max(JOURNAL_BYTES_MIN))
            .worker_threads(WORKERS)
            .manual_journal_persist(true)
            .with_compaction_filter_factories(Arc::new(filter))
            .open()
            .map_err(storage)?;
        let engine = FjallEngine { database, limits, spaces: RwLock::default() };
        for name in engine.database.list_keyspace_names() {
            if let Ok(space) = SpaceId::try_parse(&name) {
                engine.create_space(space)?;
            }
        }
        Ok(engine)
    }

    /// Writes everything out and compacts it, for tests that wait for what compaction does.
    #[cfg(test)]
    pub(crate) fn compact(&self, space: SpaceId) -> Result<(), EngineError> {
        let keyspace = self.space(space)?;
        keyspace.rotate_memtable_and_wait().map_err(storage)?;
        keyspace.major_compact().map_err(storage)
    }

    fn space(&self, space: SpaceId) -> Result<Keyspace, EngineError> {
        self.spaces.read().get(&space).cloned().ok_or(EngineError::NoSpace(space))
    }
}

impl Engine for FjallEngine {
    fn create_space(&self, space: SpaceId) -> Result<(), EngineError> {
        let options =
            || KeyspaceCreateOptions::default().max_memtable_size(self.limits.memtable_bytes);
        let keyspace =
            self.database.keyspace(&space.simple().to_string(), options).map_err(storage)?;
        self.spaces.write().insert(space, keyspace);
        Ok(())
    }

    fn drop_space(&self, space: SpaceId) -> Result<(), EngineError> {
        let Some(keyspace) = self.spaces.write().remove(&space) else { return Ok(()) };
        self.database.delete_keyspace(keyspace).map_err(storage)
    }

    fn spaces(&self) -> Vec<SpaceId> {
        self.spaces.read().keys().copied().collect()
    }

    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let found = self.space(space)?.get(key).map_err(storage)?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn range(
        &self,
        space: SpaceId,
        start: &[u8],
        end: &[u8],
        reverse: bool,
    ) -> Result<Entries<'_>, EngineError> {
        if start >= end {
            return Ok(Box::new(std::iter::empty()));
        }
        let entries = self.space(space)?.range(start.to_vec()..end.to_vec());
        let read = |entry: fjall::Guard| {
            let (key, value) = entry.into_inner().map_err(storage)?;
            Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
        };
        Ok(if reverse { Box::new(entries.rev().map(read)) } else { Box::new(entries.map(read)) })
    }

    fn commit(&self, writes: &[Write], durability: Durability) -> Result<(), EngineError> {
        let mode = match durability {
            Durability::Buffer => PersistMode::Buffer,
            Durability::Disk => PersistMode::SyncData,
        };
        let mut batch = self.database.batch().durability(Some(mode));
        for write in writes {
            // A dropped table's last writes have nowhere to go, and nobody to miss them.
            let Ok(keyspace) = self.space(write.space) else { continue };
            match &write.value {
                Some(value) => batch.insert(&keyspace, &write.key[..], &value[..]),
                None => batch.remove(&keyspace, &write.key[..]),
            }
        }
        batch.commit().map_err(storage)
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.database.persist(PersistMode::SyncData).map_err(storage)
    }

    fn disk_bytes(&self, space: SpaceId) -> u64 {
        self.space(space).map_or(0, |keyspace| keyspace.disk_space())
    }
}
