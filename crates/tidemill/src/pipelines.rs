//! How the data moves: what the scheduler, the broker and the engine say of it on their public
//! interfaces.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidemill_kafka_client::{KafkaClient, OffsetSpec, TopicPartition};
use tidemill_runtime::World;

use crate::node::Endpoints;

/// A box that does not answer within this is shown as silent.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The engine's listing, `GET /v1/pipelines`; only what the screens show.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) source: Value,
    pub(crate) sink: Value,
    pub(crate) records_out: u64,
    pub(crate) dead_letters: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) lag: u64,
    pub(crate) latency_ms: Option<Latency>,
    pub(crate) failure: Option<String>,
}

/// From the record's timestamp to the acknowledged write, in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

#[derive(Deserialize)]
struct Listing {
    pipelines: Vec<Pipeline>,
}

/// One line of the flow: a source, its topic, and the table the pipeline writes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hop {
    /// The task that writes the topic, as `dag_id.task_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) producer: Option<String>,
    pub(crate) pipeline: String,
    pub(crate) state: String,
    pub(crate) topic: String,
    pub(crate) topic_records: u64,
    /// Records per second that came to the topic since the last look.
    pub(crate) rate: f64,
    pub(crate) sink: String,
    pub(crate) rows: u64,
    pub(crate) rejected: u64,
    pub(crate) lag: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

/// Looks at the line again and again; rates are between two looks.
pub(crate) struct Watcher {
    http: reqwest::Client,
    endpoints: Endpoints,
    kafka: Option<KafkaClient>,
    world: World,
    /// Topic to its records and when they were counted.
    before: HashMap<String, (u64, Duration)>,
}

impl Watcher {
    pub(crate) fn new(endpoints: Endpoints, kafka: Option<KafkaClient>, world: World) -> Watcher {
        Watcher { http: http(), endpoints, kafka, world, before: HashMap::new() }
    }

    /// One look at every hop. A box that is silent leaves its part out.
    pub(crate) async fn look(&mut self) -> Vec<Hop> {
        let producers = self.producers().await;
        let mut hops = Vec::new();
        for pipeline in self.pipelines().await {
            let topic = text(&pipeline.source, "topic");
            let topic_records = self.records_in(&topic).await.unwrap_or(0);
            let rate = self.rate(&topic, topic_records);
            hops.push(Hop {
                producer: producers.get(&topic).cloned(),
                pipeline: pipeline.name,
                state: pipeline.state,
                topic_records,
                rate,
                topic,
                sink: sink_name(&pipeline.sink),
                rows: pipeline.records_out,
                rejected: pipeline.dead_letters,
                lag: pipeline.lag,
                latency_ms: pipeline.latency_ms,
                problem: pipeline.failure.or(pipeline.first_error),
            });
        }
        hops
    }

    /// The engine's pipelines; none if it does not answer.
    pub(crate) async fn pipelines(&self) -> Vec<Pipeline> {
        let Some(engine) = &self.endpoints.engine else { return Vec::new() };
        match get::<Listing>(&self.http, &format!("{engine}/v1/pipelines")).await {
            Ok(listing) => listing.pipelines,
            Err(error) => {
                tracing::debug!(%error, "the engine did not list its pipelines");
                Vec::new()
            }
        }
    }

    /// Which task writes which topic: the scheduler's assets.
    async fn producers(&self) -> HashMap<String, String> {
        let Some(scheduler) = &self.endpoints.scheduler else { return HashMap::new() };
        let listing = get::<Value>(&self.http, &format!("{scheduler}/api/v2/assets")).await;
        let assets = listing.ok().and_then(|mut body| body.get_mut("assets").map(Value::take));
        let Some(Value::Array(assets)) = assets else { return HashMap::new() };
        let producer = |asset: &Value| {
            let task = asset.get("producing_tasks")?.get(0)?;
            Some((
                text(asset, "name"),
                format!("{}.{}", text(task, "dag_id"), text(task, "task_id")),
            ))
        };
        assets.iter().filter_map(producer).collect()
    }

    /// Records between the start and the end of a topic.
    async fn records_in(&self, topic: &str) -> Option<u64> {
        records_in(self.kafka.as_ref()?, topic).await
    }

    fn rate(&mut self, topic: &str, records: u64) -> f64 {
        let now = self.world.clock.monotonic();
        match self.before.insert(topic.to_owned(), (records, now)) {
            Some((before, then)) if now > then => {
                records.saturating_sub(before) as f64 / (now - then).as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

/// Records between the start and the end of a topic; none if the broker does not know it.
pub(crate) async fn records_in(kafka: &KafkaClient, topic: &str) -> Option<u64> {
    let metadata = kafka.topic(topic).await.ok()??;
    let partitions: Vec<TopicPartition> = metadata
        .partitions
        .iter()
        .map(|partition| TopicPartition::new(topic, partition.partition))
        .collect();
    let sum = async |at| {
        let listed = kafka.list_offsets(&partitions, at).await.ok()?;
        Some(listed.iter().map(|one| one.offset).sum::<i64>())
    };
    let (start, end) = (sum(OffsetSpec::Earliest).await?, sum(OffsetSpec::Latest).await?);
    u64::try_from(end - start).ok()
}

/// A client for the boxes' HTTP interfaces.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .no_proxy()
        .build()
        .expect("a client without special options can be built")
}

/// GET, read as JSON.
pub(crate) async fn get<T: serde::de::DeserializeOwned>(
    http: &reqwest::Client,
    url: &str,
) -> reqwest::Result<T> {
    http.get(url).send().await?.error_for_status()?.json().await
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn sink_name(sink: &Value) -> String {
    let (keyspace, table) = (text(sink, "keyspace"), text(sink, "table"));
    match (keyspace.is_empty(), table.is_empty()) {
        (false, false) => format!("{keyspace}.{table}"),
        (true, false) => table,
        _ => match text(sink, "topic") {
            topic if topic.is_empty() => text(sink, "connector"),
            topic => topic,
        },
    }
}
