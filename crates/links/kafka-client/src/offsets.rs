//! Offsets by place and by time.

use std::collections::BTreeMap;

use tidemill_kafka_wire::messages::ListOffsetsRequest;
use tidemill_kafka_wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};

use crate::client::NEWEST;
use crate::error::accepted;
use crate::{ClientError, KafkaClient, ListedOffset, OffsetSpec, TopicPartition};

impl KafkaClient {
    /// One offset for each of `partitions`, in their order.
    pub async fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
    ) -> Result<Vec<ListedOffset>, ClientError> {
        let mut backoff = self.backoff();
        loop {
            let listed = self.list_once(partitions, at, self.left(&backoff)).await;
            let again = listed.as_ref().is_err_and(ClientError::is_retriable);
            if !again || !self.wait(&mut backoff).await {
                return listed;
            }
            let topics = partitions.iter().map(|one| one.topic.clone()).collect();
            self.metadata(Some(topics), false).await?;
        }
    }

    async fn list_once(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
        patience: std::time::Duration,
    ) -> Result<Vec<ListedOffset>, ClientError> {
        let mut by_leader: BTreeMap<String, Vec<&TopicPartition>> = BTreeMap::new();
        for partition in partitions {
            by_leader.entry(self.leader(partition).await?).or_default().push(partition);
        }
        let mut found = Vec::with_capacity(partitions.len());
        for (address, partitions) in by_leader {
            let request = ListOffsetsRequest {
                replica_id: -1,
                topics: topics(&partitions, at),
                timeout_ms: self.timeout_ms(),
                ..Default::default()
            };
            let response = self.ask_at(&address, &request, NEWEST, patience).await?;
            for topic in response.topics {
                for partition in topic.partitions {
                    let what =
                        || format!("offsets of {}-{}", topic.name, partition.partition_index);
                    accepted(partition.error_code, None, what)?;
                    found.push(ListedOffset {
                        topic: topic.name.clone(),
                        partition: partition.partition_index,
                        offset: partition.offset,
                        timestamp: partition.timestamp,
                    });
                }
            }
        }
        let place = |one: &ListedOffset| {
            partitions.iter().position(|at| at.topic == one.topic && at.partition == one.partition)
        };
        found.sort_by_key(place);
        Ok(found)
    }
}

fn topics(partitions: &[&TopicPartition], at: OffsetSpec) -> Vec<ListOffsetsTopic> {
    let timestamp = match at {
        OffsetSpec::Latest => -1,
        OffsetSpec::Earliest => -2,
        OffsetSpec::MaxTimestamp => -3,
        OffsetSpec::At(ms) => ms,
    };
    let mut by_topic: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for partition in partitions {
        by_topic.entry(&partition.topic).or_default().push(ListOffsetsPartition {
            partition_index: partition.partition,
            current_leader_epoch: -1,
            timestamp,
        });
    }
    let topic =
        |(name, partitions): (&str, _)| ListOffsetsTopic { name: name.to_owned(), partitions };
    by_topic.into_iter().map(topic).collect()
}
