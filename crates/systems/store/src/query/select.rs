//! SELECT: which rows, what of them, how many at a time.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::response::{Rows, RowsBuilder};

use super::context::{Binding, Preparing};
use super::filter::BoundFilter;
use super::literal::Receiver;
use super::paging::PagingState;
use super::restrictions::{Purpose, Restrictions};
use super::selection::{Evaluator, Selection, column_value};
use super::term::TypedTerm;
use crate::cql::statements::select::Select;
use crate::error::CqlError;
use crate::schema::table::{ColumnKind, Table};
use crate::storage::byte_comparable::compare;
use crate::storage::key::PartitionPrefix;
use crate::storage::partition::{LiveRow, LiveRows, ReadOptions, RowSource};

/// A page ends after so many bytes even if it has fewer rows than asked for: 8 MiB.
const PAGE_BYTES_MAX: usize = 8 << 20;
/// What a client that does not page may get at once: 128 MiB.
const RESULT_BYTES_MAX: usize = 128 << 20;
/// Rows that an ORDER BY over several partitions may sort.
const SORTED_ROWS_MAX: usize = 100_000;

/// A SELECT that is understood.
#[derive(Debug, Clone)]
pub(crate) struct SelectPlan {
    /// The table.
    pub(crate) table: Arc<Table>,
    /// What is listed.
    pub(crate) selection: Selection,
    /// WHERE.
    pub(crate) restrictions: Restrictions,
    is_distinct: bool,
    reverse: bool,
    /// Places of the columns an ORDER BY over several partitions sorts by.
    sort_by: Vec<(usize, bool)>,
    /// Columns of GROUP BY, by their places.
    group_by: Vec<usize>,
    limit: Option<TypedTerm>,
    per_partition_limit: Option<TypedTerm>,
}

/// What a client asks of a result.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageRequest {
    /// Rows per page.
    pub(crate) page_size: Option<i32>,
    /// Where the last page ended.
    pub(crate) paging_state: Option<Bytes>,
}

impl SelectPlan {
    /// Understands a SELECT.
    pub(crate) fn prepare(
        select: &Select,
        table: Arc<Table>,
        preparing: &mut Preparing,
    ) -> Result<SelectPlan, CqlError> {
        if select.is_json {
            return Err(CqlError::invalid("SELECT JSON is not supported by this server"));
        }
        let selection = match &select.selection {
            Some(listed) => Selection::prepare(listed, &table, preparing)?,
            None => Selection::all(&table),
        };
        let purpose = Purpose::Select { allow_filtering: select.allow_filtering };
        let restrictions = Restrictions::prepare(&select.relations, &table, purpose, preparing)?;
        if select.is_distinct {
            check_distinct(&selection, &restrictions, &table)?;
        }
        let group_by = group_by(&select.group_by, &table, &restrictions)?;
        let (reverse, sort_by) = order_by(&select.order_by, &table, &restrictions)?;
        let mut number = |term: &Option<crate::cql::term::Term>, name: &str| match term {
            Some(term) => {
                TypedTerm::prepare(term, &Receiver::new(name, CqlType::Int), preparing).map(Some)
            }
            None => Ok(None),
        };
        Ok(SelectPlan {
            per_partition_limit: number(&select.per_partition_limit, "[per_partition_limit]")?,
            limit: number(&select.limit, "[limit]")?,
            table,
            selection,
            restrictions,
            is_distinct: select.is_distinct,
            reverse,
            sort_by,
            group_by,
        })
    }

