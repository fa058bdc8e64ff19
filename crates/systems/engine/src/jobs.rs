//! All jobs of the engine: started, listed, cancelled, stopped.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use parking_lot::Mutex;
use tidemill_connectors::Sink;
use tidemill_runtime::{Shutdown, Tasks, World};

use crate::ends::{Ends, Reading};
use crate::plan::stream::StreamPlan;
use crate::runtime::checkpoint::CheckpointStore;
use crate::runtime::job::{JobEnds, JobSettings, run_job};
use crate::runtime::status::{JobIdentity, JobState, JobStatus};

/// Jobs that are remembered at most, the running ones included.
const JOBS_MAX: usize = 1000;
/// Characters of a name that go into an id.
const SLUG_CHARS_MAX: usize = 40;

/// A job to be started.
pub(crate) struct JobSpec {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
    pub(crate) statement: String,
    pub(crate) plan: StreamPlan,
    pub(crate) settings: JobSettings,
    /// Its id and its folder, if they are not made from its name.
    pub(crate) place: Option<JobPlace>,
    /// A sink that no table stands for.
    pub(crate) sink: Option<Box<dyn Sink>>,
}

/// Where a job keeps its state.
pub(crate) struct JobPlace {
    pub(crate) id: String,
    pub(crate) dir: PathBuf,
}

/// All jobs.
pub(crate) struct Jobs {
    world: World,
    ends: Arc<dyn Ends>,
    data: PathBuf,
    tasks: Tasks,
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    status: JobStatus,
    stop: Shutdown,
}

impl Jobs {
    /// State goes below `data`.
    pub(crate) fn new(world: World, ends: Arc<dyn Ends>, data: PathBuf, tasks: Tasks) -> Jobs {
        Jobs { world, ends, data, tasks, entries: Mutex::default() }
    }

    /// Starts a job. That it cannot start is the job's failure, not the caller's.
    pub(crate) fn submit(&self, spec: JobSpec) -> JobStatus {
        let place = spec.place.unwrap_or_else(|| {
            let id = self.free_id(&spec.name, &spec.plan.shape());
            let dir = self.data.join("jobs").join(&id);
            JobPlace { id, dir }
        });
        self.forget_ended(&place.id);
        let id = place.id.clone();
        let identity = JobIdentity::new(id, spec.name, spec.file, spec.statement, Some(&spec.plan));
        let status = self.register(identity);
        let stop = self.entry_stop(&status);
        let run = self.run(spec.plan, spec.settings, place.dir, spec.sink, &status, stop);
        if let Err(reason) = run {
            status.fail(reason);
            status.end();
        }
        status
    }

    /// Takes note of a pipeline that cannot be started.
    pub(crate) fn submit_failed(&self, name: &str, file: &str, statement: &str, reason: String) {
        let id = self.free_id(name, file);
        let identity = JobIdentity::new(
            id,
            name.to_owned(),
            Some(file.to_owned()),
            statement.to_owned(),
            None,
        );
        self.register(identity).fail(reason);
    }

    fn register(&self, identity: JobIdentity) -> JobStatus {
        let clock = &self.world.clock;
        let status = JobStatus::new(identity, clock.now_ms(), clock.monotonic());
        let mut entries = self.entries.lock();
        if entries.len() >= JOBS_MAX {
            let ended = entries.iter().position(|entry| entry.status.state() != JobState::Running);
            if let Some(ended) = ended {
                entries.remove(ended);
            }
        }
        entries.push(Entry { status: status.clone(), stop: self.tasks.shutdown().child() });
        status
    }

    fn entry_stop(&self, status: &JobStatus) -> Shutdown {
        let entries = self.entries.lock();
        let entry = entries.iter().find(|entry| entry.status.identity.id == status.identity.id);
        entry.map(|entry| entry.stop.clone()).unwrap_or_default()
    }

    fn run(
        &self,
        plan: StreamPlan,
        settings: JobSettings,
        dir: PathBuf,
        sink: Option<Box<dyn Sink>>,
        status: &JobStatus,
        stop: Shutdown,
    ) -> Result<(), String> {
        if self.entries.lock().len() > JOBS_MAX {
            return Err(format!("more than {JOBS_MAX} jobs run already"));
        }
        let tables = || plan.sources.iter().map(|source| &source.table);
        let ends = JobEnds {
            sources: tables()
                .map(|table| self.ends.source(table, Reading::Job(&status.identity.id)))
                .collect::<Result<_, _>>()?,
            dead_letters: tables().map(|table| self.ends.dead_letters(table)).collect(),
            schemas: tables().map(|table| self.ends.schemas(table)).collect::<Result<_, _>>()?,
            sink: match sink {
                Some(sink) => sink,
                None => self.ends.sink(&plan.sink)?,
            },
        };
        let store = CheckpointStore::open(Arc::clone(&self.world.disk), dir.clone())
            .map_err(|error| format!("checkpoints in {}: {error}", dir.display()))?;
        let job = run_job(plan, ends, settings, status.clone(), store, self.world.clone(), stop);
        let watched = status.clone();
        self.tasks.spawn("job", async move {
            // A bug must not look like a job that runs.
            if std::panic::AssertUnwindSafe(job).catch_unwind().await.is_err() {
                watched.fail("the job panicked; its last checkpoint is sound");
            }
            watched.end();
        });
        tracing::info!(job = status.identity.name, id = status.identity.id, "job started");
        Ok(())
    }

    /// A name and what the job reads, keeps and writes make its id: the same text has the same id
    /// after a restart, and so finds its state.
    fn free_id(&self, name: &str, shape: &str) -> String {
        // Flink's own names begin with the catalog and the database.
        let short = name.rsplit('.').next().filter(|short| !short.is_empty()).unwrap_or(name);
        let slug: String = short
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
            .take(SLUG_CHARS_MAX)
            .collect();
        let sum = crc32c::crc32c(format!("{name}\n{shape}").as_bytes());
        let base = format!("{}-{sum:08x}", slug.trim_matches('-'));
        let entries = self.entries.lock();
        let taken = |id: &str| {
            let same = entries.iter().find(|entry| entry.status.identity.id == id);
            same.is_some_and(|entry| entry.status.state() == JobState::Running)
        };
        let mut id = base.clone();
        let mut number = 2;
        while taken(&id) {
            id = format!("{base}-{number}");
            number += 1;
        }
        id
    }

    /// One that ended makes room for its successor.
    fn forget_ended(&self, id: &str) {
        self.entries.lock().retain(|entry| entry.status.identity.id != id);
    }

    /// All jobs in the order they were started.
    pub(crate) fn list(&self) -> Vec<JobStatus> {
        self.entries.lock().iter().map(|entry| entry.status.clone()).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<JobStatus> {
        let entries = self.entries.lock();
        entries.iter().find(|entry| entry.status.identity.id == id).map(|one| one.status.clone())
    }

    /// Asks a job to end for good; it checkpoints once more. None if there is no such job.
    pub(crate) fn cancel(&self, id: &str) -> Option<JobStatus> {
        let entries = self.entries.lock();
        let entry = entries.iter().find(|entry| entry.status.identity.id == id)?;
        entry.status.with(|progress| {
            if progress.state == JobState::Running {
                progress.state = JobState::Canceled;
            }
        });
        entry.stop.request();
        Some(entry.status.clone())
    }

    /// Stops all jobs after a last checkpoint each.
    pub(crate) async fn stop(&self, deadline: Duration) -> bool {
        self.tasks.stop(deadline).await
    }
}
