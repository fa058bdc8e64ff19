//! `read` and `readStream`: what a frame begins with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableSource, ident, lit};
use tidemill_spark_connect::{self as proto, ReadType};

use super::super::error::{Kind, Result, SparkError};
use super::super::frame::{Frame, Named};
use super::super::streams::files;
use super::Walk;
use super::cast::cast_to;
use super::relations::mem_table;
use crate::catalog::options::{
    Connector, DatagenOptions, FieldOptions, Format, KafkaOptions, Startup,
};
use crate::catalog::{MetadataKey, ScanColumn, ScanOrigin, Table};
use crate::plan::ScanSource;
use crate::sql::types::SqlType;

/// Topics of one source at most.
const TOPICS_MAX: usize = 100;
/// Options of the Kafka source that change nothing here.
const KAFKA_WITHOUT_EFFECT: [&str; 12] = [
    "failondataloss",
    "fetchoffset.numretries",
    "fetchoffset.retryintervalms",
    "groupidprefix",
    "includeheaders",
    "kafka.group.id",
    "kafkaconsumer.polltimeoutms",
    "maxoffsetspertrigger",
    "maxtriggerdelay",
    "minoffsetspertrigger",
    "minpartitions",
    "kafka.security.protocol",
];

/// Options by their names in lower case, as Spark compares them.
pub(in crate::spark) fn lowered(options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    options.iter().map(|(key, value)| (key.to_lowercase(), value.clone())).collect()
}

impl Walk<'_> {
    pub(super) async fn read(&mut self, read: &proto::Read) -> Result<Frame> {
        match &read.read_type {
            Some(ReadType::NamedTable(table)) => self.named_table(&table.unparsed_identifier).await,
            Some(ReadType::DataSource(source)) => self.source(source, read.is_streaming).await,
            None => Err(SparkError::invalid_plan("a read of nothing")),
        }
    }

    /// A temporary view, or a frame that came with a query.
    pub(super) async fn named_table(&mut self, name: &str) -> Result<Frame> {
        let parts = super::expressions::name_parts(name)?;
        let last = parts.last().cloned().unwrap_or_default();
        let found = match parts.as_slice() {
            [only] => self.reference(only).cloned().map(Arc::new),
            _ => None,
        };
        let relation = found.or_else(|| self.resolver.view(&parts.join(".")));
        let Some(relation) = relation else {
            let rows = self.resolver.session.rows_of(&parts.join("."));
            let rows = rows.ok_or_else(|| SparkError::table_not_found(name))?;
            let batches = rows.batches.lock().clone();
            return Ok(memory(batches, Some(rows.schema.as_ref().clone()))?.aliased(&last));
        };
        Ok(self.nested(&relation).await?.aliased(&last))
    }

    async fn source(
        &mut self,
        source: &proto::ReadDataSource,
        is_streaming: bool,
    ) -> Result<Frame> {
        let format = source.format.as_deref().unwrap_or("parquet");
        let options = lowered(&source.options);
        match (format.to_lowercase().as_str(), is_streaming) {
            ("kafka", _) => kafka(self, &options, is_streaming),
            ("rate" | "rate-micro-batch", true) => rate(&options),
            ("json" | "csv" | "text", false) => {
                let schema = source.schema.as_deref().filter(|text| !text.is_empty());
                files::read(format, &source.paths, schema, &options).await
            }
            (other, streaming) => {
                let class = "DATA_SOURCE_NOT_FOUND";
                let how = if streaming { "readStream" } else { "read" };
                let text = format!(
                    "Failed to find the data source: {other}. Make sure the provider name is correct \
                     and the package is properly registered and compatible with your Spark version. \
                     ({how} here knows kafka, rate, json, csv and text)"
                );
                Err(SparkError::new(Kind::Analysis, class, "42K02", &text).with("provider", other))
            }
        }
    }
}

/// The seven columns of Spark's Kafka source.
fn kafka(walk: &Walk<'_>, options: &BTreeMap<String, String>, is_streaming: bool) -> Result<Frame> {
    let topics = topics(options)?;
    let startup = starting_offsets(options, is_streaming)?;
    let servers = options.get("kafka.bootstrap.servers").ok_or_else(|| {
        SparkError::argument(
            "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer",
        )
    })?;
    if let Some(protocol) = options.get("kafka.security.protocol")
        && !protocol.eq_ignore_ascii_case("PLAINTEXT")
    {
        return Err(SparkError::unsupported(format!(
            "option kafka.security.protocol = {protocol}; an external Kafka is connected in the \
             engine's own settings"
        )));
    }
    refuse_unknown(options)?;
    let mut plan: Option<LogicalPlanBuilder> = None;
    for topic in topics {
        let table = Arc::new(kafka_table(&topic, servers, startup));
        let source: Arc<dyn TableSource> = match is_streaming {
            true => Arc::new(ScanSource::new(Arc::clone(&table))),
            false => crate::batch::topic_source(&table, &walk.resolver.core.ends),
        };
        let scan = LogicalPlanBuilder::scan(table.name.as_str(), source, None)?;
        let columns = ["key", "value", "topic", "partition", "offset", "timestamp"];
        let mut exprs: Vec<Expr> = columns.iter().map(|name| ident(*name)).collect();
        // A record does not tell which clock its timestamp is from: CreateTime is a topic's default.
        exprs.push(lit(0_i32).alias("timestampType"));
        let scan = scan.project(exprs)?;
        plan = Some(match plan {
            None => scan,
            Some(others) => others.union(scan.build()?)?,
        });
    }
    let plan = plan.ok_or_else(|| SparkError::argument("no topic is named"))?;
    Frame::new(plan.build()?, is_streaming)
}

