use tidemill_runtime::World;

use super::*;
use crate::core::{Core, Effect, Event, Limits, Outcome, Refusal, RunKey, RunState, Trigger};
use crate::dag::parse;

const LIMITS: Limits = Limits { parallelism: 8, paused_at_creation: false };

const YAML: &str = "
dag_id: d
schedule: \"@hourly\"
default_args: {retries: 1, retry_delay: 5s}
tasks:
  - {task_id: a, bash: x}
  - {task_id: b, bash: x, upstream: [a]}
";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn reparse(file: &DagFile) -> Option<Arc<Dag>> {
    parse(&file.name, &file.source).ok().map(Arc::new)
}

/// A database that is empty: SQLite's always, and a schema of its own on the PostgreSQL server that
/// `TIDEMILL_POSTGRES` names. What is promised is promised on both.
pub(crate) struct Database {
    dir: tempfile::TempDir,
    url: Option<String>,
    schema: String,
}

impl Database {
    pub(crate) async fn each() -> Vec<Database> {
        let mut all = vec![Database::new(None)];
        all.extend(Database::postgres());
        all
    }

    /// The one on PostgreSQL, if there is a server.
    pub(crate) fn postgres() -> Option<Database> {
        Some(Database::new(Some(std::env::var("TIDEMILL_POSTGRES").ok()?)))
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    fn new(url: Option<String>) -> Database {
        let schema = format!("tidemill_test_{}", World::real().random.uuid().simple());
        Database { dir: tempfile::tempdir().unwrap(), url, schema }
    }

    pub(crate) async fn open_as(&self, node: &str) -> Result<Opened, StoreError> {
        let place = Place {
            data: self.dir.path(),
            database: self.url.as_deref(),
            schema: &self.schema,
            password_file: None,
            key_file: None,
            node,
            address: "127.0.0.1:1",
        };
        Store::open(&World::real(), place).await
    }

    /// Opened by the only scheduler there is.
    pub(crate) async fn open(&self) -> Opened {
        let mut opened = self.open_as(&self.schema).await.unwrap();
        if let Some(leaders) = &opened.leaders {
            let lease = std::time::Duration::from_secs(600);
            opened.store.lead(leaders.claim(lease).await.unwrap().unwrap());
        }
        opened
    }

    pub(crate) async fn settings(&self, environment: Environment) -> Settings {
        let mut settings = self.open().await.settings;
        settings.set_environment(environment);
        settings
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(url) = self.url.take() else { return };
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut connection = sqlx::postgres::PgConnection::connect(&url).await.unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
            });
        });
        dropping.join().unwrap();
    }
}

struct Bench {
    _database: Database,
    store: Store,
    reader: Reader,
    core: Core,
    now: Timestamp,
}

impl Bench {
    async fn each() -> Vec<Bench> {
        let mut all = Vec::new();
        for database in Database::each().await {
            all.push(Bench::on(database).await);
        }
        all
    }

    async fn on(database: Database) -> Bench {
        let Opened { store, reader, .. } = database.open().await;
        let now = at("2026-01-01T00:30:00Z");
        let mut bench =
            Bench { _database: database, store, reader, core: Core::new(LIMITS, now), now };
        let dag = Arc::new(parse("d.yaml", YAML).unwrap());
        let version = bench.store.save_version("d", &dag.file, now).await.unwrap();
        bench.step(Event::DagLoaded { dag, version }).await;
        bench
    }

    async fn step(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.core.step(self.now, event);
        let changes = effects.iter().filter_map(|effect| match effect {
            Effect::Change(change) => Some(&**change),
            _ => None,
        });
        self.store.commit(&changes.collect::<Vec<_>>()).await.unwrap();
        self.core.committed();
        effects
    }
}

fn trigger(run_id: &str, logical_date: Option<Timestamp>) -> Event {
    Event::Trigger(Box::new(Trigger {
        dag_id: "d".into(),
        run_id: run_id.into(),
        logical_date,
        interval: None,
        run_after: at("2026-01-01T00:30:00Z"),
        conf: serde_json::json!({"n": 1}).as_object().unwrap().clone(),
        note: Some("by hand".into()),
        triggered_by: "rest_api".into(),
    }))
}

