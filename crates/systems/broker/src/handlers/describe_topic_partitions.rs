//! DescribeTopicPartitions (key 75), v0. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTopicPartitions>
//!
//! Topics by name, their partitions page by page (KIP-966).

use std::collections::BTreeSet;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use tidemill_kafka_wire::messages::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
};

use super::{Context, permitted};
use crate::core::NODE_ID;
use crate::partition::{LEADER_EPOCH, Partition};
use crate::topics::name;

/// Partitions on a page, whatever the client asks for (`max.request.partition.size.limit`).
const PAGE_PARTITIONS_MAX: usize = 2000;

pub(super) fn handle(
    context: &Context,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let asked = usize::try_from(request.response_partition_limit).unwrap_or(0).max(1);
    let mut room = asked.min(PAGE_PARTITIONS_MAX);
    let begin = request.cursor.unwrap_or_default();
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names(context, request.topics.into_iter().map(|topic| topic.name).collect()) {
        if name < begin.topic_name {
            continue;
        }
        let first = if name == begin.topic_name { begin.partition_index.max(0) } else { 0 };
        if room == 0 {
            response.next_cursor = Some(Cursor { topic_name: name, partition_index: first });
            break;
        }
        let (topic, left_at) = describe(context, name, first, &mut room);
        let topic_name = topic.name.clone().unwrap_or_default();
        response.topics.push(topic);
        if let Some(partition_index) = left_at {
            response.next_cursor = Some(Cursor { topic_name, partition_index });
            break;
        }
    }
    response
}

fn names(context: &Context, asked: Vec<String>) -> BTreeSet<String> {
    match asked.is_empty() {
        true => context.core.topics.all().iter().map(|topic| topic.name.clone()).collect(),
        false => asked.into_iter().collect(),
    }
}

/// A topic from partition `first` on, and the partition the next page begins with, if any is left.
fn describe(
    context: &Context,
    name: String,
    first: i32,
    room: &mut usize,
) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
    let Some(topic) = context.core.topics.named(&name) else {
        let error_code = match name::check(&name) {
            Ok(()) => ErrorCode::UnknownTopicOrPartition,
            Err(_) => ErrorCode::InvalidTopicException,
        };
        let unknown = DescribeTopicPartitionsResponseTopic {
            error_code,
            name: Some(name),
            ..Default::default()
        };
        return (unknown, None);
    };
    let partitions = topic.partitions();
    let mut rest = partitions.iter().skip_while(|partition| partition.index < first);
    let page: Vec<_> = rest.by_ref().take(*room).map(|partition| led(partition)).collect();
    *room -= page.len();
    let described = DescribeTopicPartitionsResponseTopic {
        name: Some(name),
        topic_id: topic.id,
        is_internal: topic.is_internal(),
        partitions: page,
        topic_authorized_operations: permitted::ON_TOPIC,
        ..Default::default()
    };
    (described, rest.next().map(|partition| partition.index))
}

fn led(partition: &Partition) -> DescribeTopicPartitionsResponsePartition {
    DescribeTopicPartitionsResponsePartition {
        partition_index: partition.index,
        leader_id: NODE_ID,
        leader_epoch: LEADER_EPOCH,
        replica_nodes: vec![NODE_ID],
        isr_nodes: vec![NODE_ID],
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        ..Default::default()
    }
}
