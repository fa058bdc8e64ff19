//! Collections as bytes: taken apart and put together without looking into elements.

use bytes::{BufMut, Bytes, BytesMut};

use super::{ValueError, read_unsigned_vint, write_unsigned_vint};
use crate::{CqlType, Reader, WireWrite};

fn broken(what: &str) -> ValueError {
    ValueError::malformed(format!("Not enough bytes to read a {what}"))
}

/// The elements of a list or set.
pub fn elements(bytes: Bytes) -> Result<Vec<Bytes>, ValueError> {
    read_items(bytes, 1, "list")
}

/// The pairs of a map.
pub fn pairs(bytes: Bytes) -> Result<Vec<(Bytes, Bytes)>, ValueError> {
    let mut items = read_items(bytes, 2, "map")?.into_iter();
    let mut pairs = Vec::with_capacity(items.len() / 2);
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn read_items(bytes: Bytes, per_entry: usize, what: &str) -> Result<Vec<Bytes>, ValueError> {
    let mut reader = Reader::new(bytes);
    let count = reader.int().map_err(|_| broken(what))?;
    let count = usize::try_from(count).map_err(|_| broken(what))?;
    let count = count.checked_mul(per_entry).ok_or_else(|| broken(what))?;
    let mut items = Vec::with_capacity(reader.capacity(count, 4));
    for _ in 0..count {
        match reader.bytes().map_err(|_| broken(what))? {
            Some(item) => items.push(item),
            None => return Err(ValueError::malformed("null is not supported inside collections")),
        }
    }
    match reader.remaining() {
        0 => Ok(items),
        _ => Err(ValueError::malformed(format!("Unexpected extraneous bytes after {what} value"))),
    }
}

/// A list or set of these elements, in this order.
pub fn from_elements<B: AsRef<[u8]>>(elements: &[B]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i32(i32::try_from(elements.len()).unwrap_or(i32::MAX));
    for element in elements {
        out.put_value(Some(element.as_ref()));
    }
    out.freeze()
}

/// A map of these pairs, in this order.
pub fn from_pairs<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(K, V)]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i32(i32::try_from(pairs.len()).unwrap_or(i32::MAX));
    for (key, value) in pairs {
        out.put_value(Some(key.as_ref()));
        out.put_value(Some(value.as_ref()));
    }
    out.freeze()
}

/// The fields of a tuple or user-defined type: at most `fields_max`, fewer if the last are left out.
pub fn fields(bytes: Bytes, fields_max: usize) -> Result<Vec<Option<Bytes>>, ValueError> {
    let mut reader = Reader::new(bytes);
    let mut fields = Vec::new();
    while reader.remaining() > 0 {
        if fields.len() == fields_max {
            return Err(ValueError::malformed(format!(
                "Invalid remaining data after end of tuple value: {fields_max} fields expected"
            )));
        }
        fields.push(reader.bytes().map_err(|_| broken("tuple field"))?);
    }
    Ok(fields)
}

/// A tuple or user-defined type of these fields.
pub fn from_fields<B: AsRef<[u8]>>(fields: &[Option<B>]) -> Bytes {
    let mut out = BytesMut::new();
    for field in fields {
        out.put_value(field.as_ref().map(AsRef::as_ref));
    }
    out.freeze()
}

/// The elements of a vector.
pub fn vector_elements(
    bytes: &Bytes,
    element: &CqlType,
    dimension: u16,
) -> Result<Vec<Bytes>, ValueError> {
    let dimension = usize::from(dimension);
    let wrong = || {
        ValueError::malformed(format!(
            "Invalid vector of {} bytes for {dimension} elements of type {element}",
            bytes.len()
        ))
    };
    if let Some(length) = element.fixed_bytes() {
        if length == 0 || bytes.len() != length * dimension {
            return Err(wrong());
        }
        return Ok((0..dimension).map(|at| bytes.slice(at * length..(at + 1) * length)).collect());
    }
    let mut rest = &bytes[..];
    let mut elements = Vec::with_capacity(dimension.min(bytes.len()));
    for _ in 0..dimension {
        let length = read_unsigned_vint(&mut rest).ok_or_else(wrong)?;
        let length = usize::try_from(length).map_err(|_| wrong())?;
        let (element, after) = rest.split_at_checked(length).ok_or_else(wrong)?;
        elements.push(bytes.slice_ref(element));
        rest = after;
    }
    if rest.is_empty() { Ok(elements) } else { Err(wrong()) }
}

/// A vector of these elements.
pub fn from_vector_elements<B: AsRef<[u8]>>(elements: &[B], element: &CqlType) -> Bytes {
    let mut out = BytesMut::new();
    for item in elements {
        let item = item.as_ref();
        if element.fixed_bytes().is_none() {
            write_unsigned_vint(item.len() as u64, &mut out);
        }
        out.put_slice(item);
    }
    out.freeze()
}
