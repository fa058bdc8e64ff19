//! `tidemill topic`: list, create, describe, read, write.

use std::io::BufRead;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde_json::{Map, Value, json};
use tidemill_kafka_client::{
    Fetch, FetchFrom, KafkaClient, NewTopic, OffsetSpec, ProducerConfig, ProducerRecord,
    TopicPartition,
};
use tidemill_kafka_wire::records::{self, Record};

use super::Context;
use crate::arguments::Topic;
use crate::output;

/// How long one fetch waits for records that are to come.
const FETCH_WAIT: Duration = Duration::from_millis(500);
/// Bytes of one fetch.
const FETCH_BYTES_MAX: i32 = 4 << 20;

pub(crate) async fn run(context: Context, topic: Topic) -> anyhow::Result<()> {
    let kafka = context.kafka()?;
    match topic {
        Topic::Ls => list(&context, &kafka).await,
        Topic::Create { name, partitions, configs } => {
            create(&context, &kafka, name, partitions, &configs).await
        }
        Topic::Describe { name } => describe(&context, &kafka, &name).await,
        Topic::Tail { name, records, from_beginning, once } => {
            let from = if from_beginning { None } else { Some(records) };
            tail(&context, &kafka, &name, from, once).await
        }
        Topic::Produce { name, values, key } => produce(&context, &kafka, name, values, key).await,
    }
}

async fn list(context: &Context, kafka: &KafkaClient) -> anyhow::Result<()> {
    let mut topics = kafka.topics().await?;
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    let mut rows = Vec::new();
    for topic in topics {
        let records = crate::pipelines::records_in(kafka, &topic.name).await.unwrap_or(0);
        if context.json {
            output::json(&json!({
                "topic": topic.name, "partitions": topic.partitions.len(), "records": records,
                "internal": topic.is_internal,
            }))?;
        }
        rows.push(vec![topic.name, topic.partitions.len().to_string(), records.to_string()]);
    }
    if context.json {
        return Ok(());
    }
    output::table(&["TOPIC", "PARTITIONS", "RECORDS"], &rows)
}

async fn create(
    context: &Context,
    kafka: &KafkaClient,
    name: String,
    partitions: i32,
    configs: &[String],
) -> anyhow::Result<()> {
    let configs = configs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => bail!("{pair:?} is not KEY=VALUE; write for example retention.ms=86400000"),
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let created = kafka.create_topic(NewTopic { name: name.clone(), partitions, configs }).await?;
    if !created {
        bail!("topic {name} exists already; see: tidemill topic describe {name}");
    }
    if context.json {
        return output::json(&json!({ "created": name }));
    }
    output::line(&format!("created topic {name}"))
}

async fn describe(context: &Context, kafka: &KafkaClient, name: &str) -> anyhow::Result<()> {
    let partitions = partitions_of(kafka, name).await?;
    let starts = kafka.list_offsets(&partitions, OffsetSpec::Earliest).await?;
    let ends = kafka.list_offsets(&partitions, OffsetSpec::Latest).await?;
    let configs = kafka.describe_topic_configs(name).await?;
    let pairs: Vec<(i64, i64)> =
        starts.iter().zip(&ends).map(|(start, end)| (start.offset, end.offset)).collect();
    if context.json {
        let partitions: Vec<Value> = partitions
            .iter()
            .zip(&pairs)
            .map(
                |(at, (start, end))| json!({"partition": at.partition, "start": start, "end": end}),
            )
            .collect();
        let configs: Map<String, Value> =
            configs.into_iter().map(|entry| (entry.name, json!(entry.value))).collect();
        return output::json(&json!({"topic": name, "partitions": partitions, "configs": configs}));
    }
    let rows: Vec<Vec<String>> = partitions
        .iter()
        .zip(&pairs)
        .map(|(at, (start, end))| {
            vec![
                at.partition.to_string(),
                start.to_string(),
                end.to_string(),
                (end - start).to_string(),
            ]
        })
        .collect();
    output::table(&["PARTITION", "START", "END", "RECORDS"], &rows)?;
    output::line("")?;
    let rows: Vec<Vec<String>> = configs
        .into_iter()
        .map(|entry| vec![entry.name, entry.value.unwrap_or_default()])
        .collect();
    output::table(&["CONFIG", "VALUE"], &rows)
}

