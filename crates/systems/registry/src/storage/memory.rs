//! A log in memory. It is gone with the process.

use parking_lot::Mutex;
use tidemill_runtime::{BoxFuture, World};
use tokio::sync::watch;

use super::{Chunk, Entry, Storage, StorageError, StoredEntry};

/// A log in memory, for tests and for trying things out.
pub struct MemoryStorage {
    world: World,
    entries: Mutex<Vec<StoredEntry>>,
    end: watch::Sender<i64>,
}

impl MemoryStorage {
    /// An empty log.
    pub fn new(world: World) -> MemoryStorage {
        MemoryStorage { world, entries: Mutex::default(), end: watch::Sender::new(0) }
    }

    /// Every record, in order.
    pub fn entries(&self) -> Vec<StoredEntry> {
        self.entries.lock().clone()
    }

    fn push(&self, appended: Vec<Entry>) -> i64 {
        let timestamp = self.world.clock.now_ms();
        let mut entries = self.entries.lock();
        for Entry { key, value } in appended {
            let offset = i64::try_from(entries.len()).unwrap_or(i64::MAX);
            entries.push(StoredEntry { offset, timestamp, key: Some(key), value });
        }
        let end = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        self.end.send_replace(end);
        end
    }
}

impl std::fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStorage").field("end", &*self.end.borrow()).finish_non_exhaustive()
    }
}

impl Storage for MemoryStorage {
    fn open(&self) -> BoxFuture<'_, Result<(), StorageError>> {
        Box::pin(async { Ok(()) })
    }

    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<i64, StorageError>> {
        Box::pin(async move { Ok(self.push(entries)) })
    }

    fn end(&self) -> BoxFuture<'_, Result<i64, StorageError>> {
        Box::pin(async { Ok(*self.end.borrow()) })
    }

    fn read(&self, from: i64) -> BoxFuture<'_, Result<Chunk, StorageError>> {
        Box::pin(async move {
            let mut end = self.end.subscribe();
            // The sender is in `self`, so it cannot be gone.
            let _ = end.wait_for(|end| *end > from).await;
            let entries = self.entries.lock();
            let start = usize::try_from(from).unwrap_or(0).min(entries.len());
            let next = i64::try_from(entries.len()).unwrap_or(i64::MAX);
            Ok(Chunk { entries: entries[start..].to_vec(), next })
        })
    }

    fn cluster_id(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }
}
