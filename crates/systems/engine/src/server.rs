//! The running engine: its data, its jobs, its only socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{BoxFuture, DirLock, Failure, System, Tasks, World, listen};

use crate::config::Config;
use crate::ends::{Ends, EngineLinks, WireEnds};
use crate::error::StartError;
use crate::gateway::{Gateway, router};
use crate::jobs::Jobs;
use crate::pipelines;
use crate::plan::functions::Functions;
use crate::session::Core;
use crate::spark;

/// Where the engine reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnginePaths {
    /// The project; pipelines are in its folder `pipelines`.
    pub project: PathBuf,
    /// Checkpoints go here; made if absent.
    pub data: PathBuf,
}

/// A started engine.
pub struct Engine {
    address: SocketAddr,
    spark_address: SocketAddr,
    core: Arc<Core>,
    /// The gateway and its statements.
    tasks: Tasks,
    _held: DirLock,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the project's pipelines and the gateway. Broker, store and registry may still be down:
    /// jobs wait for them.
    pub async fn start(
        config: Config,
        links: EngineLinks,
        paths: EnginePaths,
        world: World,
    ) -> Result<Engine, StartError> {
        let ends = Arc::new(WireEnds::new(links, world.clone()));
        Engine::start_with(config, ends, paths, world).await
    }

    pub(crate) async fn start_with(
        config: Config,
        ends: Arc<dyn Ends>,
        paths: EnginePaths,
        world: World,
    ) -> Result<Engine, StartError> {
        let listener = listen(config.listen, "[engine] listen")?;
        let spark = listen(config.spark_listen, "[engine] spark_listen")?;
        let held = hold(&paths.data, &world)?;
        let local = listener.local_addr();
        let address =
            local.map_err(|source| StartError::Disk { path: paths.data.clone(), source })?;
        let spark_address = spark
            .local_addr()
            .map_err(|source| StartError::Disk { path: paths.data.clone(), source })?;
        let data = paths.data.clone();
        let jobs = Jobs::new(world.clone(), Arc::clone(&ends), data, Tasks::new());
        let functions = Functions::new(&world.clock);
        let core = Arc::new(Core { config, functions, ends, jobs });
        let catalog = pipelines::start(&paths.project, &core).await;
        let tasks = Tasks::new();
        spark::start(spark, &core, paths, world.clone(), &tasks);
        let gateway = Gateway::new(Arc::clone(&core), catalog, world, tasks.clone());
        let app = router(Arc::new(gateway));
        let shutdown = tasks.shutdown();
        tasks.spawn_vital("gateway", async move {
            let stopped = async move { shutdown.requested().await };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await
        });
        tracing::info!(%address, spark = %spark_address, "engine started");
        Ok(Engine { address, spark_address, core, tasks, _held: held })
    }

    /// Where Spark Connect answers.
    pub fn spark_address(&self) -> SocketAddr {
        self.spark_address
    }
}

/// Takes the data folder for this process alone.
fn hold(dir: &Path, world: &World) -> Result<DirLock, StartError> {
    let failed = |source| StartError::Disk { path: dir.to_owned(), source };
    world.disk.create_dir_all(dir).map_err(failed)?;
    world.disk.lock_dir(dir).map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => StartError::InUse { dir: dir.to_owned() },
        _ => failed(source),
    })
}

impl System for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(self.tasks.failed())
    }

    /// Jobs first, each with a last checkpoint; then the gateway.
    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (jobs, gateway) =
                tokio::join!(self.core.jobs.stop(deadline), self.tasks.stop(deadline));
            if !(jobs && gateway) {
                tracing::warn!("not everything ended before the deadline");
            }
        })
    }
}
