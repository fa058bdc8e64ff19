//! What groups commit, read back and delete.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::leave_group::MemberIdentity;
use tidemill_kafka_wire::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use tidemill_kafka_wire::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use tidemill_kafka_wire::messages::*;

use crate::groups::{describe, stable, with_group};
use crate::harness::{Client, fresh};

pub(crate) fn commit_request(
    group: &str,
    topic: &str,
    partitions: &[(i32, i64, Option<&str>)],
) -> OffsetCommitRequest {
    let each = partitions.iter().map(|(partition_index, committed_offset, note)| {
        OffsetCommitRequestPartition {
            partition_index: *partition_index,
            committed_offset: *committed_offset,
            committed_metadata: note.map(str::to_owned),
            ..Default::default()
        }
    });
    OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.to_owned(),
            partitions: each.collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

async fn commit(client: &mut Client, request: OffsetCommitRequest) -> Vec<ErrorCode> {
    let response = client.ask_in(9, request).await;
    response.topics.iter().flat_map(|t| t.partitions.iter().map(|p| p.error_code)).collect()
}

/// Offset and note per partition.
pub(crate) async fn committed(
    client: &mut Client,
    group: &str,
    topic: &str,
    partitions: &[i32],
) -> Vec<(i64, Option<String>)> {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            topics: Some(vec![OffsetFetchRequestTopics {
                name: topic.to_owned(),
                partition_indexes: partitions.to_vec(),
                ..Default::default()
            }]),
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = client.ask_in(9, request).await;
    assert_eq!(response.groups[0].error_code, ErrorCode::None);
    let found = &response.groups[0].topics[0].partitions;
    found.iter().map(|p| (p.committed_offset, p.metadata.clone())).collect()
}

#[tokio::test]
async fn a_simple_consumer_commits_and_reads_back_its_note() {
    let (_target, mut client, group) = with_group().await;
    let topic = client.create_topic(3, &[]).await;
    let none = (-1, Some(String::new()));
    assert_eq!(committed(&mut client, &group, &topic, &[0]).await, std::slice::from_ref(&none));
    let note = "as far as here";
    let request = commit_request(&group, &topic, &[(0, 5, Some(note)), (2, 7, None)]);
    assert_eq!(commit(&mut client, request).await, [ErrorCode::None; 2]);
    let found = committed(&mut client, &group, &topic, &[0, 1, 2]).await;
    assert_eq!(found, [(5, Some(note.to_owned())), none, (7, Some(String::new()))]);
    let described = describe(&mut client, &group).await;
    assert_eq!((described.group_state.as_str(), described.protocol_type.as_str()), ("Empty", ""));
}

#[tokio::test]
async fn offsets_are_kept_in_every_version() {
    let (_target, mut client, group) = with_group().await;
    let topic = client.create_topic(1, &[]).await;
    let about = metadata::MetadataRequestTopic { name: Some(topic.clone()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![about]), ..Default::default() };
    let topic_id = client.ask(request).await.topics[0].topic_id;
    for version in 2..=10 {
        let mut request = commit_request(&group, &topic, &[(0, version.into(), Some("note"))]);
        request.topics[0].topic_id = topic_id;
        let response = client.ask_in(version, request).await;
        assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::None, "v{version}");
        let found = committed(&mut client, &group, &topic, &[0]).await;
        assert_eq!(found, [(version.into(), Some("note".to_owned()))]);
    }
    for version in 1..=10 {
        let request = OffsetFetchRequest {
            group_id: group.clone(),
            topics: Some(vec![OffsetFetchRequestTopic {
                name: topic.clone(),
                partition_indexes: vec![0],
            }]),
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.clone(),
                topics: Some(vec![OffsetFetchRequestTopics {
                    name: topic.clone(),
                    topic_id,
                    partition_indexes: vec![0],
                }]),
                ..Default::default()
            }],
            require_stable: true,
        };
        let response = client.ask_in(version, request.clone()).await;
        let offset = match version {
            ..8 => response.topics[0].partitions[0].committed_offset,
            _ => response.groups[0].topics[0].partitions[0].committed_offset,
        };
        assert_eq!(offset, 10, "v{version}");
        if version >= 2 {
            let mut all = OffsetFetchRequest { topics: None, ..request };
            all.groups[0].topics = None;
            let response = client.ask_in(version, all).await;
            let count = match version {
                ..8 => response.topics.len(),
                _ => response.groups[0].topics.len(),
            };
            assert_eq!(count, 1, "v{version}");
        }
    }
}

