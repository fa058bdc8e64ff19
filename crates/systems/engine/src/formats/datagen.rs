//! Generated values. They follow from the record's number, so that a replay makes the same ones.

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use arrow::error::ArrowError;
use tidemill_connectors::Record;

use crate::catalog::options::{DatagenOptions, FieldOptions};

use super::Values;
use super::column::Column;

/// Characters of a text unless said, as in Flink.
const LENGTH: usize = 100;

pub(super) struct Generator {
    columns: Vec<(Column, DataType, FieldOptions)>,
}

impl Generator {
    pub(super) fn new(
        fields: &[FieldRef],
        options: &DatagenOptions,
    ) -> Result<Generator, ArrowError> {
        let columns = fields
            .iter()
            .map(|field| {
                let column = Column::new(field.data_type())?;
                if matches!(
                    column,
                    Column::Struct { .. } | Column::List { .. } | Column::Map { .. }
                ) {
                    let what = format!("datagen column '{}' of this type", field.name());
                    return Err(ArrowError::NotYetImplemented(what));
                }
                let options = options.fields.get(field.name()).cloned().unwrap_or_default();
                Ok((column, field.data_type().clone(), options))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Generator { columns })
    }

    pub(super) fn decode(&mut self, records: &[Record]) -> Values {
        for (number, (column, data_type, options)) in self.columns.iter_mut().enumerate() {
            for record in records {
                push(record, number as u64, column, data_type, options);
            }
        }
        Values {
            columns: self.columns.iter_mut().map(|(column, ..)| column.finish()).collect(),
            rows: (0..records.len() as u32).collect(),
            ..Values::default()
        }
    }
}

/// A well mixed number from a record and a column (SplitMix64).
fn mixed(record: u64, column: u64) -> u64 {
    let mut x = record.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(column << 32 | 1);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn push(
    record: &Record,
    number: u64,
    column: &mut Column,
    data_type: &DataType,
    options: &FieldOptions,
) {
    let chance = mixed(record.offset as u64, number);
    // Between 0 and 1.
    let share = (chance >> 11) as f64 / (1_u64 << 53) as f64;
    let real = |least: f64, greatest: f64| {
        let (least, greatest) = (options.min.unwrap_or(least), options.max.unwrap_or(greatest));
        least + share * (greatest - least)
    };
    let whole = |least: i64, greatest: i64| match options.sequence {
        Some((start, end)) => start + record.offset.rem_euclid(end - start + 1),
        None => real(least as f64, greatest as f64) as i64,
    };
    match column {
        Column::Text(bytes) => match options.sequence {
            Some(_) => bytes.push(whole(0, 0).to_string().as_bytes()),
            None => {
                let length = options.length.unwrap_or(LENGTH);
                let hex = |place: usize| {
                    let bits = mixed(chance, place as u64 / 16);
                    char::from_digit((bits >> (place % 16 * 4)) as u32 & 15, 16).unwrap_or('0')
                };
                bytes.push((0..length).map(hex).collect::<String>().as_bytes());
            }
        },
        Column::Binary(bytes) => bytes.push(&chance.to_be_bytes()),
        Column::Boolean(plain) => plain.push(chance & 1 == 1),
        Column::Int8(plain) => plain.push(whole(i8::MIN.into(), i8::MAX.into()) as i8),
        Column::Int16(plain) => plain.push(whole(i16::MIN.into(), i16::MAX.into()) as i16),
        Column::Int32(plain) => plain.push(whole(i32::MIN.into(), i32::MAX.into()) as i32),
        Column::Int64(plain) => plain.push(whole(i64::MIN, i64::MAX)),
        Column::Float32(plain) => plain.push(real(0.0, f32::MAX.into()) as f32),
        Column::Float64(plain) => plain.push(real(0.0, f64::MAX)),
        Column::Decimal(plain, precision, _) => {
            let digits = 10_i128.pow(u32::from(*precision).min(18));
            plain.push(i128::from(chance) % digits);
        }
        Column::Date(plain) => plain.push((record.timestamp_ms / 86_400_000) as i32),
        Column::Time(plain) => plain.push((record.timestamp_ms % 86_400_000) as i32),
        Column::Timestamp(plain, ..) => plain.push(match data_type {
            DataType::Timestamp(TimeUnit::Microsecond, _) => record.timestamp_ms * 1000,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => record.timestamp_ms * 1_000_000,
            _ => record.timestamp_ms,
        }),
        Column::Struct { .. } | Column::List { .. } | Column::Map { .. } => column.push_null(),
    }
}
