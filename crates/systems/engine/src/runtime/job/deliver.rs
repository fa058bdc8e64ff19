//! From rows to what is durable: the sink, the dead letters, the figures.

use tidemill_connectors::{DATA_EXCEPTION, DeadLetter, Record, SinkRows, Stage};

use super::super::feeder::Backoff;
use super::super::flow::Output;
use super::super::rows::{Origin, RowFault, Rows, Subject};
use super::{Input, Job, JobError, retry_later};

impl Job {
    /// Rows to the sink, then faults to the dead letters; both are durable afterwards.
    pub(super) async fn deliver(
        &mut self,
        source: usize,
        records: &[Record],
        stamps: &[i64],
        output: Output,
    ) -> Result<(), JobError> {
        let mut faults = output.faults;
        let mut written = 0;
        for rows in output.rows {
            written += self.write(&rows, stamps, &mut faults).await?;
            self.measure(&rows, records);
        }
        self.status.with(|progress| {
            progress.records_out += written;
            progress.late += output.late;
        });
        self.bury(source, records, faults).await
    }

    /// Writes rows until each is durable or refused. Returns how many are durable.
    pub(super) async fn write(
        &mut self,
        rows: &Rows,
        stamps: &[i64],
        faults: &mut Vec<RowFault>,
    ) -> Result<u64, JobError> {
        let write_timestamps_us = match &rows.origin {
            Origin::Records(records) => {
                records.iter().map(|record| stamps[*record as usize]).collect()
            }
            Origin::Computed(stamps) => stamps.clone(),
        };
        let mut rows = rows.clone();
        let mut sink_rows = SinkRows { batch: rows.batch.clone(), write_timestamps_us };
        let (mut durable, mut backoff) = (0, Backoff::default());
        loop {
            let written = self.sink.write(&sink_rows).await;
            for rejected in &written.rejected {
                let reason = rejected.reason.clone();
                faults.push(rows.fault(rejected.row, Stage::TaskPut, reason));
            }
            durable += (rows.len() - written.rejected.len() - written.unfinished.len()) as u64;
            let Some(error) = written.error else {
                self.status.with(|progress| progress.failure = None);
                return Ok(durable);
            };
            retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
            let left: Vec<u32> = written.unfinished.iter().map(|row| *row as u32).collect();
            rows = rows.take(&left)?;
            let stamps = written.unfinished.iter();
            let stamps = stamps.map(|row| sink_rows.write_timestamps_us[*row]).collect();
            sink_rows = SinkRows { batch: rows.batch.clone(), write_timestamps_us: stamps };
        }
    }

    /// From the records' timestamps to now, when their rows can be read.
    pub(super) fn measure(&self, rows: &Rows, records: &[Record]) {
        let Origin::Records(origins) = &rows.origin else { return };
        let now_us = self.world.clock.now_us();
        let mut latencies: Vec<(i64, u64)> = Vec::new();
        for origin in origins {
            let Some(record) = records.get(*origin as usize) else { continue };
            if record.timestamp_ms < 0 {
                continue;
            }
            let us = now_us - record.timestamp_ms.saturating_mul(1000);
            match latencies.last_mut() {
                Some((last, count)) if *last == us => *count += 1,
                _ => latencies.push((us, 1)),
            }
        }
        self.status.record_latencies(&latencies, self.world.clock.monotonic());
    }

    pub(super) async fn bury(
        &mut self,
        source: usize,
        records: &[Record],
        faults: Vec<RowFault>,
    ) -> Result<(), JobError> {
        if faults.is_empty() {
            return Ok(());
        }
        let input = &self.inputs[source];
        let letters: Vec<DeadLetter> =
            faults.into_iter().map(|fault| self.letter(input, records, fault)).collect();
        let mut backoff = Backoff::default();
        while let Some(dead_letters) = &mut self.inputs[source].dead_letters {
            match dead_letters.write(&letters).await {
                Ok(()) => break,
                Err(error) => {
                    retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
                }
            }
        }
        let first = &letters[0];
        let shown = format!(
            "{}-{}@{}: {}",
            first.topic, first.record.partition, first.record.offset, first.message
        );
        tracing::debug!(
            job = self.status.identity.name,
            count = letters.len(),
            first = shown,
            "dead letters"
        );
        self.status.with(|progress| {
            progress.dead_letters += letters.len() as u64;
            progress.failure = None;
            progress.first_error.get_or_insert(shown);
        });
        Ok(())
    }

    pub(super) fn letter(&self, input: &Input, records: &[Record], fault: RowFault) -> DeadLetter {
        let record = match fault.subject {
            Subject::Record(index) => records[index as usize].clone(),
            // A computed row has no place in a topic.
            Subject::Row(json) => Record {
                partition: -1,
                offset: -1,
                timestamp_ms: self.world.clock.now_ms(),
                key: None,
                value: Some(json.into()),
                headers: Vec::new(),
            },
        };
        DeadLetter {
            topic: input.topic.clone(),
            record,
            stage: fault.stage,
            class: DATA_EXCEPTION,
            message: fault.reason,
            connector: self.status.identity.name.clone(),
        }
    }
}
