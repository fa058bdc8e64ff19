//! SetData (op 5), and Check (op 13), which is its condition alone.

use bytes::Bytes;
use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::data::perms;
use tidemill_zookeeper_wire::request::{PathVersion, SetDataRequest};
use tidemill_zookeeper_wire::txn::{CheckTxn, SetDataTxn, Txn};

use super::{Caller, next_version, valid};
use crate::acl;
use crate::tree::Tree;

pub(super) fn prepare(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &SetDataRequest,
) -> Result<Txn, ErrorCode> {
    valid(&request.path)?;
    let node = tree.get(&request.path).ok_or(ErrorCode::NoNode)?;
    acl::require(&node.acl, perms::WRITE, caller.identities)?;
    let length = |data: &Option<Bytes>| data.as_ref().map_or(0, Bytes::len);
    let (before, after) = (length(&node.data), length(&request.data));
    let grows_by = after.saturating_sub(before) as u64;
    if grows_by > 0 && tree.memory_bytes() + grows_by > caller.config.data_max.0 {
        return Err(ErrorCode::QuotaExceeded);
    }
    if caller.config.enforce_quota {
        let more = i64::try_from(after).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(0);
        tree.check_quota(&request.path, 0, more)?;
    }
    let version = next_version(node.stat.version, request.version)?;
    Ok(Txn::SetData(SetDataTxn { path: request.path.clone(), data: request.data.clone(), version }))
}

pub(super) fn check(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &PathVersion,
) -> Result<Txn, ErrorCode> {
    valid(&request.path)?;
    let node = tree.get(&request.path).ok_or(ErrorCode::NoNode)?;
    acl::require(&node.acl, perms::READ, caller.identities)?;
    let version = next_version(node.stat.version, request.version)?;
    Ok(Txn::Check(CheckTxn { path: request.path.clone(), version }))
}
