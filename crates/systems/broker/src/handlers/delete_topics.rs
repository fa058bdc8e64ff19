//! DeleteTopics (key 20), v1–v6. Spec: <https://kafka.apache.org/protocol#The_Messages_DeleteTopics>
//!
//! v6 names topics by id or by name. When the answer comes the topic is gone, and a new one of the
//! same name can be made.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::delete_topics::{DeletableTopicResult, DeleteTopicState};
use tidemill_kafka_wire::messages::{DeleteTopicsRequest, DeleteTopicsResponse};

use super::Context;
use crate::topics::Refused;

pub(super) fn handle(context: &Context, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let by_name = request.topic_names.into_iter();
    let by_name = by_name.map(|name| DeleteTopicState { name: Some(name), ..Default::default() });
    let responses = request.topics.into_iter().chain(by_name).map(|topic| delete(context, topic));
    DeleteTopicsResponse { responses: responses.collect(), ..Default::default() }
}

fn delete(context: &Context, asked: DeleteTopicState) -> DeletableTopicResult {
    let topics = &context.core.topics;
    if asked.name.is_some() && !asked.topic_id.is_nil() {
        let refused = Refused::new(ErrorCode::InvalidRequest, "name a topic or its id, not both");
        return answer(asked, Err(refused));
    }
    let found = match &asked.name {
        Some(name) => topics.named(name).ok_or_else(|| {
            let message = format!("there is no topic '{name}'");
            Refused::new(ErrorCode::UnknownTopicOrPartition, message)
        }),
        None => topics
            .with_id(asked.topic_id)
            .ok_or_else(|| Refused::new(ErrorCode::UnknownTopicId, "there is no topic of this id")),
    };
    match found {
        Err(refused) => answer(asked, Err(refused)),
        Ok(topic) => {
            let known = DeleteTopicState { name: Some(topic.name.clone()), topic_id: topic.id };
            let deleted = if topic.is_internal() {
                Err(Refused::new(ErrorCode::InvalidTopicException, "the broker needs this topic"))
            } else {
                topics.delete(&topic)
            };
            if deleted.is_ok() {
                context.core.existing_groups().forget_topic(&topic.name);
                context.core.cleaner.forget_topic(&topic.name);
            }
            answer(known, deleted)
        }
    }
}

fn answer(topic: DeleteTopicState, outcome: Result<(), Refused>) -> DeletableTopicResult {
    let (error_code, error_message) = match outcome {
        Ok(()) => (ErrorCode::None, None),
        Err(refused) => (refused.code, Some(refused.message)),
    };
    DeletableTopicResult { name: topic.name, topic_id: topic.topic_id, error_code, error_message }
}
