//! AddPartitionsToTxn (key 24), v0–v5. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_AddPartitionsToTxn>
//!
//! v3 and below: a client names what it is about to write to. v4 and above are for brokers among
//! themselves, and are answered alike. All partitions are added, or none: those that would have been
//! are told so.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopic,
    AddPartitionsToTxnTopicResult, AddPartitionsToTxnTransaction,
};
use tidemill_kafka_wire::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};

use super::{Context, fenced};
use crate::transactions::Place;
use crate::transactions::state::VERSION_0;

/// From this version on a request is about many transactions.
const MANY_FROM: i16 = 4;

pub(super) fn handle(
    context: &Context,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    if context.version >= MANY_FROM {
        let results = request.transactions.into_iter().map(|asked| AddPartitionsToTxnResult {
            topic_results: add(context, &asked),
            transactional_id: asked.transactional_id,
        });
        return AddPartitionsToTxnResponse {
            results_by_transaction: results.collect(),
            ..Default::default()
        };
    }
    let asked = AddPartitionsToTxnTransaction {
        transactional_id: request.v3_and_below_transactional_id,
        producer_id: request.v3_and_below_producer_id,
        producer_epoch: request.v3_and_below_producer_epoch,
        verify_only: false,
        topics: request.v3_and_below_topics,
    };
    let results_by_topic_v3_and_below = add(context, &asked);
    AddPartitionsToTxnResponse { results_by_topic_v3_and_below, ..Default::default() }
}

fn add(
    context: &Context,
    asked: &AddPartitionsToTxnTransaction,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let outcome = match places(context, &asked.topics) {
        None => Err(ErrorCode::OperationNotAttempted),
        Some(places) => take_in(context, asked, &places),
    };
    let result = |name: &str, index: i32| {
        let code = match outcome {
            Err(ErrorCode::OperationNotAttempted) if !exists(context, name, index) => {
                ErrorCode::UnknownTopicOrPartition
            }
            Err(error) => fenced(error, context.version, 2),
            Ok(()) => ErrorCode::None,
        };
        AddPartitionsToTxnPartitionResult { partition_index: index, partition_error_code: code }
    };
    let topic = |topic: &AddPartitionsToTxnTopic| AddPartitionsToTxnTopicResult {
        name: topic.name.clone(),
        results_by_partition: topic.partitions.iter().map(|p| result(&topic.name, *p)).collect(),
    };
    asked.topics.iter().map(topic).collect()
}

fn take_in(
    context: &Context,
    asked: &AddPartitionsToTxnTransaction,
    places: &[Place],
) -> Result<(), ErrorCode> {
    let transactions = context.core.transactions()?;
    let (id, producer) = (&asked.transactional_id, (asked.producer_id, asked.producer_epoch));
    if asked.verify_only {
        return places.iter().try_for_each(|place| transactions.verify(id, producer, place));
    }
    match transactions.add(id, producer, places, VERSION_0)? {
        Some(offset) => transactions.wait(offset),
        None => Ok(()),
    }
}

/// All the partitions, if all of them are there.
fn places(context: &Context, topics: &[AddPartitionsToTxnTopic]) -> Option<Vec<Place>> {
    let places: Vec<Place> = topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|index| (topic.name.clone(), *index)))
        .collect();
    places.iter().all(|(name, index)| exists(context, name, *index)).then_some(places)
}

fn exists(context: &Context, name: &str, index: i32) -> bool {
    let topic = context.core.topics.named(name);
    topic.is_some_and(|topic| topic.partition(index).is_ok())
}
