//! `tidemill up`: starts a project and stays until it is told to stop.

use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Context;
use crate::arguments::Up;
use crate::compose::{Scripts, Session};
use crate::config::Config;
use crate::node::Node;
use crate::output;
use crate::pipelines::{Watcher, get, http};
use crate::screen::{Parts, Screen};
use crate::supervisor;

/// How often the flow is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn run(mut context: Context, up: Up) -> anyhow::Result<()> {
    if let Some(dir) = &up.project {
        context.dir = dir.clone();
    }
    if !context.dir.is_dir() {
        bail!(
            "there is no directory {}; make a project with: tidemill init {}",
            context.dir.display(),
            context.dir.display()
        );
    }
    let session = Session::prepare(&context.dir, &up, context.json, &context.world).await?;
    let mut config = context.config()?;
    if let Some(data_dir) = up.data_dir {
        config.project.data_dir = std::path::absolute(data_dir)?;
    }
    if let Some(session) = &session {
        session.apply(&mut config);
    }
    if let Some(names) = &up.only {
        config.only(names)?;
    }
    let mut stop = Stop::new()?;
    let node = Node::start(config.clone(), context.world.clone()).await?;
    let mut screen = Screen::new(context.json);
    screen.ready(&config, &node, parts(&node).await)?;
    supervisor::tell(supervisor::READY);
    if !context.json {
        hint(&node)?;
    }
    let mut scripts = match &session {
        Some(session) => session.beside(&config, &node.endpoints).await?,
        None => Scripts::none(),
    };
    let kafka = context.kafka_of(&config, &node.endpoints);
    let mut watcher = Watcher::new(node.endpoints.clone(), kafka, context.world.clone());
    let outcome = tokio::select! {
        () = stop.asked() => Ok(()),
        (name, failure) = node.failed() => {
            Err(anyhow::anyhow!("{name} cannot go on: {failure}"))
        }
        watched = watch(&mut watcher, &mut screen, &mut scripts) => watched,
    };
    scripts.stop().await;
    if let Some(session) = session {
        session.stop().await;
    }
    supervisor::tell(supervisor::STOPPING);
    drain(node, &mut stop).await;
    outcome
}

/// Shows the flow until nobody reads it any more.
async fn watch(
    watcher: &mut Watcher,
    screen: &mut Screen,
    scripts: &mut Scripts,
) -> anyhow::Result<()> {
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        let shown = tokio::select! {
            said = scripts.said() => screen.said(&said),
            _ = every.tick() => match watcher.look().await {
                hops if hops.is_empty() => continue,
                hops => screen.flow(&hops, None),
            },
        };
        if let Err(error) = shown {
            if output::is_closed_pipe(&error) {
                // `tidemill up --json | head -1`: the node goes on without a reader.
                return std::future::pending().await;
            }
            return Err(error);
        }
    }
}

fn hint(node: &Node) -> anyhow::Result<()> {
    match &node.endpoints.console {
        Some(console) => output::line(&format!("open {console} · stop with Ctrl-C")),
        None => output::line("stop with Ctrl-C"),
    }
}

/// What the scheduler and the engine have loaded, and what they could not.
pub(super) async fn parts(node: &Node) -> Parts {
    let http = http();
    let mut parts = Parts::default();
    if let Some(scheduler) = &node.endpoints.scheduler {
        let total = |body: &Value| body["total_entries"].as_u64().unwrap_or(0);
        if let Ok(body) = get::<Value>(&http, &format!("{scheduler}/api/v2/dags")).await {
            parts.dags = total(&body);
        }
        if let Ok(body) = get::<Value>(&http, &format!("{scheduler}/api/v2/importErrors")).await {
            for error in body["import_errors"].as_array().into_iter().flatten() {
                let text = error["stack_trace"].as_str().unwrap_or_default();
                parts.problems.push(text.lines().next().unwrap_or_default().to_owned());
            }
        }
    }
    let watcher = Watcher::new(node.endpoints.clone(), None, node.world());
    for pipeline in watcher.pipelines().await {
        match (pipeline.state.as_str(), pipeline.failure) {
            ("FAILED", Some(failure)) => parts.problems.push(failure),
            _ => parts.pipelines += 1,
        }
    }
    parts
}

/// SIGINT and SIGTERM.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(super) fn new() -> anyhow::Result<Stop> {
        Ok(Stop {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Stops the node; asked a second time, the process ends at once. What was acknowledged is on disk
/// either way.
pub(super) async fn drain(node: Node, stop: &mut Stop) {
    tokio::select! {
        () = node.stop() => {}
        () = stop.asked() => std::process::exit(130),
    }
}

/// The configuration of a demo or a test node that was written a moment ago.
pub(super) fn config_in(context: &Context, dir: &std::path::Path) -> anyhow::Result<Config> {
    let context = Context {
        dir: dir.to_owned(),
        profile: context.profile.clone(),
        json: context.json,
        world: context.world.clone(),
    };
    Ok(context.config()?)
}
