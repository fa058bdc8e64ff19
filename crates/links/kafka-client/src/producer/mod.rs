//! A producer that batches what is sent at the same time and writes each record once.
//!
//! There is no background task. Whoever sends puts its record into the lane of its partition and
//! then either finds it acknowledged or takes the lane's turn to send: all that waits goes in one
//! batch, and the next one gathers while that one is under way. If the one whose turn it is goes
//! away (its future is dropped), the batch stays in the lane, and the next one sends the same bytes
//! with the same sequence number again: the broker knows it if it has it (KIP-98).

mod identity;
mod lane;
mod partitioner;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::records::{BatchBuilder, Header};
use tokio::sync::{Semaphore, oneshot};

use crate::producer::identity::Identities;
use crate::producer::lane::{Lane, Waiting};
use crate::{ClientError, KafkaClient, ProducerConfig, TopicPartition};

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducerRecord {
    /// The topic; made by the broker if it does not exist and the broker makes topics.
    pub topic: String,
    /// The partition; by the key's hash, or wherever a batch gathers, if none is given.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; none is a tombstone.
    pub value: Option<Bytes>,
    /// Headers; a key may come more than once.
    pub headers: Vec<Header>,
    /// Milliseconds since 1970; now, if none is given.
    pub timestamp: Option<i64>,
}

/// Where a record was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordMetadata {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset; -1 if the broker had the record from an earlier try and no longer says where.
    pub offset: i64,
    /// The timestamp it was given, in ms.
    pub timestamp: i64,
}

/// An idempotent producer. Cheap to clone; the clones share their batches.
#[derive(Debug, Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: KafkaClient,
    pub(crate) config: ProducerConfig,
    pub(crate) identities: Identities,
    lanes: Mutex<HashMap<TopicPartition, Arc<Lane>>>,
    /// Which partition of a topic keyless records gather in, until its batch is sent.
    gathering: Mutex<HashMap<String, i32>>,
    /// Bytes that may still be buffered.
    room: Arc<Semaphore>,
}

impl Producer {
    pub(crate) fn new(client: KafkaClient, config: ProducerConfig) -> Producer {
        let room = Arc::new(Semaphore::new(config.buffer_bytes_max.min(Semaphore::MAX_PERMITS)));
        Producer {
            inner: Arc::new(Inner {
                client,
                config,
                identities: Identities::default(),
                lanes: Mutex::default(),
                gathering: Mutex::default(),
                room,
            }),
        }
    }

    /// Writes a record; returns when the broker has acknowledged it. Many sends at the same time
    /// share batches.
    pub async fn send(&self, record: ProducerRecord) -> Result<RecordMetadata, ClientError> {
        let inner = &self.inner;
        let size = BatchBuilder::record_size_max(
            record.key.as_deref(),
            record.value.as_deref(),
            &record.headers,
        );
        if size > inner.config.buffer_bytes_max {
            let max = inner.config.buffer_bytes_max;
            return Err(ClientError::RecordTooLarge { bytes: size, max });
        }
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        let room = inner.room.clone().acquire_many_owned(permits).await;
        let room = room.expect("the semaphore lives as long as the producer and is never closed");

        let partition = self.partition_of(&record).await?;
        let timestamp = record.timestamp.unwrap_or_else(|| inner.client.inner.world.clock.now_ms());
        let lane = self.lane(TopicPartition::new(record.topic.clone(), partition));
        let (done, mut written) = oneshot::channel();
        lane.push(Waiting {
            timestamp,
            key: record.key,
            value: record.value,
            headers: record.headers,
            size,
            done,
            _room: room,
        });
        let offset = loop {
            tokio::select! {
                biased;
                outcome = &mut written => break outcome.expect("a lane answers before it lets go")?,
                mut turn = lane.turn() => lane.send_batch(inner, &mut turn).await,
            }
        };
        Ok(RecordMetadata { topic: record.topic, partition, offset, timestamp })
    }

    /// Returns when all that was sent before is written or has failed; the senders get the errors.
    pub async fn flush(&self) -> Result<(), ClientError> {
        let lanes: Vec<Arc<Lane>> = self.inner.lanes.lock().values().cloned().collect();
        for lane in lanes {
            while lane.has_work() {
                let mut turn = lane.turn().await;
                lane.send_batch(&self.inner, &mut turn).await;
            }
        }
        Ok(())
    }

    fn lane(&self, at: TopicPartition) -> Arc<Lane> {
        let mut lanes = self.inner.lanes.lock();
        lanes.entry(at).or_insert_with_key(|at| Arc::new(Lane::new(at.clone()))).clone()
    }

    async fn partition_of(&self, record: &ProducerRecord) -> Result<i32, ClientError> {
        if let Some(partition) = record.partition {
            return Ok(partition);
        }
        let count = self.partition_count(&record.topic).await?;
        if let Some(key) = &record.key {
            return Ok(partitioner::by_key(key, count));
        }
        let mut gathering = self.inner.gathering.lock();
        let random = &self.inner.client.inner.world.random;
        let fresh = || i32::try_from(random.below(count as u64)).unwrap_or(0);
        Ok(*gathering.entry(record.topic.clone()).or_insert_with(fresh) % count)
    }

    async fn partition_count(&self, topic: &str) -> Result<i32, ClientError> {
        let client = &self.inner.client;
        let mut backoff = client.backoff();
        loop {
            if let Some(count) = client.inner.known.partitions(topic).filter(|count| *count > 0) {
                return Ok(count);
            }
            let response = client.metadata(Some(vec![topic.to_owned()]), true).await?;
            let code = response.topics.first().map_or(ErrorCode::None, |topic| topic.error_code);
            let refused =
                || ClientError::Refused { what: format!("topic {topic}"), code, message: None };
            match code {
                ErrorCode::None => {}
                // A topic that is being made has no leader for a moment.
                code if code.is_retriable() => {
                    if !client.wait(&mut backoff).await {
                        return Err(refused());
                    }
                }
                _ => return Err(refused()),
            }
        }
    }
}

impl Inner {
    /// The next keyless records of a topic gather elsewhere, so that batches spread.
    pub(crate) fn gather_elsewhere(&self, topic: &str) {
        self.gathering.lock().remove(topic);
    }
}
