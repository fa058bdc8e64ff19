//! `SELECT` for a caller: stock DataFusion over topics, each read to its current end.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMillisecondType};
use async_trait::async_trait;
use datafusion::catalog::{Session as DataFusionSession, TableProvider};
use datafusion::common::{Column, DataFusionError, Result};
use datafusion::datasource::provider_as_source;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TableSource, TableType, Volatility, cast,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use tidemill_connectors::{Polled, Source};

use crate::catalog::{Catalog, Table};
use crate::ends::{Ends, Reading};
use crate::formats::Decoder;
use crate::plan::binder::{Binder, Scans, explain_error, time_column, window_columns};
use crate::runtime::job::Schemas;
use crate::runtime::window_start;
use crate::session::Core;
use crate::sql::query::{self, Mode, Query, Tumble};
use crate::sql::{Location, SqlError};

/// Rows of a query.
pub(crate) struct QueryResult {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

/// Reads what a query asks for. Records that cannot be decoded are left out; the log says how many.
pub(crate) async fn select(
    core: &Core,
    catalog: &Catalog,
    query: &Query,
) -> Result<QueryResult, SqlError> {
    query::check(query, Mode::Batch)?;
    let plan = logical(core, catalog, query)?;
    let failed = |error: DataFusionError| explain_error(&error, query.at);
    let context = SessionContext::new_with_config(
        SessionConfig::new().with_target_partitions(1).with_information_schema(false),
    );
    let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let schema = stream.schema();
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        rows += batch.num_rows();
        let most = core.config.result_rows_max;
        if rows > most {
            let message = format!("the result has more than {most} rows; add a LIMIT");
            return Err(SqlError::invalid(query.at, message));
        }
        batches.push(batch);
    }
    Ok(QueryResult { schema, batches })
}

/// The plan as text.
pub(crate) fn explain(core: &Core, catalog: &Catalog, query: &Query) -> Result<String, SqlError> {
    let plan = logical(core, catalog, query)?;
    Ok(format!("== Abstract Syntax Tree ==\n{}\n", plan.display_indent()))
}

/// The columns of a table or view.
pub(crate) fn schema_of(
    core: &Core,
    catalog: &Catalog,
    name: &str,
    at: Location,
) -> Result<SchemaRef, SqlError> {
    let scans = TopicScans { ends: Arc::clone(&core.ends) };
    let binder = Binder::new(catalog, &core.functions, &scans);
    let plan = binder.relation(name).map_err(|error| explain_error(&error, at))?;
    Ok(Arc::new(plan.schema().as_arrow().clone()))
}

fn logical(core: &Core, catalog: &Catalog, query: &Query) -> Result<LogicalPlan, SqlError> {
    let scans = TopicScans { ends: Arc::clone(&core.ends) };
    Binder::new(catalog, &core.functions, &scans).query(query)
}

/// The leaves of a batch plan.
struct TopicScans {
    ends: Arc<dyn Ends>,
}

impl Scans for TopicScans {
    fn table(&self, table: &Arc<Table>) -> Result<Arc<dyn TableSource>> {
        Ok(topic_source(table, &self.ends))
    }

    /// With its end known, a window is only a column.
    fn tumble(&self, window: &Tumble, input: LogicalPlan) -> Result<Arc<dyn TableSource>> {
        let time = time_column(window, &input)?;
        let column = input
            .schema()
            .columns()
            .into_iter()
            .find(|column| column.name == window.time_column)
            .unwrap_or_else(|| Column::new_unqualified(&window.time_column));
        let mut exprs: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let shifts = [0, window.size_ms, window.size_ms - 1];
        for ((name, data_type), shift_ms) in window_columns(&time).into_iter().zip(shifts) {
            let bound = WindowBound {
                size_ms: window.size_ms,
                offset_ms: window.offset_ms,
                shift_ms,
                signature: Signature::any(1, Volatility::Immutable),
            };
            let bound = ScalarUDF::from(bound).call(vec![Expr::Column(column.clone())]);
            exprs.push(cast(bound, data_type).alias(name));
        }
        let plan = LogicalPlanBuilder::from(input).project(exprs)?.build()?;
        Ok(crate::plan::binder::plan_source(plan))
    }
}

