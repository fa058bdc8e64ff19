//! Upserts into a table.

use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use futures::StreamExt as _;
use scylla::client::session::Session;
use scylla::errors::{DbError, ExecutionError, PrepareError, RequestAttemptError};
use scylla::frame::response::result::ColumnType;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlValue;
use tidemill_access::CassandraAccess;

use crate::{DATA_EXCEPTION, Rejected, Sink, SinkError, SinkRows, Written};

use super::schema::{CassandraColumn, create_keyspace, create_table, upsert};
use super::session::session_builder;
use super::value::convert;

/// How long connecting to one node may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A table and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CassandraConfig {
    /// The cluster.
    pub cluster: CassandraAccess,
    /// The keyspace; made if absent.
    pub keyspace: String,
    /// The table; made if absent.
    pub table: String,
    /// The columns written, in the order of the rows.
    pub columns: Vec<CassandraColumn>,
    /// Names of the key's columns; none if the table must be there already.
    pub key: Vec<String>,
    /// Copies of a row in a keyspace that is made; the cluster's own setting if it is not said.
    pub replication_factor: Option<u32>,
    /// Writes on their way at most.
    pub in_flight_max: usize,
}

/// Upserts rows.
pub struct CassandraSink {
    config: CassandraConfig,
    session: Option<Session>,
    upsert: Option<Upsert>,
}

/// The statement and the types of its markers, the write timestamp left out.
struct Upsert {
    statement: PreparedStatement,
    types: Vec<ColumnType<'static>>,
}

/// What became of one row.
enum Outcome {
    Done,
    Rejected(String),
    /// To be given again; the table may have to be made again.
    Again {
        error: SinkError,
        reopen: bool,
    },
}

impl CassandraSink {
    /// Nothing is asked of the nodes yet.
    pub fn new(config: CassandraConfig) -> CassandraSink {
        CassandraSink { config, session: None, upsert: None }
    }

    async fn connect(&self) -> Result<Session, SinkError> {
        let builder = session_builder(&self.config.cluster).connection_timeout(CONNECT_TIMEOUT);
        builder.build().await.map_err(|error| {
            let nodes = self.config.cluster.contact_points.join(", ");
            SinkError::Unavailable(format!("cassandra at {nodes}: {error}"))
        })
    }

    /// Makes keyspace and table unless the table is there: who may only write needs no more.
    async fn ensure_table(&self, session: &Session) -> Result<(), SinkError> {
        let CassandraConfig { keyspace, table, .. } = &self.config;
        let known = session
            .query_unpaged(
                "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND \
                 table_name = ?",
                (keyspace, table),
            )
            .await
            .map_err(|error| schema_error(&error))?;
        let rows = known.into_rows_result();
        if rows.is_ok_and(|rows| rows.rows_num() > 0) {
            return Ok(());
        }
        // Without a key nothing says how to make it.
        if self.config.key.is_empty() {
            return Err(SinkError::Failed(format!(
                "cassandra: couldn't find table {table} in keyspace {keyspace}; make it first"
            )));
        }
        let cluster = &self.config.cluster;
        let copies = self.config.replication_factor.or(cluster.replication_factor).unwrap_or(1);
        let statements = [
            create_keyspace(keyspace, copies, cluster.local_datacenter.as_deref()),
            create_table(keyspace, table, &self.config.columns, &self.config.key),
        ];
        for statement in statements {
            session.query_unpaged(statement, ()).await.map_err(|error| schema_error(&error))?;
        }
        tracing::info!(%keyspace, %table, "table created");
        Ok(())
    }

    async fn prepare(&self, session: &Session) -> Result<Upsert, SinkError> {
        let CassandraConfig { keyspace, table, columns, .. } = &self.config;
        let prepared = session.prepare(upsert(keyspace, table, columns)).await;
        let mut statement = prepared.map_err(|error| prepare_error(&error))?;
        // The write timestamp is in the statement: twice is once.
        statement.set_is_idempotent(true);
        let types = statement
            .get_variable_col_specs()
            .iter()
            .take(columns.len())
            .map(|column| column.typ().clone())
            .collect();
        Ok(Upsert { statement, types })
    }
}

