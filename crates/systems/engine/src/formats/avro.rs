//! Format `avro-confluent`: a zero byte, the schema's id (4 bytes, big endian), the Avro record.
//!
//! The writer's schema comes from the registry. Columns are found by the names of its fields; a
//! column without a field is NULL, a field without a column is skipped over.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options, concat, take};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow_avro::reader::{Decoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use tidemill_connectors::Record;

use super::{Fault, Values, shown};

/// Bytes before the record: the magic byte and the id.
const PREFIX_BYTES: usize = 5;

/// Reads records of any schema of the registry.
pub(crate) struct AvroDecoder {
    wanted: Vec<FieldRef>,
    /// What is known of each schema id; an error is the reason for every record that has it.
    writers: HashMap<u32, Result<Writer, String>>,
}

/// A schema that records were written with.
#[derive(Debug, Clone)]
struct Writer {
    id: u32,
    schema: String,
    /// Indexes of the fields that are decoded, ascending.
    projection: Vec<usize>,
}

/// The id in a value's prefix.
fn schema_id(value: &[u8]) -> Result<u32, String> {
    match value {
        [0, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        [0, ..] | [] => Err(format!("{} bytes are no Avro message of the registry", value.len())),
        [other, ..] => Err(format!("Unknown data format. Magic number does not match: {other}")),
    }
}

impl AvroDecoder {
    pub(super) fn new(wanted: &[FieldRef]) -> AvroDecoder {
        AvroDecoder { wanted: wanted.to_vec(), writers: HashMap::new() }
    }

    pub(super) fn missing_schema(&self, records: &[Record]) -> Option<u32> {
        let values = records.iter().filter_map(|record| record.value.as_ref());
        values.filter_map(|value| schema_id(value).ok()).find(|id| !self.writers.contains_key(id))
    }

    pub(super) fn add_schema(&mut self, id: u32, schema: Result<String, String>) {
        let writer = schema.and_then(|schema| self.writer(id, schema));
        self.writers.insert(id, writer);
    }

    fn writer(&self, id: u32, schema: String) -> Result<Writer, String> {
        let parsed: serde_json::Value = serde_json::from_str(&schema)
            .map_err(|error| format!("the schema with id {id} is no JSON: {error}"))?;
        let fields = parsed.get("fields").and_then(serde_json::Value::as_array);
        let Some(fields) = fields else {
            return Err(format!("the schema with id {id} is no record"));
        };
        let is_wanted = |field: &serde_json::Value| {
            let name = field.get("name").and_then(serde_json::Value::as_str);
            self.wanted.iter().any(|wanted| name == Some(wanted.name()))
        };
        let mut projection: Vec<usize> =
            (0..fields.len()).filter(|index| is_wanted(&fields[*index])).collect();
        // The decoder counts rows by its columns.
        if projection.is_empty() && !fields.is_empty() {
            projection.push(0);
        }
        let writer = Writer { id, schema, projection };
        writer.decoder(1).map_err(|error| error.to_string())?;
        Ok(writer)
    }

    pub(super) fn decode(&mut self, records: &[Record]) -> Result<Values, ArrowError> {
        let mut values = Values::default();
        let mut parts: Vec<Vec<ArrayRef>> = Vec::new();
        let mut run: Vec<(usize, &[u8])> = Vec::new();
        let mut run_id = None;
        for (row, record) in records.iter().enumerate() {
            let Some(value) = &record.value else {
                values.skipped += 1;
                continue;
            };
            match schema_id(value) {
                Err(reason) => values.fault(row, reason),
                Ok(id) => {
                    if run_id != Some(id) {
                        self.finish_run(run_id, &run, &mut parts, &mut values)?;
                        run.clear();
                        run_id = Some(id);
                    }
                    run.push((row, value));
                }
            }
        }
        self.finish_run(run_id, &run, &mut parts, &mut values)?;
        values.faults.sort_by_key(|fault| fault.row);
        values.columns = (0..self.wanted.len())
            .map(|column| {
                let parts: Vec<&dyn Array> =
                    parts.iter().map(|part| part[column].as_ref()).collect();
                match parts.as_slice() {
                    [] => Ok(new_null_array(self.wanted[column].data_type(), 0)),
                    parts => concat(parts),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(values)
    }

    /// Records of one schema, one after the other.
    fn finish_run(
        &self,
        id: Option<u32>,
        run: &[(usize, &[u8])],
        parts: &mut Vec<Vec<ArrayRef>>,
        values: &mut Values,
    ) -> Result<(), ArrowError> {
        let Some(id) = id else { return Ok(()) };
        let writer = match self.writers.get(&id) {
            Some(Ok(writer)) => writer,
            other => {
                let reason = match other {
                    Some(Err(reason)) => reason.clone(),
                    _ => format!("the schema with id {id} was not fetched"),
                };
                run.iter().for_each(|(row, _)| values.fault(*row, reason.clone()));
                return Ok(());
            }
        };
        let (rows, batch) = match writer.read(run) {
            Some(batch) => (run.iter().map(|(row, _)| *row).collect(), batch),
            None => {
                let (good, faults) = writer.check(run)?;
                values.faults.extend(faults);
                if good.is_empty() {
                    return Ok(());
                }
                match writer.read(&good) {
                    Some(batch) => (good.iter().map(|(row, _)| *row).collect(), batch),
                    None => return Ok(()),
                }
            }
        };
        self.convert(rows, &batch, parts, values)
    }

    /// The writer's columns as the table's types. A value that does not fit makes its record bad.
    fn convert(
        &self,
        rows: Vec<usize>,
        batch: &RecordBatch,
        parts: &mut Vec<Vec<ArrayRef>>,
        values: &mut Values,
    ) -> Result<(), ArrowError> {
        let mut reasons: Vec<Option<String>> = vec![None; rows.len()];
        let mut columns = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            let Some(found) = batch.column_by_name(wanted.name()) else {
                columns.push(new_null_array(wanted.data_type(), rows.len()));
                continue;
            };
            columns.push(convert_column(found, wanted.name(), wanted.data_type(), &mut reasons)?);
        }
        let good: Vec<u32> =
            (0..rows.len() as u32).filter(|index| reasons[*index as usize].is_none()).collect();
        for (row, reason) in rows.iter().zip(&reasons) {
            match reason {
                Some(reason) => values.fault(*row, reason.clone()),
                None => values.rows.push(*row as u32),
            }
        }
        if good.len() < rows.len() {
            let good = UInt32Array::from(good);
            columns =
                columns.iter().map(|column| take(column, &good, None)).collect::<Result<_, _>>()?;
        }
        parts.push(columns);
        Ok(())
    }
}

fn convert_column(
    found: &ArrayRef,
    name: &str,
    wanted: &DataType,
    reasons: &mut [Option<String>],
) -> Result<ArrayRef, ArrowError> {
    if found.data_type() == wanted {
        return Ok(Arc::clone(found));
    }
    // Text becomes a number only by an explicit CAST in the query.
    let text_to_number = matches!(found.data_type(), DataType::Utf8) && *wanted != DataType::Binary;
    if text_to_number || !can_cast_types(found.data_type(), wanted) {
        let reason = format!(
            "field '{name}' is {} in the schema and {} in the table",
            shown(found.data_type()),
            shown(wanted)
        );
        reasons.iter_mut().for_each(|slot| *slot = Some(reason.clone()));
        return Ok(new_null_array(wanted, found.len()));
    }
    let converted =
        cast_with_options(found, wanted, &CastOptions { safe: true, ..CastOptions::default() })?;
    for (row, reason) in reasons.iter_mut().enumerate() {
        if converted.is_null(row) && found.is_valid(row) {
            *reason = Some(format!("the value of field '{name}' is no {}", shown(wanted)));
        }
    }
    Ok(converted)
}

impl Writer {
    fn decoder(&self, rows: usize) -> Result<Decoder, ArrowError> {
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        store.set(Fingerprint::Id(self.id), AvroSchema::new(self.schema.clone()))?;
        ReaderBuilder::new()
            .with_writer_schema_store(store)
            .with_projection(self.projection.clone())
            .with_batch_size(rows.max(1))
            .build_decoder()
    }

    /// All records, or nothing if one of them is bad: the decoder cannot take a record back.
    fn read(&self, run: &[(usize, &[u8])]) -> Option<RecordBatch> {
        let mut decoder = self.decoder(run.len()).ok()?;
        for (_, value) in run {
            if !matches!(decoder.decode(value), Ok(consumed) if consumed == value.len()) {
                return None;
            }
        }
        let batch = decoder.flush().ok().flatten()?;
        (batch.num_rows() == run.len()).then_some(batch)
    }

    /// The records that can be read, and a reason for each that cannot.
    #[expect(clippy::type_complexity, reason = "two lists of what came in")]
    fn check<'r>(
        &self,
        run: &[(usize, &'r [u8])],
    ) -> Result<(Vec<(usize, &'r [u8])>, Vec<Fault>), ArrowError> {
        let (mut good, mut faults) = (Vec::new(), Vec::new());
        for (row, value) in run {
            let mut decoder = self.decoder(1)?;
            let reason = match decoder.decode(value) {
                Ok(consumed) if consumed == value.len() => match decoder.flush() {
                    Ok(Some(_)) => {
                        good.push((*row, *value));
                        continue;
                    }
                    Ok(None) => "the record ends early".to_owned(),
                    Err(error) => error.to_string(),
                },
                Ok(_) if value.len() > PREFIX_BYTES && decoder.batch_is_full() => {
                    "bytes are left after the record".to_owned()
                }
                Ok(_) => "the record ends early".to_owned(),
                Err(error) => error.to_string(),
            };
            let reason = format!("Failed to deserialize Avro record: {reason}");
            faults.push(Fault { row: *row as u32, reason });
        }
        Ok((good, faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Field;
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    use bytes::Bytes;

    const SCHEMA: &str = r#"{"type":"record","name":"user","fields":[
        {"name":"id","type":"string"},{"name":"skipped","type":{"type":"array","items":"int"}},
        {"name":"age","type":["null","int"]},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#;

    fn record(value: &[u8]) -> Record {
        Record {
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
            key: None,
            value: Some(Bytes::copy_from_slice(value)),
            headers: Vec::new(),
        }
    }

    /// `id`, an array of one item, an age or null, a time in milliseconds below 64.
    fn message(schema: u32, id: &str, age: Option<u8>, at: u8) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend_from_slice(&schema.to_be_bytes());
        bytes.push(id.len() as u8 * 2);
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&[2, 14, 0]);
        match age {
            Some(age) => bytes.extend_from_slice(&[2, age * 2]),
            None => bytes.push(0),
        }
        bytes.push(at * 2);
        bytes
    }

    #[test]
    fn fields_are_found_by_name_and_bad_records_cost_their_neighbours_nothing() {
        let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
        let mut decoder = AvroDecoder::new(&[
            field("at", DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None)),
            field("age", DataType::Int64),
            field("unknown", DataType::Utf8),
            field("id", DataType::Utf8),
        ]);
        let truncated = &message(7, "cut", Some(1), 1)[..9];
        let mut longer = message(7, "long", None, 1);
        longer.push(9);
        let records = [
            record(&message(7, "a", Some(30), 5)),
            record(b"{\"id\": 1}"),
            record(truncated),
            record(&longer),
            record(&message(8, "b", None, 6)),
            record(&message(7, "c", None, 7)),
            record(&message(9, "d", None, 8)),
        ];
        for id in [7, 8, 9] {
            assert_eq!(decoder.missing_schema(&records), Some(id));
            let schema =
                if id == 9 { Err("Schema 9 not found".to_owned()) } else { Ok(SCHEMA.to_owned()) };
            decoder.add_schema(id, schema);
        }
        assert_eq!(decoder.missing_schema(&records), None);
        let values = decoder.decode(&records).unwrap();
        assert_eq!(values.rows, [0, 4, 5]);
        let reasons: Vec<_> =
            values.faults.iter().map(|fault| (fault.row, fault.reason.as_str())).collect();
        assert_eq!(reasons.len(), 4, "{reasons:?}");
        assert!(reasons[0].1.contains("Magic number"), "{reasons:?}");
        assert_eq!(reasons[3], (6, "Schema 9 not found"));
        let shown = FormatOptions::default().with_null("NULL");
        let row = |row: usize| {
            let cells = values.columns.iter().map(|column| {
                ArrayFormatter::try_new(column, &shown).unwrap().value(row).to_string()
            });
            cells.collect::<Vec<_>>().join("|")
        };
        assert_eq!(row(0), "1970-01-01T00:00:00.005|30|NULL|a");
        assert_eq!(row(1), "1970-01-01T00:00:00.006|NULL|NULL|b");
    }
}
