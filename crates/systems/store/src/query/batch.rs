//! Several modifications as one: all of them are made, at one moment, or none.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::BatchKind;
use tidemill_cql_wire::response::{ColumnSpec, Rows, RowsBuilder};

use super::conditions::BoundConditions;
use super::context::{Environment, boolean_bytes};
use super::modification::{BoundModification, ModificationPlan, Place};
use super::mutate::Mutator;
use super::selection::column_value;
use crate::error::CqlError;
use crate::schema::table::Table;
use crate::storage::partition::LiveRow;
use crate::storage::writer::WriteView;

/// Checks what must not be mixed in a batch.
pub(crate) fn check(
    kind: BatchKind,
    plans: &[&ModificationPlan],
    has_timestamp: bool,
) -> Result<(), CqlError> {
    let counters = plans.iter().filter(|plan| plan.table.is_counter()).count();
    let conditional = plans.iter().any(|plan| !plan.conditions.is_none());
    if kind == BatchKind::Counter && counters < plans.len() {
        return Err(CqlError::invalid("Cannot include non-counter statement in a counter batch"));
    }
    if kind != BatchKind::Counter && counters > 0 {
        return Err(CqlError::invalid(match kind {
            BatchKind::Logged => "Cannot include a counter statement in a logged batch",
            _ if counters < plans.len() => {
                "Counter and non-counter mutations cannot exist in the same batch"
            }
            _ => return Ok(()),
        }));
    }
    if has_timestamp && conditional {
        return Err(CqlError::invalid("Cannot provide custom timestamp for conditional BATCH"));
    }
    if has_timestamp && plans.iter().any(|plan| plan.has_timestamp()) {
        return Err(CqlError::invalid(
            "Timestamp must be set either on BATCH or individual statements",
        ));
    }
    if conditional {
        let first = &plans[0].table;
        if plans.iter().any(|plan| plan.table.id != first.id) {
            return Err(CqlError::invalid("Batch with conditions cannot span multiple tables"));
        }
    }
    Ok(())
}

/// What conditional statements look at, for the answer that says why nothing was done.
#[derive(Debug, Clone)]
pub(crate) struct Conditional {
    /// Places of the columns shown; `None` for all of them.
    pub(crate) columns: Option<Vec<usize>>,
    /// Whether it is a batch: those show the primary key too.
    pub(crate) is_batch: bool,
}

/// The tokens of all partitions that are changed.
pub(crate) fn tokens(changes: &[BoundModification]) -> Vec<i64> {
    changes.iter().flat_map(|change| super::restrictions::tokens(&change.keys)).collect()
}

/// A conditional statement must name one partition.
pub(crate) fn check_one_partition(changes: &[BoundModification]) -> Result<(), CqlError> {
    let mut keys = changes.iter().flat_map(|change| change.keys.iter().map(|(_, prefix)| prefix));
    let first = keys.next();
    if keys.any(|other| Some(other) != first) {
        return Err(CqlError::invalid(if changes.len() > 1 {
            "Batch with conditions cannot span multiple partitions"
        } else {
            "IN on the partition key is not supported with conditional updates"
        }));
    }
    Ok(())
}

/// Makes modifications in a view, if all conditions hold. The answer of a conditional one is a row
/// that says whether it was made, and if not what there is instead.
pub(crate) fn apply(
    view: &mut WriteView<'_>,
    changes: &[BoundModification],
    conditional: Option<&Conditional>,
    environment: &Environment,
    now: i64,
) -> Result<Option<Rows>, CqlError> {
    let mut mutator = Mutator { view, environment, now };
    let Some(conditional) = conditional else {
        changes.iter().try_for_each(|change| mutator.apply(change))?;
        return Ok(None);
    };
    let mut looked_at: Vec<(LiveRow, bool)> = Vec::new();
    let mut all_hold = true;
    for change in changes {
        if matches!(change.conditions, BoundConditions::None) {
            continue;
        }
        for (pk, prefix) in &change.keys {
            for ck in clusterings(change) {
                let (mut row, exists) = mutator.live_row(&change.table, pk, prefix, &ck)?;
                if !ck.is_empty() && !change.touches_statics() {
                    // Cassandra does not read what the statement has nothing to do with.
                    row.statics = Arc::default();
                }
                // IF EXISTS of a statement on static columns asks for the partition's.
                let exists = exists || ck.is_empty() && !row.statics.columns.is_empty();
                all_hold &= change.conditions.hold(&change.table, &row, exists);
                looked_at.push((row, exists));
            }
        }
    }
    let table = &changes[0].table;
    if all_hold {
        changes.iter().try_for_each(|change| mutator.apply(change))?;
        return Ok(Some(applied(table, true).finish()));
    }
    looked_at.dedup_by(|a, b| a.0.key == b.0.key);
    Ok(Some(not_applied(table, conditional, &looked_at)))
}

fn clusterings(change: &BoundModification) -> Vec<Vec<Bytes>> {
    let rows = change.places.iter().filter_map(|place| match place {
        Place::Row(ck) => Some(ck.clone()),
        Place::Static | Place::Range(_) | Place::Partition => None,
    });
    let rows: Vec<_> = rows.collect();
    // Only static columns: no row, the partition alone.
    if rows.is_empty() { vec![Vec::new()] } else { rows }
}

fn spec(table: &Table, name: &str, cql_type: CqlType) -> ColumnSpec {
    let (keyspace, name) = (table.keyspace.as_str().into(), name.to_owned());
    ColumnSpec { keyspace, table: table.name.as_str().into(), name, cql_type }
}

fn applied(table: &Table, is_applied: bool) -> RowsBuilder {
    let mut rows = RowsBuilder::new(Arc::new(vec![spec(table, "[applied]", CqlType::Boolean)]));
    rows.push([Some(boolean_bytes(is_applied))]);
    rows
}

/// `[applied]` = false and what there is, for rows that are there.
fn not_applied(table: &Table, conditional: &Conditional, rows: &[(LiveRow, bool)]) -> Rows {
    if rows.iter().all(|(_, exists)| !exists) {
        return applied(table, false).finish();
    }
    let mut places: Vec<usize> = match &conditional.columns {
        None => (0..table.columns.len()).collect(),
        Some(columns) if conditional.is_batch => {
            let keys = 0..table.partition_key_count + table.clustering_count;
            keys.chain(columns.iter().copied()).collect()
        }
        Some(columns) => columns.clone(),
    };
    let mut seen = Vec::new();
    places.retain(|at| {
        let is_new = !seen.contains(at);
        seen.push(*at);
        is_new
    });
    let mut specs = vec![spec(table, "[applied]", CqlType::Boolean)];
    for at in &places {
        let column = &table.columns[*at];
        specs.push(spec(table, &column.name, column.column_type.cql.clone()));
    }
    let mut out = RowsBuilder::new(Arc::new(specs));
    for (row, _) in rows.iter().filter(|(_, exists)| *exists) {
        let values = places.iter().map(|at| column_value(table, *at, row));
        out.push(std::iter::once(Some(boolean_bytes(false))).chain(values));
    }
    out.finish()
}
