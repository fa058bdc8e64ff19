//! Offsets by time, of the ends, of epochs; and records that are deleted.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records::{BatchBuilder, Compression};

use crate::harness::{Client, Target, batch, fresh, now_ms};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

async fn list_in(
    client: &mut Client,
    version: i16,
    topic: &str,
    timestamp: i64,
) -> (ErrorCode, i64, i64) {
    let partition = ListOffsetsPartition { timestamp, ..Default::default() };
    let asked = ListOffsetsTopic { name: topic.to_owned(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![asked], ..Default::default() };
    let response = client.ask_in(version, request).await;
    let found = &response.topics[0].partitions[0];
    (found.error_code, found.offset, found.timestamp)
}

async fn list(client: &mut Client, topic: &str, timestamp: i64) -> (ErrorCode, i64, i64) {
    list_in(client, 11, topic, timestamp).await
}

/// Three batches of four records; the times run 0, 10, 20, … behind `begin`.
async fn timed(client: &mut Client, codec: Compression, begin: i64) -> String {
    let topic = client.create_topic(1, &[]).await;
    for first in [0, 4, 8] {
        let mut builder = BatchBuilder::new(codec);
        (first..first + 4).for_each(|n| builder.push(begin + n * 10, None, Some(b"v"), &[]));
        client.produce(&topic, builder.build()).await;
    }
    topic
}

#[tokio::test]
async fn a_time_finds_the_first_record_at_or_after_it() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let begin = now_ms() - 100_000;
    for codec in Compression::ALL {
        let topic = timed(&mut client, codec, begin).await;
        for (at, offset) in [(-50, 0), (0, 0), (1, 1), (10, 1), (35, 4), (70, 7), (110, 11)] {
            let found = list(&mut client, &topic, begin + at).await;
            assert_eq!(found, (ErrorCode::None, offset, begin + offset * 10), "{codec} {at}");
        }
        assert_eq!(list(&mut client, &topic, begin + 111).await, (ErrorCode::None, -1, -1));
    }
}

#[tokio::test]
async fn a_time_is_found_where_times_run_backwards() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let begin = now_ms() - 100_000;
    for codec in [Compression::None, Compression::Zstd] {
        let topic = client.create_topic(1, &[]).await;
        for times in [[50, 10], [40, 90], [20, 60]] {
            let mut builder = BatchBuilder::new(codec);
            times.iter().for_each(|at| builder.push(begin + at, None, Some(b"v"), &[]));
            client.produce(&topic, builder.build()).await;
        }
        for (at, offset, time) in [(0, 0, 50), (51, 3, 90), (90, 3, 90)] {
            let found = list(&mut client, &topic, begin + at).await;
            assert_eq!(found, (ErrorCode::None, offset, begin + time), "{codec} {at}");
        }
        let largest = list(&mut client, &topic, MAX_TIMESTAMP).await;
        assert_eq!(largest, (ErrorCode::None, 3, begin + 90), "{codec}");
    }
}

#[tokio::test]
async fn the_largest_time_is_that_of_its_first_record() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let time = now_ms() - 1000;
    for codec in Compression::ALL {
        let topic = client.create_topic(1, &[]).await;
        assert_eq!(list(&mut client, &topic, MAX_TIMESTAMP).await, (ErrorCode::None, -1, -1));
        for _ in 0..2 {
            let mut builder = BatchBuilder::new(codec);
            [0, 7, 7, 3].iter().for_each(|at| builder.push(time + at, None, Some(b"v"), &[]));
            client.produce(&topic, builder.build()).await;
        }
        let found = list(&mut client, &topic, MAX_TIMESTAMP).await;
        assert_eq!(found, (ErrorCode::None, 1, time + 7), "{codec}");
    }
}

