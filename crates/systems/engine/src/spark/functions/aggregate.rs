//! Functions over the rows of a group.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions_aggregate as df;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Expr, cast, lit};

use super::{Call, Result, SparkError, stock};

/// `count(*)`.
pub(in crate::spark) fn count_rows() -> Expr {
    made(df::count::count_udaf(), vec![lit(1_i64)], false)
}

fn made(function: Arc<AggregateUDF>, args: Vec<Expr>, distinct: bool) -> Expr {
    let call = AggregateFunction::new_udf(function, args, distinct, None, Vec::new(), None);
    Expr::AggregateFunction(call)
}

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    let one = || Ok::<_, SparkError>(call.exactly::<1>(args.to_vec())?[0].clone());
    let real = |expr: Expr| call.cast(expr, &DataType::Float64);
    let simple = |function: Arc<AggregateUDF>, args| made(function, args, call.distinct);
    Ok(Some(match call.name {
        "count" => match args {
            [] => return Err(SparkError::wrong_argument_count("count", "> 0", 0)),
            [only] => simple(df::count::count_udaf(), vec![only.clone()]),
            // A row counts if none of its values is NULL.
            several => {
                let whole = several.iter().cloned().map(Expr::is_not_null).reduce(Expr::and);
                let tuple = super::struct_of(
                    several
                        .iter()
                        .cloned()
                        .enumerate()
                        .map(|(n, one)| (format!("c{n}"), one))
                        .collect(),
                );
                let whole = whole.expect("there are several");
                let value = datafusion::logical_expr::when(whole, tuple).end()?;
                simple(df::count::count_udaf(), vec![value])
            }
        },
        "sum" => {
            let value = one()?;
            let value = match call.type_of(&value)? {
                DataType::Utf8 => real(value)?,
                DataType::Float32 => cast(value, DataType::Float64),
                other if other.is_integer() => cast(value, DataType::Int64),
                _ => value,
            };
            simple(df::sum::sum_udaf(), vec![value])
        }
        "avg" | "mean" => {
            let value = one()?;
            let value = match call.type_of(&value)? {
                DataType::Decimal128(..) => value,
                _ => real(value)?,
            };
            simple(df::average::avg_udaf(), vec![value])
        }
        "min" => simple(df::min_max::min_udaf(), vec![one()?]),
        "max" => simple(df::min_max::max_udaf(), vec![one()?]),
        "stddev" | "stddev_samp" | "std" => simple(df::stddev::stddev_udaf(), vec![real(one()?)?]),
        "stddev_pop" => simple(df::stddev::stddev_pop_udaf(), vec![real(one()?)?]),
        "variance" | "var_samp" => simple(df::variance::var_samp_udaf(), vec![real(one()?)?]),
        "var_pop" => simple(df::variance::var_pop_udaf(), vec![real(one()?)?]),
        "corr" => {
            let [left, right] = call.exactly(args.to_vec())?;
            simple(df::correlation::corr_udaf(), vec![real(left)?, real(right)?])
        }
        "first" | "first_value" | "any_value" | "last" | "last_value" => ends(call, args)?,
        "collect_list" | "array_agg" => collected(one()?, false)?,
        "collect_set" => collected(one()?, true)?,
        "approx_count_distinct" => {
            let value = args.first().cloned();
            let value = value.ok_or_else(|| SparkError::wrong_argument_count(call.name, "1", 0))?;
            cast(simple(df::approx_distinct::approx_distinct_udaf(), vec![value]), DataType::Int64)
        }
        "count_if" => {
            let condition = one()?;
            let value = datafusion::logical_expr::when(condition, lit(1_i64)).end()?;
            simple(df::count::count_udaf(), vec![value])
        }
        "bool_and" | "every" => simple(df::bool_and_or::bool_and_udaf(), vec![one()?]),
        "bool_or" | "some" | "any" => simple(df::bool_and_or::bool_or_udaf(), vec![one()?]),
        "median" => simple(df::median::median_udaf(), vec![real(one()?)?]),
        _ => return Ok(None),
    }))
}

/// `first(x, true)` leaves NULLs out.
fn ends(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let value = args.first().cloned();
    let value = value.ok_or_else(|| SparkError::wrong_argument_count(call.name, "1 or 2", 0))?;
    let ignore = matches!(
        args.get(1),
        Some(Expr::Literal(datafusion::common::ScalarValue::Boolean(Some(true)), _))
    );
    let function = match call.name.starts_with("last") {
        true => df::first_last::last_value_udaf(),
        false => df::first_last::first_value_udaf(),
    };
    let nulls = ignore.then_some(NullTreatment::IgnoreNulls);
    Ok(Expr::AggregateFunction(AggregateFunction::new_udf(
        function,
        vec![value],
        false,
        None,
        Vec::new(),
        nulls,
    )))
}

/// A list of the values that are not NULL; an empty one if there is none.
fn collected(value: Expr, distinct: bool) -> Result<Expr> {
    let filter = Some(Box::new(value.clone().is_not_null()));
    let list = Expr::AggregateFunction(AggregateFunction::new_udf(
        df::array_agg::array_agg_udaf(),
        vec![value],
        distinct,
        filter,
        Vec::new(),
        None,
    ));
    let empty = stock("make_array", Vec::new())?;
    stock("coalesce", vec![list, empty])
}

/// Whether an expression needs a group's rows.
pub(in crate::spark) fn is_in(expr: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode as _;
    expr.exists(|part| Ok(matches!(part, Expr::AggregateFunction(_)))).unwrap_or(false)
}

/// The name of a function's column in the plan: it follows from the function, so that the state of
/// a stream fits after a restart.
pub(in crate::spark) fn column_name(call: &Expr, place: usize) -> String {
    let name = call.schema_name().to_string();
    let short: String = name.chars().take(60).collect();
    format!("{short}#{place}")
}
