//! What is appended and what is refused.

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::produce::{PartitionProduceData, TopicProduceData};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression, Header};
use uuid::Uuid;

use crate::harness::{
    Client, Target, batch, changed, fresh, now_ms, packed, produce_request, sequenced,
};

async fn with_topic(configs: &[(&str, &str)]) -> (Target, Client, String) {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, configs).await;
    (target, client, topic)
}

#[tokio::test]
async fn records_come_back_as_they_went_in_every_version_and_codec() {
    let (_target, mut client, topic) = with_topic(&[]).await;
    let mut next = 0;
    for (version, codec) in (3..=12).zip(Compression::ALL.into_iter().cycle()) {
        if codec == Compression::Zstd && version < 7 {
            continue;
        }
        let mut builder = BatchBuilder::new(codec);
        let headers = [
            Header { key: "same".into(), value: Some(Bytes::from_static(b"1")) },
            Header { key: "same".into(), value: None },
        ];
        let time = now_ms();
        builder.push(time, Some(b"key"), None, &headers);
        builder.push(time + 1, None, Some(b"value"), &[]);
        let sent = builder.build();
        let stored = client.produce_in(version, &topic, Some(sent.clone())).await;
        assert_eq!((stored.error_code, stored.base_offset), (ErrorCode::None, next), "v{version}");
        let fetched = client.fetch(&topic, next).await;
        let bytes = fetched.records.unwrap();
        // Raw bytes: only base offset and leader epoch are the broker's.
        assert_eq!(bytes[16..], sent[16..], "v{version}");
        let records: Vec<_> = records::decode(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!((records[0].offset, records[0].timestamp), (next, time));
        assert_eq!(records[0].headers, headers);
        assert_eq!(records[0].value, None);
        next += 2;
    }
}

#[tokio::test]
async fn topics_are_named_by_id_from_v13_on() {
    let (_target, mut client, topic) = with_topic(&[]).await;
    let asked = metadata::MetadataRequestTopic { name: Some(topic), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
    let topic_id = client.ask(request).await.topics[0].topic_id;
    for (topic_id, expected) in
        [(topic_id, ErrorCode::None), (Uuid::from_u128(7 << 64), ErrorCode::UnknownTopicId)]
    {
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 1000,
            topic_data: vec![TopicProduceData {
                topic_id,
                partition_data: vec![PartitionProduceData { index: 0, records: Some(batch(1)) }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = client.ask_in(13, request).await;
        assert_eq!(response.responses[0].topic_id, topic_id);
        assert_eq!(response.responses[0].partition_responses[0].error_code, expected);
    }
}

#[tokio::test]
async fn a_bad_batch_is_refused_with_kafkas_code() {
    let (_target, mut client, topic) = with_topic(&[("max.message.bytes", "1000")]).await;
    let good = batch(2);
    let at = |at: usize, byte: u8| {
        changed(&good, |bytes| {
            bytes[at] = byte;
        })
    };
    let raw = |at: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[at] = byte;
        Bytes::from(bytes)
    };
    let control = {
        let mut builder = BatchBuilder::new(Compression::None).control();
        builder.push(now_ms(), Some(b"\0\0\0\0"), Some(b"\0\0\0\0\0\0"), &[]);
        builder.build()
    };
    let future = {
        let mut builder = BatchBuilder::new(Compression::None);
        builder.push(now_ms() + 2 * 3_600_000, None, Some(b"x"), &[]);
        builder.build()
    };
    for (what, records, expected) in [
        ("no bytes", Some(Bytes::new()), ErrorCode::InvalidRecord),
        ("magic 0", Some(raw(16, 0)), ErrorCode::InvalidRecord),
        ("magic 1", Some(raw(16, 1)), ErrorCode::InvalidRecord),
        ("a changed byte", Some(raw(70, 0x55)), ErrorCode::CorruptMessage),
        ("two batches", Some([&good[..], &good[..]].concat().into()), ErrorCode::InvalidRecord),
        ("a base offset", Some(raw(7, 5)), ErrorCode::InvalidRecord),
        ("a wrong count", Some(at(60, 3)), ErrorCode::InvalidRecord),
        ("a control batch", Some(control), ErrorCode::InvalidRecord),
        ("a producer without sequence", Some(sequenced(1, 5, 0, -1)), ErrorCode::InvalidRecord),
        ("more than max.message.bytes", Some(batch(200)), ErrorCode::MessageTooLarge),
        ("a time two hours ahead", Some(future), ErrorCode::InvalidTimestamp),
    ] {
        let refused = client.produce_in(12, &topic, records).await;
        assert_eq!(refused.error_code, expected, "{what}: {:?}", refused.error_message);
        assert_eq!(refused.base_offset, -1, "{what}");
    }
    let refused = client.produce_in(6, &topic, Some(packed(2, Compression::Zstd))).await;
    assert_eq!(refused.error_code, ErrorCode::UnsupportedCompressionType);
    // None of it left a trace.
    assert_eq!(client.produce(&topic, good).await.base_offset, 0);
}

#[tokio::test]
async fn one_bad_partition_does_not_fail_its_neighbours() {
    let (_target, mut client, topic) = with_topic(&[]).await;
    let unknown = fresh("unknown");
    let data = |index, records| PartitionProduceData { index, records: Some(records) };
    let mut request = produce_request(&topic, Some(batch(1)));
    request.topic_data[0].partition_data.push(data(9, batch(1)));
    request.topic_data.push(TopicProduceData {
        name: unknown.clone(),
        partition_data: vec![data(0, batch(1))],
        ..Default::default()
    });
    let response = client.ask_in(12, request).await;
    let codes: Vec<_> = response
        .responses
        .iter()
        .flat_map(|t| t.partition_responses.iter().map(|p| (t.name.clone(), p.index, p.error_code)))
        .collect();
    for expected in [
        (topic.clone(), 0, ErrorCode::None),
        (topic, 9, ErrorCode::UnknownTopicOrPartition),
        (unknown, 0, ErrorCode::UnknownTopicOrPartition),
    ] {
        assert!(codes.contains(&expected), "{codes:?}");
    }
}

#[tokio::test]
async fn acks_are_none_one_or_all() {
    let (_target, mut client, topic) = with_topic(&[]).await;
    let request = |acks| ProduceRequest { acks, ..produce_request(&topic, Some(batch(1))) };
    let refused = client.ask_in(12, request(2)).await;
    let code = refused.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::InvalidRequiredAcks);
    // Without acknowledgement there is no answer: the next one belongs to the next request.
    client.send(12, &request(0)).await;
    let stored = client.ask_in(12, request(1)).await;
    assert_eq!(stored.responses[0].partition_responses[0].base_offset, 1);
    // An error has no other way to be told.
    let unknown = ProduceRequest { acks: 0, ..produce_request(&fresh("no"), Some(batch(1))) };
    client.send(12, &unknown).await;
    assert_eq!(client.frame().await, None);
}

#[tokio::test]
async fn a_batch_sent_again_is_stored_once() {
    let (_target, mut client, topic) = with_topic(&[]).await;
    let request = InitProducerIdRequest { transaction_timeout_ms: 1000, ..Default::default() };
    let mut identity = client.ask(request.clone()).await;
    while identity.error_code == ErrorCode::CoordinatorLoadInProgress {
        identity = client.ask(request.clone()).await;
    }
    let (id, epoch) = (identity.producer_id, identity.producer_epoch);
    assert_eq!((identity.error_code, epoch), (ErrorCode::None, 0));
    let sent: Vec<Bytes> = (0..7).map(|n| sequenced(10, id, 0, n * 10)).collect();
    for (n, batch) in (0..).zip(&sent) {
        assert_eq!(client.produce(&topic, batch.clone()).await.base_offset, n * 10);
    }
    for (n, batch) in (0..).zip(&sent).skip(2) {
        let again = client.produce(&topic, batch.clone()).await;
        assert_eq!((again.error_code, again.base_offset), (ErrorCode::None, n * 10));
    }
    // Only five batches are remembered, in Kafka too.
    let forgotten = client.produce(&topic, sent[1].clone()).await;
    assert_eq!(forgotten.error_code, ErrorCode::OutOfOrderSequenceNumber);
    let gap = client.produce(&topic, sequenced(1, id, 0, 71)).await;
    assert_eq!(gap.error_code, ErrorCode::OutOfOrderSequenceNumber);
    let late = client.produce(&topic, sequenced(1, id, 1, 70)).await;
    assert_eq!(late.error_code, ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(client.produce(&topic, sequenced(1, id, 1, 0)).await.base_offset, 70);
    let fenced = client.produce(&topic, sequenced(1, id, 0, 70)).await;
    assert_eq!(fenced.error_code, ErrorCode::InvalidProducerEpoch);
    // Somebody nobody knows may begin anywhere.
    let unknown = client.produce(&topic, sequenced(1, id + 1_000_000, 3, 12)).await;
    assert_eq!((unknown.error_code, unknown.base_offset), (ErrorCode::None, 71));
}

#[tokio::test]
async fn a_compacted_topic_takes_no_record_without_a_key() {
    let (_target, mut client, topic) = with_topic(&[("cleanup.policy", "compact")]).await;
    for codec in [Compression::None, Compression::Gzip] {
        let mut builder = BatchBuilder::new(codec);
        builder.push(now_ms(), Some(b"k"), Some(b"v"), &[]);
        builder.push(now_ms(), None, Some(b"v"), &[]);
        let refused = client.produce(&topic, builder.build()).await;
        assert_eq!(refused.error_code, ErrorCode::InvalidRecord);
        assert_eq!(refused.record_errors.len(), 1);
        assert_eq!(refused.record_errors[0].batch_index, 1);
    }
}

#[tokio::test]
async fn the_brokers_time_is_written_where_the_topic_says_so() {
    let (_target, mut client, topic) =
        with_topic(&[("message.timestamp.type", "LogAppendTime")]).await;
    for codec in Compression::ALL {
        let mut builder = BatchBuilder::new(codec);
        builder.push(5, None, Some(b"v"), &[]);
        let before = now_ms();
        let stored = client.produce(&topic, builder.build()).await;
        assert!(stored.log_append_time_ms >= before, "{stored:?}");
        let fetched = client.fetch(&topic, stored.base_offset).await;
        let record = records::decode(&fetched.records.unwrap()).next().unwrap().unwrap();
        assert_eq!(record.timestamp, stored.log_append_time_ms);
    }
}

#[tokio::test]
async fn the_topics_codec_is_used_where_it_names_one() {
    for (name, codec) in [("zstd", Compression::Zstd), ("uncompressed", Compression::None)] {
        let (_target, mut client, topic) = with_topic(&[("compression.type", name)]).await;
        let stored = client.produce(&topic, packed(50, Compression::Gzip)).await;
        assert_eq!(stored.error_code, ErrorCode::None);
        let bytes = client.fetch(&topic, 0).await.records.unwrap();
        let batch = records::batches(&bytes).next().unwrap().unwrap();
        assert_eq!(batch.header.compression().unwrap(), codec);
        assert_eq!(records::decode(&bytes).count(), 50);
    }
}

#[tokio::test]
async fn clients_do_not_write_internal_topics() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let request = FindCoordinatorRequest { key: fresh("g"), ..Default::default() };
    while !client.ask_in(2, request.clone()).await.error_code.is_none() {}
    let refused = client.produce("__consumer_offsets", batch(1)).await;
    assert_eq!(refused.error_code, ErrorCode::InvalidTopicException);
}
