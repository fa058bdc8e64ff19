//! IF: what must hold for a modification to be made, looked at under the shard's lock.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;

use super::context::{Binding, Preparing};
use super::literal::Receiver;
use super::selection::{column_value, element_of};
use super::term::{TypedIn, TypedTerm};
use crate::cql::statements::conditions::{Condition, ConditionCheck, ConditionTarget, Conditions};
use crate::cql::statements::relation::Operator;
use crate::error::CqlError;
use crate::schema::table::Table;
use crate::storage::byte_comparable::compare;
use crate::storage::partition::LiveRow;

/// What of a column is looked at.
#[derive(Debug, Clone)]
enum Target {
    Whole,
    Element(TypedTerm),
    Field(usize),
}

#[derive(Debug, Clone)]
enum Check {
    Compare(Operator, TypedTerm),
    In(TypedIn),
}

/// One condition that is understood.
#[derive(Debug, Clone)]
pub(crate) struct ConditionPlan {
    at: usize,
    target: Target,
    check: Check,
    /// The type of what is compared.
    cql: CqlType,
}

/// All conditions of a statement.
#[derive(Debug, Clone)]
pub(crate) enum ConditionsPlan {
    /// None.
    None,
    /// The row must be there.
    Exists,
    /// The row must not be there.
    NotExists,
    /// All of these must hold.
    All(Vec<ConditionPlan>),
}

/// The same with the values of a run.
#[derive(Debug, Clone)]
pub(crate) enum BoundConditions {
    /// None.
    None,
    /// The row must be there.
    Exists,
    /// The row must not be there.
    NotExists,
    /// All of these must hold.
    All(Vec<BoundCondition>),
}

/// One condition with the values of a run.
#[derive(Debug, Clone)]
pub(crate) struct BoundCondition {
    at: usize,
    target: BoundTarget,
    check: BoundCheck,
    cql: CqlType,
}

#[derive(Debug, Clone)]
enum BoundTarget {
    Whole,
    Element(Bytes),
    Field(usize),
}

#[derive(Debug, Clone)]
enum BoundCheck {
    Compare(Operator, Option<Bytes>),
    In(Vec<Option<Bytes>>),
}

impl ConditionsPlan {
    /// Understands an IF.
    pub(crate) fn prepare(
        conditions: &Conditions,
        table: &Table,
        preparing: &mut Preparing,
    ) -> Result<ConditionsPlan, CqlError> {
        if *conditions != Conditions::None && table.is_counter() {
            return Err(CqlError::invalid("Conditions on counters are not supported"));
        }
        Ok(match conditions {
            Conditions::None => ConditionsPlan::None,
            Conditions::Exists => ConditionsPlan::Exists,
            Conditions::NotExists => ConditionsPlan::NotExists,
            Conditions::All(all) => {
                let all = all.iter().map(|it| ConditionPlan::prepare(it, table, preparing));
                ConditionsPlan::All(all.collect::<Result<_, _>>()?)
            }
        })
    }

    /// Whether there are none.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, ConditionsPlan::None)
    }

    /// Places of the columns looked at.
    pub(crate) fn columns(&self) -> Vec<usize> {
        match self {
            ConditionsPlan::All(all) => all.iter().map(|condition| condition.at).collect(),
            _ => Vec::new(),
        }
    }

    /// With the values of a run.
    pub(crate) fn bind(
        &self,
        table: &Table,
        binding: &Binding<'_>,
    ) -> Result<BoundConditions, CqlError> {
        Ok(match self {
            ConditionsPlan::None => BoundConditions::None,
            ConditionsPlan::Exists => BoundConditions::Exists,
            ConditionsPlan::NotExists => BoundConditions::NotExists,
            ConditionsPlan::All(all) => BoundConditions::All(
                all.iter().map(|it| it.bind(table, binding)).collect::<Result<_, _>>()?,
            ),
        })
    }
}

