//! Fetch sessions (KIP-227).

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::fetch::{FetchPartition, FetchTopic, ForgottenTopic};
use tidemill_kafka_wire::messages::*;

use crate::harness::{Client, Target, batch, fetch_request};

/// Two topics of one partition, and a session that reads both from the beginning.
async fn open() -> (Target, Client, [String; 2], i32) {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topics = [client.create_topic(1, &[]).await, client.create_topic(1, &[]).await];
    client.produce(&topics[0], batch(2)).await;
    let mut request = FetchRequest { session_epoch: 0, ..fetch_request(&topics[0], 0) };
    request.topics.extend(fetch_request(&topics[1], 0).topics);
    let response = client.ask_in(12, request).await;
    assert_eq!(response.error_code, ErrorCode::None);
    assert_eq!(response.responses.len(), 2);
    assert_ne!(response.session_id, 0);
    (target, client, topics, response.session_id)
}

/// The next request of a session: from where in which topics.
fn next(session_id: i32, session_epoch: i32, changes: &[(&str, i64)]) -> FetchRequest {
    let topics = changes.iter().map(|(topic, fetch_offset)| FetchTopic {
        topic: (*topic).to_owned(),
        partitions: vec![FetchPartition {
            fetch_offset: *fetch_offset,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        }],
        ..Default::default()
    });
    FetchRequest {
        session_id,
        session_epoch,
        topics: topics.collect(),
        max_bytes: 1 << 20,
        ..Default::default()
    }
}

fn told(response: &FetchResponse) -> Vec<(&str, i64)> {
    assert_eq!(response.error_code, ErrorCode::None);
    let each = response.responses.iter();
    each.map(|topic| (topic.topic.as_str(), topic.partitions[0].high_watermark)).collect()
}

#[tokio::test]
async fn only_news_is_told() {
    let (_target, mut client, [one, two], id) = open().await;
    let quiet = client.ask_in(12, next(id, 1, &[(&one, 2)])).await;
    assert_eq!(told(&quiet), []);
    assert_eq!(quiet.session_id, id);
    client.produce(&two, batch(3)).await;
    // Nothing is named: all is remembered.
    let news = client.ask_in(12, next(id, 2, &[])).await;
    assert_eq!(told(&news), [(two.as_str(), 3)]);
    // What was told and not moved on from is told again: it has records.
    let again = client.ask_in(12, next(id, 3, &[])).await;
    assert_eq!(told(&again), [(two.as_str(), 3)]);
    let quiet = client.ask_in(12, next(id, 4, &[(&two, 3)])).await;
    assert_eq!(told(&quiet), []);
}

#[tokio::test]
async fn a_session_waits_for_all_its_partitions() {
    let (target, mut client, [one, two], id) = open().await;
    let waiting = FetchRequest { max_wait_ms: 20_000, min_bytes: 1, ..next(id, 1, &[(&one, 2)]) };
    client.send(12, &waiting).await;
    target.client().await.produce(&two, batch(1)).await;
    let news = client.answer::<FetchRequest>(12).await;
    assert_eq!(told(&news), [(two.as_str(), 1)]);
}

#[tokio::test]
async fn forgotten_partitions_are_read_no_more() {
    let (_target, mut client, [one, two], id) = open().await;
    let forgotten =
        ForgottenTopic { topic: one.clone(), partitions: vec![0], ..Default::default() };
    let request = FetchRequest { forgotten_topics_data: vec![forgotten], ..next(id, 1, &[]) };
    assert_eq!(told(&client.ask_in(12, request).await), []);
    client.produce(&one, batch(1)).await;
    client.produce(&two, batch(1)).await;
    let news = client.ask_in(12, next(id, 2, &[])).await;
    assert_eq!(told(&news), [(two.as_str(), 1)]);
}

#[tokio::test]
async fn epochs_follow_one_another() {
    let (_target, mut client, [one, _], id) = open().await;
    let wrong = client.ask_in(12, next(id, 5, &[(&one, 2)])).await;
    assert_eq!(wrong.error_code, ErrorCode::InvalidFetchSessionEpoch);
    assert_eq!(told(&client.ask_in(12, next(id, 1, &[(&one, 2)])).await), []);
    let repeated = client.ask_in(12, next(id, 1, &[])).await;
    assert_eq!(repeated.error_code, ErrorCode::InvalidFetchSessionEpoch);
}

#[tokio::test]
async fn a_session_speaks_of_names_or_of_ids() {
    let (_target, mut client, [_, _], id) = open().await;
    let mixed = client.ask_in(13, next(id, 1, &[])).await;
    assert_eq!(mixed.error_code, ErrorCode::FetchSessionTopicIdError);
}

#[tokio::test]
async fn a_closed_session_is_not_found() {
    let (_target, mut client, [one, _], id) = open().await;
    let closing = client.ask_in(12, next(id, -1, &[(&one, 2)])).await;
    assert_eq!((closing.error_code, closing.session_id), (ErrorCode::None, 0));
    let gone = client.ask_in(12, next(id, 1, &[])).await;
    assert_eq!(gone.error_code, ErrorCode::FetchSessionIdNotFound);
}

#[tokio::test]
async fn an_error_is_told_until_it_is_over() {
    let (_target, mut client, [one, _], id) = open().await;
    for epoch in [1, 2] {
        let changes = [(one.as_str(), 99)];
        let response = client.ask_in(12, next(id, epoch, &changes)).await;
        let code = response.responses[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::OffsetOutOfRange);
    }
    // Then also an answer without records is news.
    let over = client.ask_in(12, next(id, 3, &[(&one, 2)])).await;
    assert_eq!(told(&over), [(one.as_str(), 2)]);
}
