//! Versions, headers, frames: what holds for every request.

use bytes::{Buf, Bytes};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::{ApiKey, ErrorCode, Message, encode_request};

use crate::harness::{Target, fetch_request, fresh};

fn asking(name: &str) -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: name.to_owned(),
        client_software_version: "1.0".to_owned(),
    }
}

#[tokio::test]
async fn versions_are_told_in_every_version() {
    let target = Target::start().await;
    let mut client = target.client().await;
    for version in 0..=4 {
        let response = client.ask_in(version, asking("it")).await;
        assert_eq!(response.error_code, ErrorCode::None);
        let of = |key: ApiKey| response.api_keys.iter().find(|api| api.api_key == key.key());
        let produce = of(ApiKey::Produce).unwrap();
        // librdkafka compresses only for brokers that list Produce from v0 (KAFKA-18659).
        assert_eq!((produce.min_version, produce.max_version), (0, 13));
        let fetch = of(ApiKey::Fetch).unwrap();
        assert_eq!((fetch.min_version, fetch.max_version), (4, 18));
    }
}

/// KIP-511.
#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_v0() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let mut frame = encode_request(&asking("it"), 3, 77, Some("it")).unwrap().to_vec();
    frame[6..8].copy_from_slice(&99i16.to_be_bytes());
    client.write(&frame).await;
    let mut answer = client.frame().await.unwrap();
    assert_eq!(answer.get_i32(), 77);
    let response = ApiVersionsResponse::decode(0, answer).unwrap();
    assert_eq!(response.error_code, ErrorCode::UnsupportedVersion);
    let keys: Vec<_> = response.api_keys.iter().map(|api| (api.api_key, api.max_version)).collect();
    assert_eq!(keys, [(18, 4)]);
    // The connection goes on.
    assert_eq!(client.ask_in(3, asking("it")).await.error_code, ErrorCode::None);
}

#[tokio::test]
async fn client_software_must_have_a_sensible_name() {
    let target = Target::start().await;
    let mut client = target.client().await;
    for (name, expected) in [
        ("librdkafka", ErrorCode::None),
        ("a.b-c", ErrorCode::None),
        ("", ErrorCode::InvalidRequest),
        ("-a", ErrorCode::InvalidRequest),
        ("a b", ErrorCode::InvalidRequest),
    ] {
        assert_eq!(client.ask(asking(name)).await.error_code, expected, "{name:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_understood_closes_the_connection() {
    let target = Target::start().await;
    let valid = encode_request(&MetadataRequest::default(), 9, 1, Some("it")).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut frame = valid.to_vec();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        Bytes::from(frame)
    };
    let old_produce = {
        let mut frame =
            encode_request(&ProduceRequest::default(), 3, 1, Some("it")).unwrap().to_vec();
        frame[6..8].copy_from_slice(&2i16.to_be_bytes());
        Bytes::from(frame)
    };
    for (what, frame) in [
        ("an unknown API", with(4, &999i16.to_be_bytes())),
        ("an unknown version", with(6, &99i16.to_be_bytes())),
        ("a body too short", Bytes::from([&3i32.to_be_bytes()[..], &valid[4..7]].concat())),
        ("an array of two milliards", with(valid.len() - 4, &[0xff, 0xff, 0xff, 0x0f])),
        ("a frame of two gigabytes", Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 3])),
        ("a negative length", Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0, 3])),
        ("HTTP", Bytes::from_static(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("TLS", Bytes::from_static(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
        ("a produce request of before Kafka 0.11", old_produce),
    ] {
        let mut client = target.client().await;
        client.write(&frame).await;
        assert_eq!(client.frame().await, None, "{what}");
    }
    // Nobody else is disturbed.
    let mut client = target.client().await;
    assert_eq!(client.ask(asking("it")).await.error_code, ErrorCode::None);
}

#[tokio::test]
async fn answers_come_in_the_order_of_requests_while_a_fetch_waits() {
    let target = Target::start().await;
    let (mut client, mut other) = (target.client().await, target.client().await);
    let topic = client.create_topic(1, &[]).await;
    let waiting = FetchRequest { max_wait_ms: 300, min_bytes: 1, ..fetch_request(&topic, 0) };
    client.send(12, &waiting).await;
    client.send(3, &asking("it")).await;
    // Another connection does not wait.
    assert_eq!(other.ask_in(3, asking("it")).await.error_code, ErrorCode::None);
    let mut first = client.frame().await.unwrap();
    let mut second = client.frame().await.unwrap();
    assert_eq!(first.get_i32() + 1, second.get_i32());
}

#[tokio::test]
async fn the_broker_is_where_the_client_found_it() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let metadata = client.ask(MetadataRequest::default()).await;
    let broker = &metadata.brokers[0];
    assert_eq!((broker.host.as_str(), broker.port), ("127.0.0.1", target.address.port().into()));
    assert_eq!(metadata.controller_id, broker.node_id);
    let cluster = client.ask(DescribeClusterRequest::default()).await;
    assert_eq!(Some(cluster.cluster_id.clone()), metadata.cluster_id);
    assert_eq!(cluster.cluster_id.len(), 22);
    assert_eq!(cluster.brokers[0].port, broker.port);

    let request =
        FindCoordinatorRequest { coordinator_keys: vec![fresh("g")], ..Default::default() };
    let mut found = client.ask(request.clone()).await;
    // Other brokers make the topic of the groups first.
    while found.coordinators[0].error_code == ErrorCode::CoordinatorNotAvailable {
        found = client.ask(request.clone()).await;
    }
    assert_eq!(found.coordinators[0].port, broker.port);
}

#[tokio::test]
async fn endpoints_of_controllers_are_elsewhere() {
    let target = Target::start().await;
    let mut client = target.client().await;
    for (endpoint_type, expected) in
        [(2, ErrorCode::MismatchedEndpointType), (9, ErrorCode::UnsupportedEndpointType)]
    {
        let request = DescribeClusterRequest { endpoint_type, ..Default::default() };
        assert_eq!(client.ask(request).await.error_code, expected);
    }
}

#[tokio::test]
async fn permitted_operations_are_told_when_asked_for() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    let asked = metadata::MetadataRequestTopic { name: Some(topic), ..Default::default() };
    let request = MetadataRequest {
        topics: Some(vec![asked]),
        include_topic_authorized_operations: true,
        include_cluster_authorized_operations: true,
        ..Default::default()
    };
    let response = client.ask_in(10, request).await;
    assert_eq!(response.topics[0].topic_authorized_operations, 0b1101_1111_1000);
    assert_eq!(response.cluster_authorized_operations, 0b1_1111_1010_0000);
    let response = client.ask(MetadataRequest::default()).await;
    assert!(response.topics.iter().all(|topic| topic.topic_authorized_operations == i32::MIN));
}