impl ConditionPlan {
    fn prepare(
        condition: &Condition,
        table: &Table,
        preparing: &mut Preparing,
    ) -> Result<ConditionPlan, CqlError> {
        let column = table.column(&condition.column)?;
        let at = table.index_of(&condition.column).unwrap_or_default();
        let name = &condition.column;
        if column.kind.is_key() {
            return Err(CqlError::invalid(format!(
                "PRIMARY KEY column '{name}' cannot have IF conditions"
            )));
        }
        let whole = &column.column_type.cql;
        let (target, cql, called) = match &condition.target {
            ConditionTarget::Column => (Target::Whole, whole.clone(), name.clone()),
            ConditionTarget::Element(key) => {
                let (key_type, value) = match whole {
                    CqlType::Map(key, value) => ((**key).clone(), (**value).clone()),
                    CqlType::List(element) => (CqlType::Int, (**element).clone()),
                    _ => {
                        return Err(CqlError::invalid(format!(
                            "Invalid element access syntax for non-collection column {name}"
                        )));
                    }
                };
                let receiver = Receiver::new(format!("key({name})"), key_type);
                let key = TypedTerm::prepare(key, &receiver, preparing)?;
                (Target::Element(key), value, format!("value({name})"))
            }
            ConditionTarget::Field(field) => {
                let CqlType::Udt(udt) = whole else {
                    return Err(CqlError::invalid(format!(
                        "Invalid field access syntax for non-UDT column {name}"
                    )));
                };
                let place = udt.fields.iter().position(|(known, _)| known == field);
                let place = place.ok_or_else(|| {
                    CqlError::invalid(format!("Unknown field {field} for column {name}"))
                })?;
                (Target::Field(place), udt.fields[place].1.clone(), format!("{name}.{field}"))
            }
        };
        let receiver = Receiver::new(called, cql.clone());
        let check = match &condition.check {
            ConditionCheck::Compare(operator, term) => {
                Check::Compare(*operator, TypedTerm::prepare(term, &receiver, preparing)?)
            }
            ConditionCheck::In(values) => {
                Check::In(TypedIn::prepare(values, &receiver, preparing)?)
            }
        };
        Ok(ConditionPlan { at, target, check, cql })
    }

    fn bind(&self, _table: &Table, binding: &Binding<'_>) -> Result<BoundCondition, CqlError> {
        let target = match &self.target {
            Target::Whole => BoundTarget::Whole,
            Target::Field(at) => BoundTarget::Field(*at),
            Target::Element(key) => BoundTarget::Element(
                key.bytes(binding)?
                    .ok_or_else(|| CqlError::invalid("Invalid null value for element access"))?,
            ),
        };
        let check = match &self.check {
            Check::In(values) => BoundCheck::In(values.eval(binding)?),
            Check::Compare(operator, term) => {
                let value = term.bytes(binding)?;
                let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
                if value.is_none() && is_order {
                    return Err(CqlError::invalid(format!(
                        "Invalid comparison with null for operator \"{}\"",
                        operator.symbol()
                    )));
                }
                BoundCheck::Compare(*operator, value)
            }
        };
        Ok(BoundCondition { at: self.at, target, check, cql: self.cql.clone() })
    }
}

impl BoundConditions {
    /// Places of the columns looked at.
    pub(crate) fn columns(&self) -> Vec<usize> {
        match self {
            BoundConditions::All(all) => all.iter().map(|condition| condition.at).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether they hold for a row as it is; `exists` says whether it is there.
    pub(crate) fn hold(&self, table: &Table, row: &LiveRow, exists: bool) -> bool {
        match self {
            BoundConditions::None => true,
            BoundConditions::Exists => exists,
            BoundConditions::NotExists => !exists,
            BoundConditions::All(all) => all.iter().all(|condition| condition.holds(table, row)),
        }
    }
}

impl BoundCondition {
    fn holds(&self, table: &Table, row: &LiveRow) -> bool {
        let whole = column_value(table, self.at, row);
        let cql = &table.columns[self.at].column_type.cql;
        let value = match &self.target {
            BoundTarget::Whole => whole,
            BoundTarget::Element(key) => whole.and_then(|whole| element_of(cql, whole, key)),
            BoundTarget::Field(at) => whole.and_then(|whole| {
                let fields =
                    tidemill_cql_wire::value::collection::fields(whole, usize::from(u16::MAX));
                fields.ok()?.into_iter().nth(*at).flatten()
            }),
        };
        let is_equal = |wanted: &Option<Bytes>| match (&value, wanted) {
            (Some(value), Some(wanted)) => compare(&self.cql, value, wanted).is_eq(),
            // An empty collection is none.
            (None, Some(wanted)) => self.cql.is_collection() && wanted[..] == [0, 0, 0, 0],
            (value, None) => value.is_none(),
        };
        match &self.check {
            BoundCheck::In(wanted) => wanted.iter().any(is_equal),
            BoundCheck::Compare(Operator::Equal, wanted) => is_equal(wanted),
            BoundCheck::Compare(Operator::NotEqual, wanted) => !is_equal(wanted),
            BoundCheck::Compare(operator, wanted) => match (&value, wanted) {
                (Some(value), Some(wanted)) => operator.holds(compare(&self.cql, value, wanted)),
                _ => false,
            },
        }
    }
}
