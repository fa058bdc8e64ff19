//! Produce (key 0), v3–v13. Spec: <https://kafka.apache.org/protocol#The_Messages_Produce>
//!
//! v8 names the records at fault · v13 topic ids. `acks` 1 and -1 are the same on one node: the
//! answer comes when the batch is as durable as configured. v12 takes a partition into its transaction
//! by itself (KIP-890); before, it must be in it, and the batch is refused otherwise.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, TopicProduceData,
    TopicProduceResponse,
};
use tidemill_kafka_wire::messages::{ProduceRequest, ProduceResponse};
use tidemill_kafka_wire::records::Compression;
use tidemill_log::BatchHeader;
use tidemill_runtime::BoxFuture;

use super::Context;
use crate::error::{AppendError, PartitionError};
use crate::partition::{Partition, Stored};
use crate::topics::Topic;
use crate::transactions::state::VERSION_2;

/// The first version whose client can read zstd.
const ZSTD_FROM: i16 = 7;
/// From this version on topics come by id.
const IDS_FROM: i16 = 13;
/// From this version on a partition need not be in the transaction before.
const ADDS_FROM: i16 = 12;

/// All batches of a request, appended, not yet durable.
pub(super) struct Produced {
    topics: Vec<(TopicProduceResponse, Vec<Pending>)>,
}

/// A batch: stored and on its way to the disk, or refused.
struct Pending {
    index: i32,
    outcome: Result<(Stored, BoxFuture<'static, Result<(), PartitionError>>), AppendError>,
}

pub(super) fn handle(context: &Context, request: ProduceRequest) -> Produced {
    let refused = if !(-1..=1).contains(&request.acks) { Some(AppendError::Acks) } else { None };
    let transactional_id = request.transactional_id.as_deref();
    let topics = request.topic_data.into_iter().map(|data| {
        let topic = find(context, &data);
        let append = |partition: PartitionProduceData| {
            let outcome = match (&refused, &topic) {
                (Some(error), _) => Err(error.clone()),
                (None, Err(error)) => Err(error.clone()),
                (None, Ok(topic)) => append(context, topic, &partition, transactional_id),
            };
            Pending { index: partition.index, outcome }
        };
        let pending = data.partition_data.into_iter().map(append).collect();
        let (name, topic_id) = (data.name, data.topic_id);
        (TopicProduceResponse { name, topic_id, ..Default::default() }, pending)
    });
    Produced { topics: topics.collect() }
}

fn find(context: &Context, data: &TopicProduceData) -> Result<std::sync::Arc<Topic>, AppendError> {
    let topics = &context.core.topics;
    let topic = if context.version >= IDS_FROM {
        topics.with_id(data.topic_id).ok_or(PartitionError::UnknownId)?
    } else {
        topics.named(&data.name).ok_or(PartitionError::Unknown)?
    };
    if topic.is_internal() { Err(AppendError::Internal) } else { Ok(topic) }
}

fn append(
    context: &Context,
    topic: &Topic,
    data: &PartitionProduceData,
    transactional_id: Option<&str>,
) -> Result<(Stored, BoxFuture<'static, Result<(), PartitionError>>), AppendError> {
    let partition = topic.partition(data.index)?;
    let records = data.records.as_ref().filter(|records| !records.is_empty());
    let records = records.ok_or(AppendError::InvalidRecord("there is no batch to append"))?;
    if context.version < ZSTD_FROM && is_zstd(records) {
        return Err(AppendError::Compression);
    }
    let noted = match BatchHeader::parse(records) {
        Ok(header) if header.is_transactional() => {
            let id = transactional_id.ok_or(AppendError::Transactional)?;
            take_in(context, id, &header, &topic.name, &partition)?
        }
        _ => None,
    };
    let now_ms = context.core.world.clock.now_ms();
    let stored = partition.append(records, &topic.settings(), now_ms)?;
    let durable = partition.when_durable(stored.last_offset);
    let Some(offset) = noted else { return Ok((stored, Box::pin(durable))) };
    // A start must know of the partition before the client may rely on what is in it.
    let noted = context.core.transactions.when_durable(offset);
    let both = async move {
        durable.await?;
        noted.await.map_err(|code| PartitionError::Storage(format!("transaction: {code}")))
    };
    Ok((stored, Box::pin(both)))
}

/// Sees to it that the partition is in the transaction of the batch. Gives the offset of the
/// coordinator's record that must be durable, if there is a new one.
fn take_in(
    context: &Context,
    id: &str,
    header: &BatchHeader,
    topic: &str,
    partition: &Partition,
) -> Result<Option<i64>, AppendError> {
    let producer = (header.producer_id, header.producer_epoch);
    if partition.has_open_transaction(producer) {
        return Ok(None);
    }
    let place = (topic.to_owned(), partition.index);
    let transactions = &context.core.transactions;
    let taken = if context.version >= ADDS_FROM {
        transactions.add(id, producer, &[place], VERSION_2)
    } else {
        transactions.verify(id, producer, &place).map(|()| None)
    };
    taken.map_err(|error| {
        AppendError::Transaction(match error {
            ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
            // What an older client repeats without asking for the coordinator again.
            ErrorCode::ConcurrentTransactions | ErrorCode::CoordinatorNotAvailable
                if context.version < ADDS_FROM =>
            {
                ErrorCode::NotEnoughReplicas
            }
            error => error,
        })
    })
}

fn is_zstd(batch: &[u8]) -> bool {
    // The low bits of the attributes.
    batch.get(22).is_some_and(|bits| bits & 0x07 == Compression::Zstd.number() as u8)
}

impl Produced {
    /// The answer, once every batch is durable or refused.
    pub(super) async fn answer(self) -> ProduceResponse {
        let mut responses = Vec::with_capacity(self.topics.len());
        for (mut topic, pending) in self.topics {
            for batch in pending {
                topic.partition_responses.push(batch.answer().await);
            }
            responses.push(topic);
        }
        ProduceResponse { responses, ..Default::default() }
    }

    /// What went wrong first, if anything did.
    pub(super) fn first_error(&self) -> Option<&AppendError> {
        let batches = self.topics.iter().flat_map(|(_, pending)| pending);
        batches.into_iter().find_map(|batch| batch.outcome.as_ref().err())
    }
}

impl Pending {
    async fn answer(self) -> PartitionProduceResponse {
        let index = self.index;
        match self.outcome {
            Err(error) => refused(index, &error),
            Ok((stored, durable)) => match durable.await {
                Err(error) => refused(index, &AppendError::Partition(error)),
                Ok(()) => PartitionProduceResponse {
                    index,
                    base_offset: stored.base_offset,
                    log_append_time_ms: stored.append_time_ms,
                    log_start_offset: stored.start_offset,
                    ..Default::default()
                },
            },
        }
    }
}

fn refused(index: i32, error: &AppendError) -> PartitionProduceResponse {
    if error.code() == ErrorCode::KafkaStorageError {
        tracing::error!(partition = index, %error, "batch not stored");
    }
    let record_errors = match error {
        AppendError::NoKey { index } => vec![BatchIndexAndErrorMessage {
            batch_index: *index,
            batch_index_error_message: Some(error.to_string()),
        }],
        _ => Vec::new(),
    };
    PartitionProduceResponse {
        index,
        error_code: error.code(),
        base_offset: -1,
        record_errors,
        error_message: Some(error.to_string()),
        ..Default::default()
    }
}
