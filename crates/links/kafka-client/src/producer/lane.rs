//! The records of one partition on their way: those that wait, and the one batch under way.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::ProduceRequest;
use tidemill_kafka_wire::messages::produce::{PartitionProduceData, TopicProduceData};
use tidemill_kafka_wire::records::{BatchBuilder, Header};
use tokio::sync::{MutexGuard, OwnedSemaphorePermit, oneshot};

use crate::producer::Inner;
use crate::producer::identity::Identity;
use crate::retry::Backoff;
use crate::{ClientError, TopicPartition};

/// The last version that names topics; later ones give their ids.
const VERSION_MAX: i16 = 12;

/// A record that waits, and who waits for it.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<Header>,
    pub(crate) size: usize,
    pub(crate) done: oneshot::Sender<Result<Placed, ClientError>>,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) partition: i32,
    /// -1 if the broker had it and no longer says where.
    pub(crate) offset: i64,
}

/// One partition.
#[derive(Debug)]
pub(crate) struct Lane {
    at: TopicPartition,
    waiting: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<Turn>,
}

/// What belongs to whoever sends.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    identity: Option<Identity>,
    next_sequence: i32,
    /// A batch that was begun and has no answer yet.
    unanswered: Option<Batch>,
}

#[derive(Debug)]
struct Batch {
    identity: Option<Identity>,
    bytes: Bytes,
    records: Vec<Waiting>,
    /// Until when it is worth trying, on the monotonic clock.
    deadline: Duration,
    /// Whether an earlier try may have written it.
    in_doubt: bool,
}

/// How a try to send ended.
enum Tried {
    Written {
        base_offset: i64,
    },
    /// The broker has it from an earlier try.
    Known,
    /// Nothing of it was written, and the same bytes may be sent again.
    Again(ClientError),
    /// It may have been written; the same bytes may be sent again.
    InDoubt(ClientError),
    /// The broker does not know the producer any more.
    Forgotten(ClientError),
    Refused(ClientError),
}

