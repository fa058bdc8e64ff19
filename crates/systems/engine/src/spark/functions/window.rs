//! `window(…)` over time, and functions `OVER` a window of rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Fields, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::functions_window as df;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, cast,
};
use tidemill_spark_connect::{self as proto, FrameBoundaryKind, FrameType};

use super::own::own;
use super::time::interval_ms;
use super::{Call, Result, SparkError, literal_number, literal_text};
use crate::runtime::window_start;
use crate::spark::types::timestamp;

const WINDOW: &str = "window";

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spark) struct WindowSpec {
    pub(in crate::spark) size_ms: i64,
    pub(in crate::spark) slide_ms: i64,
    pub(in crate::spark) offset_ms: i64,
}

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    use WindowFunctionDefinition::WindowUDF;
    let ranked = |function| Expr::from(WindowFunction::new(WindowUDF(function), Vec::new()));
    Ok(Some(match call.name {
        "window" => window(call, args)?,
        "row_number" => cast(ranked(df::row_number::row_number_udwf()), DataType::Int32),
        "rank" => cast(ranked(df::rank::rank_udwf()), DataType::Int32),
        "dense_rank" => cast(ranked(df::rank::dense_rank_udwf()), DataType::Int32),
        "percent_rank" => ranked(df::rank::percent_rank_udwf()),
        "cume_dist" => ranked(df::cume_dist::cume_dist_udwf()),
        "lag" | "lead" => {
            let function = match call.name {
                "lag" => df::lead_lag::lag_udwf(),
                _ => df::lead_lag::lead_udwf(),
            };
            let mut args = args.to_vec();
            if let Some(shift) = args.get(1).and_then(literal_number) {
                args[1] = datafusion::logical_expr::lit(shift);
            }
            args.truncate(3);
            Expr::from(WindowFunction::new(WindowUDF(function), args))
        }
        _ => return Ok(None),
    }))
}

/// `window(time, '10 minutes', '5 minutes', '1 minute')`: the bounds as a struct.
fn window(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let [time, lengths @ ..] = args else {
        return Err(SparkError::wrong_argument_count("window", "[2, 4]", args.len()));
    };
    let millis = |place: usize| match lengths.get(place) {
        None => Ok(None),
        Some(length) => {
            let known = literal_text(length).and_then(interval_ms).or_else(|| micros(length));
            let wrong =
                || SparkError::argument(format!("The duration {length} of window is wrong"));
            known.map(Some).ok_or_else(wrong)
        }
    };
    let size_ms = millis(0)?.filter(|size| *size > 0);
    let size_ms = size_ms
        .ok_or_else(|| SparkError::argument("The window duration must be greater than 0"))?;
    let slide_ms = millis(1)?.unwrap_or(size_ms);
    if slide_ms <= 0 || slide_ms > size_ms {
        return Err(SparkError::argument(
            "The slide duration must be greater than 0 and at most the window duration",
        ));
    }
    let spec = WindowSpec { size_ms, slide_ms, offset_ms: millis(2)?.unwrap_or(0) };
    if !matches!(call.type_of(time)?, DataType::Timestamp(..)) {
        return Err(SparkError::analysis(
            "window needs a TIMESTAMP; cast the column with to_timestamp",
        ));
    }
    // A column keeps its face, by which a watermark is found.
    let time = match call.type_of(time)? {
        own if own == timestamp() => time.clone(),
        _ => cast(time.clone(), timestamp()),
    };
    let fields: Fields =
        ["start", "end"].into_iter().map(|name| Field::new(name, timestamp(), true)).collect();
    let parameters = format!("{size_ms}/{slide_ms}/{}", spec.offset_ms);
    let returns = DataType::Struct(fields.clone());
    Ok(own(WINDOW, parameters, returns, vec![time], move |arrays, rows| {
        Ok(bounds(&arrays[0], rows, &spec, &fields)?)
    }))
}

fn micros(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::DurationMicrosecond(Some(micros)), _) => Some(micros / 1000),
        _ => None,
    }
}

