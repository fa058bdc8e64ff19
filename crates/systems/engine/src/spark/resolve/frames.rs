//! Repairs of a frame: NULLs filled and dropped, values replaced, columns turned into rows.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, when};
use tidemill_spark_connect::{self as proto, Literal};

use super::super::error::{Result, SparkError};
use super::super::frame::{Frame, Named};
use super::super::functions;
use super::cast::cast_to;
use super::expressions::name_parts;
use super::sources::null_of;
use super::{Walk, literal};

impl<'a> Walk<'a> {
    pub(super) async fn fill_na(&mut self, fill: &'a proto::NaFill) -> Result<Frame> {
        let input = self.input(fill.input.as_deref()).await?;
        let values = values(&fill.values)?;
        let wanted = places(&input, &fill.cols)?;
        let mut named = input.all();
        for (number, place) in wanted.iter().enumerate() {
            let value = if values.len() == 1 { values.first() } else { values.get(number) };
            let Some(value) = value else { continue };
            let to = input.data_type(*place).clone();
            // A value of another kind does not touch a column that was not named.
            if !same_kind(&value.data_type(), &to) {
                continue;
            }
            let filled = cast_to(lit(value.clone()), &value.data_type(), &to, false)?;
            let column = input.column(*place);
            named[*place].expr = when(column.clone().is_null(), filled).otherwise(column)?;
        }
        input.project(named)
    }

    pub(super) async fn drop_na(&mut self, drop: &'a proto::NaDrop) -> Result<Frame> {
        let input = self.input(drop.input.as_deref()).await?;
        let wanted = places(&input, &drop.cols)?;
        let least = match drop.min_non_nulls {
            Some(least) => i64::from(least),
            None => wanted.len() as i64,
        };
        let mut count: Expr = lit(0_i64);
        for place in wanted {
            let one = when(input.column(place).is_not_null(), lit(1_i64)).otherwise(lit(0_i64))?;
            count = count + one;
        }
        let plan = LogicalPlanBuilder::from(input.plan.clone())
            .filter(count.gt_eq(lit(least)))?
            .build()?;
        Ok(input.with_plan(plan))
    }

    pub(super) async fn replace(&mut self, replace: &'a proto::NaReplace) -> Result<Frame> {
        let input = self.input(replace.input.as_deref()).await?;
        let wanted = places(&input, &replace.cols)?;
        let mut named = input.all();
        for place in wanted {
            let to = input.data_type(place).clone();
            let column = input.column(place);
            let mut expr = column.clone();
            // The last rule is innermost, so that the first one that fits counts.
            for rule in replace.replacements.iter().rev() {
                let (Some(old), Some(new)) = (&rule.old_value, &rule.new_value) else { continue };
                let (old, new) = (literal(old)?.0, literal(new)?.0);
                if !same_kind(&old.data_type(), &to) {
                    continue;
                }
                let new = match new.is_null() {
                    true => null_of(&to)?,
                    false => cast_to(lit(new.clone()), &new.data_type(), &to, false)?,
                };
                expr = when(column.clone().eq(lit(old)), new).otherwise(expr)?;
            }
            named[place].expr = expr;
        }
        input.project(named)
    }

    pub(super) async fn sample(&mut self, sample: &'a proto::Sample) -> Result<Frame> {
        let input = self.input(sample.input.as_deref()).await?;
        if sample.with_replacement() {
            return Err(SparkError::unsupported("a sample with replacement"));
        }
        let chance = functions::random();
        let inside = chance.lt(lit(sample.upper_bound - sample.lower_bound));
        let plan = LogicalPlanBuilder::from(input.plan.clone()).filter(inside)?.build()?;
        Ok(input.with_plan(plan))
    }

    pub(super) async fn unpivot(&mut self, unpivot: &'a proto::Unpivot) -> Result<Frame> {
        let input = self.input(unpivot.input.as_deref()).await?;
        let ids = self.select(&unpivot.ids, &input)?;
        let values = match &unpivot.values {
            Some(values) => self.select(&values.values, &input)?,
            None => {
                let rest = input.all().into_iter();
                rest.filter(|one| ids.iter().all(|id| id.expr != one.expr)).collect()
            }
        };
        let mut parts: Option<LogicalPlanBuilder> = None;
        let mut columns = Vec::new();
        for value in values {
            let mut named = ids.clone();
            let variable = lit(value.name.clone());
            named.push(Named { name: unpivot.variable_column_name.clone(), expr: variable });
            named.push(Named { name: unpivot.value_column_name.clone(), expr: value.expr });
            let part = input.clone().project(named)?;
            columns.clone_from(&part.columns);
            parts = Some(match parts {
                None => LogicalPlanBuilder::from(part.plan),
                Some(others) => others.union(part.plan)?,
            });
        }
        let plan = parts.ok_or_else(|| SparkError::analysis("unpivot of no column"))?.build()?;
        let frame = Frame::new(plan, input.streaming)?;
        Ok(Frame { columns, ..frame })
    }
}

fn values(literals: &[Literal]) -> Result<Vec<ScalarValue>> {
    literals.iter().map(|one| Ok(literal(one)?.0)).collect()
}

/// The places of the named columns; of all of them if none is named.
fn places(input: &Frame, names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() {
        return Ok((0..input.columns.len()).collect());
    }
    names.iter().map(|name| Ok(input.find(&name_parts(name)?, None)?.0)).collect()
}

fn same_kind(one: &arrow::datatypes::DataType, two: &arrow::datatypes::DataType) -> bool {
    (one.is_numeric() && two.is_numeric()) || one == two
}