/// Prints the last `newest` records (all, if none is given), then those that come.
async fn tail(
    context: &Context,
    kafka: &KafkaClient,
    name: &str,
    newest: Option<u32>,
    once: bool,
) -> anyhow::Result<()> {
    let partitions = partitions_of(kafka, name).await?;
    let starts = kafka.list_offsets(&partitions, OffsetSpec::Earliest).await?;
    let ends = kafka.list_offsets(&partitions, OffsetSpec::Latest).await?;
    let mut positions: Vec<(i32, i64, i64)> = starts
        .iter()
        .zip(&ends)
        .map(|(start, end)| {
            let from = newest.map_or(start.offset, |n| end.offset - i64::from(n));
            (start.partition, from.max(start.offset), end.offset)
        })
        .collect();
    // The newest of all partitions together: read each one's share, keep the last by time.
    let mut first = Vec::new();
    while positions.iter().any(|(_, at, end)| at < end) {
        let records = fetch(kafka, name, &mut positions, Duration::ZERO).await?;
        match newest {
            None => print_all(context, &records)?,
            Some(_) => first.extend(records),
        }
    }
    if let Some(n) = newest {
        first.sort_by_key(|(partition, record)| (record.timestamp, *partition, record.offset));
        let skip = first.len().saturating_sub(n as usize);
        print_all(context, &first[skip..])?;
    }
    if once {
        return Ok(());
    }
    loop {
        let records = fetch(kafka, name, &mut positions, FETCH_WAIT).await?;
        print_all(context, &records)?;
    }
}

/// One fetch from all partitions; moves the positions past what came.
async fn fetch(
    kafka: &KafkaClient,
    topic: &str,
    positions: &mut [(i32, i64, i64)],
    max_wait: Duration,
) -> anyhow::Result<Vec<(i32, Record)>> {
    let from = positions.iter().map(|(partition, offset, _)| FetchFrom {
        topic: topic.to_owned(),
        partition: *partition,
        offset: *offset,
    });
    let request = Fetch {
        partitions: from.collect(),
        max_wait,
        min_bytes: 1,
        max_bytes: FETCH_BYTES_MAX,
        partition_max_bytes: FETCH_BYTES_MAX,
        read_committed: true,
    };
    let mut out = Vec::new();
    for fetched in kafka.fetch(&request).await? {
        let found = fetched.result.map_err(|code| {
            anyhow::anyhow!("cannot read {topic}-{}: {code:?}", fetched.partition)
        })?;
        let position = positions.iter_mut().find(|(partition, ..)| *partition == fetched.partition);
        let Some((_, at, _)) = position else { continue };
        for record in records::decode(&found.batches) {
            let record = record?;
            // A batch is given whole: what lies before the position was not asked for.
            if record.offset >= *at {
                *at = record.offset + 1;
                out.push((fetched.partition, record));
            }
        }
        *at = (*at).max(found.next_offset.unwrap_or(*at));
    }
    Ok(out)
}

fn print_all(context: &Context, records: &[(i32, Record)]) -> anyhow::Result<()> {
    for (partition, record) in records {
        if context.json {
            output::json(&as_json(*partition, record))?;
            continue;
        }
        let key = record.key.as_deref().map(|key| format!("{} ", shown(key))).unwrap_or_default();
        let value = record.value.as_deref().map_or("(tombstone)".to_owned(), shown);
        output::line(&format!("{partition}:{} {key}{value}", record.offset))?;
    }
    Ok(())
}

fn as_json(partition: i32, record: &Record) -> Value {
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|header| json!({"key": header.key, "value": header.value.as_deref().map(value_of)}))
        .collect();
    json!({
        "partition": partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": record.key.as_deref().map(value_of),
        "value": record.value.as_deref().map(value_of),
        "headers": headers,
    })
}

/// Text as text; other bytes as base64, so that nothing is lost.
fn value_of(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

/// Text without what would move the cursor.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
        .collect()
}

async fn produce(
    context: &Context,
    kafka: &KafkaClient,
    topic: String,
    values: Vec<String>,
    key: Option<String>,
) -> anyhow::Result<()> {
    let values = if values.is_empty() {
        std::io::stdin().lock().lines().collect::<Result<_, _>>().context("cannot read stdin")?
    } else {
        values
    };
    let producer = kafka.producer(ProducerConfig::default());
    let send = |value: String| {
        producer.send(ProducerRecord {
            topic: topic.clone(),
            partition: None,
            key: key.clone().map(Into::into),
            value: Some(value.into()),
            headers: Vec::new(),
            timestamp: None,
        })
    };
    // Lines keep their order: records are written in the order of the calls.
    for written in futures::future::join_all(values.into_iter().map(send)).await {
        let written = written?;
        if context.json {
            output::json(&json!({
                "topic": written.topic, "partition": written.partition, "offset": written.offset,
            }))?;
        } else {
            output::line(&format!("{}:{}", written.partition, written.offset))?;
        }
    }
    Ok(())
}

async fn partitions_of(kafka: &KafkaClient, name: &str) -> anyhow::Result<Vec<TopicPartition>> {
    let Some(topic) = kafka.topic(name).await? else {
        bail!("there is no topic {name}; see: tidemill topic ls");
    };
    let mut numbers: Vec<i32> = topic.partitions.iter().map(|each| each.partition).collect();
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| TopicPartition::new(name, number)).collect())
}