impl Lane {
    pub(crate) fn new(at: TopicPartition) -> Lane {
        Lane { at, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    pub(crate) fn push(&self, record: Waiting) {
        self.waiting.lock().push_back(record);
    }

    pub(crate) async fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().await
    }

    /// Whether a record waits or is under way.
    pub(crate) fn has_work(&self) -> bool {
        let idle = |turn: MutexGuard<'_, Turn>| turn.unanswered.is_none();
        // Somebody's turn: something is under way.
        !self.waiting.lock().is_empty() || !self.turn.try_lock().is_ok_and(idle)
    }

    /// Sends one batch of what waits and answers those who wait for it.
    pub(crate) async fn send_batch(&self, inner: &Inner, turn: &mut Turn) {
        if turn.unanswered.is_none() {
            if self.waiting.lock().is_empty() {
                return;
            }
            if inner.config.linger.is_zero() {
                // Whoever sends at this same moment gets its record in.
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(inner.config.linger).await;
            }
            if let Err(error) = self.begin(inner, turn).await {
                self.waiting.lock().drain(..).for_each(|one| answer(one, Err(error.clone())));
                return;
            }
        }
        let outcome = self.deliver(inner, turn).await;
        let Some(batch) = turn.unanswered.take() else { return };
        for (place, record) in batch.records.into_iter().enumerate() {
            let placed = outcome.clone().map(|base| Placed {
                partition: self.at.partition,
                offset: if base < 0 { -1 } else { base + place as i64 },
            });
            answer(record, placed);
        }
    }

    /// Takes as many waiting records as fit into a batch.
    async fn begin(&self, inner: &Inner, turn: &mut Turn) -> Result<(), ClientError> {
        let identity = match inner.config.acks_all {
            true => Some(inner.identities.get(&inner.client).await?),
            false => None,
        };
        let mut records = Vec::new();
        let mut size = 0;
        {
            let mut waiting = self.waiting.lock();
            while let Some(next) = waiting.front() {
                if !records.is_empty() && size + next.size > inner.config.batch_bytes_max {
                    break;
                }
                size += next.size;
                records.extend(waiting.pop_front());
            }
        }
        inner.gather_elsewhere(&self.at.topic);
        let deadline = inner.client.inner.world.clock.monotonic() + inner.config.delivery_timeout;
        let bytes = turn.build(inner, identity, &records);
        turn.unanswered = Some(Batch { identity, bytes, records, deadline, in_doubt: false });
        Ok(())
    }

    /// Tries until the batch is written, refused, or too old. The base offset, or -1.
    async fn deliver(&self, inner: &Inner, turn: &mut Turn) -> Result<i64, ClientError> {
        let clock = &*inner.client.inner.world.clock;
        loop {
            let Some(batch) = &mut turn.unanswered else { return Ok(-1) };
            let left = batch.deadline.saturating_sub(clock.monotonic());
            let mut backoff = Backoff::new(clock, left);
            let bytes = batch.bytes.clone();
            // If this future is dropped while it waits for the answer, nobody knows.
            let was_in_doubt = std::mem::replace(&mut batch.in_doubt, true);
            let tried = self.try_once(inner, bytes, left).await;
            let Some(batch) = &mut turn.unanswered else { return Ok(-1) };
            let error = match tried {
                Tried::Written { base_offset } => return Ok(base_offset),
                Tried::Known => return Ok(-1),
                Tried::Refused(error) => {
                    // The broker did not count it: the next batch takes its numbers.
                    let first = batch.records.len();
                    turn.take_back(first);
                    return Err(error);
                }
                Tried::Forgotten(error) => {
                    self.start_anew(inner, turn, was_in_doubt, &error).await?;
                    error
                }
                Tried::Again(error) => {
                    batch.in_doubt = was_in_doubt;
                    error
                }
                Tried::InDoubt(error) => error,
            };
            tracing::debug!(partition = %self.at, %error, "sending again");
            let world = &inner.client.inner.world;
            if !backoff.wait(clock, &*world.random).await {
                self.abandon(inner, turn).await;
                return Err(error);
            }
            // What is wrong may be what we know; that asking fails shows at the next try.
            let topic = vec![self.at.topic.clone()];
            if let Err(error) = inner.client.metadata(Some(topic), true).await {
                tracing::debug!(%error, "metadata not refreshed");
            }
        }
    }

    /// A batch that was never written goes out under a new identity; one that may have been is
    /// given up, since only the old identity could tell.
    async fn start_anew(
        &self,
        inner: &Inner,
        turn: &mut Turn,
        was_in_doubt: bool,
        error: &ClientError,
    ) -> Result<(), ClientError> {
        let Some(mut batch) = turn.unanswered.take() else { return Ok(()) };
        if let Some(identity) = batch.identity {
            inner.identities.give_up(identity).await;
        }
        turn.identity = None;
        if was_in_doubt {
            turn.unanswered = Some(batch);
            return Err(error.clone());
        }
        match inner.identities.get(&inner.client).await {
            Ok(identity) => {
                batch.identity = Some(identity);
                batch.bytes = turn.build(inner, batch.identity, &batch.records);
                batch.in_doubt = false;
                turn.unanswered = Some(batch);
                Ok(())
            }
            Err(error) => {
                turn.unanswered = Some(batch);
                Err(error)
            }
        }
    }

    /// After a batch in doubt was given up the sequence has a hole: only a new identity may go on.
    async fn abandon(&self, inner: &Inner, turn: &mut Turn) {
        if let Some(identity) = turn.identity.take() {
            inner.identities.give_up(identity).await;
        }
    }

    async fn try_once(&self, inner: &Inner, bytes: Bytes, left: Duration) -> Tried {
        let address = match inner.client.leader(&self.at).await {
            Ok(address) => address,
            Err(error) if error.is_retriable() => return Tried::Again(error),
            Err(error) => return Tried::Refused(error),
        };
        let request = ProduceRequest {
            transactional_id: None,
            acks: if inner.config.acks_all { -1 } else { 1 },
            timeout_ms: inner.client.timeout_ms(),
            topic_data: vec![TopicProduceData {
                name: self.at.topic.clone(),
                partition_data: vec![PartitionProduceData {
                    index: self.at.partition,
                    records: Some(bytes),
                }],
                ..Default::default()
            }],
        };
        let patience = left.min(inner.client.inner.config.request_timeout);
        let response = match inner.client.ask_at(&address, &request, VERSION_MAX, patience).await {
            Ok(response) => {
                inner.client.throttle(&address, response.throttle_time_ms);
                response
            }
            Err(error) if error.is_retriable() => return Tried::InDoubt(error),
            Err(error) => return Tried::Refused(error),
        };
        let partition =
            response.responses.into_iter().flat_map(|topic| topic.partition_responses).next();
        let Some(partition) = partition else {
            return Tried::InDoubt(ClientError::Malformed {
                address,
                reason: "an answer to Produce without the partition".to_owned(),
            });
        };
        let refused = ClientError::Refused {
            what: format!("writing to {}", self.at),
            code: partition.error_code,
            message: partition.error_message,
        };
        match partition.error_code {
            ErrorCode::None => Tried::Written { base_offset: partition.base_offset },
            ErrorCode::DuplicateSequenceNumber => Tried::Known,
            ErrorCode::OutOfOrderSequenceNumber
            | ErrorCode::UnknownProducerId
            | ErrorCode::InvalidProducerEpoch => Tried::Forgotten(refused),
            ErrorCode::RequestTimedOut | ErrorCode::NotEnoughReplicasAfterAppend => {
                Tried::InDoubt(refused)
            }
            code if code.is_retriable() => Tried::Again(refused),
            _ => Tried::Refused(refused),
        }
    }
}

impl Turn {
    /// Encodes records under an identity with the next sequence numbers.
    fn build(&mut self, inner: &Inner, identity: Option<Identity>, records: &[Waiting]) -> Bytes {
        if self.identity != identity {
            (self.identity, self.next_sequence) = (identity, 0);
        }
        let mut builder = BatchBuilder::new(inner.config.compression);
        if let Some(identity) = identity {
            builder = builder.producer(identity.id, identity.epoch, self.next_sequence);
        }
        for record in records {
            builder.push(
                record.timestamp,
                record.key.as_deref(),
                record.value.as_deref(),
                &record.headers,
            );
        }
        // Sequence numbers wrap to 0 after 2³¹ - 1.
        self.next_sequence = self.next_sequence.wrapping_add(builder.count()) & i32::MAX;
        builder.build()
    }

    fn take_back(&mut self, count: usize) {
        let count = i32::try_from(count).unwrap_or(0);
        self.next_sequence = self.next_sequence.wrapping_sub(count) & i32::MAX;
    }
}

/// A sender that went away does not want its answer.
pub(super) fn answer(record: Waiting, outcome: Result<Placed, ClientError>) {
    drop(record.done.send(outcome));
}
