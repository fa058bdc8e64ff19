//! From bytes to JSON.

use serde_json::{Map, Number, Value};

use super::{DataError, DataStyle, NUMBER_BYTES_MAX, calendar, decimal, latin1};
use crate::avro::{Enum, Kind, Logical, NESTING_MAX, NodeId, Record, Schema};

/// Values read per byte of data, at most; and [`VALUES_MIN`] more. Only values without bytes of
/// their own (nulls, records) cost less than a byte, and a few bytes can claim 2^63 of those.
const VALUES_PER_BYTE_MAX: usize = 16;
const VALUES_MIN: usize = 65_536;

/// Reads one value of the schema from the start of `bytes`. Gives it and the number of bytes it
/// took; Java's readers ignore what follows.
pub fn decode(
    schema: &Schema,
    bytes: &[u8],
    style: DataStyle,
) -> Result<(Value, usize), DataError> {
    let budget = bytes.len().saturating_mul(VALUES_PER_BYTE_MAX).saturating_add(VALUES_MIN);
    let mut reader = Reader { schema, bytes, at: 0, style, budget };
    let value = reader.value(schema.root(), NESTING_MAX)?;
    Ok((value, reader.at))
}

struct Reader<'a> {
    schema: &'a Schema,
    bytes: &'a [u8],
    at: usize,
    style: DataStyle,
    budget: usize,
}

impl<'a> Reader<'a> {
    /// Only the types that hold others are here, so that the frames of a deep value stay small.
    fn value(&mut self, id: NodeId, depth: usize) -> Result<Value, DataError> {
        let depth = depth.checked_sub(1).ok_or_else(|| too_large(NESTING_MAX, "nested values"))?;
        self.budget = self.budget.checked_sub(1).ok_or_else(|| too_large(VALUES_MIN, "values"))?;
        let schema = self.schema;
        match schema.kind(id) {
            Kind::Array(items) => self.items(*items, depth),
            Kind::Map(values) => self.entries(*values, depth),
            Kind::Union(branches) => self.union(branches, depth),
            Kind::Record(record) => self.record(record, depth),
            kind => self.leaf(id, kind),
        }
    }

    fn leaf(&mut self, id: NodeId, kind: &Kind) -> Result<Value, DataError> {
        let plain = match self.style {
            DataStyle::Plain => self.schema.logical(id),
            DataStyle::Avro => None,
        };
        Ok(match kind {
            Kind::Boolean => Value::Bool(self.boolean()?),
            Kind::Int => {
                let value = self.int()?;
                plain.and_then(|kind| calendar::show(kind, value.into())).unwrap_or(value.into())
            }
            Kind::Long => {
                let value = self.long()?;
                plain.and_then(|kind| calendar::show(kind, value)).unwrap_or(value.into())
            }
            Kind::Float => {
                let value = f32::from_le_bytes(self.array()?);
                // The shortest text of the 32-bit number, not the digits of the wider one.
                float(value.to_string().parse().unwrap_or(f64::from(value)))
            }
            Kind::Double => float(f64::from_le_bytes(self.array()?)),
            Kind::Bytes => {
                let at = self.at;
                let bytes = self.sized()?;
                self.bytes_value(bytes, plain, at)?
            }
            Kind::Fixed(fixed) => {
                let at = self.at;
                let bytes = self.take(fixed.size)?;
                self.bytes_value(bytes, plain, at)?
            }
            Kind::String => Value::from(self.text("a string is not UTF-8")?),
            Kind::Enum(enumeration) => self.symbol(enumeration)?,
            // The types that hold others never come here; null has no bytes.
            Kind::Null | Kind::Array(_) | Kind::Map(_) | Kind::Union(_) | Kind::Record(_) => {
                Value::Null
            }
        })
    }

    fn symbol(&mut self, enumeration: &Enum) -> Result<Value, DataError> {
        let at = self.at;
        let place = self.int()?;
        let symbol = usize::try_from(place).ok().and_then(|place| enumeration.symbols.get(place));
        let missing = || format!("enum {} has no symbol at place {place}", enumeration.name);
        symbol.map(|symbol| Value::from(symbol.as_str())).ok_or_else(|| malformed(at, missing()))
    }

    fn record(&mut self, record: &Record, depth: usize) -> Result<Value, DataError> {
        let mut members = Map::with_capacity(record.fields.len());
        for field in &record.fields {
            members.insert(field.name.clone(), self.value(field.schema, depth)?);
        }
        Ok(Value::Object(members))
    }

