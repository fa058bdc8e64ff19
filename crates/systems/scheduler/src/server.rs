//! The box: puts the parts together, listens, and drains.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemill_kafka_client::KafkaClient;
use tidemill_python::{PythonHome, Surroundings};
use tidemill_runtime::{BoxFuture, DirLock, Failure, System, Tasks, World, listen};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::core::{Core, Effect, Limits, RunKey};
use crate::dag::{DagFolder, KnownVersion};
use crate::directory::Directory;
use crate::error::StartError;
use crate::executor::{
    ChildEnvironment, Executor, ExecutorConfig, ExecutorParts, HttpClient, KafkaSink, RecordSink,
    ReqwestClient, kill_orphans,
};
use crate::handlers::{Api, router};
use crate::logs::Logs;
use crate::parser::{ANSWERS_MAX, Parser};
use crate::shell::{COMMANDS_MAX, Command, Commands, RunName, Shell, instant, reparse};
use crate::store::{Opened, Place, Reader, Store};
use crate::watch::FolderWatch;

/// Reports of tries that wait for the scheduler.
const REPORTS_MAX: usize = 1024;
/// Of what a child shows to be answered by `/execution`.
const TOKEN_BYTES: usize = 16;
/// Of a drain's time, the part that tries get to end in; the rest is for the listeners.
const DRAIN_SHARE: f64 = 0.9;

/// Where the scheduler finds and keeps things.
#[derive(Debug, Clone)]
pub struct SchedulerPaths {
    /// The user's project; it has the DAG folder.
    pub project: PathBuf,
    /// The scheduler's own directory: database and logs.
    pub data: PathBuf,
}

/// A running scheduler.
#[derive(Debug)]
pub struct Scheduler {
    address: SocketAddr,
    tasks: Tasks,
    commands: Commands,
    reader: Reader,
    _lock: DirLock,
}

impl Scheduler {
    /// Opens the database, goes on with what was not finished, reads the DAG folder, and listens.
    /// Returns when the REST API answers.
    pub async fn start(
        config: Config,
        paths: SchedulerPaths,
        kafka: KafkaClient,
        world: World,
    ) -> Result<Scheduler, StartError> {
        let http = ReqwestClient::new().map_err(|error| StartError::Http(error.to_string()))?;
        let sink = Arc::new(KafkaSink::new(kafka));
        Scheduler::start_with(config, paths, sink, Arc::new(http), world).await
    }

    /// As `start`, with another place for records and another HTTP client.
    pub async fn start_with(
        config: Config,
        paths: SchedulerPaths,
        sink: Arc<dyn RecordSink>,
        http: Arc<dyn HttpClient>,
        world: World,
    ) -> Result<Scheduler, StartError> {
        // The port comes first: whoever cannot have it must not touch the data.
        let listener = listen(config.listen, "[scheduler] listen")?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Directory { dir: paths.data.clone(), source })?;
        let lock = lock(&paths, &world)?;
        let tasks = Tasks::new();
        let (commands, asked) = mpsc::channel(COMMANDS_MAX);
        let commands = Commands(commands);
        let started = Parts { config, paths, sink, http, world, tasks: tasks.clone(), address };
        let Assembled { mut shell, api, restored, runs } =
            started.assemble(commands.clone(), asked).await?;
        let reader = api.reader.clone();
        // A DAG file may ask for a variable while it is read.
        serve(&tasks, listener, api);
        shell.begin(restored, &runs).await?;
        tasks.spawn_vital("scheduler", shell.work(tasks.shutdown()));
        Ok(Scheduler { address, tasks, commands, reader, _lock: lock })
    }
}

fn lock(paths: &SchedulerPaths, world: &World) -> Result<DirLock, StartError> {
    let dir = paths.data.clone();
    let directory = |source| StartError::Directory { dir: paths.data.clone(), source };
    world.disk.create_dir_all(&dir).map_err(directory)?;
    world.disk.lock_dir(&dir).map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => StartError::InUse { dir },
        _ => StartError::Directory { dir, source },
    })
}

fn serve(tasks: &Tasks, listener: TcpListener, api: Api) {
    let shutdown = tasks.shutdown();
    tasks.spawn_vital("scheduler's REST API", async move {
        let stop = async move { shutdown.requested().await };
        axum::serve(listener, router(api)).with_graceful_shutdown(stop).await
    });
}

struct Parts {
    config: Config,
    paths: SchedulerPaths,
    sink: Arc<dyn RecordSink>,
    http: Arc<dyn HttpClient>,
    world: World,
    tasks: Tasks,
    /// Where the REST API answers.
    address: SocketAddr,
}

/// The parts put together, and what is to be carried out first.
struct Assembled {
    shell: Shell,
    api: Api,
    restored: Vec<Effect>,
    runs: HashMap<RunKey, RunName>,
}

