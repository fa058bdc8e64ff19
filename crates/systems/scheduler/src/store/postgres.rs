//! What is PostgreSQL's own: how a server is reached, its schema, and a writer that is fenced and
//! survives the loss of its connection.
//!
//! Every transaction of the writer begins by raising the `batch` of its `term` in the table `leader`.
//! Where another scheduler leads by now, that changes no row, and nothing is written. And when the
//! connection breaks while a commit is under way, the number tells afterwards whether it happened:
//! nothing is lost, and nothing is written twice.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::watch;

use super::StoreError;
use super::availability::Availability;
use super::database::{Session, Sql};
use super::write::{self, Done, Job};

/// Connections that answer questions and change settings. Writing has one of its own.
const POOL_MAX: u32 = 6;
/// How long a question waits for a connection.
const POOL_WAIT: Duration = Duration::from_secs(3);
/// How long a connection may take to be made.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Longest name of an application, in bytes.
const APPLICATION_NAME_MAX: usize = 63;
/// Between two attempts to reach the server: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Scripts by version; there is no older one.
const SCHEMA: [(i64, &str); 1] = [(2, include_str!("schema/postgres_2.sql"))];
/// Every session begins with it. A transaction whose client is gone must not hold its locks for
/// long, and a commit that returns must be on disk.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout TO '10s'; \
     SET lock_timeout TO '10s'; SET statement_timeout TO '60s'; \
     SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'";

/// Where the database is. Its text holds a password: it is not shown.
#[derive(Clone)]
pub(super) struct Server {
    options: PgConnectOptions,
    schema: Arc<str>,
    /// What the server's own lists call us.
    name: Arc<str>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.address())
    }
}

impl Server {
    /// From `postgres://user:password@host:port/database?sslmode=…`. What is not in it comes from
    /// `PGHOST`, `PGPASSWORD` and the like, and a password from `PGPASSFILE` too.
    pub(super) fn parse(
        url: &str,
        password: Option<&str>,
        schema: &str,
        node: &str,
    ) -> Result<Server, StoreError> {
        // The parser's reason may repeat parts of the URL.
        let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if schema.is_empty() || !schema.bytes().all(is_name) {
            return Err(StoreError::Address);
        }
        let options = match password {
            Some(password) => options.password(password),
            None => options,
        };
        // The server cuts longer names.
        let name: String = format!("tidemill {node}").chars().filter(char::is_ascii).collect();
        let name = name[..name.len().min(APPLICATION_NAME_MAX)].to_owned();
        let options = options.application_name(&name).disable_statement_logging();
        Ok(Server { options, schema: schema.into(), name: name.into() })
    }

