//! The box: puts the parts together, listens, and drains.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemill_kafka_client::KafkaClient;
use tidemill_python::{PythonHome, Surroundings};
use tidemill_runtime::{BoxFuture, DirLock, Failure, System, Tasks, World, listen};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::core::{Core, Limits};
use crate::dag::{DagFolder, KnownVersion};
use crate::directory::Directory;
use crate::error::StartError;
use crate::executor::{
    ChildEnvironment, Executor, ExecutorConfig, ExecutorParts, HttpClient, KafkaSink, RecordSink,
    ReqwestClient, kill_orphans,
};
use crate::handlers::{Api, router};
use crate::leadership::{Alone, Campaign, DatabaseLease, Elsewhere, Lead, Leadership};
use crate::logs::Logs;
use crate::node_name::node_name;
use crate::parser::{ANSWERS_MAX, Parser};
use crate::shell::{COMMANDS_MAX, Command, Commands, Role, Shell, instant};
use crate::store::{Environment, LeaderTable, Opened, Place, Reader, Settings, Store};
use crate::watch::FolderWatch;

/// Reports of tries that wait for the scheduler.
const REPORTS_MAX: usize = 1024;
/// Of what a child shows to be answered by `/execution`.
const TOKEN_BYTES: usize = 16;
/// Of a drain's time, the part that tries get to end in; the rest is for the listeners.
const DRAIN_SHARE: f64 = 0.9;

/// How long a start waits for the lease before the scheduler stands by.
const FIRST_TERM_WAIT: Duration = Duration::from_secs(2);

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
    settings: Settings,
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
        Scheduler::start_linked(config, paths, kafka, None, world).await
    }

    /// As `start`, one of several on a PostgreSQL whose lease is kept elsewhere.
    pub async fn start_linked(
        config: Config,
        paths: SchedulerPaths,
        kafka: KafkaClient,
        leadership: Option<Arc<dyn Leadership>>,
        world: World,
    ) -> Result<Scheduler, StartError> {
        let http = ReqwestClient::new().map_err(|error| StartError::Http(error.to_string()))?;
        let sink = Arc::new(KafkaSink::new(kafka));
        let http = Arc::new(http);
        let tasks = Tasks::new();
        Parts { config, paths, sink, http, leadership, world, tasks }.start().await
    }

    /// As `start`, with another place for records and another HTTP client.
    pub async fn start_with(
        config: Config,
        paths: SchedulerPaths,
        sink: Arc<dyn RecordSink>,
        http: Arc<dyn HttpClient>,
        world: World,
    ) -> Result<Scheduler, StartError> {
        let tasks = Tasks::new();
        Parts { config, paths, sink, http, leadership: None, world, tasks }.start().await
    }

    /// Variables, connections and pools, for whoever works beside the scheduler.
    pub fn settings(&self) -> Settings {
        self.settings.clone()
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
    leadership: Option<Arc<dyn Leadership>>,
    world: World,
    tasks: Tasks,
}

impl Parts {
    async fn start(self) -> Result<Scheduler, StartError> {
        // The port comes first: whoever cannot have it must not touch the data.
        let listener = listen(self.config.listen, "[scheduler] listen")?;
        let directory = |source| StartError::Directory { dir: self.paths.data.clone(), source };
        let address = listener.local_addr().map_err(directory)?;
        let lock = lock(&self.paths, &self.world)?;
        let tasks = self.tasks.clone();
        let started = async {
            let (mut shell, api, first) = self.assemble(address).await?;
            let handles = (api.commands.clone(), api.reader.clone(), api.settings.clone());
            // A DAG file may ask for a variable while it is read.
            serve(&tasks, listener, api);
            shell.begin(first).await?;
            tasks.spawn_vital("scheduler", shell.work(tasks.shutdown()));
            Ok(handles)
        };
        match started.await {
            Ok((commands, reader, settings)) => {
                Ok(Scheduler { address, tasks, commands, reader, settings, _lock: lock })
            }
            Err(error) => {
                tasks.stop(Duration::ZERO).await;
                Err(error)
            }
        }
    }

