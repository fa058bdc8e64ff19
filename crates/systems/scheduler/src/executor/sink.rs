//! Where records go.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use tidemill_kafka_client::{
    ClientError, KafkaClient, NewTopic, OffsetSpec, Producer, ProducerConfig, ProducerRecord,
    TopicPartition,
};

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutRecord {
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Bytes,
}

/// Why a record was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// It may be acknowledged when it is sent again.
    #[error("{0}")]
    Later(String),
    /// It will never be acknowledged.
    #[error("{0}")]
    Never(String),
}

/// A place that acknowledges records once it has made them durable.
#[async_trait]
pub trait RecordSink: Send + Sync + 'static {
    /// Makes the topic if it does not exist.
    async fn ensure_topic(&self, topic: &str) -> Result<(), SinkError>;

    /// Writes records; one answer each, in their order.
    async fn send(&self, topic: &str, records: &[OutRecord]) -> Vec<Result<(), SinkError>>;

    /// The ends of a topic's partitions, added up; 0 if there is no such topic. By how much it grows
    /// is how many records were written.
    async fn records_so_far(&self, topic: &str) -> Result<u64, SinkError>;
}

/// A Kafka broker. One idempotent producer serves all tries.
#[derive(Debug, Clone)]
pub struct KafkaSink {
    client: KafkaClient,
    producer: Producer,
}

/// How long a record is tried to be written before the task hears of it.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

impl KafkaSink {
    /// Writes through this client.
    pub fn new(client: KafkaClient) -> KafkaSink {
        let config =
            ProducerConfig { delivery_timeout: DELIVERY_TIMEOUT, ..ProducerConfig::default() };
        let producer = client.producer(config);
        KafkaSink { client, producer }
    }

    async fn send_one(&self, topic: &str, record: &OutRecord) -> Result<(), SinkError> {
        let record = ProducerRecord {
            topic: topic.to_owned(),
            key: record.key.clone(),
            value: Some(record.value.clone()),
            ..ProducerRecord::default()
        };
        self.producer.send(record).await.map(drop).map_err(SinkError::from)
    }
}

impl From<ClientError> for SinkError {
    fn from(error: ClientError) -> SinkError {
        let text = format!("broker: {error}");
        if error.is_retriable() { SinkError::Later(text) } else { SinkError::Never(text) }
    }
}

#[async_trait]
impl RecordSink for KafkaSink {
    async fn ensure_topic(&self, topic: &str) -> Result<(), SinkError> {
        if self.client.topic(topic).await?.is_none() {
            let topic = NewTopic { name: topic.to_owned(), partitions: -1, configs: Vec::new() };
            self.client.create_topic(topic).await?;
        }
        Ok(())
    }

    async fn send(&self, topic: &str, records: &[OutRecord]) -> Vec<Result<(), SinkError>> {
        join_all(records.iter().map(|record| self.send_one(topic, record))).await
    }

    async fn records_so_far(&self, topic: &str) -> Result<u64, SinkError> {
        let Some(found) = self.client.topic(topic).await? else { return Ok(0) };
        let partitions: Vec<TopicPartition> =
            found.partitions.iter().map(|one| TopicPartition::new(topic, one.partition)).collect();
        let ends = self.client.list_offsets(&partitions, OffsetSpec::Latest).await?;
        Ok(ends.iter().filter_map(|end| u64::try_from(end.offset).ok()).sum())
    }
}