    /// Without the password.
    pub(super) fn address(&self) -> String {
        let options = &self.options;
        let database = options.get_database().unwrap_or(options.get_username());
        format!("postgres://{}:{}/{database}", options.get_host(), options.get_port())
    }

    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let connecting = tokio::time::timeout(CONNECT_WAIT, self.options.connect());
        let timed_out = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let mut connection = connecting.await.map_err(timed_out)??;
        prepare(&mut connection, &self.schema).await?;
        Ok(connection)
    }

    /// Connections for questions and settings.
    pub(super) fn pool(&self) -> PgPool {
        let schema = self.schema.clone();
        PgPoolOptions::new()
            .max_connections(POOL_MAX)
            .acquire_timeout(POOL_WAIT)
            .after_connect(move |connection, _| {
                let schema = schema.clone();
                Box::pin(async move { prepare(connection, &schema).await })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// Brings the schema up to date; several schedulers may do it at the same moment.
    async fn migrate(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let mut transaction = connection.begin().await?;
        let session = &mut Session::Postgres(&mut transaction);
        Sql::new("SELECT pg_advisory_xact_lock(7234017, 1)").fetch(session).await?;
        // Whoever may not make schemas can still use one that was made for it.
        let exists = "SELECT CASE WHEN to_regnamespace($1) IS NULL THEN 0 ELSE 1 END::bigint AS n";
        if Sql::new(exists).bind(&*self.schema).fetch_count(session).await? == 0 {
            Sql::new(format!("CREATE SCHEMA {}", self.schema)).execute(session).await?;
        }
        let table = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)";
        Sql::new(table).execute(session).await?;
        let version = "SELECT coalesce(max(version), 0) AS n FROM schema_version";
        let version = Sql::new(version).fetch_count(session).await?;
        let known = SCHEMA.last().map_or(0, |(number, _)| *number);
        if version > known {
            return Err(StoreError::Newer { version, known });
        }
        for (number, script) in SCHEMA.into_iter().filter(|(number, _)| *number > version) {
            sqlx::raw_sql(script).execute(&mut *transaction).await?;
            let stamp = Sql::new("INSERT INTO schema_version (version) VALUES ($1)").bind(number);
            stamp.execute(&mut Session::Postgres(&mut transaction)).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn prepare(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    let settings = format!("SET search_path TO {schema}; {SETTINGS}");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(settings))).await?;
    Ok(())
}

/// Whether an error will pass by itself: the server restarts, the network is away, a standby took
/// over, locks were in the way.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // Connection exceptions, resources, shutdown and start, a server that only reads,
            // serialization, deadlock, time-outs of locks, statements and idle transactions.
            code.starts_with("08")
                || code.starts_with("53")
                || matches!(
                    &*code,
                    "57P01"
                        | "57P02"
                        | "57P03"
                        | "57014"
                        | "25006"
                        | "25P03"
                        | "40001"
                        | "40P01"
                        | "55P03"
                )
        }
        _ => false,
    }
}

/// The writing side. It has one owner.
#[derive(Debug)]
pub(super) struct Writer {
    server: Server,
    connection: Option<Live>,
    /// Its term, and the batches it has written in it; none before it leads.
    term: Option<(i64, i64)>,
    /// A commit was sent and not answered: the batch may have been written.
    is_unsure: bool,
    availability: Availability,
    /// True once somebody else may lead.
    deposed: watch::Receiver<bool>,
}

/// A connection, and the process that serves it.
#[derive(Debug)]
struct Live {
    connection: PgConnection,
    backend: i64,
    is_broken: bool,
}

impl Writer {
    /// Connects, and brings the schema up to date.
    pub(super) async fn open(
        server: Server,
        availability: Availability,
        deposed: watch::Receiver<bool>,
    ) -> Result<Writer, StoreError> {
        let mut writer = Writer {
            server,
            connection: None,
            term: None,
            is_unsure: false,
            availability,
            deposed,
        };
        let server = writer.server.clone();
        server.migrate(writer.live().await?).await?;
        Ok(writer)
    }

    /// What is written from now on is written in this term.
    pub(super) fn lead(&mut self, term: i64) {
        self.term = Some((term, 0));
        self.is_unsure = false;
    }

    /// A connection that works, as far as known. The one before it, if it broke, is ended on the
    /// server first: a transaction of it must not come to an end later.
    async fn live(&mut self) -> Result<&mut PgConnection, StoreError> {
        if self.connection.as_ref().is_none_or(|live| live.is_broken) {
            let mut connection = self.server.connect().await?;
            let session = &mut Session::Postgres(&mut connection);
            if let Some(broken) = &self.connection {
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE pid = $1 AND application_name = $2";
                let end = Sql::new(end).bind(broken.backend).bind(&*self.server.name);
                end.fetch(session).await?;
            }
            let backend = Sql::new("SELECT pg_backend_pid()::bigint AS n");
            let backend = backend.fetch_count(session).await?;
            self.connection = Some(Live { connection, backend, is_broken: false });
        }
        match &mut self.connection {
            Some(live) => Ok(&mut live.connection),
            None => Err(StoreError::Fenced),
        }
    }

