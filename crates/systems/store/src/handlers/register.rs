//! REGISTER: tell me when something changes.

use tidemill_cql_wire::Response;
use tidemill_cql_wire::request::{EventKind, Register};
use tidemill_cql_wire::response::ResponseBody;

/// Whether schema changes are wanted; a single node has no other events to tell.
pub(crate) fn handle(register: &Register) -> (bool, Response) {
    (register.events.contains(&EventKind::SchemaChange), ResponseBody::Ready.into())
}
