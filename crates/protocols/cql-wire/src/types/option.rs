//! `[option]`: a number, and what belongs to it.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};

use super::{CqlType, NATIVES, TYPE_DEPTH_MAX, UdtType};
use crate::{Reader, Version, WireError, WireWrite};

const CUSTOM: u16 = 0x00;
const LIST: u16 = 0x20;
const MAP: u16 = 0x21;
const SET: u16 = 0x22;
const UDT: u16 = 0x30;
const TUPLE: u16 = 0x31;

/// Reads a type description.
pub(crate) fn read_type(reader: &mut Reader) -> Result<CqlType, WireError> {
    read(reader, 0)
}

fn read(reader: &mut Reader, depth: usize) -> Result<CqlType, WireError> {
    if depth > TYPE_DEPTH_MAX {
        return Err(WireError::invalid("type, nested deeper than", TYPE_DEPTH_MAX));
    }
    let id = reader.short()?;
    let inner = |reader: &mut Reader| read(reader, depth + 1);
    Ok(match id {
        CUSTOM => CqlType::from_class_name(&reader.string()?),
        LIST => CqlType::List(Box::new(inner(reader)?)),
        SET => CqlType::Set(Box::new(inner(reader)?)),
        MAP => CqlType::Map(Box::new(inner(reader)?), Box::new(inner(reader)?)),
        UDT => {
            let (keyspace, name) = (reader.string()?, reader.string()?);
            let count = reader.short()?;
            let fields = (0..count)
                .map(|_| Ok((reader.string()?, inner(reader)?)))
                .collect::<Result<_, WireError>>()?;
            CqlType::Udt(Arc::new(UdtType { keyspace, name, fields }))
        }
        TUPLE => {
            let count = reader.short()?;
            CqlType::Tuple((0..count).map(|_| inner(reader)).collect::<Result<_, _>>()?)
        }
        id => match NATIVES.iter().find(|native| native.1 == id) {
            Some(native) => native.0.clone(),
            None => return Err(WireError::unknown("Type", id)),
        },
    })
}

/// Writes a type description as a client of `version` reads it: what its version has no number for
/// goes by class name.
pub(crate) fn write_type(cql_type: &CqlType, version: Version, out: &mut BytesMut) {
    match cql_type {
        CqlType::List(element) => write_with(LIST, [&**element], version, out),
        CqlType::Set(element) => write_with(SET, [&**element], version, out),
        CqlType::Map(key, value) => write_with(MAP, [&**key, &**value], version, out),
        CqlType::Tuple(fields) => {
            out.put_u16(TUPLE);
            out.put_count(fields.len());
            for field in fields {
                write_type(field, version, out);
            }
        }
        CqlType::Udt(udt) => {
            out.put_u16(UDT);
            out.put_string(&udt.keyspace);
            out.put_string(&udt.name);
            out.put_count(udt.fields.len());
            for (name, field) in &udt.fields {
                out.put_string(name);
                write_type(field, version, out);
            }
        }
        CqlType::Vector(..) | CqlType::Custom(_) => write_class(cql_type, out),
        native if first_version(native) > version => write_class(native, out),
        native => out.put_u16(native.native().map_or(CUSTOM, |native| native.1)),
    }
}

fn write_with<const N: usize>(id: u16, inner: [&CqlType; N], version: Version, out: &mut BytesMut) {
    out.put_u16(id);
    for cql_type in inner {
        write_type(cql_type, version, out);
    }
}

fn write_class(cql_type: &CqlType, out: &mut BytesMut) {
    out.put_u16(CUSTOM);
    out.put_string(&cql_type.class_name());
}

fn first_version(native: &CqlType) -> Version {
    match native {
        CqlType::Date | CqlType::Time | CqlType::Smallint | CqlType::Tinyint => Version::V4,
        CqlType::Duration => Version::V5,
        _ => Version::V3,
    }
}
