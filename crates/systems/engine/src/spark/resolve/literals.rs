//! Literals of a plan as values, and as Spark writes them in names.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::scalar::ScalarStructBuilder;
use tidemill_spark_connect::{self as proto, LiteralType};

use super::super::error::{Result, SparkError};
use super::super::types;
use crate::time::{Civil, show_date, show_timestamp};

/// Bytes of one literal at most.
const LITERAL_BYTES_MAX: usize = 16 << 20;

/// The value of a literal, and its text in the name of a column.
pub(in crate::spark) fn literal(literal: &proto::Literal) -> Result<(ScalarValue, String)> {
    let kind = literal.literal_type.as_ref();
    let kind = kind.ok_or_else(|| SparkError::unsupported("a literal of unknown kind"))?;
    Ok(match kind {
        LiteralType::Null(data_type) => {
            let data_type = types::from_proto(data_type).unwrap_or(DataType::Null);
            (ScalarValue::try_from(&data_type)?, "NULL".to_owned())
        }
        LiteralType::Binary(bytes) => {
            limit(bytes.len())?;
            let hex: String = bytes.iter().take(64).map(|byte| format!("{byte:02X}")).collect();
            (ScalarValue::Binary(Some(bytes.to_vec())), format!("X'{hex}'"))
        }
        LiteralType::Boolean(value) => (ScalarValue::Boolean(Some(*value)), value.to_string()),
        LiteralType::Byte(value) => {
            (ScalarValue::Int8(Some(i8::try_from(*value).map_err(range)?)), value.to_string())
        }
        LiteralType::Short(value) => {
            (ScalarValue::Int16(Some(i16::try_from(*value).map_err(range)?)), value.to_string())
        }
        LiteralType::Integer(value) => (ScalarValue::Int32(Some(*value)), value.to_string()),
        LiteralType::Long(value) => (ScalarValue::Int64(Some(*value)), value.to_string()),
        LiteralType::Float(value) => {
            (ScalarValue::Float32(Some(*value)), shown_real(f64::from(*value)))
        }
        LiteralType::Double(value) => (ScalarValue::Float64(Some(*value)), shown_real(*value)),
        LiteralType::Decimal(decimal) => (decimal_value(decimal)?, decimal.value.clone()),
        LiteralType::String(text) => {
            limit(text.len())?;
            (ScalarValue::Utf8(Some(text.clone())), text.clone())
        }
        LiteralType::Date(days) => {
            (ScalarValue::Date32(Some(*days)), format!("DATE '{}'", show_date(*days)))
        }
        LiteralType::Timestamp(micros) => {
            let value = ScalarValue::TimestampMicrosecond(Some(*micros), Some("UTC".into()));
            (value, format!("TIMESTAMP '{}'", shown_micros(*micros)))
        }
        LiteralType::TimestampNtz(micros) => {
            let value = ScalarValue::TimestampMicrosecond(Some(*micros), None);
            (value, format!("TIMESTAMP_NTZ '{}'", shown_micros(*micros)))
        }
        LiteralType::DayTimeInterval(micros) => (
            ScalarValue::DurationMicrosecond(Some(*micros)),
            format!("INTERVAL '{micros}' MICROSECOND"),
        ),
        LiteralType::CalendarInterval(interval) if interval.months == 0 => {
            let micros = i64::from(interval.days) * 86_400_000_000 + interval.microseconds;
            (ScalarValue::DurationMicrosecond(Some(micros)), "INTERVAL".to_owned())
        }
        LiteralType::YearMonthInterval(months) => {
            (ScalarValue::IntervalYearMonth(Some(*months)), format!("INTERVAL '{months}' MONTH"))
        }
        LiteralType::Array(array) => {
            let item = array.element_type.as_ref().map(types::from_proto).transpose()?;
            list(&array.elements, item)?
        }
        LiteralType::SpecializedArray(array) => specialized(array)?,
        LiteralType::Struct(fields) => structure(fields)?,
        other => {
            let name = format!("{other:?}");
            let name = name.split('(').next().unwrap_or_default().to_owned();
            return Err(SparkError::unsupported(format!("a literal of type {name}")));
        }
    })
}

