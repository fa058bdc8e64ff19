//! What is read, how much of it, and when the answer comes.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::fetch::FetchPartition;
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records::{self, Compression};
use uuid::Uuid;

use crate::harness::{Client, Target, batch, fetch_request, fresh, now_ms, packed};

async fn with_batches(sizes: &[usize]) -> (Target, Client, String) {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    for size in sizes {
        client.produce(&topic, batch(*size)).await;
    }
    (target, client, topic)
}

fn offsets(data: &fetch::PartitionData) -> Vec<i64> {
    let records = records::decode(data.records.as_ref().unwrap());
    records.map(|record| record.unwrap().offset).collect()
}

#[tokio::test]
async fn an_offset_inside_a_batch_gives_the_whole_batch() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    client.produce(&topic, batch(5)).await;
    client.produce(&topic, packed(5, Compression::Lz4)).await;
    for (offset, first) in [(0, 0), (3, 0), (4, 0), (5, 5), (9, 5)] {
        let data = client.fetch(&topic, offset).await;
        assert_eq!(offsets(&data), (first..10).collect::<Vec<_>>(), "from {offset}");
        assert_eq!((data.high_watermark, data.last_stable_offset), (10, 10));
        assert_eq!(data.log_start_offset, 0);
    }
    assert!(offsets(&client.fetch(&topic, 10).await).is_empty());
}

#[tokio::test]
async fn an_offset_outside_the_log_is_out_of_range() {
    let (_target, mut client, topic) = with_batches(&[3]).await;
    for offset in [4, 1000, -1] {
        let data = client.fetch(&topic, offset).await;
        assert_eq!(data.error_code, ErrorCode::OffsetOutOfRange, "{offset}");
        assert_eq!(data.high_watermark, -1);
    }
}

#[tokio::test]
async fn the_first_batch_is_whole_however_small_the_limits() {
    let (_target, mut client, topic) = with_batches(&[100, 100, 100]).await;
    for (max_bytes, partition_max_bytes, expected) in
        [(1, 1 << 20, 100), (1 << 20, 1, 100), (1 << 20, 1 << 20, 300), (0, 0, 100)]
    {
        let mut request = FetchRequest { max_bytes, ..fetch_request(&topic, 0) };
        request.topics[0].partitions[0].partition_max_bytes = partition_max_bytes;
        let response = client.ask_in(12, request).await;
        let count = offsets(&response.responses[0].partitions[0]).len();
        assert_eq!(count, expected, "{max_bytes} {partition_max_bytes}");
    }
}

#[tokio::test]
async fn only_the_first_partition_exceeds_the_limit() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let (one, two) = (client.create_topic(1, &[]).await, client.create_topic(1, &[]).await);
    client.produce(&one, batch(100)).await;
    client.produce(&two, batch(100)).await;
    let mut request = FetchRequest { max_bytes: 1, ..fetch_request(&one, 0) };
    request.topics.extend(fetch_request(&two, 0).topics);
    let response = client.ask_in(12, request).await;
    let counts: Vec<_> =
        response.responses.iter().map(|topic| offsets(&topic.partitions[0]).len()).collect();
    assert_eq!(counts, [100, 0]);
}

#[tokio::test]
async fn a_fetch_waits_until_there_is_something() {
    let (target, mut client, topic) = with_batches(&[]).await;
    let mut producer = target.client().await;
    let request = FetchRequest { max_wait_ms: 20_000, min_bytes: 1, ..fetch_request(&topic, 0) };
    client.send(12, &request).await;
    producer.produce(&topic, batch(2)).await;
    let response = client.answer::<FetchRequest>(12).await;
    assert_eq!(offsets(&response.responses[0].partitions[0]), [0, 1]);
}

#[tokio::test]
async fn a_fetch_waits_until_there_is_enough() {
    let (target, mut client, topic) = with_batches(&[1]).await;
    let mut producer = target.client().await;
    let request = FetchRequest { max_wait_ms: 20_000, min_bytes: 200, ..fetch_request(&topic, 0) };
    client.send(12, &request).await;
    // One record is a batch of about 70 bytes.
    for _ in 0..2 {
        producer.produce(&topic, batch(1)).await;
    }
    let response = client.answer::<FetchRequest>(12).await;
    assert_eq!(offsets(&response.responses[0].partitions[0]), [0, 1, 2]);
}

#[tokio::test]
async fn a_fetch_that_waits_in_vain_is_answered_in_time() {
    let (_target, mut client, topic) = with_batches(&[1]).await;
    let request = FetchRequest { max_wait_ms: 50, min_bytes: 1 << 20, ..fetch_request(&topic, 0) };
    let begin = now_ms();
    let response = client.ask_in(12, request).await;
    assert!(now_ms() - begin >= 45);
    assert_eq!(offsets(&response.responses[0].partitions[0]), [0]);
}