    /// What the author should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        if !self.is_grouped() {
            return Vec::new();
        }
        if !self.restrictions.has_key() {
            return vec!["Aggregation query used without partition key".to_owned()];
        }
        if self.restrictions.has_key_in {
            return vec![
                "Aggregation query used on multiple partition keys (IN restriction)".to_owned(),
            ];
        }
        Vec::new()
    }

    fn is_grouped(&self) -> bool {
        self.selection.is_aggregate() || !self.group_by.is_empty()
    }

    /// Reads one page.
    pub(crate) fn run(
        &self,
        source: &dyn RowSource,
        binding: Binding<'_>,
        page: &PageRequest,
    ) -> Result<Rows, CqlError> {
        let page_size = page.page_size.and_then(|size| usize::try_from(size).ok());
        let page_size = page_size.filter(|size| *size > 0);
        if !self.sort_by.is_empty() && page_size.is_some() {
            return Err(CqlError::invalid(
                "Cannot page queries with both ORDER BY and a IN restriction on the partition key; \
                 you must either remove the ORDER BY or the IN and sort client side, or disable \
                 paging for this query",
            ));
        }
        let limit = limit_value(&self.limit, "LIMIT", &binding)?;
        let per_partition = limit_value(&self.per_partition_limit, "LIMIT", &binding)?;
        let resumed = page.paging_state.as_ref().map(PagingState::decode).transpose()?;
        let filters: Vec<BoundFilter> = self
            .restrictions
            .filters
            .iter()
            .map(|filter| filter.bind(&self.table, &binding))
            .collect::<Result<_, _>>()?;
        let options = ReadOptions {
            reverse: self.reverse,
            now: binding.now,
            shows_static_only: !self.restrictions.restricts_clustering,
        };
        let targets = self.restrictions.targets(&self.table, &binding)?;
        let remaining = resumed.as_ref().map(|state| state.remaining);
        let last_key = resumed.as_ref().map(|state| &state.last_key);
        let rows = LiveRows::new(source, &self.table.key_types, targets, options, last_key);
        let reading = Reading {
            plan: self,
            evaluator: Evaluator { table: &self.table, binding },
            filters,
            rows,
            page_size: page_size.unwrap_or(usize::MAX),
            is_paged: page_size.is_some(),
            limit: remaining.unwrap_or(limit),
            per_partition,
            partition: resumed.map(|state| (state.last_key, state.remaining_in_partition)),
        };
        if self.is_grouped() {
            reading.grouped()
        } else if self.sort_by.is_empty() {
            reading.plain()
        } else {
            reading.sorted()
        }
    }
}

/// The cells of a row.
type Cells = Vec<Option<Bytes>>;

struct Reading<'a> {
    plan: &'a SelectPlan,
    evaluator: Evaluator<'a>,
    filters: Vec<BoundFilter>,
    rows: LiveRows<'a>,
    page_size: usize,
    is_paged: bool,
    limit: u64,
    per_partition: u64,
    /// A resumed page: the last key shown, and what its partition may still show.
    partition: Option<(Bytes, u64)>,
}

