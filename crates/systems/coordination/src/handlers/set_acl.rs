//! SetACL (op 7).

use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::data::perms;
use tidemill_zookeeper_wire::request::SetAclRequest;
use tidemill_zookeeper_wire::txn::{SetAclTxn, Txn};

use super::{Caller, next_version, valid};
use crate::acl;
use crate::tree::Tree;

pub(super) fn prepare(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &SetAclRequest,
) -> Result<Txn, ErrorCode> {
    valid(&request.path)?;
    let acl = acl::resolve(&request.acl, caller.identities)?;
    let node = tree.get(&request.path).ok_or(ErrorCode::NoNode)?;
    acl::require(&node.acl, perms::ADMIN, caller.identities)?;
    let version = next_version(node.stat.aversion, request.version)?;
    Ok(Txn::SetAcl(SetAclTxn { path: request.path.clone(), acl, version }))
}
