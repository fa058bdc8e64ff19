//! Group commit for all logs of a node.
//!
//! A few threads sync the logs that were written to. An idle thread starts at once; while it waits
//! for the disk, further appends to that log gather, and the next sync serves them all. So the wait
//! is never longer than the disk needs, and one sync pays for everybody who came meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tidemill_runtime::{Clock, World};

/// Threads of one flusher. They wait for the disk; more of them would only queue there.
pub const FLUSH_THREADS: usize = 4;

/// Syncs the logs of a node. Dropping it stops it.
pub struct Flusher {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Flusher {
    /// Starts [`FLUSH_THREADS`] threads.
    pub fn start(world: &World) -> io::Result<Flusher> {
        let flusher = Flusher::manual(world);
        flusher.queue.state.lock().mode = Mode::Threads;
        for number in 0..FLUSH_THREADS {
            let queue = flusher.queue.clone();
            let thread =
                Builder::new().name(format!("log-flush-{number}")).spawn(move || queue.work())?;
            flusher.threads.lock().push(thread);
        }
        Ok(flusher)
    }

    /// No threads: nothing is synced before [`Flusher::run_until_idle`], so that a test decides
    /// when, and the same calls reach the disk in the same order every time.
    pub fn manual(world: &World) -> Flusher {
        let state = State {
            ready: VecDeque::new(),
            later: BTreeMap::new(),
            sequence: 0,
            mode: Mode::Manual,
        };
        let queue =
            Queue { clock: world.clock.clone(), state: Mutex::new(state), changed: Condvar::new() };
        Flusher { queue: Arc::new(queue), threads: Mutex::new(Vec::new()) }
    }

    /// Does the work that is due, on this thread. Gives how many times a log was synced.
    pub fn run_until_idle(&self) -> usize {
        let mut state = self.queue.state.lock();
        let mut done = 0;
        while let Some(target) = state.take(self.queue.clock.monotonic()) {
            state = self.queue.run(state, target);
            done += 1;
        }
        done
    }

    /// Finishes all work, also what is not yet due, and ends the threads. What comes later is done
    /// by the thread that asks, so that nobody waits for ever.
    pub fn stop(&self) {
        self.queue.state.lock().mode = Mode::Stopped;
        self.queue.changed.notify_all();
        for thread in self.threads.lock().drain(..) {
            // A flush that panics is caught and logged in the thread.
            let _ = thread.join();
        }
        self.run_until_idle();
    }

    pub(crate) fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.queue.state.lock();
        f.debug_struct("Flusher")
            .field("mode", &state.mode)
            .field("ready", &state.ready.len())
            .field("later", &state.later.len())
            .finish_non_exhaustive()
    }
}

/// What can be flushed.
pub(crate) trait FlushTarget: Send + Sync {
    /// Syncs everything written before this call.
    fn flush_now(&self);

    /// How long after a write [`Queue::flush_later`] may wait.
    fn interval(&self) -> Duration;

    /// Where it stands in the queue.
    fn ticket(&self) -> &Ticket;
}

/// Where a log stands in the queue. Changed only by who holds the queue's lock.
#[derive(Debug, Default)]
pub(crate) struct Ticket(AtomicU8);

impl Ticket {
    const IDLE: u8 = 0;
    const LATER: u8 = 1;
    const READY: u8 = 2;
    const RUNNING: u8 = 3;
    /// Running, and written to meanwhile: must run again at once.
    const RUNNING_AGAIN: u8 = 4;
    /// Running, and written to meanwhile: must run again after its interval.
    const RUNNING_LATER: u8 = 5;

    fn get(&self) -> u8 {
        self.0.load(Ordering::SeqCst)
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Threads,
    Manual,
    Stopped,
}

/// At most one entry per log: its length is bounded by the number of logs.
struct State {
    ready: VecDeque<Arc<dyn FlushTarget>>,
    later: BTreeMap<(Duration, u64), Arc<dyn FlushTarget>>,
    sequence: u64,
    mode: Mode,
}

impl State {
    fn make_ready(&mut self, target: Arc<dyn FlushTarget>) {
        target.ticket().set(Ticket::READY);
        self.ready.push_back(target);
    }

    fn make_later(&mut self, target: Arc<dyn FlushTarget>, now: Duration) {
        target.ticket().set(Ticket::LATER);
        self.sequence += 1;
        self.later.insert((now + target.interval(), self.sequence), target);
    }

    /// The next log to flush.
    fn take(&mut self, now: Duration) -> Option<Arc<dyn FlushTarget>> {
        while let Some(((due, _), _)) = self.later.first_key_value()
            && (*due <= now || self.mode == Mode::Stopped)
        {
            // Not if it was asked for at once meanwhile.
            if let Some((_, target)) = self.later.pop_first()
                && target.ticket().get() == Ticket::LATER
            {
                self.make_ready(target);
            }
        }
        let target = self.ready.pop_front()?;
        target.ticket().set(Ticket::RUNNING);
        Some(target)
    }
}

pub(crate) struct Queue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// Has a log flushed as soon as a thread is free.
    pub(crate) fn flush_soon(&self, target: &Arc<impl FlushTarget + 'static>) {
        // Whoever takes it from the queue sees what was written before this call.
        if matches!(target.ticket().get(), Ticket::READY | Ticket::RUNNING_AGAIN) {
            return;
        }
        let mut state = self.state.lock();
        match target.ticket().get() {
            Ticket::IDLE | Ticket::LATER => state.make_ready(target.clone()),
            Ticket::RUNNING | Ticket::RUNNING_LATER => target.ticket().set(Ticket::RUNNING_AGAIN),
            _ => return,
        }
        if state.mode == Mode::Stopped {
            // The threads are gone, or going.
            while let Some(target) = state.take(Duration::MAX) {
                state = self.run(state, target);
            }
            return;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Has a log flushed when its interval is over, if not earlier.
    pub(crate) fn flush_later(&self, target: &Arc<impl FlushTarget + 'static>) {
        if !matches!(target.ticket().get(), Ticket::IDLE | Ticket::RUNNING) {
            return;
        }
        let mut state = self.state.lock();
        match target.ticket().get() {
            Ticket::IDLE => state.make_later(target.clone(), self.clock.monotonic()),
            // It may have begun before what was written last.
            Ticket::RUNNING => return target.ticket().set(Ticket::RUNNING_LATER),
            _ => return,
        }
        drop(state);
        self.changed.notify_one();
    }

    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            let now = self.clock.monotonic();
            if let Some(target) = state.take(now) {
                state = self.run(state, target);
            } else if state.mode == Mode::Stopped {
                return;
            } else if let Some(((due, _), _)) = state.later.first_key_value() {
                let wait = due.saturating_sub(now);
                self.changed.wait_for(&mut state, wait);
            } else {
                self.changed.wait(&mut state);
            }
        }
    }

    /// Flushes one log without holding the queue.
    fn run<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        target: Arc<dyn FlushTarget>,
    ) -> MutexGuard<'a, State> {
        MutexGuard::unlocked(&mut state, || {
            // One caller's panic in a callback must not leave all other logs unsynced.
            if catch_unwind(AssertUnwindSafe(|| target.flush_now())).is_err() {
                tracing::error!("a callback of a log panicked");
            }
        });
        match target.ticket().get() {
            Ticket::RUNNING_AGAIN => state.make_ready(target),
            Ticket::RUNNING_LATER => state.make_later(target, self.clock.monotonic()),
            _ => target.ticket().set(Ticket::IDLE),
        }
        state
    }
}
