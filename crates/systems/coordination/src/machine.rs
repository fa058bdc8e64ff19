//! The state machine: one packet after the other changes the nodes and sessions, and says what is
//! to be written to the log and sent to whom. It does not wait, read or write.
//!
//! A transaction is applied at once, before it is durable. What shows it to anybody (its reply, the
//! events it fires, reads of the nodes it touched) is held back until [`Machine::durable`] tells
//! that its log record is on the disk. Reads of other nodes are not held back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tidemill_runtime::World;
use tidemill_zookeeper_wire::data::{Acl, Id, perms};
use tidemill_zookeeper_wire::session::{EventType, PASSWORD_BYTES, ReplyHeader, event_frame};
use tidemill_zookeeper_wire::txn::{Txn, TxnHeader};
use tidemill_zookeeper_wire::{ErrorCode, Jute, Response, frame, path};

use crate::acl;
use crate::config::Config;
use crate::sessions::Sessions;
use crate::stats::Stats;
use crate::storage::{self, Recovered};
use crate::tree::{At, Change, Tree, Undo};
use crate::watches::Watches;

/// One connection, for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnId(pub(crate) u64);

/// What goes to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// The answer to a request.
    Reply(Bytes),
    /// What happened to a watched node.
    Event(Bytes),
    /// The connection ends, after what was sent before.
    Close,
}

/// What the shell has to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) to: ConnId,
    pub(crate) output: Output,
}

/// What was made of a request, and which transaction must be durable before anybody is told.
pub(crate) struct Answer {
    pub(crate) needs: i64,
    pub(crate) outcome: Result<Response, ErrorCode>,
}

/// One connection's part of the state.
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    /// 0 until it has one.
    pub(crate) session_id: i64,
    /// Who it is, by its address and its credentials.
    pub(crate) identities: Vec<Id>,
    /// Nothing is taken from it any more.
    pub(crate) closing: bool,
    pub(crate) stats: Stats,
    pub(crate) last_op: &'static str,
    /// What waits for its transaction, in the order in which it goes out.
    held: VecDeque<Held>,
}

struct Held {
    needs: i64,
    output: Output,
    /// When its request came.
    begun: Duration,
}

/// Transactions on their way to the disk.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Log records.
    pub(crate) records: Vec<u8>,
    /// The numbers of the first and the last.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) count: u64,
}

/// All state of the box.
pub(crate) struct Machine {
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) tree: Tree,
    pub(crate) sessions: Sessions,
    /// On nodes and their data.
    pub(crate) data_watches: Watches,
    /// On nodes' children.
    pub(crate) child_watches: Watches,
    pub(crate) connections: BTreeMap<ConnId, Connection>,
    pub(crate) stats: Stats,
    /// The key from which sessions' passwords are made.
    secret: Vec<u8>,
    next_connection: u64,
    zxid: i64,
    durable_zxid: i64,
    batch: Batch,
    effects: Vec<Effect>,
    /// Connections with something that waits for a transaction.
    waiting: BTreeSet<(i64, ConnId)>,
}

