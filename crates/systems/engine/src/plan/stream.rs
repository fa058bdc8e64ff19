//! An `INSERT` as a dataflow: sources, operators, a sink.
//!
//! DataFusion's optimiser runs with a list of rules that keep a plan streamable; what comes out
//! consists of few kinds of nodes, and each becomes one of our operators or an error.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, DataFusionError, Result, plan_err};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScan, ident,
};
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::physical_expr::aggregate::{AggregateFunctionExpr, LoweredAggregateBuilder};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use crate::catalog::table::is_rowtime_type;
use crate::catalog::{Catalog, Table};
use crate::sql::query::Tumble;
use crate::sql::types::SqlType;

use super::binder::Binder;
use super::functions::Functions;
use super::optimize::{analyze, optimize, optimize_with};
use super::scans::{
    DeclaredWatermark, ScanSource, StreamScans, TumbleSource, plain_column, position,
};

/// The dataflow of one `INSERT`.
#[derive(Debug, Clone)]
pub(crate) struct StreamPlan {
    pub(crate) sources: Vec<SourcePlan>,
    /// Inputs come before the nodes that use them; the last one feeds the sink.
    pub(crate) nodes: Vec<Node>,
    pub(crate) sink: Arc<Table>,
}

/// What is read and how much of it is decoded.
#[derive(Debug, Clone)]
pub(crate) struct SourcePlan {
    pub(crate) table: Arc<Table>,
    /// Indexes into the table's delivered columns.
    pub(crate) columns: Vec<usize>,
    pub(crate) schema: SchemaRef,
    pub(crate) watermark: Option<WatermarkPlan>,
}

/// How a row tells the watermark.
#[derive(Debug, Clone)]
pub(crate) struct WatermarkPlan {
    /// Over the source's columns; a timestamp in milliseconds.
    pub(crate) expr: Arc<dyn PhysicalExpr>,
    pub(crate) text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) operator: Operator,
    /// Indexes of nodes.
    pub(crate) inputs: Vec<usize>,
    pub(crate) schema: SchemaRef,
}

#[derive(Debug, Clone)]
pub(crate) enum Operator {
    /// Rows of a source, by index.
    Source(usize),
    /// Rows for which the predicate is true.
    Filter(Arc<dyn PhysicalExpr>),
    /// One expression per output column.
    Project(Vec<Arc<dyn PhysicalExpr>>),
    /// The rows of all inputs.
    Union,
    /// Adds the bounds of the window a row falls into.
    AssignWindow(AssignWindow),
    /// Groups by window and keys.
    WindowAggregate(WindowAggregate),
}

/// Output columns are taken from the input or computed from the time.
#[derive(Debug, Clone)]
pub(crate) struct AssignWindow {
    pub(crate) window: Tumble,
    /// The time attribute among the input's columns.
    pub(crate) time: usize,
    pub(crate) outputs: Vec<WindowOutput>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowOutput {
    Input(usize),
    Start,
    End,
    Time,
}

#[derive(Debug, Clone)]
pub(crate) struct WindowAggregate {
    pub(crate) window: Tumble,
    /// The column with the start of the window.
    pub(crate) start: usize,
    /// Output columns of the groups, in order.
    pub(crate) groups: Vec<GroupColumn>,
    pub(crate) aggregates: Vec<AggregateCall>,
}

#[derive(Debug, Clone)]
pub(crate) enum GroupColumn {
    Bound(WindowOutput),
    Key(Arc<dyn PhysicalExpr>),
}

#[derive(Debug, Clone)]
pub(crate) struct AggregateCall {
    pub(crate) function: Arc<AggregateFunctionExpr>,
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    /// For messages and for the state's description.
    pub(crate) text: String,
}

/// What is known of a node's output columns.
struct Planned {
    node: usize,
    /// Which of them are bounds of a window.
    bounds: Vec<Option<WindowOutput>>,
    window: Option<Tumble>,
}

/// The dataflow of a plan whose leaves are [`ScanSource`]s; it delivers the sink's columns.
pub(crate) fn plan_frame(
    functions: &Functions,
    plan: LogicalPlan,
    sink: Arc<Table>,
) -> Result<StreamPlan> {
    let catalog = Catalog::default();
    let binder = Binder::new(&catalog, functions, &StreamScans);
    StreamPlanner::plan(&binder, plan, sink)
}

/// Cuts a plan into operators.
pub(crate) struct StreamPlanner<'a> {
    binder: &'a Binder<'a>,
    sources: Vec<SourcePlan>,
    nodes: Vec<Node>,
}

