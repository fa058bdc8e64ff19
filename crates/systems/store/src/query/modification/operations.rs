//! What happens to one column: checked once, bound for each run.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::value::collection;

use super::receiver;
use crate::cql::statements::delete::Deletable;
use crate::cql::statements::update::Operation;
use crate::error::CqlError;
use crate::query::context::{Binding, Preparing};
use crate::query::literal::Receiver;
use crate::query::term::TypedTerm;
use crate::schema::table::Column;

/// What happens to a column.
#[derive(Debug, Clone)]
pub(super) enum ColumnOperation {
    /// It gets this value.
    Set(TypedTerm),
    /// An element of a map or list gets this value.
    SetElement(TypedTerm, TypedTerm),
    /// A field gets this value.
    SetField(u16, TypedTerm),
    /// A list gets these at its end; a set or map gets these.
    Append(TypedTerm),
    /// A list gets these at its start.
    Prepend(TypedTerm),
    /// A list, set or map loses these.
    Discard(TypedTerm),
    /// A counter grows; shrinks if negative.
    Count(TypedTerm, bool),
    /// It loses its value.
    Delete,
    /// It loses an element.
    DeleteElement(TypedTerm),
    /// It loses a field.
    DeleteField(u16),
}

/// The same with the values of a run.
#[derive(Debug, Clone)]
pub(crate) enum BoundOperation {
    /// It gets this value, or none.
    Set(Option<Bytes>),
    /// The part with this key or place gets this value, or none.
    SetElement(Bytes, Option<Bytes>),
    /// The field gets this value, or none.
    SetField(u16, Option<Bytes>),
    /// These are added.
    Append(Bytes),
    /// These are put first.
    Prepend(Bytes),
    /// These are taken away.
    Discard(Bytes),
    /// This is added.
    Count(i64),
    /// It loses its value.
    Delete,
    /// It loses the part with this key or place.
    DeleteElement(Bytes),
    /// It loses the field.
    DeleteField(u16),
}

pub(super) fn column_operation(
    column: &Column,
    operation: &Operation,
    preparing: &mut Preparing,
) -> Result<ColumnOperation, CqlError> {
    let whole = receiver(column);
    let cql = &column.column_type.cql;
    if *cql == CqlType::Counter {
        let (term, grows) = match operation {
            Operation::Add(term) | Operation::Prepend(term) => (term, true),
            Operation::Subtract(term) => (term, false),
            _ => {
                return Err(CqlError::invalid(format!(
                    "Cannot set the value of counter column {} (counters can only be \
                     incremented/decremented, not set)",
                    column.name
                )));
            }
        };
        return Ok(ColumnOperation::Count(TypedTerm::prepare(term, &whole, preparing)?, grows));
    }
    let needs_multi_cell = |what: &str| {
        if column.column_type.is_multi_cell() {
            return Ok(());
        }
        Err(CqlError::invalid(format!(
            "Invalid operation ({what}) for {} column {}",
            match cql {
                cql if cql.is_collection() => "frozen collection",
                _ if what.contains(" + ") || what.contains(" - ") => "non counter",
                _ => "non collection",
            },
            column.name
        )))
    };
    match operation {
        Operation::Set(term) => {
            Ok(ColumnOperation::Set(TypedTerm::prepare(term, &whole, preparing)?))
        }
        Operation::SetElement(key, value) => {
            needs_multi_cell(&format!("{}[{}] = {}", column.name, key.text(), value.text()))?;
            let (key_type, value_type) = element_types(column)?;
            let name = &column.name;
            let key_receiver = match cql {
                CqlType::List(_) => Receiver::new(format!("idx({name})"), key_type),
                _ => Receiver::new(format!("key({name})"), key_type),
            };
            let key = TypedTerm::prepare(key, &key_receiver, preparing)?;
            let value_receiver = Receiver::new(format!("value({name})"), value_type);
            let value = TypedTerm::prepare(value, &value_receiver, preparing)?;
            Ok(ColumnOperation::SetElement(key, value))
        }
        Operation::SetField(field, value) => {
            let (at, cql) = field_of(column, field, &value.text())?;
            let receiver = Receiver::new(format!("{}.{field}", column.name), cql);
            Ok(ColumnOperation::SetField(at, TypedTerm::prepare(value, &receiver, preparing)?))
        }
        Operation::Add(term) => {
            needs_multi_cell(&format!("{0} = {0} + {1}", column.name, term.text()))?;
            Ok(ColumnOperation::Append(TypedTerm::prepare(term, &whole, preparing)?))
        }
        Operation::Prepend(term) => {
            needs_multi_cell(&format!("{0} = {1} - {0}", column.name, term.text()))?;
            let term = TypedTerm::prepare(term, &whole, preparing)?;
            // Only a list has a start.
            Ok(match cql {
                CqlType::List(_) => ColumnOperation::Prepend(term),
                _ => ColumnOperation::Append(term),
            })
        }
        Operation::Subtract(term) => {
            needs_multi_cell(&format!("{0} = {0} - {1}", column.name, term.text()))?;
            // Keys are enough to take entries out of a map.
            let cql = match cql {
                CqlType::Map(key, _) => CqlType::Set(key.clone()),
                other => other.clone(),
            };
            let receiver = Receiver::new(column.name.clone(), cql);
            Ok(ColumnOperation::Discard(TypedTerm::prepare(term, &receiver, preparing)?))
        }
    }
}

