//! What clients ask for: one variant for each op.

use bytes::Bytes;

use crate::code::Op;
use crate::data::Acl;
use crate::jute::{DecodeError, Jute, Reader, records};
use crate::session::AuthPacket;

/// Parts of one multi; beyond, the request counts as malformed.
pub const MULTI_OPS_MAX: usize = 100_000;

records! {
    /// A node to make.
    CreateRequest {
        /// Where; a sequential node's number is appended.
        path: String,
        /// Its data.
        data: Option<Bytes>,
        /// Its access control list.
        acl: Vec<Acl>,
        /// A [`CreateMode`].
        flags: i32,
    }

    /// A node to make that goes when it is old.
    CreateTtlRequest {
        /// As in [`CreateRequest`].
        path: String,
        /// As in [`CreateRequest`].
        data: Option<Bytes>,
        /// As in [`CreateRequest`].
        acl: Vec<Acl>,
        /// As in [`CreateRequest`].
        flags: i32,
        /// Milliseconds.
        ttl_ms: i64,
    }

    /// A node and the version it must have.
    PathVersion {
        /// The node.
        path: String,
        /// -1 for any.
        version: i32,
    }

    /// A node to look at.
    PathWatch {
        /// The node.
        path: String,
        /// Whether to tell when what is answered changes.
        watch: bool,
    }

    /// Data to set.
    SetDataRequest {
        /// The node.
        path: String,
        /// All of its new data.
        data: Option<Bytes>,
        /// The version it must have; -1 for any.
        version: i32,
    }

    /// An access control list to set.
    SetAclRequest {
        /// The node.
        path: String,
        /// All of the new list.
        acl: Vec<Acl>,
        /// The version the list must have; -1 for any.
        version: i32,
    }

    /// The watches of an earlier connection.
    SetWatches {
        /// The last transaction the client knows of: what happened since is told at once.
        relative_zxid: i64,
        /// Nodes whose data is watched.
        data: Vec<String>,
        /// Nodes that do not exist yet.
        exist: Vec<String>,
        /// Nodes whose children are watched.
        child: Vec<String>,
    }

    /// The watches of an earlier connection, with persistent ones.
    SetWatches2 {
        /// As in [`SetWatches`].
        relative_zxid: i64,
        /// As in [`SetWatches`].
        data: Vec<String>,
        /// As in [`SetWatches`].
        exist: Vec<String>,
        /// As in [`SetWatches`].
        child: Vec<String>,
        /// Nodes with a persistent watch.
        persistent: Vec<String>,
        /// Nodes with a persistent watch on all that lies below.
        persistent_recursive: Vec<String>,
    }

    /// A watch that stays.
    AddWatchRequest {
        /// The node.
        path: String,
        /// 0: this node and its children; 1: all that lies below.
        mode: i32,
    }

    /// A watch that is asked for or taken back.
    WatchOf {
        /// The node.
        path: String,
        /// 1 children, 2 data, 3 any, 4 persistent, 5 persistent and recursive.
        kind: i32,
    }

    /// A change of the ensemble.
    ReconfigRequest {
        /// Servers that come.
        joining: Option<String>,
        /// Servers that go.
        leaving: Option<String>,
        /// All servers.
        members: Option<String>,
        /// The configuration this replaces; -1 for any.
        current: i64,
    }

    /// Before each part of a multi, and at its end.
    MultiHeader {
        /// An [`Op`].
        op: i32,
        /// Whether this is the end.
        done: bool,
        /// In answers: an error code; -1 otherwise.
        error: i32,
    }
}

/// How a node comes and goes (`CreateMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreateMode {
    /// It stays.
    #[default]
    Persistent,
    /// It goes with the session.
    Ephemeral,
    /// It stays; its number is appended to its name.
    PersistentSequential,
    /// It goes with the session; its number is appended to its name.
    EphemeralSequential,
    /// It goes when its last child has gone.
    Container,
    /// It goes when it is old and has no children.
    PersistentTtl,
    /// The same; its number is appended to its name.
    PersistentSequentialTtl,
}

impl CreateMode {
    const ALL: [CreateMode; 7] = [
        CreateMode::Persistent,
        CreateMode::Ephemeral,
        CreateMode::PersistentSequential,
        CreateMode::EphemeralSequential,
        CreateMode::Container,
        CreateMode::PersistentTtl,
        CreateMode::PersistentSequentialTtl,
    ];

    /// The number on the wire.
    pub fn flags(self) -> i32 {
        self as i32
    }

    /// What the number stands for.
    pub fn from_flags(flags: i32) -> Option<CreateMode> {
        CreateMode::ALL.get(usize::try_from(flags).ok()?).copied()
    }

    /// Whether the node's number is appended to its name.
    pub fn is_sequential(self) -> bool {
        use CreateMode::{EphemeralSequential, PersistentSequential, PersistentSequentialTtl};
        matches!(self, PersistentSequential | EphemeralSequential | PersistentSequentialTtl)
    }

