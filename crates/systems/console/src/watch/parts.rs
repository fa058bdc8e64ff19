//! Engine, registry and table store: do they answer, and what does the engine do.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tidemill_runtime::Shutdown;

use super::facts::Pipeline;
use super::kafka::{count, milliseconds};
use super::{Pace, flow};
use crate::app::App;
use crate::error::{ApiError, Part};

/// Turns between looks at what changes rarely.
const RARELY: u32 = 4;

/// The engine's listing of its pipelines.
#[derive(Debug, Deserialize)]
struct Listing {
    #[serde(default)]
    pipelines: Vec<Pipeline>,
}

/// Asks the engine for its pipelines, once a turn.
pub(super) async fn watch_engine(app: Arc<App>, stop: Shutdown) {
    if !app.engine.is_configured() {
        return;
    }
    let mut pace = Pace::new(&app, &stop, 1);
    while pace.next().await {
        let began = app.world.clock.monotonic();
        let answer = tokio::select! {
            answer = read_pipelines(&app) => answer,
            () = stop.requested() => return,
        };
        let now = app.world.clock.monotonic();
        if let Ok(pipelines) = &answer {
            let mut rates = app.watch.rates.lock();
            for pipeline in pipelines {
                rates.observe(&flow::in_counter(&pipeline.id), now, pipeline.records_in);
                rates.observe(&flow::out_counter(&pipeline.id), now, pipeline.records_out);
                rates.observe(&flow::dead_counter(&pipeline.id), now, pipeline.dead_letters);
                rates.observe_level(&flow::lag_level(&pipeline.id), now, pipeline.lag);
            }
        }
        let answer = answer.map_err(|error| error.to_string());
        let detail = answer.as_ref().map(|list| Some(count(list.len(), "pipeline")));
        let detail = detail.map_err(Clone::clone);
        let mut facts = app.watch.facts.write();
        if let Some(health) = facts.health.get_mut(&Part::Engine) {
            health.update(detail, milliseconds(now.saturating_sub(began)));
        }
        facts.pipelines.update(answer);
    }
}

/// A Flink gateway that is not ours has no listing: it is up and shows no pipelines.
async fn read_pipelines(app: &App) -> Result<Vec<Pipeline>, ApiError> {
    match app.engine.get::<Listing>("/v1/pipelines").await {
        Ok(listing) => Ok(listing.pipelines),
        Err(error) if error.status.is_client_error() => {
            app.engine.get::<Value>("/v1/info").await.map(|_| Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Asks whether the registry answers.
pub(super) async fn watch_registry(app: Arc<App>, stop: Shutdown) {
    if !app.registry.is_configured() {
        return;
    }
    let mut pace = Pace::new(&app, &stop, RARELY);
    while pace.next().await {
        let began = app.world.clock.monotonic();
        let answer = tokio::select! {
            answer = app.registry.get::<Vec<Value>>("/subjects") => answer,
            () = stop.requested() => return,
        };
        let took = milliseconds(app.world.clock.monotonic().saturating_sub(began));
        let detail = answer.map(|subjects| Some(count(subjects.len(), "subject")));
        let detail = detail.map_err(|error| error.to_string());
        if let Some(health) = app.watch.facts.write().health.get_mut(&Part::Registry) {
            health.update(detail, took);
        }
    }
}

/// Asks whether the table store answers.
pub(super) async fn watch_store(app: Arc<App>, stop: Shutdown) {
    if !app.store.is_configured() {
        return;
    }
    let mut pace = Pace::new(&app, &stop, RARELY);
    while pace.next().await {
        let began = app.world.clock.monotonic();
        let question = app.store.page("SELECT release_version FROM system.local", (), 1, None);
        let answer = tokio::select! {
            answer = question => answer,
            () = stop.requested() => return,
        };
        let took = milliseconds(app.world.clock.monotonic().saturating_sub(began));
        let detail = answer.map(|page| {
            let version =
                page.rows.first().and_then(|row| row.first()?.as_str().map(str::to_owned));
            version.map(|version| format!("release {version}"))
        });
        let detail = detail.map_err(|error| error.to_string());
        if let Some(health) = app.watch.facts.write().health.get_mut(&Part::Store) {
            health.update(detail, took);
        }
    }
}
