//! Columns taken from a record beside its value.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BinaryBuilder, Int64Array, MapBuilder, MapFieldNames, StringArray,
    StringBuilder, TimestampMillisecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use tidemill_connectors::Record;

use crate::catalog::MetadataKey;

/// One column.
#[derive(Debug, Clone)]
pub(super) struct MetadataColumn {
    key: MetadataKey,
    data_type: DataType,
}

impl MetadataColumn {
    pub(super) fn new(key: MetadataKey, data_type: &DataType) -> MetadataColumn {
        MetadataColumn { key, data_type: data_type.clone() }
    }

    /// The values of the records at `rows`.
    pub(super) fn read(
        &self,
        records: &[Record],
        rows: &[u32],
        topic: &str,
    ) -> Result<ArrayRef, ArrowError> {
        let chosen = rows.iter().map(|row| &records[*row as usize]);
        let array: ArrayRef = match self.key {
            MetadataKey::Topic => Arc::new(chosen.map(|_| Some(topic)).collect::<StringArray>()),
            MetadataKey::Partition => {
                Arc::new(chosen.map(|record| i64::from(record.partition)).collect::<Int64Array>())
            }
            MetadataKey::Offset => {
                Arc::new(chosen.map(|record| record.offset).collect::<Int64Array>())
            }
            MetadataKey::Timestamp => {
                let millis =
                    chosen.map(|record| (record.timestamp_ms >= 0).then_some(record.timestamp_ms));
                Arc::new(millis.collect::<TimestampMillisecondArray>())
            }
            MetadataKey::Key if self.data_type == DataType::Utf8 => Arc::new(
                chosen
                    .map(|record| record.key.as_ref().map(|key| String::from_utf8_lossy(key)))
                    .collect::<StringArray>(),
            ),
            MetadataKey::Key => {
                Arc::new(chosen.map(|record| record.key.as_deref()).collect::<BinaryArray>())
            }
            MetadataKey::Headers => return self.headers(chosen),
        };
        cast(&array, &self.data_type)
    }

    fn headers<'r>(
        &self,
        records: impl Iterator<Item = &'r Record>,
    ) -> Result<ArrayRef, ArrowError> {
        let names = MapFieldNames {
            entry: "entries".to_owned(),
            key: "keys".to_owned(),
            value: "values".to_owned(),
        };
        let is_text = match &self.data_type {
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) => fields[1].data_type() == &DataType::Utf8,
                _ => false,
            },
            _ => false,
        };
        if is_text {
            let mut builder =
                MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
            for record in records {
                for header in &record.headers {
                    builder.keys().append_value(&header.key);
                    let value = header.value.as_ref().map(|value| String::from_utf8_lossy(value));
                    builder.values().append_option(value);
                }
                builder.append(true)?;
            }
            return Ok(Arc::new(builder.finish()));
        }
        let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), BinaryBuilder::new());
        for record in records {
            for header in &record.headers {
                builder.keys().append_value(&header.key);
                builder.values().append_option(header.value.as_deref());
            }
            builder.append(true)?;
        }
        Ok(Arc::new(builder.finish()))
    }
}