#[tokio::test]
async fn a_partition_in_error_is_answered_at_once() {
    let (_target, mut client, topic) = with_batches(&[]).await;
    let mut request =
        FetchRequest { max_wait_ms: 20_000, min_bytes: 1, ..fetch_request(&topic, 0) };
    request.topics.extend(fetch_request(&fresh("unknown"), 0).topics);
    let response = client.ask_in(12, request).await;
    let codes: Vec<_> = response.responses.iter().map(|t| t.partitions[0].error_code).collect();
    assert!(codes.contains(&ErrorCode::UnknownTopicOrPartition), "{codes:?}");
}

#[tokio::test]
async fn the_epoch_a_client_believes_in_is_checked() {
    let (_target, mut client, topic) = with_batches(&[1]).await;
    let mut codes = Vec::new();
    for epoch in [-1, 0, 7] {
        let mut request = fetch_request(&topic, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        let response = client.ask_in(12, request).await;
        codes.push(response.responses[0].partitions[0].error_code);
    }
    assert_eq!(codes, [ErrorCode::None, ErrorCode::None, ErrorCode::UnknownLeaderEpoch]);
}

#[tokio::test]
async fn a_session_that_never_was_is_not_found() {
    let (_target, mut client, topic) = with_batches(&[1]).await;
    let request = FetchRequest { session_id: 4711, session_epoch: 3, ..fetch_request(&topic, 0) };
    let response = client.ask_in(12, request).await;
    assert_eq!(response.error_code, ErrorCode::FetchSessionIdNotFound);
    assert!(response.responses.is_empty());
}

#[tokio::test]
async fn a_full_fetch_is_answered_with_or_without_a_session() {
    let (_target, mut client, topic) = with_batches(&[1]).await;
    for session_epoch in [0, -1] {
        let request = FetchRequest { session_epoch, ..fetch_request(&topic, 0) };
        let response = client.ask_in(12, request).await;
        assert_eq!(response.error_code, ErrorCode::None);
        assert_eq!(offsets(&response.responses[0].partitions[0]), [0]);
    }
}

#[tokio::test]
async fn every_version_reads_the_same() {
    let (_target, mut client, topic) = with_batches(&[3]).await;
    let asked = metadata::MetadataRequestTopic { name: Some(topic.clone()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
    let topic_id = client.ask(request).await.topics[0].topic_id;
    for version in 4..=18 {
        let mut request = fetch_request(&topic, 1);
        request.topics[0].topic_id = topic_id;
        request.isolation_level = (version % 2).try_into().unwrap();
        let response = client.ask_in(version, request).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!(offsets(partition), [0, 1, 2], "v{version}");
        let aborted = partition.aborted_transactions.as_ref();
        assert_eq!(aborted.map(Vec::len), (version % 2 == 1).then_some(0), "v{version}");
    }
    let mut request = fetch_request(&topic, 0);
    request.topics[0].topic_id = Uuid::from_u128(9 << 64);
    let response = client.ask_in(18, request).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::UnknownTopicId);
}

#[tokio::test]
async fn a_topic_made_again_is_another_topic() {
    let (_target, mut client, topic) = with_batches(&[3]).await;
    let id = |response: MetadataResponse| response.topics[0].topic_id;
    let asked = metadata::MetadataRequestTopic { name: Some(topic.clone()), ..Default::default() };
    let about = MetadataRequest {
        topics: Some(vec![asked]),
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let old_id = id(client.ask(about.clone()).await);
    let delete = DeleteTopicsRequest {
        topic_names: vec![topic.clone()],
        timeout_ms: 5000,
        ..Default::default()
    };
    assert_eq!(client.ask_in(5, delete).await.responses[0].error_code, ErrorCode::None);
    while client.ask(about.clone()).await.topics[0].error_code.is_none() {}
    let new = create_topics::CreatableTopic {
        name: topic.clone(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let create = CreateTopicsRequest { topics: vec![new], ..Default::default() };
    assert_eq!(client.ask(create).await.topics[0].error_code, ErrorCode::None);
    while !client.ask(about.clone()).await.topics[0].error_code.is_none() {}
    let new_id = id(client.ask(about).await);
    assert_ne!(old_id, new_id);
    let mut request = fetch_request(&topic, 0);
    request.topics[0].topic_id = old_id;
    let response = client.ask_in(18, request).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::UnknownTopicId);
    assert!(offsets(&client.fetch(&topic, 0).await).is_empty());
}

#[tokio::test]
async fn partitions_are_answered_in_the_order_asked() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(4, &[]).await;
    let mut request = fetch_request(&topic, 0);
    request.topics[0].partitions = [3, 1, 0]
        .into_iter()
        .map(|partition| FetchPartition {
            partition,
            partition_max_bytes: 100,
            ..Default::default()
        })
        .collect();
    let response = client.ask_in(12, request).await;
    let order: Vec<_> =
        response.responses[0].partitions.iter().map(|p| p.partition_index).collect();
    assert_eq!(order, [3, 1, 0]);
}
