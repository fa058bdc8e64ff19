//! Delete (op 2) and DeleteContainer (op 20).

use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::data::{owner, perms};
use tidemill_zookeeper_wire::request::PathVersion;
use tidemill_zookeeper_wire::txn::Txn;

use super::{Caller, next_version, parent_of};
use crate::acl;
use crate::tree::Tree;

pub(super) fn prepare(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &PathVersion,
) -> Result<Txn, ErrorCode> {
    let parent = tree.get(parent_of(&request.path)?).ok_or(ErrorCode::NoNode)?;
    acl::require(&parent.acl, perms::DELETE, caller.identities)?;
    let node = tree.get(&request.path).ok_or(ErrorCode::NoNode)?;
    next_version(node.stat.version, request.version)?;
    if !node.children.is_empty() {
        return Err(ErrorCode::NotEmpty);
    }
    Ok(Txn::Delete(request.path.clone()))
}

/// What the server does for itself, and clients may ask for: it removes what would go anyhow.
pub(super) fn container(tree: &Tree, path: &str) -> Result<Txn, ErrorCode> {
    parent_of(path)?;
    let node = tree.get(path).ok_or(ErrorCode::NoNode)?;
    if !node.children.is_empty() {
        return Err(ErrorCode::NotEmpty);
    }
    match owner::kind(node.stat.ephemeral_owner) {
        owner::Kind::Container => Ok(Txn::Delete(path.to_owned())),
        _ => Err(ErrorCode::BadVersion),
    }
}