fn topics(options: &BTreeMap<String, String>) -> Result<Vec<String>> {
    if let Some(pattern) = options.get("subscribepattern") {
        return Err(SparkError::unsupported(format!("option subscribePattern = {pattern}")));
    }
    let topics: Vec<String> = match (options.get("subscribe"), options.get("assign")) {
        (Some(subscribe), None) => subscribe.split(',').map(|one| one.trim().to_owned()).collect(),
        (None, Some(assign)) => {
            return Err(SparkError::unsupported(format!("option assign = {assign}")));
        }
        _ => {
            return Err(SparkError::argument(
                "One of the following options must be specified for Kafka source: subscribe, \
                 subscribepattern, assign. See the docs for more details.",
            ));
        }
    };
    if topics.iter().any(String::is_empty) {
        return Err(SparkError::argument(
            "No topics to subscribe to as specified value for option 'subscribe' is empty",
        ));
    }
    if topics.len() > TOPICS_MAX {
        return Err(SparkError::unsupported(format!(
            "more than {TOPICS_MAX} topics of one source"
        )));
    }
    Ok(topics)
}

/// Without the option a stream starts at the end, a query at the beginning.
fn starting_offsets(options: &BTreeMap<String, String>, is_streaming: bool) -> Result<Startup> {
    if let Some(millis) = options.get("startingtimestamp") {
        let millis = millis.trim().parse().map_err(|_| {
            SparkError::argument(format!("Option 'startingTimestamp' is no number: {millis}"))
        })?;
        return Ok(Startup::Timestamp(millis));
    }
    match options.get("startingoffsets").map(|text| text.trim().to_lowercase()).as_deref() {
        None if is_streaming => Ok(Startup::Latest),
        None | Some("earliest") => Ok(Startup::Earliest),
        Some("latest") if is_streaming => Ok(Startup::Latest),
        Some("latest") => {
            Err(SparkError::argument("starting offset can't be latest for batch queries on Kafka"))
        }
        Some(other) => Err(SparkError::unsupported(format!("option startingOffsets = {other}"))),
    }
}

fn refuse_unknown(options: &BTreeMap<String, String>) -> Result<()> {
    const READ: [&str; 5] = [
        "subscribe",
        "startingoffsets",
        "endingoffsets",
        "startingtimestamp",
        "kafka.bootstrap.servers",
    ];
    for (key, value) in options {
        let known = READ.contains(&key.as_str()) || KAFKA_WITHOUT_EFFECT.contains(&key.as_str());
        let at_end = key != "endingoffsets" || value.eq_ignore_ascii_case("latest");
        if !known && key.starts_with("kafka.sasl") || !at_end {
            return Err(SparkError::unsupported(format!("option {key} = {value}")));
        }
    }
    Ok(())
}

/// A topic as a table: bytes and what stands beside them.
fn kafka_table(topic: &str, servers: &str, startup: Startup) -> Table {
    let column = |name: &str, sql_type: SqlType, origin| ScanColumn {
        name: name.to_owned(),
        sql_type,
        origin,
    };
    let beside = ScanOrigin::Metadata;
    Table {
        name: topic.to_owned(),
        columns: Vec::new(),
        scan: vec![
            column("key", SqlType::Bytes, beside(MetadataKey::Key)),
            column("value", SqlType::Bytes, ScanOrigin::Value),
            column("topic", SqlType::String, beside(MetadataKey::Topic)),
            column("partition", SqlType::Int, beside(MetadataKey::Partition)),
            column("offset", SqlType::BigInt, beside(MetadataKey::Offset)),
            column("timestamp", SqlType::TimestampLtz(6), beside(MetadataKey::Timestamp)),
        ],
        primary_key: Vec::new(),
        watermark: None,
        connector: Connector::Kafka(KafkaOptions {
            topic: topic.to_owned(),
            bootstrap_servers: Some(servers.to_owned()),
            group_id: None,
            format: Format::Raw,
            key_fields: Vec::new(),
            key_format: None,
            startup,
            bounded: false,
            idle_timeout: None,
            dead_letter_topic: format!("{topic}.dlq"),
        }),
        text: String::new(),
    }
}