/// A bound of the window that a moment falls into.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowBound {
    size_ms: i64,
    offset_ms: i64,
    shift_ms: i64,
    signature: Signature,
}

impl ScalarUDFImpl for WindowBound {
    fn name(&self) -> &'static str {
        "window_bound"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Millisecond, None))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let time = args.args[0].to_array(args.number_rows)?;
        let time = arrow::compute::cast(&time, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
        let bound = |at| window_start(at, self.size_ms, self.offset_ms) + self.shift_ms;
        let bounds: TimestampMillisecondArray = time
            .as_primitive::<TimestampMillisecondType>()
            .iter()
            .map(|at| at.map(bound))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(bounds) as ArrayRef))
    }
}

/// The leaf of a batch plan for a topic.
pub(crate) fn topic_source(table: &Arc<Table>, ends: &Arc<dyn Ends>) -> Arc<dyn TableSource> {
    let provider = TopicTable { table: Arc::clone(table), ends: Arc::clone(ends) };
    provider_as_source(Arc::new(provider))
}

/// A topic as a table with an end.
struct TopicTable {
    table: Arc<Table>,
    ends: Arc<dyn Ends>,
}

impl fmt::Debug for TopicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicTable({})", self.table.name)
    }
}

#[async_trait]
impl TableProvider for TopicTable {
    fn schema(&self) -> SchemaRef {
        self.table.scan_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn DataFusionSession,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.table.scan.len()).collect();
        let columns = projection.cloned().unwrap_or(all);
        let schema = Arc::new(self.table.scan_schema().project(&columns)?);
        let partition = TopicStream {
            table: Arc::clone(&self.table),
            ends: Arc::clone(&self.ends),
            columns,
            schema: Arc::clone(&schema),
        };
        let exec =
            StreamingTableExec::try_new(schema, vec![Arc::new(partition)], None, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// Reads a topic once.
struct TopicStream {
    table: Arc<Table>,
    ends: Arc<dyn Ends>,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl fmt::Debug for TopicStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicStream({})", self.table.name)
    }
}

impl PartitionStream for TopicStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reader = Reader::new(self);
        let batches = futures::stream::unfold(Some(reader), |reader| async {
            match reader? {
                Err(error) => Some((Err(error), None)),
                Ok(mut reader) => match reader.next().await {
                    Ok(Some(batch)) => Some((Ok(batch), Some(Ok(reader)))),
                    Ok(None) => None,
                    Err(error) => Some((Err(error), None)),
                },
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

struct Reader {
    table: String,
    source: Box<dyn Source>,
    decoder: Decoder,
    schemas: Arc<dyn Schemas>,
    opened: bool,
    left_out: u64,
}

impl Reader {
    fn new(stream: &TopicStream) -> Result<Reader> {
        let failed = |reason: String| DataFusionError::Plan(reason);
        let schema = Arc::clone(&stream.schema);
        Ok(Reader {
            table: stream.table.name.clone(),
            source: stream.ends.source(&stream.table, Reading::Query).map_err(failed)?,
            decoder: Decoder::new(&stream.table, &stream.columns, schema)?,
            schemas: stream.ends.schemas(&stream.table).map_err(failed)?,
            opened: false,
            left_out: 0,
        })
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let failed = |reason: String| DataFusionError::Plan(reason);
        if !self.opened {
            self.source.open(None).await.map_err(|error| failed(error.to_string()))?;
            self.opened = true;
        }
        loop {
            let polled = self.source.poll().await.map_err(|error| failed(error.to_string()))?;
            let fetched = match polled {
                Polled::Fetched(fetched) => fetched,
                Polled::End => {
                    if self.left_out > 0 {
                        tracing::warn!(
                            table = self.table,
                            records = self.left_out,
                            "records left out of a query: they cannot be decoded"
                        );
                    }
                    return Ok(None);
                }
            };
            if fetched.records.is_empty() {
                continue;
            }
            while let Some(id) = self.decoder.missing_schema(&fetched.records) {
                let schema = self.schemas.schema(id).await.map_err(failed)?;
                self.decoder.add_schema(id, schema);
            }
            let decoded = self.decoder.decode(&fetched.records)?;
            self.left_out += decoded.faults.len() as u64;
            return Ok(Some(decoded.batch));
        }
    }
}
