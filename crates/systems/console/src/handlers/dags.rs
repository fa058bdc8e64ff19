//! DAGs with their runs: sums of several answers of Airflow's REST API, so that a page asks once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::segment;
use crate::app::App;
use crate::error::ApiError;
use crate::watch::returned;

/// DAGs listed with their runs.
const DAGS_MAX: usize = 200;
/// Runs shown beside a DAG in the list.
const RUNS_IN_LIST: usize = 14;
/// Runs of a grid.
const RUNS: usize = 40;
const RUNS_MAX: usize = 365;
/// Tasks of one run.
const TASKS_MAX: usize = 1000;
/// Questions at once.
const AT_ONCE: usize = 8;

/// `GET /api/v1/dags`
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let dags = app.scheduler.pages("/api/v2/dags?order_by=dag_id", "dags", DAGS_MAX).await?;
    let with_runs = stream::iter(dags).map(|dag| {
        let app = &app;
        async move {
            let runs = runs(app, id_of(&dag), RUNS_IN_LIST).await?;
            Ok::<_, ApiError>(json!({"dag": dag, "runs": runs}))
        }
    });
    let dags: Vec<Value> = with_runs.buffered(AT_ONCE).try_collect().await?;
    let errors: Result<Value, ApiError> = app.scheduler.get("/api/v2/importErrors?limit=50").await;
    let errors = errors.map(|errors| array(errors, "import_errors")).unwrap_or_default();
    Ok(Json(json!({"dags": dags, "import_errors": errors})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GridParams {
    limit: Option<usize>,
}

/// `GET /api/v1/dags/{dag}/grid?limit=`: runs by tasks.
pub(super) async fn grid(
    State(app): State<Arc<App>>,
    Path(dag): Path<String>,
    Query(params): Query<GridParams>,
) -> Result<Json<Value>, ApiError> {
    let limit = params.limit.unwrap_or(RUNS).clamp(1, RUNS_MAX);
    let (details, tasks, runs) =
        tokio::try_join!(details(&app, &dag), tasks(&app, &dag), runs(&app, &dag, limit))?;
    let by_run = stream::iter(runs.clone()).map(|run| {
        let (app, dag) = (&app, &dag);
        async move {
            let id = text(&run, "dag_run_id").to_owned();
            let instances = instances(app, dag, &id).await?;
            let by_task: Map<String, Value> = instances
                .into_iter()
                .map(|instance| (text(&instance, "task_id").to_owned(), instance))
                .collect();
            Ok::<_, ApiError>((id, Value::Object(by_task)))
        }
    });
    let by_run: Map<String, Value> = by_run.buffered(AT_ONCE).try_collect().await?;
    Ok(Json(json!({"dag": details, "tasks": tasks, "runs": runs, "instances": by_run})))
}

/// `GET /api/v1/dags/{dag}/runs/{run}`: a run with its tasks and what they returned.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    Path((dag, run)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let path = format!("/api/v2/dags/{}/dagRuns/{}", segment(&dag), segment(&run));
    let (found, tasks, instances) = tokio::try_join!(
        app.scheduler.get::<Value>(&path),
        tasks(&app, &dag),
        instances(&app, &dag, &run),
    )?;
    let finished = instances.iter().filter(|instance| text(instance, "state") == "success");
    let ids: Vec<String> = finished.map(|instance| text(instance, "task_id").to_owned()).collect();
    let results = stream::iter(ids).map(|task| {
        let (app, dag, run) = (&app, segment(&dag), &run);
        async move { returned(app, &dag, run, &task).await.map(|value| (task, value)) }
    });
    let results: Vec<Option<(String, Value)>> = results.buffered(AT_ONCE).collect().await;
    let results: Map<String, Value> = results.into_iter().flatten().collect();
    Ok(Json(json!({"run": found, "tasks": tasks, "instances": instances, "results": results})))
}

/// With parameters, where the scheduler tells them.
async fn details(app: &App, dag: &str) -> Result<Value, ApiError> {
    let path = format!("/api/v2/dags/{}", segment(dag));
    match app.scheduler.get(&format!("{path}/details")).await {
        Err(error) if error.status.is_client_error() => app.scheduler.get(&path).await,
        answer => answer,
    }
}

async fn tasks(app: &App, dag: &str) -> Result<Vec<Value>, ApiError> {
    let tasks: Value = app.scheduler.get(&format!("/api/v2/dags/{}/tasks", segment(dag))).await?;
    Ok(array(tasks, "tasks"))
}

/// Newest first.
async fn runs(app: &App, dag: &str, limit: usize) -> Result<Vec<Value>, ApiError> {
    let path = format!("/api/v2/dags/{}/dagRuns?order_by=-run_after", segment(dag));
    app.scheduler.pages(&path, "dag_runs", limit).await
}

async fn instances(app: &App, dag: &str, run: &str) -> Result<Vec<Value>, ApiError> {
    let (dag, run) = (segment(dag), segment(run));
    let path = format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?order_by=id");
    app.scheduler.pages(&path, "task_instances", TASKS_MAX).await
}

fn array(mut body: Value, key: &str) -> Vec<Value> {
    match body.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn id_of(dag: &Value) -> &str {
    text(dag, "dag_id")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
