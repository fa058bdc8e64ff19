//! The client against a broker that says what the test tells it to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tidemill_kafka_wire::messages::api_versions::ApiVersion;
use tidemill_kafka_wire::messages::metadata::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use tidemill_kafka_wire::messages::produce::{PartitionProduceResponse, TopicProduceResponse};
use tidemill_kafka_wire::messages::{
    ApiVersionsRequest, ApiVersionsResponse, InitProducerIdRequest, InitProducerIdResponse,
    MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
};
use tidemill_kafka_wire::records::{BatchHeader, batches};
use tidemill_kafka_wire::{ApiKey, ErrorCode, RequestHeader, encode_response, frame};
use tidemill_runtime::{Tasks, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{ClientConfig, ClientError, KafkaClient, Producer, ProducerConfig, ProducerRecord};

/// What the broker does with the next batch.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Write,
    /// Writes it and loses the connection before the answer.
    WriteAndHangUp,
    Say(ErrorCode),
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    seen: Vec<BatchHeader>,
    next_offset: i64,
    next_producer: i64,
}

struct FakeBroker {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    tasks: Tasks,
}

impl FakeBroker {
    async fn start(answers: &[Answer]) -> FakeBroker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Script { answers: answers.iter().copied().collect(), ..Default::default() };
        let script = Arc::new(Mutex::new(script));
        let tasks = Tasks::new();
        let (owner, shared) = (tasks.clone(), script.clone());
        tasks.spawn("acceptor", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = shared.clone();
                owner.spawn("connection", async move { serve(stream, address, script).await });
            }
        });
        FakeBroker { address, script, tasks }
    }

    fn producer(&self) -> Producer {
        let mut config = ClientConfig::new([self.address.to_string()], "test");
        config.request_timeout = Duration::from_secs(5);
        KafkaClient::new(config, World::real()).producer(ProducerConfig::default())
    }

    fn seen(&self) -> Vec<BatchHeader> {
        self.script.lock().seen.clone()
    }
}

impl Drop for FakeBroker {
    fn drop(&mut self) {
        self.tasks.shutdown().request();
    }
}

async fn serve(mut stream: TcpStream, address: SocketAddr, script: Arc<Mutex<Script>>) {
    let mut buffer = BytesMut::new();
    loop {
        let Ok(taken) = frame::take(&mut buffer, 1 << 20) else { return };
        let Some(request) = taken else {
            match stream.read_buf(&mut buffer).await {
                Ok(n) if n > 0 => continue,
                _ => return,
            }
        };
        let Some(answer) = answer(request, address, &script) else { return };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// The frame that answers a request; none hangs up.
fn answer(request: Bytes, address: SocketAddr, script: &Mutex<Script>) -> Option<Bytes> {
    let (header, body) = RequestHeader::decode(request).unwrap();
    let (version, id) = (header.api_version, header.correlation_id);
    let key = ApiKey::from_key(header.api_key).unwrap();
    let frame = match key {
        ApiKey::ApiVersions => encode_response::<ApiVersionsRequest>(&versions(), version, id),
        ApiKey::Metadata => {
            let asked: MetadataRequest = header.body(body).unwrap();
            encode_response::<MetadataRequest>(&metadata(&asked, address), version, id)
        }
        ApiKey::InitProducerId => {
            let mut script = script.lock();
            script.next_producer += 1;
            let given =
                InitProducerIdResponse { producer_id: script.next_producer, ..Default::default() };
            encode_response::<InitProducerIdRequest>(&given, version, id)
        }
        ApiKey::Produce => {
            let asked: ProduceRequest = header.body(body).unwrap();
            let written = write(&asked, &mut script.lock())?;
            encode_response::<ProduceRequest>(&written, version, id)
        }
        other => panic!("unexpected {other:?}"),
    };
    Some(frame.unwrap())
}

fn versions() -> ApiVersionsResponse {
    let api =
        |key: ApiKey, max_version| ApiVersion { api_key: key.key(), min_version: 0, max_version };
    ApiVersionsResponse {
        api_keys: vec![
            api(ApiKey::ApiVersions, 3),
            api(ApiKey::Metadata, 12),
            api(ApiKey::InitProducerId, 4),
            api(ApiKey::Produce, 9),
        ],
        ..Default::default()
    }
}

fn metadata(asked: &MetadataRequest, address: SocketAddr) -> MetadataResponse {
    let topics = asked.topics.iter().flatten().map(|topic| MetadataResponseTopic {
        name: topic.name.clone(),
        partitions: vec![MetadataResponsePartition { leader_id: 1, ..Default::default() }],
        ..Default::default()
    });
    MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: 1,
            host: address.ip().to_string(),
            port: address.port().into(),
            rack: None,
        }],
        topics: topics.collect(),
        ..Default::default()
    }
}

fn write(asked: &ProduceRequest, script: &mut Script) -> Option<ProduceResponse> {
    let topic = &asked.topic_data[0];
    let records = topic.partition_data[0].records.clone().unwrap();
    let batch = batches(&records).next().unwrap().unwrap();
    batch.check().unwrap();
    script.seen.push(batch.header);
    let answer = script.answers.pop_front().unwrap_or(Answer::Write);
    let mut response = PartitionProduceResponse::default();
    match answer {
        Answer::Say(code) => response.error_code = code,
        Answer::Write | Answer::WriteAndHangUp => {
            response.base_offset = script.next_offset;
            script.next_offset += i64::from(batch.header.record_count);
        }
    }
    if matches!(answer, Answer::WriteAndHangUp) {
        return None;
    }
    Some(ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: topic.name.clone(),
            partition_responses: vec![response],
            ..Default::default()
        }],
        ..Default::default()
    })
}

