//! Connectors `blackhole` and `print`: the rows go nowhere, or into the log.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;

use crate::{Sink, SinkError, SinkRows, Written};

/// Drops every row; for measuring.
#[derive(Debug, Default)]
pub struct Blackhole;

#[async_trait]
impl Sink for Blackhole {
    async fn open(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn write(&mut self, _rows: &SinkRows) -> Written {
        Written::default()
    }
}

/// Logs every row as Flink prints it: `identifier> +I[1, Ann]`.
#[derive(Debug)]
pub struct Print {
    prefix: String,
}

impl Print {
    /// `identifier` is the option `print-identifier`; empty for none.
    pub fn new(identifier: &str) -> Print {
        let prefix = if identifier.is_empty() { String::new() } else { format!("{identifier}> ") };
        Print { prefix }
    }

    /// One line per row.
    fn lines(&self, rows: &SinkRows) -> Result<Vec<String>, SinkError> {
        let options = FormatOptions::default().with_null("null");
        let columns: Vec<_> = rows
            .batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<_, _>>()
            .map_err(|error| SinkError::Failed(error.to_string()))?;
        let line = |row: usize| {
            let values: Vec<_> =
                columns.iter().map(|column| column.value(row).to_string()).collect();
            format!("{}+I[{}]", self.prefix, values.join(", "))
        };
        Ok((0..rows.batch.num_rows()).map(line).collect())
    }
}

#[async_trait]
impl Sink for Print {
    async fn open(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn write(&mut self, rows: &SinkRows) -> Written {
        match self.lines(rows) {
            Ok(lines) => {
                for line in lines {
                    tracing::info!(target: "tidemill::print", "{line}");
                }
                Written::default()
            }
            Err(error) => Written {
                unfinished: (0..rows.batch.num_rows()).collect(),
                error: Some(error),
                ..Written::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    use std::sync::Arc;

    #[test]
    fn a_row_is_printed_as_flink_prints_it() {
        let batch = RecordBatch::try_from_iter([
            ("a", Arc::new(Int32Array::from(vec![1])) as ArrayRef),
            ("b", Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef),
        ])
        .unwrap();
        let rows = SinkRows { batch, write_timestamps_us: vec![0] };
        assert_eq!(Print::new("t").lines(&rows).unwrap(), ["t> +I[1, null]"]);
        assert_eq!(Print::new("").lines(&rows).unwrap(), ["+I[1, null]"]);
    }
}