impl<'a> StreamPlanner<'a> {
    /// `plan` delivers the sink's columns.
    pub(crate) fn plan(
        binder: &'a Binder<'a>,
        plan: LogicalPlan,
        sink: Arc<Table>,
    ) -> Result<StreamPlan> {
        let mut planner = StreamPlanner { binder, sources: Vec::new(), nodes: Vec::new() };
        planner.node(&optimize(plan)?)?;
        Ok(StreamPlan { sources: planner.sources, nodes: planner.nodes, sink })
    }

    fn node(&mut self, plan: &LogicalPlan) -> Result<Planned> {
        match plan {
            LogicalPlan::SubqueryAlias(alias) => self.node(&alias.input),
            LogicalPlan::Projection(projection) => {
                let input = self.node(&projection.input)?;
                self.project(&projection.expr, &projection.input, plan, input)
            }
            LogicalPlan::Filter(filter) => {
                let input = self.node(&filter.input)?;
                let predicate = physical(&filter.predicate, filter.input.schema())?;
                let node = self.push(Operator::Filter(predicate), vec![input.node], plan.schema());
                Ok(Planned { node, ..input })
            }
            LogicalPlan::Union(union) => {
                let inputs = union
                    .inputs
                    .iter()
                    .map(|input| Ok(self.node(input)?.node))
                    .collect::<Result<Vec<_>>>()?;
                let node = self.push(Operator::Union, inputs, plan.schema());
                let bounds = vec![None; plan.schema().fields().len()];
                Ok(Planned { node, bounds, window: None })
            }
            LogicalPlan::TableScan(scan) => self.leaf(scan, plan),
            LogicalPlan::Aggregate(aggregate) => {
                let input = self.node(&aggregate.input)?;
                self.aggregate(aggregate, plan, input)
            }
            other => plan_err!(
                "{} in a streaming query is not supported",
                other.display().to_string().split(':').next().unwrap_or("This operation")
            ),
        }
    }

    fn project(
        &mut self,
        exprs: &[Expr],
        input_plan: &LogicalPlan,
        plan: &LogicalPlan,
        input: Planned,
    ) -> Result<Planned> {
        let bound = |expr: &Expr| {
            let index = input_plan.schema().index_of_column(plain_column(expr)?).ok()?;
            input.bounds[index]
        };
        let bounds = exprs.iter().map(bound).collect();
        let exprs = exprs
            .iter()
            .map(|expr| physical(expr, input_plan.schema()))
            .collect::<Result<Vec<_>>>()?;
        let node = self.push(Operator::Project(exprs), vec![input.node], plan.schema());
        Ok(Planned { node, bounds, window: input.window })
    }

    fn leaf(&mut self, scan: &TableScan, plan: &LogicalPlan) -> Result<Planned> {
        let all = 0..scan.source.schema().fields().len();
        let projection = scan.projection.clone().unwrap_or_else(|| all.collect());
        if let Some(source) = scan.source.downcast_ref::<ScanSource>() {
            return self.scan(source, &projection, plan);
        }
        match scan.source.downcast_ref::<TumbleSource>() {
            Some(source) => self.tumble(source, &projection, plan),
            None => plan_err!("Table '{}' cannot be read as a stream", scan.table_name),
        }
    }

    fn scan(
        &mut self,
        source: &ScanSource,
        projection: &[usize],
        plan: &LogicalPlan,
    ) -> Result<Planned> {
        let table = &source.table;
        let watermark = self.watermark_of(source)?;
        let mut columns = projection.to_vec();
        for name in watermark.iter().flat_map(|(_, names, _)| names) {
            let index = table.scan.iter().position(|column| column.name == *name);
            let Some(index) = index else { return plan_err!("Column '{name}' not found") };
            if !columns.contains(&index) {
                columns.push(index);
            }
        }
        let schema = Arc::new(table.scan_schema().project(&columns)?);
        let watermark = match watermark {
            Some((expr, _, text)) => {
                let schema = DFSchema::try_from(Arc::clone(&schema))?;
                Some(WatermarkPlan { expr: physical(&expr, &schema)?, text })
            }
            None => None,
        };
        let extra = columns.len() > projection.len();
        self.sources.push(SourcePlan {
            table: Arc::clone(table),
            columns,
            schema: Arc::clone(&schema),
            watermark,
        });
        let source = Operator::Source(self.sources.len() - 1);
        self.nodes.push(Node { operator: source, inputs: Vec::new(), schema: Arc::clone(&schema) });
        let mut node = self.nodes.len() - 1;
        if extra {
            // What only the watermark needs goes no further.
            let schema = DFSchema::try_from(schema)?;
            let kept = (0..projection.len())
                .map(|index| physical(&ident(schema.field(index).name()), &schema))
                .collect::<Result<Vec<_>>>()?;
            node = self.push(Operator::Project(kept), vec![node], plan.schema());
        }
        Ok(Planned { node, bounds: vec![None; projection.len()], window: None })
    }

