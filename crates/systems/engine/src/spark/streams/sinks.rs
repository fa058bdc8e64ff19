//! Where a stream goes: its options as a table of the engine, or a sink of Spark's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use async_trait::async_trait;
use parking_lot::Mutex;
use tidemill_connectors::{Sink, SinkError, SinkRows, Written};

use crate::catalog::Table;
use crate::catalog::options::{CassandraOptions, Connector, Format, KafkaOptions, Startup};
use crate::spark::conf::{CASSANDRA_HOST, CASSANDRA_PASSWORD, CASSANDRA_PORT, CASSANDRA_USER};
use crate::spark::error::{Kind, Result, SparkError};
use crate::spark::frame::{Frame, Named};
use crate::spark::resolve::cast_to;
use crate::spark::service::Service;
use crate::spark::sessions::Session;
use crate::spark::show;
use crate::sql::Location;
use crate::sql::statement::{Column, ColumnKind};
use crate::sql::types::SqlType;

/// Rows that `memory` keeps at most.
const MEMORY_ROWS_MAX: usize = 1_000_000;
/// Rows of one batch that `console` shows unless it is told.
const CONSOLE_ROWS: usize = 20;
/// Writes to Cassandra on their way at most.
const IN_FLIGHT_MAX: usize = 256;

/// What was asked for.
pub(in crate::spark) struct Target<'a> {
    pub(in crate::spark) format: &'a str,
    pub(in crate::spark) options: &'a BTreeMap<String, String>,
    pub(in crate::spark) path: Option<&'a str>,
    pub(in crate::spark) name: Option<&'a str>,
}

/// A sink and the rows as it wants them.
pub(in crate::spark) struct Resolved {
    pub(in crate::spark) frame: Frame,
    pub(in crate::spark) table: Arc<Table>,
    /// A sink that no table stands for.
    pub(in crate::spark) own: Option<Box<dyn Sink>>,
    /// It is for looking at: a query may forget where it stood.
    pub(in crate::spark) may_forget: bool,
}

pub(in crate::spark) fn resolve(
    target: &Target<'_>,
    frame: Frame,
    _service: &Service,
    session: &Session,
) -> Result<Resolved> {
    match target.format.to_lowercase().as_str() {
        "org.apache.spark.sql.cassandra" | "cassandra" => cassandra(target, frame, session),
        "kafka" => kafka(target, frame),
        "console" => {
            let option = |key| target.options.get(key).map(String::as_str);
            let rows = option("numrows").and_then(|text| text.parse().ok());
            let sink = Console {
                rows: rows.unwrap_or(CONSOLE_ROWS),
                truncate: if option("truncate") == Some("false") { 0 } else { 20 },
                batch: 0,
            };
            Ok(own("console", "", frame, Box::new(sink), true))
        }
        "memory" => {
            let name = target.name.ok_or_else(|| {
                SparkError::analysis("queryName must be specified for memory sink")
            })?;
            let rows = Arc::new(MemoryRows::new(&frame));
            session.keep_rows(name, Arc::clone(&rows))?;
            Ok(own("memory", name, frame, Box::new(Memory(rows)), true))
        }
        "noop" => {
            let table = table("noop", &frame, Connector::Blackhole);
            Ok(Resolved { frame, table, own: None, may_forget: true })
        }
        other => {
            let path = target.path.map(|path| format!(" to {path}")).unwrap_or_default();
            let text = format!(
                "Failed to find the data source: {other}. Make sure the provider name is correct and \
                 the package is properly registered and compatible with your Spark version. \
                 (writeStream{path} here knows org.apache.spark.sql.cassandra, kafka, console, \
                 memory and noop)"
            );
            Err(SparkError::new(Kind::Analysis, "DATA_SOURCE_NOT_FOUND", "42K02", &text)
                .with("provider", other))
        }
    }
}

fn own(
    format: &'static str,
    target: &str,
    frame: Frame,
    sink: Box<dyn Sink>,
    may_forget: bool,
) -> Resolved {
    let connector = Connector::Spark { format };
    let table = table(if target.is_empty() { format } else { target }, &frame, connector);
    Resolved { frame, table, own: Some(sink), may_forget }
}

/// The frame's columns as a table.
fn table(name: &str, frame: &Frame, connector: Connector) -> Arc<Table> {
    let columns = frame
        .schema()
        .fields()
        .iter()
        .map(|field| Column {
            name: field.name().clone(),
            at: Location::default(),
            comment: None,
            kind: ColumnKind::Physical {
                sql_type: SqlType::from_arrow(field.data_type()),
                not_null: false,
            },
        })
        .collect();
    Arc::new(Table {
        name: name.to_owned(),
        columns,
        scan: Vec::new(),
        primary_key: Vec::new(),
        watermark: None,
        connector,
        text: String::new(),
    })
}

fn required<'o>(target: &'o Target<'_>, key: &str) -> Result<&'o str> {
    target.options.get(key).map(String::as_str).ok_or_else(|| {
        SparkError::argument(format!("Option '{key}' is required for format '{}'", target.format))
    })
}

