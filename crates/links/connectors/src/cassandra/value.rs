//! A value of a row as the type that the table's column has.

use std::net::IpAddr;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use scylla::frame::response::result::{CollectionType, ColumnType, NativeType};
use scylla::value::{CqlDate, CqlDecimal, CqlTime, CqlTimestamp, CqlTimeuuid, CqlValue, CqlVarint};
use uuid::Uuid;

/// CQL counts days from 2^31 days before 1970-01-01.
const EPOCH_DAY: i64 = 1 << 31;

/// The value at `row`; none for NULL. The error says why it does not fit.
pub(super) fn convert(
    array: &dyn Array,
    row: usize,
    wanted: &ColumnType<'_>,
) -> Result<Option<CqlValue>, String> {
    if array.is_null(row) {
        return Ok(None);
    }
    match wanted {
        ColumnType::Native(native) => native_value(array, row, native).map(Some),
        ColumnType::Collection { typ, .. } => collection(array, row, typ).map(Some),
        _ => Err("columns of this CQL type cannot be written".to_owned()),
    }
}

fn native_value(array: &dyn Array, row: usize, wanted: &NativeType) -> Result<CqlValue, String> {
    match array.data_type() {
        DataType::Utf8 => text(array.as_string::<i32>().value(row), wanted),
        DataType::Boolean if *wanted == NativeType::Boolean => {
            Ok(CqlValue::Boolean(array.as_boolean().value(row)))
        }
        DataType::Int8 => whole(array.as_primitive::<Int8Type>().value(row).into(), wanted),
        DataType::Int16 => whole(array.as_primitive::<Int16Type>().value(row).into(), wanted),
        DataType::Int32 => whole(array.as_primitive::<Int32Type>().value(row).into(), wanted),
        DataType::Int64 => whole(array.as_primitive::<Int64Type>().value(row), wanted),
        DataType::Float32 => real(array.as_primitive::<Float32Type>().value(row).into(), wanted),
        DataType::Float64 => real(array.as_primitive::<Float64Type>().value(row), wanted),
        DataType::Decimal128(_, scale) if *wanted == NativeType::Decimal => {
            let bytes = array.as_primitive::<Decimal128Type>().value(row).to_be_bytes().to_vec();
            let scale = i32::from(*scale);
            Ok(CqlValue::Decimal(CqlDecimal::from_signed_be_bytes_and_exponent(bytes, scale)))
        }
        DataType::Date32 if *wanted == NativeType::Date => {
            let day = i64::from(array.as_primitive::<Date32Type>().value(row)) + EPOCH_DAY;
            u32::try_from(day).map(|day| CqlValue::Date(CqlDate(day))).map_err(|e| e.to_string())
        }
        DataType::Time32(_) if *wanted == NativeType::Time => {
            let millis = i64::from(array.as_primitive::<Time32MillisecondType>().value(row));
            Ok(CqlValue::Time(CqlTime(millis * 1_000_000)))
        }
        DataType::Timestamp(unit, _) => {
            let millis = match unit {
                TimeUnit::Microsecond => {
                    array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000)
                }
                TimeUnit::Nanosecond => {
                    array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000)
                }
                _ => array.as_primitive::<TimestampMillisecondType>().value(row),
            };
            match wanted {
                NativeType::Timestamp => Ok(CqlValue::Timestamp(CqlTimestamp(millis))),
                _ => Err(misfit("TIMESTAMP", wanted)),
            }
        }
        DataType::Binary if *wanted == NativeType::Blob => {
            Ok(CqlValue::Blob(array.as_binary::<i32>().value(row).to_vec()))
        }
        other => Err(misfit(&other.to_string(), wanted)),
    }
}

fn text(text: &str, wanted: &NativeType) -> Result<CqlValue, String> {
    let no = |what: &str| format!("{text:?} is no {what}");
    match wanted {
        NativeType::Text => Ok(CqlValue::Text(text.to_owned())),
        NativeType::Ascii if text.is_ascii() => Ok(CqlValue::Ascii(text.to_owned())),
        NativeType::Ascii => Err(no("ascii")),
        NativeType::Uuid => Uuid::parse_str(text).map(CqlValue::Uuid).map_err(|_| no("uuid")),
        NativeType::Timeuuid => match Uuid::parse_str(text) {
            Ok(uuid) if uuid.get_version_num() == 1 => {
                Ok(CqlValue::Timeuuid(CqlTimeuuid::from(uuid)))
            }
            _ => Err(no("timeuuid")),
        },
        NativeType::Inet => text.parse::<IpAddr>().map(CqlValue::Inet).map_err(|_| no("inet")),
        _ => Err(misfit("STRING", wanted)),
    }
}

fn whole(number: i64, wanted: &NativeType) -> Result<CqlValue, String> {
    let range = |_| format!("{number} is out of the range of {}", name(wanted));
    match wanted {
        NativeType::TinyInt => i8::try_from(number).map(CqlValue::TinyInt).map_err(range),
        NativeType::SmallInt => i16::try_from(number).map(CqlValue::SmallInt).map_err(range),
        NativeType::Int => i32::try_from(number).map(CqlValue::Int).map_err(range),
        NativeType::BigInt => Ok(CqlValue::BigInt(number)),
        NativeType::Varint => {
            let bytes = number.to_be_bytes().to_vec();
            Ok(CqlValue::Varint(CqlVarint::from_signed_bytes_be(bytes)))
        }
        NativeType::Timestamp => Ok(CqlValue::Timestamp(CqlTimestamp(number))),
        _ => Err(misfit("a whole number", wanted)),
    }
}

