//! The records of one topic before it is known which partition each goes to.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_kafka_wire::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::producer::delivery::Delivery;
use crate::producer::lane::{Lane, Waiting, answer};
use crate::producer::{Inner, ProducerRecord};
use crate::{ClientError, TopicPartition};

/// The way from call to lane, one for each topic.
#[derive(Debug)]
pub(crate) struct Topic {
    name: String,
    /// In the order of the calls. Held while a record goes to its lane, so that none passes another.
    unplaced: Mutex<VecDeque<Unplaced>>,
    /// Held while the number of partitions is asked for.
    placing: tokio::sync::Mutex<()>,
}

/// A record without a lane.
#[derive(Debug)]
struct Unplaced {
    partition: Option<i32>,
    record: Waiting,
    /// Where its sender looks for its lane.
    lane: Arc<OnceLock<Arc<Lane>>>,
}

impl Topic {
    pub(crate) fn new(name: String) -> Topic {
        Topic { name, unplaced: Mutex::default(), placing: tokio::sync::Mutex::default() }
    }

    /// Takes a record: into its lane, or behind those that wait for theirs.
    pub(crate) fn enqueue(
        self: Arc<Topic>,
        inner: Arc<Inner>,
        record: ProducerRecord,
        size: usize,
        room: OwnedSemaphorePermit,
    ) -> Delivery {
        let timestamp = record.timestamp.unwrap_or_else(|| inner.client.inner.world.clock.now_ms());
        let (done, written) = oneshot::channel();
        let lane = Arc::new(OnceLock::new());
        let taken = Unplaced {
            partition: record.partition,
            record: Waiting {
                timestamp,
                key: record.key,
                value: record.value,
                headers: record.headers,
                size,
                done,
                _room: room,
            },
            lane: Arc::clone(&lane),
        };
        {
            let mut unplaced = self.unplaced.lock();
            let known = inner.client.inner.known.partitions(&self.name).filter(|count| *count > 0);
            let partition = |key: Option<&Bytes>| match (taken.partition, known) {
                (Some(partition), _) => Some(partition),
                (None, Some(count)) => Some(inner.choose(&self.name, key, count)),
                (None, None) => None,
            };
            match partition(taken.record.key.as_ref()).filter(|_| unplaced.is_empty()) {
                Some(partition) => self.put(&inner, taken, partition),
                None => unplaced.push_back(taken),
            }
        }
        inner.came.notify_waiters();
        Delivery::new(inner, self, lane, written, timestamp)
    }

    fn put(&self, inner: &Inner, taken: Unplaced, partition: i32) {
        let lane = inner.lane(TopicPartition::new(self.name.clone(), partition));
        lane.push(taken.record);
        // Set once: a record is placed once.
        let _ = taken.lane.set(lane);
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Finds out how many partitions there are, and gives all that wait their lanes; or all of them
    /// the error.
    pub(crate) async fn place(&self, inner: &Inner) {
        let _asking = self.placing.lock().await;
        if self.unplaced.lock().is_empty() {
            return;
        }
        let count = self.partition_count(inner).await;
        let mut unplaced = self.unplaced.lock();
        match count {
            Ok(count) => {
                while let Some(taken) = unplaced.pop_front() {
                    let chosen = || inner.choose(&self.name, taken.record.key.as_ref(), count);
                    let partition = taken.partition.unwrap_or_else(chosen);
                    self.put(inner, taken, partition);
                }
            }
            Err(error) => {
                unplaced.drain(..).for_each(|taken| answer(taken.record, Err(error.clone())));
            }
        }
    }

    async fn partition_count(&self, inner: &Inner) -> Result<i32, ClientError> {
        let (client, topic) = (&inner.client, &self.name);
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
