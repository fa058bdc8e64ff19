//! DAGs that write topics, by Airflow's REST API v2: its assets say which.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tidemill_runtime::Shutdown;

use super::Pace;
use super::facts::{Moved, Mover, Run, Scheduler};
use super::kafka::{count, milliseconds};
use crate::app::App;
use crate::error::{ApiError, Part};
use crate::handlers::segment;

/// DAGs on the map.
const MOVERS_MAX: usize = 20;
/// Newest runs of a DAG that are looked at: a run by hand may end while one by schedule goes on.
const RUNS: usize = 10;
/// How long parameters are believed; they change with the DAG's file.
const PARAMS_FOR: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
struct Assets {
    assets: Vec<Asset>,
}

#[derive(Debug, Deserialize)]
struct Asset {
    uri: Option<String>,
    name: Option<String>,
    #[serde(default)]
    producing_tasks: Vec<TaskRef>,
    /// Airflow 3.1 and later: tasks that name it as an inlet.
    #[serde(default)]
    consuming_tasks: Vec<TaskRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct TaskRef {
    dag_id: String,
    task_id: String,
}

#[derive(Debug, Deserialize)]
struct Dags {
    dags: Vec<Dag>,
    #[serde(default)]
    total_entries: usize,
}

#[derive(Debug, Deserialize)]
struct Dag {
    dag_id: String,
    #[serde(default)]
    is_paused: bool,
    timetable_summary: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Runs {
    dag_runs: Vec<DagRun>,
}

#[derive(Debug, Deserialize)]
struct DagRun {
    dag_run_id: String,
    state: String,
    end_date: Option<String>,
    #[serde(default)]
    conf: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    params: Option<Value>,
}

/// A run that is over, as it was when its end was first seen.
#[derive(Debug)]
struct Ended {
    run_id: String,
    seen_ms: i64,
    moved: Option<Moved>,
    failure: Option<String>,
}

/// What is asked once: a run that is over does not change.
#[derive(Debug, Default)]
struct Known {
    /// DAG → its newest finished run.
    ended: BTreeMap<String, Ended>,
    /// DAG → when its parameters were asked for, and those of them that are URLs.
    params: BTreeMap<String, (Duration, BTreeMap<String, String>)>,
}

/// Asks the scheduler, every other turn.
pub(super) async fn watch(app: Arc<App>, stop: Shutdown) {
    if !app.scheduler.is_configured() {
        return;
    }
    let mut pace = Pace::new(&app, &stop, 2);
    let mut known = Known::default();
    while pace.next().await {
        let began = app.world.clock.monotonic();
        let answer = tokio::select! {
            answer = read(&app, &mut known) => answer,
            () = stop.requested() => return,
        };
        let took = milliseconds(app.world.clock.monotonic().saturating_sub(began));
        let answer = answer.map_err(|error| error.to_string());
        let detail = answer.as_ref().map(|seen| Some(count(seen.dags, "DAG")));
        let detail = detail.map_err(Clone::clone);
        let mut facts = app.watch.facts.write();
        if let Some(health) = facts.health.get_mut(&Part::Scheduler) {
            health.update(detail, took);
        }
        facts.scheduler.update(answer);
    }
}

async fn read(app: &App, known: &mut Known) -> Result<Scheduler, ApiError> {
    let dags: Dags = app.scheduler.get("/api/v2/dags?limit=100").await?;
    let assets = match app.scheduler.get::<Assets>("/api/v2/assets?limit=100").await {
        Ok(found) => found.assets,
        // A scheduler without assets still schedules.
        Err(error) if error.status.is_client_error() => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut movers: BTreeMap<String, (Mover, Vec<String>)> = BTreeMap::new();
    for asset in &assets {
        let Some(uri) = asset.uri.as_deref().or(asset.name.as_deref()) else { continue };
        if let Some(topic) = topic_of(uri) {
            for task in &asset.producing_tasks {
                let (mover, tasks) = movers.entry(task.dag_id.clone()).or_default();
                mover.topics.push(topic.to_owned());
                tasks.push(task.task_id.clone());
            }
        } else if uri.starts_with("http://") || uri.starts_with("https://") {
            for task in &asset.consuming_tasks {
                movers.entry(task.dag_id.clone()).or_default().0.urls.push(uri.to_owned());
            }
        }
    }
    let total = dags.total_entries.max(dags.dags.len());
    let mut seen = Scheduler { dags: total, movers: Vec::new() };
    for (dag_id, (mut mover, mut tasks)) in movers.into_iter().take(MOVERS_MAX) {
        let Some(dag) = dags.dags.iter().find(|dag| dag.dag_id == dag_id) else { continue };
        mover.topics.sort_unstable();
        mover.topics.dedup();
        tasks.sort_unstable();
        tasks.dedup();
        mover.paused = dag.is_paused;
        mover.schedule = dag.timetable_summary.clone();
        let runs = runs(app, &dag_id).await?;
        mover.running = runs.iter().any(|run| run.state == "running");
        let conf = runs.first().and_then(|newest| newest.conf.clone());
        if let Some(newest) = runs.into_iter().next() {
            mover.run = Some(newest_run(app, known, &dag_id, newest, &tasks).await);
        }
        if mover.urls.is_empty() {
            mover.urls = urls(app, known, &dag_id, conf.as_ref()).await;
        }
        mover.dag_id = dag_id;
        seen.movers.push(mover);
    }
    Ok(seen)
}

/// Newest first.
async fn runs(app: &App, dag_id: &str) -> Result<Vec<DagRun>, ApiError> {
    let dag = segment(dag_id);
    let path = format!("/api/v2/dags/{dag}/dagRuns?limit={RUNS}&order_by=-run_after");
    Ok(app.scheduler.get::<Runs>(&path).await?.dag_runs)
}

async fn newest_run(
    app: &App,
    known: &mut Known,
    dag_id: &str,
    newest: DagRun,
    tasks: &[String],
) -> Run {
    let dag = segment(dag_id);
    let now = app.world.clock.now_ms();
    let is_over =
        newest.end_date.is_some() && matches!(newest.state.as_str(), "success" | "failed");
    if !is_over {
        // What the run before moved stays, until this one can tell.
        let moved = known.ended.get(dag_id).and_then(|ended| ended.moved);
        let (id, state) = (newest.dag_run_id, newest.state);
        return Run { id, state, ended_ms_ago: None, moved, failure: None };
    }
    if known.ended.get(dag_id).is_none_or(|ended| ended.run_id != newest.dag_run_id) {
        let failed = newest.state == "failed";
        let ended = Ended {
            moved: moved_by(app, &dag, &newest.dag_run_id, tasks).await,
            failure: if failed { failure_of(app, &dag, &newest.dag_run_id).await } else { None },
            run_id: newest.dag_run_id.clone(),
            seen_ms: now,
        };
        known.ended.insert(dag_id.to_owned(), ended);
    }
    let ended = known.ended.get(dag_id);
    Run {
        id: newest.dag_run_id,
        state: newest.state,
        ended_ms_ago: ended.map(|ended| now - ended.seen_ms),
        moved: ended.and_then(|ended| ended.moved),
        failure: ended.and_then(|ended| ended.failure.clone()),
    }
}

/// Which task failed, and why if the scheduler tells that (ours does, Airflow's log does).
async fn failure_of(app: &App, dag: &str, run: &str) -> Option<String> {
    let run = segment(run);
    let path = format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?state=failed");
    let failed = app.scheduler.pages(&path, "task_instances", 10).await.ok()?;
    let first = failed.first()?;
    let task = first["task_id"].as_str()?;
    Some(match first["tidemill_reason"].as_str() {
        Some(reason) => format!("Task {task} failed: {reason}"),
        None => format!("Task {task} failed in its newest run."),
    })
}

/// Where a DAG reads, if nothing says it better: its parameters that are URLs, as the newest run
/// had them.
async fn urls(app: &App, known: &mut Known, dag_id: &str, conf: Option<&Value>) -> Vec<String> {
    let now = app.world.clock.monotonic();
    let is_old =
        known.params.get(dag_id).is_none_or(|(at, _)| now.saturating_sub(*at) > PARAMS_FOR);
    if is_old {
        let path = format!("/api/v2/dags/{}/details", segment(dag_id));
        let details = app.scheduler.get::<Details>(&path).await.ok();
        let params = details.and_then(|details| details.params);
        known.params.insert(dag_id.to_owned(), (now, urls_in(params.as_ref())));
    }
    let mut urls = known.params.get(dag_id).map(|(_, urls)| urls.clone()).unwrap_or_default();
    urls.extend(urls_in(conf));
    urls.into_values().collect()
}

/// Of an object of values, or of Airflow's `{value, schema, …}`, those that are URLs.
fn urls_in(params: Option<&Value>) -> BTreeMap<String, String> {
    let Some(Value::Object(params)) = params else { return BTreeMap::new() };
    let url = |(name, value): (&String, &Value)| {
        let text = value.as_str().or_else(|| value.get("value")?.as_str())?;
        let is_url = text.starts_with("http://") || text.starts_with("https://");
        is_url.then(|| (name.clone(), text.to_owned()))
    };
    params.iter().filter_map(url).collect()
}

/// What the tasks of a run returned, where they return counts.
async fn moved_by(app: &App, dag: &str, run: &str, tasks: &[String]) -> Option<Moved> {
    let mut total: Option<Moved> = None;
    for task in tasks {
        let Some(value) = returned(app, dag, run, task).await else { continue };
        let Ok(moved) = serde_json::from_value::<Moved>(value) else { continue };
        let sum = total.get_or_insert_default();
        sum.fetched += moved.fetched;
        sum.produced += moved.produced;
        sum.rejected += moved.rejected;
    }
    total
}

/// A task's `return_value`: an object, or the text of one.
pub(crate) async fn returned(app: &App, dag: &str, run: &str, task: &str) -> Option<Value> {
    let (run, task) = (segment(run), segment(task));
    let path =
        format!("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value");
    let entry: Value = app.scheduler.get(&path).await.ok()?;
    let value = match &entry["value"] {
        Value::String(text) => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    value.is_object().then_some(value)
}

/// `kafka://users_created` and `kafka://host:9092/users_created` both name a topic.
fn topic_of(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("kafka://")?.trim_end_matches('/');
    let name = rest.rsplit('/').next().unwrap_or(rest);
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_are_urls_are_where_a_dag_reads() {
        let params = serde_json::json!({
            "url": {"value": "https://randomuser.me/api/", "schema": {"type": "string"}},
            "plain": "http://127.0.0.1:8899/api/", "rate": "20/s", "n": 3, "none": null,
        });
        let found = urls_in(Some(&params));
        assert_eq!(
            found.into_values().collect::<Vec<_>>(),
            ["http://127.0.0.1:8899/api/", "https://randomuser.me/api/"]
        );
        assert!(urls_in(None).is_empty());
    }

    #[test]
    fn an_asset_names_its_topic_with_or_without_a_broker() {
        for (uri, topic) in [
            ("kafka://users_created", Some("users_created")),
            ("kafka://127.0.0.1:9092/users_created", Some("users_created")),
            ("kafka://users_created/", Some("users_created")),
            ("kafka://", None),
            ("s3://bucket/key", None),
        ] {
            assert_eq!(topic_of(uri), topic, "{uri}");
        }
    }
}
