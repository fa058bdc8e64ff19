//! The state machine with what it needs to run: its lock, the thread that writes its log, the queues
//! to its connections.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};
use tidemill_runtime::{DirLock, Tasks, World};
use tokio::sync::Notify;

use crate::config::{Config, Durability};
use crate::error::StartError;
use crate::handlers;
use crate::machine::{ConnId, Machine, Output};
use crate::outbox::Outbox;
use crate::storage::{self, FOLDER, Journal, SinceSnapshot};

/// Bytes of transactions that wait for the log; beyond, no connection is read from.
const BATCH_BYTES_MAX: usize = 32 << 20;
/// The key of sessions' passwords.
const SECRET_FILE: &str = "session.secret";
const SECRET_BYTES: usize = 32;

/// What connections, timers and the log's thread share.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) tasks: Tasks,
    pub(crate) world: World,
    /// `version-2`, where logs and snapshots are.
    dir: PathBuf,
    state: Mutex<State>,
    /// There is something for the log, or no more will come.
    work: Condvar,
    /// The log has taken what waited for it.
    taken: Notify,
    snapshot_under_way: AtomicBool,
    _lock: DirLock,
}

struct State {
    machine: Machine,
    outboxes: HashMap<ConnId, Arc<Outbox>>,
    stopping: bool,
    /// Nobody waits for the last answers.
    abandoned: bool,
}

