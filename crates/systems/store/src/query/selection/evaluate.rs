//! Selectors evaluated: per row, or per group.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::collection;

use super::{CellPart, Selection, Selector};
use crate::error::CqlError;
use crate::query::context::{Binding, int_bytes, long_bytes};
use crate::query::functions::{self, Aggregate, AggregateState};
use crate::schema::table::{ColumnKind, Table};
use crate::storage::byte_comparable::compare;
use crate::storage::cell::Cell;
use crate::storage::partition::LiveRow;
use crate::storage::row::ColumnData;

/// A column's value in a row.
pub(crate) fn column_value(table: &Table, at: usize, row: &LiveRow) -> Option<Bytes> {
    let column = &table.columns[at];
    match column.kind {
        ColumnKind::PartitionKey => row.pk.get(at).cloned(),
        ColumnKind::Clustering => row.ck.get(at - table.partition_key_count).cloned(),
        ColumnKind::Static | ColumnKind::Regular => {
            assemble(&column.column_type.cql, column_data(table, at, row)?)
        }
    }
}

fn column_data<'a>(table: &Table, at: usize, row: &'a LiveRow) -> Option<&'a ColumnData> {
    let column = &table.columns[at];
    let data = if column.kind == ColumnKind::Static { &*row.statics } else { &row.data };
    data.column(column.id)
}

/// The value of a column's live cells.
pub(crate) fn assemble(cql: &CqlType, data: &ColumnData) -> Option<Bytes> {
    let complex = match data {
        ColumnData::Simple(cell) => return cell.value().cloned(),
        ColumnData::Complex(complex) if complex.cells.is_empty() => return None,
        ColumnData::Complex(complex) => complex,
    };
    let mut parts: Vec<(&Bytes, &Bytes)> =
        complex.cells.iter().filter_map(|(path, cell)| Some((path, cell.value()?))).collect();
    Some(match cql {
        CqlType::Set(element) => {
            parts.sort_by(|a, b| compare(element, a.0, b.0));
            let elements: Vec<_> = parts.iter().map(|(path, _)| *path).collect();
            collection::from_elements(&elements)
        }
        CqlType::Map(key, _) => {
            parts.sort_by(|a, b| compare(key, a.0, b.0));
            collection::from_pairs(&parts)
        }
        CqlType::Udt(udt) => {
            let field = |at: usize| {
                let path = u16::try_from(at).unwrap_or(u16::MAX).to_be_bytes();
                parts.iter().find(|(known, _)| known[..] == path).map(|(_, value)| *value)
            };
            let fields: Vec<_> = (0..udt.fields.len()).map(field).collect();
            collection::from_fields(&fields)
        }
        _ => {
            parts.sort_by(|a, b| compare(&CqlType::Timeuuid, a.0, b.0));
            let elements: Vec<_> = parts.iter().map(|(_, value)| *value).collect();
            collection::from_elements(&elements)
        }
    })
}

/// Evaluates selectors for rows, and for groups what aggregates have gathered.
pub(crate) struct Evaluator<'a> {
    pub(crate) table: &'a Table,
    pub(crate) binding: Binding<'a>,
}