impl Machine {
    /// The state that the disk held.
    pub(crate) fn new(
        config: Config,
        world: World,
        secret: Vec<u8>,
        tree: Tree,
        sessions: BTreeMap<i64, i32>,
        zxid: i64,
    ) -> Machine {
        let sessions = Sessions::new(sessions, config.tick_time.0, &world);
        Machine {
            config,
            world,
            tree,
            sessions,
            data_watches: Watches::default(),
            child_watches: Watches::default(),
            connections: BTreeMap::new(),
            stats: Stats::default(),
            secret,
            next_connection: 0,
            zxid,
            durable_zxid: zxid,
            batch: Batch::default(),
            effects: Vec::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// The last transaction, durable or not.
    pub(crate) fn zxid(&self) -> i64 {
        self.zxid
    }

    /// The last transaction that is on the disk.
    pub(crate) fn durable_zxid(&self) -> i64 {
        self.durable_zxid
    }

    /// Somebody has connected.
    pub(crate) fn connect(&mut self, peer: SocketAddr) -> ConnId {
        let id = ConnId(self.next_connection);
        self.next_connection += 1;
        let connection = Connection {
            peer,
            session_id: 0,
            identities: vec![Id::new("ip", &peer.ip().to_canonical().to_string())],
            closing: false,
            stats: Stats::default(),
            last_op: "NA",
            held: VecDeque::new(),
        };
        self.connections.insert(id, connection);
        id
    }

    /// The connection is gone. Its session goes on until it ends or comes back.
    pub(crate) fn disconnect(&mut self, id: ConnId) {
        let Some(gone) = self.connections.remove(&id) else { return };
        for held in &gone.held {
            self.waiting.remove(&(held.needs, id));
        }
        self.data_watches.forget(id);
        self.child_watches.forget(id);
        if let Some(session) = self.sessions.get_mut(gone.session_id)
            && session.connection == Some(id)
        {
            session.connection = None;
        }
    }

    /// Connections from this address.
    pub(crate) fn connections_of(&self, peer: SocketAddr) -> usize {
        self.connections.values().filter(|connection| connection.peer.ip() == peer.ip()).count()
    }

    /// The password of a session: who knows it may go on with the session.
    pub(crate) fn password(&self, session_id: i64) -> Bytes {
        let mut hash = Sha256::new();
        hash.update(&self.secret);
        hash.update(session_id.to_be_bytes());
        Bytes::copy_from_slice(&hash.finalize()[..PASSWORD_BYTES])
    }

    /// Makes a transaction of one step: gives it its number, logs it, applies it, tells those who
    /// watch. The answer is its number.
    pub(crate) fn commit(&mut self, session_id: i64, cxid: i32, txn: &Txn) -> i64 {
        let at = self.next(session_id);
        let mut changes = Vec::new();
        self.tree.apply(at, txn, &mut changes);
        self.log(at, cxid, txn);
        self.tell(at.zxid, changes);
        at.zxid
    }

    /// The next transaction's number and time, not taken yet.
    pub(crate) fn next(&self, session_id: i64) -> At {
        At { zxid: self.zxid + 1, time_ms: self.world.clock.now_ms(), session_id }
    }

    /// Applies a part of a multi, to be logged or taken back.
    pub(crate) fn try_part(&mut self, at: At, txn: &Txn, changes: &mut Vec<Change>) -> Undo {
        self.tree.apply(at, txn, changes)
    }

    /// Takes the number and appends what was applied to the log.
    pub(crate) fn log(&mut self, at: At, cxid: i32, txn: &Txn) {
        debug_assert_eq!(at.zxid, self.zxid + 1, "numbers are taken one after the other");
        let header = TxnHeader {
            session_id: at.session_id,
            cxid,
            zxid: at.zxid,
            time_ms: at.time_ms,
            op: txn.op().number(),
        };
        self.zxid = at.zxid;
        if self.batch.count == 0 {
            self.batch.first = at.zxid;
        }
        self.batch.last = at.zxid;
        self.batch.count += 1;
        storage::record(&header, txn, &mut self.batch.records);
    }

    /// What is to be written to the log next, all of it.
    pub(crate) fn take_batch(&mut self) -> Option<Batch> {
        (self.batch.count > 0).then(|| std::mem::take(&mut self.batch))
    }

    /// Bytes that wait to be taken for the log.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch.records.len()
    }

    /// All transactions up to this one are on the disk.
    pub(crate) fn durable(&mut self, zxid: i64) {
        self.durable_zxid = zxid;
        while let Some((needs, id)) = self.waiting.first().copied()
            && needs <= zxid
        {
            self.waiting.pop_first();
            self.release(id);
        }
    }

    /// What is to be sent now.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn release(&mut self, id: ConnId) {
        let now = self.world.clock.monotonic();
        let Some(connection) = self.connections.get_mut(&id) else { return };
        while let Some(held) = connection.held.pop_front() {
            if held.needs > self.durable_zxid {
                connection.held.push_front(held);
                return;
            }
            if matches!(held.output, Output::Reply(_)) {
                let took = now.saturating_sub(held.begun);
                connection.stats.answered(took);
                self.stats.answered(took);
            }
            self.effects.push(Effect { to: id, output: held.output });
        }
    }

    /// Sends something once this transaction is durable, behind all that was sent before.
    pub(crate) fn send(&mut self, id: ConnId, needs: i64, output: Output) {
        let begun = self.world.clock.monotonic();
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let needs = connection.held.back().map_or(needs, |before| needs.max(before.needs));
        connection.held.push_back(Held { needs, output, begun });
        if needs > self.durable_zxid {
            self.waiting.insert((needs, id));
        } else {
            self.release(id);
        }
    }

