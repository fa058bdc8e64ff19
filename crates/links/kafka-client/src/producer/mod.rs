//! A producer that batches what is sent at the same time and writes each record once.
//!
//! There is no background task. Whoever sends puts its record into the lane of its partition and
//! then either finds it acknowledged or takes the lane's turn to send: all that waits goes in one
//! batch, and the next one gathers while that one is under way. If the one whose turn it is goes
//! away (its future is dropped), the batch stays in the lane, and the next one sends the same bytes
//! with the same sequence number again: the broker knows it if it has it (KIP-98).
//!
//! Records of one partition are written in the order of the calls. While it is not known how many
//! partitions a topic has, its records wait in one queue, from which they go to their lanes in that
//! order.

mod delivery;
mod identity;
mod lane;
mod partitioner;
mod topic;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_kafka_wire::records::{BatchBuilder, Header};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

pub use crate::producer::delivery::Delivery;
use crate::producer::identity::Identities;
use crate::producer::lane::Lane;
use crate::producer::topic::Topic;
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
    topics: Mutex<HashMap<String, Arc<Topic>>>,
    /// Which partition of a topic keyless records gather in, until its batch is sent.
    gathering: Mutex<HashMap<String, i32>>,
    /// Bytes that may still be buffered.
    room: Arc<Semaphore>,
    /// A record was taken.
    came: Notify,
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
                topics: Mutex::default(),
                gathering: Mutex::default(),
                room,
                came: Notify::new(),
            }),
        }
    }

    /// Writes a record; returns when the broker has acknowledged it. Many sends at the same time
    /// share batches, and keep their order.
    pub async fn send(&self, record: ProducerRecord) -> Result<RecordMetadata, ClientError> {
        self.enqueue(record).await?.await
    }

    /// Takes a record behind those that were taken before, and gives what its acknowledgement is
    /// awaited with. Waits only while the buffer is full, and then sends what is in it. Records go
    /// out when somebody awaits a [`Delivery`], sends, or flushes. A delivery that was polled once
    /// may be the one that sends: poll it on or drop it, but do not leave it lying.
    pub async fn enqueue(&self, record: ProducerRecord) -> Result<Delivery, ClientError> {
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
        let room = inner.room_for(u32::try_from(size).unwrap_or(u32::MAX)).await;
        Ok(inner.topic(&record.topic).enqueue(Arc::clone(inner), record, size, room))
    }

    /// Returns when all that was sent before is written or has failed; the senders get the errors.
    pub async fn flush(&self) -> Result<(), ClientError> {
        for topic in self.inner.all_topics() {
            topic.place(&self.inner).await;
        }
        for lane in self.inner.all_lanes() {
            while lane.has_work() {
                let mut turn = lane.turn().await;
                lane.send_batch(&self.inner, &mut turn).await;
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Room for so many bytes. The full buffer is emptied by whoever waits for it: those who await
    /// their deliveries may come only after that.
    async fn room_for(&self, bytes: u32) -> OwnedSemaphorePermit {
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        tokio::pin!(room);
        loop {
            tokio::select! {
                biased;
                got = &mut room => {
                    return got.expect("the semaphore lives as long as the producer, never closed");
                }
                () = self.send_something() => {}
            }
        }
    }

    /// Sends one batch of what waits, or waits until something does.
    async fn send_something(&self) {
        let came = self.came.notified();
        tokio::pin!(came);
        came.as_mut().enable();
        for topic in self.all_topics() {
            topic.place(self).await;
        }
        match self.all_lanes().into_iter().find(|lane| lane.has_work()) {
            Some(lane) => {
                let mut turn = lane.turn().await;
                lane.send_batch(self, &mut turn).await;
            }
            None => came.await,
        }
    }

    fn all_topics(&self) -> Vec<Arc<Topic>> {
        self.topics.lock().values().cloned().collect()
    }

    fn all_lanes(&self) -> Vec<Arc<Lane>> {
        self.lanes.lock().values().cloned().collect()
    }

    fn topic(&self, name: &str) -> Arc<Topic> {
        let mut topics = self.topics.lock();
        match topics.get(name) {
            Some(topic) => Arc::clone(topic),
            None => {
                let topic = Arc::new(Topic::new(name.to_owned()));
                topics.insert(name.to_owned(), Arc::clone(&topic));
                topic
            }
        }
    }

    fn lane(&self, at: TopicPartition) -> Arc<Lane> {
        let mut lanes = self.lanes.lock();
        lanes.entry(at).or_insert_with_key(|at| Arc::new(Lane::new(at.clone()))).clone()
    }

    /// The partition of a record that names none, of `count`.
    fn choose(&self, topic: &str, key: Option<&Bytes>, count: i32) -> i32 {
        if let Some(key) = key {
            return partitioner::by_key(key, count);
        }
        let random = &self.client.inner.world.random;
        let fresh = || i32::try_from(random.below(count as u64)).unwrap_or(0);
        *self.gathering.lock().entry(topic.to_owned()).or_insert_with(fresh) % count
    }

    /// The next keyless records of a topic gather elsewhere, so that batches spread.
    pub(crate) fn gather_elsewhere(&self, topic: &str) {
        self.gathering.lock().remove(topic);
    }
}
