//! Class names of Cassandra's types: what custom types are described by.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{CqlType, NATIVES, TYPE_DEPTH_MAX, UdtType};

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";

/// The full name, with parameters.
pub(super) fn class_name(cql_type: &CqlType) -> String {
    let mut out = String::new();
    write(cql_type, &mut out);
    out
}

fn write(cql_type: &CqlType, out: &mut String) {
    if let CqlType::Custom(name) = cql_type {
        return out.push_str(name);
    }
    out.push_str(PACKAGE);
    match cql_type {
        CqlType::List(element) => write_all("ListType", &[element], out),
        CqlType::Set(element) => write_all("SetType", &[element], out),
        CqlType::Map(key, value) => write_all("MapType", &[key, value], out),
        CqlType::Tuple(fields) => write_all("TupleType", &fields.iter().collect::<Vec<_>>(), out),
        CqlType::Vector(element, dimension) => {
            out.push_str("VectorType(");
            write(element, out);
            // A String takes everything.
            let _ = write!(out, " , {dimension})");
        }
        CqlType::Udt(udt) => {
            let _ = write!(out, "UserType({},{}", udt.keyspace, hex(&udt.name));
            for (name, field) in &udt.fields {
                let _ = write!(out, ",{}:", hex(name));
                write(field, out);
            }
            out.push(')');
        }
        native => out.push_str(native.native().map_or("BytesType", |native| native.3)),
    }
}

fn write_all(name: &str, parameters: &[&CqlType], out: &mut String) {
    out.push_str(name);
    for (index, parameter) in parameters.iter().enumerate() {
        out.push(if index == 0 { '(' } else { ',' });
        write(parameter, out);
    }
    out.push(')');
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str) -> Option<String> {
    let bytes = text
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

/// The type of a class name, or `None` if any part of it is not known.
pub(super) fn parse(name: &str) -> Option<CqlType> {
    let (parsed, rest) = parse_one(name, 0)?;
    rest.trim().is_empty().then_some(parsed)
}

fn parse_one(text: &str, depth: usize) -> Option<(CqlType, &str)> {
    if depth > TYPE_DEPTH_MAX {
        return None;
    }
    let text = text.trim_start();
    let end = text.find([',', '(', ')', ' ']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.strip_prefix(PACKAGE).unwrap_or(name);
    if let Some(native) = NATIVES.iter().find(|native| native.3 == name) {
        return Some((native.0.clone(), rest));
    }
    let inner = rest.strip_prefix('(')?;
    match name {
        // What is frozen or reversed is described by what it wraps.
        "FrozenType" | "ReversedType" => {
            let (inner, rest) = parse_one(inner, depth + 1)?;
            Some((inner, rest.trim_start().strip_prefix(')')?))
        }
        "VectorType" => {
            let (element, rest) = parse_one(inner, depth + 1)?;
            let (dimension, rest) = rest.trim_start().strip_prefix(',')?.split_once(')')?;
            let dimension = dimension.trim().parse().ok()?;
            Some((CqlType::Vector(Box::new(element), dimension), rest))
        }
        "UserType" => parse_udt(inner, depth),
        _ => {
            let (mut inner, rest) = parse_list(inner, depth)?;
            let parsed = match (name, inner.len()) {
                ("TupleType", _) => CqlType::Tuple(inner),
                ("ListType", 1) => CqlType::List(Box::new(inner.pop()?)),
                ("SetType", 1) => CqlType::Set(Box::new(inner.pop()?)),
                ("MapType", 2) => {
                    let value = Box::new(inner.pop()?);
                    CqlType::Map(Box::new(inner.pop()?), value)
                }
                _ => return None,
            };
            Some((parsed, rest))
        }
    }
}

/// The types up to the closing parenthesis, and what follows it.
fn parse_list(mut text: &str, depth: usize) -> Option<(Vec<CqlType>, &str)> {
    let mut types = Vec::new();
    loop {
        let (parsed, rest) = parse_one(text, depth + 1)?;
        types.push(parsed);
        let rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix(')') {
            return Some((types, rest));
        }
        text = rest.strip_prefix(',')?;
    }
}

fn parse_udt(text: &str, depth: usize) -> Option<(CqlType, &str)> {
    let (keyspace, rest) = text.split_once(',')?;
    let end = rest.find([',', ')'])?;
    let name = unhex(&rest[..end])?;
    let (mut rest, mut fields) = (&rest[end..], Vec::new());
    loop {
        if let Some(rest) = rest.strip_prefix(')') {
            let udt = UdtType { keyspace: keyspace.to_owned(), name, fields };
            return Some((CqlType::Udt(Arc::new(udt)), rest));
        }
        let (field, after) = rest.strip_prefix(',')?.split_once(':')?;
        let (field_type, after) = parse_one(after, depth + 1)?;
        fields.push((unhex(field)?, field_type));
        rest = after;
    }
}