impl Evaluator<'_> {
    /// A selector's value in a row.
    pub(crate) fn value(
        &self,
        selector: &Selector,
        row: &LiveRow,
    ) -> Result<Option<Bytes>, CqlError> {
        self.eval(selector, Some(row), &mut [].iter())
    }

    fn eval<'s>(
        &self,
        selector: &Selector,
        row: Option<&LiveRow>,
        states: &mut impl Iterator<Item = &'s AggregateState>,
    ) -> Result<Option<Bytes>, CqlError> {
        Ok(match selector {
            Selector::Column(at) => row.and_then(|row| column_value(self.table, *at, row)),
            Selector::CountRows | Selector::Aggregate(..) => {
                states.next().and_then(AggregateState::finish)
            }
            Selector::Cell(part, at) => row.and_then(|row| self.cell_part(*part, *at, row)),
            Selector::Value(term) => term.bytes(&self.binding)?,
            Selector::Call(function, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.eval(argument, row, states)?);
                }
                function.call(&values, &self.binding)?
            }
            Selector::Cast(from, to, inner) => match self.eval(inner, row, states)? {
                Some(value) => functions::cast(from, to, &value, &self.binding)?,
                None => None,
            },
            Selector::Field(at, inner) => match self.eval(inner, row, states)? {
                Some(value) => collection::fields(value, usize::from(u16::MAX))
                    .ok()
                    .and_then(|fields| fields.into_iter().nth(*at).flatten()),
                None => None,
            },
            Selector::Element(key_type, key, inner) => {
                match (self.eval(inner, row, states)?, key.bytes(&self.binding)?) {
                    (Some(value), Some(key)) => element(key_type, inner, self.table, value, &key),
                    _ => None,
                }
            }
        })
    }

    fn cell_part(&self, part: CellPart, at: usize, row: &LiveRow) -> Option<Bytes> {
        let one = |cell: &Cell| match part {
            CellPart::WriteTime | CellPart::MaxWriteTime => Some(long_bytes(cell.timestamp)),
            CellPart::Ttl => {
                let left = cell.expiry()?.at - self.binding.now;
                Some(int_bytes(i32::try_from(left).unwrap_or(i32::MAX)))
            }
        };
        match column_data(self.table, at, row)? {
            ColumnData::Simple(cell) => one(cell),
            ColumnData::Complex(complex) if part == CellPart::MaxWriteTime => {
                let latest = complex.cells.iter().map(|(_, cell)| cell.timestamp).max()?;
                Some(long_bytes(latest))
            }
            ColumnData::Complex(complex) => {
                let all: Vec<_> = complex.cells.iter().map(|(_, cell)| one(cell)).collect();
                if all.iter().all(Option::is_none) {
                    return None;
                }
                Some(tidemill_cql_wire::value::collection::from_fields(&all)).map(|fields| {
                    let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
                    [&count.to_be_bytes()[..], &fields].concat().into()
                })
            }
        }
    }

    /// Fresh states for all aggregates of a selection, in the order they are evaluated.
    pub(crate) fn start_group(selection: &Selection) -> Vec<AggregateState> {
        let mut states = Vec::new();
        for selector in &selection.selectors {
            collect_states(selector, &mut states);
        }
        states
    }

    /// Shows a row to all aggregates of its group.
    pub(crate) fn add_to_group(
        &self,
        selection: &Selection,
        states: &mut [AggregateState],
        row: &LiveRow,
    ) -> Result<(), CqlError> {
        let mut states = states.iter_mut();
        for selector in &selection.selectors {
            self.add(selector, &mut states, row)?;
        }
        Ok(())
    }

    fn add<'s>(
        &self,
        selector: &Selector,
        states: &mut impl Iterator<Item = &'s mut AggregateState>,
        row: &LiveRow,
    ) -> Result<(), CqlError> {
        match selector {
            Selector::CountRows => {
                // A row counts whatever is in it.
                states.next().map_or(Ok(()), |state| state.add(Some(Bytes::new())))
            }
            Selector::Aggregate(_, _, inner) => {
                let value = self.value(inner, row)?;
                states.next().map_or(Ok(()), |state| state.add(value))
            }
            Selector::Call(_, arguments) => {
                arguments.iter().try_for_each(|argument| self.add(argument, states, row))
            }
            Selector::Cast(_, _, inner)
            | Selector::Field(_, inner)
            | Selector::Element(_, _, inner) => self.add(inner, states, row),
            Selector::Column(_) | Selector::Cell(..) | Selector::Value(_) => Ok(()),
        }
    }

    /// The row of a group: aggregates' values, and the first row's for everything else.
    pub(crate) fn finish_group(
        &self,
        selection: &Selection,
        states: &[AggregateState],
        first: Option<&LiveRow>,
    ) -> Result<Vec<Option<Bytes>>, CqlError> {
        let mut states = states.iter();
        let selectors = selection.selectors.iter();
        selectors.map(|selector| self.eval(selector, first, &mut states)).collect()
    }
}

fn collect_states(selector: &Selector, states: &mut Vec<AggregateState>) {
    match selector {
        Selector::CountRows => {
            states.push(AggregateState::new(Aggregate::Count, CqlType::Bigint));
        }
        Selector::Aggregate(kind, cql, _) => states.push(AggregateState::new(*kind, cql.clone())),
        Selector::Call(_, arguments) => {
            arguments.iter().for_each(|argument| collect_states(argument, states));
        }
        Selector::Cast(_, _, inner)
        | Selector::Field(_, inner)
        | Selector::Element(_, _, inner) => collect_states(inner, states),
        Selector::Column(_) | Selector::Cell(..) | Selector::Value(_) => {}
    }
}

/// An element of a collection.
fn element(
    key_type: &CqlType,
    inner: &Selector,
    table: &Table,
    value: Bytes,
    key: &Bytes,
) -> Option<Bytes> {
    let cql = match inner {
        Selector::Column(at) => &table.columns[*at].column_type.cql,
        _ => return map_value(key_type, value, key),
    };
    element_of(cql, value, key)
}

/// The element of a collection under a key; for a list the key is its place.
pub(crate) fn element_of(cql: &CqlType, value: Bytes, key: &Bytes) -> Option<Bytes> {
    match cql {
        CqlType::Map(key_type, _) => map_value(key_type, value, key),
        CqlType::Set(element) => collection::elements(value)
            .ok()?
            .into_iter()
            .find(|known| compare(element, known, key).is_eq()),
        CqlType::List(_) => {
            let at = usize::try_from(i32::from_be_bytes(key[..].try_into().ok()?)).ok()?;
            collection::elements(value).ok()?.into_iter().nth(at)
        }
        _ => None,
    }
}

fn map_value(key_type: &CqlType, value: Bytes, key: &Bytes) -> Option<Bytes> {
    let pairs = collection::pairs(value).ok()?;
    pairs.into_iter().find(|(known, _)| compare(key_type, known, key).is_eq()).map(|(_, v)| v)
}
