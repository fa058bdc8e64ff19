//! What the other boxes say of themselves, asked once a second and kept.
//!
//! One task a box asks and writes [`Facts`]; a slow or dead box delays nobody else, and what it
//! last said stays, marked with why it is old. Another task makes of the facts one [`Snapshot`] a
//! second ([`flow`] is the pure part) that all open pages share.

pub(crate) mod facts;
pub(crate) mod flow;
pub(crate) mod history;
mod kafka;
mod parts;
pub(crate) mod rates;
mod scheduler;
pub(crate) mod snapshot;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tidemill_runtime::{Shutdown, Tasks};
use tokio::sync::{Notify, watch};

pub(crate) use scheduler::returned;

use crate::app::App;
use facts::Facts;
use history::History;
use rates::Rates;
use snapshot::Snapshot;

/// Why a stream was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// What was seen, and who looks.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) facts: RwLock<Facts>,
    pub(crate) rates: Mutex<Rates>,
    history: Mutex<History>,
    /// The newest snapshot as an event of the stream, ready to send.
    event: watch::Sender<Bytes>,
    looking: AtomicUsize,
    /// Wakes the askers when somebody begins to look.
    woken: Notify,
}

/// Somebody looks while this lives.
#[derive(Debug)]
pub(crate) struct Looking {
    watch: Arc<Watch>,
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.watch.looking.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Watch {
    /// Nothing seen yet.
    pub(crate) fn new() -> Watch {
        Watch {
            facts: RwLock::default(),
            rates: Mutex::default(),
            history: Mutex::default(),
            event: watch::Sender::new(Bytes::new()),
            looking: AtomicUsize::new(0),
            woken: Notify::new(),
        }
    }

    /// Registers a looker, at most `max` at once.
    pub(crate) fn look(self: &Arc<Watch>, max: usize) -> Result<Looking, TooMany> {
        let entered = self.looking.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
            (now < max).then_some(now + 1)
        });
        match entered {
            Ok(before) => {
                if before == 0 {
                    self.woken.notify_waiters();
                }
                Ok(Looking { watch: Arc::clone(self) })
            }
            Err(_) => Err(TooMany),
        }
    }

    /// Follows the snapshots.
    pub(crate) fn events(&self) -> watch::Receiver<Bytes> {
        self.event.subscribe()
    }

    /// The last quarter of an hour as an event.
    pub(crate) fn history_event(&self) -> Bytes {
        event("history", &*self.history.lock())
    }

    /// Makes a snapshot of what is known now and shows it to all who look.
    pub(crate) fn compose(&self, at_ms: i64, monotonic: Duration) {
        let snapshot = {
            let (facts, rates) = (self.facts.read(), self.rates.lock());
            Snapshot::of(&facts, &rates, at_ms, monotonic)
        };
        self.history.lock().push(&snapshot);
        self.event.send_replace(event("snapshot", &snapshot));
    }
}

/// One event of a `text/event-stream`.
pub(crate) fn event(name: &str, data: &impl serde::Serialize) -> Bytes {
    let data = serde_json::to_string(data).expect("own types have only text keys");
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// Starts the askers and the composer.
pub(crate) fn start(app: &Arc<App>, tasks: &Tasks) {
    let stop = tasks.shutdown();
    tasks.spawn("watch kafka", kafka::watch(Arc::clone(app), stop.clone()));
    tasks.spawn("watch groups", kafka::watch_groups(Arc::clone(app), stop.clone()));
    tasks.spawn("watch engine", parts::watch_engine(Arc::clone(app), stop.clone()));
    tasks.spawn("watch scheduler", scheduler::watch(Arc::clone(app), stop.clone()));
    tasks.spawn("watch registry", parts::watch_registry(Arc::clone(app), stop.clone()));
    tasks.spawn("watch store", parts::watch_store(Arc::clone(app), stop.clone()));
    let app = Arc::clone(app);
    tasks.spawn("compose", async move {
        let mut pace = Pace::new(&app, &stop, 1);
        while pace.next().await {
            app.watch.compose(app.world.clock.now_ms(), app.world.clock.monotonic());
        }
    });
}

/// When an asker asks again: `times` the interval while somebody looks, slower while nobody does.
struct Pace<'a> {
    app: &'a App,
    stop: &'a Shutdown,
    times: u32,
    first: bool,
}

impl<'a> Pace<'a> {
    fn new(app: &'a App, stop: &'a Shutdown, times: u32) -> Pace<'a> {
        Pace { app, stop, times, first: true }
    }

    /// Waits for the next turn. False: it is time to stop.
    async fn next(&mut self) -> bool {
        if std::mem::take(&mut self.first) {
            return !self.stop.is_requested();
        }
        let watched = self.app.watch.looking.load(Ordering::Relaxed) > 0;
        let config = &self.app.config;
        let every = if watched { config.sample_every } else { config.sample_idle_every };
        tokio::select! {
            () = tokio::time::sleep(every.0 * self.times) => true,
            () = self.app.watch.woken.notified() => true,
            () = self.stop.requested() => false,
        }
    }
}