/// What stands in an element's brackets, and behind its equals sign.
fn element_types(column: &Column) -> Result<(CqlType, CqlType), CqlError> {
    match &column.column_type.cql {
        CqlType::List(element) => Ok((CqlType::Int, (**element).clone())),
        CqlType::Map(key, value) => Ok(((**key).clone(), (**value).clone())),
        CqlType::Set(element) => Ok(((**element).clone(), (**element).clone())),
        _ => Err(CqlError::invalid(format!(
            "Invalid element operation for non collection column {}",
            column.name
        ))),
    }
}

fn field_of(column: &Column, field: &str, value: &str) -> Result<(u16, CqlType), CqlError> {
    let CqlType::Udt(udt) = &column.column_type.cql else {
        return Err(CqlError::invalid(format!(
            "Invalid operation ({}.{field} = {value}) for non-UDT column {}",
            column.name, column.name
        )));
    };
    if !column.column_type.is_multi_cell() {
        return Err(CqlError::invalid(format!(
            "Invalid operation ({}.{field} = {value}) for frozen UDT column {}",
            column.name, column.name
        )));
    }
    let at = udt.fields.iter().position(|(name, _)| name == field).ok_or_else(|| {
        CqlError::invalid(format!("UDT column {} does not have a field named {field}", column.name))
    })?;
    Ok((u16::try_from(at).unwrap_or(u16::MAX), udt.fields[at].1.clone()))
}

pub(super) fn deletion(
    column: &Column,
    part: &Deletable,
    preparing: &mut Preparing,
) -> Result<ColumnOperation, CqlError> {
    match part {
        Deletable::Column(_) => Ok(ColumnOperation::Delete),
        Deletable::Field(_, field) => {
            Ok(ColumnOperation::DeleteField(field_of(column, field, "?")?.0))
        }
        Deletable::Element(name, key) => {
            if !column.column_type.is_multi_cell() {
                let kind = if column.column_type.cql.is_collection() { "frozen" } else { "non" };
                return Err(CqlError::invalid(format!(
                    "Invalid deletion operation for {kind} collection column {name}"
                )));
            }
            let (key_type, _) = element_types(column)?;
            let receiver = Receiver::new(format!("key({name})"), key_type);
            Ok(ColumnOperation::DeleteElement(TypedTerm::prepare(key, &receiver, preparing)?))
        }
    }
}

impl ColumnOperation {
    /// With the values of a run; `None` if an unset value leaves the column as it is.
    pub(super) fn bind(
        &self,
        column: &Column,
        binding: &Binding<'_>,
    ) -> Result<Option<BoundOperation>, CqlError> {
        let key = |term: &TypedTerm| {
            term.bytes(binding)?.ok_or_else(|| match &column.column_type.cql {
                CqlType::List(_) => CqlError::invalid("Invalid null value for list index"),
                _ => CqlError::invalid("Invalid null map key"),
            })
        };
        let optional = |term: &TypedTerm, make: fn(Option<Bytes>) -> BoundOperation| {
            Ok::<_, CqlError>(match term.eval(binding)? {
                Value::Set(bytes) => Some(make(Some(bytes))),
                Value::Null => Some(make(None)),
                Value::Unset => None,
            })
        };
        let present = |term: &TypedTerm, make: fn(Bytes) -> BoundOperation| {
            Ok::<_, CqlError>(term.bytes(binding)?.map(make))
        };
        match self {
            ColumnOperation::Set(term) => optional(term, BoundOperation::Set),
            ColumnOperation::SetElement(at, term) => {
                let at = key(at)?;
                Ok(match term.eval(binding)? {
                    Value::Set(bytes) => Some(BoundOperation::SetElement(at, Some(bytes))),
                    Value::Null => Some(BoundOperation::SetElement(at, None)),
                    Value::Unset => None,
                })
            }
            ColumnOperation::SetField(at, term) => Ok(match term.eval(binding)? {
                Value::Set(bytes) => Some(BoundOperation::SetField(*at, Some(bytes))),
                Value::Null => Some(BoundOperation::SetField(*at, None)),
                Value::Unset => None,
            }),
            ColumnOperation::Append(term) => present(term, BoundOperation::Append),
            ColumnOperation::Prepend(term) => present(term, BoundOperation::Prepend),
            ColumnOperation::Discard(term) => present(term, BoundOperation::Discard),
            ColumnOperation::Count(term, grows) => match term.eval(binding)? {
                Value::Set(bytes) => {
                    let number = bytes[..].try_into().map(i64::from_be_bytes).unwrap_or(0);
                    let number = if *grows { number } else { number.wrapping_neg() };
                    Ok(Some(BoundOperation::Count(number)))
                }
                Value::Null => Err(CqlError::invalid("Invalid null value for counter increment")),
                Value::Unset => Ok(None),
            },
            ColumnOperation::Delete => Ok(Some(BoundOperation::Delete)),
            ColumnOperation::DeleteElement(at) => Ok(Some(BoundOperation::DeleteElement(key(at)?))),
            ColumnOperation::DeleteField(at) => Ok(Some(BoundOperation::DeleteField(*at))),
        }
    }
}

/// The elements of a bound collection.
pub(crate) fn elements(bytes: Bytes) -> Result<Vec<Bytes>, CqlError> {
    collection::elements(bytes).map_err(|error| CqlError::invalid(error.to_string()))
}
