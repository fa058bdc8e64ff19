//! Tumbling windows: a pane per window, in it a number per group and DataFusion's accumulators.
//!
//! A window fires when the watermark reaches its last millisecond; a row that arrives after that is
//! late, dropped and counted, as in Flink.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimestampMillisecondType};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use tidemill_connectors::Stage;

use crate::plan::stream::{AssignWindow, GroupColumn, WindowAggregate, WindowOutput};

use super::calc::evaluate;
use super::rows::{Origin, RowFault, Rows};

/// The start of the window a moment falls into.
pub(crate) fn window_start(at_ms: i64, size_ms: i64, offset_ms: i64) -> i64 {
    at_ms - (at_ms - offset_ms).rem_euclid(size_ms)
}

/// Adds the window's bounds to each row. A row without a time falls into no window.
pub(super) fn assign(
    rows: Rows,
    assign: &AssignWindow,
    schema: &SchemaRef,
    faults: &mut Vec<RowFault>,
) -> Result<Rows> {
    let time = rows.batch.column(assign.time);
    let rows = if time.null_count() == 0 {
        rows
    } else {
        let (mut good, reason) = (Vec::new(), "RowTime field should not be null");
        for row in 0..rows.len() {
            match time.is_valid(row) {
                true => good.push(row as u32),
                false => faults.push(rows.fault(row, Stage::Transformation, reason)),
            }
        }
        rows.take(&good)?
    };
    let time = rows.batch.column(assign.time);
    let millis = arrow::compute::cast(
        time,
        &DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None),
    )?;
    let (size, offset) = (assign.window.size_ms, assign.window.offset_ms);
    let starts: Vec<i64> = millis
        .as_primitive::<TimestampMillisecondType>()
        .values()
        .iter()
        .map(|at| window_start(*at, size, offset))
        .collect();
    let bound = |shift: i64| -> ArrayRef {
        Arc::new(
            starts.iter().map(|start| Some(start + shift)).collect::<TimestampMillisecondArray>(),
        )
    };
    let columns = assign
        .outputs
        .iter()
        .zip(schema.fields())
        .map(|(output, field)| match output {
            WindowOutput::Input(index) => Ok(Arc::clone(rows.batch.column(*index))),
            WindowOutput::Start => Ok(bound(0)),
            WindowOutput::End => Ok(bound(size)),
            WindowOutput::Time => arrow::compute::cast(&bound(size - 1), field.data_type()),
        })
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let batch = RecordBatch::try_new(Arc::clone(schema), columns)?;
    Ok(Rows { batch, origin: rows.origin })
}

/// The groups of one window.
struct Pane {
    /// Key to the group's number.
    groups: HashMap<OwnedRow, usize>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// What a checkpoint writes, until the next row.
    encoded: Option<Arc<Vec<u8>>>,
}

/// The state of a windowed aggregate.
pub(super) struct WindowState {
    plan: WindowAggregate,
    schema: SchemaRef,
    converter: RowConverter,
    panes: BTreeMap<i64, Pane>,
    groups_max: usize,
    late: u64,
    /// The highest write timestamp seen, and the last one given.
    newest_us: i64,
    emitted_us: i64,
}

impl WindowState {
    /// `schema`: what comes out; `groups_max`: groups of all open windows at most.
    pub(super) fn new(
        plan: WindowAggregate,
        schema: SchemaRef,
        groups_max: usize,
    ) -> Result<WindowState> {
        let keys = plan
            .groups
            .iter()
            .zip(schema.fields())
            .filter(|(group, _)| matches!(group, GroupColumn::Key(_)))
            .map(|(_, field)| SortField::new(field.data_type().clone()))
            .collect();
        let converter = RowConverter::new(keys)?;
        Ok(WindowState {
            plan,
            schema,
            converter,
            panes: BTreeMap::new(),
            groups_max,
            late: 0,
            newest_us: 0,
            emitted_us: 0,
        })
    }

    pub(super) fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    fn pane(&mut self, start: i64) -> Result<&mut Pane> {
        use std::collections::btree_map::Entry;
        match self.panes.entry(start) {
            Entry::Occupied(pane) => Ok(pane.into_mut()),
            Entry::Vacant(place) => {
                let calls = self.plan.aggregates.iter();
                let accumulators = calls
                    .map(|call| call.function.create_groups_accumulator())
                    .collect::<Result<Vec<_>>>()?;
                Ok(place.insert(Pane { groups: HashMap::new(), accumulators, encoded: None }))
            }
        }
    }

