//! CreatePartitions (key 37), v0–v3. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_CreatePartitions>

use std::collections::HashSet;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::create_partitions::{
    CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use tidemill_kafka_wire::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::Context;
use crate::core::NODE_ID;
use crate::topics::Refused;

pub(super) fn handle(
    context: &Context,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut seen = HashSet::new();
    let twice: HashSet<String> = request
        .topics
        .iter()
        .filter(|topic| !seen.insert(topic.name.clone()))
        .map(|topic| topic.name.clone())
        .collect();
    let mut results: Vec<CreatePartitionsTopicResult> = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        if results.iter().any(|result| result.name == topic.name) {
            continue;
        }
        let outcome = match twice.contains(&topic.name) {
            true => Err(Refused::new(ErrorCode::InvalidRequest, "the topic is named twice")),
            false => grow(context, &topic, request.validate_only),
        };
        let (error_code, error_message) = match outcome {
            Ok(()) => (ErrorCode::None, None),
            Err(refused) => (refused.code, Some(refused.message)),
        };
        results.push(CreatePartitionsTopicResult { name: topic.name, error_code, error_message });
    }
    CreatePartitionsResponse { results, ..Default::default() }
}

fn grow(
    context: &Context,
    asked: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), Refused> {
    let topic = context.core.topics.named(&asked.name).ok_or_else(|| {
        let message = format!("there is no topic '{}'", asked.name);
        Refused::new(ErrorCode::UnknownTopicOrPartition, message)
    })?;
    if let Some(assignments) = &asked.assignments {
        let added =
            usize::try_from(asked.count).unwrap_or(0).saturating_sub(topic.partitions().len());
        if assignments.len() != added || assignments.iter().any(|a| a.broker_ids != [NODE_ID]) {
            let message = format!("each of {added} new partitions lives on broker {NODE_ID}");
            return Err(Refused::new(ErrorCode::InvalidReplicaAssignment, message));
        }
    }
    context.core.topics.grow(&topic, asked.count, validate_only)
}
