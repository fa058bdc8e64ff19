//! A relation's rows, as Arrow.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use tidemill_spark_connect::{
    ArrowBatch, ExecutePlanResponse, ExecuteResult, RelType, Relation, ShowString,
};

use crate::spark::catalog;
use crate::spark::error::{Kind, Result, SparkError};
use crate::spark::frame::Frame;
use crate::spark::operations::Operation;
use crate::spark::resolve::{Resolver, canonical};
use crate::spark::service::Service;
use crate::spark::sessions::Session;
use crate::spark::show;
use crate::spark::types::schema_to_proto;

/// Rows of one Arrow batch at most; Spark's default.
const BATCH_ROWS_MAX: usize = 10_000;
/// Rows that `tail`, `show` and a write of one piece keep in memory at most.
const COLLECTED_ROWS_MAX: usize = 1_000_000;
/// Rows of `show` at most.
const SHOWN_ROWS_MAX: i32 = 100_000;

/// Sends a relation's rows.
pub(in crate::spark) async fn run(
    service: &Arc<Service>,
    session: &Arc<Session>,
    operation: &Operation,
    relation: &Relation,
) -> Result<()> {
    match &relation.rel_type {
        Some(RelType::ShowString(wanted)) => {
            let text = show_string(service, session, wanted).await?;
            let batch = one_text("show_string", text)?;
            send_all(operation, &batch.schema(), vec![batch]).await
        }
        Some(RelType::HtmlString(_)) => Err(SparkError::unsupported("relation html_string")),
        Some(RelType::Tail(tail)) => {
            let input = tail.input.as_deref();
            let input = input.ok_or_else(|| SparkError::invalid_plan("tail of nothing"))?;
            let frame = Resolver::new(&service.core, session).frame(input).await?;
            let (schema, batches) = collect(service, frame).await?;
            let wanted = usize::try_from(tail.limit).unwrap_or(0);
            let all = arrow::compute::concat_batches(&schema, &batches)
                .map_err(|error| SparkError::runtime(error.to_string()))?;
            let taken = wanted.min(all.num_rows());
            let last = all.slice(all.num_rows() - taken, taken);
            send_all(operation, &schema, vec![last]).await
        }
        Some(RelType::Catalog(asked)) => {
            let batch = catalog::answer(session, asked)?;
            send_all(operation, &batch.schema(), vec![batch]).await
        }
        _ => {
            let frame = Resolver::new(&service.core, session).frame(relation).await?;
            let schema = frame.schema();
            let mut stream = stream(frame).await?;
            begin(operation, &schema).await?;
            let (mut rows, mut any) = (0, false);
            while let Some(batch) = stream.next().await {
                let batch = named(&schema, &batch?)?;
                rows = send(operation, &batch, rows).await?;
                any = true;
            }
            if !any {
                send(operation, &RecordBatch::new_empty(arrow_schema(&schema)), rows).await?;
            }
            Ok(())
        }
    }
}

/// The rows of a frame, one after the other.
async fn stream(frame: Frame) -> Result<SendableRecordBatchStream> {
    if frame.streaming {
        let text = "Queries with streaming sources must be executed with writeStream.start();";
        let class = "STREAMING_SOURCE_IN_BATCH_QUERY";
        return Err(SparkError::new(Kind::Analysis, class, "0A000", text));
    }
    let config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
    let context = SessionContext::new_with_config(config);
    let frame = context.execute_logical_plan(frame.plan).await?;
    Ok(frame.execute_stream().await?)
}

/// All rows of a frame, under the names a user sees.
pub(in crate::spark) async fn collect(
    _service: &Service,
    frame: Frame,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let schema = frame.schema();
    let mut stream = stream(frame).await?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = named(&schema, &batch?)?;
        rows += batch.num_rows();
        if rows > COLLECTED_ROWS_MAX {
            let what = format!("more than {COLLECTED_ROWS_MAX} rows in memory; add a limit");
            return Err(SparkError::unsupported(what));
        }
        batches.push(batch);
    }
    Ok((arrow_schema(&schema), batches))
}

/// The schema with the Arrow types that Spark's clients expect.
fn arrow_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = canonical(field.data_type());
        Field::new(field.name(), data_type, field.is_nullable())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn named(schema: &Schema, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = arrow_schema(schema);
    let failed = |error: arrow::error::ArrowError| SparkError::runtime(error.to_string());
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast(column, field.data_type()),
        })
        .collect::<std::result::Result<Vec<ArrayRef>, _>>()
        .map_err(failed)?;
    // What a plan says about NULL may be stricter than what its rows hold.
    let fields = schema.fields().iter().zip(&columns).map(|(field, column)| {
        let nullable = field.is_nullable() || arrow::array::Array::null_count(column) > 0;
        field.as_ref().clone().with_nullable(nullable)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(failed)
}

async fn begin(operation: &Operation, schema: &Schema) -> Result<()> {
    let schema = Some(schema_to_proto(&arrow_schema(schema)));
    operation.push(ExecutePlanResponse { schema, ..ExecutePlanResponse::default() }).await
}

/// Sends a batch in pieces; `rows` were sent before. Returns how many are sent then.
async fn send(operation: &Operation, batch: &RecordBatch, rows: i64) -> Result<i64> {
    let mut sent = rows;
    let mut at = 0;
    loop {
        let count = BATCH_ROWS_MAX.min(batch.num_rows() - at);
        let piece = batch.slice(at, count);
        let data = ipc(&piece)?;
        let row_count = count as i64;
        let arrow = ArrowBatch {
            row_count,
            data: data.into(),
            start_offset: Some(sent),
            ..ArrowBatch::default()
        };
        operation.result(ExecuteResult::ArrowBatch(arrow)).await?;
        sent += row_count;
        at += count;
        if at >= batch.num_rows() {
            return Ok(sent);
        }
    }
}

pub(in crate::spark) async fn send_all(
    operation: &Operation,
    schema: &Schema,
    batches: Vec<RecordBatch>,
) -> Result<()> {
    begin(operation, schema).await?;
    let mut rows = 0;
    for batch in batches {
        rows = send(operation, &batch, rows).await?;
    }
    Ok(())
}

/// A batch as an Arrow IPC stream.
pub(in crate::spark) fn ipc(batch: &RecordBatch) -> Result<Vec<u8>> {
    let failed = |error: arrow::error::ArrowError| SparkError::runtime(error.to_string());
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, batch.schema_ref()).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    writer.finish().map_err(failed)?;
    drop(writer);
    Ok(bytes)
}

fn one_text(name: &str, text: String) -> Result<RecordBatch> {
    let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)]));
    RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(vec![text]))])
        .map_err(|error| SparkError::runtime(error.to_string()))
}

/// `show`: the first rows as a table of text.
async fn show_string(
    service: &Arc<Service>,
    session: &Arc<Session>,
    wanted: &ShowString,
) -> Result<String> {
    let input = wanted.input.as_deref();
    let input = input.ok_or_else(|| SparkError::invalid_plan("show of nothing"))?;
    let rows = wanted.num_rows.clamp(0, SHOWN_ROWS_MAX);
    let resolver = Resolver::new(&service.core, session);
    let frame = resolver.frame(input).await?;
    // One more, to know whether there are more.
    let plan = datafusion::logical_expr::LogicalPlanBuilder::from(frame.plan.clone())
        .limit(0, usize::try_from(rows + 1).ok())?
        .build()?;
    let (schema, batches) = collect(service, frame.with_plan(plan)).await?;
    let truncate = usize::try_from(wanted.truncate).unwrap_or(0);
    Ok(show::table(&schema, &batches, rows as usize, truncate, wanted.vertical))
}
