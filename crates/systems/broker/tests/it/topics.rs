//! Topics come, grow and go.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::create_partitions::CreatePartitionsTopic;
use tidemill_kafka_wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use tidemill_kafka_wire::messages::delete_topics::DeleteTopicState;
use tidemill_kafka_wire::messages::describe_topic_partitions::TopicRequest;
use tidemill_kafka_wire::messages::metadata::MetadataRequestTopic;
use tidemill_kafka_wire::messages::*;
use uuid::Uuid;

use crate::harness::{Client, Target, fresh};

fn topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic {
        name: name.to_owned(),
        num_partitions,
        replication_factor,
        ..Default::default()
    }
}

async fn create(client: &mut Client, topic: CreatableTopic) -> ErrorCode {
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
    client.ask(request).await.topics[0].error_code
}

async fn about(client: &mut Client, version: i16, name: &str, may_create: bool) -> ErrorCode {
    let asked = MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
    let request = MetadataRequest {
        topics: Some(vec![asked]),
        allow_auto_topic_creation: may_create,
        ..Default::default()
    };
    client.ask_in(version, request).await.topics[0].error_code
}

#[tokio::test]
async fn a_topic_that_cannot_be_is_refused_with_kafkas_code() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let existing = client.create_topic(1, &[]).await;
    let name = fresh("t");
    let with = |key: &str, value: Option<&str>| {
        let config = CreatableTopicConfig { name: key.into(), value: value.map(str::to_owned) };
        CreatableTopic { configs: vec![config], ..topic(&name, 1, 1) }
    };
    let assigned = |partitions: &[(i32, i32)]| {
        let each = partitions.iter().map(|(partition_index, broker)| CreatableReplicaAssignment {
            partition_index: *partition_index,
            broker_ids: vec![*broker],
        });
        CreatableTopic { assignments: each.collect(), ..topic(&name, -1, -1) }
    };
    let both = CreatableTopic { num_partitions: 2, ..assigned(&[(0, 1)]) };
    let collision = format!("{}.x", fresh("c").replace('-', "_"));
    assert_eq!(create(&mut client, topic(&collision, 1, 1)).await, ErrorCode::None);
    for (what, topic, expected) in [
        ("exists", topic(&existing, 1, 1), ErrorCode::TopicAlreadyExists),
        ("no name", topic("", 1, 1), ErrorCode::InvalidTopicException),
        ("a slash", topic("a/b", 1, 1), ErrorCode::InvalidTopicException),
        ("250 letters", topic(&"x".repeat(250), 1, 1), ErrorCode::InvalidTopicException),
        ("collides", topic(&collision.replace('.', "_"), 1, 1), ErrorCode::InvalidTopicException),
        ("no partitions", topic(&name, 0, 1), ErrorCode::InvalidPartitions),
        ("-2 partitions", topic(&name, -2, 1), ErrorCode::InvalidPartitions),
        ("no replicas", topic(&name, 1, 0), ErrorCode::InvalidReplicationFactor),
        ("three replicas", topic(&name, 1, 3), ErrorCode::InvalidReplicationFactor),
        ("unknown key", with("no.such.key", Some("1")), ErrorCode::InvalidConfig),
        ("bad value", with("retention.ms", Some("soon")), ErrorCode::InvalidConfig),
        ("no value", with("retention.ms", None), ErrorCode::InvalidConfig),
        ("tiny segments", with("segment.bytes", Some("10")), ErrorCode::InvalidConfig),
        ("two ways to say", both, ErrorCode::InvalidRequest),
        ("other broker", assigned(&[(0, 99)]), ErrorCode::InvalidReplicaAssignment),
        ("a gap", assigned(&[(0, 1), (2, 1)]), ErrorCode::InvalidReplicaAssignment),
    ] {
        assert_eq!(create(&mut client, topic).await, expected, "{what}");
    }
    assert_eq!(create(&mut client, assigned(&[(1, 1), (0, 1)])).await, ErrorCode::None);
}

#[tokio::test]
async fn the_answer_to_a_creation_tells_what_was_made() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = fresh("t");
    let config = CreatableTopicConfig { name: "retention.ms".into(), value: Some("5000".into()) };
    let wanted = CreatableTopic { configs: vec![config], ..topic(&name, -1, -1) };
    let request =
        CreateTopicsRequest { topics: vec![wanted.clone()], timeout_ms: 5000, validate_only: true };
    let checked = client.ask(request.clone()).await;
    assert_eq!(checked.topics[0].error_code, ErrorCode::None);
    assert_eq!(about(&mut client, 13, &name, false).await, ErrorCode::UnknownTopicOrPartition);

    let made = client.ask(CreateTopicsRequest { validate_only: false, ..request }).await;
    let made = &made.topics[0];
    assert_eq!((made.num_partitions, made.replication_factor), (1, 1));
    assert!(!made.topic_id.is_nil());
    let configs = made.configs.as_ref().unwrap();
    let retention = configs.iter().find(|config| config.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("5000"), 1));
    assert_eq!(create(&mut client, wanted).await, ErrorCode::TopicAlreadyExists);
}

#[tokio::test]
async fn a_topic_named_twice_in_one_request_is_not_made() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = fresh("t");
    let topics = vec![topic(&name, 1, 1), topic(&name, 2, 1)];
    let request = CreateTopicsRequest { topics, timeout_ms: 5000, ..Default::default() };
    let response = client.ask(request).await;
    let codes: Vec<_> = response.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [ErrorCode::InvalidRequest]);
}

