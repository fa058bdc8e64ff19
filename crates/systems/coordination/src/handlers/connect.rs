//! The first frame of a connection: a new session, or an earlier one goes on.
//!
//! Differs from ZooKeeper: passwords are made from a secret of the data directory, so that nobody
//! can work out the password of a session whose id he has seen.

use bytes::Bytes;
use tidemill_zookeeper_wire::session::{ConnectRequest, ConnectResponse, PASSWORD_BYTES};
use tidemill_zookeeper_wire::txn::Txn;
use tidemill_zookeeper_wire::{Reader, frame};

use crate::machine::{ConnId, Machine, Output};

pub(super) fn handle(machine: &mut Machine, id: ConnId, bytes: Bytes) {
    let Ok(request) = Reader::new(bytes).take::<ConnectRequest>() else {
        machine.close(id, 0);
        return;
    };
    if request.last_zxid_seen > machine.zxid() {
        // It knows more than this server: it was at another one, or the data directory is older.
        let (seen, known) = (request.last_zxid_seen, machine.zxid());
        tracing::warn!(
            seen = format_args!("0x{seen:x}"),
            known = format_args!("0x{known:x}"),
            "client refused, it has seen later transactions"
        );
        machine.close(id, 0);
        return;
    }
    let (shortest, longest) = machine.config.session_timeouts_ms();
    let timeout_ms = request.timeout_ms.clamp(shortest, longest);
    if request.session_id == 0 {
        begin(machine, id, timeout_ms, &request);
    } else {
        resume(machine, id, timeout_ms, &request);
    }
}

fn begin(machine: &mut Machine, id: ConnId, timeout_ms: i32, request: &ConnectRequest) {
    if machine.sessions.len() >= machine.config.sessions_max {
        tracing::warn!("sessions_max is reached, client refused");
        machine.close(id, 0);
        return;
    }
    let session_id = machine.sessions.new_id();
    let needs = machine.commit(session_id, 0, &Txn::CreateSession(timeout_ms));
    machine.sessions.add(session_id, timeout_ms, machine.world.clock.monotonic());
    bind(machine, id, session_id);
    answer(machine, id, needs, session_id, timeout_ms, request);
}

fn resume(machine: &mut Machine, id: ConnId, timeout_ms: i32, request: &ConnectRequest) {
    let session_id = request.session_id;
    let knows = request.password.as_ref() == Some(&machine.password(session_id));
    let Some(session) = machine.sessions.get_mut(session_id).filter(|_| knows) else {
        // Its end may not be durable yet: told too early, it could be alive again after a crash.
        let needs = machine.zxid();
        answer(machine, id, needs, 0, 0, request);
        machine.close(id, needs);
        return;
    };
    session.timeout_ms = timeout_ms;
    if let Some(earlier) = session.connection.take() {
        machine.close(earlier, 0);
    }
    machine.sessions.touch(session_id, machine.world.clock.monotonic());
    bind(machine, id, session_id);
    answer(machine, id, 0, session_id, timeout_ms, request);
}

fn bind(machine: &mut Machine, id: ConnId, session_id: i64) {
    if let Some(session) = machine.sessions.get_mut(session_id) {
        session.connection = Some(id);
    }
    if let Some(connection) = machine.connections.get_mut(&id) {
        connection.session_id = session_id;
        connection.last_op = "SESS";
    }
}

/// A session of 0 says that there is none any more.
fn answer(
    machine: &mut Machine,
    id: ConnId,
    needs: i64,
    session_id: i64,
    timeout_ms: i32,
    request: &ConnectRequest,
) {
    let password = match session_id {
        0 => Bytes::from_static(&[0; PASSWORD_BYTES]),
        known => machine.password(known),
    };
    let response = ConnectResponse {
        protocol_version: 0,
        timeout_ms,
        session_id,
        password: Some(password),
        read_only: request.read_only.map(|_| false),
    };
    machine.send(id, needs, Output::Reply(frame::of(&response)));
}
