//! What stands in `WITH (…)`, per connector and format. Names are Flink's; ours begin with
//! `tidemill.`. What is not known is refused, so that no setting is silently without effect.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sql::{Location, SqlError};

use super::taken::{Options, invalid};

/// A connector with its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Connector {
    /// A topic.
    Kafka(KafkaOptions),
    /// A table of Cassandra; a sink only.
    Cassandra(CassandraOptions),
    /// Generated rows; a source only.
    Datagen(DatagenOptions),
    /// Rows into the log; a sink only.
    Print {
        /// Stands before each row.
        identifier: String,
    },
    /// Rows into nothing; a sink only.
    Blackhole,
    /// A sink that only Spark Connect knows, such as `memory`.
    Spark {
        /// The value of `format`.
        format: &'static str,
    },
}

impl Connector {
    /// The value of `'connector'`.
    pub fn name(&self) -> &'static str {
        match self {
            Connector::Kafka(_) => "kafka",
            Connector::Cassandra(_) => "cassandra",
            Connector::Datagen(_) => "datagen",
            Connector::Print { .. } => "print",
            Connector::Blackhole => "blackhole",
            Connector::Spark { format } => format,
        }
    }

    /// Whether rows can be read from it.
    pub fn is_source(&self) -> bool {
        matches!(self, Connector::Kafka(_) | Connector::Datagen(_))
    }

    /// Whether rows can be written to it.
    pub fn is_sink(&self) -> bool {
        !matches!(self, Connector::Datagen(_))
    }

    /// Reads the options of a table.
    pub(super) fn resolve(
        all: &[(String, String, Location)],
        at: Location,
    ) -> Result<Connector, SqlError> {
        let mut options = Options::new(all, at)?;
        let connector = match options.connector() {
            "kafka" => Connector::Kafka(kafka(&mut options)?),
            "cassandra" => Connector::Cassandra(cassandra(&mut options)?),
            "datagen" => Connector::Datagen(datagen(&mut options)?),
            "print" => Connector::Print {
                identifier: options.text("print-identifier").unwrap_or_default(),
            },
            "blackhole" => Connector::Blackhole,
            other => {
                return Err(SqlError::invalid(
                    options.at,
                    format!(
                        "Could not find any factory for identifier '{other}' that implements \
                         'org.apache.flink.table.factories.DynamicTableFactory'.\n\nAvailable \
                         factory identifiers are:\n\nblackhole\ncassandra\ndatagen\nkafka\nprint"
                    ),
                ));
            }
        };
        options.finish()?;
        Ok(connector)
    }
}

/// `'connector' = 'kafka'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaOptions {
    /// The topic.
    pub topic: String,
    /// Brokers; none for the node's own.
    pub bootstrap_servers: Option<String>,
    /// `properties.group.id`: where `group-offsets` starts from.
    pub group_id: Option<String>,
    /// How values are written.
    pub format: Format,
    /// Columns that make the record's key when writing; empty for no key.
    pub key_fields: Vec<String>,
    /// The format of the key.
    pub key_format: Option<Format>,
    /// Where reading starts without a checkpoint.
    pub startup: Startup,
    /// Reading ends at the offsets that were last when it started.
    pub bounded: bool,
    /// `scan.watermark.idle-timeout`.
    pub idle_timeout: Option<Duration>,
    /// Where bad records go.
    pub dead_letter_topic: String,
}

/// `scan.startup.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Startup {
    /// `earliest-offset`.
    Earliest,
    /// `latest-offset`.
    Latest,
    /// `group-offsets`: what the group committed, else the earliest.
    GroupOffsets,
    /// `timestamp`, in milliseconds.
    Timestamp(i64),
}

/// How bytes become columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// `json`.
    Json(JsonOptions),
    /// `avro-confluent`.
    AvroConfluent(AvroOptions),
    /// `raw`: the value is one column.
    Raw,
}

impl Format {
    /// The value of `'format'`.
    pub fn name(&self) -> &'static str {
        match self {
            Format::Json(_) => "json",
            Format::AvroConfluent(_) => "avro-confluent",
            Format::Raw => "raw",
        }
    }
}