    /// Answers a request.
    pub(crate) fn reply(&mut self, id: ConnId, xid: i32, answer: Answer) {
        // What goes out before it may tell of later transactions; numbers never go back.
        let before = self.connections.get(&id).and_then(|c| c.held.back()).map_or(0, |h| h.needs);
        let zxid = answer.needs.max(before).max(self.durable_zxid);
        let error = answer.outcome.as_ref().err().map_or(0, |error| error.number());
        let header = ReplyHeader { xid, zxid, error };
        let reply = frame::build(|to| {
            header.write(to);
            if let Ok(response) = &answer.outcome {
                response.write(to);
            }
        });
        self.send(id, answer.needs, Output::Reply(reply));
    }

    /// Ends a connection, after what was sent before.
    pub(crate) fn close(&mut self, id: ConnId, needs: i64) {
        self.send(id, needs, Output::Close);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.closing = true;
        }
    }

    /// Tells those who watch what a transaction did, in ZooKeeper's order.
    pub(crate) fn tell(&mut self, zxid: i64, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Created { path, acl, parent_acl } => {
                    let watching = self.data_watches.trigger(&path);
                    self.event(watching, EventType::Created, &path, zxid, &acl);
                    self.children_changed(&path, zxid, &parent_acl);
                }
                Change::Deleted { path, acl, parent_acl } => {
                    let mut watching = self.data_watches.trigger(&path);
                    // Who watches both the node and its children is told once.
                    watching.extend(self.child_watches.trigger(&path));
                    self.event(watching, EventType::Deleted, &path, zxid, &acl);
                    self.children_changed(&path, zxid, &parent_acl);
                }
                Change::DataSet { path, acl } => {
                    let watching = self.data_watches.trigger(&path);
                    self.event(watching, EventType::DataChanged, &path, zxid, &acl);
                }
            }
        }
    }

    fn children_changed(&mut self, child: &str, zxid: i64, acl: &[Acl]) {
        let parent = path::parent(child).unwrap_or("/");
        let watching = self.child_watches.trigger(parent);
        self.event(watching, EventType::ChildrenChanged, parent, zxid, acl);
    }

    fn event(
        &mut self,
        watching: BTreeSet<ConnId>,
        kind: EventType,
        path: &str,
        zxid: i64,
        acl: &[Acl],
    ) {
        if watching.is_empty() {
            return;
        }
        let event = event_frame(kind, path, zxid);
        for id in watching {
            // Who may not read a node learns nothing of it (CVE-2024-23944).
            let may = self
                .connections
                .get(&id)
                .is_some_and(|connection| acl::permits(acl, perms::READ, &connection.identities));
            if may {
                self.send(id, zxid, Output::Event(event.clone()));
            }
        }
    }

    /// Ends a session: its ephemeral nodes go, its connection too.
    pub(crate) fn end_session(&mut self, session_id: i64, cxid: i32) -> i64 {
        let paths = self.tree.ephemerals_of(session_id).cloned().collect();
        let zxid = self.commit(session_id, cxid, &Txn::CloseSession(Some(paths)));
        self.sessions.remove(session_id);
        zxid
    }

    /// Time has passed: sessions that were not heard end.
    pub(crate) fn expire(&mut self) {
        for session_id in self.sessions.expired(self.world.clock.monotonic()) {
            let connection = self.sessions.get(session_id).and_then(|session| session.connection);
            let zxid = self.end_session(session_id, 0);
            tracing::info!(session = format_args!("0x{session_id:x}"), "session expired");
            if let Some(connection) = connection {
                self.close(connection, zxid);
            }
        }
    }

    /// Time has passed: empty containers and old nodes go.
    pub(crate) fn remove_spent(&mut self) {
        for path in self.tree.spent(self.world.clock.now_ms()) {
            self.commit(0, 0, &Txn::Delete(path));
        }
    }

    /// A snapshot of all that was applied, with the number of its last transaction.
    pub(crate) fn snapshot(&mut self) -> (i64, Vec<u8>) {
        self.tree.forget_unused_acls();
        (self.zxid, storage::serialize(&self.tree, self.sessions.timeouts()))
    }
}

impl Recovered {
    /// The machine that goes on from what the disk held.
    pub(crate) fn machine(
        self,
        config: Config,
        world: World,
        secret: Vec<u8>,
    ) -> (Machine, storage::Journal) {
        let machine = Machine::new(config, world, secret, self.tree, self.sessions, self.zxid);
        (machine, self.journal)
    }
}
