//! A Kafka cluster.

use tidemill_kafka_client::{ClientConfig, ClientError, ErrorCode, KafkaClient, NewTopic};
use tidemill_kafka_wire::messages::{
    CreateTopicsRequest, FetchRequest, FindCoordinatorRequest, InitProducerIdRequest,
    ListOffsetsRequest, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest,
};
use tidemill_kafka_wire::{Message, Request};

use super::Report;
use crate::external::patient_client;

const SYSTEM: &str = "broker";

/// An API that boxes use, and the versions this binary speaks.
struct Needed {
    key: i16,
    name: &'static str,
    oldest: i16,
    newest: i16,
}

fn needed<R: Request>() -> Needed {
    Needed {
        key: R::KEY.key(),
        name: R::KEY.name(),
        oldest: <R as Message>::VERSION_MIN,
        newest: <R as Message>::VERSION_MAX,
    }
}

pub(super) async fn check(config: &ClientConfig, report: &mut Report) -> anyhow::Result<()> {
    if !report.tcp(SYSTEM, &config.bootstrap_servers).await? {
        return Ok(());
    }
    let client = patient_client(config, &report.world);
    let cluster = match client.cluster().await {
        Ok(cluster) => cluster,
        Err(error) => return refused(config, &error, report),
    };
    let protocol = config.security.protocol();
    match &config.security.tls {
        Some(_) => report.good((SYSTEM, "tls"), format!("{protocol}: its certificate is good"))?,
        None => report.good((SYSTEM, "tls"), format!("{protocol}: not encrypted"))?,
    }
    match &config.security.sasl {
        Some(sasl) => {
            let user = &sasl.credentials.username;
            report.good((SYSTEM, "authentication"), format!("{user} with {}", sasl.mechanism))?;
        }
        None => report.good((SYSTEM, "authentication"), "none asked for")?,
    }
    let brokers: Vec<&str> = cluster.brokers.iter().map(|one| one.address.as_str()).collect();
    let id = cluster.id.as_deref().unwrap_or("without an id");
    report.good((SYSTEM, "cluster"), format!("{id}: {}", brokers.join(", ")))?;
    versions(&client, report).await?;
    permissions(&client, report).await
}

/// Which step failed: the certificate, the password, or the way there.
fn refused(config: &ClientConfig, error: &ClientError, report: &mut Report) -> anyhow::Result<()> {
    let said = error.to_string();
    let code = error.code();
    match error {
        ClientError::Untrusted { .. } => report.bad(
            (SYSTEM, "tls"),
            said,
            "set security_protocol as the listener has it, and ssl_ca_location to its authority",
        ),
        ClientError::Refused { .. } if code == Some(ErrorCode::UnsupportedSaslMechanism) => {
            report.bad((SYSTEM, "authentication"), said, "set sasl_mechanism to one it offers")
        }
        ClientError::Refused { .. } if code == Some(ErrorCode::SaslAuthenticationFailed) => report
            .bad(
                (SYSTEM, "authentication"),
                said,
                "check sasl_username, sasl_password and that this mechanism knows the user",
            ),
        ClientError::Unreachable { .. } if config.security.tls.is_some() => report.bad(
            (SYSTEM, "tls"),
            said,
            "the listener may not speak TLS: set security_protocol as it has it",
        ),
        ClientError::Unreachable { .. } if config.security.sasl.is_none() => report.bad(
            (SYSTEM, "authentication"),
            said,
            "the listener may want a user or TLS: security_protocol = \"SASL_SSL\", sasl_username",
        ),
        _ => report.bad((SYSTEM, "cluster"), said, "see the broker's log"),
    }
}

async fn versions(client: &KafkaClient, report: &mut Report) -> anyhow::Result<()> {
    let served = match client.api_versions().await {
        Ok(served) => served,
        Err(error) => {
            return report.bad((SYSTEM, "versions"), error.to_string(), "see the broker's log");
        }
    };
    let all = [
        needed::<ProduceRequest>(),
        needed::<FetchRequest>(),
        needed::<ListOffsetsRequest>(),
        needed::<MetadataRequest>(),
        needed::<FindCoordinatorRequest>(),
        needed::<OffsetCommitRequest>(),
        needed::<OffsetFetchRequest>(),
        needed::<InitProducerIdRequest>(),
        needed::<CreateTopicsRequest>(),
    ];
    let (mut shared, mut missing) = (Vec::new(), Vec::new());
    for one in all {
        let found = served.iter().find(|api| api.key == one.key);
        match found.map(|api| (api, api.max_version.min(one.newest))) {
            Some((api, newest)) if newest >= api.min_version.max(one.oldest) => {
                let (from, to) = (api.min_version, api.max_version);
                shared.push(format!("{} v{newest} of {from}-{to}", one.name));
            }
            Some((api, _)) => {
                let (from, to) = (api.min_version, api.max_version);
                missing.push(format!("{} has {from}-{to}", one.name));
            }
            None => missing.push(format!("{} is not served", one.name)),
        }
    }
    if missing.is_empty() {
        return report.good((SYSTEM, "versions"), shared.join(", "));
    }
    let mend = "Kafka 2.1 and newer have all that is needed";
    report.bad((SYSTEM, "versions"), missing.join(", "), mend)
}

/// Making a topic is asked for and not done (`validate_only`).
async fn permissions(client: &KafkaClient, report: &mut Report) -> anyhow::Result<()> {
    let name = format!("tidemill-check-{}", report.world.random.uuid());
    let topic = NewTopic { name, partitions: 1, configs: Vec::new() };
    match client.may_create_topic(topic).await {
        Ok(_) => report.good((SYSTEM, "may"), "create topics (asked, not done)"),
        Err(error) => report.bad(
            (SYSTEM, "may"),
            error.to_string(),
            "allow it, or make the topics yourself: pipelines take those that are there",
        ),
    }
}
