//! `CAST` as Spark's ANSI mode does it: what does not fit is an error, with `TRY_CAST` NULL.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast, lit, try_cast};

use super::super::error::{Kind, Result, SparkError};
use super::super::functions;
use super::super::types::{simple_string, timestamp_ntz};

/// The value as another type.
pub(in crate::spark) fn cast_to(
    expr: Expr,
    from: &DataType,
    to: &DataType,
    tolerant: bool,
) -> Result<Expr> {
    if from == to {
        return Ok(expr);
    }
    let plain = |expr: Expr, to: &DataType| match tolerant {
        true => try_cast(expr, to.clone()),
        false => cast(expr, to.clone()),
    };
    Ok(match (from, to) {
        (DataType::Timestamp(..), DataType::Utf8) => functions::time::shown(expr),
        (DataType::Struct(_) | DataType::Map(..) | DataType::List(_), DataType::Utf8) => {
            functions::text::shown(expr)
        }
        // Seconds since 1970, which Arrow would take for microseconds.
        (DataType::Timestamp(..), to) if to.is_numeric() => {
            let micros = cast(cast(expr, timestamp_ntz()), DataType::Int64);
            let seconds = match to {
                DataType::Float32 | DataType::Float64 => {
                    cast(micros, DataType::Float64) / lit(1_000_000.0)
                }
                _ => functions::floor_divide(micros, 1_000_000),
            };
            plain(seconds, to)
        }
        (from, DataType::Timestamp(..)) if from.is_numeric() => {
            let micros = match from {
                DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
                    cast(cast(expr, DataType::Float64) * lit(1_000_000.0), DataType::Int64)
                }
                _ => cast(expr, DataType::Int64) * lit(1_000_000_i64),
            };
            plain(micros, to)
        }
        (DataType::Utf8, to) if to.is_numeric() || *to == DataType::Boolean => {
            plain(functions::text::trimmed(expr), to)
        }
        (DataType::Utf8, DataType::Timestamp(..) | DataType::Date32) => {
            functions::time::read(expr, to, tolerant)
        }
        (from, to) if !castable(from, to) => {
            let (from, to) = (simple_string(from).to_uppercase(), simple_string(to).to_uppercase());
            let class = "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION";
            let text = format!(
                "Cannot resolve \"CAST\" due to data type mismatch: cannot cast \"{from}\" to \
                 \"{to}\"."
            );
            return Err(SparkError::new(Kind::Analysis, class, "42K09", &text)
                .with("srcType", format!("\"{from}\""))
                .with("targetType", format!("\"{to}\"")));
        }
        _ => plain(expr, to),
    })
}

fn castable(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Null, _) => true,
        (DataType::Date32, to) if to.is_numeric() || *to == DataType::Boolean => false,
        (from, DataType::Date32) if from.is_numeric() => false,
        (DataType::Binary, to) => *to == DataType::Utf8,
        (from, DataType::Binary) => *from == DataType::Utf8,
        (DataType::Struct(_), to) => matches!(to, DataType::Struct(_)),
        (from, DataType::Struct(_)) => matches!(from, DataType::Struct(_)),
        (from, to) => arrow::compute::can_cast_types(from, to),
    }
}