#[tokio::test]
async fn a_commit_is_judged_by_member_generation_and_partition() {
    let (_target, mut client, group) = with_group().await;
    let topic = client.create_topic(1, &[]).await;
    let unknown = fresh("unknown");
    let plain = |topic: &str| commit_request(&group, topic, &[(0, 1, None)]);
    let joined = stable(&mut client, &group).await;
    let by = |member_id: &str, generation| OffsetCommitRequest {
        generation_id_or_member_epoch: generation,
        member_id: member_id.to_owned(),
        ..plain(&topic)
    };
    let new_group = OffsetCommitRequest { group_id: fresh("g"), ..by("nobody", 3) };
    for (what, request, expected) in [
        ("in order", by(&joined.member_id, 1), ErrorCode::None),
        ("old generation", by(&joined.member_id, 0), ErrorCode::IllegalGeneration),
        ("unknown member", by("nobody", 1), ErrorCode::UnknownMemberId),
        ("by hand while others work", plain(&topic), ErrorCode::UnknownMemberId),
        ("a generation of no group", new_group.clone(), ErrorCode::GroupIdNotFound),
    ] {
        assert_eq!(commit(&mut client, request).await, [expected], "{what}");
    }
    let before = client.ask_in(8, new_group).await;
    assert_eq!(before.topics[0].partitions[0].error_code, ErrorCode::IllegalGeneration);
    let simple = fresh("g");
    let long = "x".repeat(4097);
    let mut request = commit_request(&simple, &topic, &[(0, 1, Some(&long)), (9, 1, None)]);
    request.topics.extend(plain(&unknown).topics);
    let missing = ErrorCode::UnknownTopicOrPartition;
    let mut codes = commit(&mut client, request).await;
    codes.sort_by_key(|code| code.code());
    assert_eq!(codes, [missing, missing, ErrorCode::OffsetMetadataTooLarge]);
    let found = committed(&mut client, &simple, &topic, &[0]).await;
    assert_eq!(found[0].0, -1);
}

#[tokio::test]
async fn a_group_is_deleted_when_nobody_is_in_it() {
    let (_target, mut client, group) = with_group().await;
    let topic = client.create_topic(1, &[]).await;
    let joined = stable(&mut client, &group).await;
    let delete = DeleteGroupsRequest { groups_names: vec![group.clone(), fresh("unknown")] };
    let codes = |response: DeleteGroupsResponse| {
        let mut codes: Vec<_> = response.results.iter().map(|r| r.error_code.code()).collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(codes(client.ask(delete.clone()).await), [68, 69]);
    let members =
        vec![MemberIdentity { member_id: joined.member_id.clone(), ..Default::default() }];
    let leave = LeaveGroupRequest { group_id: group.clone(), members, ..Default::default() };
    client.ask(leave).await;
    let request = commit_request(&group, &topic, &[(0, 5, None)]);
    assert_eq!(commit(&mut client, request).await, [ErrorCode::None]);
    assert_eq!(codes(client.ask(delete.clone()).await), [0, 69]);
    assert_eq!(committed(&mut client, &group, &topic, &[0]).await[0].0, -1);
    assert_eq!(codes(client.ask(delete).await), [69, 69]);
}

#[tokio::test]
async fn offsets_of_a_topic_nobody_reads_are_deleted() {
    let (_target, mut client, group) = with_group().await;
    let topic = client.create_topic(2, &[]).await;
    let request = |group: &str, topic: &str, index| OffsetDeleteRequest {
        group_id: group.to_owned(),
        topics: vec![offset_delete::OffsetDeleteRequestTopic {
            name: topic.to_owned(),
            partitions: vec![offset_delete::OffsetDeleteRequestPartition {
                partition_index: index,
            }],
        }],
    };
    let unknown = client.ask(request(&group, &topic, 0)).await;
    assert_eq!(unknown.error_code, ErrorCode::GroupIdNotFound);
    let commits = commit_request(&group, &topic, &[(0, 5, None), (1, 6, None)]);
    assert_eq!(commit(&mut client, commits).await, [ErrorCode::None; 2]);
    let deleted = client.ask(request(&group, &topic, 0)).await;
    assert_eq!(deleted.error_code, ErrorCode::None);
    assert_eq!(deleted.topics[0].partitions[0].error_code, ErrorCode::None);
    let found = committed(&mut client, &group, &topic, &[0, 1]).await;
    assert_eq!((found[0].0, found[1].0), (-1, 6));
    let missing = client.ask(request(&group, &fresh("unknown"), 0)).await;
    let code = missing.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UnknownTopicOrPartition);
}

#[tokio::test]
async fn offsets_go_with_their_topic() {
    let (_target, mut client, group) = with_group().await;
    let topic = client.create_topic(1, &[]).await;
    let request = commit_request(&group, &topic, &[(0, 5, None)]);
    assert_eq!(commit(&mut client, request).await, [ErrorCode::None]);
    let delete = DeleteTopicsRequest {
        topic_names: vec![topic.clone()],
        timeout_ms: 5000,
        ..Default::default()
    };
    assert_eq!(client.ask_in(5, delete).await.responses[0].error_code, ErrorCode::None);
    // Other brokers take a moment.
    while committed(&mut client, &group, &topic, &[0]).await[0].0 != -1 {}
}
