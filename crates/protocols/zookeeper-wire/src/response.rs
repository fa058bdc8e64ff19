//! What servers answer: a record for each op that has one.

use bytes::Bytes;

use crate::code::Op;
use crate::data::{Acl, ClientInfo, Stat};
use crate::jute::{DecodeError, Jute, Reader};
use crate::request::{MULTI_OPS_MAX, MultiHeader};

/// The record behind a reply header that tells of no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// There is none: Delete, Ping, SetWatches, CloseSession and others.
    Empty,
    /// Create, Sync.
    Path(String),
    /// Create2, CreateContainer, CreateTtl.
    Created(String, Stat),
    /// Exists, SetData, SetAcl.
    Stat(Stat),
    /// GetData.
    Data(Option<Bytes>, Stat),
    /// GetChildren, GetEphemerals: names or paths.
    Names(Vec<String>),
    /// GetChildren2.
    Children(Vec<String>, Stat),
    /// GetAcl.
    Acl(Vec<Acl>, Stat),
    /// GetAllChildrenNumber, and AddWatch, which answers 0.
    Number(i32),
    /// Multi, MultiRead.
    Results(Vec<OpResult>),
    /// WhoAmI.
    Identities(Vec<ClientInfo>),
}

/// What became of one part of a multi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpResult {
    /// Create.
    Created(String),
    /// Create2, CreateContainer, CreateTtl.
    Created2(String, Stat),
    /// Delete.
    Deleted,
    /// SetData.
    Set(Stat),
    /// Check.
    Checked,
    /// GetData.
    Data(Option<Bytes>, Stat),
    /// GetChildren.
    Names(Vec<String>),
    /// An [`ErrorCode`](crate::ErrorCode): 0 for what stands before the part that failed,
    /// [`RuntimeInconsistency`](crate::ErrorCode::RuntimeInconsistency) for what stands behind it.
    Error(i32),
}

impl Response {
    /// Reads the answer to this op.
    pub fn read(op: Op, reader: &mut Reader) -> Result<Response, DecodeError> {
        Ok(match op {
            Op::Create | Op::Sync => Response::Path(reader.take()?),
            Op::Create2 | Op::CreateContainer | Op::CreateTtl => {
                Response::Created(reader.take()?, reader.take()?)
            }
            Op::Exists | Op::SetData | Op::SetAcl | Op::Check => Response::Stat(reader.take()?),
            Op::GetData | Op::Reconfig => Response::Data(reader.take()?, reader.take()?),
            Op::GetChildren | Op::GetEphemerals => Response::Names(reader.take()?),
            Op::GetChildren2 => Response::Children(reader.take()?, reader.take()?),
            Op::GetAcl => Response::Acl(reader.take()?, reader.take()?),
            Op::GetAllChildrenNumber | Op::AddWatch => Response::Number(reader.take()?),
            Op::Multi | Op::MultiRead => Response::Results(read_results(reader)?),
            Op::WhoAmI => Response::Identities(reader.take()?),
            _ => Response::Empty,
        })
    }

    /// Appends the record.
    pub fn write(&self, to: &mut Vec<u8>) {
        match self {
            Response::Empty => {}
            Response::Path(path) => path.write(to),
            Response::Created(path, stat) => {
                path.write(to);
                stat.write(to);
            }
            Response::Stat(stat) => stat.write(to),
            Response::Data(data, stat) => {
                data.write(to);
                stat.write(to);
            }
            Response::Names(names) => names.write(to),
            Response::Children(names, stat) => {
                names.write(to);
                stat.write(to);
            }
            Response::Acl(acl, stat) => {
                acl.write(to);
                stat.write(to);
            }
            Response::Number(number) => number.write(to),
            Response::Results(results) => {
                results.iter().for_each(|result| result.write(to));
                MultiHeader { op: -1, done: true, error: -1 }.write(to);
            }
            Response::Identities(identities) => identities.write(to),
        }
    }
}

fn read_results(reader: &mut Reader) -> Result<Vec<OpResult>, DecodeError> {
    let mut results = Vec::new();
    loop {
        let header: MultiHeader = reader.take()?;
        if header.done {
            return Ok(results);
        }
        results.push(OpResult::read(header.op, reader)?);
        if results.len() > MULTI_OPS_MAX {
            return Err(DecodeError::Length(i32::MAX));
        }
    }
}

impl OpResult {
    fn read(op: i32, reader: &mut Reader) -> Result<OpResult, DecodeError> {
        Ok(match Op::from_number(op) {
            Some(Op::Create) => OpResult::Created(reader.take()?),
            Some(Op::Create2) => OpResult::Created2(reader.take()?, reader.take()?),
            Some(Op::Delete) => OpResult::Deleted,
            Some(Op::SetData) => OpResult::Set(reader.take()?),
            Some(Op::Check) => OpResult::Checked,
            Some(Op::GetData) => OpResult::Data(reader.take()?, reader.take()?),
            Some(Op::GetChildren) => OpResult::Names(reader.take()?),
            Some(Op::Error) => OpResult::Error(reader.take()?),
            _ => return Err(DecodeError::Unknown { what: "result of a multi", value: op }),
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let op = match self {
            OpResult::Created(_) => Op::Create,
            OpResult::Created2(..) => Op::Create2,
            OpResult::Deleted => Op::Delete,
            OpResult::Set(_) => Op::SetData,
            OpResult::Checked => Op::Check,
            OpResult::Data(..) => Op::GetData,
            OpResult::Names(_) => Op::GetChildren,
            OpResult::Error(_) => Op::Error,
        };
        let error = if let OpResult::Error(error) = self { *error } else { 0 };
        MultiHeader { op: op.number(), done: false, error }.write(to);
        match self {
            OpResult::Created(path) => path.write(to),
            OpResult::Created2(path, stat) => {
                path.write(to);
                stat.write(to);
            }
            OpResult::Set(stat) => stat.write(to),
            OpResult::Data(data, stat) => {
                data.write(to);
                stat.write(to);
            }
            OpResult::Names(names) => names.write(to),
            OpResult::Error(error) => error.write(to),
            OpResult::Deleted | OpResult::Checked => {}
        }
    }
}