    fn union(&mut self, branches: &[NodeId], depth: usize) -> Result<Value, DataError> {
        let at = self.at;
        let place = self.long()?;
        let branch = usize::try_from(place).ok().and_then(|place| branches.get(place));
        let branch =
            *branch.ok_or_else(|| malformed(at, format!("a union has no branch {place}")))?;
        let value = self.value(branch, depth)?;
        let kind = self.schema.kind(branch);
        if self.style == DataStyle::Plain || matches!(kind, Kind::Null) {
            return Ok(value);
        }
        Ok(Value::Object(Map::from_iter([(kind.branch_name(), value)])))
    }

    fn items(&mut self, items: NodeId, depth: usize) -> Result<Value, DataError> {
        let mut values = Vec::new();
        while let Some(count) = self.block()? {
            for _ in 0..count {
                values.push(self.value(items, depth)?);
            }
        }
        Ok(Value::Array(values))
    }

    fn entries(&mut self, values: NodeId, depth: usize) -> Result<Value, DataError> {
        let mut members = Map::new();
        while let Some(count) = self.block()? {
            for _ in 0..count {
                let key = self.text("a map's key is not UTF-8")?;
                let value = self.value(values, depth)?;
                members.insert(key.to_owned(), value);
            }
        }
        Ok(Value::Object(members))
    }

    /// The number of items in the next block; none after the last one.
    fn block(&mut self) -> Result<Option<u64>, DataError> {
        let count = self.long()?;
        if count < 0 {
            // A negative count is followed by the block's length in bytes, for those who skip it.
            self.long()?;
        }
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }

    fn bytes_value(
        &self,
        bytes: &[u8],
        plain: Option<Logical>,
        at: usize,
    ) -> Result<Value, DataError> {
        let number = |bytes: &[u8]| {
            decimal::digits(bytes)
                .ok_or_else(|| malformed(at, format!("a number of over {NUMBER_BYTES_MAX} bytes")))
        };
        Ok(match plain {
            Some(Logical::Decimal { scale, .. }) => {
                Value::from(decimal::with_point(&number(bytes)?, scale.into()))
            }
            Some(Logical::BigDecimal) => {
                let mut inner = Reader { bytes, at: 0, ..*self };
                let (unscaled, scale) = (inner.sized()?, inner.int()?);
                Value::from(decimal::with_point(&number(unscaled)?, scale.into()))
            }
            Some(Logical::Uuid) => Value::from(calendar::uuid(bytes)),
            Some(Logical::Duration) => calendar::duration(bytes),
            _ => Value::from(latin1(bytes)),
        })
    }

    fn boolean(&mut self) -> Result<bool, DataError> {
        let at = self.at;
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other, ..] => Err(malformed(at, format!("{other} is no boolean"))),
            [] => Err(DataError::Truncated { at }),
        }
    }

    fn int(&mut self) -> Result<i32, DataError> {
        let at = self.at;
        let value = self.long()?;
        i32::try_from(value).map_err(|_| malformed(at, format!("{value} is no 32-bit number")))
    }

    /// A zigzag number of up to 10 bytes.
    fn long(&mut self) -> Result<i64, DataError> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(malformed(start, "a number of more than 64 bits"))
    }

    fn text(&mut self, complaint: &str) -> Result<&'a str, DataError> {
        let at = self.at;
        std::str::from_utf8(self.sized()?).map_err(|_| malformed(at, complaint))
    }

    fn sized(&mut self) -> Result<&'a [u8], DataError> {
        let at = self.at;
        let len = self.long()?;
        let len = usize::try_from(len).map_err(|_| malformed(at, format!("a length of {len}")))?;
        self.take(len)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| DataError::Truncated { at })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DataError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(DataError::Truncated { at: self.bytes.len() })?;
        self.at += len;
        Ok(taken)
    }
}

fn float(value: f64) -> Value {
    Number::from_f64(value)
        .map_or_else(|| Value::from(crate::json::java_double(value)), Value::Number)
}

fn malformed(at: usize, reason: impl Into<String>) -> DataError {
    DataError::Malformed { at, reason: reason.into() }
}

fn too_large(limit: usize, what: &'static str) -> DataError {
    DataError::TooLarge { limit, what }
}
