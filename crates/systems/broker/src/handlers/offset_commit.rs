//! OffsetCommit (key 8), v2–v10. Spec: <https://kafka.apache.org/protocol#The_Messages_OffsetCommit>
//!
//! v2 to v4 carry a retention · v7 static members · v9 says when there is no such group · v10 topic ids. A generation of -1 without a
//! member commits for a group nobody is in. Answered when the offsets are durable.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use tidemill_kafka_wire::messages::{OffsetCommitRequest, OffsetCommitResponse};

use super::Context;
use crate::group::Committer;
use crate::group::offsets::{Committed, Place};

/// From this version on topics come by id.
const IDS_FROM: i16 = 10;
/// From this version on a member of a group that is not there is told so.
const GROUP_NOT_FOUND_FROM: i16 = 9;

pub(super) fn handle(
    context: &Context,
    request: OffsetCommitRequest,
) -> impl Future<Output = OffsetCommitResponse> + Send + use<> {
    let now_ms = context.core.world.clock.now_ms();
    let expires_ms = Some(request.retention_time_ms).filter(|ms| *ms >= 0);
    let expires_ms = expires_ms.map(|retention_ms| now_ms.saturating_add(retention_ms));
    let mut offsets: Vec<(Place, Committed)> = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let name = name_of(context, topic);
        let judge = |partition: &OffsetCommitRequestPartition| {
            let judged = match &name {
                Ok(name) => {
                    let note = partition.committed_metadata.as_deref().unwrap_or_default();
                    judge(context, name, partition.partition_index, note)
                }
                Err(error) => Err(*error),
            };
            if let (Ok(()), Ok(name)) = (judged, &name) {
                let place = (name.clone(), partition.partition_index);
                offsets.push((place, committed(partition, now_ms, expires_ms)));
            }
            OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: judged.err().unwrap_or_default(),
            }
        };
        topics.push(OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: topic.partitions.iter().map(judge).collect(),
        });
    }
    let committer = Committer {
        group_id: &request.group_id,
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id_or_member_epoch,
        of_no_group: match context.version {
            GROUP_NOT_FOUND_FROM.. => ErrorCode::GroupIdNotFound,
            _ => ErrorCode::IllegalGeneration,
        },
        transaction: None,
    };
    let fate = context.core.groups().and_then(|groups| groups.commit(&committer, offsets));
    async move {
        let outcome = match fate {
            Ok(fate) => fate.await.unwrap_or(Err(ErrorCode::NotCoordinator)),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            // Partitions that had an error of their own keep it.
            let all = topics.iter_mut().flat_map(|topic| &mut topic.partitions);
            all.filter(|p| p.error_code.is_none()).for_each(|p| p.error_code = error);
        }
        OffsetCommitResponse { topics, ..Default::default() }
    }
}

fn name_of(context: &Context, topic: &OffsetCommitRequestTopic) -> Result<String, ErrorCode> {
    if context.version < IDS_FROM {
        return Ok(topic.name.clone());
    }
    let known = context.core.topics.with_id(topic.topic_id);
    known.map(|topic| topic.name.clone()).ok_or(ErrorCode::UnknownTopicId)
}

/// Judges an offset by itself: whether there is such a partition, and the note beside it.
pub(super) fn judge(
    context: &Context,
    name: &str,
    partition_index: i32,
    note: &str,
) -> Result<(), ErrorCode> {
    let core = &context.core;
    let topic = core.topics.named(name).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    topic.partition(partition_index).map_err(|error| error.code())?;
    if note.len() > core.existing_groups().metadata_bytes_max() {
        return Err(ErrorCode::OffsetMetadataTooLarge);
    }
    Ok(())
}

fn committed(
    partition: &OffsetCommitRequestPartition,
    committed_ms: i64,
    expires_ms: Option<i64>,
) -> Committed {
    Committed {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.clone().unwrap_or_default(),
        committed_ms,
        expires_ms,
    }
}
