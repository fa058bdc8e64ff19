//! One thread that makes writes durable in groups: while it syncs, the next group forms. No timer.
//!
//! fjall syncs while it holds its journal: writers that commit by themselves would pay one sync
//! each, one after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::engine::{Durability, Engine, EngineError, Write};

/// A group takes no more writers than this.
const GROUP_WRITES_MAX: usize = 1024;
/// Nor more bytes than this: 1 MiB.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// When a write is acknowledged: the values of `commitlog_sync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitLogSync {
    /// After the fsync of its group (`group`, `batch`).
    Group,
    /// Before the fsync, which follows within this time (`periodic`).
    Periodic(Duration),
}

/// The disk no longer vouches for anything: nothing is acknowledged any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store stopped accepting writes after a failed commit: {0}")]
pub(crate) struct Poisoned(pub(crate) Arc<str>);

/// Told how it ended.
pub(crate) type Done = Box<dyn FnOnce(Result<(), Poisoned>) + Send>;

struct Entry {
    writes: Vec<Write>,
    done: Done,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    poisoned: Option<Poisoned>,
    /// The caller wants the thread to end once the queue is empty.
    is_closing: bool,
}

/// The queue in front of the thread.
///
/// It needs no limit of its own: each request in flight has at most one entry in it, and those are
/// limited where they come in.
pub(crate) struct Committer {
    state: Mutex<State>,
    wake: Condvar,
    engine: Arc<dyn Engine>,
    sync: CommitLogSync,
}

impl Committer {
    /// A queue; [`Committer::run`] works it off.
    pub(crate) fn new(engine: Arc<dyn Engine>, sync: CommitLogSync) -> Committer {
        Committer { state: Mutex::default(), wake: Condvar::new(), engine, sync }
    }

    /// Takes writes that belong together. `done` is called when they are durable, or never will be.
    /// Entries become durable in the order of these calls. A poisoned store gives `done` back, to be
    /// called when the caller holds no lock that it needs.
    pub(crate) fn submit(&self, writes: Vec<Write>, done: Done) -> Result<(), (Poisoned, Done)> {
        let mut state = self.state.lock();
        if let Some(poisoned) = state.poisoned.clone() {
            return Err((poisoned, done));
        }
        state.queue.push_back(Entry { writes, done });
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Waits until all that was submitted before is durable.
    pub(crate) fn barrier(&self) -> Result<(), Poisoned> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let done = Box::new(move |result| {
            // Nobody waits any more: nobody to tell.
            let _ = sender.send(result);
        });
        self.submit(Vec::new(), done).map_err(|(poisoned, _)| poisoned)?;
        receiver.recv().unwrap_or(Err(Poisoned("the committer ended".into())))
    }

    /// Lets [`Committer::run`] end after what is queued.
    pub(crate) fn close(&self) {
        self.state.lock().is_closing = true;
        self.wake.notify_one();
    }

    /// Whether a commit has failed.
    #[cfg(test)]
    pub(crate) fn poisoned(&self) -> Option<Poisoned> {
        self.state.lock().poisoned.clone()
    }

    /// Commits groups until closed. Returns the error that poisoned the store, if one did.
    pub(crate) fn run(&self) -> Result<(), Poisoned> {
        let mut is_dirty = false;
        loop {
            let Some(group) = self.next_group(&mut is_dirty)? else { return Ok(()) };
            if group.is_empty() {
                continue;
            }
            let durability = match self.sync {
                CommitLogSync::Group => Durability::Disk,
                CommitLogSync::Periodic(_) => Durability::Buffer,
            };
            is_dirty |= durability == Durability::Buffer;
            let writes = collect(&group);
            let committed =
                if writes.is_empty() { Ok(()) } else { self.engine.commit(&writes, durability) };
            let outcome = committed.map_err(|error| self.poison(&error));
            for entry in group {
                (entry.done)(outcome.clone());
            }
            outcome?;
        }
    }

    /// The next group, empty when only a periodic sync was due; `None` at the end.
    fn next_group(&self, is_dirty: &mut bool) -> Result<Option<Vec<Entry>>, Poisoned> {
        let mut state = self.state.lock();
        while state.queue.is_empty() {
            if state.is_closing {
                drop(state);
                return self.sync_if(is_dirty).map(|()| None);
            }
            match self.sync {
                CommitLogSync::Periodic(period) if *is_dirty => {
                    if self.wake.wait_for(&mut state, period).timed_out() {
                        drop(state);
                        return self.sync_if(is_dirty).map(|()| Some(Vec::new()));
                    }
                }
                _ => self.wake.wait(&mut state),
            }
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < GROUP_WRITES_MAX && bytes < GROUP_BYTES_MAX {
            let Some(entry) = state.queue.pop_front() else { break };
            bytes += entry.writes.iter().map(size).sum::<usize>();
            group.push(entry);
        }
        Ok(Some(group))
    }

    fn sync_if(&self, is_dirty: &mut bool) -> Result<(), Poisoned> {
        if std::mem::take(is_dirty) {
            self.engine.sync().map_err(|error| self.poison(&error))?;
        }
        Ok(())
    }

    /// From now on everything fails, what waits as well: nobody knows what the disk holds.
    fn poison(&self, error: &EngineError) -> Poisoned {
        let poisoned = Poisoned(error.to_string().into());
        let waiting = {
            let mut state = self.state.lock();
            state.poisoned = Some(poisoned.clone());
            std::mem::take(&mut state.queue)
        };
        for entry in waiting {
            (entry.done)(Err(poisoned.clone()));
        }
        poisoned
    }
}

fn collect(group: &[Entry]) -> Vec<Write> {
    group.iter().flat_map(|entry| entry.writes.iter().cloned()).collect()
}

fn size(write: &Write) -> usize {
    write.key.len() + write.value.as_ref().map_or(0, bytes::Bytes::len)
}
