//! Functions that make several rows of one: `explode` and its like.

use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Column, UnnestOptions};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::own::own;
use super::{Call, Result, SparkError};
use crate::spark::frame::{Frame, Named};

const EXPLODE: &str = "explode";
const EXPLODE_OUTER: &str = "explode_outer";

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    let name = match call.name {
        "explode" => EXPLODE,
        "explode_outer" => EXPLODE_OUTER,
        _ => return Ok(None),
    };
    let [list] = call.exactly::<1>(args.to_vec())?;
    let arrow::datatypes::DataType::List(item) = call.type_of(&list)? else {
        return Err(SparkError::unsupported(format!("{name} of anything but an array")));
    };
    // Only a mark: the projection takes it out.
    Ok(Some(own(name, "", item.data_type().clone(), vec![list], |_, _| {
        datafusion::common::exec_err!("explode outside of a select")
    })))
}

/// A projection whose window functions are computed before it.
fn windowed(input: Frame, mut named: Vec<Named>) -> Result<Frame> {
    let mut found: Vec<Expr> = Vec::new();
    for one in &mut named {
        let rewritten = one.expr.clone().transform_down(|part| match part {
            Expr::WindowFunction(_) => {
                let known = found.iter().position(|call| *call == part);
                let place = known.unwrap_or(found.len());
                let column = Column::new_unqualified(part.schema_name().to_string());
                if place == found.len() {
                    found.push(part);
                }
                Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump))
            }
            other => Ok(Transformed::no(other)),
        })?;
        one.expr = rewritten.data;
    }
    if found.is_empty() {
        return input.project(named);
    }
    if input.streaming {
        return Err(SparkError::unsupported_stream("a function OVER a window of rows"));
    }
    // One node for each order that the rows have to be in.
    let plan = LogicalPlanBuilder::window_plan(input.plan.clone(), found)?;
    input.with_plan(plan).project(named)
}

/// The array that an expression makes rows of, and whether an empty one makes one too.
fn exploded(expr: &Expr) -> Option<(Expr, bool)> {
    match expr {
        Expr::ScalarFunction(call) if call.name() == EXPLODE => Some((call.args[0].clone(), false)),
        Expr::ScalarFunction(call) if call.name() == EXPLODE_OUTER => {
            Some((call.args[0].clone(), true))
        }
        _ => None,
    }
}

/// A projection; of its columns one may make several rows.
pub(in crate::spark) fn project(input: Frame, mut named: Vec<Named>) -> Result<Frame> {
    let place = named.iter().position(|one| exploded(&one.expr).is_some());
    let Some(place) = place else { return windowed(input, named) };
    let streaming = input.streaming;
    if streaming {
        return Err(SparkError::unsupported_stream("explode"));
    }
    let (list, outer) = exploded(&named[place].expr).expect("was found");
    let name = if named[place].name.starts_with(EXPLODE) { "col" } else { &named[place].name };
    named[place] = Named { name: name.to_owned(), expr: list };
    if named.iter().any(|one| exploded(&one.expr).is_some()) {
        return Err(SparkError::analysis("Only one generator is allowed per SELECT clause."));
    }
    let frame = input.project(named)?;
    let column = Column::new_unqualified(&frame.columns[place].own);
    let options = UnnestOptions::new().with_preserve_nulls(outer);
    let plan = LogicalPlanBuilder::from(frame.plan.clone())
        .unnest_column_with_options(column, options)?
        .build()?;
    Ok(frame.with_plan(plan))
}