    /// The watermark of a source as an expression over delivered columns, their names, its text.
    fn watermark_of(&self, source: &ScanSource) -> Result<Option<(Expr, Vec<String>, String)>> {
        if let Some(declared) = &source.watermark {
            let DeclaredWatermark { expr, columns, text } = declared.as_ref();
            return Ok(Some((expr.clone(), columns.clone(), text.clone())));
        }
        let table = &source.table;
        let Some(watermark) = &table.watermark else { return Ok(None) };
        let source = self.binder.table(table)?;
        let plan = LogicalPlanBuilder::scan(table.name.as_str(), source, None)?.build()?;
        let index = position(plan.schema(), &watermark.column)?;
        let attribute = plan.schema().field(index).data_type().clone();
        if !is_rowtime_type(&attribute) {
            return plan_err!(
                "Invalid data type of time field for watermark definition. The field must be of type \
                 TIMESTAMP(p) or TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but \
                 the time field type is {}",
                SqlType::from_arrow(&attribute)
            );
        }
        let expr = self.binder.expression(&watermark.expr, plan.schema())?;
        let expr = datafusion::logical_expr::cast(
            expr,
            DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None),
        );
        let plan = LogicalPlanBuilder::from(plan).project([expr.alias("watermark")])?.build()?;
        let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> =
            vec![Arc::new(SimplifyExpressions::new()), Arc::new(OptimizeProjections::new())];
        let plan = optimize_with(analyze(plan)?, rules)?;
        let (expr, columns) = over_scan(&plan)?;
        Ok(Some((expr, columns, watermark.text.clone())))
    }

    fn tumble(
        &mut self,
        source: &TumbleSource,
        projection: &[usize],
        plan: &LogicalPlan,
    ) -> Result<Planned> {
        let width = source.input.schema().fields().len();
        let time = position(source.input.schema(), &source.window.time_column)?;
        let mut needed: Vec<usize> =
            projection.iter().copied().filter(|index| *index < width).collect();
        if !needed.contains(&time) {
            needed.push(time);
        }
        let columns = source.input.schema().columns();
        let exprs = needed.iter().map(|index| Expr::Column(columns[*index].clone()));
        let input = LogicalPlanBuilder::from(source.input.clone())
            .project(exprs.collect::<Vec<_>>())?
            .build()?;
        let input = self.node(&optimize(input)?)?;
        let place = |index: &usize| match index.checked_sub(width) {
            None => {
                let found = needed.iter().position(|needed| needed == index);
                WindowOutput::Input(found.expect("every projected column is needed"))
            }
            Some(0) => WindowOutput::Start,
            Some(1) => WindowOutput::End,
            Some(_) => WindowOutput::Time,
        };
        let outputs: Vec<WindowOutput> = projection.iter().map(place).collect();
        let bounds = outputs
            .iter()
            .map(|output| (!matches!(output, WindowOutput::Input(_))).then_some(*output))
            .collect();
        let time = needed.iter().position(|needed| *needed == time).expect("was added");
        let assign = AssignWindow { window: source.window.clone(), time, outputs };
        let node = self.push(Operator::AssignWindow(assign), vec![input.node], plan.schema());
        Ok(Planned { node, bounds, window: Some(source.window.clone()) })
    }

    fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        plan: &LogicalPlan,
        input: Planned,
    ) -> Result<Planned> {
        let schema = aggregate.input.schema();
        let bound = |expr: &Expr| {
            let index = schema.index_of_column(plain_column(expr)?).ok()?;
            input.bounds[index].map(|bound| (index, bound))
        };
        let bounds: Vec<_> = aggregate.group_expr.iter().map(bound).collect();
        let start = bounds.iter().flatten().find(|(_, bound)| *bound == WindowOutput::Start);
        let end = bounds.iter().flatten().any(|(_, bound)| *bound == WindowOutput::End);
        let (Some(window), Some((start, _)), true) = (input.window, start, end) else {
            return plan_err!(
                "Table sink doesn't support consuming update changes which is produced by node \
                 GroupAggregate: a streaming aggregate must be grouped by window_start and window_end \
                 of a window table function, such as TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL \
                 '1' MINUTE))"
            );
        };
        let groups = aggregate
            .group_expr
            .iter()
            .zip(&bounds)
            .map(|(expr, bound)| match bound {
                Some((_, bound)) => Ok(GroupColumn::Bound(*bound)),
                None => Ok(GroupColumn::Key(physical(expr, schema)?)),
            })
            .collect::<Result<Vec<_>>>()?;
        let aggregates = aggregate
            .aggr_expr
            .iter()
            .map(|expr| aggregate_call(expr, schema, &window))
            .collect::<Result<Vec<_>>>()?;
        let operator = WindowAggregate { window, start: *start, groups, aggregates };
        let node = self.push(Operator::WindowAggregate(operator), vec![input.node], plan.schema());
        let bounds = vec![None; plan.schema().fields().len()];
        Ok(Planned { node, bounds, window: None })
    }

    fn push(&mut self, operator: Operator, inputs: Vec<usize>, schema: &DFSchema) -> usize {
        // A filter hands its input's columns on; their metadata and NULL-ness do not matter here.
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| Field::new(field.name(), field.data_type().clone(), true))
            .collect();
        self.nodes.push(Node { operator, inputs, schema: Arc::new(Schema::new(fields)) });
        self.nodes.len() - 1
    }
}