impl Parts {
    /// What children find around them.
    fn children(&self) -> Result<ChildEnvironment, StartError> {
        let Parts { config, paths, world, address, .. } = self;
        let home = PythonHome::unpack(&*world.disk, &paths.data)?;
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let project = absolute(&paths.project);
        let mut token = [0; TOKEN_BYTES];
        world.random.fill(&mut token);
        Ok(ChildEnvironment {
            dags_folder: project.join(&config.dags_folder),
            project,
            python: config.python.clone(),
            pass_environment: config.pass_environment.clone(),
            home: Some(home),
            surroundings: Surroundings {
                hosts: config.hosts.clone(),
                scheduler_url: Some(format!("http://{address}")),
                extra: config.environment.clone(),
            },
            token: token.iter().map(|byte| format!("{byte:02x}")).collect(),
            mark: mark(paths),
        })
    }

    async fn assemble(
        self,
        commands: Commands,
        asked: mpsc::Receiver<crate::shell::Asked>,
    ) -> Result<Assembled, StartError> {
        let children = self.children()?;
        let Parts { config, paths, sink, http, world, tasks, address: _ } = self;
        let data = &paths.data;
        let orphans = kill_orphans(&children.mark);
        if orphans > 0 {
            tracing::warn!(orphans, "processes of tasks outlived the last scheduler: killed");
        }
        let place = Place {
            data,
            database: config.database.as_deref(),
            schema: &config.database_schema,
            password_file: config.database_password_file.as_deref(),
            key_file: config.secrets_key_file.as_deref(),
            node: "localhost",
            address: "",
        };
        let Opened { mut store, reader, settings, .. } = Store::open(&world, place).await?;
        let limits = Limits {
            parallelism: config.parallelism.max(1),
            paused_at_creation: config.dags_are_paused_at_creation,
        };
        let restored = store.restore(reparse).await?;
        let known = store.latest_versions().await?;
        let directory = Directory::default();
        restored.dags.iter().for_each(|row| directory.set_row(row.clone()));
        let runs = restored.runs.iter().map(|snapshot| {
            let run = &snapshot.run;
            (run.key, (run.dag_id.clone(), run.run_id.clone()))
        });
        let runs: HashMap<RunKey, RunName> = runs.collect();
        let (core, effects) = Core::restore(limits, restored, instant(&world));

        let logs = Logs::new(world.clone(), data.join("logs"), config.log_bytes_max);
        let (reports, reported) = mpsc::channel(REPORTS_MAX);
        let executor_config = ExecutorConfig {
            children: children.clone(),
            scratch: std::path::absolute(data).unwrap_or_else(|_| data.clone()),
            engine_url: config.engine_url.clone(),
            kill_grace: config.kill_grace.0,
        };
        let parts = ExecutorParts {
            world: world.clone(),
            config: executor_config,
            logs: logs.clone(),
            reader: Some(reader.clone()),
            sink,
            http,
        };
        let executor = Executor::new(parts, tasks.clone(), reports);
        let root = children.dags_folder.clone();
        let (changed, changes) = mpsc::channel(1);
        let watch = FolderWatch::new(&paths.project, &root, changed);
        let known = known.into_iter().map(|(_, file)| KnownVersion(file)).collect();
        let folder = DagFolder::new(world.disk.clone(), root.clone(), known);
        let (answers, parsed) = mpsc::channel(ANSWERS_MAX);
        let token: Arc<str> = children.token.as_str().into();
        let parser = Parser::new(children, tasks.clone(), answers);
        let shell = Shell {
            world: world.clone(),
            core,
            store,
            executor,
            folder,
            watch,
            directory: directory.clone(),
            reports: reported,
            commands: asked,
            changed: changes,
            parser,
            parsed,
            logs: logs.clone(),
            keep_runs: config.keep_runs.0,
            forget_at: Duration::ZERO,
        };
        let api = Api {
            world,
            reader,
            settings,
            logs,
            directory,
            commands,
            dags_folder: root,
            parallelism: limits.parallelism,
            token,
        };
        Ok(Assembled { shell, api, restored: effects, runs })
    }
}

/// What our children carry: the data directory, which one scheduler at a time has.
fn mark(paths: &SchedulerPaths) -> String {
    let data = std::path::absolute(&paths.data).unwrap_or_else(|_| paths.data.clone());
    data.display().to_string()
}

impl System for Scheduler {
    fn name(&self) -> &'static str {
        "scheduler"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(self.tasks.failed())
    }

    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let end = tokio::time::Instant::now() + deadline;
            let share = deadline.mul_f64(DRAIN_SHARE);
            let drained = self.commands.give(Command::Drain);
            if tokio::time::timeout(share, drained).await.is_err() {
                tracing::warn!(
                    "tasks did not end in time: they will be found lost and tried again"
                );
            }
            let rest = end.saturating_duration_since(tokio::time::Instant::now());
            self.tasks.stop(rest).await;
            self.reader.close().await;
        })
    }
}
