//! Metadata (key 3), v0–v13. Spec: <https://kafka.apache.org/protocol#The_Messages_Metadata>
//!
//! v0 asks for all topics with an empty list, later versions with null · v4 says whether asking may
//! create · v12 asks by id. The broker is where the client found it: the address it dialled.
//! Differs from Kafka: a topic created by asking is there in the same answer.

use std::sync::Arc;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::metadata::{
    MetadataRequestTopic, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use tidemill_kafka_wire::messages::{MetadataRequest, MetadataResponse};
use uuid::Uuid;

use super::Context;
use super::permitted;
use crate::core::NODE_ID;
use crate::partition::{LEADER_EPOCH, Partition};
use crate::topics::settings::Overrides;
use crate::topics::{Topic, name};

pub(super) fn handle(context: &Context, request: MetadataRequest) -> MetadataResponse {
    let asked = request.topics.filter(|topics| context.version > 0 || !topics.is_empty());
    let may_create =
        request.allow_auto_topic_creation && context.core.config.auto_create_topics_enable;
    let mut topics: Vec<MetadataResponseTopic> = match asked {
        None => context.core.topics.all().iter().map(describe).collect(),
        Some(asked) => asked.into_iter().map(|topic| find(context, topic, may_create)).collect(),
    };
    if request.include_topic_authorized_operations {
        for topic in topics.iter_mut().filter(|topic| topic.error_code.is_none()) {
            topic.topic_authorized_operations = permitted::ON_TOPIC;
        }
    }
    MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: NODE_ID,
            host: context.ends.broker.ip().to_string(),
            port: context.ends.broker.port().into(),
            rack: None,
        }],
        cluster_id: Some(context.core.cluster_id.clone()),
        controller_id: NODE_ID,
        topics,
        cluster_authorized_operations: match request.include_cluster_authorized_operations {
            true => permitted::ON_CLUSTER,
            false => i32::MIN,
        },
        ..Default::default()
    }
}

fn find(context: &Context, asked: MetadataRequestTopic, may_create: bool) -> MetadataResponseTopic {
    let topics = &context.core.topics;
    let Some(name) = asked.name else {
        return match topics.with_id(asked.topic_id) {
            Some(topic) => describe(&topic),
            None => unknown(None, asked.topic_id, ErrorCode::UnknownTopicId),
        };
    };
    if let Some(topic) = topics.named(&name) {
        return describe(&topic);
    }
    if name::check(&name).is_err() {
        return unknown(Some(name), Uuid::nil(), ErrorCode::InvalidTopicException);
    }
    if !may_create {
        return unknown(Some(name), Uuid::nil(), ErrorCode::UnknownTopicOrPartition);
    }
    match create(context, &name) {
        Ok(topic) => describe(&topic),
        Err(code) => unknown(Some(name), Uuid::nil(), code),
    }
}

fn create(context: &Context, name: &str) -> Result<Arc<Topic>, ErrorCode> {
    let core = &context.core;
    match core.topics.create(name, core.config.num_partitions, Overrides::new()) {
        Ok(topic) => Ok(topic),
        // Somebody else asked at the same moment.
        Err(refused) => core.topics.named(name).ok_or(refused.code),
    }
}

fn unknown(name: Option<String>, topic_id: Uuid, error_code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic { error_code, name, topic_id, ..Default::default() }
}

fn describe(topic: &Arc<Topic>) -> MetadataResponseTopic {
    MetadataResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: topic.is_internal(),
        partitions: topic.partitions().iter().map(|partition| leader_of(partition)).collect(),
        ..Default::default()
    }
}

fn leader_of(partition: &Partition) -> MetadataResponsePartition {
    MetadataResponsePartition {
        partition_index: partition.index,
        leader_id: NODE_ID,
        leader_epoch: LEADER_EPOCH,
        replica_nodes: vec![NODE_ID],
        isr_nodes: vec![NODE_ID],
        ..Default::default()
    }
}