/// The one expression of `Projection → … → TableScan`, over the scan's columns.
pub(super) fn over_scan(plan: &LogicalPlan) -> Result<(Expr, Vec<String>)> {
    let mut expr = match plan {
        LogicalPlan::Projection(projection) => projection.expr[0].clone(),
        _ => return plan_err!("the watermark is no expression over the table's columns"),
    };
    let mut below = plan.inputs()[0];
    loop {
        match below {
            LogicalPlan::SubqueryAlias(alias) => below = &alias.input,
            LogicalPlan::Filter(filter) => below = &filter.input,
            LogicalPlan::Projection(projection) => {
                expr = replace_columns(expr, &projection.expr)?;
                below = &projection.input;
            }
            LogicalPlan::TableScan(scan) => {
                let used: Vec<String> = scan
                    .projected_schema
                    .fields()
                    .iter()
                    .map(|field| field.name().clone())
                    .collect();
                return Ok((unqualified(expr)?, used));
            }
            _ => return plan_err!("the watermark is no expression over the table's columns"),
        }
    }
}

/// Columns replaced by the expressions of the projection below that have their names.
fn replace_columns(expr: Expr, below: &[Expr]) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let replaced = expr.transform_up(|part| match &part {
        Expr::Column(column) => {
            let found = below.iter().find(|expr| expr.qualified_name().1 == column.name);
            Ok(found.map_or_else(
                || Transformed::no(part.clone()),
                |found| Transformed::yes(found.clone().unalias()),
            ))
        }
        _ => Ok(Transformed::no(part)),
    })?;
    Ok(replaced.data)
}

fn unqualified(expr: Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let bare = expr.transform_up(|part| match part {
        Expr::Column(column) => Ok(Transformed::yes(ident(column.name))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(bare.data)
}

fn aggregate_call(expr: &Expr, schema: &DFSchema, window: &Tumble) -> Result<AggregateCall> {
    // The marker's number says where the window stands in the text: no part of the meaning.
    let text = expr.schema_name().to_string().replace(&format!("{}.", window.marker), "");
    let text = text.replace("count(Int64(1))", "count(*)");
    let (props, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
    let lowered =
        LoweredAggregateBuilder::new(expr, schema, schema.as_arrow(), &props, &context).build()?;
    if lowered.aggregate.is_distinct() {
        return plan_err!("{text}: DISTINCT in a streaming aggregate is not supported yet");
    }
    if !lowered.order_bys.is_empty() {
        return plan_err!("{text}: ORDER BY in a streaming aggregate is not supported");
    }
    if !lowered.aggregate.groups_accumulator_supported() {
        return plan_err!("{text} is not supported over a column of this type");
    }
    Ok(AggregateCall { function: lowered.aggregate, filter: lowered.filter, text })
}

fn physical(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    create_physical_expr(expr, schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())
        .map_err(|error| DataFusionError::Plan(error.strip_backtrace()))
}
