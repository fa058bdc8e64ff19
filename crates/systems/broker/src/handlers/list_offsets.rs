//! ListOffsets (key 2), v1–v11. Spec: <https://kafka.apache.org/protocol#The_Messages_ListOffsets>
//!
//! v2 isolation level · v4 leader epoch (KIP-320) · v7 maximum timestamp (KIP-734) · v8 earliest
//! local and v9 latest tiered offset (KIP-405, KIP-1005). Searches by time are exact to the record,
//! also inside compressed batches.

use std::collections::HashSet;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use tidemill_kafka_wire::messages::{ListOffsetsRequest, ListOffsetsResponse};

use super::Context;
use crate::error::PartitionError;
use crate::partition::{Found, LEADER_EPOCH};

/// Isolation level of readers that see committed records only.
const READ_COMMITTED: i8 = 1;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

pub(super) fn handle(context: &Context, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let read_committed = request.isolation_level == READ_COMMITTED;
    let topics = request.topics.into_iter().map(|topic| {
        // A partition asked for twice has no one answer.
        let mut seen = HashSet::new();
        let twice: HashSet<i32> = topic
            .partitions
            .iter()
            .map(|query| query.partition_index)
            .filter(|index| !seen.insert(*index))
            .collect();
        let answer = |query: &ListOffsetsPartition| {
            let partition_index = query.partition_index;
            if twice.contains(&partition_index) {
                return failed(partition_index, ErrorCode::InvalidRequest);
            }
            match find(context, &topic.name, query, read_committed) {
                // One bad partition answers for itself and never fails its neighbours.
                Err(error) => failed(partition_index, error.code()),
                Ok(found) => ListOffsetsPartitionResponse {
                    partition_index,
                    timestamp: found.map_or(-1, |found| found.timestamp),
                    offset: found.map_or(-1, |found| found.offset),
                    leader_epoch: if found.is_some() { LEADER_EPOCH } else { -1 },
                    ..Default::default()
                },
            }
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        ListOffsetsTopicResponse { name: topic.name, partitions }
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

fn find(
    context: &Context,
    topic: &str,
    query: &ListOffsetsPartition,
    read_committed: bool,
) -> Result<Option<Found>, PartitionError> {
    let topic = context.core.topics.named(topic).ok_or(PartitionError::Unknown)?;
    let partition = topic.partition(query.partition_index)?;
    partition.check_epoch(query.current_leader_epoch)?;
    let at = |offset| Some(Found { offset, timestamp: -1 });
    let end = match read_committed {
        true => partition.last_stable_offset()?,
        false => partition.high_watermark()?,
    };
    Ok(match query.timestamp {
        LATEST => at(end),
        EARLIEST | EARLIEST_LOCAL => at(partition.start_offset()?),
        MAX_TIMESTAMP => partition.with_max_timestamp()?,
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => None,
        ms => partition.first_at_or_after(ms)?.filter(|found| found.offset < end),
    })
}

fn failed(partition_index: i32, error_code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse { partition_index, error_code, ..Default::default() }
}
