//! The second set of books: what the log's records say, without any of the server's code.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use tidemill_zookeeper_wire::data::Stat;
use tidemill_zookeeper_wire::txn::{Txn, TxnHeader};

use super::Seen;
use super::client::Client;
use super::server::Server;
use crate::storage;

/// A node, as far as it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    data: Option<Bytes>,
    version: i32,
    mzxid: i64,
    owner: i64,
}

#[derive(Default)]
pub(super) struct Books {
    pub(super) seen: Seen,
    /// All that was given to the disk, in order.
    log: Vec<(TxnHeader, Txn)>,
    /// The last transaction that anybody was shown.
    shown: i64,
    /// The last transaction whose write was acknowledged.
    acknowledged: i64,
    /// The transactions that made the nodes of the lock's holders; the last one's.
    fencing: i64,
}

impl Books {
    pub(super) fn submitted(&mut self, records: &[u8]) {
        self.log.extend(storage::records(records));
    }

    /// What a request is to be checked against when its answer comes.
    pub(super) fn acknowledged(&self) -> i64 {
        self.acknowledged
    }

    /// A client was told of this transaction.
    pub(super) fn show(&mut self, zxid: i64) {
        self.shown = self.shown.max(zxid);
        let durable = self.log.last().map_or(0, |(header, _)| header.zxid);
        assert!(zxid <= durable, "transaction {zxid} was shown, the disk has {durable}");
    }

    /// A write was acknowledged that was asked for when `before` was.
    pub(super) fn wrote(&mut self, session_id: i64, xid: i32, zxid: i64, before: i64) {
        self.seen.writes += 1;
        assert!(zxid > before, "write {zxid} stands before {before}, acknowledged earlier");
        let (header, _) = self
            .log
            .iter()
            .find(|(header, _)| header.zxid == zxid)
            .expect("an acknowledged write is in the log");
        assert_eq!((header.session_id, header.cxid), (session_id, xid), "another's write");
        self.acknowledged = self.acknowledged.max(zxid);
    }

    /// A read that was asked for when `before` was acknowledged has shown this, or no node.
    pub(super) fn read(&mut self, path: &str, found: Option<(&Option<Bytes>, &Stat)>, before: i64) {
        self.seen.reads += 1;
        let shows = |entry: Option<&Entry>| match (entry, &found) {
            (None, None) => true,
            (Some(entry), Some((data, stat))) => {
                entry.data == **data && entry.version == stat.version && entry.mzxid == stat.mzxid
            }
            _ => false,
        };
        let mut nodes = BTreeMap::new();
        let mut fits = before == 0 && shows(None);
        for (header, txn) in &self.log {
            apply(&mut nodes, header, txn);
            fits |= header.zxid >= before && shows(nodes.get(path));
        }
        assert!(fits, "{path} was shown as {found:?}, which it was not since {before}");
    }

    /// The server has come back: its nodes are those of the log up to its last transaction.
    pub(super) fn recovered(&mut self, server: &Server) {
        let zxid = server.machine.zxid();
        assert!(zxid >= self.shown, "{zxid} is left, {} was shown", self.shown);
        if zxid > self.shown {
            self.seen.recovered_unanswered += 1;
        }
        self.log.retain(|(header, _)| header.zxid <= zxid);
        let (mut nodes, mut sessions) = (BTreeMap::new(), BTreeSet::new());
        for (header, txn) in &self.log {
            apply(&mut nodes, header, txn);
            match txn {
                Txn::CreateSession(_) => drop(sessions.insert(header.session_id)),
                Txn::CloseSession(_) => drop(sessions.remove(&header.session_id)),
                _ => {}
            }
        }
        let mut there = BTreeMap::new();
        server.machine.tree.walk(|path, node| {
            if !path.starts_with("/zookeeper") && path != "/" {
                let entry = Entry {
                    data: node.data.clone(),
                    version: node.stat.version,
                    mzxid: node.stat.mzxid,
                    owner: node.stat.ephemeral_owner,
                };
                there.insert(path.to_owned(), entry);
            }
        });
        assert_eq!(there, nodes, "the nodes after a crash at {zxid}");
        let alive: BTreeSet<i64> = server.machine.sessions.timeouts().map(|(id, _)| id).collect();
        assert_eq!(alive, sessions, "the sessions after a crash at {zxid}");
        for (path, entry) in there {
            assert!(
                entry.owner == 0 || alive.contains(&entry.owner),
                "{path} outlives its session"
            );
        }
    }

    /// A client holds the lock from now on, by this node.
    pub(super) fn lock_taken(&mut self, path: &str) {
        self.seen.locks += 1;
        let made = |(header, txn): &(TxnHeader, Txn)| match txn {
            Txn::Create(create) if create.path == path => Some(header.zxid),
            _ => None,
        };
        let czxid = self.log.iter().rev().find_map(made).expect("a node is made before it is held");
        // After a lost connection a holder may find that it holds the lock still.
        assert!(czxid >= self.fencing, "holder {czxid} comes after holder {}", self.fencing);
        self.fencing = czxid;
    }

    pub(super) fn check_locks(&self, clients: &[Client], now: Duration) {
        let holders: Vec<usize> = clients
            .iter()
            .filter(|client| client.holds_lock(now))
            .map(|client| client.id)
            .collect();
        assert!(holders.len() <= 1, "clients {holders:?} hold one lock");
    }
}

fn apply(nodes: &mut BTreeMap<String, Entry>, header: &TxnHeader, txn: &Txn) {
    match txn {
        Txn::Create(create) => {
            let owner = if create.ephemeral { header.session_id } else { 0 };
            let entry = Entry { data: create.data.clone(), version: 0, mzxid: header.zxid, owner };
            nodes.insert(create.path.clone(), entry);
        }
        Txn::Delete(path) => drop(nodes.remove(path)),
        Txn::SetData(set) => {
            if let Some(entry) = nodes.get_mut(&set.path) {
                entry.data.clone_from(&set.data);
                entry.version = set.version;
                entry.mzxid = header.zxid;
            }
        }
        Txn::CloseSession(_) => nodes.retain(|_, entry| entry.owner != header.session_id),
        Txn::Multi(parts) => parts.iter().for_each(|part| apply(nodes, header, part)),
        _ => {}
    }
}