/// `json.*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// A field of the wrong type is NULL, a malformed record is skipped.
    pub ignore_parse_errors: bool,
    /// A missing field is an error.
    pub fail_on_missing_field: bool,
    /// `ISO-8601` instead of `SQL`.
    pub iso_timestamps: bool,
    /// Fields that are NULL are not written.
    pub ignore_null_fields: bool,
}

/// `avro-confluent.*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AvroOptions {
    /// The registry; none for the node's own.
    pub url: Option<String>,
    /// Subject under which a sink registers; none for `<topic>-value`.
    pub subject: Option<String>,
}

/// `'connector' = 'cassandra'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CassandraOptions {
    /// Keyspace.
    pub keyspace: String,
    /// Table.
    pub table: String,
    /// Addresses; none for the node's own store.
    pub contact_points: Option<String>,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// CQL types that differ from the column's default, by column.
    pub cql_types: BTreeMap<String, (String, Location)>,
    /// For a keyspace that is made; the cluster's own setting if it is not said.
    pub replication_factor: Option<u32>,
    /// Writes on their way at most.
    pub in_flight_max: usize,
}

/// `'connector' = 'datagen'`.
#[derive(Debug, Clone, PartialEq)]
pub struct DatagenOptions {
    /// Rows per second.
    pub rows_per_second: i64,
    /// Rows in all; none for endless.
    pub number_of_rows: Option<i64>,
    /// `fields.<column>.<option>`.
    pub fields: BTreeMap<String, FieldOptions>,
}

/// How one generated column gets its values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldOptions {
    /// `kind` = `sequence`: `start` to `end`, then over again.
    pub sequence: Option<(i64, i64)>,
    /// Least random number.
    pub min: Option<f64>,
    /// Greatest random number.
    pub max: Option<f64>,
    /// Characters of a random text.
    pub length: Option<usize>,
}

fn kafka(options: &mut Options<'_>) -> Result<KafkaOptions, SqlError> {
    let topic = options.required("topic")?;
    if topic.contains(';') {
        return Err(SqlError::unsupported(options.at, "option 'topic' with several topics"));
    }
    let format = format(options, "")?;
    let key_format = match options.take("key.format") {
        Some((name, at)) => Some(format_named(options, name, at)?),
        None => None,
    };
    let key_fields: Vec<String> = options
        .text("key.fields")
        .map(|fields| fields.split(';').map(|field| field.trim().to_owned()).collect())
        .unwrap_or_default();
    if key_fields.is_empty() != key_format.is_none() {
        return Err(SqlError::invalid(
            options.at,
            "Options 'key.format' and 'key.fields' must be set together: a key format 'key.format' \
             requires the declaration of one or more of key fields using 'key.fields'.",
        ));
    }
    let startup = startup(options)?;
    let bounded = options
        .choice("scan.bounded.mode", &["unbounded", "latest-offset"])?
        .is_some_and(|mode| mode == "latest-offset");
    let idle_timeout = match options.take("scan.watermark.idle-timeout") {
        Some((value, at)) => Some(duration("scan.watermark.idle-timeout", value, at)?),
        None => None,
    };
    sink_options(options)?;
    let dead_letter_topic =
        options.text("tidemill.dead-letter.topic").unwrap_or_else(|| format!("{topic}.dlq"));
    let bootstrap_servers = options.text("properties.bootstrap.servers");
    let group_id = options.text("properties.group.id");
    other_properties(options)?;
    Ok(KafkaOptions {
        topic,
        bootstrap_servers,
        group_id,
        format,
        key_fields,
        key_format,
        startup,
        bounded,
        idle_timeout,
        dead_letter_topic,
    })
}

