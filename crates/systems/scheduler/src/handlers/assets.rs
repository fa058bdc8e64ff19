//! `/assets`: topics that tasks write.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::query::{Query, like};
use crate::text::json_instant;

/// `GET /assets`. The topic is the name; `kafka://topic` is the URI.
pub(super) async fn list(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = query.page()?;
    let (names, dag_ids) = (query.many("name_pattern"), query.many("dag_ids"));
    query.finish()?;
    let mut topics: BTreeMap<String, (String, Vec<Value>)> = BTreeMap::new();
    for info in api.directory.all() {
        if !dag_ids.is_empty() && !dag_ids.iter().any(|dag_id| **dag_id == *info.dag.dag_id) {
            continue;
        }
        let at = json_instant(info.parsed);
        for (topic, task_id) in info.dag.outlets() {
            let (_, producers) =
                topics.entry(topic.to_owned()).or_insert_with(|| (at.clone(), Vec::new()));
            producers.push(json!({
                "dag_id": &*info.dag.dag_id, "task_id": &**task_id,
                "created_at": at, "updated_at": at,
            }));
        }
    }
    topics.retain(|topic, _| names.iter().all(|name| like(name, topic)));
    let total = topics.len();
    let shown: Vec<Value> = topics
        .into_iter()
        .enumerate()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0))
        .map(|(index, (topic, (at, producers)))| {
            json!({
                "id": index + 1,
                "name": topic,
                "uri": format!("kafka://{topic}"),
                "group": "asset",
                "extra": {},
                "created_at": at,
                "updated_at": at,
                "scheduled_dags": [],
                "producing_tasks": producers,
                "consuming_tasks": [],
                "aliases": [],
                "watchers": [],
                "last_asset_event": null,
            })
        })
        .collect();
    Ok(Json(json!({ "assets": shown, "total_entries": total })))
}