impl Reading<'_> {
    /// The next row that passes all filters.
    fn next_row(&mut self) -> Result<Option<LiveRow>, CqlError> {
        while let Some(row) = self.rows.next_row()? {
            if self.filters.iter().all(|filter| filter.passes(&self.plan.table, &row)) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn project(&self, row: &LiveRow) -> Result<Vec<Option<Bytes>>, CqlError> {
        let selectors = self.plan.selection.selectors.iter();
        selectors.map(|selector| self.evaluator.value(selector, row)).collect()
    }

    fn plain(mut self) -> Result<Rows, CqlError> {
        let mut out = RowsBuilder::new(self.plan.selection.columns.clone());
        let mut current: Option<Arc<[Bytes]>> = None;
        let mut left_in_partition = self.per_partition;
        let mut last: Option<PagingState> = None;
        while self.limit > 0 {
            let Some(row) = self.next_row()? else { return Ok(out.finish()) };
            if current.as_deref() != Some(&*row.pk) {
                left_in_partition = self.start_partition(&row);
                current = Some(row.pk.clone());
            }
            if left_in_partition == 0 {
                self.rows.skip_partition(&row);
                continue;
            }
            // One row more than a page: there is a next one.
            let is_full = out.count() == self.page_size
                || self.is_paged && out.bytes() >= PAGE_BYTES_MAX && out.count() > 0;
            if is_full {
                let mut rows = out.finish();
                rows.metadata.paging_state = last.map(|state| state.encode());
                return Ok(rows);
            }
            out.push(self.project(&row)?);
            check_size(&out)?;
            self.limit -= 1;
            left_in_partition -= 1;
            // The header stands for the whole partition: nothing more of it is wanted.
            let last_key = if self.plan.is_distinct {
                PartitionPrefix::new(&self.plan.table.key_types, &row.pk).header()
            } else {
                row.key.clone()
            };
            last = Some(PagingState {
                last_key,
                remaining: self.limit,
                remaining_in_partition: left_in_partition,
            });
            if self.plan.is_distinct {
                self.rows.skip_partition(&row);
            }
        }
        Ok(out.finish())
    }

    /// What a partition may show: a resumed one has shown some already.
    fn start_partition(&mut self, row: &LiveRow) -> u64 {
        let Some((last_key, remaining)) = self.partition.take() else { return self.per_partition };
        let prefix = PartitionPrefix::new(&self.plan.table.key_types, &row.pk);
        if prefix.strip(&last_key).is_some() { remaining } else { self.per_partition }
    }

    /// All rows, sorted over partitions.
    fn sorted(mut self) -> Result<Rows, CqlError> {
        let mut found: Vec<(Cells, Cells)> = Vec::new();
        while let Some(row) = self.next_row()? {
            if found.len() == SORTED_ROWS_MAX {
                return Err(CqlError::invalid(format!(
                    "ORDER BY with an IN restriction on the partition key sorts at most \
                     {SORTED_ROWS_MAX} rows; remove the ORDER BY or the IN"
                )));
            }
            let table = &self.plan.table;
            let keys = self.plan.sort_by.iter().map(|(at, _)| column_value(table, *at, &row));
            found.push((keys.collect(), self.project(&row)?));
        }
        let order = |a: &[Option<Bytes>], b: &[Option<Bytes>]| {
            for ((at, descending), (a, b)) in self.plan.sort_by.iter().zip(a.iter().zip(b)) {
                let cql = &self.plan.table.columns[*at].column_type.cql;
                let order = match (a, b) {
                    (Some(a), Some(b)) => compare(cql, a, b),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                };
                let order = if *descending { order.reverse() } else { order };
                if order.is_ne() {
                    return order;
                }
            }
            std::cmp::Ordering::Equal
        };
        found.sort_by(|a, b| order(&a.0, &b.0));
        let mut out = RowsBuilder::new(self.plan.selection.columns.clone());
        for (_, row) in found.into_iter().take(usize::try_from(self.limit).unwrap_or(usize::MAX)) {
            out.push(row);
            check_size(&out)?;
        }
        Ok(out.finish())
    }

    /// One row per group; without GROUP BY there is exactly one.
    fn grouped(mut self) -> Result<Rows, CqlError> {
        let mut out = RowsBuilder::new(self.plan.selection.columns.clone());
        let selection = &self.plan.selection;
        let mut states = Evaluator::start_group(selection);
        let mut first: Option<LiveRow> = None;
        let mut key: Option<Vec<Option<Bytes>>> = None;
        let (mut current, mut groups_in_partition) = (None::<Arc<[Bytes]>>, 0);
        let mut last: Option<PagingState> = None;
        while let Some(row) = self.next_row()? {
            let table = &self.plan.table;
            let group: Vec<_> =
                self.plan.group_by.iter().map(|at| column_value(table, *at, &row)).collect();
            if current.as_deref() != Some(&*row.pk) {
                groups_in_partition = 0;
            }
            let starts = key.as_ref().is_none_or(|key| *key != group)
                || current.as_deref() != Some(&*row.pk) && !self.plan.group_by.is_empty();
            current = Some(row.pk.clone());
            if starts {
                groups_in_partition += 1;
            }
            if groups_in_partition > self.per_partition && !self.plan.group_by.is_empty() {
                self.rows.skip_partition(&row);
                continue;
            }
            if starts && key.is_some() {
                out.push(self.evaluator.finish_group(selection, &states, first.as_ref())?);
                check_size(&out)?;
                self.limit -= 1;
                if self.limit == 0 {
                    return Ok(out.finish());
                }
                if out.count() >= self.page_size
                    && let Some(mut state) = last.take()
                {
                    state.remaining = self.limit;
                    let mut rows = out.finish();
                    rows.metadata.paging_state = Some(state.encode());
                    return Ok(rows);
                }
                states = Evaluator::start_group(selection);
                first = None;
            }
            self.evaluator.add_to_group(selection, &mut states, &row)?;
            last = Some(PagingState {
                last_key: row.key.clone(),
                remaining: self.limit,
                remaining_in_partition: self.per_partition,
            });
            first.get_or_insert(row);
            key = Some(group);
        }
        if first.is_some() || self.plan.group_by.is_empty() {
            out.push(self.evaluator.finish_group(selection, &states, first.as_ref())?);
        }
        Ok(out.finish())
    }
}

fn check_size(out: &RowsBuilder) -> Result<(), CqlError> {
    if out.bytes() > RESULT_BYTES_MAX {
        return Err(CqlError::invalid(format!(
            "The result is larger than {RESULT_BYTES_MAX} bytes; ask for it in pages"
        )));
    }
    Ok(())
}

fn limit_value(
    term: &Option<TypedTerm>,
    what: &str,
    binding: &Binding<'_>,
) -> Result<u64, CqlError> {
    let Some(term) = term else { return Ok(u64::MAX) };
    let bytes = match term.eval(binding)? {
        Value::Set(bytes) => bytes,
        Value::Null => return Err(CqlError::invalid(format!("Invalid null value of {what}"))),
        // An unset limit is none.
        Value::Unset => return Ok(u64::MAX),
    };
    let number = bytes[..].try_into().map(i32::from_be_bytes).unwrap_or(0);
    match u64::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(CqlError::invalid(format!("{what} must be strictly positive"))),
    }
}

