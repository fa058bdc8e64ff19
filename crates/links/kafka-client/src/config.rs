//! Settings, in Kafka's words where Kafka has them.

use std::time::Duration;

use tidemill_kafka_wire::records::Compression;

use crate::Security;

/// How a client connects and how long it is patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// `host:port` of brokers to ask first (`bootstrap.servers`).
    pub bootstrap_servers: Vec<String>,
    /// How the client calls itself (`client.id`); brokers show it.
    pub client_id: String,
    /// How connections are protected (`security.protocol`).
    pub security: Security,
    /// How long one call may take, with all its retries.
    pub request_timeout: Duration,
    /// How long connecting to one broker may take.
    pub connect_timeout: Duration,
    /// Bytes of the largest answer that is accepted.
    pub frame_bytes_max: usize,
    /// Connections to one broker; more calls than that wait for one.
    pub connections_max: usize,
}

impl ClientConfig {
    /// Kafka's defaults for these brokers: plain connections, patience of half a minute.
    pub fn new<S: Into<String>>(
        bootstrap_servers: impl IntoIterator<Item = S>,
        client_id: &str,
    ) -> ClientConfig {
        ClientConfig {
            bootstrap_servers: bootstrap_servers.into_iter().map(Into::into).collect(),
            client_id: client_id.to_owned(),
            security: Security::default(),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            frame_bytes_max: 128 << 20,
            connections_max: 32,
        }
    }
}

/// How a producer batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerConfig {
    /// How long a batch waits for company before it is sent (`linger.ms`). While a batch is under
    /// way the next one gathers anyway.
    pub linger: Duration,
    /// Bytes of a batch before compression (`batch.size`); a single larger record goes alone.
    pub batch_bytes_max: usize,
    /// Whether a record counts as written only when the broker says it is durable (`acks=all`).
    /// Without it the producer is not idempotent.
    pub acks_all: bool,
    /// `compression.type`.
    pub compression: Compression,
    /// Bytes of records that wait to be sent (`buffer.memory`); more than that waits in `send`.
    pub buffer_bytes_max: usize,
    /// How long a record may take until it is given up (`delivery.timeout.ms`).
    pub delivery_timeout: Duration,
}

impl Default for ProducerConfig {
    fn default() -> ProducerConfig {
        ProducerConfig {
            linger: Duration::ZERO,
            batch_bytes_max: 512 << 10,
            acks_all: true,
            compression: Compression::None,
            buffer_bytes_max: 32 << 20,
            delivery_timeout: Duration::from_secs(120),
        }
    }
}