#[tokio::test]
async fn what_was_committed_is_what_a_new_process_finds() {
    for mut bench in Bench::each().await {
        let effects = bench.step(trigger("r", Some(at("2026-03-01T00:00:00Z")))).await;
        let attempt = effects.iter().find_map(|effect| match effect {
            Effect::Start(start) => Some(start.attempt),
            _ => None,
        });
        let attempt = attempt.unwrap();
        bench.step(Event::Started { attempt, pid: Some(42) }).await;
        let restored = bench.store.restore(reparse).await.unwrap();
        assert_eq!(restored.last_run, 2);
        assert_eq!(restored.taken["d"], [at("2026-03-01T00:00:00Z")]);
        assert_eq!(restored.dags[0].last.unwrap().end, at("2026-01-01T00:00:00Z"));
        let run = restored.runs.iter().find(|snapshot| &*snapshot.run.run_id == "r").unwrap();
        assert_eq!((run.run.state, run.run.conf["n"].as_i64()), (RunState::Running, Some(1)));
        assert_eq!((run.tasks[0].pid, run.tasks[0].try_number), (Some(42), 1));
        assert!(run.dag.is_some());

        // The same process ends its try: success, an XCom, a line in the history.
        let value = Some(serde_json::json!({"fetched": 3}));
        bench.step(Event::Finished { attempt, outcome: Outcome::Success { value } }).await;
        let task = bench.reader.task("d", "r", "a").await.unwrap().unwrap();
        assert_eq!(task.task.state.as_str(), "success");
        let xcoms = bench.reader.xcoms(task.run.key).await.unwrap();
        assert_eq!(xcoms[0].value["fetched"], 3);
        assert_eq!(bench.reader.tries(task.run.key, "a").await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_stale_change_writes_nothing_of_its_batch() {
    for mut bench in Bench::each().await {
        bench.step(trigger("r", None)).await;
        let row = bench.reader.run("d", "r").await.unwrap().unwrap();
        let mut moved = row.clone();
        moved.epoch.0 += 1;
        moved.note = Some("changed".into());
        let good = Change::Run { from: (row.state, row.epoch), row: moved.clone() };
        let stale = Change::Run { from: (RunState::Queued, row.epoch), row: moved };
        let error = bench.store.commit(&[&good, &stale]).await.unwrap_err();
        assert!(matches!(error, StoreError::Stale { .. }), "{error}");
        assert_eq!(bench.reader.run("d", "r").await.unwrap().unwrap(), row);
    }
}

#[tokio::test]
async fn a_second_run_for_a_logical_date_is_refused_by_the_database_too() {
    for mut bench in Bench::each().await {
        let date = at("2026-03-01T00:00:00Z");
        bench.step(trigger("r", Some(date))).await;
        assert!(bench.store.has_run("d", "r", None).await.unwrap().unwrap().contains("run_id"));
        let twin = bench.store.has_run("d", "s", Some(date)).await.unwrap().unwrap();
        assert!(twin.contains("logical_date"), "{twin}");
        assert_eq!(bench.store.has_run("d", "s", None).await.unwrap(), None);
        let mut run = bench.reader.run("d", "r").await.unwrap().unwrap();
        run.key = RunKey(99);
        run.run_id = "other".into();
        let again = Change::NewRun { run, tasks: Vec::new() };
        assert!(matches!(bench.store.commit(&[&again]).await, Err(StoreError::Database(_))));
        // The state machine says it in Airflow's words.
        let effects = bench.step(trigger("r", None)).await;
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::Answer(Err(Refusal::Exists { .. }))))
        );
    }
}

#[tokio::test]
async fn a_version_is_new_only_if_the_text_is() {
    for mut bench in Bench::each().await {
        let file = |source: &str| DagFile { name: "d.yaml".into(), source: source.into() };
        let now = bench.now;
        let first = bench.store.save_version("e", &file("one"), now).await.unwrap();
        assert_eq!(bench.store.save_version("e", &file("one"), now).await.unwrap(), first);
        let second = bench.store.save_version("e", &file("two"), now).await.unwrap();
        assert_ne!(first, second);
        let versions = bench.reader.versions("e", None).await.unwrap();
        assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(&*bench.reader.version(first).await.unwrap().unwrap().file.source, "one");
        assert_eq!(bench.store.latest_versions().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_counted() {
    for mut bench in Bench::each().await {
        for n in 0..5 {
            bench.step(trigger(&format!("r{n}"), None)).await;
        }
        let filter = RunFilter {
            dag_id: Some("d".to_owned()),
            states: vec![RunState::Running],
            run_types: vec!["manual".to_owned()],
            bounds: vec![("r.run_after_us", bench.now, true)],
            order: vec![("r.run_id", true)],
            limit: 2,
            offset: 1,
        };
        let page = bench.reader.runs(&filter).await.unwrap();
        let names: Vec<&str> = page.items.iter().map(|run| &*run.run_id).collect();
        assert_eq!((names, page.total), (vec!["r3", "r2"], 5));
        let filter =
            TaskFilter { task_id: Some("b".to_owned()), limit: 100, ..TaskFilter::default() };
        assert_eq!(bench.reader.tasks(&filter).await.unwrap().total, 6);
        let counts = bench.reader.state_counts().await.unwrap();
        assert_eq!((counts[0].state, counts[0].count), (RunState::Running, 6));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    for database in Database::each().await {
        let Opened { mut store, settings, reader, .. } = database.open().await;
        match &mut store.writer {
            Backend::Sqlite(writer) => {
                sqlx::query("PRAGMA user_version = 7").execute(&mut **writer).await.unwrap();
            }
            Backend::Postgres(writer) => {
                let stamp = database::Sql::new("UPDATE schema_version SET version = 7");
                stamp.execute(&mut writer.session().await.unwrap()).await.unwrap();
            }
        }
        store.close().await.unwrap();
        settings.close().await;
        reader.close().await;
        let error = database.open_as("one").await.unwrap_err().to_string();
        assert!(error.contains("version 7, this program knows 2"), "{error}");
    }
}

#[tokio::test]
async fn old_runs_are_forgotten_with_all_that_belongs_to_them() {
    for mut bench in Bench::each().await {
        let effects = bench.step(trigger("old", None)).await;
        let attempt = effects.iter().find_map(|effect| match effect {
            Effect::Start(start) => Some(start.attempt),
            _ => None,
        });
        let failed = Outcome::Failed { reason: "x".into(), retry: false, value: Some(1.into()) };
        bench.step(Event::Finished { attempt: attempt.unwrap(), outcome: failed }).await;
        bench.step(trigger("running", None)).await;
        assert!(bench.store.forget_runs(bench.now).await.unwrap().is_empty(), "it is not older");
        let later = bench.now + jiff::SignedDuration::from_secs(1);
        let forgotten = bench.store.forget_runs(later).await.unwrap();
        assert_eq!(forgotten, [("d".to_owned(), "old".to_owned())]);
        assert!(bench.reader.run("d", "old").await.unwrap().is_none());
        assert!(bench.reader.run("d", "running").await.unwrap().is_some());
    }
}

mod takeover;
