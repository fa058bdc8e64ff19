//! Terms with a type: checked once, evaluated with the values of each run.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::value::{collection, validate};
use tidemill_cql_wire::{CqlType, UdtType};

use super::context::{Binding, Preparing};
use super::functions::{self, Function, arithmetic};
use super::literal::{self, Receiver};
use crate::cql::statements::relation::InValues;
use crate::cql::term::Term;
use crate::error::CqlError;
use crate::schema::types::{plain_text, type_text};
use crate::storage::byte_comparable::compare;

/// The longest element of a collection: 64 MiB, well below a frame.
const ELEMENT_BYTES_MAX: usize = 64 << 20;

/// A term whose type is known.
#[derive(Debug, Clone)]
pub(crate) enum TypedTerm {
    /// The same in every run.
    Constant(Value),
    /// A marker.
    Marker(usize, Receiver),
    /// A list.
    List(Vec<TypedTerm>),
    /// A set of this element type.
    Set(CqlType, Vec<TypedTerm>),
    /// A map of this key type.
    Map(CqlType, Vec<(TypedTerm, TypedTerm)>),
    /// A tuple or user-defined type.
    Fields(Vec<TypedTerm>),
    /// A vector of this element type.
    Vector(CqlType, Vec<TypedTerm>),
    /// A call.
    Call(Arc<Function>, Vec<TypedTerm>),
    /// Two numbers.
    Arithmetic(char, CqlType, Box<TypedTerm>, Box<TypedTerm>),
}

impl TypedTerm {
    /// Checks a term against what it is for.
    pub(crate) fn prepare(
        term: &Term,
        receiver: &Receiver,
        preparing: &mut Preparing,
    ) -> Result<TypedTerm, CqlError> {
        match term {
            Term::Null => Ok(TypedTerm::Constant(Value::Null)),
            Term::Constant(kind, text) => {
                let bytes = literal::constant(*kind, text, receiver)?;
                Ok(TypedTerm::Constant(Value::Set(bytes)))
            }
            Term::Marker(index, _) => {
                preparing.describe_marker(*index, &receiver.name, &receiver.cql);
                Ok(TypedTerm::Marker(*index, receiver.clone()))
            }
            Term::List(items) => list(items, receiver, preparing),
            Term::Set(items) => set(items, receiver, preparing),
            Term::Map(pairs) => map(pairs, receiver, preparing),
            Term::Tuple(items) => tuple(items, receiver, preparing),
            Term::Function(name, arguments) => {
                functions::prepare_call(name, arguments, receiver, preparing)
            }
            Term::Cast(raw, inner) => {
                let to = preparing.resolve_type(raw)?.cql;
                if !is_assignable(&to, &receiver.cql) {
                    return Err(CqlError::invalid(format!(
                        "Cannot assign value {} to {} of type {}",
                        term.text(),
                        receiver.name,
                        plain_text(&receiver.cql)
                    )));
                }
                TypedTerm::prepare(inner, &Receiver::new(receiver.name.clone(), to), preparing)
            }
            Term::Arithmetic(symbol, left, right) => {
                let side = |term: &Term, preparing: &mut Preparing| {
                    TypedTerm::prepare(term, receiver, preparing).map(Box::new)
                };
                arithmetic::check(*symbol, &receiver.cql)?;
                let saved = preparing.save();
                let both = side(left, preparing).and_then(|a| Ok((a, side(right, preparing)?)));
                let (left, right) = both.map_err(|_| {
                    preparing.restore(saved);
                    CqlError::invalid(format!(
                        "the '{symbol}' operation is not supported between {} and {}",
                        left.text(),
                        right.text()
                    ))
                })?;
                Ok(TypedTerm::Arithmetic(*symbol, receiver.cql.clone(), left, right))
            }
            Term::Negative(inner) => {
                arithmetic::check('-', &receiver.cql)?;
                let zero = literal::parse(&receiver.cql, "0").map_err(CqlError::invalid)?;
                let zero = Box::new(TypedTerm::Constant(Value::Set(zero)));
                let inner = Box::new(TypedTerm::prepare(inner, receiver, preparing)?);
                Ok(TypedTerm::Arithmetic('-', receiver.cql.clone(), zero, inner))
            }
            Term::Name(name) => Err(CqlError::invalid(format!(
                "Invalid value {name} for \"{}\" of type {}",
                receiver.name,
                plain_text(&receiver.cql)
            ))),
        }
    }

