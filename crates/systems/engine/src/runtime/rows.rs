//! Rows on their way, and where each comes from.

use arrow::array::{BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::error::ArrowError;
use tidemill_connectors::Stage;

/// `n` rows and their origins.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) batch: RecordBatch,
    pub(crate) origin: Origin,
}

/// Where rows come from: needed for dead letters and write timestamps.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Indexes into the records that are being processed.
    Records(Vec<u32>),
    /// Computed from many records; the write timestamps in microseconds.
    Computed(Vec<i64>),
}

impl Origin {
    fn take(&self, rows: &[u32]) -> Origin {
        match self {
            Origin::Records(all) => {
                Origin::Records(rows.iter().map(|row| all[*row as usize]).collect())
            }
            Origin::Computed(all) => {
                Origin::Computed(rows.iter().map(|row| all[*row as usize]).collect())
            }
        }
    }
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The rows for which `keep` is true.
    pub(crate) fn filter(&self, keep: &BooleanArray) -> Result<Rows, ArrowError> {
        let batch = filter_record_batch(&self.batch, keep)?;
        let is_kept = |row: &u32| {
            let row = *row as usize;
            arrow::array::Array::is_valid(keep, row) && keep.value(row)
        };
        let rows: Vec<u32> = (0..self.len() as u32).filter(is_kept).collect();
        Ok(Rows { batch, origin: self.origin.take(&rows) })
    }

    /// The rows at some places.
    pub(crate) fn take(&self, rows: &[u32]) -> Result<Rows, ArrowError> {
        let batch = take_record_batch(&self.batch, &UInt32Array::from(rows.to_vec()))?;
        Ok(Rows { batch, origin: self.origin.take(rows) })
    }

    /// The fault of one row.
    pub(crate) fn fault(&self, row: usize, stage: Stage, reason: impl Into<String>) -> RowFault {
        let subject = match &self.origin {
            Origin::Records(records) => Subject::Record(records[row]),
            Origin::Computed(_) => Subject::Row(row_as_json(&self.batch, row)),
        };
        RowFault { subject, stage, reason: reason.into() }
    }
}

/// A row that cannot go on, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowFault {
    pub(crate) subject: Subject,
    pub(crate) stage: Stage,
    pub(crate) reason: String,
}

/// What a dead letter holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The record, by index.
    Record(u32),
    /// A computed row, as JSON.
    Row(Vec<u8>),
}

fn row_as_json(batch: &RecordBatch, row: usize) -> Vec<u8> {
    let columns = (0..batch.num_columns()).collect();
    let format = crate::catalog::options::Format::Json(Default::default());
    let encoder = crate::formats::RowEncoder::new(format, columns);
    encoder.encode(batch, row).map(Vec::from).unwrap_or_default()
}
