//! `df.write`: the rows of a frame that ends, into a table, a topic or files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use tidemill_connectors::{Sink, SinkRows};
use tidemill_runtime::World;
use tidemill_spark_connect::{SaveMode, SaveType, WriteOperation};

use super::query::collect;
use crate::catalog::options::{Format, JsonOptions};
use crate::formats::RowEncoder;
use crate::spark::error::{Kind, Result, SparkError};
use crate::spark::resolve::{Resolver, lowered};
use crate::spark::service::Service;
use crate::spark::sessions::Session;
use crate::spark::show;
use crate::spark::streams::{Target, resolve};

/// Rows that a sink is given at a time.
const ROWS_MAX: usize = 8192;
/// Tries of rows that a sink did not take.
const TRIES_MAX: u32 = 5;

pub(super) async fn run(
    service: &Arc<Service>,
    session: &Arc<Session>,
    write: &WriteOperation,
) -> Result<()> {
    let format = write.source.as_deref().unwrap_or("parquet").to_lowercase();
    if !write.partitioning_columns.is_empty() || write.bucket_by.is_some() {
        return Err(SparkError::unsupported("partitionBy or bucketBy of a write"));
    }
    let options = lowered(&write.options);
    let path = match &write.save_type {
        Some(SaveType::Path(path)) => Some(path.clone()),
        Some(SaveType::Table(table)) => {
            return Err(SparkError::unsupported(format!("saveAsTable({})", table.table_name)));
        }
        None => options.get("path").cloned(),
    };
    let input = write.input.as_ref();
    let input = input.ok_or_else(|| SparkError::invalid_plan("a write of nothing"))?;
    let frame = Resolver::new(&service.core, session).frame(input).await?;
    match (format.as_str(), path) {
        ("noop", _) => collect(service, frame).await.map(drop),
        ("json" | "csv", Some(path)) => {
            let (_, batches) = collect(service, frame).await?;
            let header =
                options.get("header").is_some_and(|text| text.eq_ignore_ascii_case("true"));
            let text = if format == "json" { json(&batches) } else { csv(&batches, header) };
            files(&path, &format, text, write.mode(), service)
        }
        ("kafka" | "org.apache.spark.sql.cassandra" | "cassandra", _) => {
            if write.mode() == SaveMode::Overwrite {
                return Err(SparkError::unsupported(format!("mode overwrite of format {format}")));
            }
            let target = Target { format: &format, options: &options, path: None, name: None };
            let sink = resolve(&target, frame, service, session)?;
            let own = match sink.own {
                Some(own) => own,
                None => service.core.ends.sink(&sink.table).map_err(SparkError::runtime)?,
            };
            let (_, batches) = collect(service, sink.frame).await?;
            all(own, &batches, &service.world).await
        }
        (other, _) => {
            let text = format!(
                "Failed to find the data source: {other}. Make sure the provider name is correct and \
                 the package is properly registered and compatible with your Spark version. (write \
                 here knows org.apache.spark.sql.cassandra, kafka, json, csv and noop)"
            );
            let class = "DATA_SOURCE_NOT_FOUND";
            Err(SparkError::new(Kind::Analysis, class, "42K02", &text).with("provider", other))
        }
    }
}

/// Every row or an error: nobody looks at the dead letters of a batch.
async fn all(mut sink: Box<dyn Sink>, batches: &[RecordBatch], world: &World) -> Result<()> {
    let failed = |error: tidemill_connectors::SinkError| SparkError::runtime(error.to_string());
    sink.open().await.map_err(failed)?;
    let mut stamp = world.clock.now_us();
    for batch in batches {
        for at in (0..batch.num_rows()).step_by(ROWS_MAX) {
            let batch = batch.slice(at, ROWS_MAX.min(batch.num_rows() - at));
            let count = batch.num_rows() as i64;
            let mut rows =
                SinkRows { batch, write_timestamps_us: (stamp..stamp + count).collect() };
            stamp += count;
            for tried in 1.. {
                let written = sink.write(&rows).await;
                if let Some(rejected) = written.rejected.first() {
                    return Err(SparkError::runtime(rejected.reason.clone()));
                }
                match written.error {
                    None => break,
                    Some(error) if tried >= TRIES_MAX => return Err(failed(error)),
                    Some(_) => rows = left(&rows, &written.unfinished)?,
                }
            }
        }
    }
    Ok(())
}

