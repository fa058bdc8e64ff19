//! DescribeProducers (key 61), v0. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeProducers>

use tidemill_kafka_wire::messages::describe_producers::{
    PartitionResponse, ProducerState, TopicRequest, TopicResponse,
};
use tidemill_kafka_wire::messages::{DescribeProducersRequest, DescribeProducersResponse};

use super::Context;
use crate::error::PartitionError;
use crate::producers::Producer;

pub(super) fn handle(
    context: &Context,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let topic = |asked: TopicRequest| TopicResponse {
        partitions: asked
            .partition_indexes
            .iter()
            .map(|index| partition(context, &asked.name, *index))
            .collect(),
        name: asked.name,
    };
    let topics = request.topics.into_iter().map(topic).collect();
    DescribeProducersResponse { topics, ..Default::default() }
}

fn partition(context: &Context, topic: &str, partition_index: i32) -> PartitionResponse {
    let found = context.core.topics.named(topic).ok_or(PartitionError::Unknown);
    match found.and_then(|topic| topic.partition(partition_index)) {
        Err(error) => PartitionResponse {
            partition_index,
            error_code: error.code(),
            error_message: Some(error.to_string()),
            ..Default::default()
        },
        Ok(partition) => {
            let producers = partition.producers.lock();
            let active_producers = producers.iter().map(|(id, known)| state(*id, known)).collect();
            PartitionResponse { partition_index, active_producers, ..Default::default() }
        }
    }
}

fn state(producer_id: i64, known: &Producer) -> ProducerState {
    ProducerState {
        producer_id,
        producer_epoch: known.epoch.into(),
        last_sequence: known.batches.back().map_or(-1, |newest| newest.last_sequence),
        last_timestamp: known.active_ms,
        coordinator_epoch: known.coordinator_epoch,
        current_txn_start_offset: known.open_since.unwrap_or(-1),
    }
}
