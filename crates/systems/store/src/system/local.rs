//! `system.local`: who this node is. `system.peers` and `system.peers_v2` stay empty: it is alone.

use super::rows::{RowMaker, inet, int, text, texts, uuid};
use crate::database::{
    CQL_VERSION, DATACENTER, Database, NATIVE_PROTOCOL_VERSION, PARTITIONER, RACK, RELEASE_VERSION,
};
use crate::schema::Schema;

/// The port nodes would gossip on; nobody listens there.
const STORAGE_PORT: i32 = 7000;

pub(super) fn local(database: &Database, schema: &Schema, maker: &mut RowMaker<'_>) {
    let identity = database.identity();
    let address = database.address();
    let tokens: Vec<String> = identity.tokens.iter().map(i64::to_string).collect();
    maker.add(&[
        ("key", text("local")),
        ("bootstrapped", text("COMPLETED")),
        ("broadcast_address", inet(address.ip())),
        ("broadcast_port", int(STORAGE_PORT)),
        ("cluster_name", text(database.cluster_name())),
        ("cql_version", text(CQL_VERSION)),
        ("data_center", text(DATACENTER)),
        ("gossip_generation", int(database.started_seconds())),
        ("host_id", uuid(identity.host_id)),
        ("listen_address", inet(address.ip())),
        ("listen_port", int(STORAGE_PORT)),
        ("native_protocol_version", text(NATIVE_PROTOCOL_VERSION)),
        ("partitioner", text(PARTITIONER)),
        ("rack", text(RACK)),
        ("release_version", text(RELEASE_VERSION)),
        ("rpc_address", inet(address.ip())),
        ("rpc_port", int(i32::from(address.port()))),
        ("schema_version", uuid(schema.version)),
        ("tokens", texts(&tokens)),
    ]);
}

pub(super) fn prepared_statements(database: &Database, maker: &mut RowMaker<'_>) {
    for (id, keyspace, query) in database.prepared().list() {
        let mut values = vec![("prepared_id", id), ("query_string", text(&query))];
        if let Some(keyspace) = keyspace {
            values.push(("logged_keyspace", text(&keyspace)));
        }
        maker.add(&values);
    }
}