    /// Whether the node goes with the session.
    pub fn is_ephemeral(self) -> bool {
        matches!(self, CreateMode::Ephemeral | CreateMode::EphemeralSequential)
    }

    /// Whether the node goes when it is old.
    pub fn is_ttl(self) -> bool {
        matches!(self, CreateMode::PersistentTtl | CreateMode::PersistentSequentialTtl)
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Makes a node; its path is answered.
    Create(CreateRequest),
    /// Makes a node; its path and stat are answered.
    Create2(CreateRequest),
    /// Makes a container.
    CreateContainer(CreateRequest),
    /// Makes a node that goes when it is old.
    CreateTtl(CreateTtlRequest),
    /// Removes a node.
    Delete(PathVersion),
    /// Removes an empty container; the server's own.
    DeleteContainer(String),
    /// A node's stat.
    Exists(PathWatch),
    /// A node's data and stat.
    GetData(PathWatch),
    /// Replaces a node's data.
    SetData(SetDataRequest),
    /// A node's access control list.
    GetAcl(String),
    /// Replaces it.
    SetAcl(SetAclRequest),
    /// The names of a node's children.
    GetChildren(PathWatch),
    /// The names of a node's children, and its stat.
    GetChildren2(PathWatch),
    /// Waits until all that was written before is visible here.
    Sync(String),
    /// Keeps the session alive.
    Ping,
    /// The node has this version; useful in a multi.
    Check(PathVersion),
    /// Writes, all or none.
    Multi(Vec<Request>),
    /// Reads.
    MultiRead(Vec<Request>),
    /// Changes the ensemble.
    Reconfig(ReconfigRequest),
    /// Whether a watch is set.
    CheckWatches(WatchOf),
    /// Takes a watch back.
    RemoveWatches(WatchOf),
    /// Adds an identity to the connection.
    Auth(AuthPacket),
    /// Sets the watches of an earlier connection.
    SetWatches(SetWatches),
    /// The same, with persistent ones.
    SetWatches2(SetWatches2),
    /// Sets a persistent watch.
    AddWatch(AddWatchRequest),
    /// A step of SASL.
    Sasl(Option<Bytes>),
    /// The ephemeral nodes of this session below a path.
    GetEphemerals(Option<String>),
    /// How many nodes lie below.
    GetAllChildrenNumber(String),
    /// The identities of this connection.
    WhoAmI,
    /// Ends the session.
    CloseSession,
}

impl Request {
    /// Reads the record of this op.
    pub fn read(op: Op, reader: &mut Reader) -> Result<Request, DecodeError> {
        Ok(match op {
            Op::Create => Request::Create(reader.take()?),
            Op::Create2 => Request::Create2(reader.take()?),
            Op::CreateContainer => Request::CreateContainer(reader.take()?),
            Op::CreateTtl => Request::CreateTtl(reader.take()?),
            Op::Delete => Request::Delete(reader.take()?),
            Op::DeleteContainer => Request::DeleteContainer(reader.take()?),
            Op::Exists => Request::Exists(reader.take()?),
            Op::GetData => Request::GetData(reader.take()?),
            Op::SetData => Request::SetData(reader.take()?),
            Op::GetAcl => Request::GetAcl(reader.take()?),
            Op::SetAcl => Request::SetAcl(reader.take()?),
            Op::GetChildren => Request::GetChildren(reader.take()?),
            Op::GetChildren2 => Request::GetChildren2(reader.take()?),
            Op::Sync => Request::Sync(reader.take()?),
            Op::Ping => Request::Ping,
            Op::Check => Request::Check(reader.take()?),
            Op::Multi => Request::Multi(read_parts(reader, WRITES)?),
            Op::MultiRead => Request::MultiRead(read_parts(reader, READS)?),
            Op::Reconfig => Request::Reconfig(reader.take()?),
            Op::CheckWatches => Request::CheckWatches(reader.take()?),
            Op::RemoveWatches => Request::RemoveWatches(reader.take()?),
            Op::Auth => Request::Auth(reader.take()?),
            Op::SetWatches => Request::SetWatches(reader.take()?),
            Op::SetWatches2 => Request::SetWatches2(reader.take()?),
            Op::AddWatch => Request::AddWatch(reader.take()?),
            Op::Sasl => Request::Sasl(reader.take()?),
            Op::GetEphemerals => Request::GetEphemerals(reader.take()?),
            Op::GetAllChildrenNumber => Request::GetAllChildrenNumber(reader.take()?),
            Op::WhoAmI => Request::WhoAmI,
            Op::CloseSession => Request::CloseSession,
            Op::Notification | Op::CreateSession | Op::Error => {
                return Err(DecodeError::Unknown { what: "request", value: op.number() });
            }
        })
    }

