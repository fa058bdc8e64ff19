//! `system.size_estimates`: how much lies between two tokens. Spark splits its reads by it.
//!
//! Partitions are spread evenly over the ring by their hash, so one sample serves all ranges.

use super::rows::{RowMaker, long, text};
use crate::database::Database;
use crate::error::CqlError;
use crate::schema::Schema;
use crate::schema::table::Table;

/// Entries looked at per table.
const SAMPLE_ENTRIES: usize = 1000;

struct Estimate {
    partitions: f64,
    partition_bytes: f64,
}

pub(super) fn fill(
    database: &Database,
    schema: &Schema,
    maker: &mut RowMaker<'_>,
    with_kind: bool,
) -> Result<(), CqlError> {
    let mut tokens = database.identity().tokens.clone();
    tokens.sort_unstable();
    let mut ends = tokens.clone();
    ends.push(i64::MIN);
    let starts = std::iter::once(i64::MIN).chain(tokens);
    let ranges: Vec<(i64, i64)> = starts.zip(ends).collect();
    let user = schema.keyspaces.values().filter(|keyspace| !keyspace.is_system);
    for table in user.flat_map(|keyspace| keyspace.tables.values()) {
        let estimate = sample(database, table)?;
        for (start, end) in &ranges {
            let last = if *end == i64::MIN { i64::MAX } else { *end };
            let share = (last as f64 - *start as f64) / 2_f64.powi(64);
            let mut values = vec![
                ("keyspace_name", text(&table.keyspace)),
                ("table_name", text(&table.name)),
                ("range_start", text(&start.to_string())),
                ("range_end", text(&end.to_string())),
                ("mean_partition_size", long(estimate.partition_bytes as i64)),
                ("partitions_count", long((estimate.partitions * share).ceil() as i64)),
            ];
            if with_kind {
                values.push(("range_type", text("primary")));
            }
            maker.add(&values);
        }
    }
    Ok(())
}

/// Looks at the first entries of the ring and scales by how much of the ring they fill.
fn sample(database: &Database, table: &Table) -> Result<Estimate, CqlError> {
    let (mut entries, mut bytes, mut partitions) = (0, 0_usize, 0_usize);
    let mut last: Option<i64> = None;
    for entry in database.engine().range(table.space, &[], &[0xFF; 9], false)?.take(SAMPLE_ENTRIES)
    {
        let (key, value) = entry?;
        let token = crate::storage::key::token_in(&key);
        partitions += usize::from(token != last);
        last = token;
        entries += 1;
        bytes += key.len() + value.len();
    }
    let (Some(last), false) = (last, partitions == 0) else {
        return Ok(Estimate { partitions: 0.0, partition_bytes: 0.0 });
    };
    let covered = if entries < SAMPLE_ENTRIES {
        1.0
    } else {
        ((last as f64 - i64::MIN as f64) / 2_f64.powi(64)).max(f64::MIN_POSITIVE)
    };
    Ok(Estimate {
        partitions: partitions as f64 / covered,
        partition_bytes: bytes as f64 / partitions as f64,
    })
}
