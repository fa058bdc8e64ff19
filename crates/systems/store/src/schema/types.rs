//! Types of columns: what the wire calls a type, and whether it is frozen.

use std::sync::Arc;

use tidemill_cql_wire::{CqlType, UdtType};

use super::keyspace::Keyspace;
use crate::cql::keywords::quoted;
use crate::cql::types::RawType;
use crate::error::CqlError;

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    /// The type.
    pub(crate) cql: CqlType,
    /// A collection or user-defined type that is one value, not many cells.
    pub(crate) is_frozen: bool,
}

impl ColumnType {
    /// A type that is one value.
    pub(crate) fn frozen(cql: CqlType) -> ColumnType {
        ColumnType { cql, is_frozen: true }
    }

    /// Whether its parts are cells of their own.
    pub(crate) fn is_multi_cell(&self) -> bool {
        !self.is_frozen && (self.cql.is_collection() || matches!(self.cql, CqlType::Udt(_)))
    }

    /// As the schema tables and DESCRIBE write it.
    pub(crate) fn text(&self) -> String {
        type_text(&self.cql, self.is_frozen)
    }
}

/// A type as the schema tables write it: what is frozen says so.
pub(crate) fn type_text(cql: &CqlType, is_frozen: bool) -> String {
    let inner = |cql: &CqlType| type_text(cql, true);
    let plain = match cql {
        CqlType::List(element) => format!("list<{}>", inner(element)),
        CqlType::Set(element) => format!("set<{}>", inner(element)),
        CqlType::Map(key, value) => format!("map<{}, {}>", inner(key), inner(value)),
        CqlType::Udt(udt) => quoted(&udt.name),
        CqlType::Vector(element, dimension) => {
            return format!("vector<{}, {dimension}>", inner(element));
        }
        CqlType::Tuple(fields) => {
            let fields: Vec<_> = fields.iter().map(inner).collect();
            return format!("frozen<tuple<{}>>", fields.join(", "));
        }
        native => return native.to_string(),
    };
    if is_frozen { format!("frozen<{plain}>") } else { plain }
}

/// A type as errors write it: only its own words.
pub(crate) fn plain_text(cql: &CqlType) -> String {
    cql.to_string()
}

/// The type a statement's words mean in a keyspace.
pub(crate) fn resolve(raw: &RawType, keyspace: &Keyspace) -> Result<ColumnType, CqlError> {
    let resolved = resolve_inner(raw, keyspace, false)?;
    if let CqlType::Udt(udt) = &resolved.cql
        && resolved.is_multi_cell()
        && let Some(known) = keyspace.types.get(&udt.name)
        && known.fields.iter().any(ColumnType::is_multi_cell)
    {
        return Err(CqlError::invalid(
            "Non-frozen UDTs with nested non-frozen collections are not supported",
        ));
    }
    Ok(resolved)
}

/// The type of a field: not frozen as such, it becomes frozen with the type it is in.
pub(crate) fn resolve_field(raw: &RawType, keyspace: &Keyspace) -> Result<ColumnType, CqlError> {
    resolve_inner(raw, keyspace, false)
}

