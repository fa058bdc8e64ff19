//! `/dagSources/{dag_id}` and `/dags/{dag_id}/dagVersions`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::query::Query;
use super::task_instances::stable_id;
use crate::store::Version;
use crate::text::json_instant;

/// `GET /dagSources/{dag_id}`: JSON, or the text itself for `Accept: text/plain`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let number = query.number("version_number")?;
    let newest = api.reader.versions(&dag_id, number).await?.into_iter().next();
    let version = newest.ok_or_else(|| {
        let shown = number.map_or("None".to_owned(), |number| number.to_string());
        ApiError::not_found(format!(
            "The source code of the Dag {dag_id}, version_number {shown} was not found"
        ))
    })?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.starts_with("text/plain")) {
        let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((plain, version.file.text().to_string()).into_response());
    }
    let shape = json!({
        "content": &*version.file.text(), "dag_id": dag_id,
        "version_number": version.number, "dag_display_name": dag_id,
    });
    Ok(Json(shape).into_response())
}

/// `GET /dags/{dag_id}/dagVersions`.
pub(super) async fn versions(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = query.page()?;
    let number = query.number("version_number")?;
    query.finish()?;
    let versions = api.reader.versions(&dag_id, number).await?;
    if versions.is_empty() {
        api.dag(&dag_id)?;
    }
    let page = versions
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0));
    let shown: Vec<Value> = page.map(|version| version_json(&dag_id, version)).collect();
    Ok(Json(json!({ "dag_versions": shown, "total_entries": versions.len() })))
}

/// Airflow's `DagVersionResponse`.
pub(super) fn version_json(dag_id: &str, version: &Version) -> Value {
    json!({
        "id": stable_id(version.key.0, 0, 0).to_string(),
        "version_number": version.number,
        "dag_id": dag_id,
        "bundle_name": "dags-folder",
        "bundle_version": null,
        "created_at": json_instant(version.created),
        "dag_display_name": dag_id,
        "bundle_url": null,
    })
}
