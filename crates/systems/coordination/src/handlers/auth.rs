//! Auth: credentials for the schemes `digest` and `ip`.

use tidemill_zookeeper_wire::data::Id;
use tidemill_zookeeper_wire::session::AuthPacket;
use tidemill_zookeeper_wire::{ErrorCode, Response};

use crate::acl;
use crate::machine::{Answer, ConnId, Machine};

/// Identities of one connection; beyond, further credentials are refused.
const IDENTITIES_MAX: usize = 100;

pub(super) fn handle(machine: &mut Machine, id: ConnId, xid: i32, packet: &AuthPacket) {
    let proven = match packet.scheme.as_str() {
        "digest" => acl::digest(packet.auth.as_deref().unwrap_or_default()),
        // The address is known anyhow.
        "ip" => machine.connections.get(&id).and_then(|c| c.identities.first().cloned()),
        _ => None,
    };
    let is_super =
        proven.as_ref().is_some_and(|who| machine.config.super_digest.as_ref() == Some(&who.id));
    let connection = machine.connections.get_mut(&id);
    let (Some(proven), Some(connection)) = (proven, connection) else {
        return refuse(machine, id, xid);
    };
    for who in [Some(proven), is_super.then(|| Id::new("super", ""))].into_iter().flatten() {
        if !connection.identities.contains(&who) {
            connection.identities.push(who);
        }
    }
    if connection.identities.len() > IDENTITIES_MAX {
        return refuse(machine, id, xid);
    }
    machine.reply(id, xid, Answer { needs: 0, outcome: Ok(Response::Empty) });
}

fn refuse(machine: &mut Machine, id: ConnId, xid: i32) {
    machine.reply(id, xid, Answer { needs: 0, outcome: Err(ErrorCode::AuthFailed) });
    machine.close(id, 0);
}
