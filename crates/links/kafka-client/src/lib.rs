//! One small Kafka client for every box: produce, fetch by assignment, admin.
//!
//! The boxes know no group protocol: they assign partitions to themselves and keep offsets in their
//! own checkpoints. So this client is small: [`KafkaClient`] asks and answers, [`Producer`] batches
//! what is sent at the same time and is idempotent (KIP-98).
//!
//! How a request travels: `KafkaClient` picks the broker (any, a leader, a coordinator), `Pool`
//! lends a connection to it for that one exchange, and an answer that says "not here any more"
//! refreshes the metadata and tries again, within [`ClientConfig::request_timeout`].
//!
//! A call whose future is dropped drops its connection too, so that a late answer can never be
//! taken for that of another request.

mod admin;
mod client;
mod cluster;
mod committed;
mod config;
mod connection;
mod error;
mod fetch;
mod groups;
mod offsets;
mod pool;
mod producer;
mod retry;
mod security;
mod transport;
mod types;

#[cfg(test)]
mod tests;

pub use client::KafkaClient;
pub use config::{ClientConfig, ProducerConfig};
pub use error::ClientError;
pub use fetch::{Fetch, FetchFrom, FetchedPartition, FetchedRecords};
pub use producer::{Delivery, Producer, ProducerRecord, RecordMetadata};
pub use security::{Sasl, SaslMechanism, Security, UnknownMechanism};
pub use tidemill_kafka_wire::ErrorCode;
pub use tidemill_kafka_wire::records::Header;
pub use types::{
    BrokerNode, Cluster, CommitOffset, CommittedOffset, ConfigEntry, GroupDescription,
    GroupListing, GroupMember, ListedOffset, NewTopic, OffsetSpec, PartitionMetadata, ServedApi,
    TopicMetadata, TopicPartition,
};
