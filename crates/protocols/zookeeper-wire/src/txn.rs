//! The records of ZooKeeper's transaction log (`org.apache.zookeeper.txn`).

use bytes::Bytes;

use crate::code::Op;
use crate::data::Acl;
use crate::jute::{DecodeError, Jute, Reader, records};

records! {
    /// Before every transaction.
    TxnHeader {
        /// The session it was made for; 0 for the server's own.
        session_id: i64,
        /// The client's number for the request.
        cxid: i32,
        /// The transaction's number.
        zxid: i64,
        /// When it was made, in milliseconds since 1970.
        time_ms: i64,
        /// An [`Op`].
        op: i32,
    }

    /// A node was made.
    CreateTxn {
        /// Its path, with its number if it is sequential.
        path: String,
        /// Its data.
        data: Option<Bytes>,
        /// Its access control list.
        acl: Vec<Acl>,
        /// Whether it goes with the session.
        ephemeral: bool,
        /// What the parent's `cversion` is from now on.
        parent_cversion: i32,
    }

    /// A container was made.
    CreateContainerTxn {
        /// As in [`CreateTxn`].
        path: String,
        /// As in [`CreateTxn`].
        data: Option<Bytes>,
        /// As in [`CreateTxn`].
        acl: Vec<Acl>,
        /// As in [`CreateTxn`].
        parent_cversion: i32,
    }

    /// A node was made that goes when it is old.
    CreateTtlTxn {
        /// As in [`CreateTxn`].
        path: String,
        /// As in [`CreateTxn`].
        data: Option<Bytes>,
        /// As in [`CreateTxn`].
        acl: Vec<Acl>,
        /// As in [`CreateTxn`].
        parent_cversion: i32,
        /// Milliseconds.
        ttl_ms: i64,
    }

    /// Data was set.
    SetDataTxn {
        /// The node.
        path: String,
        /// All of its data.
        data: Option<Bytes>,
        /// Its version from now on.
        version: i32,
    }

    /// An access control list was set.
    SetAclTxn {
        /// The node.
        path: String,
        /// The whole list.
        acl: Vec<Acl>,
        /// Its version from now on.
        version: i32,
    }

    /// One part of a multi.
    PartTxn {
        /// An [`Op`].
        op: i32,
        /// The record.
        data: Option<Bytes>,
    }

    /// A version was checked.
    CheckTxn {
        /// The node.
        path: String,
        /// Its version, plus one.
        version: i32,
    }
}

/// What changes the tree or the sessions: its outcome, no longer its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Txn {
    /// A session began, with this timeout in milliseconds.
    CreateSession(i32),
    /// A session ended; these were its nodes. ZooKeeper before 3.6 wrote none of them down.
    CloseSession(Option<Vec<String>>),
    /// A node was made: by Create, or by Create2.
    Create(CreateTxn),
    /// A container was made.
    CreateContainer(CreateContainerTxn),
    /// A node was made that goes when it is old.
    CreateTtl(CreateTtlTxn),
    /// A node was removed.
    Delete(String),
    /// Data was set.
    SetData(SetDataTxn),
    /// An access control list was set.
    SetAcl(SetAclTxn),
    /// A version was checked, in a multi.
    Check(CheckTxn),
    /// Several at once.
    Multi(Vec<Txn>),
    /// Nothing happened; ZooKeeper logs failed requests too.
    Error(i32),
}

impl Txn {
    /// The op in its header.
    pub fn op(&self) -> Op {
        match self {
            Txn::CreateSession(_) => Op::CreateSession,
            Txn::CloseSession(_) => Op::CloseSession,
            Txn::Create(_) => Op::Create2,
            Txn::CreateContainer(_) => Op::CreateContainer,
            Txn::CreateTtl(_) => Op::CreateTtl,
            Txn::Delete(_) => Op::Delete,
            Txn::SetData(_) => Op::SetData,
            Txn::SetAcl(_) => Op::SetAcl,
            Txn::Check(_) => Op::Check,
            Txn::Multi(_) => Op::Multi,
            Txn::Error(_) => Op::Error,
        }
    }

    /// Reads the record that a header with this op announces.
    pub fn read(op: i32, reader: &mut Reader) -> Result<Txn, DecodeError> {
        Ok(match Op::from_number(op) {
            Some(Op::CreateSession) => Txn::CreateSession(reader.take()?),
            Some(Op::CloseSession) if reader.left() < 4 => Txn::CloseSession(None),
            Some(Op::CloseSession) => Txn::CloseSession(Some(reader.take()?)),
            Some(Op::Create | Op::Create2) => Txn::Create(reader.take()?),
            Some(Op::CreateContainer) => Txn::CreateContainer(reader.take()?),
            Some(Op::CreateTtl) => Txn::CreateTtl(reader.take()?),
            Some(Op::Delete | Op::DeleteContainer) => Txn::Delete(reader.take()?),
            Some(Op::SetData | Op::Reconfig) => Txn::SetData(reader.take()?),
            Some(Op::SetAcl) => Txn::SetAcl(reader.take()?),
            Some(Op::Check) => Txn::Check(reader.take()?),
            Some(Op::Error) => Txn::Error(reader.take()?),
            Some(Op::Multi) => Txn::Multi(read_parts(reader)?),
            _ => return Err(DecodeError::Unknown { what: "transaction", value: op }),
        })
    }

    /// Appends the record, without its header.
    pub fn write(&self, to: &mut Vec<u8>) {
        match self {
            Txn::CreateSession(timeout_ms) => timeout_ms.write(to),
            Txn::CloseSession(paths) => {
                if let Some(paths) = paths {
                    paths.write(to);
                }
            }
            Txn::Create(create) => create.write(to),
            Txn::CreateContainer(create) => create.write(to),
            Txn::CreateTtl(create) => create.write(to),
            Txn::Delete(path) => path.write(to),
            Txn::SetData(set) => set.write(to),
            Txn::SetAcl(set) => set.write(to),
            Txn::Check(check) => check.write(to),
            Txn::Error(error) => error.write(to),
            Txn::Multi(parts) => {
                let parts: Vec<PartTxn> = parts.iter().map(PartTxn::of).collect();
                parts.write(to);
            }
        }
    }
}

impl PartTxn {
    fn of(txn: &Txn) -> PartTxn {
        let mut data = Vec::new();
        txn.write(&mut data);
        PartTxn { op: txn.op().number(), data: Some(data.into()) }
    }
}

fn read_parts(reader: &mut Reader) -> Result<Vec<Txn>, DecodeError> {
    let parts: Vec<PartTxn> = reader.take()?;
    let read = |part: PartTxn| {
        // Its parts have parts of their own in no log, and must not in a damaged one.
        if part.op == Op::Multi.number() {
            return Err(DecodeError::Unknown { what: "part of a multi", value: part.op });
        }
        Txn::read(part.op, &mut Reader::new(part.data.unwrap_or_default()))
    };
    parts.into_iter().map(read).collect()
}