    /// Its value in a run.
    pub(crate) fn eval(&self, binding: &Binding<'_>) -> Result<Value, CqlError> {
        Ok(match self {
            TypedTerm::Constant(value) => value.clone(),
            TypedTerm::Marker(index, receiver) => {
                let value = binding.value(*index)?;
                if let Value::Set(bytes) = &value {
                    validate(&receiver.cql, bytes)
                        .map_err(|error| CqlError::invalid(error.to_string()))?;
                }
                value
            }
            TypedTerm::List(items) => {
                Value::Set(collection::from_elements(&elements(items, binding)?))
            }
            TypedTerm::Set(element, items) => {
                let mut items = elements(items, binding)?;
                items.sort_by(|a, b| compare(element, a, b));
                items.dedup_by(|a, b| compare(element, a, b).is_eq());
                Value::Set(collection::from_elements(&items))
            }
            TypedTerm::Map(key, pairs) => Value::Set(map_bytes(key, pairs, binding)?),
            TypedTerm::Fields(fields) => {
                let fields = fields.iter().map(|field| match field.eval(binding)? {
                    Value::Set(bytes) => Ok(Some(bytes)),
                    Value::Null | Value::Unset => Ok(None),
                });
                let fields = fields.collect::<Result<Vec<_>, CqlError>>()?;
                Value::Set(collection::from_fields(&fields))
            }
            TypedTerm::Vector(element, items) => {
                let items = elements(items, binding)?;
                Value::Set(collection::from_vector_elements(&items, element))
            }
            TypedTerm::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| argument.bytes(binding));
                let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
                match function.call(&arguments, binding)? {
                    Some(bytes) => Value::Set(bytes),
                    None => Value::Null,
                }
            }
            TypedTerm::Arithmetic(symbol, cql, left, right) => {
                match (left.bytes(binding)?, right.bytes(binding)?) {
                    (Some(a), Some(b)) => Value::Set(arithmetic::apply(*symbol, cql, &a, &b)?),
                    _ => Value::Null,
                }
            }
        })
    }

    /// Its bytes; an unset value counts as none.
    pub(crate) fn bytes(&self, binding: &Binding<'_>) -> Result<Option<Bytes>, CqlError> {
        match self.eval(binding)? {
            Value::Set(bytes) => Ok(Some(bytes)),
            Value::Null | Value::Unset => Ok(None),
        }
    }

    /// The number of the marker, if it is nothing but one.
    pub(crate) fn marker(&self) -> Option<usize> {
        match self {
            TypedTerm::Marker(index, _) => Some(*index),
            _ => None,
        }
    }
}

/// Whether a value of one type is one of another.
pub(crate) fn is_assignable(from: &CqlType, to: &CqlType) -> bool {
    from == to
        || matches!(
            (from, to),
            (CqlType::Ascii, CqlType::Text)
                | (CqlType::Timeuuid, CqlType::Uuid)
                | (CqlType::Bigint, CqlType::Counter | CqlType::Timestamp)
                | (CqlType::Counter, CqlType::Bigint)
        )
}

fn wrong(kind: &str, receiver: &Receiver) -> CqlError {
    CqlError::invalid(format!(
        "Invalid {kind} literal for {} of type {}",
        receiver.name,
        plain_text(&receiver.cql)
    ))
}

/// An element of a collection, with the collection's own words if it does not fit.
fn element(
    kind: &str,
    item: &Term,
    receiver: &Receiver,
    part: Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    if *item == Term::Null {
        return Err(CqlError::invalid("null is not supported inside collections"));
    }
    let saved = preparing.save();
    TypedTerm::prepare(item, &part, preparing).map_err(|error| {
        preparing.restore(saved);
        part_error(item, &part.cql, error, || {
            format!(
                "Invalid {kind} literal for {}: value {} is not of type {}",
                receiver.name,
                item.text(),
                plain_text(&part.cql)
            )
        })
    })
}