    /// The op of this request.
    pub fn op(&self) -> Op {
        match self {
            Request::Create(_) => Op::Create,
            Request::Create2(_) => Op::Create2,
            Request::CreateContainer(_) => Op::CreateContainer,
            Request::CreateTtl(_) => Op::CreateTtl,
            Request::Delete(_) => Op::Delete,
            Request::DeleteContainer(_) => Op::DeleteContainer,
            Request::Exists(_) => Op::Exists,
            Request::GetData(_) => Op::GetData,
            Request::SetData(_) => Op::SetData,
            Request::GetAcl(_) => Op::GetAcl,
            Request::SetAcl(_) => Op::SetAcl,
            Request::GetChildren(_) => Op::GetChildren,
            Request::GetChildren2(_) => Op::GetChildren2,
            Request::Sync(_) => Op::Sync,
            Request::Ping => Op::Ping,
            Request::Check(_) => Op::Check,
            Request::Multi(_) => Op::Multi,
            Request::MultiRead(_) => Op::MultiRead,
            Request::Reconfig(_) => Op::Reconfig,
            Request::CheckWatches(_) => Op::CheckWatches,
            Request::RemoveWatches(_) => Op::RemoveWatches,
            Request::Auth(_) => Op::Auth,
            Request::SetWatches(_) => Op::SetWatches,
            Request::SetWatches2(_) => Op::SetWatches2,
            Request::AddWatch(_) => Op::AddWatch,
            Request::Sasl(_) => Op::Sasl,
            Request::GetEphemerals(_) => Op::GetEphemerals,
            Request::GetAllChildrenNumber(_) => Op::GetAllChildrenNumber,
            Request::WhoAmI => Op::WhoAmI,
            Request::CloseSession => Op::CloseSession,
        }
    }

    /// Appends the record, without its header.
    pub fn write(&self, to: &mut Vec<u8>) {
        match self {
            Request::Create(create) | Request::Create2(create) => create.write(to),
            Request::CreateContainer(create) => create.write(to),
            Request::CreateTtl(create) => create.write(to),
            Request::Delete(node) | Request::Check(node) => node.write(to),
            Request::Exists(node) | Request::GetData(node) => node.write(to),
            Request::GetChildren(node) | Request::GetChildren2(node) => node.write(to),
            Request::SetData(set) => set.write(to),
            Request::SetAcl(set) => set.write(to),
            Request::DeleteContainer(path)
            | Request::GetAcl(path)
            | Request::Sync(path)
            | Request::GetAllChildrenNumber(path) => path.write(to),
            Request::Multi(parts) | Request::MultiRead(parts) => write_parts(parts, to),
            Request::Reconfig(change) => change.write(to),
            Request::CheckWatches(watch) | Request::RemoveWatches(watch) => watch.write(to),
            Request::Auth(packet) => packet.write(to),
            Request::SetWatches(watches) => watches.write(to),
            Request::SetWatches2(watches) => watches.write(to),
            Request::AddWatch(watch) => watch.write(to),
            Request::Sasl(token) => token.write(to),
            Request::GetEphemerals(prefix) => prefix.write(to),
            Request::Ping | Request::WhoAmI | Request::CloseSession => {}
        }
    }
}

/// What a multi consists of.
const WRITES: &[Op] = &[
    Op::Create,
    Op::Create2,
    Op::CreateContainer,
    Op::CreateTtl,
    Op::Delete,
    Op::SetData,
    Op::Check,
];
/// What a read of several consists of.
const READS: &[Op] = &[Op::GetData, Op::GetChildren];

fn read_parts(reader: &mut Reader, permitted: &[Op]) -> Result<Vec<Request>, DecodeError> {
    let mut parts = Vec::new();
    loop {
        let header: MultiHeader = reader.take()?;
        if header.done {
            return Ok(parts);
        }
        let op = Op::from_number(header.op).filter(|op| permitted.contains(op));
        let unknown = DecodeError::Unknown { what: "part of a multi", value: header.op };
        parts.push(Request::read(op.ok_or(unknown)?, reader)?);
        if parts.len() > MULTI_OPS_MAX {
            return Err(DecodeError::Length(i32::MAX));
        }
    }
}

fn write_parts(parts: &[Request], to: &mut Vec<u8>) {
    for part in parts {
        MultiHeader { op: part.op().number(), done: false, error: -1 }.write(to);
        part.write(to);
    }
    MultiHeader { op: -1, done: true, error: -1 }.write(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multi_has_no_reads_and_no_multi_in_it() {
        let read = Request::GetData(PathWatch::default());
        for bad in [Request::Multi(vec![read]), Request::Multi(vec![Request::Multi(vec![])])] {
            let mut bytes = Vec::new();
            bad.write(&mut bytes);
            let mut reader = Reader::new(bytes.into());
            assert!(Request::read(Op::Multi, &mut reader).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_create_mode_is_its_number() {
        for mode in CreateMode::ALL {
            assert_eq!(CreateMode::from_flags(mode.flags()), Some(mode));
        }
        assert_eq!(CreateMode::from_flags(7), None);
        assert_eq!(CreateMode::from_flags(-1), None);
    }
}
