//! Format `raw`: the value's bytes are one column.

use arrow::datatypes::{DataType, FieldRef};
use tidemill_connectors::Record;

use super::column::Column;
use super::{Values, shown};

pub(super) struct RawDecoder {
    /// None if the column is not asked for.
    wanted: Option<DataType>,
}

impl RawDecoder {
    pub(super) fn new(fields: &[FieldRef]) -> RawDecoder {
        RawDecoder { wanted: fields.first().map(|field| field.data_type().clone()) }
    }

    pub(super) fn decode(&self, records: &[Record]) -> Values {
        let mut values = Values::default();
        let Some(wanted) = &self.wanted else {
            values.rows = (0..records.len() as u32).collect();
            return values;
        };
        let Ok(mut column) = Column::new(wanted) else { return values };
        for (row, record) in records.iter().enumerate() {
            let pushed = match &record.value {
                None => {
                    column.push_null();
                    Ok(())
                }
                Some(bytes) => push(bytes, &mut column, wanted),
            };
            match pushed {
                Ok(()) => values.rows.push(row as u32),
                Err(reason) => values.fault(row, reason),
            }
        }
        values.columns = vec![column.finish()];
        values
    }
}

/// Numbers are big endian, Flink's default.
fn push(bytes: &[u8], column: &mut Column, wanted: &DataType) -> Result<(), String> {
    let size = || format!("{} bytes are no {}", bytes.len(), shown(wanted));
    match column {
        Column::Text(text) => match std::str::from_utf8(bytes) {
            Ok(_) => text.push(bytes),
            Err(error) => return Err(format!("invalid UTF-8 at byte {}", error.valid_up_to())),
        },
        Column::Binary(binary) => binary.push(bytes),
        Column::Boolean(plain) => match bytes {
            [byte] => plain.push(*byte != 0),
            _ => return Err(size()),
        },
        Column::Int8(plain) => plain.push(i8::from_be_bytes(bytes.try_into().map_err(|_| size())?)),
        Column::Int16(plain) => {
            plain.push(i16::from_be_bytes(bytes.try_into().map_err(|_| size())?));
        }
        Column::Int32(plain) => {
            plain.push(i32::from_be_bytes(bytes.try_into().map_err(|_| size())?));
        }
        Column::Int64(plain) => {
            plain.push(i64::from_be_bytes(bytes.try_into().map_err(|_| size())?));
        }
        Column::Float32(plain) => {
            plain.push(f32::from_be_bytes(bytes.try_into().map_err(|_| size())?));
        }
        Column::Float64(plain) => {
            plain.push(f64::from_be_bytes(bytes.try_into().map_err(|_| size())?));
        }
        _ => return Err(format!("The 'raw' format doesn't support {}", shown(wanted))),
    }
    Ok(())
}