    /// A session to read with.
    pub(super) async fn session(&mut self) -> Result<Session<'_>, StoreError> {
        Ok(Session::Postgres(self.live().await?))
    }

    /// After an error: returns when it is worth another attempt; otherwise the error.
    pub(super) async fn recover(
        &mut self,
        error: StoreError,
        attempt: &mut u32,
    ) -> Result<(), StoreError> {
        if !error.is_passing() {
            return Err(error);
        }
        if let Some(live) = &mut self.connection {
            live.is_broken = true;
        }
        let reason = match &error {
            StoreError::Database(error) => error.to_string(),
            other => other.to_string(),
        };
        self.availability.set_lost(&reason);
        let wait = BACKOFF.0.saturating_mul(1 << (*attempt).min(10)).min(BACKOFF.1);
        *attempt += 1;
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            // Somebody else leads by now: what we would write is no longer wanted.
            Ok(_) = self.deposed.wait_for(|is_deposed| *is_deposed) => {
                self.availability.set_well();
                Err(StoreError::Fenced)
            }
        }
    }

    /// An attempt succeeded.
    pub(super) fn recovered(&self) {
        self.availability.set_well();
    }

    /// All of it or nothing, once, however often the connection breaks meanwhile.
    pub(super) async fn transact(&mut self, job: Job<'_>, node: &str) -> Result<Done, StoreError> {
        let mut attempt = 0;
        loop {
            match self.attempt(job, node).await {
                Ok(done) => {
                    self.recovered();
                    return Ok(done);
                }
                Err(error) => self.recover(error, &mut attempt).await?,
            }
        }
    }

    async fn attempt(&mut self, job: Job<'_>, node: &str) -> Result<Done, StoreError> {
        let Some((term, batch)) = self.term else { return Err(StoreError::Fenced) };
        if self.is_unsure && self.was_written(term, batch).await? {
            self.term = Some((term, batch + 1));
            self.is_unsure = false;
            if matches!(job, Job::Changes(_)) {
                return Ok(Done::Written);
            }
            // The other jobs give an answer, and do nothing the second time.
            return Box::pin(self.attempt(job, node)).await;
        }
        let mut is_unsure = false;
        let live = self.live().await?;
        let done = write_batch(live, (term, batch), job, node, &mut is_unsure).await;
        self.is_unsure = is_unsure;
        let done = done?;
        self.term = Some((term, batch + 1));
        Ok(done)
    }

    /// Whether the batch after this one is on disk. The row is locked to wait for a commit that is
    /// still under way.
    async fn was_written(&mut self, term: i64, batch: i64) -> Result<bool, StoreError> {
        let found = Sql::new("SELECT term, batch FROM leader WHERE name = 'scheduler' FOR UPDATE");
        let mut session = self.session().await?;
        let Some(row) = found.fetch_first(&mut session).await? else {
            return Err(StoreError::Fenced);
        };
        let (now_term, now_batch): (i64, i64) = (row.get("term")?, row.get("batch")?);
        if now_term != term {
            // A term ends with whatever it has written: the next one reads it from the tables.
            return Err(StoreError::Fenced);
        }
        Ok(now_batch == batch + 1)
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self.connection {
            Some(live) if !live.is_broken => Ok(live.connection.close().await?),
            _ => Ok(()),
        }
    }
}

/// One transaction. `is_unsure` is true afterwards if its commit was sent and not answered.
async fn write_batch(
    connection: &mut PgConnection,
    (term, batch): (i64, i64),
    job: Job<'_>,
    node: &str,
    is_unsure: &mut bool,
) -> Result<Done, StoreError> {
    let mut transaction = connection.begin().await?;
    let session = &mut Session::Postgres(&mut transaction);
    let fence = "UPDATE leader SET batch = batch + 1 \
         WHERE name = 'scheduler' AND term = $1 AND batch = $2";
    if Sql::new(fence).bind(term).bind(batch).execute(session).await? != 1 {
        return Err(StoreError::Fenced);
    }
    let done = write::run(session, job, node).await?;
    *is_unsure = true;
    transaction.commit().await?;
    *is_unsure = false;
    Ok(done)
}
