//! OffsetDelete (key 47), v0 (KIP-496). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_OffsetDelete>
//!
//! Offsets of topics that nobody in the group reads now. Answered when the deletion is durable.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::offset_delete::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use tidemill_kafka_wire::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::Context;
use crate::group::offsets::Place;

pub(super) fn handle(
    context: &Context,
    request: OffsetDeleteRequest,
) -> impl Future<Output = OffsetDeleteResponse> + Send + use<> {
    let asked: Vec<Place> = request
        .topics
        .iter()
        .flat_map(|t| t.partitions.iter().map(|p| (t.name.clone(), p.partition_index)))
        .collect();
    let topics = &context.core.topics;
    let exists =
        |place: &Place| topics.named(&place.0).is_some_and(|t| t.partition(place.1).is_ok());
    let (known, unknown): (Vec<Place>, Vec<Place>) = asked.into_iter().partition(exists);
    let deleted = context.core.existing_groups().delete_offsets(&request.group_id, &known);
    async move {
        let refused = |error_code| OffsetDeleteResponse { error_code, ..Default::default() };
        let (outcomes, fate) = match deleted {
            Ok(deleted) => deleted,
            Err(error) => return refused(error),
        };
        if let Err(error) = fate.await.unwrap_or(Err(ErrorCode::NotCoordinator)) {
            return refused(error);
        }
        let unknown = unknown.into_iter().map(|p| (p, Err(ErrorCode::UnknownTopicOrPartition)));
        let mut topics: Vec<OffsetDeleteResponseTopic> = Vec::new();
        for ((name, partition_index), outcome) in known.into_iter().zip(outcomes).chain(unknown) {
            let error_code = outcome.err().unwrap_or_default();
            let answer = OffsetDeleteResponsePartition { partition_index, error_code };
            match topics.iter_mut().find(|topic| topic.name == name) {
                Some(topic) => topic.partitions.push(answer),
                None => {
                    topics.push(OffsetDeleteResponseTopic { name, partitions: vec![answer] });
                }
            }
        }
        OffsetDeleteResponse { topics, ..Default::default() }
    }
}