fn check_distinct(
    selection: &Selection,
    restrictions: &Restrictions,
    table: &Table,
) -> Result<(), CqlError> {
    if restrictions.restricts_clustering
        || restrictions.filters.iter().any(|it| table.columns[it.at].kind == ColumnKind::Regular)
    {
        return Err(CqlError::invalid(
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or \
             static columns.",
        ));
    }
    let read = selection.columns_read();
    for at in &read {
        let column = &table.columns[*at];
        if !matches!(column.kind, ColumnKind::PartitionKey | ColumnKind::Static) {
            return Err(CqlError::invalid(format!(
                "SELECT DISTINCT queries must only request partition key columns and/or static \
                 columns (not {})",
                column.name
            )));
        }
    }
    match (0..table.partition_key_count).find(|at| !read.contains(at)) {
        Some(at) => Err(CqlError::invalid(format!(
            "SELECT DISTINCT queries must request all the partition key columns (missing {})",
            table.columns[at].name
        ))),
        None => Ok(()),
    }
}

fn group_by(
    names: &[String],
    table: &Table,
    restrictions: &Restrictions,
) -> Result<Vec<usize>, CqlError> {
    let mut places = Vec::with_capacity(names.len());
    let mut next = 0;
    for name in names {
        let column = table.column(name)?;
        let at = table.index_of(name).unwrap_or_default();
        if !column.kind.is_key() {
            return Err(CqlError::invalid(format!(
                "Group by is currently only supported on the columns of the PRIMARY KEY, got {name}"
            )));
        }
        // Columns left out must be fixed by WHERE; the partition key may be.
        if at > next && !(restrictions.has_key() && at >= table.partition_key_count) {
            return Err(CqlError::invalid(
                "Group by currently only support groups of columns following their declared order \
                 in the PRIMARY KEY",
            ));
        }
        next = at + 1;
        places.push(at);
    }
    if !places.is_empty() && next < table.partition_key_count && !restrictions.has_key() {
        return Err(CqlError::invalid(
            "Group by is not supported on only a part of the partition key",
        ));
    }
    Ok(places)
}

/// Whether rows are read backwards, and what must be sorted over several partitions.
type Order = (bool, Vec<(usize, bool)>);

fn order_by(
    ordering: &[(String, bool)],
    table: &Table,
    restrictions: &Restrictions,
) -> Result<Order, CqlError> {
    let mut reverse = None;
    let mut places = Vec::with_capacity(ordering.len());
    let mut next = 0;
    for (name, descending) in ordering {
        let column = table.column(name)?;
        if column.kind != ColumnKind::Clustering {
            return Err(CqlError::invalid(format!(
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, \
                 got {name}"
            )));
        }
        if !restrictions.has_key() {
            return Err(CqlError::invalid(
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.",
            ));
        }
        let at = table.clustering().iter().position(|it| it.name == *name).unwrap_or_default();
        if at > next && at > restrictions.clustering_columns() {
            return Err(CqlError::invalid(
                "Order by currently only supports the ordering of columns following their declared \
                 order in the PRIMARY KEY",
            ));
        }
        next = at + 1;
        let against = *descending != column.descending;
        if reverse.is_some_and(|known| known != against) {
            return Err(CqlError::invalid("Unsupported order by relation"));
        }
        reverse = Some(against);
        places.push((table.partition_key_count + at, *descending));
    }
    let sort_by = if restrictions.has_key_in { places } else { Vec::new() };
    Ok((reverse.unwrap_or(false), sort_by))
}