/// The error of a part: what is right in looks and wrong in content speaks for itself.
fn part_error(
    item: &Term,
    cql: &CqlType,
    error: CqlError,
    text: impl FnOnce() -> String,
) -> CqlError {
    match item {
        Term::Constant(kind, _) if literal::takes(cql, *kind) => error,
        _ => CqlError::invalid(text()),
    }
}

fn list(
    items: &[Term],
    receiver: &Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    let (cql, is_vector) = match &receiver.cql {
        CqlType::List(element) => (element, false),
        CqlType::Vector(element, dimension) => {
            if usize::from(*dimension) != items.len() {
                return Err(CqlError::invalid(format!(
                    "Invalid vector literal for {} of type {}; expected {dimension} elements, but \
                     given {}",
                    receiver.name,
                    plain_text(&receiver.cql),
                    items.len()
                )));
            }
            (element, true)
        }
        other => {
            return Err(CqlError::invalid(format!(
                "Unexpected receiver type '{}'; only list and vector are expected",
                plain_text(other)
            )));
        }
    };
    let kind = if is_vector { "vector" } else { "list" };
    let part = Receiver::new(format!("value({})", receiver.name), (**cql).clone());
    let items = items.iter().map(|item| element(kind, item, receiver, part.clone(), preparing));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    Ok(if is_vector { TypedTerm::Vector((**cql).clone(), items) } else { TypedTerm::List(items) })
}

fn set(
    items: &[Term],
    receiver: &Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    match &receiver.cql {
        // Empty braces may be an empty map or a user-defined type without values.
        CqlType::Map(key, _) if items.is_empty() => Ok(TypedTerm::Map((**key).clone(), Vec::new())),
        CqlType::Udt(_) if items.is_empty() => map(&[], receiver, preparing),
        CqlType::Set(cql) => {
            let part = Receiver::new(format!("value({})", receiver.name), (**cql).clone());
            let items =
                items.iter().map(|item| element("set", item, receiver, part.clone(), preparing));
            Ok(TypedTerm::Set((**cql).clone(), items.collect::<Result<_, _>>()?))
        }
        _ => Err(wrong("set", receiver)),
    }
}

fn map(
    pairs: &[(Term, Term)],
    receiver: &Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    match &receiver.cql {
        CqlType::Map(key, value) => {
            let name = &receiver.name;
            let key_part = Receiver::new(format!("key({name})"), (**key).clone());
            let value_part = Receiver::new(format!("value({name})"), (**value).clone());
            let mut typed = Vec::with_capacity(pairs.len());
            for (k, v) in pairs {
                let k = element("map", k, receiver, key_part.clone(), preparing)?;
                typed.push((k, element("map", v, receiver, value_part.clone(), preparing)?));
            }
            Ok(TypedTerm::Map((**key).clone(), typed))
        }
        CqlType::Udt(udt) => user_type(udt, pairs, receiver, preparing),
        _ => Err(wrong("map", receiver)),
    }
}

fn user_type(
    udt: &Arc<UdtType>,
    pairs: &[(Term, Term)],
    receiver: &Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    let mut fields = vec![TypedTerm::Constant(Value::Null); udt.fields.len()];
    for (name, value) in pairs {
        let Term::Name(name) = name else { return Err(wrong("user type", receiver)) };
        let Some(at) = udt.fields.iter().position(|(field, _)| field == name) else {
            return Err(CqlError::invalid(format!(
                "Unknown field '{name}' in value of user defined type {}",
                udt.name
            )));
        };
        let part = Receiver::new(format!("{}.{name}", receiver.name), udt.fields[at].1.clone());
        let saved = preparing.save();
        fields[at] = TypedTerm::prepare(value, &part, preparing).map_err(|error| {
            preparing.restore(saved);
            part_error(value, &part.cql, error, || {
                format!(
                    "Invalid user type literal for {}: field {name} is not of type {}",
                    receiver.name,
                    plain_text(&part.cql)
                )
            })
        })?;
    }
    Ok(TypedTerm::Fields(fields))
}

