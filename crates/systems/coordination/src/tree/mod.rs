//! The nodes. What is asked of them is checked elsewhere: here transactions are applied, and one
//! that does not fit changes nothing.

mod quota;
mod undo;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use tidemill_zookeeper_wire::data::{Acl, Stat, StatPersisted, owner};
use tidemill_zookeeper_wire::path;
use tidemill_zookeeper_wire::txn::{SetAclTxn, SetDataTxn, Txn};

pub(crate) use undo::Undo;

/// The nodes that are there from the beginning and cannot be removed.
pub(crate) const SPECIAL: [&str; 4] = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

/// What a node takes besides its path and data: its stat, its places in maps, its name.
const NODE_BYTES: u64 = 400;

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) data: Option<Bytes>,
    pub(crate) acl: Arc<[Acl]>,
    pub(crate) stat: StatPersisted,
    /// Names, in order.
    pub(crate) children: BTreeSet<String>,
    /// The last transaction that changed anything a reader could see here: who is shown this node
    /// must wait until that transaction is durable.
    touched: i64,
}

impl Node {
    pub(crate) fn new(data: Option<Bytes>, acl: Arc<[Acl]>, stat: StatPersisted) -> Node {
        let touched = stat.mzxid.max(stat.pzxid);
        Node { data, acl, stat, children: BTreeSet::new(), touched }
    }

    /// What a client is told of it: of the owner only a session, and as `cversion` how many children
    /// were made *and* removed. What is kept counts those that were made.
    pub(crate) fn stat(&self) -> Stat {
        let kept = &self.stat;
        let num_children = i32::try_from(self.children.len()).unwrap_or(i32::MAX);
        let is_ephemeral = matches!(owner::kind(kept.ephemeral_owner), owner::Kind::Ephemeral(_));
        Stat {
            czxid: kept.czxid,
            mzxid: kept.mzxid,
            ctime: kept.ctime,
            mtime: kept.mtime,
            version: kept.version,
            cversion: kept.cversion.wrapping_mul(2).wrapping_sub(num_children),
            aversion: kept.aversion,
            ephemeral_owner: if is_ephemeral { kept.ephemeral_owner } else { 0 },
            data_length: length(self.data.as_ref()),
            num_children,
            pzxid: kept.pzxid,
        }
    }
}

/// When and for whom a transaction is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) zxid: i64,
    pub(crate) time_ms: i64,
    pub(crate) session_id: i64,
}

/// What a transaction did to a node, for those who watch it. With the lists that say who may know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Created { path: String, acl: Arc<[Acl]>, parent_acl: Arc<[Acl]> },
    Deleted { path: String, acl: Arc<[Acl]>, parent_acl: Arc<[Acl]> },
    DataSet { path: String, acl: Arc<[Acl]> },
}

/// All nodes, and where to find those that go by themselves.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: HashMap<String, Node>,
    /// Lists that nodes have, each kept once.
    acls: HashSet<Arc<[Acl]>>,
    ephemerals: HashMap<i64, BTreeSet<String>>,
    containers: BTreeSet<String>,
    ttls: BTreeSet<String>,
    /// Nodes with a quota.
    quotas: BTreeSet<String>,
    /// Bytes of paths and data.
    bytes: u64,
}

impl Tree {
    /// The nodes a new server has.
    pub(crate) fn new() -> Tree {
        let mut tree = Tree {
            nodes: HashMap::new(),
            acls: HashSet::new(),
            ephemerals: HashMap::new(),
            containers: BTreeSet::new(),
            ttls: BTreeSet::new(),
            quotas: BTreeSet::new(),
            bytes: 0,
        };
        for path in SPECIAL {
            let acl = if path.ends_with("config") { Acl::read_only() } else { Acl::open() };
            let node = Node::new(Some(Bytes::new()), tree.intern(&acl), StatPersisted::default());
            tree.insert(path.to_owned(), node);
        }
        tree
    }

    /// Empty, to be filled from a snapshot.
    pub(crate) fn empty() -> Tree {
        let mut tree = Tree::new();
        tree.nodes.clear();
        tree.bytes = 0;
        tree
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes that the nodes take in memory, about.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.bytes + self.nodes.len() as u64 * NODE_BYTES
    }

