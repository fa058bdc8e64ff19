//! Files as frames: JSON lines, CSV, lines of text.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::spark::error::{Kind, Result, SparkError};
use crate::spark::frame::Frame;
use crate::spark::resolve::memory;
use crate::spark::types;

/// Bytes of all files of one read at most: they are read into memory.
const BYTES_MAX: u64 = 256 << 20;
/// Files of one read at most.
const FILES_MAX: usize = 10_000;
/// Records by which a schema is guessed.
const GUESS_RECORDS_MAX: usize = 10_000;
const BATCH_ROWS: usize = 8192;

/// Reads files and folders into a frame.
pub(in crate::spark) async fn read(
    format: &str,
    paths: &[String],
    schema: Option<&str>,
    options: &BTreeMap<String, String>,
) -> Result<Frame> {
    let path = options.get("path").cloned();
    let paths: Vec<String> = paths.iter().cloned().chain(path).collect();
    let schema = schema.map(types::parse_schema).transpose()?;
    let mut files = Vec::new();
    for path in &paths {
        files.extend(list(path)?);
    }
    let mut left = BYTES_MAX;
    let mut texts = Vec::with_capacity(files.len());
    for file in &files {
        let failed =
            |error: std::io::Error| SparkError::runtime(format!("{}: {error}", file.display()));
        let bytes = std::fs::metadata(file).map_err(failed)?.len();
        left = left.checked_sub(bytes).ok_or_else(|| {
            SparkError::unsupported(format!("files of more than {BYTES_MAX} bytes in one read"))
        })?;
        texts.push(std::fs::read(file).map_err(failed)?);
    }
    let wrong = |error: ArrowError| SparkError::runtime(format!("reading {format}: {error}"));
    let (schema, batches) = match format.to_lowercase().as_str() {
        "json" => json(&texts, schema).map_err(wrong)?,
        "csv" => csv(&texts, schema, options).map_err(wrong)?,
        _ => lines(&texts).map_err(wrong)?,
    };
    memory(batches, Some(schema.as_ref().clone()))
}

/// The files of a path: itself, or what lies in the folder; hidden ones are none.
fn list(path: &str) -> Result<Vec<PathBuf>> {
    let plain = path.strip_prefix("file:").map_or(path, |rest| rest.trim_start_matches("//"));
    let absent = || {
        let text = format!("Path does not exist: {path}.");
        SparkError::new(Kind::Analysis, "PATH_NOT_FOUND", "42K03", &text).with("path", path)
    };
    let place = Path::new(plain);
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(place).map_err(|_| absent())? {
        let entry = entry.map_err(|_| absent())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(['.', '_']) && entry.path().is_file() {
            files.push(entry.path());
        }
        if files.len() > FILES_MAX {
            return Err(SparkError::unsupported(format!("more than {FILES_MAX} files in {path}")));
        }
    }
    files.sort();
    Ok(files)
}

type Read = std::result::Result<(SchemaRef, Vec<RecordBatch>), ArrowError>;

fn json(texts: &[Vec<u8>], schema: Option<Schema>) -> Read {
    let schema = match schema {
        Some(schema) => schema,
        None => {
            let all = texts.concat();
            let most = Some(GUESS_RECORDS_MAX);
            let (guessed, _) = arrow::json::reader::infer_json_schema(Cursor::new(all), most)?;
            // Spark orders guessed fields by name.
            let mut fields: Vec<_> = guessed.fields().iter().cloned().collect();
            fields.sort_by(|one, two| one.name().cmp(two.name()));
            Schema::new(fields)
        }
    };
    let schema = Arc::new(schema);
    let mut batches = Vec::new();
    for text in texts {
        let reader = arrow::json::ReaderBuilder::new(Arc::clone(&schema))
            .with_batch_size(BATCH_ROWS)
            .with_coerce_primitive(true)
            .build(Cursor::new(text))?;
        for batch in reader {
            batches.push(batch?);
        }
    }
    Ok((schema, batches))
}

fn csv(texts: &[Vec<u8>], schema: Option<Schema>, options: &BTreeMap<String, String>) -> Read {
    let flag = |key: &str| options.get(key).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let byte = |keys: [&str; 2], default: u8| {
        let found = keys.iter().find_map(|key| options.get(*key));
        found.and_then(|text| text.bytes().next()).unwrap_or(default)
    };
    let header = flag("header");
    let format = arrow::csv::reader::Format::default()
        .with_header(header)
        .with_delimiter(byte(["sep", "delimiter"], b','))
        .with_quote(byte(["quote", "quote"], b'"'));
    let schema = match schema {
        Some(schema) => schema,
        None => {
            let first = texts.first().map(Vec::as_slice).unwrap_or_default();
            let most = Some(GUESS_RECORDS_MAX);
            let (guessed, _) = format.infer_schema(Cursor::new(first), most)?;
            let typed = flag("inferschema");
            let field = |(place, field): (usize, &Arc<Field>)| {
                let name = if header { field.name().clone() } else { format!("_c{place}") };
                let data_type = match field.data_type() {
                    _ if !typed => DataType::Utf8,
                    DataType::Int64 => DataType::Int32,
                    DataType::Timestamp(..) => types::timestamp(),
                    other => other.clone(),
                };
                Field::new(name, data_type, true)
            };
            Schema::new(guessed.fields().iter().enumerate().map(field).collect::<Vec<_>>())
        }
    };
    let schema = Arc::new(schema);
    let mut batches = Vec::new();
    for text in texts {
        let reader = arrow::csv::ReaderBuilder::new(Arc::clone(&schema))
            .with_format(format.clone())
            .with_batch_size(BATCH_ROWS)
            .build(Cursor::new(text))?;
        for batch in reader {
            batches.push(batch?);
        }
    }
    Ok((schema, batches))
}

fn lines(texts: &[Vec<u8>]) -> Read {
    let schema = Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8, true)]));
    let mut batches = Vec::new();
    for text in texts {
        let text = String::from_utf8_lossy(text);
        let values: StringArray = text.lines().map(Some).collect();
        batches.push(RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(values)])?);
    }
    Ok((schema, batches))
}