fn tuple(
    items: &[Term],
    receiver: &Receiver,
    preparing: &mut Preparing,
) -> Result<TypedTerm, CqlError> {
    let CqlType::Tuple(types) = &receiver.cql else {
        // A parenthesis around one term is only that.
        return match items {
            [only] => TypedTerm::prepare(only, receiver, preparing),
            _ => Err(wrong("tuple", receiver)),
        };
    };
    if items.len() > types.len() {
        return Err(CqlError::invalid(format!(
            "Invalid tuple literal for {}: too many elements. Type {} expects {} but got {}",
            receiver.name,
            type_text(&receiver.cql, true),
            types.len(),
            items.len()
        )));
    }
    let mut fields = Vec::with_capacity(items.len());
    for (at, (item, cql)) in items.iter().zip(types).enumerate() {
        let part = Receiver::new(format!("{}[{at}]", receiver.name), cql.clone());
        let saved = preparing.save();
        let field = TypedTerm::prepare(item, &part, preparing).map_err(|error| {
            preparing.restore(saved);
            part_error(item, cql, error, || {
                format!(
                    "Invalid tuple literal for {}: component {at} is not of type {}",
                    receiver.name,
                    plain_text(cql)
                )
            })
        })?;
        fields.push(field);
    }
    Ok(TypedTerm::Fields(fields))
}

fn elements(items: &[TypedTerm], binding: &Binding<'_>) -> Result<Vec<Bytes>, CqlError> {
    items.iter().map(|item| element_bytes(item, binding)).collect()
}

fn element_bytes(item: &TypedTerm, binding: &Binding<'_>) -> Result<Bytes, CqlError> {
    match item.eval(binding)? {
        Value::Set(bytes) if bytes.len() > ELEMENT_BYTES_MAX => {
            Err(CqlError::invalid("Collection value is too long"))
        }
        Value::Set(bytes) => Ok(bytes),
        Value::Null => Err(CqlError::invalid("null is not supported inside collections")),
        Value::Unset => Err(CqlError::invalid("unset value is not supported inside collections")),
    }
}

fn map_bytes(
    key: &CqlType,
    pairs: &[(TypedTerm, TypedTerm)],
    binding: &Binding<'_>,
) -> Result<Bytes, CqlError> {
    // Of two values for one key the last one stays: it comes first here, and the sort is stable.
    let mut bytes: Vec<(Bytes, Bytes)> = Vec::with_capacity(pairs.len());
    for (k, v) in pairs.iter().rev() {
        bytes.push((element_bytes(k, binding)?, element_bytes(v, binding)?));
    }
    bytes.sort_by(|a, b| compare(key, &a.0, &b.0));
    bytes.dedup_by(|a, b| compare(key, &a.0, &b.0).is_eq());
    Ok(collection::from_pairs(&bytes))
}

/// What follows IN.
#[derive(Debug, Clone)]
pub(crate) enum TypedIn {
    /// Terms one by one.
    Terms(Vec<TypedTerm>),
    /// One list of all values.
    List(TypedTerm),
}

impl TypedIn {
    /// Checks the values against what they are for.
    pub(crate) fn prepare(
        values: &InValues,
        receiver: &Receiver,
        preparing: &mut Preparing,
    ) -> Result<TypedIn, CqlError> {
        match values {
            InValues::Terms(terms) => {
                let terms = terms.iter().map(|it| TypedTerm::prepare(it, receiver, preparing));
                Ok(TypedIn::Terms(terms.collect::<Result<_, _>>()?))
            }
            InValues::Marker(marker) => {
                let list = CqlType::List(Box::new(receiver.cql.clone()));
                let receiver = Receiver::new(format!("in({})", receiver.name), list);
                TypedTerm::prepare(marker, &receiver, preparing).map(TypedIn::List)
            }
        }
    }

    /// The values in a run, in the order given. Null and unset values are `None`.
    pub(crate) fn eval(&self, binding: &Binding<'_>) -> Result<Vec<Option<Bytes>>, CqlError> {
        match self {
            TypedIn::Terms(terms) => terms.iter().map(|term| term.bytes(binding)).collect(),
            TypedIn::List(term) => match term.eval(binding)? {
                Value::Set(list) => {
                    let items = collection::elements(list)
                        .map_err(|error| CqlError::invalid(error.to_string()))?;
                    Ok(items.into_iter().map(Some).collect())
                }
                Value::Null => Err(CqlError::invalid("Invalid null value for IN restriction")),
                Value::Unset => Err(CqlError::invalid("Invalid unset value for IN restriction")),
            },
        }
    }
}