/// A table of Cassandra takes upserts by its key, whatever the output mode.
fn cassandra(target: &Target<'_>, frame: Frame, session: &Session) -> Result<Resolved> {
    let (keyspace, name) = (required(target, "keyspace")?, required(target, "table")?);
    let conf = session.conf.lock();
    let setting = |key: &str| {
        let said = target.options.get(&key.to_lowercase()).map(String::as_str);
        said.or_else(|| conf.get(key)).map(str::to_owned)
    };
    let port = setting(CASSANDRA_PORT).unwrap_or_else(|| "9042".to_owned());
    let contact_points = setting(CASSANDRA_HOST).map(|hosts| {
        let with_port = |host: &str| match host.contains(':') {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        };
        hosts.split(',').map(|host| with_port(host.trim())).collect::<Vec<_>>().join(",")
    });
    let credentials = setting(CASSANDRA_USER).zip(setting(CASSANDRA_PASSWORD));
    drop(conf);
    let connector = Connector::Cassandra(CassandraOptions {
        keyspace: keyspace.to_owned(),
        table: name.to_owned(),
        contact_points,
        credentials,
        cql_types: BTreeMap::new(),
        // The table is there already.
        replication_factor: Default::default(),
        in_flight_max: IN_FLIGHT_MAX,
    });
    let table = table(name, &frame, connector);
    Ok(Resolved { frame, table, own: None, may_forget: false })
}

/// Columns `value` and `key` are a record's bytes.
fn kafka(target: &Target<'_>, frame: Frame) -> Result<Resolved> {
    let servers = required(target, "kafka.bootstrap.servers")?.to_owned();
    let find =
        |name: &str| frame.columns.iter().position(|one| one.name.eq_ignore_ascii_case(name));
    let Some(value) = find("value") else {
        return Err(SparkError::analysis("Required attribute 'value' not found."));
    };
    for other in ["topic", "partition", "headers"] {
        if find(other).is_some() && (other != "topic" || !target.options.contains_key("topic")) {
            return Err(SparkError::unsupported(format!("a column {other} for the Kafka sink")));
        }
    }
    let topic = required(target, "topic")?.to_owned();
    let bytes = |place: usize| {
        let from = frame.data_type(place);
        match from {
            DataType::Utf8 | DataType::Binary => {
                cast_to(frame.column(place), from, &DataType::Binary, false)
            }
            other => {
                let shown = crate::spark::types::simple_string(other);
                let text = format!("value attribute type must be a binary or string, not {shown}");
                Err(SparkError::analysis(text))
            }
        }
    };
    let mut named = vec![Named { name: "value".to_owned(), expr: bytes(value)? }];
    let key = find("key");
    if let Some(key) = key {
        named.push(Named { name: "key".to_owned(), expr: bytes(key)? });
    }
    let frame = frame.project(named)?;
    let connector = Connector::Kafka(KafkaOptions {
        dead_letter_topic: format!("{topic}.dlq"),
        topic: topic.clone(),
        bootstrap_servers: Some(servers),
        group_id: None,
        format: Format::Raw,
        key_fields: key.map(|_| "key".to_owned()).into_iter().collect(),
        key_format: key.map(|_| Format::Raw),
        startup: Startup::Latest,
        bounded: false,
        idle_timeout: None,
    });
    let table = table(&topic, &frame, connector);
    Ok(Resolved { frame, table, own: None, may_forget: false })
}

/// Rows of a `memory` sink, read as a table of the query's name.
pub(in crate::spark) struct MemoryRows {
    pub(in crate::spark) schema: arrow::datatypes::SchemaRef,
    pub(in crate::spark) batches: Mutex<Vec<RecordBatch>>,
}

impl MemoryRows {
    fn new(frame: &Frame) -> MemoryRows {
        MemoryRows { schema: frame.schema(), batches: Mutex::default() }
    }
}

struct Memory(Arc<MemoryRows>);

#[async_trait]
impl Sink for Memory {
    async fn open(&mut self) -> std::result::Result<(), SinkError> {
        Ok(())
    }

    async fn write(&mut self, rows: &SinkRows) -> Written {
        let mut batches = self.0.batches.lock();
        let kept: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if kept + rows.batch.num_rows() > MEMORY_ROWS_MAX {
            let reason = format!("the memory sink holds {MEMORY_ROWS_MAX} rows at most");
            return Written {
                unfinished: (0..rows.batch.num_rows()).collect(),
                error: Some(SinkError::Failed(reason)),
                ..Written::default()
            };
        }
        batches.push(rows.batch.clone());
        Written::default()
    }
}

/// Prints each batch into the log.
struct Console {
    rows: usize,
    truncate: usize,
    batch: u64,
}

#[async_trait]
impl Sink for Console {
    async fn open(&mut self) -> std::result::Result<(), SinkError> {
        Ok(())
    }

    async fn write(&mut self, rows: &SinkRows) -> Written {
        let batch = &rows.batch;
        let shown = show::table(
            batch.schema_ref(),
            std::slice::from_ref(batch),
            self.rows,
            self.truncate,
            false,
        );
        let rule = "-".repeat(43);
        let number = self.batch;
        tracing::info!(target: "tidemill::console", "\n{rule}\nBatch: {number}\n{rule}\n{shown}");
        self.batch += 1;
        Written::default()
    }
}