fn limit(bytes: usize) -> Result<()> {
    if bytes <= LITERAL_BYTES_MAX {
        return Ok(());
    }
    Err(SparkError::argument(format!("a literal of more than {LITERAL_BYTES_MAX} bytes")))
}

fn range(_: std::num::TryFromIntError) -> SparkError {
    SparkError::invalid_plan("a literal out of the range of its type")
}

fn shown_real(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e7 {
        format!("{value:.1}")
    } else {
        value.to_string()
    }
}

fn shown_micros(micros: i64) -> String {
    show_timestamp(&Civil::from_nanos(i128::from(micros) * 1000), ' ')
}

fn decimal_value(decimal: &proto::LiteralDecimal) -> Result<ScalarValue> {
    let wrong = || SparkError::invalid_plan(format!("'{}' is no decimal", decimal.value));
    let text = decimal.value.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number: i128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let found = i32::try_from(fraction.len()).map_err(range)?;
    let scale = decimal.scale.unwrap_or(found);
    let precision = decimal.precision.unwrap_or(38.min(digits.len() as i32).max(scale));
    let shift = u32::try_from(scale - found).map_err(|_| wrong())?;
    let number = 10_i128.checked_pow(shift).and_then(|factor| number.checked_mul(factor * sign));
    let precision = u8::try_from(precision).ok().filter(|one| (1..=38).contains(one));
    let scale = i8::try_from(scale).map_err(range)?;
    Ok(ScalarValue::Decimal128(
        Some(number.ok_or_else(wrong)?),
        precision.ok_or_else(wrong)?,
        scale,
    ))
}

fn list(elements: &[proto::Literal], item: Option<DataType>) -> Result<(ScalarValue, String)> {
    let values = elements.iter().map(literal).collect::<Result<Vec<_>>>()?;
    let (values, texts): (Vec<ScalarValue>, Vec<String>) = values.into_iter().unzip();
    let first = values.first().map(ScalarValue::data_type);
    let item = item.or(first).unwrap_or(DataType::Null);
    let list = ScalarValue::new_list(&values, &item, true);
    Ok((ScalarValue::List(list), format!("array({})", texts.join(", "))))
}

fn specialized(array: &proto::LiteralSpecializedArray) -> Result<(ScalarValue, String)> {
    use proto::LiteralSpecializedArrayValueType as Values;
    let (values, item): (Vec<ScalarValue>, DataType) = match &array.value_type {
        Some(Values::Bools(all)) => {
            (all.values.iter().map(|one| Some(*one).into()).collect(), DataType::Boolean)
        }
        Some(Values::Ints(all)) => {
            (all.values.iter().map(|one| Some(*one).into()).collect(), DataType::Int32)
        }
        Some(Values::Longs(all)) => {
            (all.values.iter().map(|one| Some(*one).into()).collect(), DataType::Int64)
        }
        Some(Values::Floats(all)) => {
            (all.values.iter().map(|one| Some(*one).into()).collect(), DataType::Float32)
        }
        Some(Values::Doubles(all)) => {
            (all.values.iter().map(|one| Some(*one).into()).collect(), DataType::Float64)
        }
        Some(Values::Strings(all)) => {
            (all.values.iter().map(|one| one.as_str().into()).collect(), DataType::Utf8)
        }
        None => (Vec::new(), DataType::Null),
    };
    let list = ScalarValue::new_list(&values, &item, true);
    Ok((ScalarValue::List(list), "array()".to_owned()))
}

fn structure(fields: &proto::LiteralStruct) -> Result<(ScalarValue, String)> {
    let data_type = fields.struct_type.as_ref().map(types::from_proto).transpose()?;
    let Some(DataType::Struct(types)) = data_type else {
        return Err(SparkError::invalid_plan("a struct literal without type"));
    };
    if types.len() != fields.elements.len() {
        return Err(SparkError::invalid_plan("a struct literal with other fields than its type"));
    }
    let mut builder = ScalarStructBuilder::new();
    for (field, element) in types.iter().zip(&fields.elements) {
        builder = builder.with_scalar(Arc::clone(field), literal(element)?.0);
    }
    Ok((builder.build()?, "struct()".to_owned()))
}
