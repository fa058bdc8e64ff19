//! OffsetForLeaderEpoch (key 23), v2–v4. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch>
//!
//! There is one epoch of leadership: it ends where the partition ends.

use tidemill_kafka_wire::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};
use tidemill_kafka_wire::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::Context;
use crate::error::PartitionError;
use crate::partition::LEADER_EPOCH;

pub(super) fn handle(
    context: &Context,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let answer = |query: &OffsetForLeaderPartition| match end(context, &topic.topic, query) {
            Ok(found) => EpochEndOffset { partition: query.partition, ..found },
            Err(error) => EpochEndOffset {
                partition: query.partition,
                error_code: error.code(),
                ..Default::default()
            },
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        OffsetForLeaderTopicResult { topic: topic.topic, partitions }
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn end(
    context: &Context,
    topic: &str,
    query: &OffsetForLeaderPartition,
) -> Result<EpochEndOffset, PartitionError> {
    let topic = context.core.topics.named(topic).ok_or(PartitionError::Unknown)?;
    let partition = topic.partition(query.partition)?;
    partition.check_epoch(query.current_leader_epoch)?;
    // Of an epoch that never was, nothing is known.
    if query.leader_epoch != LEADER_EPOCH {
        return Ok(EpochEndOffset::default());
    }
    let end_offset = partition.high_watermark()?;
    Ok(EpochEndOffset { leader_epoch: LEADER_EPOCH, end_offset, ..Default::default() })
}