fn startup(options: &mut Options<'_>) -> Result<Startup, SqlError> {
    let modes = ["earliest-offset", "latest-offset", "group-offsets", "timestamp"];
    let mode = options.choice("scan.startup.mode", &modes)?;
    let millis = options.number::<i64>("scan.startup.timestamp-millis")?;
    match (mode, millis) {
        (Some("timestamp"), Some(millis)) => Ok(Startup::Timestamp(millis)),
        (Some("timestamp"), None) => Err(SqlError::invalid(
            options.at,
            "'scan.startup.timestamp-millis' is required in 'timestamp' startup mode but missing.",
        )),
        (_, Some(_)) => Err(SqlError::invalid(
            options.at,
            "'scan.startup.timestamp-millis' is only for 'timestamp' startup mode.",
        )),
        (Some("earliest-offset"), None) => Ok(Startup::Earliest),
        (Some("latest-offset"), None) => Ok(Startup::Latest),
        // Flink's default.
        _ => Ok(Startup::GroupOffsets),
    }
}

/// Options of the Kafka sink that have one possible value here.
fn sink_options(options: &mut Options<'_>) -> Result<(), SqlError> {
    let key = "sink.delivery-guarantee";
    let guarantees = ["at-least-once", "none", "exactly-once"];
    let at = options.at;
    if options.choice(key, &guarantees)? == Some("exactly-once") {
        return Err(SqlError::unsupported(
            at,
            "'sink.delivery-guarantee' = 'exactly-once'; the sink is at-least-once so far",
        ));
    }
    options.choice("sink.partitioner", &["default"])?;
    options.choice("value.fields-include", &["ALL"])?;
    Ok(())
}

/// Settings for Kafka's own client that change nothing here are accepted; one that would change
/// security or meaning is refused, never ignored.
fn other_properties(options: &mut Options<'_>) -> Result<(), SqlError> {
    const WITHOUT_EFFECT: [&str; 8] = [
        "acks",
        "auto.offset.reset",
        "batch.size",
        "client.id",
        "compression.type",
        "enable.auto.commit",
        "enable.idempotence",
        "linger.ms",
    ];
    for (key, _, at) in options.with_prefix("properties.") {
        if !WITHOUT_EFFECT.contains(&key.as_str()) {
            return Err(SqlError::unsupported(at, format!("option 'properties.{key}'")));
        }
    }
    Ok(())
}

fn format(options: &mut Options<'_>, prefix: &str) -> Result<Format, SqlError> {
    let short = options.take(&format!("{prefix}format"));
    let long = options.take(&format!("{prefix}value.format"));
    let Some((name, at)) = short.or(long) else {
        return Err(SqlError::invalid(
            options.at,
            "A value format must be specified: option 'format' or 'value.format' is missing.",
        ));
    };
    format_named(options, name, at)
}

fn format_named(options: &mut Options<'_>, name: &str, at: Location) -> Result<Format, SqlError> {
    match name {
        "json" => Ok(Format::Json(json(options)?)),
        "avro-confluent" => Ok(Format::AvroConfluent(AvroOptions {
            url: options.text("avro-confluent.url"),
            subject: options.text("avro-confluent.subject"),
        })),
        "raw" => {
            options.choice("raw.charset", &["UTF-8"])?;
            Ok(Format::Raw)
        }
        other => Err(SqlError::invalid(
            at,
            format!(
                "Could not find any factory for identifier '{other}' that implements \
                 'org.apache.flink.table.factories.DeserializationFormatFactory'.\n\nAvailable \
                 factory identifiers are:\n\navro-confluent\njson\nraw"
            ),
        )),
    }
}

fn json(options: &mut Options<'_>) -> Result<JsonOptions, SqlError> {
    let json = JsonOptions {
        ignore_parse_errors: options.bool("json.ignore-parse-errors", false)?,
        fail_on_missing_field: options.bool("json.fail-on-missing-field", false)?,
        iso_timestamps: options.choice("json.timestamp-format.standard", &["SQL", "ISO-8601"])?
            == Some("ISO-8601"),
        ignore_null_fields: options.bool("json.encode.ignore-null-fields", false)?,
    };
    if json.ignore_parse_errors && json.fail_on_missing_field {
        return Err(SqlError::invalid(
            options.at,
            "fail-on-missing-field and ignore-parse-errors shouldn't both be true.",
        ));
    }
    Ok(json)
}