fn left(rows: &SinkRows, unfinished: &[usize]) -> Result<SinkRows> {
    let places: arrow::array::UInt32Array = unfinished.iter().map(|row| *row as u32).collect();
    let batch = arrow::compute::take_record_batch(&rows.batch, &places)
        .map_err(|error| SparkError::runtime(error.to_string()))?;
    let stamps = unfinished.iter().map(|row| rows.write_timestamps_us[*row]).collect();
    Ok(SinkRows { batch, write_timestamps_us: stamps })
}

fn json(batches: &[RecordBatch]) -> Vec<u8> {
    let options = JsonOptions { ignore_null_fields: true, ..JsonOptions::default() };
    let mut text = Vec::new();
    for batch in batches {
        let columns = (0..batch.num_columns()).collect();
        let encoder = RowEncoder::new(Format::Json(options.clone()), columns);
        for row in 0..batch.num_rows() {
            text.extend_from_slice(&encoder.encode(batch, row).unwrap_or_default());
            text.push(b'\n');
        }
    }
    text
}

fn csv(batches: &[RecordBatch], header: bool) -> Vec<u8> {
    let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\\\"")),
        false => text.to_owned(),
    };
    let mut lines = Vec::new();
    if let Some(first) = batches.first().filter(|_| header) {
        let schema = first.schema();
        let names: Vec<String> = schema.fields().iter().map(|one| quoted(one.name())).collect();
        lines.push(names.join(","));
    }
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| match column.is_null(row) {
                true => String::new(),
                false => quoted(&show::cell(column.as_ref(), row)),
            };
            lines.push(batch.columns().iter().map(cell).collect::<Vec<_>>().join(","));
        }
    }
    lines.into_iter().flat_map(|line| (line + "\n").into_bytes()).collect()
}

/// A folder with one part, and Spark's mark that it is whole.
fn files(path: &str, format: &str, text: Vec<u8>, mode: SaveMode, service: &Service) -> Result<()> {
    let disk = service.world.disk.as_ref();
    let dir: PathBuf = service.paths.project.join(path.strip_prefix("file:").unwrap_or(path));
    let failed = |error: std::io::Error| SparkError::runtime(format!("{}: {error}", dir.display()));
    let known = if disk.exists(&dir) { disk.list(&dir).map_err(failed)? } else { Vec::new() };
    let parts: Vec<&str> = known
        .iter()
        .map(|entry| entry.name.as_str())
        .filter(|name| name.starts_with("part-") || *name == "_SUCCESS")
        .collect();
    match mode {
        SaveMode::Ignore if disk.exists(&dir) => return Ok(()),
        SaveMode::ErrorIfExists | SaveMode::Unspecified if disk.exists(&dir) => {
            let text = format!(
                "Path {} already exists. Set mode as \"overwrite\" to overwrite the existing path.",
                dir.display()
            );
            return Err(SparkError::new(Kind::Analysis, "PATH_ALREADY_EXISTS", "42K04", &text));
        }
        // Only what a write made: a path that is a wrong one loses nothing else.
        SaveMode::Overwrite => {
            for part in &parts {
                disk.remove_file(&dir.join(part)).map_err(failed)?;
            }
        }
        _ => {}
    }
    disk.create_dir_all(&dir).map_err(failed)?;
    let name = format!("part-00000-{}.{format}", service.world.random.uuid());
    disk.replace(&dir.join(name), &text).map_err(failed)?;
    disk.replace(Path::new(&dir).join("_SUCCESS").as_path(), b"").map_err(failed)
}
