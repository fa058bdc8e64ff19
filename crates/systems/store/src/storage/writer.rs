//! Read, merge, write, one writer at a time per token: shards of the ring, each behind a lock.
//!
//! A shard's lock is held while a statement reads what it changes and queues the result, not while
//! the disk works. What is queued and not yet committed lies in the shard's overlay, so that the
//! next writer merges with it; readers never look there.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::committer::{Committer, Poisoned};
use super::engine::{Engine, EngineError, SpaceId, Write};
use super::key::token_in;

type Overlay = HashMap<(SpaceId, Bytes), Queued>;

struct Queued {
    sequence: u64,
    value: Option<Bytes>,
}

/// The shards and the way to the committer.
pub(crate) struct Writer {
    shards: Arc<Vec<Mutex<Overlay>>>,
    engine: Arc<dyn Engine>,
    committer: Arc<Committer>,
    sequence: AtomicU64,
}

/// What a statement sees and changes while it holds its shards.
pub(crate) struct WriteView<'a> {
    locked: Vec<(usize, MutexGuard<'a, Overlay>)>,
    shards: usize,
    engine: &'a dyn Engine,
    own: HashMap<(SpaceId, Bytes), Option<Bytes>>,
}

fn shard_of(token: i64, shards: usize) -> usize {
    // The ring in equal parts; the product of two numbers below 2^64 fits.
    (((token as i128 - i128::from(i64::MIN)) as u128 * shards as u128) >> 64) as usize
}

impl Writer {
    /// `shards` writers may work at the same moment.
    pub(crate) fn new(engine: Arc<dyn Engine>, committer: Arc<Committer>, shards: usize) -> Writer {
        let shards = (0..shards.max(1)).map(|_| Mutex::default()).collect();
        Writer { shards: Arc::new(shards), engine, committer, sequence: AtomicU64::new(0) }
    }

    /// Runs `change` alone on the shards of `tokens`, then queues what it wrote as one. `done` gets
    /// what `change` returned once that is durable. When `change` fails nothing is written and its
    /// error is returned at once.
    pub(crate) fn write<R: Send + 'static, E>(
        &self,
        tokens: &[i64],
        change: impl FnOnce(&mut WriteView<'_>) -> Result<R, E>,
        done: impl FnOnce(Result<R, Poisoned>) + Send + 'static,
    ) -> Result<(), E> {
        let count = self.shards.len();
        let mut indexes: Vec<usize> = tokens.iter().map(|token| shard_of(*token, count)).collect();
        // Always in the same order: two writers never wait for each other.
        indexes.sort_unstable();
        indexes.dedup();
        let locked = indexes.iter().map(|index| (*index, self.shards[*index].lock())).collect();
        let mut view =
            WriteView { locked, shards: count, engine: &*self.engine, own: HashMap::new() };
        let result = change(&mut view)?;
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let (writes, keys) = view.queue(sequence);
        let shards = self.shards.clone();
        let finish = move |outcome: Result<(), Poisoned>| {
            forget(&shards, keys, sequence);
            done(outcome.map(|()| result));
        };
        // Still locked: the queue keeps the order of the shard.
        let submitted = self.committer.submit(writes, Box::new(finish));
        drop(view);
        if let Err((poisoned, finish)) = submitted {
            finish(Err(poisoned));
        }
        Ok(())
    }

    /// Runs `change` while nobody writes anywhere and all that was queued is durable.
    pub(crate) fn alone<R>(&self, change: impl FnOnce() -> R) -> Result<R, Poisoned> {
        // The barrier's group needs the locks to forget its overlay, so they are taken after it;
        // what came between is waited for by the next round.
        loop {
            self.committer.barrier()?;
            let locked: Vec<_> = self.shards.iter().map(Mutex::lock).collect();
            if locked.iter().all(|overlay| overlay.is_empty()) {
                return Ok(change());
            }
        }
    }
}

/// Takes what is committed out of the overlays, unless a later writer has replaced it.
fn forget(shards: &[Mutex<Overlay>], keys: Vec<(usize, SpaceId, Bytes)>, sequence: u64) {
    for (shard, space, key) in keys {
        let mut overlay = shards[shard].lock();
        let at = (space, key);
        if overlay.get(&at).is_some_and(|queued| queued.sequence == sequence) {
            overlay.remove(&at);
        }
    }
}

