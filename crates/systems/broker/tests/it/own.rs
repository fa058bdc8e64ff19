//! What only this broker promises: restarts, limits, and answers where Kafka has none.

use std::time::Duration;

use tidemill_broker::{Broker, Config, Durability, StartError};
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig,
};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records;
use tidemill_runtime::{ByteSize, Span, System, World};

use crate::commits::committed;
use crate::groups::{joining, stable, syncing};
use crate::harness::{Client, Target, batch, fetch_request, produce_request, sequenced};
use crate::transactions::{Producer, fetch_offset, offset_request, read_committed};

async fn own() -> (Target, Client) {
    let target = Target::own(Config::default()).await;
    let client = target.client().await;
    (target, client)
}

async fn restarted(target: Target) -> (Target, Client) {
    let target = Target::open(Config::default(), target.stop().await).await;
    let client = target.client().await;
    (target, client)
}

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart() {
    let (target, mut client) = own().await;
    let topic = client.create_topic(2, &[("retention.ms", "600000")]).await;
    let before = client.ask(MetadataRequest::default()).await;
    client.produce(&topic, batch(3)).await;
    let group = "group";
    let request = FindCoordinatorRequest { key: group.into(), ..Default::default() };
    assert_eq!(client.ask_in(2, request).await.error_code, ErrorCode::None);
    let commit = OffsetCommitRequest {
        group_id: "simple".into(),
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            name: topic.clone(),
            partitions: vec![offset_commit::OffsetCommitRequestPartition {
                committed_offset: 2,
                committed_metadata: Some("note".into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = client.ask_in(9, commit).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::None);
    let joined = stable(&mut client, group).await;

    let (_target, mut client) = restarted(target).await;
    let after = client.ask(MetadataRequest::default()).await;
    assert_eq!(after.cluster_id, before.cluster_id);
    let id = |response: &MetadataResponse| {
        let mut topics = response.topics.iter();
        topics.find(|t| t.name.as_deref() == Some(&topic)).map(|t| (t.topic_id, t.partitions.len()))
    };
    assert_eq!(id(&after), id(&before));
    let fetched = client.fetch(&topic, 0).await;
    assert_eq!(records::decode(&fetched.records.unwrap()).count(), 3);
    assert_eq!(client.produce(&topic, batch(1)).await.base_offset, 3);
    let found = committed(&mut client, "simple", &topic, &[0]).await;
    assert_eq!(found, [(2, Some("note".to_owned()))]);
    // The member goes on as if nothing had happened.
    let beat = HeartbeatRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        group_instance_id: None,
    };
    assert_eq!(client.ask(beat).await.error_code, ErrorCode::None);
    let synced = client.ask(syncing(&joined, group)).await;
    assert_eq!(synced.assignment, format!("for {}", joined.member_id));
}

#[tokio::test]
async fn a_batch_sent_again_after_a_restart_is_still_stored_once() {
    let (target, mut client) = own().await;
    let topic = client.create_topic(1, &[]).await;
    let first = client.ask(InitProducerIdRequest::default()).await.producer_id;
    for n in 0..3 {
        client.produce(&topic, sequenced(10, first, 0, n * 10)).await;
    }
    let (_target, mut client) = restarted(target).await;
    // Not only the last batch: a client repeats all it has no answer for.
    for n in 0..3 {
        let again = client.produce(&topic, sequenced(10, first, 0, n * 10)).await;
        assert_eq!((again.error_code, again.base_offset), (ErrorCode::None, (n * 10).into()));
    }
    assert_eq!(client.produce(&topic, sequenced(1, first, 0, 30)).await.base_offset, 30);
    let second = client.ask(InitProducerIdRequest::default()).await.producer_id;
    assert!(second > first, "an id is given out once");
}

#[tokio::test]
async fn a_deleted_topic_stays_deleted_and_its_name_is_free() {
    let (target, mut client) = own().await;
    let topic = client.create_topic(1, &[]).await;
    client.produce(&topic, batch(3)).await;
    let delete = DeleteTopicsRequest { topic_names: vec![topic.clone()], ..Default::default() };
    assert_eq!(client.ask_in(5, delete).await.responses[0].error_code, ErrorCode::None);
    let (target, mut client) = restarted(target).await;
    assert!(client.ask(MetadataRequest::default()).await.topics.is_empty());
    let new = create_topics::CreatableTopic {
        name: topic.clone(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let create = CreateTopicsRequest { topics: vec![new], ..Default::default() };
    assert_eq!(client.ask(create).await.topics[0].error_code, ErrorCode::None);
    assert_eq!(client.fetch(&topic, 0).await.high_watermark, 0);
    let dir = target.stop().await;
    let names: Vec<_> = std::fs::read_dir(dir.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.contains(&format!("{topic}-0")), "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with("-delete")), "{names:?}");
}

#[tokio::test]
async fn a_topic_that_is_deleted_wakes_who_waits_for_it() {
    let (target, mut client) = own().await;
    let topic = client.create_topic(1, &[]).await;
    let waiting = FetchRequest { max_wait_ms: 25_000, min_bytes: 1, ..fetch_request(&topic, 0) };
    client.send(12, &waiting).await;
    let mut other = target.client().await;
    let delete = DeleteTopicsRequest { topic_names: vec![topic.clone()], ..Default::default() };
    assert_eq!(other.ask_in(5, delete).await.responses[0].error_code, ErrorCode::None);
    let response = client.answer::<FetchRequest>(12).await;
    let code = response.responses[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UnknownTopicOrPartition);
}

#[tokio::test]
async fn who_waits_is_answered_when_the_broker_stops() {
    let (target, mut client) = own().await;
    let topic = client.create_topic(1, &[]).await;
    let (mut joiner, mut other) = (target.client().await, target.client().await);
    let waiting = FetchRequest { max_wait_ms: 25_000, min_bytes: 1, ..fetch_request(&topic, 0) };
    client.send(12, &waiting).await;
    stable(&mut other, "group").await;
    let refused = joiner.ask(joining("group", "")).await;
    joiner.send(9, &joining("group", &refused.member_id)).await;
    // Both are under way once a later request of another connection is answered.
    while other.ask(heartbeat_of("group")).await.error_code == ErrorCode::None {}
    let stopping = target.stop();
    let (_, fetched, joined) = tokio::join!(
        stopping,
        client.answer::<FetchRequest>(12),
        joiner.answer::<JoinGroupRequest>(9),
    );
    assert_eq!(fetched.responses[0].partitions[0].error_code, ErrorCode::None);
    assert_eq!(joined.error_code, ErrorCode::NotCoordinator);
    assert_eq!(client.frame().await, None);
}

fn heartbeat_of(group: &str) -> HeartbeatRequest {
    HeartbeatRequest { group_id: group.into(), generation_id: 1, ..Default::default() }
}

#[tokio::test]
async fn a_member_that_is_silent_is_removed() {
    let (_target, mut client) = own().await;
    let joined = stable(&mut client, "group").await;
    let request = JoinGroupRequest {
        session_timeout_ms: 50,
        rebalance_timeout_ms: 50,
        ..joining("group", &joined.member_id)
    };
    let joined = client.ask(request).await;
    assert_eq!(client.ask(syncing(&joined, "group")).await.error_code, ErrorCode::None);
    let request = DescribeGroupsRequest { groups: vec!["group".into()], ..Default::default() };
    while client.ask(request.clone()).await.groups[0].group_state != "Empty" {}
    let beat = HeartbeatRequest { member_id: joined.member_id, ..heartbeat_of("group") };
    assert_eq!(client.ask(beat).await.error_code, ErrorCode::UnknownMemberId);
}

/// Kafka 4.3.1 does not answer the first and stops its controller over the second.
#[tokio::test]
async fn what_kafka_itself_trips_over_is_refused() {
    let (_target, mut client) = own().await;
    let topic = client.create_topic(1, &[]).await;
    let refused = client.produce_in(12, &topic, None).await;
    assert_eq!(refused.error_code, ErrorCode::InvalidRecord);
    let change = AlterableConfig {
        name: "retention.ms".into(),
        config_operation: 9,
        value: Some("1".into()),
    };
    let resource =
        AlterConfigsResource { resource_type: 2, resource_name: topic, configs: vec![change] };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let response = client.ask(request).await;
    assert_eq!(response.responses[0].error_code, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_transaction_goes_on_after_a_restart() {
    let (target, mut client) = own().await;
    let topic = client.create_topic(1, &[]).await;
    let mut producer = Producer::begin(&mut client, "t").await;
    assert_eq!(producer.produce(&mut client, 12, &topic, &["0"]).await.0, ErrorCode::None);
    producer.finish(&mut client, false).await;
    assert_eq!(producer.produce(&mut client, 12, &topic, &["1"]).await.0, ErrorCode::None);
    let request = offset_request(&producer, "group", &topic, 7);
    let kept = client.ask_in(5, request).await;
    assert_eq!(kept.topics[0].partitions[0].error_code, ErrorCode::None);
    let (target, mut client) = restarted(target).await;
    let unstable = fetch_offset(&mut client, "group", &topic, true).await;
    assert_eq!(unstable, (ErrorCode::UnstableOffsetCommit, -1));
    assert!(read_committed(&mut client, &topic).await.is_empty());
    assert_eq!(producer.produce(&mut client, 12, &topic, &["2"]).await.0, ErrorCode::None);
    producer.finish(&mut client, true).await;
    assert_eq!(read_committed(&mut client, &topic).await, ["1", "2"]);
    let found = (ErrorCode::None, 7);
    assert_eq!(fetch_offset(&mut client, "group", &topic, true).await, found);
    let (_target, mut client) = restarted(target).await;
    assert_eq!(fetch_offset(&mut client, "group", &topic, true).await, found);
    assert_eq!(read_committed(&mut client, &topic).await, ["1", "2"]);
}

#[tokio::test]
async fn requests_connections_and_partitions_have_limits() {
    let config = Config {
        socket_request_max_bytes: ByteSize(1000),
        max_connections: 2,
        partitions_max: 3,
        ..Config::default()
    };
    let target = Target::own(config).await;
    let mut client = target.client().await;
    let topic = client.create_topic(2, &[]).await;
    let two_more = create_topics::CreatableTopic {
        name: "more".into(),
        num_partitions: 2,
        replication_factor: 1,
        ..Default::default()
    };
    let create = CreateTopicsRequest { topics: vec![two_more], ..Default::default() };
    let code = client.ask(create).await.topics[0].error_code;
    assert_eq!(code, ErrorCode::PolicyViolation);

    let mut second = target.client().await;
    second.ask(MetadataRequest::default()).await;
    let mut third = target.client().await;
    assert_eq!(third.frame().await, None, "one connection too many");
    second.send(12, &produce_request(&topic, Some(batch(200)))).await;
    assert_eq!(second.frame().await, None, "a request too large");
    client.ask(MetadataRequest::default()).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let config = Config { connections_max_idle: Span::ms(50), ..Config::default() };
    let target = Target::own(config).await;
    let mut client = target.client().await;
    assert_eq!(client.frame().await, None);
    let mut half = target.client().await;
    half.write(&[0, 0, 1]).await;
    assert_eq!(half.frame().await, None);
    let mut gone = target.client().await;
    gone.finish().await;
    assert_eq!(gone.frame().await, None);
}

#[tokio::test]
async fn a_directory_is_used_by_one_broker() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
    let start = || Broker::start(config.clone(), dir.path().to_owned(), World::real());
    let first = start().await.unwrap();
    assert!(matches!(start().await, Err(StartError::InUse { .. })));
    first.drain(Duration::from_secs(10)).await;
    drop(first);
    start().await.unwrap();
}

#[tokio::test]
async fn the_page_cache_acknowledges_too() {
    let config = Config { durability: Durability::PageCache, ..Config::default() };
    let target = Target::own(config.clone()).await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    for n in 0..10 {
        assert_eq!(client.produce(&topic, batch(5)).await.base_offset, n * 5);
    }
    stable(&mut client, "group").await;
    let target = Target::open(config, target.stop().await).await;
    let mut client = target.client().await;
    assert_eq!(client.fetch(&topic, 0).await.high_watermark, 50);
}