fn real(number: f64, wanted: &NativeType) -> Result<CqlValue, String> {
    match wanted {
        NativeType::Float => Ok(CqlValue::Float(number as f32)),
        NativeType::Double => Ok(CqlValue::Double(number)),
        _ => Err(misfit("a floating-point number", wanted)),
    }
}

fn collection(
    array: &dyn Array,
    row: usize,
    wanted: &CollectionType<'_>,
) -> Result<CqlValue, String> {
    match (array.data_type(), wanted) {
        (DataType::List(_), CollectionType::List(item)) => {
            Ok(CqlValue::List(items(array, row, item)?))
        }
        (DataType::List(_), CollectionType::Set(item)) => {
            Ok(CqlValue::Set(items(array, row, item)?))
        }
        (DataType::Map(..), CollectionType::Map(key, value)) => {
            let entries = array.as_map().value(row);
            let pair = |entry| {
                let key = convert(entries.column(0), entry, key)?;
                let value = convert(entries.column(1), entry, value)?;
                key.zip(value).ok_or_else(|| "NULL inside a map".to_owned())
            };
            Ok(CqlValue::Map((0..entries.len()).map(pair).collect::<Result<_, String>>()?))
        }
        (other, _) => Err(format!("{other} does not fit the table's collection type")),
    }
}

fn items(array: &dyn Array, row: usize, wanted: &ColumnType<'_>) -> Result<Vec<CqlValue>, String> {
    let items = array.as_list::<i32>().value(row);
    (0..items.len())
        .map(|item| {
            convert(&items, item, wanted)?.ok_or_else(|| "NULL inside a collection".to_owned())
        })
        .collect()
}

fn misfit(found: &str, wanted: &NativeType) -> String {
    format!("{found} cannot be written to a column of type {}", name(wanted))
}

fn name(native: &NativeType) -> String {
    format!("{native:?}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Date32Array, Decimal128Array, Int64Array, ListArray, StringArray,
        TimestampMicrosecondArray,
    };

    fn one(array: ArrayRef, wanted: NativeType) -> Result<Option<CqlValue>, String> {
        convert(&array, 0, &ColumnType::Native(wanted))
    }

    fn string(text: &str) -> ArrayRef {
        Arc::new(StringArray::from(vec![text]))
    }

    #[test]
    fn values_become_the_type_of_the_column() {
        let uuid = "9b0f6c26-4a9d-4c3e-8a57-0c4e1d8d2c11";
        let parsed = Uuid::parse_str(uuid).unwrap();
        assert_eq!(one(string(uuid), NativeType::Uuid), Ok(Some(CqlValue::Uuid(parsed))));
        assert_eq!(
            one(string("::1"), NativeType::Inet),
            Ok(Some(CqlValue::Inet("::1".parse().unwrap())))
        );
        let number = || Arc::new(Int64Array::from(vec![300])) as ArrayRef;
        assert_eq!(one(number(), NativeType::SmallInt), Ok(Some(CqlValue::SmallInt(300))));
        let days = Arc::new(Date32Array::from(vec![0]));
        assert_eq!(one(days, NativeType::Date), Ok(Some(CqlValue::Date(CqlDate(1 << 31)))));
        let micros = Arc::new(TimestampMicrosecondArray::from(vec![-1]));
        assert_eq!(
            one(micros, NativeType::Timestamp),
            Ok(Some(CqlValue::Timestamp(CqlTimestamp(-1))))
        );
        let decimal = Decimal128Array::from(vec![-150]).with_precision_and_scale(5, 2).unwrap();
        match one(Arc::new(decimal), NativeType::Decimal) {
            Ok(Some(CqlValue::Decimal(decimal))) => {
                let (bytes, scale) = decimal.as_signed_be_bytes_slice_and_exponent();
                assert_eq!((i128::from_be_bytes(bytes.try_into().unwrap()), scale), (-150, 2));
            }
            other => panic!("{other:?}"),
        }
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1), Some(2)])]);
        let wanted = ColumnType::Collection {
            frozen: false,
            typ: CollectionType::Set(Box::new(ColumnType::Native(NativeType::BigInt))),
        };
        assert_eq!(
            convert(&list, 0, &wanted),
            Ok(Some(CqlValue::Set(vec![CqlValue::BigInt(1), CqlValue::BigInt(2)])))
        );
        assert_eq!(
            one(Arc::new(StringArray::from(vec![None::<&str>])), NativeType::Uuid),
            Ok(None)
        );
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (array, wanted, words) in [
            (string("not-a-uuid"), NativeType::Uuid, "\"not-a-uuid\" is no uuid"),
            (string("9b0f6c26-4a9d-4c3e-8a57-0c4e1d8d2c11"), NativeType::Timeuuid, "no timeuuid"),
            (string("é"), NativeType::Ascii, "no ascii"),
            (string("1"), NativeType::Int, "STRING cannot be written to a column of type int"),
            (Arc::new(Int64Array::from(vec![300])) as ArrayRef, NativeType::TinyInt, "range of"),
            (Arc::new(Int64Array::from(vec![1])), NativeType::Text, "of type text"),
        ] {
            let reason = one(array, wanted).unwrap_err();
            assert!(reason.contains(words), "{reason}");
        }
    }
}
