//! JSON as Flink reads it (`flink-json`), straight into columns.
//!
//! Only declared fields are looked at closer; others are checked and skipped. A number where a
//! STRING is declared becomes its text, an object or array too; a missing field is NULL; a field of
//! another type makes the record bad, unless `json.ignore-parse-errors` is set. Of a repeated field
//! the last one counts. Differs from Flink: text after the object makes a record bad, and so does a
//! BOOLEAN given as a string other than `true` and `false`.

mod read;
mod scan;
#[cfg(test)]
mod tests;

use arrow::datatypes::FieldRef;
use arrow::error::ArrowError;
use tidemill_connectors::Record;

use crate::catalog::options::JsonOptions;

use super::Values;
use super::column::Column;
use read::{Fields, Reader};

/// Reads the values of records as JSON objects.
pub struct JsonDecoder {
    fields: Fields,
    columns: Vec<Column>,
    options: JsonOptions,
}

impl JsonDecoder {
    /// `fields`: the columns wanted, by the names they have in the objects.
    pub fn new(fields: &[FieldRef], options: JsonOptions) -> Result<JsonDecoder, ArrowError> {
        let columns = fields
            .iter()
            .map(|field| Column::new(field.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(JsonDecoder { fields: Fields::new(fields), columns, options })
    }

    pub(super) fn decode(&mut self, records: &[Record]) -> Values {
        let mut values = Values::default();
        values.rows.reserve(records.len());
        for (row, record) in records.iter().enumerate() {
            // A tombstone is no row: Flink skips it too.
            let Some(bytes) = &record.value else {
                values.skipped += 1;
                continue;
            };
            match self.one(bytes, values.rows.len()) {
                Ok(()) => values.rows.push(row as u32),
                Err(_) if self.options.ignore_parse_errors => values.skipped += 1,
                Err(reason) => values.fault(row, reason),
            }
        }
        values.columns = self.columns.iter_mut().map(Column::finish).collect();
        values
    }

    /// One row per text: of NULLs where there is none, or none that is an object.
    pub(crate) fn texts<'t>(
        &mut self,
        texts: impl Iterator<Item = Option<&'t [u8]>>,
    ) -> Vec<arrow::array::ArrayRef> {
        for (row, text) in texts.enumerate() {
            if text.is_none_or(|text| self.one(text, row).is_err()) {
                self.columns.iter_mut().for_each(Column::push_null);
            }
        }
        self.columns.iter_mut().map(Column::finish).collect()
    }

    /// Adds a row, or nothing.
    fn one(&mut self, bytes: &[u8], row: usize) -> Result<(), String> {
        let mut reader = match Reader::new(bytes, &self.options) {
            Ok(reader) => reader,
            Err(problem) => return Err(problem.to_string()),
        };
        let read = reader.document(&mut self.fields, &mut self.columns, row);
        read.map_err(|problem| {
            self.columns.iter_mut().for_each(|column| column.truncate(row));
            problem.to_string()
        })
    }
}

#[doc(hidden)]
pub mod bench {
    //! For `examples/decode.rs`.

    use super::{JsonDecoder, Record};

    /// Rows and faults of one call.
    pub fn decode(decoder: &mut JsonDecoder, records: &[Record]) -> (usize, usize) {
        let values = decoder.decode(records);
        (values.rows.len(), values.faults.len())
    }
}
