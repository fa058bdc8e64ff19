//! From a poll to rows: decoding, event time, operators.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMillisecondType;
use tidemill_connectors::{Fetched, Positions, Record, SinkError, Stage};

use super::super::calc::evaluate;
use super::super::feeder::Backoff;
use super::super::flow::Output;
use super::super::rows::{Origin, RowFault, Rows, Subject};
use super::{CHUNK_RECORDS_MAX, Input, Job, JobError, retry_later};

impl Job {
    /// Records of one poll, all the way to the sink.
    pub(super) async fn process(
        &mut self,
        source: usize,
        fetched: Fetched,
    ) -> Result<(), JobError> {
        self.note(source, &fetched);
        // The lag shows before the sink takes its time.
        self.show_partitions(source, &fetched);
        for chunk in fetched.records.chunks(CHUNK_RECORDS_MAX) {
            self.process_chunk(source, chunk).await?;
            let next = &mut self.inputs[source].positions.next;
            for record in chunk {
                next.insert(record.partition, record.offset + 1);
            }
            self.dirty = true;
        }
        let now = self.world.clock.monotonic();
        let input = &mut self.inputs[source];
        for (partition, next) in &fetched.next {
            let before = input.positions.next.insert(*partition, *next);
            self.dirty |= before != Some(*next);
        }
        for (partition, end) in &fetched.ends {
            let next = input.positions.next.get(partition).copied().unwrap_or(0);
            input.watermark.caught_up(*partition, next >= *end, now);
        }
        self.show_partitions(source, &fetched);
        self.advance_time().await
    }

    /// How far each partition is read, and how far it goes.
    pub(super) fn show_partitions(&self, source: usize, fetched: &Fetched) {
        let Input { topic, positions, .. } = &self.inputs[source];
        self.status.with(|progress| {
            for (partition, end) in &fetched.ends {
                let position = positions.next.get(partition).copied().unwrap_or(0);
                progress.partitions.insert((topic.clone(), *partition), (position, *end));
            }
        });
    }

    /// News that came with the records.
    pub(super) fn note(&mut self, source: usize, fetched: &Fetched) {
        let input = &mut self.inputs[source];
        if fetched.topic_id.is_some() && fetched.topic_id != input.positions.topic_id {
            input.positions = Positions { topic_id: fetched.topic_id, next: BTreeMap::new() };
            self.dirty = true;
        }
        if let Some(notice) = &fetched.notice {
            tracing::warn!(job = self.status.identity.name, notice, "source");
        }
        self.status.with(|progress| {
            progress.failure = None;
            progress.waiting = None;
            if fetched.notice.is_some() {
                progress.notice.clone_from(&fetched.notice);
            }
        });
    }

    pub(super) async fn process_chunk(
        &mut self,
        source: usize,
        records: &[Record],
    ) -> Result<(), JobError> {
        self.fetch_schemas(source, records).await?;
        let input = &mut self.inputs[source];
        let stamps = input.write_clock.stamp(records);
        let decoded = input.decoder.decode(records)?;
        let mut output = Output::default();
        output.faults.extend(decoded.faults.into_iter().map(|fault| RowFault {
            subject: Subject::Record(fault.row),
            stage: Stage::ValueConverter,
            reason: fault.reason,
        }));
        let rows = Rows { batch: decoded.batch, origin: Origin::Records(decoded.rows) };
        self.observe_time(source, &rows, records)?;
        self.flow.push(source, rows, &stamps, &mut output)?;
        self.status.with(|progress| {
            progress.records_in += records.len() as u64;
            progress.skipped += decoded.skipped;
        });
        self.deliver(source, records, &stamps, output).await
    }

    pub(super) async fn fetch_schemas(
        &mut self,
        source: usize,
        records: &[Record],
    ) -> Result<(), JobError> {
        let mut backoff = Backoff::default();
        while let Some(id) = self.inputs[source].decoder.missing_schema(records) {
            match Arc::clone(&self.inputs[source].schemas).schema(id).await {
                Ok(schema) => {
                    self.inputs[source].decoder.add_schema(id, schema);
                    self.status.with(|progress| progress.failure = None);
                }
                Err(reason) => {
                    let error = SinkError::Unavailable(reason);
                    retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
                }
            }
        }
        Ok(())
    }

    /// The rows' watermarks. A row whose watermark cannot be computed says nothing about time.
    pub(super) fn observe_time(
        &mut self,
        source: usize,
        rows: &Rows,
        records: &[Record],
    ) -> Result<(), JobError> {
        let now = self.world.clock.monotonic();
        let input = &mut self.inputs[source];
        let Some(expr) = &input.watermark_expr else { return Ok(()) };
        let mut ignored = Vec::new();
        let exprs = std::slice::from_ref(expr);
        let (rows, columns) = evaluate(rows.clone(), exprs, &mut ignored)?;
        let Origin::Records(origins) = &rows.origin else { return Ok(()) };
        let watermarks = columns[0].as_primitive::<TimestampMillisecondType>();
        for (origin, watermark) in origins.iter().zip(watermarks) {
            if let Some(watermark) = watermark {
                let partition = records[*origin as usize].partition;
                input.watermark.observe(partition, watermark, now);
            }
        }
        Ok(())
    }

    /// Lets windows fire whose end has come.
    pub(super) async fn advance_time(&mut self) -> Result<(), JobError> {
        let now = self.world.clock.monotonic();
        for source in 0..self.inputs.len() {
            let input = &mut self.inputs[source];
            if input.ended || input.watermark_expr.is_none() {
                continue;
            }
            let before = input.watermark.current();
            let watermark = input.watermark.advance(now);
            if input.watermark.current() == before {
                continue;
            }
            self.dirty = true;
            let mut output = Output::default();
            self.flow.watermark(source, watermark, &mut output)?;
            self.deliver(source, &[], &[], output).await?;
        }
        let least = self.inputs.iter().filter_map(|input| input.watermark.current()).min();
        self.status.with(|progress| progress.watermark_ms = least);
        Ok(())
    }
}