    /// What children find around them.
    fn children(&self, address: SocketAddr) -> Result<ChildEnvironment, StartError> {
        let Parts { config, paths, world, .. } = self;
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

    async fn assemble(self, address: SocketAddr) -> Result<(Shell, Api, Option<Lead>), StartError> {
        let data = self.paths.data.clone();
        let children = self.children(address)?;
        let orphans = kill_orphans(&children.mark);
        if orphans > 0 {
            tracing::warn!(orphans, "processes of tasks outlived the last scheduler: killed");
        }
        let directory = |source| StartError::Directory { dir: data.clone(), source };
        let node = node_name(&self.world, &data).map_err(directory)?;
        let opened = self.open_store(&node, address).await?;
        let Opened { store, reader, settings, leaders, availability, deposed } = opened;
        let (leads, mut told) = mpsc::channel(1);
        let yielded = self.campaign(leaders.clone(), leads, deposed);

        let Parts { config, paths, sink, http, world, tasks, .. } = self;
        let limits = Limits {
            parallelism: config.parallelism.max(1),
            paused_at_creation: config.dags_are_paused_at_creation,
        };
        let (sender, asked) = mpsc::channel(COMMANDS_MAX);
        let commands = Commands { sender, availability };
        let logs = Logs::new(world.clone(), data.join("logs"), config.log_bytes_max)
            .masking(settings.masks());
        let (reports, reported) = mpsc::channel(REPORTS_MAX);
        let executor_config = ExecutorConfig {
            children: children.clone(),
            scratch: std::path::absolute(&data).unwrap_or_else(|_| data.clone()),
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
        let root = children.dags_folder.clone();
        let (changed, changes) = mpsc::channel(1);
        let directory = Directory::default();
        let mut store = store;
        let known = store.latest_versions().await?;
        let known = known.into_iter().map(|(_, file)| KnownVersion(file)).collect();
        let (answers, parsed) = mpsc::channel(ANSWERS_MAX);
        let token: Arc<str> = children.token.as_str().into();
        let parser = Parser::new(children, tasks.clone(), answers);
        let mut shell = Shell {
            limits,
            role: Role::Standby,
            yielded,
            leaders,
            core: Core::new(limits, instant(&world)),
            store,
            executor: Executor::new(parts, tasks.clone(), reports),
            folder: DagFolder::new(world.disk.clone(), root.clone(), known),
            watch: FolderWatch::new(&paths.project, &root, changed),
            directory: directory.clone(),
            reports: reported,
            commands: asked,
            changed: changes,
            parser,
            parsed,
            logs: logs.clone(),
            keep_runs: config.keep_runs.0,
            forget_at: Duration::ZERO,
            world: world.clone(),
            leads: mpsc::channel(1).1,
        };
        let first = tokio::time::timeout(FIRST_TERM_WAIT, told.recv()).await.ok().flatten();
        shell.leads = told;
        let api = Api {
            world,
            reader,
            settings,
            logs,
            directory,
            commands,
            dags_folder: root,
            node,
            token,
        };
        Ok((shell, api, first))
    }

    async fn open_store(&self, node: &str, address: SocketAddr) -> Result<Opened, StartError> {
        let config = &self.config;
        let place = Place {
            data: &self.paths.data,
            database: config.database.as_deref(),
            schema: &config.database_schema,
            password_file: config.database_password_file.as_deref(),
            key_file: config.secrets_key_file.as_deref(),
            node,
            address: &address.to_string(),
        };
        let mut opened = Store::open(&self.world, place).await?;
        let of_tasks = config.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
        opened.settings.set_environment(Environment::of_process().with(of_tasks));
        Ok(opened)
    }

    /// Begins to campaign; the scheduler says at the other end that it has stopped to lead.
    fn campaign(
        &self,
        leaders: Option<LeaderTable>,
        leads: mpsc::Sender<Lead>,
        deposed: watch::Sender<bool>,
    ) -> mpsc::Sender<()> {
        let lease = self.config.leader_lease.0;
        let leadership: Arc<dyn Leadership> = match (leaders, self.leadership.clone()) {
            // Nobody else can use a file in a locked directory.
            (None, _) => Arc::new(Alone),
            (Some(table), None) => Arc::new(DatabaseLease::new(table, lease)),
            (Some(table), Some(elsewhere)) => Arc::new(Elsewhere::new(elsewhere, table, lease)),
        };
        let (says, yielded) = mpsc::channel(1);
        let campaign = Campaign { leadership, leads, yielded, deposed };
        self.tasks.spawn_vital("scheduler's leadership", campaign.run(self.tasks.shutdown()));
        says
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
            self.settings.close().await;
            self.reader.close().await;
        })
    }
}
