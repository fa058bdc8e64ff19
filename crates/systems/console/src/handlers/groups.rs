//! Consumer groups.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use tidemill_kafka_client::{GroupMember, OffsetSpec, TopicPartition};

use super::topics::seen;
use crate::app::App;
use crate::error::{ApiError, Part};

/// `GET /api/v1/groups`
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let facts = app.watch.facts.read();
    let groups = seen(&facts.groups, Part::Broker)?;
    let none = crate::watch::facts::Topics::new();
    let topics = facts.topics.last.as_deref().unwrap_or(&none);
    let listed: Vec<Value> = groups
        .iter()
        .map(|group| {
            json!({
                "group": group.group,
                "state": group.state,
                "protocol_type": group.protocol_type,
                "members": group.members,
                "topics": group.topics(),
                "lag": group.lag(topics),
            })
        })
        .collect();
    Ok(Json(json!({"groups": listed})))
}

/// `GET /api/v1/groups/{group}`: members, and lag by partition.
pub(super) async fn detail(
    State(app): State<Arc<App>>,
    Path(group): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let (described, committed) =
        tokio::try_join!(app.kafka.describe_group(&group), app.kafka.committed_offsets(&group))?;
    if described.state == "Dead" && committed.is_empty() {
        return Err(ApiError::missing(Part::Broker, format!("group {group} does not exist")));
    }
    // What it committed and what it was assigned: an assigned partition without a commit counts.
    let mut places: Vec<TopicPartition> = committed
        .iter()
        .map(|one| TopicPartition::new(one.topic.clone(), one.partition))
        .chain(described.members.iter().flat_map(GroupMember::assigned))
        .collect();
    places.sort_unstable_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    places.dedup();
    // A topic that was deleted has no end; its commits are shown without one.
    let existing = existing(&app, &places).await?;
    let ends = app.kafka.list_offsets(&existing, OffsetSpec::Latest).await?;
    let partitions: Vec<Value> = places
        .iter()
        .map(|at| {
            let of = |topic: &str, partition| topic == at.topic && partition == at.partition;
            let offset =
                committed.iter().find(|one| of(&one.topic, one.partition)).map(|c| c.offset);
            let end = ends.iter().find(|one| of(&one.topic, one.partition)).map(|end| end.offset);
            let reader = described.members.iter().find(|member| member.assigned().contains(at));
            json!({
                "topic": at.topic,
                "partition": at.partition,
                "committed": offset,
                "end": end.unwrap_or(0),
                "lag": offset.zip(end).map(|(offset, end)| (end - offset).max(0)),
                "member": reader.map(|member| &member.client_id),
            })
        })
        .collect();
    Ok(Json(json!({
        "group": group,
        "state": described.state,
        "protocol": described.protocol,
        "members": described.members.iter().map(member).collect::<Vec<_>>(),
        "partitions": partitions,
    })))
}

async fn existing(app: &App, places: &[TopicPartition]) -> Result<Vec<TopicPartition>, ApiError> {
    let topics = app.kafka.topics().await?;
    let is_there = |at: &&TopicPartition| {
        topics.iter().any(|topic| {
            topic.name == at.topic && topic.partitions.iter().any(|p| p.partition == at.partition)
        })
    };
    Ok(places.iter().filter(is_there).cloned().collect())
}

fn member(member: &GroupMember) -> Value {
    let mut assigned = std::collections::BTreeMap::<String, Vec<i32>>::new();
    for at in member.assigned() {
        assigned.entry(at.topic).or_default().push(at.partition);
    }
    let assignments: Vec<Value> = assigned
        .into_iter()
        .map(|(topic, partitions)| json!({"topic": topic, "partitions": partitions}))
        .collect();
    json!({
        "member_id": member.member_id,
        "client_id": member.client_id,
        "host": member.client_host,
        "assignments": assignments,
    })
}
