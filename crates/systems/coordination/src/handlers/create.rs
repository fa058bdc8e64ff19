//! Create, Create2, CreateContainer, CreateTTL (ops 1, 15, 19, 21).

use bytes::Bytes;
use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::data::{Acl, owner, perms};
use tidemill_zookeeper_wire::request::{CreateMode, CreateRequest, CreateTtlRequest};
use tidemill_zookeeper_wire::txn::{CreateContainerTxn, CreateTtlTxn, CreateTxn, Txn};

use super::{Caller, valid};
use crate::acl;
use crate::tree::Tree;

pub(super) fn node(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &CreateRequest,
) -> Result<Txn, ErrorCode> {
    let mode = mode(request.flags)?;
    if mode.is_ttl() {
        return Err(ErrorCode::BadArguments);
    }
    let place = Place::find(tree, caller, &request.path, mode, &request.acl, &request.data)?;
    if mode == CreateMode::Container {
        return Ok(place.container(request.data.clone()));
    }
    Ok(Txn::Create(CreateTxn {
        path: place.path,
        data: request.data.clone(),
        acl: place.acl,
        ephemeral: mode.is_ephemeral(),
        parent_cversion: place.parent_cversion,
    }))
}

pub(super) fn container(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &CreateRequest,
) -> Result<Txn, ErrorCode> {
    let mode = mode(request.flags)?;
    if mode != CreateMode::Container {
        return Err(ErrorCode::BadArguments);
    }
    let place = Place::find(tree, caller, &request.path, mode, &request.acl, &request.data)?;
    Ok(place.container(request.data.clone()))
}

pub(super) fn ttl(
    tree: &Tree,
    caller: &Caller<'_>,
    request: &CreateTtlRequest,
) -> Result<Txn, ErrorCode> {
    if !caller.config.extended_types_enabled {
        return Err(ErrorCode::Unimplemented);
    }
    let mode = mode(request.flags)?;
    if !mode.is_ttl() || owner::of_ttl(request.ttl_ms).is_none() {
        return Err(ErrorCode::BadArguments);
    }
    let place = Place::find(tree, caller, &request.path, mode, &request.acl, &request.data)?;
    Ok(Txn::CreateTtl(CreateTtlTxn {
        path: place.path,
        data: request.data.clone(),
        acl: place.acl,
        parent_cversion: place.parent_cversion,
        ttl_ms: request.ttl_ms,
    }))
}

fn mode(flags: i32) -> Result<CreateMode, ErrorCode> {
    CreateMode::from_flags(flags).ok_or(ErrorCode::BadArguments)
}

/// Where a node goes, and what it is like there.
struct Place {
    path: String,
    acl: Vec<Acl>,
    parent_cversion: i32,
}

impl Place {
    fn find(
        tree: &Tree,
        caller: &Caller<'_>,
        asked: &str,
        mode: CreateMode,
        acl: &[Acl],
        data: &Option<Bytes>,
    ) -> Result<Place, ErrorCode> {
        let (parent_path, _) = asked.rsplit_once('/').ok_or(ErrorCode::BadArguments)?;
        let parent_path = if parent_path.is_empty() { "/" } else { parent_path };
        if asked.contains('\0') {
            return Err(ErrorCode::BadArguments);
        }
        let acl = acl::resolve(acl, caller.identities)?;
        let parent = tree.get(parent_path).ok_or(ErrorCode::NoNode)?;
        acl::require(&parent.acl, perms::CREATE, caller.identities)?;
        let cversion = parent.stat.cversion;
        let path = match mode.is_sequential() {
            true => format!("{asked}{cversion:010}"),
            false => asked.to_owned(),
        };
        valid(&path)?;
        if tree.get(&path).is_some() {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(owner::kind(parent.stat.ephemeral_owner), owner::Kind::Ephemeral(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        fits(tree, caller, &path, data.as_ref().map_or(0, Bytes::len))?;
        Ok(Place { path, acl, parent_cversion: cversion.wrapping_add(1) })
    }

    fn container(self, data: Option<Bytes>) -> Txn {
        Txn::CreateContainer(CreateContainerTxn {
            path: self.path,
            data,
            acl: self.acl,
            parent_cversion: self.parent_cversion,
        })
    }
}

fn fits(tree: &Tree, caller: &Caller<'_>, path: &str, bytes: usize) -> Result<(), ErrorCode> {
    if tree.memory_bytes() + (path.len() + bytes) as u64 > caller.config.data_max.0 {
        return Err(ErrorCode::QuotaExceeded);
    }
    if caller.config.enforce_quota {
        tree.check_quota(path, 1, i64::try_from(bytes).unwrap_or(i64::MAX))?;
    }
    Ok(())
}
