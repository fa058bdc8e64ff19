//! What the client knows of the cluster: brokers, leaders, coordinators. All of it may be out of
//! date; an answer that says so makes it be asked anew.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::metadata::{MetadataRequestTopic, MetadataResponseTopic};
use tidemill_kafka_wire::messages::{MetadataRequest, MetadataResponse};

use crate::client::NEWEST;
use crate::error::accepted;
use crate::pool::Pool;
use crate::types::{BrokerNode, Cluster, PartitionMetadata, ServedApi, TopicMetadata};
use crate::{ClientConfig, ClientError, KafkaClient, TopicPartition};

/// Topics whose leaders are remembered; more than that are asked for again.
const LEADERS_MAX: usize = 100_000;

/// The client's picture of the cluster.
#[derive(Debug)]
pub(crate) struct Known {
    bootstrap: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    brokers: HashMap<i32, String>,
    leaders: HashMap<TopicPartition, i32>,
    /// How many partitions each topic has.
    partitions: HashMap<String, i32>,
    coordinators: HashMap<String, String>,
    pools: HashMap<String, Arc<Pool>>,
}

impl Known {
    pub(crate) fn new(config: &ClientConfig) -> Known {
        Known { bootstrap: config.bootstrap_servers.clone(), state: Mutex::default() }
    }

    /// Where brokers may answer: those that are known, then the configured ones.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let state = self.state.lock();
        let mut addresses: Vec<String> = state.brokers.values().cloned().collect();
        for address in &self.bootstrap {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        addresses
    }

    pub(crate) fn pool(&self, address: &str, config: &ClientConfig) -> Arc<Pool> {
        let mut state = self.state.lock();
        let pool = state.pools.entry(address.to_owned());
        pool.or_insert_with(|| Arc::new(Pool::new(address.to_owned(), config))).clone()
    }

    /// The address of a partition's leader.
    pub(crate) fn leader(&self, partition: &TopicPartition) -> Option<String> {
        let state = self.state.lock();
        state.brokers.get(state.leaders.get(partition)?).cloned()
    }

    /// How many partitions a topic has.
    pub(crate) fn partitions(&self, topic: &str) -> Option<i32> {
        self.state.lock().partitions.get(topic).copied()
    }

    pub(crate) fn coordinator(&self, group: &str) -> Option<String> {
        self.state.lock().coordinators.get(group).cloned()
    }

    pub(crate) fn learn_coordinator(&self, group: &str, address: &str) {
        self.state.lock().coordinators.insert(group.to_owned(), address.to_owned());
    }

    pub(crate) fn forget_coordinator(&self, group: &str) {
        self.state.lock().coordinators.remove(group);
    }

    fn learn(&self, response: &MetadataResponse) {
        let mut state = self.state.lock();
        state.brokers = response
            .brokers
            .iter()
            .map(|broker| (broker.node_id, format!("{}:{}", broker.host, broker.port)))
            .collect();
        if state.leaders.len() > LEADERS_MAX {
            state.leaders.clear();
            state.partitions.clear();
        }
        for topic in &response.topics {
            let Some(name) = &topic.name else { continue };
            if topic.error_code != ErrorCode::None {
                state.partitions.remove(name);
                continue;
            }
            let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
            state.partitions.insert(name.clone(), count);
            for partition in &topic.partitions {
                let at = TopicPartition::new(name.clone(), partition.partition_index);
                state.leaders.insert(at, partition.leader_id);
            }
        }
    }
}

impl KafkaClient {
    /// The cluster: its id, its controller, its brokers.
    pub async fn cluster(&self) -> Result<Cluster, ClientError> {
        // No topics: `None` would ask for all of them.
        let response = self.metadata(Some(Vec::new()), false).await?;
        Ok(Cluster {
            id: response.cluster_id,
            controller: response.controller_id,
            brokers: response
                .brokers
                .into_iter()
                .map(|broker| BrokerNode {
                    id: broker.node_id,
                    address: format!("{}:{}", broker.host, broker.port),
                })
                .collect(),
        })
    }

    /// The APIs that the first broker to answer serves: name, oldest and newest version.
    pub async fn api_versions(&self) -> Result<Vec<ServedApi>, ClientError> {
        let cluster = self.cluster().await?;
        let Some(broker) = cluster.brokers.first() else { return Ok(Vec::new()) };
        let pool = self.inner.known.pool(&broker.address, &self.inner.config);
        let served = pool.served(&self.inner.config, &self.inner.world).await?;
        Ok(served
            .into_iter()
            .map(|api| ServedApi {
                key: api.api_key,
                min_version: api.min_version,
                max_version: api.max_version,
            })
            .collect())
    }

    /// All topics.
    pub async fn topics(&self) -> Result<Vec<TopicMetadata>, ClientError> {
        let response = self.metadata(None, false).await?;
        let live = response.topics.into_iter().filter(|topic| topic.error_code == ErrorCode::None);
        Ok(live.map(described).collect())
    }

    /// One topic; none if there is no such topic. It is never made by asking.
    pub async fn topic(&self, name: &str) -> Result<Option<TopicMetadata>, ClientError> {
        let response = self.metadata(Some(vec![name.to_owned()]), false).await?;
        let Some(topic) = response.topics.into_iter().next() else { return Ok(None) };
        match topic.error_code {
            ErrorCode::UnknownTopicOrPartition => Ok(None),
            code => {
                accepted(code, None, || format!("topic {name}"))?;
                Ok(Some(described(topic)))
            }
        }
    }

    /// Asks for topics and remembers what was said.
    pub(crate) async fn metadata(
        &self,
        topics: Option<Vec<String>>,
        create: bool,
    ) -> Result<MetadataResponse, ClientError> {
        let named = |name| MetadataRequestTopic { name: Some(name), ..Default::default() };
        let request = MetadataRequest {
            topics: topics.map(|names| names.into_iter().map(named).collect()),
            allow_auto_topic_creation: create,
            ..Default::default()
        };
        let response = self.ask_any(&request, NEWEST).await?;
        self.inner.known.learn(&response);
        Ok(response)
    }

    /// The address of a partition's leader, asking if it is not known.
    pub(crate) async fn leader(&self, at: &TopicPartition) -> Result<String, ClientError> {
        if let Some(address) = self.inner.known.leader(at) {
            return Ok(address);
        }
        let response = self.metadata(Some(vec![at.topic.clone()]), false).await?;
        match self.inner.known.leader(at) {
            Some(address) => Ok(address),
            None => {
                let topic = response.topics.first();
                let code = topic.map(|topic| topic.error_code).filter(|c| *c != ErrorCode::None);
                Err(ClientError::Refused {
                    what: format!("the leader of {at}"),
                    code: code.unwrap_or(ErrorCode::UnknownTopicOrPartition),
                    message: None,
                })
            }
        }
    }
}

fn described(topic: MetadataResponseTopic) -> TopicMetadata {
    let mut partitions: Vec<PartitionMetadata> = topic
        .partitions
        .into_iter()
        .map(|partition| PartitionMetadata {
            partition: partition.partition_index,
            leader: Some(partition.leader_id).filter(|leader| *leader >= 0),
        })
        .collect();
    partitions.sort_unstable_by_key(|partition| partition.partition);
    TopicMetadata {
        name: topic.name.unwrap_or_default(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        partitions,
    }
}