#[tokio::test]
async fn asking_for_a_topic_makes_it_unless_the_client_forbids() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = fresh("auto");
    assert_eq!(about(&mut client, 13, &name, false).await, ErrorCode::UnknownTopicOrPartition);
    // Other brokers answer that it is not there yet.
    while !about(&mut client, 13, &name, true).await.is_none() {}
    assert_eq!(about(&mut client, 13, "a b", true).await, ErrorCode::InvalidTopicException);
    let old = fresh("auto");
    while !about(&mut client, 1, &old, true).await.is_none() {}
}

#[tokio::test]
async fn all_topics_are_asked_for_with_null_and_in_v0_with_an_empty_list() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = client.create_topic(1, &[]).await;
    let names = |response: MetadataResponse| -> Vec<String> {
        response.topics.into_iter().filter_map(|topic| topic.name).collect()
    };
    let none = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    assert!(names(client.ask_in(0, none.clone()).await).contains(&name));
    assert!(names(client.ask_in(1, none.clone()).await).is_empty());
    assert!(names(client.ask_in(13, none).await).is_empty());
    for version in 1..=13 {
        assert!(names(client.ask_in(version, MetadataRequest::default()).await).contains(&name));
    }
}

#[tokio::test]
async fn topics_are_found_by_id() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = client.create_topic(2, &[]).await;
    let by_name = MetadataRequestTopic { name: Some(name.clone()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![by_name]), ..Default::default() };
    let topic_id = client.ask(request).await.topics[0].topic_id;
    let ask = |topic_id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { topic_id, name: None }]),
        ..Default::default()
    };
    let found = client.ask_in(12, ask(topic_id)).await;
    assert_eq!(found.topics[0].name.as_deref(), Some(name.as_str()));
    assert_eq!(found.topics[0].partitions.len(), 2);
    let unknown = client.ask_in(12, ask(Uuid::from_u128(77 << 64))).await;
    assert_eq!(unknown.topics[0].error_code, ErrorCode::UnknownTopicId);
}

#[tokio::test]
async fn topics_are_deleted_by_name_or_id() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let (one, two) = (client.create_topic(1, &[]).await, client.create_topic(1, &[]).await);
    let by_name = MetadataRequestTopic { name: Some(two.clone()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![by_name]), ..Default::default() };
    let topic_id = client.ask(request).await.topics[0].topic_id;
    let states = [
        DeleteTopicState { name: Some(one.clone()), topic_id: Uuid::nil() },
        DeleteTopicState { name: None, topic_id },
        DeleteTopicState { name: Some(fresh("unknown")), topic_id: Uuid::nil() },
        DeleteTopicState { name: None, topic_id: Uuid::from_u128(5 << 64) },
    ];
    let request =
        DeleteTopicsRequest { topics: states.into(), timeout_ms: 5000, ..Default::default() };
    let response = client.ask(request).await;
    let mut codes: Vec<_> = response.responses.iter().map(|r| r.error_code.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 0, 3, 100]);
    while about(&mut client, 13, &one, false).await.is_none() {}
    while about(&mut client, 13, &two, false).await.is_none() {}
}

#[tokio::test]
async fn a_topic_grows_and_never_shrinks() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = client.create_topic(2, &[]).await;
    let mut codes = Vec::new();
    for (name, count, validate_only) in [
        (&name, 5, true),
        (&name, 3, false),
        (&name, 3, false),
        (&name, 1, false),
        (&name, -1, false),
        (&fresh("unknown"), 3, false),
    ] {
        let asked = CreatePartitionsTopic { name: name.clone(), count, assignments: None };
        let request =
            CreatePartitionsRequest { topics: vec![asked], timeout_ms: 5000, validate_only };
        codes.push(client.ask(request).await.results[0].error_code);
    }
    let invalid = ErrorCode::InvalidPartitions;
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(codes, [ErrorCode::None, ErrorCode::None, invalid, invalid, invalid, unknown]);
}

#[tokio::test]
async fn partitions_are_described_page_by_page() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let mut names = [client.create_topic(3, &[]).await, client.create_topic(2, &[]).await];
    names.sort();
    let counts: Vec<i32> = vec![3, 2];
    let mut request = DescribeTopicPartitionsRequest {
        topics: names.iter().rev().map(|name| TopicRequest { name: name.clone() }).collect(),
        response_partition_limit: 2,
        cursor: None,
    };
    let (mut pages, mut seen) = (0, Vec::new());
    loop {
        let response = client.ask(request.clone()).await;
        pages += 1;
        for topic in &response.topics {
            assert_eq!(topic.error_code, ErrorCode::None);
            let name = topic.name.clone().unwrap();
            seen.extend(topic.partitions.iter().map(|p| (name.clone(), p.partition_index)));
        }
        request.cursor = response.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (3, counts.iter().sum::<i32>() as usize));
    assert!(seen.is_sorted(), "{seen:?}");
    let unknown = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: fresh("unknown") }],
        response_partition_limit: 10,
        cursor: None,
    };
    let response = client.ask(unknown).await;
    assert_eq!(response.topics[0].error_code, ErrorCode::UnknownTopicOrPartition);
}

#[tokio::test]
async fn log_directories_tell_the_size_of_partitions() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let name = client.create_topic(2, &[]).await;
    client.produce(&name, crate::harness::batch(10)).await;
    let asked =
        describe_log_dirs::DescribableLogDirTopic { topic: name.clone(), partitions: vec![0] };
    let request = DescribeLogDirsRequest { topics: Some(vec![asked]) };
    let response = client.ask(request).await;
    let topics: Vec<_> = response.results.iter().flat_map(|dir| &dir.topics).collect();
    assert_eq!(topics[0].name, name);
    assert_eq!(topics[0].partitions.len(), 1);
    assert!(topics[0].partitions[0].partition_size > 0);
}
