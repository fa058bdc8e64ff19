//! `system_views`: what runs at this moment.

use super::rows::{RowMaker, boolean, inet, int, long, text};
use crate::database::{Database, RELEASE_VERSION};
use crate::schema::Schema;

pub(super) fn settings(database: &Database, maker: &mut RowMaker<'_>) {
    let address = database.address();
    let port = address.port().to_string();
    for (name, value) in [
        ("authenticator", "AllowAllAuthenticator"),
        ("authorizer", "AllowAllAuthorizer"),
        ("cluster_name", database.cluster_name()),
        ("commitlog_sync", database.commitlog_sync()),
        ("native_transport_port", &port),
        ("num_tokens", "16"),
        ("partitioner", "org.apache.cassandra.dht.Murmur3Partitioner"),
        ("release_version", RELEASE_VERSION),
        ("rpc_address", &address.ip().to_string()),
    ] {
        maker.add(&[("name", text(name)), ("value", text(value))]);
    }
}

pub(super) fn clients(database: &Database, maker: &mut RowMaker<'_>) {
    for client in database.clients().list() {
        let mut values = vec![
            ("address", inet(client.address.ip())),
            ("port", int(i32::from(client.address.port()))),
            ("connection_stage", text("ready")),
            ("protocol_version", int(i32::from(client.protocol_version))),
            ("request_count", long(client.request_count)),
            ("ssl_enabled", boolean(false)),
            ("username", text("anonymous")),
        ];
        for (column, value) in [
            ("driver_name", &client.driver_name),
            ("driver_version", &client.driver_version),
            ("keyspace_name", &client.keyspace),
        ] {
            if let Some(value) = value {
                values.push((column, text(value)));
            }
        }
        maker.add(&values);
    }
}

pub(super) fn disk_usage(database: &Database, schema: &Schema, maker: &mut RowMaker<'_>) {
    let user = schema.keyspaces.values().filter(|keyspace| !keyspace.is_system);
    for table in user.flat_map(|keyspace| keyspace.tables.values()) {
        let bytes = database.engine().disk_bytes(table.space);
        maker.add(&[
            ("keyspace_name", text(&table.keyspace)),
            ("table_name", text(&table.name)),
            ("mebibytes", long(i64::try_from(bytes.div_ceil(1 << 20)).unwrap_or(i64::MAX))),
        ]);
    }
}
