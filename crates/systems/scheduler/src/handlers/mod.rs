//! The REST API: Airflow 3's `/api/v2`, its names, shapes and status codes.
//!
//! One file per resource. Handlers translate: reading is done by the store's reader and the
//! directory of DAGs, changing by commands, which are answered once they are on disk. Open on
//! loopback: the listener accepts no other address, and the guard no other host name.

mod assets;
mod body;
mod bulk;
mod connections;
mod dag_runs;
mod dag_sources;
mod dags;
mod error;
mod execution;
mod guard;
mod import_errors;
mod logs;
mod monitor;
mod pools;
mod query;
mod runs_change;
mod task_instances;
mod tasks;
mod trigger;
mod variables;
mod xcoms;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, patch, post};
use tidemill_runtime::World;

use crate::directory::{DagInfo, Directory};
use crate::logs::Logs;
use crate::shell::Commands;
use crate::store::{Reader, Settings};

use error::ApiError;

/// Largest request body, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) world: World,
    pub(crate) reader: Reader,
    pub(crate) settings: Settings,
    pub(crate) logs: Logs,
    pub(crate) directory: Directory,
    pub(crate) commands: Commands,
    pub(crate) dags_folder: PathBuf,
    /// This scheduler's name among others.
    pub(crate) node: String,
    /// What our own children show.
    pub(crate) token: Arc<str>,
}

impl Api {
    fn dag(&self, dag_id: &str) -> Result<DagInfo, ApiError> {
        let unknown = || ApiError::not_found(format!("The Dag with ID: `{dag_id}` was not found"));
        self.directory.get(dag_id).ok_or_else(unknown)
    }

    async fn run(&self, dag_id: &str, run_id: &str) -> Result<crate::core::RunRow, ApiError> {
        let found = self.reader.run(dag_id, run_id).await?;
        found.ok_or_else(|| ApiError::no_run(dag_id, run_id))
    }
}

/// All routes.
pub(crate) fn router(api: Api) -> Router {
    let run = "/dags/{dag_id}/dagRuns/{dag_run_id}";
    let task = format!("{run}/taskInstances/{{task_id}}");
    let v2 = Router::new()
        .route("/version", get(monitor::version))
        .route("/monitor/health", get(monitor::health))
        .route("/dags", get(dags::list))
        .route("/dags/{dag_id}", get(dags::get).patch(dags::patch))
        .route("/dags/{dag_id}/details", get(dags::details))
        .route("/dags/{dag_id}/tasks", get(tasks::list))
        .route("/dags/{dag_id}/tasks/{task_id}", get(tasks::get))
        .route("/dags/{dag_id}/dagVersions", get(dag_sources::versions))
        .route("/dags/{dag_id}/clearTaskInstances", post(runs_change::clear_tasks))
        .route("/dags/{dag_id}/dagRuns", get(dag_runs::list).post(trigger::post))
        .route(run, get(dag_runs::get).patch(runs_change::patch))
        .route(&format!("{run}/clear"), post(runs_change::clear_run))
        .route(&format!("{run}/taskInstances"), get(task_instances::list))
        .route(&task, get(task_instances::get))
        .route(&format!("{task}/tries"), get(task_instances::tries))
        .route(&format!("{task}/logs/{{try_number}}"), get(logs::get))
        .route(&format!("{task}/xcomEntries"), get(xcoms::list))
        .route(&format!("{task}/xcomEntries/{{xcom_key}}"), get(xcoms::get))
        .route("/dagSources/{dag_id}", get(dag_sources::get))
        .route("/dagStats", get(dag_runs::stats))
        .route("/dagTags", get(dags::tags))
        .route("/assets", get(assets::list))
        .route("/importErrors", get(import_errors::list))
        .route("/importErrors/{import_error_id}", get(import_errors::get))
        .route("/pools", get(pools::list).post(pools::post).patch(pools::bulk))
        .route("/pools/{*pool_name}", get(pools::get).patch(pools::patch).delete(pools::delete))
        .route("/variables", get(variables::list).post(variables::post).patch(variables::bulk))
        .route(
            "/variables/{*variable_key}",
            get(variables::get).patch(variables::patch).delete(variables::delete),
        )
        .route(
            "/connections",
            get(connections::list).post(connections::post).patch(connections::bulk),
        )
        .route("/connections/test", post(connections::test))
        .route(
            "/connections/{connection_id}",
            get(connections::get).patch(connections::patch).delete(connections::delete),
        )
        .route("/{*rest}", patch(unknown).get(unknown).post(unknown).put(unknown).delete(unknown));
    let own = axum::middleware::from_fn_with_state(api.clone(), execution::own_children_only);
    let for_tasks = Router::new()
        .route(
            "/variables/{*key}",
            get(execution::variable)
                .put(execution::put_variable)
                .delete(execution::delete_variable),
        )
        .route("/connections/{conn_id}", get(execution::connection))
        .route_layer(own);
    Router::new()
        .nest("/api/v2", v2)
        .nest("/execution", for_tasks)
        .route("/health", get(monitor::health))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(guard::loopback_only))
        .with_state(api)
}

async fn unknown() -> ApiError {
    ApiError::not_found("Not Found")
}

#[cfg(test)]
mod tests;
