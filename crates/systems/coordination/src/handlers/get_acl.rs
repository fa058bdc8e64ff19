//! GetACL (op 6). Who may not set the list sees no hashes in it.

use tidemill_zookeeper_wire::Response;
use tidemill_zookeeper_wire::data::perms;

use crate::acl;
use crate::machine::{Answer, ConnId, Machine};

pub(super) fn handle(machine: &mut Machine, id: ConnId, path: &str) -> Answer {
    let identities =
        machine.connections.get(&id).map(|connection| connection.identities.as_slice());
    let outcome = machine.look(id, path, perms::READ | perms::ADMIN, |node| {
        let is_admin = acl::permits(&node.acl, perms::ADMIN, identities.unwrap_or_default());
        let shown = if is_admin { node.acl.to_vec() } else { acl::masked(&node.acl) };
        Response::Acl(shown, node.stat())
    });
    Answer { needs: machine.tree.touched(path), outcome }
}