fn bounds(
    time: &ArrayRef,
    rows: usize,
    spec: &WindowSpec,
    fields: &Fields,
) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let micros = time.as_primitive::<TimestampMicrosecondType>();
    let start = |at: i64| window_start(at.div_euclid(1000), spec.size_ms, spec.offset_ms) * 1000;
    let bound = |shift: i64| -> ArrayRef {
        let all = micros.iter().map(|at| at.map(|at| start(at) + shift));
        Arc::new(all.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let columns = vec![bound(0), bound(spec.size_ms * 1000)];
    let valid = time.nulls().cloned();
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, valid, rows)?))
}

/// The time and the lengths of a `window(…)`; none of any other expression.
pub(in crate::spark) fn window_of(expr: &Expr) -> Option<(Expr, WindowSpec)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    if call.name() != WINDOW {
        return None;
    }
    let parameters = super::own::parameters(&call.func)?;
    let mut lengths = parameters.split('/').map(str::parse::<i64>);
    let mut next = || lengths.next()?.ok();
    let spec = WindowSpec { size_ms: next()?, slide_ms: next()?, offset_ms: next()? };
    Some((call.args.first()?.clone(), spec))
}

/// A function over rows beside its own.
pub(in crate::spark) fn over(
    function: Expr,
    partition: Vec<Expr>,
    order: Vec<Sort>,
    frame: Option<&proto::WindowFrame>,
) -> Result<Expr> {
    if let Expr::Cast(inner) = function {
        let target = inner.field.data_type().clone();
        return Ok(cast(over(*inner.expr, partition, order, frame)?, target));
    }
    let function = match function {
        Expr::AggregateFunction(call) => {
            let definition = WindowFunctionDefinition::AggregateUDF(call.func);
            Expr::from(WindowFunction::new(definition, call.params.args))
        }
        Expr::WindowFunction(_) => function,
        other => {
            let text = format!("Window function {other} is not supported over a window");
            return Err(SparkError::analysis(text));
        }
    };
    let ordered = !order.is_empty();
    let builder = function.partition_by(partition).order_by(order);
    let builder = match frame {
        Some(frame) => builder.window_frame(bounded(frame)?),
        None => builder.window_frame(WindowFrame::new(ordered.then_some(false))),
    };
    Ok(builder.build()?)
}

fn bounded(frame: &proto::WindowFrame) -> Result<WindowFrame> {
    let units = match frame.frame_type() {
        FrameType::Row => WindowFrameUnits::Rows,
        _ => WindowFrameUnits::Range,
    };
    let bound = |of: Option<&proto::FrameBoundary>, before: bool| {
        let unbounded = ScalarValue::UInt64(None);
        Ok::<_, SparkError>(match of.and_then(|of| of.boundary.as_ref()) {
            Some(FrameBoundaryKind::Unbounded(_)) if before => {
                WindowFrameBound::Preceding(unbounded)
            }
            Some(FrameBoundaryKind::Unbounded(_)) => WindowFrameBound::Following(unbounded),
            Some(FrameBoundaryKind::Value(value)) => shifted(value, units)?,
            _ => WindowFrameBound::CurrentRow,
        })
    };
    let (lower, upper) = (frame.lower.as_deref(), frame.upper.as_deref());
    Ok(WindowFrame::new_bounds(units, bound(lower, true)?, bound(upper, false)?))
}

fn shifted(value: &proto::Expression, units: WindowFrameUnits) -> Result<WindowFrameBound> {
    let Some(proto::ExprType::Literal(value)) = &value.expr_type else {
        return Err(SparkError::unsupported("a bound of a window that is no literal"));
    };
    let number = crate::spark::resolve::literal(value)?.0.cast_to(&DataType::Int64)?;
    let ScalarValue::Int64(Some(number)) = number else {
        return Err(SparkError::unsupported("a bound of a window that is no number"));
    };
    let distance = match units {
        WindowFrameUnits::Rows => ScalarValue::UInt64(Some(number.unsigned_abs())),
        _ => ScalarValue::Int64(Some(number.abs())),
    };
    Ok(match number {
        0 => WindowFrameBound::CurrentRow,
        number if number < 0 => WindowFrameBound::Preceding(distance),
        _ => WindowFrameBound::Following(distance),
    })
}
