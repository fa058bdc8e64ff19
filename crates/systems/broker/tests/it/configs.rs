//! Settings: described with their sources, changed one by one.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult,
};
use tidemill_kafka_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig,
};
use tidemill_kafka_wire::messages::*;

use crate::harness::{Client, Target, fresh};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

async fn describe(
    client: &mut Client,
    resource_type: i8,
    name: &str,
    keys: Option<&[&str]>,
) -> (ErrorCode, Vec<DescribeConfigsResourceResult>) {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type,
            resource_name: name.to_owned(),
            configuration_keys: keys.map(|keys| keys.iter().map(|k| (*k).to_owned()).collect()),
        }],
        include_synonyms: true,
        include_documentation: true,
    };
    let mut response = client.ask(request).await;
    let result = response.results.remove(0);
    (result.error_code, result.configs)
}

async fn alter(
    client: &mut Client,
    topic: &str,
    changes: &[(&str, i8, Option<&str>)],
) -> ErrorCode {
    let configs = changes.iter().map(|(name, operation, value)| AlterableConfig {
        name: (*name).to_owned(),
        config_operation: *operation,
        value: value.map(str::to_owned),
    });
    let resource = AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: topic.to_owned(),
        configs: configs.collect(),
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    client.ask(request).await.responses[0].error_code
}

/// The value once it is `expected`: other brokers take a moment.
async fn becomes(client: &mut Client, topic: &str, key: &str, expected: &str) {
    for _ in 0..1000 {
        let (_, configs) = describe(client, TOPIC, topic, Some(&[key])).await;
        if configs[0].value.as_deref() == Some(expected) {
            return;
        }
    }
    panic!("{key} never became {expected}");
}

#[tokio::test]
async fn a_value_tells_where_it_comes_from() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[("retention.ms", "5000")]).await;
    let keys = ["retention.ms", "max.message.bytes", "cleanup.policy"];
    let (code, configs) = describe(&mut client, TOPIC, &topic, Some(&keys)).await;
    assert_eq!((code, configs.len()), (ErrorCode::None, 3));
    let of = |name: &str| configs.iter().find(|config| config.name == name).unwrap();
    let retention = of("retention.ms");
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("5000"), 1));
    assert_eq!((retention.config_type, retention.read_only), (5, false));
    assert_eq!(retention.synonyms[0].name, "retention.ms");
    assert_eq!(retention.synonyms[0].source, 1);
    let size = of("max.message.bytes");
    assert_eq!((size.value.as_deref(), size.config_source), (Some("1048588"), 5));
    assert_eq!((size.config_type, size.synonyms[0].name.as_str()), (3, "message.max.bytes"));
    assert_eq!(of("cleanup.policy").config_type, 7);
    assert!(!of("cleanup.policy").documentation.as_ref().unwrap().is_empty());
}

#[tokio::test]
async fn every_key_of_a_topic_is_described() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    let (_, configs) = describe(&mut client, TOPIC, &topic, None).await;
    assert_eq!(configs.len(), 33);
    let (_, configs) = describe(&mut client, BROKER, "1", None).await;
    let of = |name: &str| configs.iter().find(|config| config.name == name).unwrap();
    assert_eq!(of("node.id").value.as_deref(), Some("1"));
    assert_eq!(of("num.partitions").value.as_deref(), Some("1"));
}

#[tokio::test]
async fn what_has_no_settings_is_an_error() {
    let target = Target::start().await;
    let mut client = target.client().await;
    for (resource_type, name, expected) in [
        (TOPIC, fresh("unknown"), ErrorCode::UnknownTopicOrPartition),
        (TOPIC, "a b".to_owned(), ErrorCode::InvalidTopicException),
        (BROKER, "77".to_owned(), ErrorCode::InvalidRequest),
        (BROKER, "x".to_owned(), ErrorCode::InvalidRequest),
        (BROKER, String::new(), ErrorCode::None),
        (99, "x".to_owned(), ErrorCode::InvalidRequest),
    ] {
        let (code, _) = describe(&mut client, resource_type, &name, None).await;
        assert_eq!(code, expected, "{resource_type} {name:?}");
    }
}

#[tokio::test]
async fn settings_are_set_deleted_and_lists_changed() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    let done = ErrorCode::None;
    assert_eq!(alter(&mut client, &topic, &[("retention.ms", 0, Some("7000"))]).await, done);
    becomes(&mut client, &topic, "retention.ms", "7000").await;
    assert_eq!(alter(&mut client, &topic, &[("retention.ms", 1, None)]).await, done);
    becomes(&mut client, &topic, "retention.ms", "604800000").await;
    assert_eq!(alter(&mut client, &topic, &[("cleanup.policy", 2, Some("compact"))]).await, done);
    becomes(&mut client, &topic, "cleanup.policy", "delete,compact").await;
    assert_eq!(alter(&mut client, &topic, &[("cleanup.policy", 3, Some("delete"))]).await, done);
    becomes(&mut client, &topic, "cleanup.policy", "compact").await;
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_whole() {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    let (config, request) = (ErrorCode::InvalidConfig, ErrorCode::InvalidRequest);
    let set = ("retention.ms", 0, Some("7000"));
    for (what, changes, expected) in [
        ("bad value", vec![set, ("segment.bytes", 0, Some("x"))], config),
        ("unknown key", vec![set, ("no.such.key", 0, Some("x"))], config),
        ("append to a number", vec![("segment.bytes", 2, Some("5"))], config),
        ("no value", vec![("segment.bytes", 0, None)], request),
        ("twice", vec![set, set], request),
    ] {
        assert_eq!(alter(&mut client, &topic, &changes).await, expected, "{what}");
    }
    becomes(&mut client, &topic, "retention.ms", "604800000").await;
    let unknown = alter(&mut client, &fresh("unknown"), &[set]).await;
    assert_eq!(unknown, ErrorCode::UnknownTopicOrPartition);
}
