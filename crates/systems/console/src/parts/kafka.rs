//! Kafka clients: one that is patient enough for people.

use std::time::Duration;

use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_runtime::World;

use crate::config::Endpoints;

/// Longer than a broker needs; shorter than a person waits before thinking the page broken.
const PATIENCE: Duration = Duration::from_secs(4);
/// Bytes of one answer: a fetch asks for far less, a metadata answer of 100,000 topics fits.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// A client for the endpoints' bootstrap servers.
pub(crate) fn client(endpoints: &Endpoints, client_id: &str, world: World) -> KafkaClient {
    let servers = endpoints.kafka.split(',').map(str::trim).filter(|server| !server.is_empty());
    let config = ClientConfig {
        security: endpoints.kafka_security.clone(),
        request_timeout: PATIENCE,
        connect_timeout: Duration::from_secs(2),
        frame_bytes_max: FRAME_BYTES_MAX,
        connections_max: 8,
        ..ClientConfig::new(servers, client_id)
    };
    KafkaClient::new(config, world)
}
