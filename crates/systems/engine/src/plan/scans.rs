//! The leaves of a streaming plan, and which columns are time attributes.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};

use crate::catalog::Table;
use crate::sql::query::Tumble;
use crate::sql::types::SqlType;

use super::binder::{Scans, time_column, window_columns};

/// The leaves of a streaming plan.
pub(crate) struct StreamScans;

/// Delivered columns of a table.
pub(crate) struct ScanSource {
    pub(super) table: Arc<Table>,
    schema: SchemaRef,
    /// The watermark of a query that declares its own.
    pub(super) watermark: Option<Arc<DeclaredWatermark>>,
}

/// A watermark over delivered columns.
pub(super) struct DeclaredWatermark {
    /// A timestamp in milliseconds.
    pub(super) expr: Expr,
    /// The columns it needs.
    pub(super) columns: Vec<String>,
    pub(super) text: String,
}

impl ScanSource {
    pub(crate) fn new(table: Arc<Table>) -> ScanSource {
        let schema = table.scan_schema();
        ScanSource { table, schema, watermark: None }
    }

    pub(super) fn with_watermark(&self, watermark: Arc<DeclaredWatermark>) -> ScanSource {
        let (table, schema) = (Arc::clone(&self.table), Arc::clone(&self.schema));
        ScanSource { table, schema, watermark: Some(watermark) }
    }
}

impl TableSource for ScanSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The columns of `input` and the bounds of the window. A leaf, so that the optimiser moves
/// nothing through it.
pub(super) struct TumbleSource {
    pub(super) window: Tumble,
    pub(super) input: LogicalPlan,
    schema: SchemaRef,
}

impl TableSource for TumbleSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Scans for StreamScans {
    fn table(&self, table: &Arc<Table>) -> Result<Arc<dyn TableSource>> {
        Ok(Arc::new(ScanSource::new(Arc::clone(table))))
    }

    fn tumble(&self, window: &Tumble, input: LogicalPlan) -> Result<Arc<dyn TableSource>> {
        let time = time_column(window, &input)?;
        let index = input.schema().index_of_column(&Column::new_unqualified(&window.time_column));
        let index = index.or_else(|_| position(input.schema(), &window.time_column))?;
        if !is_rowtime(&input, index) {
            return plan_err!(
                "The window function requires the timecol is a time attribute type, but is {}. \
                 Declare it with WATERMARK FOR {} AS … in the table '{}'",
                SqlType::from_arrow(&time),
                window.time_column,
                window.table
            );
        }
        tumble_source(window.clone(), input)
    }
}

/// The leaf for a window over `input`, whose time column is a time attribute.
pub(crate) fn tumble_source(window: Tumble, input: LogicalPlan) -> Result<Arc<dyn TableSource>> {
    let time = time_column(&window, &input)?;
    let mut fields: Vec<_> = input.schema().fields().iter().cloned().collect();
    for (name, data_type) in window_columns(&time) {
        fields.push(Arc::new(Field::new(name, data_type, true)));
    }
    let schema = Arc::new(Schema::new(fields));
    Ok(Arc::new(TumbleSource { window, input, schema }))
}

pub(super) fn position(schema: &DFSchema, name: &str) -> Result<usize> {
    match schema.fields().iter().position(|field| field.name() == name) {
        Some(index) => Ok(index),
        None => plan_err!("Column '{name}' not found in any table"),
    }
}

/// Whether a column of a plan that was not optimised yet is the time attribute of its table.
fn is_rowtime(plan: &LogicalPlan, index: usize) -> bool {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => match scanned(&alias.input) {
            // A table with computed columns, one of which may be the attribute.
            Some(table) if alias.alias.table() == table.name => {
                let name = plan.schema().field(index).name();
                table.watermark.as_ref().is_some_and(|watermark| watermark.column == *name)
            }
            _ => is_rowtime(&alias.input, index),
        },
        LogicalPlan::Projection(projection) => match plain_column(&projection.expr[index]) {
            Some(column) => projection
                .input
                .schema()
                .index_of_column(column)
                .is_ok_and(|index| is_rowtime(&projection.input, index)),
            None => false,
        },
        LogicalPlan::Filter(filter) => is_rowtime(&filter.input, index),
        LogicalPlan::Union(union) => union.inputs.iter().all(|input| is_rowtime(input, index)),
        LogicalPlan::TableScan(scan) => {
            scan.source.downcast_ref::<ScanSource>().is_some_and(|source| {
                let name = plan.schema().field(index).name();
                source.table.watermark.as_ref().is_some_and(|watermark| watermark.column == *name)
            })
        }
        _ => false,
    }
}

/// The table under the projection that adds its computed columns.
fn scanned(plan: &LogicalPlan) -> Option<&Arc<Table>> {
    match plan {
        LogicalPlan::Projection(projection) => scanned(&projection.input),
        LogicalPlan::TableScan(scan) => {
            scan.source.downcast_ref::<ScanSource>().map(|source| &source.table)
        }
        _ => None,
    }
}

pub(super) fn plain_column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => plain_column(&alias.expr),
        _ => None,
    }
}