impl WriteView<'_> {
    /// The value of a key, with all that was written before this statement and by it.
    pub(crate) fn get(&self, space: SpaceId, key: &Bytes) -> Result<Option<Bytes>, EngineError> {
        let at = (space, key.clone());
        if let Some(own) = self.own.get(&at) {
            return Ok(own.clone());
        }
        if let Some(queued) = self.overlay(key).and_then(|overlay| overlay.get(&at)) {
            // A dropped table's overlay must not hide that it is gone.
            return Ok(queued.value.clone());
        }
        self.engine.get(space, key)
    }

    /// The first `count_max` entries from `start` (in) to `end` (out), all of one partition, in
    /// order, and whatever of the range is queued.
    pub(crate) fn range(
        &self,
        space: SpaceId,
        start: &Bytes,
        end: &Bytes,
        count_max: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, EngineError> {
        let mut found: std::collections::BTreeMap<Bytes, Option<Bytes>> = Default::default();
        for entry in self.engine.range(space, start, end, false)?.take(count_max) {
            let (key, value) = entry?;
            found.insert(key, Some(value));
        }
        let is_in = |at: &(SpaceId, Bytes)| at.0 == space && at.1 >= *start && at.1 < *end;
        if let Some(overlay) = self.overlay(start) {
            for (at, queued) in overlay.iter().filter(|(at, _)| is_in(at)) {
                found.insert(at.1.clone(), queued.value.clone());
            }
        }
        for (at, value) in self.own.iter().filter(|(at, _)| is_in(at)) {
            found.insert(at.1.clone(), value.clone());
        }
        Ok(found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    /// Sets a key.
    pub(crate) fn put(&mut self, space: SpaceId, key: Bytes, value: Bytes) {
        self.own.insert((space, key), Some(value));
    }

    /// Removes a key.
    pub(crate) fn remove(&mut self, space: SpaceId, key: Bytes) {
        self.own.insert((space, key), None);
    }

    fn overlay(&self, key: &[u8]) -> Option<&Overlay> {
        let shard = shard_of(token_in(key)?, self.shards);
        let (_, overlay) = self.locked.iter().find(|(index, _)| *index == shard)?;
        Some(overlay)
    }

    fn queue(&mut self, sequence: u64) -> (Vec<Write>, Vec<(usize, SpaceId, Bytes)>) {
        let mut writes = Vec::with_capacity(self.own.len());
        let mut keys = Vec::with_capacity(self.own.len());
        for ((space, key), value) in std::mem::take(&mut self.own) {
            let shard = shard_of(token_in(&key).unwrap_or(0), self.shards);
            if let Some((_, overlay)) = self.locked.iter_mut().find(|(index, _)| *index == shard) {
                let queued = Queued { sequence, value: value.clone() };
                overlay.insert((space, key.clone()), queued);
                keys.push((shard, space, key.clone()));
            }
            writes.push(Write { space, key, value });
        }
        (writes, keys)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::sync_channel;

    use super::super::committer::CommitLogSync;
    use super::super::key::token_bytes;
    use super::super::memory_engine::MemoryEngine;
    use super::*;

    const SPACE: SpaceId = SpaceId::from_u128(1);

    struct Rig {
        engine: Arc<MemoryEngine>,
        committer: Arc<Committer>,
        writer: Arc<Writer>,
    }

    fn rig() -> Rig {
        let engine = Arc::new(MemoryEngine::default());
        engine.create_space(SPACE).unwrap();
        let committer = Arc::new(Committer::new(engine.clone(), CommitLogSync::Group));
        let writer = Arc::new(Writer::new(engine.clone(), committer.clone(), 4));
        Rig { engine, committer, writer }
    }

    fn key(token: i64) -> Bytes {
        Bytes::copy_from_slice(&token_bytes(token))
    }

    /// Adds one to a number under a key, as a counter or a conditional update does.
    fn add_one(view: &mut WriteView<'_>, key: &Bytes) -> Result<u64, EngineError> {
        let known = view.get(SPACE, key)?;
        let number = known.map_or(0, |raw| u64::from_be_bytes(raw[..].try_into().unwrap())) + 1;
        view.put(SPACE, key.clone(), Bytes::copy_from_slice(&number.to_be_bytes()));
        Ok(number)
    }

    #[test]
    fn no_update_is_lost_between_the_queue_and_the_disk() {
        let rig = rig();
        std::thread::scope(|scope| {
            let committer = scope.spawn(|| rig.committer.run());
            let writers: Vec<_> = (0..4)
                .map(|thread| {
                    let writer = rig.writer.clone();
                    scope.spawn(move || {
                        let (sender, receiver) = sync_channel(1000);
                        for at in 0..200 {
                            let key = key(((thread + at) % 3) * 1_000_000_000_000_000_000);
                            let sender = sender.clone();
                            let tokens = [token_in(&key).unwrap()];
                            let done = move |result: Result<u64, _>| {
                                result.unwrap();
                                sender.send(()).unwrap();
                            };
                            writer.write(&tokens, |view| add_one(view, &key), done).unwrap();
                        }
                        (0..200).for_each(|_| receiver.recv().unwrap());
                    })
                })
                .collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            rig.committer.close();
            committer.join().unwrap().unwrap();
        });
        let total: u64 = (0..3)
            .map(|at| {
                let stored = rig.engine.get(SPACE, &key(at * 1_000_000_000_000_000_000));
                u64::from_be_bytes(stored.unwrap().unwrap()[..].try_into().unwrap())
            })
            .sum();
        assert_eq!(total, 800);
        assert!(rig.writer.shards.iter().all(|overlay| overlay.lock().is_empty()));
        assert!(rig.engine.commits.load(Ordering::SeqCst) <= 800);
    }

    #[test]
    fn after_a_failed_commit_nothing_is_acknowledged() {
        let rig = rig();
        rig.engine.fails.store(true, Ordering::SeqCst);
        let acknowledged = Arc::new(AtomicBool::new(false));
        let write = |expected_error: &str| {
            let acknowledged = acknowledged.clone();
            let expected_error = expected_error.to_owned();
            let done = move |result: Result<u64, Poisoned>| match result {
                Ok(_) => acknowledged.store(true, Ordering::SeqCst),
                Err(error) => assert!(error.to_string().contains(&expected_error), "{error}"),
            };
            rig.writer.write(&[5], |view| add_one(view, &key(5)), done).unwrap();
        };
        write("planted");
        assert!(rig.committer.run().is_err());
        // The disk works again, but what it holds is not known.
        rig.engine.fails.store(false, Ordering::SeqCst);
        write("planted");
        assert!(rig.committer.poisoned().is_some());
        assert!(!acknowledged.load(Ordering::SeqCst));
        assert_eq!(rig.engine.get(SPACE, &key(5)).unwrap(), None);
    }

    #[test]
    fn tokens_at_both_ends_of_the_ring_have_a_shard() {
        for shards in [1, 3, 8] {
            assert_eq!(shard_of(i64::MIN, shards), 0);
            assert_eq!(shard_of(i64::MAX, shards), shards - 1);
        }
    }
}