#[tokio::test]
async fn the_ends_are_told_in_every_version() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    client.produce(&topic, batch(7)).await;
    for version in 1..=11 {
        let latest = list_in(&mut client, version, &topic, LATEST).await;
        assert_eq!(latest, (ErrorCode::None, 7, -1));
        let earliest = list_in(&mut client, version, &topic, EARLIEST).await;
        assert_eq!(earliest, (ErrorCode::None, 0, -1));
    }
    let local = list(&mut client, &topic, -4).await;
    assert_eq!(local, (ErrorCode::None, 0, -1));
    let tiered = list(&mut client, &topic, -5).await;
    assert_eq!(tiered, (ErrorCode::None, -1, -1));
    let unknown = list(&mut client, &fresh("unknown"), LATEST).await;
    assert_eq!(unknown, (ErrorCode::UnknownTopicOrPartition, -1, -1));
}

#[tokio::test]
async fn a_partition_asked_for_twice_is_an_invalid_request() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    let partition = ListOffsetsPartition { timestamp: LATEST, ..Default::default() };
    let asked = ListOffsetsTopic { name: topic, partitions: vec![partition.clone(), partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![asked], ..Default::default() };
    let response = client.ask(request).await;
    let codes: Vec<_> = response.topics.iter().flat_map(|t| &t.partitions).collect();
    assert!(codes.iter().all(|p| p.error_code == ErrorCode::InvalidRequest), "{codes:?}");
}

async fn delete_records(client: &mut Client, topic: &str, offset: i64) -> (ErrorCode, i64) {
    let partition = delete_records::DeleteRecordsPartition { partition_index: 0, offset };
    let asked =
        delete_records::DeleteRecordsTopic { name: topic.to_owned(), partitions: vec![partition] };
    let request = DeleteRecordsRequest { topics: vec![asked], timeout_ms: 5000 };
    let response = client.ask(request).await;
    let result = &response.topics[0].partitions[0];
    (result.error_code, result.low_watermark)
}

#[tokio::test]
async fn deleted_records_are_gone_and_the_log_begins_behind_them() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    for _ in 0..3 {
        client.produce(&topic, batch(4)).await;
    }
    assert_eq!(delete_records(&mut client, &topic, 6).await, (ErrorCode::None, 6));
    assert_eq!(list(&mut client, &topic, EARLIEST).await, (ErrorCode::None, 6, -1));
    assert_eq!(client.fetch(&topic, 5).await.error_code, ErrorCode::OffsetOutOfRange);
    assert_eq!(client.fetch(&topic, 6).await.log_start_offset, 6);
    // It never comes back.
    assert_eq!(delete_records(&mut client, &topic, 2).await, (ErrorCode::None, 6));
    let beyond = delete_records(&mut client, &topic, 13).await;
    assert_eq!(beyond, (ErrorCode::OffsetOutOfRange, -1));
    assert_eq!(delete_records(&mut client, &topic, -1).await, (ErrorCode::None, 12));
    let unknown = delete_records(&mut client, &fresh("unknown"), 0).await;
    assert_eq!(unknown, (ErrorCode::UnknownTopicOrPartition, -1));
    let compacted = client.create_topic(1, &[("cleanup.policy", "compact")]).await;
    let kept = delete_records(&mut client, &compacted, 0).await;
    assert_eq!(kept, (ErrorCode::PolicyViolation, -1));
}

#[tokio::test]
async fn an_epoch_ends_where_the_log_ends() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    client.produce(&topic, batch(7)).await;
    for (current_leader_epoch, leader_epoch, expected) in [
        (-1, 0, (ErrorCode::None, 0, 7)),
        (0, 0, (ErrorCode::None, 0, 7)),
        (-1, 5, (ErrorCode::None, -1, -1)),
        (9, 0, (ErrorCode::UnknownLeaderEpoch, -1, -1)),
    ] {
        let partition = offset_for_leader_epoch::OffsetForLeaderPartition {
            partition: 0,
            current_leader_epoch,
            leader_epoch,
        };
        let asked = offset_for_leader_epoch::OffsetForLeaderTopic {
            topic: topic.clone(),
            partitions: vec![partition],
        };
        let request = OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![asked] };
        let response = client.ask(request).await;
        let end = &response.topics[0].partitions[0];
        assert_eq!((end.error_code, end.leader_epoch, end.end_offset), expected);
    }
}
