//! An engine in memory, for tests: it can be told to fail.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;

use super::engine::{Durability, Engine, EngineError, Entries, SpaceId, Write};

/// Keys in a map.
#[derive(Default)]
pub(crate) struct MemoryEngine {
    spaces: RwLock<HashMap<SpaceId, BTreeMap<Bytes, Bytes>>>,
    /// Commits fail from now on.
    pub(crate) fails: AtomicBool,
    /// Commits so far.
    pub(crate) commits: AtomicUsize,
}

impl Engine for MemoryEngine {
    fn create_space(&self, space: SpaceId) -> Result<(), EngineError> {
        self.spaces.write().entry(space).or_default();
        Ok(())
    }

    fn drop_space(&self, space: SpaceId) -> Result<(), EngineError> {
        self.spaces.write().remove(&space);
        Ok(())
    }

    fn spaces(&self) -> Vec<SpaceId> {
        self.spaces.read().keys().copied().collect()
    }

    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let spaces = self.spaces.read();
        Ok(spaces.get(&space).ok_or(EngineError::NoSpace(space))?.get(key).cloned())
    }

    fn range(
        &self,
        space: SpaceId,
        start: &[u8],
        end: &[u8],
        reverse: bool,
    ) -> Result<Entries<'_>, EngineError> {
        let spaces = self.spaces.read();
        let map = spaces.get(&space).ok_or(EngineError::NoSpace(space))?;
        let mut found: Vec<_> = map
            .range(Bytes::copy_from_slice(start)..)
            .take_while(|(key, _)| &key[..] < end)
            .map(|(key, value)| Ok((key.clone(), value.clone())))
            .collect();
        if reverse {
            found.reverse();
        }
        Ok(Box::new(found.into_iter()))
    }

    fn commit(&self, writes: &[Write], _durability: Durability) -> Result<(), EngineError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(EngineError::Storage("planted".into()));
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        let mut spaces = self.spaces.write();
        for write in writes {
            let map = spaces.get_mut(&write.space).ok_or(EngineError::NoSpace(write.space))?;
            match &write.value {
                Some(value) => map.insert(write.key.clone(), value.clone()),
                None => map.remove(&write.key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.commit(&[], Durability::Disk)
    }

    fn disk_bytes(&self, space: SpaceId) -> u64 {
        let spaces = self.spaces.read();
        let bytes = |map: &BTreeMap<Bytes, Bytes>| {
            map.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()
        };
        spaces.get(&space).map_or(0, bytes)
    }
}
