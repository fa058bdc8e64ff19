//! Topics with their ends, and groups with what they committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use tidemill_kafka_client::{
    ClientError, KafkaClient, ListedOffset, OffsetSpec, TopicMetadata, TopicPartition,
};
use tidemill_runtime::Shutdown;

use super::facts::{Committed, Group, Partition, Topic, Topics};
use super::{Pace, flow};
use crate::app::App;
use crate::error::Part;

/// Partitions whose ends are asked for; a larger cluster shows its first topics by name.
const PARTITIONS_MAX: usize = 20_000;
/// Groups that are asked for their offsets.
const GROUPS_MAX: usize = 200;
/// Groups asked at once.
const GROUPS_AT_ONCE: usize = 4;
/// Turns after which log starts are asked for again; they move with retention only.
const STARTS_EVERY: u32 = 10;

/// Asks for topics and ends, once a turn.
pub(super) async fn watch(app: Arc<App>, stop: Shutdown) {
    if app.endpoints.kafka.is_empty() {
        return;
    }
    let mut pace = Pace::new(&app, &stop, 1);
    let mut turn = 0_u32;
    let mut starts = BTreeMap::new();
    while pace.next().await {
        let began = app.world.clock.monotonic();
        let answer = tokio::select! {
            answer = read_topics(&app.kafka, &mut starts, turn.is_multiple_of(STARTS_EVERY)) => answer,
            () = stop.requested() => return,
        };
        turn = turn.wrapping_add(1);
        let now = app.world.clock.monotonic();
        let took = now.saturating_sub(began);
        if let Ok(topics) = &answer {
            let mut rates = app.watch.rates.lock();
            for (name, topic) in topics.iter().filter(|(_, topic)| !topic.internal) {
                rates.observe(&flow::topic_id(name), now, topic.end());
            }
            rates.tidy(now);
        }
        let answer = answer.map_err(|error| error.to_string());
        let counted = answer.as_ref().map(|topics| topics.values().filter(|t| !t.internal).count());
        let detail = counted.map(|n| Some(count(n, "topic"))).map_err(Clone::clone);
        let mut facts = app.watch.facts.write();
        if let Some(health) = facts.health.get_mut(&Part::Broker) {
            health.update(detail, milliseconds(took));
        }
        facts.topics.update(answer);
    }
}

type Starts = BTreeMap<(String, i32), i64>;

async fn read_topics(
    kafka: &KafkaClient,
    starts: &mut Starts,
    ask_starts: bool,
) -> Result<Topics, ClientError> {
    let mut listed = kafka.topics().await?;
    listed.sort_unstable_by(|a, b| (a.is_internal, &a.name).cmp(&(b.is_internal, &b.name)));
    let mut partitions = Vec::new();
    for topic in &listed {
        let led = topic.partitions.iter().filter(|p| p.leader.is_some());
        partitions.extend(led.map(|p| TopicPartition::new(topic.name.clone(), p.partition)));
    }
    partitions.truncate(PARTITIONS_MAX);
    let new = partitions.iter().any(|p| !starts.contains_key(&(p.topic.clone(), p.partition)));
    if ask_starts || new {
        *starts = by_partition(kafka.list_offsets(&partitions, OffsetSpec::Earliest).await?);
    }
    let ends = by_partition(kafka.list_offsets(&partitions, OffsetSpec::Latest).await?);
    Ok(listed.into_iter().map(|topic| (topic.name.clone(), known(topic, starts, &ends))).collect())
}

fn by_partition(listed: Vec<ListedOffset>) -> Starts {
    listed.into_iter().map(|one| ((one.topic, one.partition), one.offset)).collect()
}

fn known(topic: TopicMetadata, starts: &Starts, ends: &Starts) -> Topic {
    let of = |offsets: &Starts, partition: i32| {
        offsets.get(&(topic.name.clone(), partition)).copied().unwrap_or(0).max(0)
    };
    let partitions = topic.partitions.iter().map(|p| Partition {
        partition: p.partition,
        leader: p.leader,
        start: of(starts, p.partition),
        end: of(ends, p.partition),
    });
    let mut partitions: Vec<Partition> = partitions.collect();
    partitions.sort_unstable_by_key(|p| p.partition);
    // Brokers mark few topics as internal; by convention a leading underscore says the same.
    let internal = topic.is_internal || topic.name.starts_with('_');
    Topic { id: topic.id, internal, partitions }
}

/// Asks for groups, their members and their offsets, every other turn.
pub(super) async fn watch_groups(app: Arc<App>, stop: Shutdown) {
    if app.endpoints.kafka.is_empty() {
        return;
    }
    let mut pace = Pace::new(&app, &stop, 2);
    while pace.next().await {
        let answer = tokio::select! {
            answer = read_groups(&app.kafka) => answer,
            () = stop.requested() => return,
        };
        let now = app.world.clock.monotonic();
        if let Ok(groups) = &answer {
            observe(&app, groups, now);
        }
        app.watch.facts.write().groups.update(answer.map_err(|error| error.to_string()));
    }
}

async fn read_groups(kafka: &KafkaClient) -> Result<Vec<Group>, ClientError> {
    let listed = kafka.list_groups().await?;
    let asked = stream::iter(listed.into_iter().take(GROUPS_MAX)).map(|group| async move {
        let described = kafka.describe_group(&group.group_id).await?;
        let committed = kafka.committed_offsets(&group.group_id).await?;
        let committed = committed.into_iter().map(|one| Committed {
            topic: one.topic,
            partition: one.partition,
            offset: one.offset,
        });
        Ok(Group {
            group: group.group_id,
            state: described.state,
            protocol_type: described.protocol_type,
            members: described.members.len(),
            committed: committed.collect(),
        })
    });
    asked.buffered(GROUPS_AT_ONCE).try_collect().await
}

fn observe(app: &App, groups: &[Group], now: Duration) {
    let facts = app.watch.facts.read();
    let topics = facts.topics.last.as_deref();
    let mut rates = app.watch.rates.lock();
    for group in groups {
        for name in group.topics() {
            let of_topic = group.committed.iter().filter(|one| one.topic == name);
            let read: i64 = of_topic.map(|one| one.offset).sum();
            rates.observe(&flow::read_counter(&group.group, &name), now, read);
            if let Some(topic) = topics.and_then(|topics| topics.get(&name)) {
                let lag = group.lag_in(&name, topic);
                rates.observe_level(&flow::group_lag_level(&group.group, &name), now, lag);
            }
        }
    }
}

pub(super) fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e4).round() / 10.0
}

/// `1 topic`, `3 topics`.
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