#[async_trait]
impl Sink for CassandraSink {
    async fn open(&mut self) -> Result<(), SinkError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connect().await?,
        };
        self.ensure_table(&session).await?;
        self.upsert = Some(self.prepare(&session).await?);
        self.session = Some(session);
        Ok(())
    }

    async fn write(&mut self, rows: &SinkRows) -> Written {
        if self.upsert.is_none()
            && let Err(error) = self.open().await
        {
            let unfinished = (0..rows.batch.num_rows()).collect();
            return Written { unfinished, error: Some(error), ..Written::default() };
        }
        let (Some(session), Some(upsert)) = (&self.session, &self.upsert) else {
            return Written::default();
        };
        let in_flight_max = self.config.in_flight_max;
        let writes = (0..rows.batch.num_rows())
            .map(|row| async move { (row, write_row(session, upsert, rows, row).await) });
        let mut outcomes: Vec<(usize, Outcome)> =
            futures::stream::iter(writes).buffer_unordered(in_flight_max).collect().await;
        outcomes.sort_unstable_by_key(|(row, _)| *row);
        let (mut written, mut reopen_all) = (Written::default(), false);
        for (row, outcome) in outcomes {
            match outcome {
                Outcome::Done => {}
                Outcome::Rejected(reason) => {
                    written.rejected.push(Rejected { row, class: DATA_EXCEPTION, reason });
                }
                Outcome::Again { error, reopen } => {
                    reopen_all |= reopen;
                    written.unfinished.push(row);
                    written.error.get_or_insert(error);
                }
            }
        }
        if reopen_all {
            self.upsert = None;
        }
        written
    }
}

async fn write_row(session: &Session, upsert: &Upsert, rows: &SinkRows, row: usize) -> Outcome {
    let mut values = match row_values(&rows.batch, row, &upsert.types) {
        Ok(values) => values,
        Err(reason) => return Outcome::Rejected(reason),
    };
    values.push(Some(CqlValue::BigInt(rows.write_timestamps_us[row])));
    match session.execute_unpaged(&upsert.statement, values).await {
        Ok(_) => Outcome::Done,
        Err(error) => judge(&error),
    }
}

fn row_values(
    batch: &RecordBatch,
    row: usize,
    types: &[ColumnType<'static>],
) -> Result<Vec<Option<CqlValue>>, String> {
    let schema = batch.schema_ref();
    let mut values = Vec::with_capacity(types.len() + 1);
    for ((column, field), wanted) in batch.columns().iter().zip(schema.fields()).zip(types) {
        let value = convert(column, row, wanted);
        values.push(value.map_err(|reason| format!("column '{}': {reason}", field.name()))?);
    }
    Ok(values)
}

/// What a failed write means for its row.
fn judge(error: &ExecutionError) -> Outcome {
    let again = |reopen| Outcome::Again {
        error: SinkError::Unavailable(format!("cassandra: {error}")),
        reopen,
    };
    match error {
        ExecutionError::BadQuery(_) => Outcome::Rejected(error.to_string()),
        ExecutionError::LastAttemptError(RequestAttemptError::SerializationError(_)) => {
            Outcome::Rejected(error.to_string())
        }
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(db, message)) => match db {
            // The table went: that is no fault of the row.
            DbError::Invalid | DbError::SyntaxError if is_about_the_schema(message) => again(true),
            DbError::Invalid | DbError::SyntaxError => Outcome::Rejected(message.clone()),
            DbError::Unauthorized => Outcome::Again {
                error: SinkError::Failed(format!("cassandra: {message}")),
                reopen: false,
            },
            _ => again(false),
        },
        ExecutionError::PrepareError(_) => again(true),
        _ => again(false),
    }
}

fn is_about_the_schema(message: &str) -> bool {
    let message = message.to_lowercase();
    ["unconfigured", "keyspace", "table", "undefined column", "unknown identifier"]
        .iter()
        .any(|word| message.contains(word))
}

/// DDL that is refused is refused for ever; silence is asked again.
fn schema_error(error: &ExecutionError) -> SinkError {
    let text = format!("cassandra: {error}");
    match error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(
            DbError::Invalid | DbError::SyntaxError | DbError::Unauthorized,
            _,
        ))
        | ExecutionError::BadQuery(_) => SinkError::Failed(text),
        _ => SinkError::Unavailable(text),
    }
}

fn prepare_error(error: &PrepareError) -> SinkError {
    let text = format!("cassandra: {error}");
    match error {
        PrepareError::AllAttemptsFailed {
            first_attempt: RequestAttemptError::DbError(DbError::Invalid | DbError::SyntaxError, _),
        } => SinkError::Failed(text),
        _ => SinkError::Unavailable(text),
    }
}
