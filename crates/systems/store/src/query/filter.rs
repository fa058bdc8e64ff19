//! Conditions that only looking at a row can tell: ALLOW FILTERING.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::value::collection;

use super::context::Binding;
use super::restrictions::required;
use super::selection::{column_value, element_of};
use super::term::{TypedIn, TypedTerm};
use crate::cql::statements::relation::Operator;
use crate::error::CqlError;
use crate::schema::table::Table;
use crate::storage::byte_comparable::compare;
use crate::storage::partition::LiveRow;

/// What must hold.
#[derive(Debug, Clone)]
pub(crate) enum FilterCheck {
    /// The column compares like this.
    Compare(Operator, TypedTerm),
    /// It is one of these.
    In(TypedIn),
    /// It contains this value.
    Contains(TypedTerm),
    /// It contains this key.
    ContainsKey(TypedTerm),
    /// It has this value under this key.
    Entry(TypedTerm, TypedTerm),
    /// It and the columns behind it compare like this, the first difference deciding.
    Tuple(Operator, Vec<TypedTerm>),
    /// It and the columns behind it are one of these.
    Tuples(Vec<Vec<TypedTerm>>),
}

/// A condition on the column at a place.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Which column.
    pub(crate) at: usize,
    /// What must hold.
    pub(crate) check: FilterCheck,
}

/// A condition with the values of a run.
pub(crate) struct BoundFilter {
    at: usize,
    check: BoundCheck,
}

enum BoundCheck {
    Compare(Operator, Bytes),
    In(Vec<Bytes>),
    Contains(Bytes),
    ContainsKey(Bytes),
    Entry(Bytes, Bytes),
    Tuple(Operator, Vec<Bytes>),
    Tuples(Vec<Vec<Bytes>>),
}

impl Filter {
    /// With the values of a run.
    pub(crate) fn bind(
        &self,
        table: &Table,
        binding: &Binding<'_>,
    ) -> Result<BoundFilter, CqlError> {
        let name = &table.columns[self.at].name;
        let value = |term: &TypedTerm| match term.eval(binding)? {
            Value::Set(bytes) => Ok(bytes),
            Value::Null if !table.columns[self.at].kind.is_key() => {
                Err(CqlError::invalid(format!("Unsupported null value for column {name}")))
            }
            Value::Unset if !table.columns[self.at].kind.is_key() => {
                Err(CqlError::invalid(format!("Unsupported unset value for column {name}")))
            }
            _ => required(term, name, binding),
        };
        let all = |terms: &Vec<TypedTerm>| terms.iter().map(value).collect::<Result<Vec<_>, _>>();
        let check = match &self.check {
            FilterCheck::Compare(operator, term) => BoundCheck::Compare(*operator, value(term)?),
            FilterCheck::In(values) => {
                BoundCheck::In(values.eval(binding)?.into_iter().flatten().collect())
            }
            FilterCheck::Contains(term) => BoundCheck::Contains(value(term)?),
            FilterCheck::ContainsKey(term) => BoundCheck::ContainsKey(value(term)?),
            FilterCheck::Entry(key, term) => BoundCheck::Entry(value(key)?, value(term)?),
            FilterCheck::Tuple(operator, terms) => BoundCheck::Tuple(*operator, all(terms)?),
            FilterCheck::Tuples(tuples) => {
                BoundCheck::Tuples(tuples.iter().map(all).collect::<Result<_, _>>()?)
            }
        };
        Ok(BoundFilter { at: self.at, check })
    }
}

impl BoundFilter {
    /// Whether a row passes. What has no value passes nothing.
    pub(crate) fn passes(&self, table: &Table, row: &LiveRow) -> bool {
        let Some(value) = column_value(table, self.at, row) else { return false };
        let cql = &table.columns[self.at].column_type.cql;
        match &self.check {
            BoundCheck::Compare(operator, wanted) => operator.holds(compare(cql, &value, wanted)),
            BoundCheck::In(wanted) => {
                wanted.iter().any(|wanted| compare(cql, &value, wanted).is_eq())
            }
            BoundCheck::Contains(wanted) => contains(cql, value, wanted),
            BoundCheck::ContainsKey(wanted) => element_of(cql, value, wanted).is_some(),
            BoundCheck::Entry(key, wanted) => match (cql, element_of(cql, value, key)) {
                (CqlType::Map(_, inner), Some(found)) => compare(inner, &found, wanted).is_eq(),
                _ => false,
            },
            BoundCheck::Tuple(operator, wanted) => {
                self.tuple_order(table, row, wanted).is_some_and(|order| operator.holds(order))
            }
            BoundCheck::Tuples(tuples) => tuples.iter().any(|wanted| {
                self.tuple_order(table, row, wanted).is_some_and(std::cmp::Ordering::is_eq)
            }),
        }
    }

    fn tuple_order(
        &self,
        table: &Table,
        row: &LiveRow,
        wanted: &[Bytes],
    ) -> Option<std::cmp::Ordering> {
        for (offset, wanted) in wanted.iter().enumerate() {
            let at = self.at + offset;
            let value = column_value(table, at, row)?;
            let order = compare(&table.columns[at].column_type.cql, &value, wanted);
            if order.is_ne() {
                return Some(order);
            }
        }
        Some(std::cmp::Ordering::Equal)
    }
}

fn contains(cql: &CqlType, value: Bytes, wanted: &Bytes) -> bool {
    match cql {
        CqlType::List(inner) | CqlType::Set(inner) => collection::elements(value)
            .is_ok_and(|items| items.iter().any(|item| compare(inner, item, wanted).is_eq())),
        CqlType::Map(_, inner) => collection::pairs(value)
            .is_ok_and(|pairs| pairs.iter().any(|(_, item)| compare(inner, item, wanted).is_eq())),
        _ => false,
    }
}
