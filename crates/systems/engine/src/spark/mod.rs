//! Spark Connect: PySpark's front door. Plans come as messages over gRPC and run on the same
//! operators, checkpoints, connectors and dead letters as the SQL of pipelines.
//!
//! ```text
//!  http2 ─▶ service ─▶ handlers ─▶ resolve (relation ▶ frame) ─┬▶ execute (rows, commands)
//!                        sql (text ▶ the same relations) ──┘   └▶ streams (a job of the engine)
//! ```
//!
//! - [`resolve`]: names to columns, functions to DataFusion's or our own ([`functions`]);
//! - [`streams`]: `writeStream` as a job; the job's checkpoint lies in `checkpointLocation`;
//! - [`sessions`], [`operations`]: what a client left here, all of it bounded.
//!
//! What is missing is refused by name, with Spark's own error class, before anything is done.

mod catalog;
mod conf;
mod error;
mod execute;
mod frame;
mod functions;
mod handlers;
mod http2;
mod operations;
mod resolve;
mod service;
mod sessions;
mod show;
mod sql;
mod streams;
mod types;

use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{Tasks, World};
use tokio::net::TcpListener;

use crate::server::EnginePaths;
use crate::session::Core;
use service::Service;
use sessions::Sessions;

/// How often sessions that nobody uses are looked for.
const EXPIRY_TICK: Duration = Duration::from_secs(60);

/// Serves Spark Connect until the tasks are stopped.
pub(crate) fn start(
    listener: TcpListener,
    core: &Arc<Core>,
    paths: EnginePaths,
    world: World,
    tasks: &Tasks,
) {
    let sessions = Sessions::new(core.config.sessions_max, world.clone(), tasks.shutdown());
    let service = Arc::new(Service {
        core: Arc::clone(core),
        sessions,
        queries: streams::Queries::default(),
        tasks: tasks.clone(),
        world,
        paths,
    });
    tasks.spawn_vital("spark sessions", expire(Arc::clone(&service), tasks.clone()));
    tasks.spawn_vital("spark connect", http2::accept(listener, service, tasks.clone()));
}

async fn expire(service: Arc<Service>, tasks: Tasks) -> Result<(), std::convert::Infallible> {
    let shutdown = tasks.shutdown();
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            () = tokio::time::sleep(EXPIRY_TICK) => {}
        }
        service.sessions.expire(|session| service.queries.runs_in(session));
    }
}
