//! Expressions over batches. An expression that fails for one row (a cast, a division) fails for
//! that row only: the batch is halved until the guilty rows are alone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use tidemill_connectors::Stage;

use super::rows::{RowFault, Rows};

type Expr = Arc<dyn PhysicalExpr>;

/// The rows for which `predicate` is true.
pub(super) fn filter(rows: Rows, predicate: &Expr, faults: &mut Vec<RowFault>) -> Result<Rows> {
    let (rows, columns) = evaluate(rows, std::slice::from_ref(predicate), faults)?;
    Ok(rows.filter(columns[0].as_boolean())?)
}

/// One column per expression.
pub(super) fn project(
    rows: Rows,
    exprs: &[Expr],
    schema: &SchemaRef,
    faults: &mut Vec<RowFault>,
) -> Result<Rows> {
    let (rows, columns) = evaluate(rows, exprs, faults)?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let columns = columns
        .into_iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            // Names inside of a type may differ, such as those of a list's item.
            if column.data_type() == field.data_type() {
                Ok(column)
            } else {
                arrow::compute::cast(&column, field.data_type())
            }
        })
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
    Ok(Rows { batch, origin: rows.origin })
}

/// The expressions' values over the rows that have some, and a fault for each other row.
pub(super) fn evaluate(
    rows: Rows,
    exprs: &[Expr],
    faults: &mut Vec<RowFault>,
) -> Result<(Rows, Vec<ArrayRef>)> {
    match evaluate_all(&rows.batch, exprs) {
        Ok(columns) => Ok((rows, columns)),
        Err(_) => {
            let mut good = Vec::new();
            isolate(&rows, 0, rows.len(), exprs, &mut good, faults);
            let rows = rows.take(&good)?;
            let columns = evaluate_all(&rows.batch, exprs)?;
            Ok((rows, columns))
        }
    }
}

fn evaluate_all(batch: &RecordBatch, exprs: &[Expr]) -> Result<Vec<ArrayRef>> {
    exprs.iter().map(|expr| expr.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// Halves a range until it can be computed or is one row.
fn isolate(
    rows: &Rows,
    from: usize,
    count: usize,
    exprs: &[Expr],
    good: &mut Vec<u32>,
    faults: &mut Vec<RowFault>,
) {
    if count == 0 {
        return;
    }
    match evaluate_all(&rows.batch.slice(from, count), exprs) {
        Ok(_) => good.extend(from as u32..(from + count) as u32),
        Err(error) if count == 1 => {
            let reason = error.strip_backtrace();
            faults.push(rows.fault(from, Stage::Transformation, reason));
        }
        Err(_) => {
            let half = count / 2;
            isolate(rows, from, half, exprs, good, faults);
            isolate(rows, from + half, count - half, exprs, good, faults);
        }
    }
}

/// Splits off the rows that have NULL where a sink wants a value.
pub(super) fn not_null(rows: Rows, columns: &[usize], faults: &mut Vec<RowFault>) -> Result<Rows> {
    let schema = rows.batch.schema();
    let mut bad = vec![false; 0];
    for column in columns {
        let array = rows.batch.column(*column);
        if array.null_count() == 0 {
            continue;
        }
        bad.resize(rows.len(), false);
        for (row, bad) in bad.iter_mut().enumerate() {
            if array.is_null(row) && !*bad {
                *bad = true;
                let reason = format!(
                    "Column '{}' is NOT NULL, however, a null value is being written into it.",
                    schema.field(*column).name()
                );
                faults.push(rows.fault(row, Stage::TaskPut, reason));
            }
        }
    }
    if bad.is_empty() {
        return Ok(rows);
    }
    let good: Vec<u32> = (0..rows.len() as u32).filter(|row| !bad[*row as usize]).collect();
    Ok(rows.take(&good)?)
}
