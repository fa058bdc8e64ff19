//! DeleteRecords (key 21), v0–v2. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DeleteRecords>
//!
//! The new beginning is durable when the answer comes. A topic that is only compacted keeps its
//! records, as in Kafka.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use tidemill_kafka_wire::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use super::Context;
use crate::topics::settings::split;

pub(super) fn handle(context: &Context, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let answer =
            |(partition_index, offset)| match delete(context, &topic.name, partition_index, offset)
            {
                Ok(low_watermark) => DeleteRecordsPartitionResult {
                    partition_index,
                    low_watermark,
                    ..Default::default()
                },
                Err(error_code) => {
                    DeleteRecordsPartitionResult { partition_index, low_watermark: -1, error_code }
                }
            };
        let asked = topic.partitions.iter().map(|p| (p.partition_index, p.offset));
        let partitions = asked.map(answer).collect();
        DeleteRecordsTopicResult { name: topic.name, partitions }
    });
    DeleteRecordsResponse { topics: topics.collect(), ..Default::default() }
}

fn delete(context: &Context, topic: &str, index: i32, offset: i64) -> Result<i64, ErrorCode> {
    let topic = context.core.topics.named(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if topic.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    let settings = topic.settings();
    let policy = settings.overrides.get("cleanup.policy").map_or("delete", String::as_str);
    if !split(policy).any(|part| part == "delete") {
        return Err(ErrorCode::PolicyViolation);
    }
    let partition = topic.partition(index).map_err(|error| error.code())?;
    partition.delete_records_before(offset).map_err(|error| error.code())
}
