//! Consumer groups, seen from outside: their offsets, their members.

use std::collections::BTreeMap;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::consumer_protocol::{self, Assignment};
use tidemill_kafka_wire::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use tidemill_kafka_wire::messages::offset_fetch::OffsetFetchRequestGroup;
use tidemill_kafka_wire::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest, OffsetCommitRequest,
    OffsetFetchRequest,
};

use crate::client::NEWEST;
use crate::error::accepted;
use crate::types::{CommitOffset, CommittedOffset, GroupDescription, GroupListing, GroupMember};
use crate::{ClientError, KafkaClient, TopicPartition};

/// The last versions that name topics; later ones give their ids.
const OFFSETS_VERSION_MAX: i16 = 9;

impl KafkaClient {
    /// Keeps offsets for a group without being its member: possible while it has none.
    pub async fn commit_offsets(
        &self,
        group: &str,
        offsets: &[CommitOffset],
    ) -> Result<(), ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for one in offsets {
            topics.entry(&one.topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: one.partition,
                committed_offset: one.offset,
                committed_leader_epoch: -1,
                committed_metadata: Some(one.metadata.clone()),
            });
        }
        let topic = |(name, partitions): (&str, _)| OffsetCommitRequestTopic {
            name: name.to_owned(),
            partitions,
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: group.to_owned(),
            topics: topics.into_iter().map(topic).collect(),
            ..Default::default()
        };
        let first_code =
            |response: &<OffsetCommitRequest as tidemill_kafka_wire::Request>::Response| {
                let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
                partitions.map(|one| one.error_code).next().unwrap_or(ErrorCode::None)
            };
        let response =
            self.ask_coordinator(group, &request, OFFSETS_VERSION_MAX, first_code).await?;
        for topic in response.topics {
            for partition in topic.partitions {
                accepted(partition.error_code, None, || {
                    format!(
                        "committing {}-{} for group {group}",
                        topic.name, partition.partition_index
                    )
                })?;
            }
        }
        Ok(())
    }

    /// All offsets a group keeps.
    pub async fn committed_offsets(
        &self,
        group: &str,
    ) -> Result<Vec<CommittedOffset>, ClientError> {
        let request = OffsetFetchRequest {
            group_id: group.to_owned(),
            topics: None,
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.to_owned(),
                topics: None,
                ..Default::default()
            }],
            require_stable: false,
        };
        let code = |response: &<OffsetFetchRequest as tidemill_kafka_wire::Request>::Response| {
            response.groups.first().map_or(response.error_code, |group| group.error_code)
        };
        let response = self.ask_coordinator(group, &request, OFFSETS_VERSION_MAX, code).await?;
        accepted(code(&response), None, || format!("the offsets of group {group}"))?;
        let mut committed = Vec::new();
        for topic in response.topics {
            for one in topic.partitions {
                committed.push((
                    topic.name.clone(),
                    one.partition_index,
                    one.committed_offset,
                    one.metadata,
                ));
            }
        }
        for topic in response.groups.into_iter().flat_map(|group| group.topics) {
            for one in topic.partitions {
                committed.push((
                    topic.name.clone(),
                    one.partition_index,
                    one.committed_offset,
                    one.metadata,
                ));
            }
        }
        let kept = committed.into_iter().filter(|(_, _, offset, _)| *offset >= 0);
        Ok(kept
            .map(|(topic, partition, offset, metadata)| CommittedOffset {
                topic,
                partition,
                offset,
                metadata: metadata.unwrap_or_default(),
            })
            .collect())
    }

    /// All groups, of all brokers.
    pub async fn list_groups(&self) -> Result<Vec<GroupListing>, ClientError> {
        let mut groups = Vec::new();
        for broker in self.cluster().await?.brokers {
            let request = ListGroupsRequest::default();
            let patience = self.inner.config.request_timeout;
            let response = self.ask_at(&broker.address, &request, NEWEST, patience).await?;
            accepted(response.error_code, None, || format!("the groups of {}", broker.address))?;
            groups.extend(response.groups.into_iter().map(|group| GroupListing {
                group_id: group.group_id,
                protocol_type: group.protocol_type,
                state: group.group_state,
            }));
        }
        groups.sort_unstable_by(|a, b| a.group_id.cmp(&b.group_id));
        Ok(groups)
    }

    /// A group with its members. One that does not exist is `Dead`.
    pub async fn describe_group(&self, group: &str) -> Result<GroupDescription, ClientError> {
        let request =
            DescribeGroupsRequest { groups: vec![group.to_owned()], ..Default::default() };
        let code =
            |response: &<DescribeGroupsRequest as tidemill_kafka_wire::Request>::Response| {
                response.groups.first().map_or(ErrorCode::None, |group| group.error_code)
            };
        let response = self.ask_coordinator(group, &request, NEWEST, code).await?;
        let Some(described) = response.groups.into_iter().next() else {
            return Ok(GroupDescription {
                group_id: group.to_owned(),
                state: "Dead".to_owned(),
                protocol_type: String::new(),
                protocol: String::new(),
                members: Vec::new(),
            });
        };
        // From v6 a group that does not exist is an error; it is `Dead` all the same.
        if described.error_code != ErrorCode::GroupIdNotFound {
            let message = described.error_message.as_deref();
            accepted(described.error_code, message, || format!("group {group}"))?;
        }
        let members = described.members.into_iter().map(|member| GroupMember {
            member_id: member.member_id,
            client_id: member.client_id,
            client_host: member.client_host,
            assignment: member.member_assignment,
        });
        Ok(GroupDescription {
            group_id: described.group_id,
            state: described.group_state,
            protocol_type: described.protocol_type,
            protocol: described.protocol_data,
            members: members.collect(),
        })
    }

    /// Deletes a group without members and its offsets.
    pub async fn delete_group(&self, group: &str) -> Result<(), ClientError> {
        let request = DeleteGroupsRequest { groups_names: vec![group.to_owned()] };
        let code = |response: &<DeleteGroupsRequest as tidemill_kafka_wire::Request>::Response| {
            response.results.first().map_or(ErrorCode::None, |result| result.error_code)
        };
        let response = self.ask_coordinator(group, &request, NEWEST, code).await?;
        accepted(code(&response), None, || format!("deleting group {group}"))
    }
}

impl GroupMember {
    /// What a member of a consumer group reads; empty if it speaks another protocol.
    pub fn assigned(&self) -> Vec<TopicPartition> {
        if self.assignment.is_empty() {
            return Vec::new();
        }
        let assignment: Assignment = match consumer_protocol::decode(self.assignment.clone()) {
            Ok(assignment) => assignment,
            Err(error) => {
                tracing::debug!(%error, member = self.member_id, "an assignment of another protocol");
                return Vec::new();
            }
        };
        assignment
            .assigned_partitions
            .into_iter()
            .flat_map(|topic| {
                let name = topic.topic;
                topic
                    .partitions
                    .into_iter()
                    .map(move |number| TopicPartition::new(name.clone(), number))
            })
            .collect()
    }
}
