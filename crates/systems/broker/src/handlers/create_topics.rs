//! CreateTopics (key 19), v2–v7. Spec: <https://kafka.apache.org/protocol#The_Messages_CreateTopics>
//!
//! v4 -1 asks for the broker's number of partitions (KIP-464) · v5 answers with the settings · v7
//! with the id. One bad topic answers for itself.

use std::collections::HashMap;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult,
};
use tidemill_kafka_wire::messages::{CreateTopicsRequest, CreateTopicsResponse};
use uuid::Uuid;

use super::Context;
use super::describe_configs::{Setting, of_topic};
use crate::core::NODE_ID;
use crate::topics::Refused;
use crate::topics::settings::{Overrides, TopicSettings};

/// Partitions or replicas as the broker has them by default.
const DEFAULT: i32 = -1;

pub(super) fn handle(context: &Context, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut asked: HashMap<String, usize> = HashMap::new();
    for topic in &request.topics {
        *asked.entry(topic.name.clone()).or_default() += 1;
    }
    let mut topics = Vec::with_capacity(asked.len());
    for topic in request.topics {
        let name = topic.name.clone();
        let created = match asked.insert(name.clone(), 0) {
            Some(1) => create(context, topic, request.validate_only),
            // Asked for more than once: one answer for all.
            Some(2..) => {
                let message = format!("topic '{name}' is named more than once");
                Err(Refused::new(ErrorCode::InvalidRequest, message))
            }
            _ => continue,
        };
        topics.push(created.unwrap_or_else(|refused| CreatableTopicResult {
            name,
            error_code: refused.code,
            error_message: Some(refused.message),
            configs: None,
            ..Default::default()
        }));
    }
    CreateTopicsResponse { topics, ..Default::default() }
}

fn create(
    context: &Context,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Refused> {
    let core = &context.core;
    let partitions = partitions(context, &topic)?;
    let overrides = overrides(&topic)?;
    let (id, settings) = if validate_only {
        core.topics.judge(&topic.name, partitions, &overrides)?;
        (Uuid::nil(), TopicSettings::new(overrides, &core.config).into())
    } else {
        let made = core.topics.create(&topic.name, partitions, overrides)?;
        (made.id, made.settings())
    };
    Ok(CreatableTopicResult {
        name: topic.name,
        topic_id: id,
        num_partitions: partitions,
        replication_factor: 1,
        configs: Some(of_topic(&settings, &core.config).into_iter().map(answer).collect()),
        ..Default::default()
    })
}

fn answer(setting: Setting) -> CreatableTopicConfigs {
    CreatableTopicConfigs {
        config_source: setting.source(),
        name: setting.name,
        value: Some(setting.value),
        ..Default::default()
    }
}

/// How many partitions: said, or counted in an assignment that says where each one lives.
fn partitions(context: &Context, topic: &CreatableTopic) -> Result<i32, Refused> {
    if !topic.assignments.is_empty() {
        return assigned(topic);
    }
    match topic.replication_factor {
        1 => {}
        factor if i32::from(factor) == DEFAULT => {}
        factor if factor <= 0 => {
            let message = format!("the replication factor must be larger than 0, not {factor}");
            return Err(Refused::new(ErrorCode::InvalidReplicationFactor, message));
        }
        factor => {
            let message = format!("{factor} replicas need {factor} brokers, there is 1");
            return Err(Refused::new(ErrorCode::InvalidReplicationFactor, message));
        }
    }
    Ok(match topic.num_partitions {
        DEFAULT => context.core.config.num_partitions,
        said => said,
    })
}

fn assigned(topic: &CreatableTopic) -> Result<i32, Refused> {
    if topic.num_partitions != DEFAULT || i32::from(topic.replication_factor) != DEFAULT {
        let message = "an assignment already says how many partitions and replicas there are";
        return Err(Refused::new(ErrorCode::InvalidRequest, message));
    }
    let mut indexes: Vec<i32> = topic.assignments.iter().map(|a| a.partition_index).collect();
    indexes.sort_unstable();
    let in_order = indexes.iter().zip(0..).all(|(index, expected)| *index == expected);
    if !in_order || topic.assignments.iter().any(|a| a.broker_ids != [NODE_ID]) {
        let message = format!("partitions are numbered from 0 on and live on broker {NODE_ID}");
        return Err(Refused::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    Ok(i32::try_from(indexes.len()).unwrap_or(i32::MAX))
}

fn overrides(topic: &CreatableTopic) -> Result<Overrides, Refused> {
    topic
        .configs
        .iter()
        .map(|config| match &config.value {
            Some(value) => Ok((config.name.clone(), value.clone())),
            None => {
                let message = format!("there is no value for {}", config.name);
                Err(Refused::new(ErrorCode::InvalidConfig, message))
            }
        })
        .collect()
}