fn resolve_inner(
    raw: &RawType,
    keyspace: &Keyspace,
    in_frozen: bool,
) -> Result<ColumnType, CqlError> {
    let found = |cql| Ok(ColumnType { cql, is_frozen: in_frozen });
    match raw {
        RawType::Named(name) => {
            if name.keyspace.is_none()
                && let Some(native) = CqlType::native_named(&name.name)
            {
                return found(native);
            }
            if let Some(other) = name.keyspace.as_ref().filter(|other| **other != keyspace.name) {
                return Err(CqlError::invalid(format!(
                    "Statement on keyspace {} cannot refer to a user type in keyspace {other}; user \
                     types can only be used in the keyspace they are defined in",
                    keyspace.name
                )));
            }
            match keyspace.types.get(&name.name) {
                Some(known) => found(CqlType::Udt(known.udt.clone())),
                None => {
                    Err(CqlError::invalid(format!("Unknown type {}.{}", keyspace.name, name.name)))
                }
            }
        }
        RawType::Frozen(inner) => {
            let resolved = resolve_inner(inner, keyspace, true)?;
            let can_freeze = resolved.cql.is_collection()
                || matches!(
                    resolved.cql,
                    CqlType::Tuple(_) | CqlType::Udt(_) | CqlType::Vector(..)
                );
            if can_freeze {
                return Ok(resolved);
            }
            Err(CqlError::syntax(format!(
                "frozen<> is only allowed on collections, tuples, and user-defined types (got {inner})"
            )))
        }
        RawType::List(element) => {
            found(CqlType::List(Box::new(element_of(raw, element, keyspace, in_frozen)?)))
        }
        RawType::Set(element) => {
            found(CqlType::Set(Box::new(element_of(raw, element, keyspace, in_frozen)?)))
        }
        RawType::Map(key, value) => found(CqlType::Map(
            Box::new(element_of(raw, key, keyspace, in_frozen)?),
            Box::new(element_of(raw, value, keyspace, in_frozen)?),
        )),
        RawType::Vector(element, dimension) => {
            if *dimension == 0 {
                return Err(CqlError::invalid(
                    "vectors may only have positive dimensions; given 0",
                ));
            }
            let element = resolve_inner(element, keyspace, true)?.cql;
            Ok(ColumnType::frozen(CqlType::Vector(Box::new(element), *dimension)))
        }
        RawType::Tuple(fields) => {
            let fields = fields
                .iter()
                .map(|field| resolve_inner(field, keyspace, true).map(|resolved| resolved.cql));
            Ok(ColumnType::frozen(CqlType::Tuple(fields.collect::<Result<_, _>>()?)))
        }
        RawType::Class(class) => found(CqlType::from_class_name(class)),
    }
}

/// An element's type: inside a collection only what is one value has a place.
fn element_of(
    whole: &RawType,
    element: &RawType,
    keyspace: &Keyspace,
    in_frozen: bool,
) -> Result<CqlType, CqlError> {
    let resolved = resolve_inner(element, keyspace, in_frozen)?;
    if resolved.cql == CqlType::Counter {
        return Err(CqlError::invalid(format!(
            "Counters are not allowed inside collections: {whole}"
        )));
    }
    if resolved.is_multi_cell() {
        let what = if matches!(resolved.cql, CqlType::Udt(_)) { "UDTs" } else { "collections" };
        return Err(CqlError::invalid(format!(
            "Non-frozen {what} are not allowed inside collections: {whole}"
        )));
    }
    Ok(resolved.cql)
}

/// Whether a type contains a user-defined type of this name.
pub(crate) fn mentions(cql: &CqlType, name: &str) -> bool {
    match cql {
        CqlType::Udt(udt) => {
            udt.name == name || udt.fields.iter().any(|(_, field)| mentions(field, name))
        }
        CqlType::List(inner) | CqlType::Set(inner) | CqlType::Vector(inner, _) => {
            mentions(inner, name)
        }
        CqlType::Map(key, value) => mentions(key, name) || mentions(value, name),
        CqlType::Tuple(fields) => fields.iter().any(|field| mentions(field, name)),
        _ => false,
    }
}

/// The same type where a user-defined type has other fields now.
pub(crate) fn replace(cql: &CqlType, udt: &Arc<UdtType>) -> CqlType {
    let boxed = |inner: &CqlType| Box::new(replace(inner, udt));
    match cql {
        CqlType::Udt(known) if known.name == udt.name => CqlType::Udt(udt.clone()),
        CqlType::Udt(known) => {
            let fields = known.fields.iter();
            let fields = fields.map(|(name, field)| (name.clone(), replace(field, udt)));
            let (keyspace, name) = (known.keyspace.clone(), known.name.clone());
            CqlType::Udt(Arc::new(UdtType { keyspace, name, fields: fields.collect() }))
        }
        CqlType::List(inner) => CqlType::List(boxed(inner)),
        CqlType::Set(inner) => CqlType::Set(boxed(inner)),
        CqlType::Vector(inner, dimension) => CqlType::Vector(boxed(inner), *dimension),
        CqlType::Map(key, value) => CqlType::Map(boxed(key), boxed(value)),
        CqlType::Tuple(fields) => {
            CqlType::Tuple(fields.iter().map(|field| replace(field, udt)).collect())
        }
        other => other.clone(),
    }
}