    /// Takes rows in. `stamps`: their write timestamps.
    pub(super) fn update(
        &mut self,
        rows: Rows,
        stamps: &dyn Fn(&Origin) -> i64,
        watermark: i64,
        faults: &mut Vec<RowFault>,
    ) -> Result<()> {
        self.newest_us = self.newest_us.max(stamps(&rows.origin));
        let (rows, mut values) = evaluate(rows, &self.expressions(), faults)?;
        let starts = rows.batch.column(self.plan.start);
        let starts = starts.as_primitive::<TimestampMillisecondType>().clone();
        let mut by_window: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (row, start) in starts.values().iter().enumerate() {
            by_window.entry(*start).or_default().push(row as u32);
        }
        let whole = by_window.len() == 1;
        for (start, members) in by_window {
            if start + self.plan.window.size_ms - 1 <= watermark {
                self.late += members.len() as u64;
                continue;
            }
            if whole {
                let all = std::mem::take(&mut values);
                self.update_pane(start, &all, rows.len())?;
                continue;
            }
            let members = UInt32Array::from(members);
            let part = values
                .iter()
                .map(|column| take(column, &members, None))
                .collect::<std::result::Result<Vec<_>, _>>()?;
            self.update_pane(start, &part, members.len())?;
        }
        self.check_limit()
    }

    /// Everything computed per row: keys, then per aggregate its arguments and its filter.
    fn expressions(&self) -> Vec<Arc<dyn datafusion::physical_expr::PhysicalExpr>> {
        let keys = self.plan.groups.iter().filter_map(|group| match group {
            GroupColumn::Key(expr) => Some(Arc::clone(expr)),
            GroupColumn::Bound(_) => None,
        });
        let calls = self.plan.aggregates.iter().flat_map(|call| {
            call.function.expressions().into_iter().chain(call.filter.iter().map(Arc::clone))
        });
        keys.chain(calls).collect()
    }

    fn key_count(&self) -> usize {
        let is_key = |group: &&GroupColumn| matches!(group, GroupColumn::Key(_));
        self.plan.groups.iter().filter(is_key).count()
    }

    /// `values` as [`WindowState::expressions`] lists them, all rows of one window.
    fn update_pane(&mut self, start: i64, values: &[ArrayRef], rows: usize) -> Result<()> {
        let (keys, mut arguments) = values.split_at(self.key_count());
        let numbers = self.intern(start, keys, rows)?;
        let plan = self.plan.aggregates.clone();
        let pane = self.pane(start)?;
        pane.encoded = None;
        let total = pane.groups.len();
        for (call, accumulator) in plan.iter().zip(&mut pane.accumulators) {
            let (own, rest) = arguments.split_at(call.function.expressions().len());
            arguments = rest;
            let filter = match call.filter {
                Some(_) => {
                    let (filter, rest) = arguments.split_at(1);
                    arguments = rest;
                    Some(filter[0].as_boolean())
                }
                None => None,
            };
            accumulator.update_batch(own, &numbers, filter, total)?;
        }
        Ok(())
    }

    /// The number of each row's group; new keys get new numbers.
    fn intern(&mut self, start: i64, keys: &[ArrayRef], rows: usize) -> Result<Vec<usize>> {
        let encoded =
            if keys.is_empty() { None } else { Some(self.converter.convert_columns(keys)?) };
        // Without keys a window has one group, whose key is the empty row.
        let only = match &encoded {
            None => Some(self.converter.parser().parse(&[]).owned()),
            Some(_) => None,
        };
        let pane = self.pane(start)?;
        let mut numbers = Vec::with_capacity(rows);
        for row in 0..rows {
            let key = match (&encoded, &only) {
                (Some(encoded), _) => encoded.row(row).owned(),
                (None, Some(only)) => only.clone(),
                (None, None) => continue,
            };
            let next = pane.groups.len();
            numbers.push(*pane.groups.entry(key).or_insert(next));
        }
        Ok(numbers)
    }

