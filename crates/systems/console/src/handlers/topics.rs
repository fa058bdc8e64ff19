//! Topics: the list from what was seen, the detail asked for anew.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{ApiError, Part};
use crate::watch::facts::{Seen, Topics};
use crate::watch::flow::dead_letters_of;

/// What was seen of something, or why nothing was.
pub(super) fn seen<T>(seen: &Seen<T>, part: Part) -> Result<Arc<T>, ApiError> {
    match (&seen.error, &seen.last) {
        (None, Some(last)) => Ok(Arc::clone(last)),
        (Some(error), _) => Err(ApiError::down(part, error)),
        (None, None) => Err(ApiError::down(part, "it has not been asked yet; try again")),
    }
}

/// `GET /api/v1/topics`
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let facts = app.watch.facts.read();
    let topics = seen(&facts.topics, Part::Broker)?;
    let groups = facts.groups.last.as_deref().map_or(&[][..], |groups| groups.as_slice());
    // One pass over the groups, not one a topic.
    let mut readers = std::collections::HashMap::<String, usize>::new();
    for name in groups.iter().flat_map(|group| group.topics()) {
        *readers.entry(name).or_default() += 1;
    }
    let listed: Vec<Value> = topics
        .iter()
        .map(|(name, topic)| {
            json!({
                "name": name,
                "internal": topic.internal,
                "partitions": topic.partitions.len(),
                "records": topic.records(),
                "end": topic.end(),
                "groups": readers.get(name).copied().unwrap_or(0),
                "dead_letters_of": dead_letters_of(name, &topics),
            })
        })
        .collect();
    Ok(Json(json!({"topics": listed})))
}

/// `GET /api/v1/topics/{topic}`: partitions, configuration, readers, subjects.
pub(super) async fn detail(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = {
        let facts = app.watch.facts.read();
        let known = facts.topics.fresh().and_then(|topics| topics.get(&name).cloned());
        known.map(|topic| (topic, readers(&facts.groups, &name, facts.topics.last.as_deref())))
    };
    // One made a moment ago, or a broker that has not been asked yet.
    let Some((topic, groups)) = found else {
        let Some(fresh) = app.kafka.topic(&name).await? else {
            return Err(ApiError::missing(Part::Broker, format!("topic {name} does not exist")));
        };
        let partitions: Vec<Value> = fresh
            .partitions
            .iter()
            .map(|p| json!({"partition": p.partition, "leader": p.leader, "start": 0, "end": 0}))
            .collect();
        return Ok(Json(json!({
            "name": name, "id": fresh.id, "internal": fresh.is_internal, "partitions": partitions,
            "configs": [], "configs_error": null, "groups": [], "subjects": [],
        })));
    };
    let (configs, subjects) = tokio::join!(configs(&app, &name), subjects(&app, &name));
    let (configs, configs_error) = match configs {
        Ok(configs) => (configs, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Ok(Json(json!({
        "name": name,
        "id": topic.id,
        "internal": topic.internal,
        "partitions": topic.partitions,
        "configs": configs,
        "configs_error": configs_error,
        "groups": groups,
        "subjects": subjects,
    })))
}

fn readers(
    groups: &Seen<Vec<crate::watch::facts::Group>>,
    name: &str,
    topics: Option<&Topics>,
) -> Vec<Value> {
    let groups = groups.last.as_deref().map_or(&[][..], |groups| groups.as_slice());
    let topic = topics.and_then(|topics| topics.get(name));
    groups
        .iter()
        .filter(|group| group.committed.iter().any(|one| one.topic == name))
        .map(|group| {
            let lag = topic.map_or(0, |topic| group.lag_in(name, topic));
            json!({"group": group.group, "state": group.state, "lag": lag})
        })
        .collect()
}

async fn configs(app: &App, name: &str) -> Result<Vec<Value>, ApiError> {
    let entries = app.kafka.describe_topic_configs(name).await?;
    let shown = |entry: tidemill_kafka_client::ConfigEntry| {
        json!({
            "name": entry.name,
            "sensitive": entry.value.is_none(),
            "value": entry.value,
            "is_default": entry.is_default,
            "read_only": entry.read_only,
        })
    };
    Ok(entries.into_iter().map(shown).collect())
}

/// The subjects that the usual naming gives this topic; none if there is no registry.
async fn subjects(app: &App, name: &str) -> Vec<String> {
    let Ok(all) = app.registry.get::<Vec<String>>("/subjects").await else { return Vec::new() };
    all.into_iter()
        .filter(|subject| {
            subject.strip_prefix(name).is_some_and(|rest| matches!(rest, "-key" | "-value"))
        })
        .collect()
}