fn cassandra(options: &mut Options<'_>) -> Result<CassandraOptions, SqlError> {
    let (username, password) = (options.text("username"), options.text("password"));
    let credentials = match (username, password) {
        (Some(username), Some(password)) => Some((username, password)),
        (None, None) => None,
        _ => {
            return Err(SqlError::invalid(
                options.at,
                "Options 'username' and 'password' must be set together.",
            ));
        }
    };
    let cql_types = options
        .with_prefix("tidemill.cql.type.")
        .into_iter()
        .map(|(column, cql_type, at)| (column, (cql_type, at)))
        .collect();
    let in_flight_max = options.number("tidemill.in-flight.max")?.unwrap_or(256);
    if !(1..=4096).contains(&in_flight_max) {
        let key = "tidemill.in-flight.max";
        return Err(invalid(key, &in_flight_max.to_string(), options.at, "Expected 1 to 4096."));
    }
    Ok(CassandraOptions {
        keyspace: options.required("keyspace")?,
        table: options.required("table")?,
        contact_points: options.text("contact-points"),
        credentials,
        cql_types,
        replication_factor: options.number("tidemill.replication-factor")?,
        in_flight_max,
    })
}

fn datagen(options: &mut Options<'_>) -> Result<DatagenOptions, SqlError> {
    let rows_per_second = options.number::<i64>("rows-per-second")?.unwrap_or(10_000);
    if rows_per_second < 1 {
        let value = rows_per_second.to_string();
        return Err(invalid("rows-per-second", &value, options.at, "Expected at least 1."));
    }
    let number_of_rows = options.number::<i64>("number-of-rows")?;
    let mut fields: BTreeMap<String, FieldOptions> = BTreeMap::new();
    let mut sequences: BTreeMap<String, (Option<i64>, Option<i64>, bool)> = BTreeMap::new();
    for (key, value, at) in options.with_prefix("fields.") {
        let full = format!("fields.{key}");
        let wrong = |expected: &str| invalid(&full, &value, at, expected);
        let Some((column, option)) = key.rsplit_once('.') else {
            return Err(wrong("Expected 'fields.<column>.<option>'."));
        };
        let field = fields.entry(column.to_owned()).or_default();
        let sequence = sequences.entry(column.to_owned()).or_default();
        let whole = || value.parse::<i64>().map_err(|_| wrong("Expected a whole number."));
        let real = || value.parse::<f64>().map_err(|_| wrong("Expected a number."));
        match option {
            "kind" if value == "sequence" => sequence.2 = true,
            "kind" if value == "random" => {}
            "kind" => return Err(wrong("Expected one of: [random, sequence].")),
            "start" => sequence.0 = Some(whole()?),
            "end" => sequence.1 = Some(whole()?),
            "min" => field.min = Some(real()?),
            "max" => field.max = Some(real()?),
            "length" => {
                let length = usize::try_from(whole()?).ok().filter(|length| *length <= 65_536);
                field.length = Some(length.ok_or_else(|| wrong("Expected 0 to 65536."))?);
            }
            _ => return Err(wrong("Known options: kind, start, end, min, max, length.")),
        }
    }
    for (column, (start, end, is_sequence)) in sequences {
        let field = fields.entry(column.clone()).or_default();
        match (is_sequence, start, end) {
            (true, Some(start), Some(end)) if start <= end => field.sequence = Some((start, end)),
            (true, ..) => {
                let message = format!(
                    "Could not find required property 'fields.{column}.start' or \
                     'fields.{column}.end' for sequence generator."
                );
                return Err(SqlError::invalid(options.at, message));
            }
            (false, ..) => {}
        }
    }
    Ok(DatagenOptions { rows_per_second, number_of_rows, fields })
}

/// Flink's durations: `5 s`, `100 ms`, `1 min`, `2 h`.
pub fn duration(key: &str, value: &str, at: Location) -> Result<Duration, SqlError> {
    let text = value.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (text[..split].parse::<u64>().ok(), text[split..].trim());
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => Some(1),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1_000),
        "m" | "min" | "minute" | "minutes" => Some(60_000),
        "h" | "hour" | "hours" => Some(3_600_000),
        "d" | "day" | "days" => Some(86_400_000),
        _ => None,
    };
    number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .map(Duration::from_millis)
        .ok_or_else(|| invalid(key, value, at, "Expected a duration, such as '5 s' or '1 min'."))
}
