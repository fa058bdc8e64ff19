//! One file per request. A read looks and says which transaction made what it shows; a write is
//! checked against the nodes as they are, becomes a transaction, and is applied.

mod auth;
mod connect;
mod create;
mod delete;
mod get_acl;
mod get_all_children_number;
mod get_children;
mod get_data;
mod get_ephemerals;
mod multi;
mod set_acl;
mod set_data;
mod set_watches;
mod watches;

use bytes::Bytes;
use tidemill_zookeeper_wire::data::{ClientInfo, Id};
use tidemill_zookeeper_wire::session::RequestHeader;
use tidemill_zookeeper_wire::txn::Txn;
use tidemill_zookeeper_wire::{ErrorCode, Op, Reader, Request, Response, path};

use crate::config::Config;
use crate::machine::{Answer, ConnId, Machine};
use crate::tree::{SPECIAL, Tree};

/// Who asks, and by which rules.
pub(crate) struct Caller<'a> {
    pub(crate) identities: &'a [Id],
    pub(crate) config: &'a Config,
}

/// Handles one frame of a connection: its first one opens a session, all others are requests.
pub(crate) fn handle(machine: &mut Machine, id: ConnId, frame: Bytes) {
    let Some(connection) = machine.connections.get_mut(&id) else { return };
    if connection.closing {
        return;
    }
    connection.stats.received += 1;
    let session_id = connection.session_id;
    machine.stats.received += 1;
    if session_id == 0 {
        connect::handle(machine, id, frame);
        return;
    }
    machine.sessions.touch(session_id, machine.world.clock.monotonic());
    let mut reader = Reader::new(frame);
    let Ok(header) = reader.take::<RequestHeader>() else {
        machine.close(id, 0);
        return;
    };
    let Some(op) = Op::from_number(header.op) else {
        refuse(machine, id, header.xid);
        return;
    };
    if let Some(connection) = machine.connections.get_mut(&id) {
        connection.last_op = shown(op);
    }
    match Request::read(op, &mut reader) {
        Ok(request) => dispatch(machine, id, header.xid, request),
        Err(error) => {
            tracing::debug!(%error, ?op, "malformed request");
            fail(machine, id, header.xid, ErrorCode::MarshallingError);
        }
    }
}

/// A request that no server knows: ZooKeeper says so and ends the connection.
fn refuse(machine: &mut Machine, id: ConnId, xid: i32) {
    fail(machine, id, xid, ErrorCode::Unimplemented);
    machine.close(id, 0);
}

fn fail(machine: &mut Machine, id: ConnId, xid: i32, error: ErrorCode) {
    machine.reply(id, xid, Answer { needs: 0, outcome: Err(error) });
}

fn dispatch(machine: &mut Machine, id: ConnId, xid: i32, request: Request) {
    let Some(connection) = machine.connections.get(&id) else { return };
    let session_id = connection.session_id;
    let answer = match request {
        Request::Ping => Answer { needs: 0, outcome: Ok(Response::Empty) },
        Request::Auth(packet) => return auth::handle(machine, id, xid, &packet),
        Request::CloseSession => {
            let needs = machine.end_session(session_id, xid);
            machine.reply(id, xid, Answer { needs, outcome: Ok(Response::Empty) });
            return machine.close(id, needs);
        }
        Request::Multi(parts) => multi::write(machine, id, xid, &parts),
        Request::MultiRead(parts) => multi::read(machine, id, &parts),
        Request::Exists(ask) => get_data::exists(machine, id, &ask),
        Request::GetData(ask) => get_data::handle(machine, id, &ask),
        Request::GetChildren(ask) => get_children::names(machine, id, &ask),
        Request::GetChildren2(ask) => get_children::names_and_stat(machine, id, &ask),
        Request::GetAcl(path) => get_acl::handle(machine, id, &path),
        Request::GetAllChildrenNumber(path) => get_all_children_number::handle(machine, id, &path),
        Request::GetEphemerals(prefix) => get_ephemerals::handle(machine, id, prefix.as_deref()),
        Request::SetWatches(watches) => set_watches::handle(machine, id, watches),
        Request::SetWatches2(watches) => set_watches::handle2(machine, id, watches),
        Request::AddWatch(watch) => watches::add(machine, id, &watch),
        Request::CheckWatches(watch) => watches::check(machine, id, &watch),
        Request::RemoveWatches(watch) => watches::remove(machine, id, &watch),
        Request::WhoAmI => Answer { needs: 0, outcome: Ok(identities(&connection.identities)) },
        // All that was written before is visible once it is durable.
        Request::Sync(path) => Answer { needs: machine.zxid(), outcome: Ok(Response::Path(path)) },
        Request::Reconfig(_) => Answer { needs: 0, outcome: Err(ErrorCode::ReconfigDisabled) },
        Request::Sasl(_) => return refuse(machine, id, xid),
        Request::Create(_)
        | Request::Create2(_)
        | Request::CreateContainer(_)
        | Request::CreateTtl(_)
        | Request::Delete(_)
        | Request::DeleteContainer(_)
        | Request::SetData(_)
        | Request::SetAcl(_)
        | Request::Check(_) => write(machine, id, xid, &request),
    };
    machine.reply(id, xid, answer);
}

