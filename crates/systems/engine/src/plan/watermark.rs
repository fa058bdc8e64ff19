//! A watermark that a query declares, rather than a table: moved down to the records it is told by.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource, cast, lit};
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;

use super::optimize::{analyze, optimize_with};
use super::scans::{DeclaredWatermark, ScanSource};
use super::stream::over_scan;

/// The plan with the watermark `column - delay` at its source. A filter between the two does not
/// hold time back: what it drops has happened too.
pub(crate) fn watermarked(plan: LogicalPlan, column: &str, delay_ms: i64) -> Result<LogicalPlan> {
    let moment = DataType::Timestamp(TimeUnit::Millisecond, None);
    let at = cast(Expr::Column(Column::new_unqualified(column)), moment.clone());
    let late = cast(cast(at, DataType::Int64) - lit(delay_ms), moment);
    let told =
        LogicalPlanBuilder::from(plan.clone()).project([late.alias("watermark")])?.build()?;
    let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> =
        vec![Arc::new(SimplifyExpressions::new()), Arc::new(OptimizeProjections::new())];
    let (expr, columns) = over_scan(&optimize_with(analyze(told)?, rules)?)?;
    let text = format!("{column} - {delay_ms} ms");
    let declared = Arc::new(DeclaredWatermark { expr, columns, text });
    let with = plan.transform_up(|node| match node {
        LogicalPlan::TableScan(mut scan) => match scan.source.downcast_ref::<ScanSource>() {
            Some(source) => {
                let source: Arc<dyn TableSource> =
                    Arc::new(source.with_watermark(Arc::clone(&declared)));
                scan.source = source;
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            None => Ok(Transformed::no(LogicalPlan::TableScan(scan))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    Ok(with.data)
}
