//! Topics and their settings.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use tidemill_kafka_wire::messages::delete_topics::DeleteTopicState;
use tidemill_kafka_wire::messages::describe_configs::DescribeConfigsResource;
use tidemill_kafka_wire::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest,
};

use crate::client::NEWEST;
use crate::error::accepted;
use crate::{ClientError, ConfigEntry, KafkaClient, NewTopic};

/// A topic as a resource of DescribeConfigs.
const TOPIC_RESOURCE: i8 = 2;
/// Where a value comes from when nobody set it (DescribeConfigs, `config_source`).
const DEFAULT_SOURCE: i8 = 5;

impl KafkaClient {
    /// Makes a topic with the broker's default replication. False if it existed.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<bool, ClientError> {
        self.ask_for_topic(topic, false).await
    }

    /// Whether a topic could be made; it is not. False if it exists.
    pub async fn may_create_topic(&self, topic: NewTopic) -> Result<bool, ClientError> {
        self.ask_for_topic(topic, true).await
    }

    async fn ask_for_topic(
        &self,
        topic: NewTopic,
        validate_only: bool,
    ) -> Result<bool, ClientError> {
        let name = topic.name.clone();
        let configs = topic
            .configs
            .into_iter()
            .map(|(name, value)| CreatableTopicConfig { name, value: Some(value) });
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: topic.name,
                num_partitions: topic.partitions,
                replication_factor: -1,
                assignments: Vec::new(),
                configs: configs.collect(),
            }],
            timeout_ms: self.timeout_ms(),
            validate_only,
        };
        let response = self.ask_any(&request, NEWEST).await?;
        for result in response.topics {
            if result.error_code == ErrorCode::TopicAlreadyExists {
                return Ok(false);
            }
            let message = result.error_message.as_deref();
            accepted(result.error_code, message, || format!("creating topic {name}"))?;
        }
        Ok(true)
    }

    /// Deletes a topic. False if there was none.
    pub async fn delete_topic(&self, name: &str) -> Result<bool, ClientError> {
        let state = DeleteTopicState { name: Some(name.to_owned()), ..Default::default() };
        let request = DeleteTopicsRequest {
            topics: vec![state],
            topic_names: vec![name.to_owned()],
            timeout_ms: self.timeout_ms(),
        };
        let response = self.ask_any(&request, NEWEST).await?;
        for result in response.responses {
            if result.error_code == ErrorCode::UnknownTopicOrPartition {
                return Ok(false);
            }
            let message = result.error_message.as_deref();
            accepted(result.error_code, message, || format!("deleting topic {name}"))?;
        }
        Ok(true)
    }

    /// All settings of a topic, by name.
    pub async fn describe_topic_configs(
        &self,
        topic: &str,
    ) -> Result<Vec<ConfigEntry>, ClientError> {
        let request = DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type: TOPIC_RESOURCE,
                resource_name: topic.to_owned(),
                configuration_keys: None,
            }],
            ..Default::default()
        };
        let response = self.ask_any(&request, NEWEST).await?;
        let mut entries = Vec::new();
        for result in response.results {
            let message = result.error_message.as_deref();
            accepted(result.error_code, message, || format!("the settings of topic {topic}"))?;
            entries.extend(result.configs.into_iter().map(|config| ConfigEntry {
                name: config.name,
                value: config.value,
                is_default: config.config_source == DEFAULT_SOURCE,
                read_only: config.read_only,
            }));
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    pub(crate) fn timeout_ms(&self) -> i32 {
        i32::try_from(self.inner.config.request_timeout.as_millis()).unwrap_or(i32::MAX)
    }
}
