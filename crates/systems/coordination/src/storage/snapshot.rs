//! Snapshots: all sessions and nodes at one transaction, `snapshot.<zxid>`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tidemill_runtime::Disk;
use tidemill_zookeeper_wire::data::{Acl, StatPersisted};
use tidemill_zookeeper_wire::{DecodeError, Jute, Reader};

use super::adler::adler;
use super::zxid_of;
use crate::tree::{Node, Tree};

/// "ZKSN", version 2, database -1.
const HEADER: [u8; 16] =
    [b'Z', b'K', b'S', b'N', 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/// Behind the checksum, as a string.
const END: &str = "/";
/// Stands for the list by which anybody may do anything.
const OPEN_ACL: i64 = -1;

/// The bytes of a snapshot. Sessions come as id and timeout in milliseconds.
pub(crate) fn serialize(
    tree: &Tree,
    sessions: impl ExactSizeIterator<Item = (i64, i32)>,
) -> Vec<u8> {
    let mut to = HEADER.to_vec();
    count(sessions.len()).write(&mut to);
    for (id, timeout_ms) in sessions {
        id.write(&mut to);
        timeout_ms.write(&mut to);
    }
    let acls = Acls::of(tree);
    acls.write(&mut to);
    tree.walk(|path, node| {
        // The root's path is written as the empty string: "/" ends the nodes.
        let path = if path == "/" { "" } else { path };
        path.to_owned().write(&mut to);
        node.data.write(&mut to);
        acls.id(&node.acl).write(&mut to);
        node.stat.write(&mut to);
    });
    END.to_owned().write(&mut to);
    let checksum = adler(&to);
    checksum.write(&mut to);
    END.to_owned().write(&mut to);
    to
}

fn count(n: usize) -> i32 {
    i32::try_from(n).expect("far fewer than 2^31 fit into memory")
}

/// The lists that nodes have, by number.
struct Acls {
    ids: HashMap<Arc<[Acl]>, i64>,
}

impl Acls {
    fn of(tree: &Tree) -> Acls {
        let mut ids: HashMap<Arc<[Acl]>, i64> = HashMap::new();
        let open = Acl::open();
        tree.walk(|_, node| {
            if *node.acl != *open && !ids.contains_key(&node.acl) {
                let next = i64::from(count(ids.len())) + 1;
                ids.insert(node.acl.clone(), next);
            }
        });
        Acls { ids }
    }

    fn id(&self, acl: &Arc<[Acl]>) -> i64 {
        self.ids.get(acl).copied().unwrap_or(OPEN_ACL)
    }

    fn write(&self, to: &mut Vec<u8>) {
        let in_order: BTreeMap<i64, &Arc<[Acl]>> =
            self.ids.iter().map(|(acl, id)| (*id, acl)).collect();
        count(in_order.len()).write(to);
        for (id, acl) in in_order {
            id.write(to);
            acl.to_vec().write(to);
        }
    }
}

/// What a snapshot holds.
pub(super) struct Read {
    pub(super) tree: Tree,
    pub(super) sessions: BTreeMap<i64, i32>,
}

/// Reads a snapshot, or says what is wrong with it. Snapshots of ZooKeeper have more behind the
/// first checksum; that is not needed here.
pub(super) fn read(bytes: Bytes) -> Result<Read, String> {
    if !bytes.starts_with(&HEADER[..8]) {
        return Err("it does not begin as a snapshot of version 2".to_owned());
    }
    let length = bytes.len();
    let mut reader = Reader::new(bytes.slice(HEADER.len().min(length)..));
    let content = read_content(&mut reader).map_err(|error| error.to_string())?;
    let checked = length - reader.left();
    let checksum: i64 = reader.take().map_err(|error| error.to_string())?;
    if checksum != adler(&bytes[..checked]) {
        return Err("its checksum does not fit".to_owned());
    }
    Ok(content)
}

fn read_content(reader: &mut Reader) -> Result<Read, DecodeError> {
    let mut sessions = BTreeMap::new();
    for _ in 0..reader.take::<i32>()? {
        sessions.insert(reader.take()?, reader.take()?);
    }
    let mut tree = Tree::empty();
    let mut acls: HashMap<i64, Arc<[Acl]>> = HashMap::new();
    for _ in 0..reader.take::<i32>()? {
        let id = reader.take()?;
        acls.insert(id, tree.intern(&reader.take::<Vec<Acl>>()?));
    }
    let open = tree.intern(&Acl::open());
    loop {
        let path: String = reader.take()?;
        if path == END {
            break;
        }
        let data: Option<Bytes> = reader.take()?;
        // Copied, or one small node would keep the whole snapshot in memory.
        let data = data.map(|data| Bytes::copy_from_slice(&data));
        let acl = acls.get(&reader.take()?).unwrap_or(&open).clone();
        let stat: StatPersisted = reader.take()?;
        let path = if path.is_empty() { END.to_owned() } else { path };
        tree.insert(path, Node::new(data, acl, stat));
    }
    tree.find_quotas();
    Ok(Read { tree, sessions })
}

/// Writes the snapshot of this transaction so that it is there whole or not at all; then removes
/// what `retain` snapshots and the logs behind them do not need.
pub(crate) fn write(
    disk: &dyn Disk,
    dir: &Path,
    zxid: i64,
    bytes: &[u8],
    retain: usize,
) -> std::io::Result<()> {
    disk.replace(&dir.join(format!("snapshot.{zxid:x}")), bytes)?;
    purge(disk, dir, retain.max(1))
}

fn purge(disk: &dyn Disk, dir: &Path, retain: usize) -> std::io::Result<()> {
    let names = disk.list(dir)?;
    let of = |prefix: &str| {
        let mut zxids: Vec<i64> =
            names.iter().filter_map(|entry| zxid_of(&entry.name, prefix)).collect();
        zxids.sort_unstable();
        zxids
    };
    let (snapshots, logs) = (of("snapshot"), of("log"));
    let Some(oldest) = snapshots.len().checked_sub(retain).map(|at| snapshots[at]) else {
        return Ok(());
    };
    // The log that holds the transaction after the oldest snapshot begins at or before it.
    let first_needed = logs.iter().rev().find(|zxid| **zxid <= oldest + 1).copied().unwrap_or(0);
    for zxid in logs.iter().filter(|zxid| **zxid < first_needed) {
        disk.remove_file(&dir.join(format!("log.{zxid:x}")))?;
    }
    for zxid in snapshots.iter().filter(|zxid| **zxid < oldest) {
        disk.remove_file(&dir.join(format!("snapshot.{zxid:x}")))?;
    }
    Ok(())
}