impl Core {
    /// Recovers what the directory holds, and starts the thread that writes the log.
    pub(crate) fn open(
        config: Config,
        dir: &Path,
        world: World,
        tasks: Tasks,
    ) -> Result<Arc<Core>, StartError> {
        let disk = world.disk.clone();
        storage::make_dir(disk.as_ref(), dir)?;
        let lock = disk.lock_dir(dir).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => StartError::InUse { dir: dir.to_owned() },
            _ => StartError::disk(dir, "lock", error),
        })?;
        let secret = secret(dir, &world)?;
        let recovered = storage::open(&disk, &dir.join(FOLDER))?;
        let since_snapshot = recovered.since_snapshot;
        let (machine, journal) = recovered.machine(config.clone(), world.clone(), secret);
        let core = Arc::new(Core {
            config,
            tasks,
            world,
            dir: dir.join(FOLDER),
            state: Mutex::new(State {
                machine,
                outboxes: HashMap::new(),
                stopping: false,
                abandoned: false,
            }),
            work: Condvar::new(),
            taken: Notify::new(),
            snapshot_under_way: AtomicBool::new(false),
            _lock: lock,
        });
        core.start_log(journal, since_snapshot);
        Ok(core)
    }

    fn start_log(self: &Arc<Core>, journal: Journal, since_snapshot: SinceSnapshot) {
        let core = self.clone();
        let thread = self.tasks.spawn_blocking(move || core.write_log(journal, since_snapshot));
        self.tasks
            .spawn_vital("log", async { thread.await.expect("the log's thread does not panic") });
        let core = self.clone();
        self.tasks.spawn("stop", async move {
            core.tasks.shutdown().requested().await;
            core.state.lock().stopping = true;
            core.work.notify_all();
        });
    }

    /// Does something with the machine; what follows from it is sent and logged.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        let mut state = self.state.lock();
        let done = work(&mut state.machine);
        state.dispatch();
        if state.machine.batch_bytes() > 0 {
            self.work.notify_one();
        }
        done
    }

    /// A connection is there; `None` if its address has as many as it may.
    pub(crate) fn connect(&self, peer: SocketAddr) -> Option<(ConnId, Arc<Outbox>)> {
        let mut state = self.state.lock();
        let max = self.config.max_client_cnxns;
        if max > 0 && state.machine.connections_of(peer) >= max {
            return None;
        }
        let id = state.machine.connect(peer);
        let outbox = Arc::new(Outbox::default());
        state.outboxes.insert(id, outbox.clone());
        Some((id, outbox))
    }

    /// A connection is gone.
    pub(crate) fn disconnect(&self, id: ConnId) {
        let mut state = self.state.lock();
        state.machine.disconnect(id);
        state.outboxes.remove(&id);
        // The log's thread may be waiting for the last one.
        self.work.notify_one();
    }

    /// Handles one frame.
    pub(crate) fn packet(&self, id: ConnId, frame: bytes::Bytes) {
        self.with(|machine| handlers::handle(machine, id, frame));
    }

    /// Waits until the log has room for more.
    pub(crate) async fn room(&self) {
        loop {
            let taken = self.taken.notified();
            if self.state.lock().machine.batch_bytes() <= BATCH_BYTES_MAX {
                return;
            }
            taken.await;
        }
    }

    /// Ends the log's thread once it has written what there is, whoever is still connected.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        (state.stopping, state.abandoned) = (true, true);
        self.work.notify_all();
    }

    /// Requests that are not answered yet, of all connections.
    pub(crate) fn outstanding(&self) -> usize {
        self.state.lock().outboxes.values().map(|outbox| outbox.outstanding()).sum()
    }

    /// Bytes of snapshots and of logs.
    pub(crate) fn disk_bytes(&self) -> (u64, u64) {
        let names = self.world.disk.list(&self.dir).unwrap_or_default();
        let sum = |prefix: &str| {
            names.iter().filter(|entry| entry.name.starts_with(prefix)).map(|e| e.len).sum()
        };
        (sum("snapshot."), sum("log."))
    }

    /// The data directory.
    pub(crate) fn data_dir(&self) -> &Path {
        self.dir.parent().unwrap_or(&self.dir)
    }

    /// Writes transactions to the log until no more will come. All that gather while one sync is
    /// under way share the next. After an error nothing is acknowledged any more.
    fn write_log(
        self: &Arc<Core>,
        mut journal: Journal,
        mut since_snapshot: SinceSnapshot,
    ) -> io::Result<()> {
        loop {
            let batch = {
                let mut state = self.state.lock();
                loop {
                    if let Some(batch) = state.machine.take_batch() {
                        break batch;
                    }
                    let nobody = state.abandoned || state.machine.connections.is_empty();
                    if state.stopping && nobody {
                        return Ok(());
                    }
                    self.work.wait(&mut state);
                }
            };
            self.taken.notify_waiters();
            self.write(&mut journal, &batch)?;
            since_snapshot.count += batch.count;
            since_snapshot.bytes += batch.records.len() as u64;
            let is_due = since_snapshot.count >= self.config.snap_count.max(1)
                || since_snapshot.bytes >= self.config.snap_size_limit.0.max(1);
            if is_due && !self.snapshot_under_way.swap(true, Ordering::AcqRel) {
                since_snapshot = SinceSnapshot::default();
                self.snapshot(&mut journal)?;
            }
        }
    }

    fn write(&self, journal: &mut Journal, batch: &crate::machine::Batch) -> io::Result<()> {
        journal.append(batch.first, &batch.records)?;
        if self.config.durability == Durability::Fsync {
            journal.sync()?;
        }
        self.with(|machine| machine.durable(batch.last));
        Ok(())
    }

    /// Takes a snapshot, ends the log file before it, and leaves the writing to another thread.
    fn snapshot(self: &Arc<Core>, journal: &mut Journal) -> io::Result<()> {
        let (rest, (zxid, bytes)) = {
            let mut state = self.state.lock();
            (state.machine.take_batch(), state.machine.snapshot())
        };
        // A snapshot may not know more than the log before it.
        if let Some(rest) = rest {
            self.write(journal, &rest)?;
        }
        journal.sync()?;
        journal.roll();
        let core = self.clone();
        self.tasks.spawn_blocking(move || {
            let (disk, retain) = (core.world.disk.as_ref(), core.config.snap_retain_count);
            match storage::write_snapshot(disk, &core.dir, zxid, &bytes, retain) {
                Ok(()) => tracing::info!(zxid = format_args!("0x{zxid:x}"), "snapshot written"),
                // The log still has everything.
                Err(error) => tracing::warn!(%error, "snapshot not written"),
            }
            core.snapshot_under_way.store(false, Ordering::Release);
        });
        Ok(())
    }
}

impl State {
    fn dispatch(&mut self) {
        for effect in self.machine.take_effects() {
            let Some(outbox) = self.outboxes.get(&effect.to) else { continue };
            match effect.output {
                Output::Reply(frame) => outbox.reply(frame),
                Output::Event(frame) => outbox.event(frame),
                Output::Close => outbox.close(),
            }
        }
    }
}

/// The key from which passwords are made; a new one for a new directory.
fn secret(dir: &Path, world: &World) -> Result<Vec<u8>, StartError> {
    let path = dir.join(SECRET_FILE);
    if world.disk.exists(&path) {
        let known =
            world.disk.read(&path).map_err(|error| StartError::disk(&path, "read", error))?;
        if known.len() == SECRET_BYTES {
            return Ok(known);
        }
        let reason = format!("it has {} bytes, not {SECRET_BYTES}", known.len());
        return Err(StartError::Unreadable { path, reason });
    }
    let mut fresh = vec![0; SECRET_BYTES];
    world.random.fill(&mut fresh);
    world.disk.replace(&path, &fresh).map_err(|error| StartError::disk(&path, "write", error))?;
    Ok(fresh)
}