    fn check_limit(&self) -> Result<()> {
        let groups: usize = self.panes.values().map(|pane| pane.groups.len()).sum();
        if groups > self.groups_max {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{groups} groups in {} open windows, more than [engine] window_groups_max = {}",
                self.panes.len(),
                self.groups_max
            )));
        }
        Ok(())
    }

    /// The windows that end at or before the watermark, in the order of their ends, each in the
    /// order of its keys.
    pub(super) fn fire(&mut self, watermark: i64) -> Result<Option<Rows>> {
        let mut fired = Vec::new();
        while let Some((start, _)) = self.panes.first_key_value() {
            if start + self.plan.window.size_ms - 1 > watermark {
                break;
            }
            let Some((start, pane)) = self.panes.pop_first() else { break };
            fired.push(self.result(start, pane)?);
        }
        if fired.is_empty() {
            return Ok(None);
        }
        let batch = concat_batches(&self.schema, &fired)?;
        let stamps = (0..batch.num_rows())
            .map(|_| {
                self.emitted_us = self.newest_us.max(self.emitted_us + 1);
                self.emitted_us
            })
            .collect();
        Ok(Some(Rows { batch, origin: Origin::Computed(stamps) }))
    }

    fn result(&self, start: i64, mut pane: Pane) -> Result<RecordBatch> {
        let keys = ordered(&pane);
        let order =
            UInt32Array::from(keys.iter().map(|(_, number)| *number as u32).collect::<Vec<_>>());
        let rows = keys.len();
        let mut key_columns = self.key_columns(&keys)?.into_iter();
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (group, field) in self.plan.groups.iter().zip(self.schema.fields()) {
            let size = self.plan.window.size_ms;
            columns.push(match group {
                GroupColumn::Key(_) => key_columns.next().ok_or_else(|| {
                    DataFusionError::Internal("a key column is missing".to_owned())
                })?,
                GroupColumn::Bound(bound) => {
                    let at = match bound {
                        WindowOutput::End => start + size,
                        WindowOutput::Time => start + size - 1,
                        _ => start,
                    };
                    let array = TimestampMillisecondArray::from_value(at, rows);
                    arrow::compute::cast(&array, field.data_type())?
                }
            });
        }
        for accumulator in &mut pane.accumulators {
            columns.push(take(&accumulator.evaluate(EmitTo::All)?, &order, None)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn key_columns(&self, keys: &[(&OwnedRow, usize)]) -> Result<Vec<ArrayRef>> {
        if self.key_count() == 0 {
            return Ok(Vec::new());
        }
        Ok(self.converter.convert_rows(keys.iter().map(|(key, _)| key.row()))?)
    }

    /// The state as bytes: one part per open window. Windows that did not change since the last
    /// call are not encoded again.
    pub(super) fn save(&mut self) -> Result<Vec<Arc<Vec<u8>>>> {
        let starts: Vec<i64> = self.panes.keys().copied().collect();
        let mut parts =
            vec![Arc::new([self.newest_us.to_le_bytes(), self.emitted_us.to_le_bytes()].concat())];
        for start in starts {
            let known = self.panes.get(&start).and_then(|pane| pane.encoded.clone());
            let encoded = match known {
                Some(encoded) => encoded,
                None => Arc::new(self.encode(start)?),
            };
            if let Some(pane) = self.panes.get_mut(&start) {
                pane.encoded = Some(Arc::clone(&encoded));
            }
            parts.push(encoded);
        }
        Ok(parts)
    }

    /// One window as an Arrow IPC stream: its start, its keys, its accumulators' states.
    fn encode(&mut self, start: i64) -> Result<Vec<u8>> {
        let Some(mut pane) = self.panes.remove(&start) else { return Ok(Vec::new()) };
        let mut keys: Vec<_> = pane.groups.iter().map(|(key, number)| (key, *number)).collect();
        keys.sort_unstable_by_key(|(_, number)| *number);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_value(start, keys.len()))];
        columns.extend(self.key_columns(&keys)?);
        let all: Vec<usize> = (0..pane.groups.len()).collect();
        for accumulator in &mut pane.accumulators {
            // Taking the state out empties the accumulator; merging puts it back.
            let state = accumulator.state(EmitTo::All)?;
            accumulator.merge_batch(&state, &all, all.len())?;
            columns.extend(state);
        }
        self.panes.insert(start, pane);
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                Field::new(format!("c{index}"), column.data_type().clone(), true)
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::try_new(&mut bytes, batch.schema_ref())?;
        writer.write(&batch)?;
        writer.finish()?;
        drop(writer);
        Ok(bytes)
    }

    /// Puts back what [`WindowState::save`] gave.
    pub(super) fn load(&mut self, parts: &[Vec<u8>]) -> Result<()> {
        let Some((head, panes)) = parts.split_first() else { return Ok(()) };
        let number = |at: usize| -> Option<i64> {
            Some(i64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?))
        };
        let (Some(newest), Some(emitted)) = (number(0), number(8)) else {
            return Err(DataFusionError::Execution("the window state has no head".to_owned()));
        };
        (self.newest_us, self.emitted_us) = (newest, emitted);
        for pane in panes {
            for batch in StreamReader::try_new(pane.as_slice(), None)? {
                self.load_pane(&batch?)?;
            }
        }
        Ok(())
    }

    fn load_pane(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let start = batch.column(0).as_primitive::<Int64Type>().value(0);
        let (keys, mut states) = batch.columns()[1..].split_at(self.key_count());
        let numbers = self.intern(start, keys, batch.num_rows())?;
        let calls = self.plan.aggregates.clone();
        let pane = self.pane(start)?;
        let total = pane.groups.len();
        for (call, accumulator) in calls.iter().zip(&mut pane.accumulators) {
            let (own, rest) = states.split_at(call.function.state_fields()?.len());
            states = rest;
            accumulator.merge_batch(own, &numbers, total)?;
        }
        Ok(())
    }
}

/// The groups in the order of their keys.
fn ordered(pane: &Pane) -> Vec<(&OwnedRow, usize)> {
    let mut keys: Vec<_> = pane.groups.iter().map(|(key, number)| (key, *number)).collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    keys
}

#[cfg(test)]
mod tests {
    use super::window_start;

    #[test]
    fn windows_are_aligned_to_the_epoch_and_the_offset() {
        for (at, size, offset, start) in [
            (0, 60, 0, 0),
            (59, 60, 0, 0),
            (60, 60, 0, 60),
            (-1, 60, 0, -60),
            (5, 60, 10, -50),
            (10, 60, 10, 10),
        ] {
            assert_eq!(window_start(at, size, offset), start, "{at} {size} {offset}");
        }
    }
}