/// A write of one step.
fn write(machine: &mut Machine, id: ConnId, xid: i32, request: &Request) -> Answer {
    let Some(connection) = machine.connections.get(&id) else {
        return Answer { needs: 0, outcome: Err(ErrorCode::SessionExpired) };
    };
    let session_id = connection.session_id;
    let caller = Caller { identities: &connection.identities, config: &machine.config };
    match prepare(&machine.tree, &caller, request) {
        Ok(txn) => {
            let needs = machine.commit(session_id, xid, &txn);
            Answer { needs, outcome: Ok(done(&machine.tree, request.op(), &txn)) }
        }
        // What stands in the way may not be durable yet.
        Err(error) => Answer { needs: machine.zxid(), outcome: Err(error) },
    }
}

/// Checks a write against the nodes as they are.
fn prepare(tree: &Tree, caller: &Caller<'_>, request: &Request) -> Result<Txn, ErrorCode> {
    match request {
        Request::Create(create) | Request::Create2(create) => create::node(tree, caller, create),
        Request::CreateContainer(create) => create::container(tree, caller, create),
        Request::CreateTtl(create) => create::ttl(tree, caller, create),
        Request::Delete(node) => delete::prepare(tree, caller, node),
        Request::DeleteContainer(path) => delete::container(tree, path),
        Request::SetData(set) => set_data::prepare(tree, caller, set),
        Request::SetAcl(set) => set_acl::prepare(tree, caller, set),
        Request::Check(node) => set_data::check(tree, caller, node),
        _ => Err(ErrorCode::MarshallingError),
    }
}

/// The answer to a write that was applied.
fn done(tree: &Tree, op: Op, txn: &Txn) -> Response {
    let stat = |path: &str| tree.get(path).map(|node| node.stat()).unwrap_or_default();
    match (op, txn) {
        (Op::Create, Txn::Create(create)) => Response::Path(create.path.clone()),
        (_, Txn::Create(create)) => Response::Created(create.path.clone(), stat(&create.path)),
        (_, Txn::CreateContainer(create)) => {
            Response::Created(create.path.clone(), stat(&create.path))
        }
        (_, Txn::CreateTtl(create)) => Response::Created(create.path.clone(), stat(&create.path)),
        (_, Txn::SetData(set)) => Response::Stat(stat(&set.path)),
        (_, Txn::SetAcl(set)) => Response::Stat(stat(&set.path)),
        (_, Txn::Check(check)) => Response::Stat(stat(&check.path)),
        _ => Response::Empty,
    }
}

/// The version after this one, if it is the one that was expected; -1 expects any.
fn next_version(current: i32, expected: i32) -> Result<i32, ErrorCode> {
    if expected != -1 && expected != current {
        return Err(ErrorCode::BadVersion);
    }
    // -1 is no version: it would stand for any.
    Ok(match current.wrapping_add(1) {
        -1 => 0,
        next => next,
    })
}

/// A path that names a node.
fn valid(path: &str) -> Result<(), ErrorCode> {
    if path::is_valid(path) { Ok(()) } else { Err(ErrorCode::BadArguments) }
}

/// The path of the node above one that can come and go.
fn parent_of(path: &str) -> Result<&str, ErrorCode> {
    if !path.contains('/') || path.contains('\0') || SPECIAL.contains(&path) {
        return Err(ErrorCode::BadArguments);
    }
    path::parent(path).ok_or(ErrorCode::BadArguments)
}

fn identities(known: &[Id]) -> Response {
    let info = |id: &Id| ClientInfo {
        auth_scheme: id.scheme.clone(),
        // Of a digest the user alone, never the hash.
        user: match id.scheme.as_str() {
            "digest" => id.id.split(':').next().unwrap_or_default().to_owned(),
            _ => id.id.clone(),
        },
    };
    Response::Identities(known.iter().map(info).collect())
}

/// A request's name in four-letter words, ZooKeeper's own.
fn shown(op: Op) -> &'static str {
    match op {
        Op::Create | Op::Create2 | Op::CreateContainer | Op::CreateTtl => "CREA",
        Op::Delete | Op::DeleteContainer => "DELE",
        Op::Exists => "EXIS",
        Op::GetData => "GETD",
        Op::SetData => "SETD",
        Op::GetAcl => "GETA",
        Op::SetAcl => "SETA",
        Op::GetChildren | Op::GetChildren2 => "GETC",
        Op::Sync => "SYNC",
        Op::Ping => "PING",
        Op::Check => "CHEC",
        Op::Multi => "MULT",
        Op::MultiRead => "MLTR",
        Op::Reconfig => "RECO",
        Op::CheckWatches => "CHKW",
        Op::RemoveWatches => "REMW",
        Op::SetWatches => "SETW",
        Op::SetWatches2 => "STW2",
        Op::AddWatch => "ADDW",
        Op::GetEphemerals => "GETE",
        Op::GetAllChildrenNumber => "GETACN",
        Op::WhoAmI => "HOMI",
        Op::CreateSession => "SESS",
        Op::CloseSession => "CLOS",
        Op::Auth | Op::Sasl | Op::Notification | Op::Error => "NA",
    }
}
