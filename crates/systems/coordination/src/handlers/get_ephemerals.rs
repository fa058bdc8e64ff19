//! GetEphemerals (op 103): the ephemeral nodes of the session that asks.

use tidemill_zookeeper_wire::Response;

use crate::machine::{Answer, ConnId, Machine};

pub(super) fn handle(machine: &mut Machine, id: ConnId, prefix: Option<&str>) -> Answer {
    let session_id = machine.connections.get(&id).map_or(0, |connection| connection.session_id);
    let prefix = match prefix.map(str::trim) {
        None | Some("/") => "",
        Some(prefix) => prefix,
    };
    let paths = machine.tree.ephemerals_of(session_id);
    let paths = paths.filter(|path| path.starts_with(prefix)).cloned().collect();
    Answer { needs: machine.zxid(), outcome: Ok(Response::Names(paths)) }
}
