//! Bytes to columns and back.
//!
//! A decoder gets records and gives one Arrow batch with the columns that were asked for, and a
//! reason for each record it could not use. One bad record never costs its neighbours anything.

pub mod json;

mod avro;
mod column;
mod datagen;
mod encode;
mod metadata;
mod raw;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use tidemill_connectors::Record;

use crate::catalog::options::{Connector, Format};
use crate::catalog::{ScanOrigin, Table};

pub(crate) use avro::AvroDecoder;
pub(crate) use encode::{RowEncoder, write_value};

/// Why a record was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Index of the record among those given.
    pub(crate) row: u32,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// What became of some records.
pub(crate) struct Decoded {
    /// The rows, with all columns asked for.
    pub(crate) batch: RecordBatch,
    /// The record of each row, by index.
    pub(crate) rows: Vec<u32>,
    pub(crate) faults: Vec<Fault>,
    /// Records that are no rows and no faults: tombstones, and errors that are to be ignored.
    pub(crate) skipped: u64,
}

/// Values of one format to the value columns of a table.
enum ValueDecoder {
    Json(json::JsonDecoder),
    Avro(Box<AvroDecoder>),
    Raw(raw::RawDecoder),
    Datagen(datagen::Generator),
}

/// Records to the columns that a source delivers.
pub(crate) struct Decoder {
    schema: SchemaRef,
    /// For each column of `schema`: the how-manieth value column, or metadata.
    columns: Vec<Option<metadata::MetadataColumn>>,
    values: ValueDecoder,
    topic: String,
}

impl Decoder {
    /// `columns`: indexes into the table's delivered columns; `schema`: those columns.
    pub(crate) fn new(
        table: &Table,
        columns: &[usize],
        schema: SchemaRef,
    ) -> Result<Decoder, ArrowError> {
        let mut values = Vec::new();
        let mut origins = Vec::new();
        for (index, field) in columns.iter().zip(schema.fields()) {
            match table.scan[*index].origin {
                ScanOrigin::Value => {
                    values.push(Arc::clone(field));
                    origins.push(None);
                }
                ScanOrigin::Metadata(key) => {
                    origins.push(Some(metadata::MetadataColumn::new(key, field.data_type())));
                }
            }
        }
        let (topic, values) = match &table.connector {
            Connector::Kafka(kafka) => {
                let values = match &kafka.format {
                    Format::Json(options) => {
                        ValueDecoder::Json(json::JsonDecoder::new(&values, options.clone())?)
                    }
                    Format::Raw => ValueDecoder::Raw(raw::RawDecoder::new(&values)),
                    Format::AvroConfluent(_) => {
                        ValueDecoder::Avro(Box::new(AvroDecoder::new(&values)))
                    }
                };
                (kafka.topic.clone(), values)
            }
            Connector::Datagen(options) => {
                let generator = datagen::Generator::new(&values, options)?;
                (String::new(), ValueDecoder::Datagen(generator))
            }
            other => {
                let name = other.name();
                return Err(ArrowError::InvalidArgumentError(format!("{name} is no source")));
            }
        };
        Ok(Decoder { schema, columns: origins, values, topic })
    }

    /// The schema of a record that has to be fetched before [`Decoder::decode`].
    pub(crate) fn missing_schema(&self, records: &[Record]) -> Option<u32> {
        match &self.values {
            ValueDecoder::Avro(avro) => avro.missing_schema(records),
            _ => None,
        }
    }

    /// Makes the schema of an id known; an error is what the registry said instead.
    pub(crate) fn add_schema(&mut self, id: u32, schema: Result<String, String>) {
        if let ValueDecoder::Avro(avro) = &mut self.values {
            avro.add_schema(id, schema);
        }
    }

    pub(crate) fn decode(&mut self, records: &[Record]) -> Result<Decoded, ArrowError> {
        let values = match &mut self.values {
            ValueDecoder::Json(json) => json.decode(records),
            ValueDecoder::Avro(avro) => avro.decode(records)?,
            ValueDecoder::Raw(raw) => raw.decode(records),
            ValueDecoder::Datagen(generator) => generator.decode(records),
        };
        let mut from_values = values.columns.into_iter();
        let columns = self
            .columns
            .iter()
            .map(|origin| match origin {
                Some(metadata) => metadata.read(records, &values.rows, &self.topic),
                None => from_values.next().ok_or_else(|| {
                    ArrowError::ComputeError("the format gave too few columns".to_owned())
                }),
            })
            .collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(values.rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        Ok(Decoded { batch, rows: values.rows, faults: values.faults, skipped: values.skipped })
    }
}

/// The value columns of some records.
#[derive(Debug, Default)]
struct Values {
    columns: Vec<ArrayRef>,
    rows: Vec<u32>,
    faults: Vec<Fault>,
    skipped: u64,
}

impl Values {
    fn fault(&mut self, row: usize, reason: impl Into<String>) {
        self.faults.push(Fault { row: row as u32, reason: reason.into() });
    }
}

/// A type in the words of SQL, for reasons.
fn shown(data_type: &DataType) -> String {
    crate::sql::types::SqlType::from_arrow(data_type).to_string()
}
