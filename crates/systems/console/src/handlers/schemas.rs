//! Subjects and their versions, from Confluent's registry REST.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::segment;
use crate::app::App;
use crate::error::ApiError;

/// Subjects whose newest version is asked for.
const SUBJECTS_MAX: usize = 500;
/// Versions of a subject that are shown.
const VERSIONS_MAX: usize = 200;
/// Questions at once.
const AT_ONCE: usize = 8;

#[derive(Debug, Deserialize)]
struct Version {
    version: i64,
    id: i64,
    schema: String,
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Value>,
}

impl Version {
    /// The registry leaves `AVRO` out.
    fn kind(&self) -> &str {
        self.schema_type.as_deref().unwrap_or("AVRO")
    }
}

#[derive(Debug, Deserialize)]
struct Level {
    #[serde(rename = "compatibilityLevel")]
    level: String,
}

/// `GET /api/v1/schemas`
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let subjects: Vec<String> = app.registry.get("/subjects").await?;
    let summaries = stream::iter(subjects.into_iter().take(SUBJECTS_MAX))
        .map(|subject| summary(&app, subject))
        .buffered(AT_ONCE);
    let summaries: Vec<Option<Value>> = summaries.try_collect().await?;
    Ok(Json(json!({"subjects": summaries.into_iter().flatten().collect::<Vec<_>>()})))
}

/// `None` for one that was deleted between two questions.
async fn summary(app: &App, subject: String) -> Result<Option<Value>, ApiError> {
    let path = format!("/subjects/{}/versions", segment(&subject));
    let newest_path = format!("{path}/latest");
    let asked = tokio::try_join!(
        app.registry.get::<Vec<i64>>(&path),
        app.registry.get::<Version>(&newest_path),
        level(app, &subject),
    );
    match asked {
        Ok((versions, newest, (level, _))) => Ok(Some(json!({
            "subject": subject,
            "versions": versions.len(),
            "latest": newest.version,
            "id": newest.id,
            "type": newest.kind(),
            "compatibility": level,
        }))),
        Err(error) if error.status == axum::http::StatusCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

/// The level that holds for a subject, and whether it is the registry's own.
async fn level(app: &App, subject: &str) -> Result<(String, bool), ApiError> {
    match app.registry.get::<Level>(&format!("/config/{}", segment(subject))).await {
        Ok(own) => Ok((own.level, false)),
        Err(error) if error.status.is_client_error() => {
            Ok((app.registry.get::<Level>("/config").await?.level, true))
        }
        Err(error) => Err(error),
    }
}

/// `GET /api/v1/schemas/{subject}`: all its live versions.
pub(super) async fn detail(
    State(app): State<Arc<App>>,
    Path(subject): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let path = format!("/subjects/{}/versions", segment(&subject));
    let numbers: Vec<i64> = app.registry.get(&path).await?;
    let newest = numbers.len().saturating_sub(VERSIONS_MAX);
    let versions = stream::iter(numbers.into_iter().skip(newest))
        .map(|number| {
            let path = format!("{path}/{number}");
            let app = &app;
            async move { app.registry.get::<Version>(&path).await }
        })
        .buffered(AT_ONCE);
    let versions: Vec<Version> = versions.try_collect().await?;
    let (level, inherited) = level(&app, &subject).await?;
    let shown = |version: &Version| {
        json!({
            "version": version.version,
            "id": version.id,
            "type": version.kind(),
            "schema": version.schema,
            "references": version.references,
        })
    };
    Ok(Json(json!({
        "subject": subject,
        "compatibility": level,
        "compatibility_inherited": inherited,
        "versions": versions.iter().map(shown).collect::<Vec<_>>(),
    })))
}