/// `rate`: a timestamp and a number, so many a second.
fn rate(options: &BTreeMap<String, String>) -> Result<Frame> {
    let number = |key: &str, default: i64| match options.get(key) {
        None => Ok(default),
        Some(text) => {
            text.trim().parse::<i64>().ok().filter(|number| *number > 0).ok_or_else(|| {
                SparkError::argument(format!(
                    "Invalid value '{text}' for option '{key}', must be positive"
                ))
            })
        }
    };
    let rows_per_second = number("rowspersecond", 1)?;
    let sequence = FieldOptions { sequence: Some((0, i64::MAX - 1)), ..FieldOptions::default() };
    let column = |name: &str, sql_type| ScanColumn {
        name: name.to_owned(),
        sql_type,
        origin: ScanOrigin::Value,
    };
    let table = Table {
        name: "rate".to_owned(),
        columns: Vec::new(),
        scan: vec![column("timestamp", SqlType::TimestampLtz(6)), column("value", SqlType::BigInt)],
        primary_key: Vec::new(),
        watermark: None,
        connector: Connector::Datagen(DatagenOptions {
            rows_per_second,
            number_of_rows: None,
            fields: BTreeMap::from([("value".to_owned(), sequence)]),
        }),
        text: String::new(),
    };
    let source = Arc::new(ScanSource::new(Arc::new(table)));
    let plan = LogicalPlanBuilder::scan("rate", source, None)?;
    Frame::new(plan.project([ident("timestamp"), ident("value")])?.build()?, true)
}

/// Batches of an Arrow IPC stream.
pub(super) fn read_ipc(data: &[u8]) -> Result<Vec<RecordBatch>> {
    let wrong = |error: arrow::error::ArrowError| {
        SparkError::invalid_plan(format!("the local data is no Arrow stream: {error}"))
    };
    let reader = StreamReader::try_new(data, None).map_err(wrong)?;
    reader.map(|batch| batch.map_err(wrong)).collect()
}

/// Rows in memory, cast to a schema if one is given.
pub(in crate::spark) fn memory(batches: Vec<RecordBatch>, schema: Option<Schema>) -> Result<Frame> {
    let found: SchemaRef = match (batches.first(), &schema) {
        (Some(batch), _) => batch.schema(),
        (None, Some(schema)) => Arc::new(schema.clone()),
        (None, None) => Arc::new(Schema::empty()),
    };
    // Names may repeat in the client's rows; in a plan they may not.
    let own: Vec<_> = found
        .fields()
        .iter()
        .enumerate()
        .map(|(place, field)| field.as_ref().clone().with_name(format!("c{place}")))
        .collect();
    let own = Arc::new(Schema::new(own));
    let batches = batches
        .into_iter()
        .map(|batch| RecordBatch::try_new(Arc::clone(&own), batch.columns().to_vec()))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(SparkError::invalid_plan)?;
    let source = mem_table(&own, batches)?;
    let plan = LogicalPlanBuilder::scan("local", source, None)?.build()?;
    let columns = plan.schema().columns();
    let mut named = Vec::with_capacity(columns.len());
    for (place, column) in columns.into_iter().enumerate() {
        let wanted = schema.as_ref().and_then(|schema| schema.fields().get(place));
        let name = wanted.unwrap_or(&found.fields()[place]).name().clone();
        let from = found.field(place).data_type();
        let to = wanted.map_or_else(|| canonical(from), |field| field.data_type().clone());
        let expr = cast_to(Expr::Column(column), from, &to, false)?;
        named.push(Named { name, expr });
    }
    let empty = Frame { plan, columns: Vec::new(), streaming: false, watermark: None };
    empty.project(named)
}

/// The Arrow type that stands for a Spark type among those that may.
pub(in crate::spark) fn canonical(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Timestamp(_, Some(_)) => super::super::types::timestamp(),
        DataType::Timestamp(_, None) => super::super::types::timestamp_ntz(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        DataType::Duration(_) => DataType::Duration(arrow::datatypes::TimeUnit::Microsecond),
        DataType::Dictionary(_, values) => canonical(values),
        DataType::LargeList(item) | DataType::List(item) | DataType::FixedSizeList(item, _) => {
            let item = item.as_ref().clone();
            let inner = canonical(item.data_type());
            DataType::List(Arc::new(item.with_data_type(inner)))
        }
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|field| {
                    let inner = canonical(field.data_type());
                    Arc::new(field.as_ref().clone().with_data_type(inner))
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// NULL of a type.
pub(super) fn null_of(data_type: &DataType) -> Result<Expr> {
    Ok(lit(ScalarValue::try_from(data_type)?))
}