    /// Bytes of all paths and data.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn ephemerals_of(&self, session_id: i64) -> impl Iterator<Item = &String> {
        self.ephemerals.get(&session_id).into_iter().flatten()
    }

    /// Sessions with ephemeral nodes, and those.
    pub(crate) fn ephemerals(&self) -> impl Iterator<Item = (i64, &BTreeSet<String>)> {
        self.ephemerals.iter().map(|(session, paths)| (*session, paths))
    }

    /// Nodes without children whose time has come: containers that had some, old ones.
    pub(crate) fn spent(&self, now_ms: i64) -> Vec<String> {
        let empty = |path: &&String| self.nodes.get(*path).is_some_and(|n| n.children.is_empty());
        // A container that never had a child is waiting for its first.
        let used = |path: &&String| self.nodes[*path].stat.cversion > 0;
        let old = |path: &&String| {
            let stat = &self.nodes[*path].stat;
            let age_ms = now_ms.saturating_sub(stat.mtime);
            matches!(owner::kind(stat.ephemeral_owner), owner::Kind::Ttl(ttl_ms) if age_ms > ttl_ms)
        };
        let containers = self.containers.iter().filter(empty).filter(used);
        containers.chain(self.ttls.iter().filter(empty).filter(old)).cloned().collect()
    }

    /// How many nodes lie below.
    pub(crate) fn count_below(&self, path: &str) -> usize {
        let mut count = 0;
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let Some(node) = self.nodes.get(&path) else { continue };
            count += node.children.len();
            open.extend(node.children.iter().map(|name| join(&path, name)));
        }
        count
    }

    /// The last transaction that made what a look at this path shows, be it that there is nothing:
    /// then it is the node above that saw the last change.
    pub(crate) fn touched(&self, path: &str) -> i64 {
        let mut at = path;
        loop {
            match (self.nodes.get(at), path::parent(at)) {
                (Some(node), _) => return node.touched,
                (None, Some(parent)) => at = parent,
                (None, None) => return 0,
            }
        }
    }

    /// All nodes, each before its children.
    pub(crate) fn walk(&self, mut visit: impl FnMut(&str, &Node)) {
        let mut open = vec!["/".to_owned()];
        while let Some(path) = open.pop() {
            let Some(node) = self.nodes.get(&path) else { continue };
            visit(&path, node);
            open.extend(node.children.iter().rev().map(|name| join(&path, name)));
        }
    }

    /// Puts a node where it belongs; false if there is nothing above it.
    pub(crate) fn insert(&mut self, path: String, node: Node) -> bool {
        if let Some(parent) = path::parent(&path) {
            let Some(parent) = self.nodes.get_mut(parent) else { return false };
            parent.children.insert(path::name(&path).to_owned());
        }
        match owner::kind(node.stat.ephemeral_owner) {
            owner::Kind::Persistent => {}
            owner::Kind::Ephemeral(session) => {
                self.ephemerals.entry(session).or_default().insert(path.clone());
            }
            owner::Kind::Container => {
                self.containers.insert(path.clone());
            }
            owner::Kind::Ttl(_) => {
                self.ttls.insert(path.clone());
            }
        }
        self.bytes += size(&path, node.data.as_ref());
        self.nodes.insert(path, node);
        true
    }

    /// Takes a node out.
    fn take(&mut self, path: &str) -> Option<Node> {
        let node = self.nodes.remove(path)?;
        if let Some(parent) = path::parent(path).and_then(|parent| self.nodes.get_mut(parent)) {
            parent.children.remove(path::name(path));
        }
        match owner::kind(node.stat.ephemeral_owner) {
            owner::Kind::Persistent => {}
            owner::Kind::Ephemeral(session) => {
                if let Some(paths) = self.ephemerals.get_mut(&session) {
                    paths.remove(path);
                    if paths.is_empty() {
                        self.ephemerals.remove(&session);
                    }
                }
            }
            owner::Kind::Container => {
                self.containers.remove(path);
            }
            owner::Kind::Ttl(_) => {
                self.ttls.remove(path);
            }
        }
        self.bytes -= size(path, node.data.as_ref());
        Some(node)
    }

    /// The one copy of a list.
    pub(crate) fn intern(&mut self, acl: &[Acl]) -> Arc<[Acl]> {
        if let Some(known) = self.acls.get(acl) {
            return known.clone();
        }
        let kept: Arc<[Acl]> = acl.into();
        self.acls.insert(kept.clone());
        kept
    }

    /// Forgets the lists that no node has any more.
    pub(crate) fn forget_unused_acls(&mut self) {
        self.acls.retain(|acl| Arc::strong_count(acl) > 1);
    }

    /// Applies a transaction of one step. `changes` gets what those who watch must know; the answer
    /// is how to take it back. What a snapshot already holds, or no longer holds, changes nothing.
    pub(crate) fn apply(&mut self, at: At, txn: &Txn, changes: &mut Vec<Change>) -> Undo {
        match txn {
            Txn::Create(create) => {
                let owner = if create.ephemeral { at.session_id } else { 0 };
                let new = New { path: &create.path, data: &create.data, acl: &create.acl, owner };
                self.create(at, &new, create.parent_cversion, changes)
            }
            Txn::CreateContainer(create) => {
                let owner = owner::CONTAINER;
                let new = New { path: &create.path, data: &create.data, acl: &create.acl, owner };
                self.create(at, &new, create.parent_cversion, changes)
            }
            Txn::CreateTtl(create) => {
                let owner = owner::of_ttl(create.ttl_ms).unwrap_or(0);
                let new = New { path: &create.path, data: &create.data, acl: &create.acl, owner };
                self.create(at, &new, create.parent_cversion, changes)
            }
            Txn::Delete(path) => self.delete(at, path, changes),
            Txn::SetData(set) => self.set_data(at, set, changes),
            Txn::SetAcl(set) => self.set_acl(at, set),
            Txn::CloseSession(_) => {
                let paths: Vec<String> = self.ephemerals_of(at.session_id).cloned().collect();
                for path in &paths {
                    self.delete(at, path, changes);
                }
                Undo::Never
            }
            Txn::Multi(parts) => {
                for part in parts {
                    self.apply(at, part, changes);
                }
                Undo::Never
            }
            Txn::CreateSession(_) | Txn::Check(_) | Txn::Error(_) => Undo::Nothing,
        }
    }

    fn create(
        &mut self,
        at: At,
        new: &New<'_>,
        parent_cversion: i32,
        changes: &mut Vec<Change>,
    ) -> Undo {
        let Some(parent_path) = path::parent(new.path) else { return Undo::Nothing };
        let exists = self.nodes.contains_key(new.path);
        let Some(parent) = self.nodes.get_mut(parent_path) else { return Undo::Nothing };
        let parent_before = undo::Parent::of(parent);
        // A snapshot taken while this was under way may have it already; sequence numbers must
        // not be given twice for that.
        let cversion =
            if parent_cversion == -1 { parent.stat.cversion + 1 } else { parent_cversion };
        if cversion > parent.stat.cversion {
            parent.stat.cversion = cversion;
            parent.stat.pzxid = at.zxid;
        }
        parent.touched = at.zxid;
        if exists {
            return Undo::Nothing;
        }
        let (parent_acl, acl) = (parent.acl.clone(), self.intern(new.acl));
        let stat = StatPersisted {
            czxid: at.zxid,
            mzxid: at.zxid,
            pzxid: at.zxid,
            ctime: at.time_ms,
            mtime: at.time_ms,
            ephemeral_owner: new.owner,
            ..StatPersisted::default()
        };
        self.insert(new.path.to_owned(), Node::new(new.data.clone(), acl.clone(), stat));
        self.count_created(new.path, length(new.data.as_ref()).into());
        changes.push(Change::Created { path: new.path.to_owned(), acl, parent_acl });
        Undo::Created { path: new.path.to_owned(), parent: parent_before }
    }

    fn delete(&mut self, at: At, path: &str, changes: &mut Vec<Change>) -> Undo {
        let parent_path = path::parent(path).unwrap_or("/");
        let Some(node) = self.take(path) else { return Undo::Nothing };
        let Some(parent) = self.nodes.get_mut(parent_path) else { return Undo::Nothing };
        let parent_before = undo::Parent::of(parent);
        parent.stat.pzxid = parent.stat.pzxid.max(at.zxid);
        parent.touched = at.zxid;
        let (acl, parent_acl) = (node.acl.clone(), parent.acl.clone());
        self.count_deleted(path, length(node.data.as_ref()).into());
        changes.push(Change::Deleted { path: path.to_owned(), acl, parent_acl });
        Undo::Deleted { path: path.to_owned(), node: Box::new(node), parent: parent_before }
    }

    fn set_data(&mut self, at: At, set: &SetDataTxn, changes: &mut Vec<Change>) -> Undo {
        let Some(node) = self.nodes.get_mut(&set.path) else { return Undo::Nothing };
        let undo = Undo::DataSet {
            path: set.path.clone(),
            data: node.data.clone(),
            stat: node.stat.clone(),
            touched: node.touched,
        };
        let (before, after) = (length(node.data.as_ref()), length(set.data.as_ref()));
        node.data.clone_from(&set.data);
        node.stat.mtime = at.time_ms;
        node.stat.mzxid = at.zxid;
        node.stat.version = set.version;
        node.touched = at.zxid;
        changes.push(Change::DataSet { path: set.path.clone(), acl: node.acl.clone() });
        self.resize(&set.path, i64::from(before), i64::from(after));
        undo
    }

    fn resize(&mut self, path: &str, before: i64, after: i64) {
        self.bytes = self.bytes.saturating_add_signed(after - before);
        self.count_bytes(path, after - before);
    }

    fn set_acl(&mut self, at: At, set: &SetAclTxn) -> Undo {
        let acl = self.intern(&set.acl);
        let Some(node) = self.nodes.get_mut(&set.path) else { return Undo::Nothing };
        node.acl = acl;
        node.stat.aversion = set.version;
        node.touched = at.zxid;
        Undo::Never
    }
}

struct New<'a> {
    path: &'a str,
    data: &'a Option<Bytes>,
    acl: &'a [Acl],
    owner: i64,
}

/// The path of a child.
pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent == "/" { format!("/{name}") } else { format!("{parent}/{name}") }
}

fn length(data: Option<&Bytes>) -> i32 {
    data.map_or(0, |data| i32::try_from(data.len()).unwrap_or(i32::MAX))
}

fn size(path: &str, data: Option<&Bytes>) -> u64 {
    path.len() as u64 + data.map_or(0, |data| data.len() as u64)
}
