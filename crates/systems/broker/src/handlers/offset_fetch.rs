//! OffsetFetch (key 9), v1–v10. Spec: <https://kafka.apache.org/protocol#The_Messages_OffsetFetch>
//!
//! v2 null asks for all topics · v7 only stable offsets: not while a transaction that is open has
//! committed one (KIP-447) · v8 many groups
//! at once (KIP-709) · v10 topic ids. Only durable offsets are told; where there is none, -1.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use tidemill_kafka_wire::messages::{OffsetFetchRequest, OffsetFetchResponse};
use uuid::Uuid;

use super::Context;
use crate::group::offsets::{Committed, Offsets};

/// From this version on topics come by id.
const IDS_FROM: i16 = 10;
/// From this version on a request names many groups.
const GROUPS_FROM: i16 = 8;

pub(super) fn handle(context: &Context, request: OffsetFetchRequest) -> OffsetFetchResponse {
    if context.version >= GROUPS_FROM {
        let stable = request.require_stable;
        let groups =
            request.groups.into_iter().map(|group| fetch(context, group, stable)).collect();
        return OffsetFetchResponse { groups, ..Default::default() };
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topics.collect()
    });
    let group_id = request.group_id;
    let asked = OffsetFetchRequestGroup { group_id, topics, ..Default::default() };
    let found = fetch(context, asked, request.require_stable);
    OffsetFetchResponse {
        topics: found.topics.into_iter().map(older).collect(),
        error_code: found.error_code,
        ..Default::default()
    }
}

fn fetch(
    context: &Context,
    asked: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let group_id = asked.group_id.clone();
    let look = |offsets: &Offsets| {
        let mut topics = find(context, &asked, offsets);
        if require_stable {
            hide_unstable(context, &mut topics, offsets);
        }
        topics
    };
    let topics = context
        .core
        .existing_groups()
        .with_group(&group_id, |_, offsets| look(offsets))
        .unwrap_or_else(|| look(&Offsets::default()));
    OffsetFetchResponseGroup { group_id, topics, ..Default::default() }
}

/// What an open transaction may still change is not told; the client asks again.
fn hide_unstable(context: &Context, topics: &mut [OffsetFetchResponseTopics], offsets: &Offsets) {
    for topic in topics {
        let by_id = context.core.topics.with_id(topic.topic_id);
        let name = by_id.map_or_else(|| topic.name.clone(), |topic| topic.name.clone());
        for found in &mut topic.partitions {
            if offsets.is_unstable(&(name.clone(), found.partition_index)) {
                let error_code = ErrorCode::UnstableOffsetCommit;
                *found = OffsetFetchResponsePartitions {
                    error_code,
                    ..answer(found.partition_index, None)
                };
            }
        }
    }
}

fn find(
    context: &Context,
    asked: &OffsetFetchRequestGroup,
    offsets: &Offsets,
) -> Vec<OffsetFetchResponseTopics> {
    match &asked.topics {
        Some(topics) => topics.iter().map(|topic| named(context, topic, offsets)).collect(),
        None => all(context, offsets),
    }
}

fn named(
    context: &Context,
    asked: &OffsetFetchRequestTopics,
    offsets: &Offsets,
) -> OffsetFetchResponseTopics {
    let name = match context.version >= IDS_FROM {
        true => context.core.topics.with_id(asked.topic_id).map(|topic| topic.name.clone()),
        false => Some(asked.name.clone()),
    };
    let partitions = asked.partition_indexes.iter().map(|index| match &name {
        Some(name) => answer(*index, offsets.get(&(name.clone(), *index))),
        None => OffsetFetchResponsePartitions {
            error_code: ErrorCode::UnknownTopicId,
            ..answer(*index, None)
        },
    });
    OffsetFetchResponseTopics {
        name: asked.name.clone(),
        topic_id: asked.topic_id,
        partitions: partitions.collect(),
    }
}

fn all(context: &Context, offsets: &Offsets) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    // By topic, then partition.
    for ((name, index), committed) in offsets.iter() {
        if topics.last().is_none_or(|last| last.name != *name) {
            let topic_id = context.core.topics.named(name).map_or(Uuid::nil(), |topic| topic.id);
            // A client that reads ids cannot be told of a topic that has none.
            if context.version >= IDS_FROM && topic_id.is_nil() {
                continue;
            }
            topics.push(OffsetFetchResponseTopics {
                name: name.clone(),
                topic_id,
                ..Default::default()
            });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(answer(*index, Some(committed)));
        }
    }
    topics
}

fn answer(partition_index: i32, found: Option<&Committed>) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: found.map_or(-1, |committed| committed.offset),
        committed_leader_epoch: found.map_or(-1, |committed| committed.leader_epoch),
        metadata: Some(found.map_or_else(String::new, |committed| committed.metadata.clone())),
        ..Default::default()
    }
}

/// The same answer in the form of v1 to v7.
fn older(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|found| OffsetFetchResponsePartition {
        partition_index: found.partition_index,
        committed_offset: found.committed_offset,
        committed_leader_epoch: found.committed_leader_epoch,
        metadata: found.metadata,
        error_code: found.error_code,
    });
    OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
}
