//! Real systems in place of our boxes: whether they answer and let us in, and clients of them.

use std::error::Error;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use scylla::client::session::Session;
use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_connectors::cassandra::session_builder;
use tidemill_kafka_client::{ClientConfig, Cluster, KafkaClient};
use tidemill_runtime::World;

/// How long one system may take to let a node in.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Whether a Kafka cluster answers.
pub(crate) async fn kafka(config: &ClientConfig, world: &World) -> anyhow::Result<()> {
    kafka_cluster(config, world).await.map(drop)
}

/// A Kafka cluster: who it is.
pub(crate) async fn kafka_cluster(config: &ClientConfig, world: &World) -> anyhow::Result<Cluster> {
    Ok(patient_client(config, world).cluster().await?)
}

/// A client that gives up after a person's patience.
pub(crate) fn patient_client(config: &ClientConfig, world: &World) -> KafkaClient {
    let mut config = config.clone();
    config.request_timeout = ANSWER_WITHIN;
    config.connect_timeout = ANSWER_WITHIN / 2;
    KafkaClient::new(config, world.clone())
}

/// Whether a Cassandra cluster answers, and has the local datacentre.
pub(crate) async fn cassandra(access: &CassandraAccess) -> anyhow::Result<()> {
    let known = datacenters(&session(access).await?);
    match &access.local_datacenter {
        Some(local) if !known.contains(local) => {
            bail!("local_datacenter {local:?} has no node; there are {}", known.join(", "))
        }
        _ => Ok(()),
    }
}

/// The datacentres of a cluster, by name.
pub(crate) fn datacenters(session: &Session) -> Vec<String> {
    let state = session.get_cluster_state();
    let mut known: Vec<String> =
        state.get_nodes_info().iter().filter_map(|node| node.datacenter.clone()).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// A session with a Cassandra cluster.
pub(crate) async fn session(access: &CassandraAccess) -> anyhow::Result<Session> {
    let builder = session_builder(access).connection_timeout(ANSWER_WITHIN / 2);
    match tokio::time::timeout(ANSWER_WITHIN, builder.build()).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(error)) => Err(anyhow!(root_cause(&error))),
        Err(_) => bail!("no answer within {} s", ANSWER_WITHIN.as_secs()),
    }
}

/// Whether a schema registry answers.
pub(crate) async fn registry(access: &RegistryAccess) -> anyhow::Result<()> {
    registry_get(access, "/subjects").await.map(drop)
}

/// The JSON at a path of a schema registry.
pub(crate) async fn registry_get(
    access: &RegistryAccess,
    path: &str,
) -> anyhow::Result<serde_json::Value> {
    let mut builder = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy();
    if let Some(tls) = &access.tls {
        builder = builder.tls_backend_preconfigured((*tls.config()).clone());
    }
    let client = builder.build().context("cannot make an HTTP client")?;
    let mut request = client.get(format!("{}{path}", access.url));
    if let Some(credentials) = &access.credentials {
        request = request.basic_auth(&credentials.username, Some(credentials.password.reveal()));
    }
    let answer = request.send().await.map_err(|error| anyhow!(root_cause(&error)))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("{}{path} answered {status}", access.url);
    }
    answer.json().await.with_context(|| format!("{}{path} answered no JSON", access.url))
}

/// The innermost error: drivers wrap it in their own words.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