fn record(value: &'static str) -> ProducerRecord {
    ProducerRecord { topic: "t".into(), value: Some(value.into()), ..Default::default() }
}

#[tokio::test]
async fn sends_at_the_same_time_share_a_batch() {
    let broker = FakeBroker::start(&[]).await;
    let producer = broker.producer();
    producer.send(record("first")).await.unwrap();
    let sends = (0..50).map(|_| producer.send(record("more")));
    let written = futures::future::try_join_all(sends).await.unwrap();
    let offsets: Vec<i64> = written.iter().map(|one| one.offset).collect();
    assert_eq!(offsets, (1..51).collect::<Vec<i64>>());
    let seen = broker.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[1].base_sequence, 1);
}

/// Nothing is known of the topic yet: all of them wait for the same question.
#[tokio::test]
async fn records_of_a_topic_that_is_not_known_yet_keep_the_order_of_the_calls() {
    let broker = FakeBroker::start(&[]).await;
    let producer = broker.producer();
    let sends = (0..50).map(|_| producer.send(record("first of all")));
    let written = futures::future::try_join_all(sends).await.unwrap();
    let offsets: Vec<i64> = written.iter().map(|one| one.offset).collect();
    assert_eq!(offsets, (0..50).collect::<Vec<i64>>());
    assert_eq!(broker.seen().len(), 1);
}

#[tokio::test]
async fn what_was_enqueued_first_is_written_first_whoever_waits_first() {
    let broker = FakeBroker::start(&[]).await;
    let producer = broker.producer();
    let first = producer.enqueue(record("a")).await.unwrap();
    let second = producer.enqueue(record("b")).await.unwrap();
    assert_eq!(second.await.unwrap().offset, 1);
    assert_eq!(first.await.unwrap().offset, 0);
}

#[tokio::test]
async fn whoever_enqueues_into_a_full_buffer_empties_it() {
    let broker = FakeBroker::start(&[]).await;
    let mut config = ClientConfig::new([broker.address.to_string()], "test");
    config.request_timeout = Duration::from_secs(5);
    let client = KafkaClient::new(config, World::real());
    let small = ProducerConfig { buffer_bytes_max: 512, ..ProducerConfig::default() };
    let producer = client.producer(small);
    let mut deliveries = Vec::new();
    for _ in 0..100 {
        deliveries.push(producer.enqueue(record("more than fits at once")).await.unwrap());
    }
    let written = futures::future::try_join_all(deliveries).await.unwrap();
    let offsets: Vec<i64> = written.iter().map(|one| one.offset).collect();
    assert_eq!(offsets, (0..100).collect::<Vec<i64>>());
}

#[tokio::test]
async fn flush_sends_what_nobody_waits_for() {
    let broker = FakeBroker::start(&[]).await;
    let producer = broker.producer();
    drop(producer.enqueue(record("a")).await.unwrap());
    producer.flush().await.unwrap();
    assert_eq!(broker.seen().len(), 1);
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_sent_again_unchanged() {
    let broker = FakeBroker::start(&[
        Answer::WriteAndHangUp,
        Answer::Say(ErrorCode::DuplicateSequenceNumber),
    ])
    .await;
    let producer = broker.producer();
    assert_eq!(producer.send(record("once")).await.unwrap().offset, -1);
    assert_eq!(producer.send(record("next")).await.unwrap().offset, 1);
    let sequences: Vec<i32> = broker.seen().iter().map(|batch| batch.base_sequence).collect();
    assert_eq!(sequences, [0, 0, 1]);
}

#[tokio::test]
async fn a_leader_that_moved_is_looked_up_again() {
    let broker = FakeBroker::start(&[Answer::Say(ErrorCode::NotLeaderOrFollower)]).await;
    assert_eq!(broker.producer().send(record("a")).await.unwrap().offset, 0);
    assert_eq!(broker.seen().len(), 2);
}

#[tokio::test]
async fn a_refused_batch_leaves_no_hole_in_the_sequence() {
    let broker = FakeBroker::start(&[Answer::Say(ErrorCode::MessageTooLarge)]).await;
    let producer = broker.producer();
    let error = producer.send(record("large")).await.unwrap_err();
    assert!(matches!(error.code(), Some(ErrorCode::MessageTooLarge)), "{error}");
    producer.send(record("small")).await.unwrap();
    let sequences: Vec<i32> = broker.seen().iter().map(|batch| batch.base_sequence).collect();
    assert_eq!(sequences, [0, 0]);
}

#[tokio::test]
async fn a_forgotten_producer_starts_anew() {
    let broker =
        FakeBroker::start(&[Answer::Write, Answer::Say(ErrorCode::UnknownProducerId)]).await;
    let producer = broker.producer();
    producer.send(record("a")).await.unwrap();
    producer.send(record("b")).await.unwrap();
    let seen = broker.seen();
    let who: Vec<(i64, i32)> =
        seen.iter().map(|one| (one.producer_id, one.base_sequence)).collect();
    assert_eq!(who, [(1, 0), (1, 1), (2, 0)]);
}

#[tokio::test]
async fn a_dropped_send_is_finished_by_the_next() {
    let broker = FakeBroker::start(&[Answer::WriteAndHangUp]).await;
    let producer = broker.producer();
    let clone = producer.clone();
    let dropped = tokio::time::timeout(Duration::ZERO, clone.send(record("a"))).await;
    assert!(dropped.is_err());
    producer.send(record("b")).await.unwrap();
    let ids: std::collections::HashSet<i64> =
        broker.seen().iter().map(|batch| batch.producer_id).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut config = ClientConfig::new([free.to_string()], "test");
    config.request_timeout = Duration::from_millis(200);
    let error = KafkaClient::new(config, World::real()).cluster().await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Unreachable { address, .. } if *address == free.to_string())
    );
    assert!(error.is_retriable());
}
