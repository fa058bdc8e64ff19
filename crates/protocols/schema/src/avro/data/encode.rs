//! From JSON to bytes.

use serde_json::{Map, Value};

use super::{DataError, DataStyle, NUMBER_BYTES_MAX, calendar, decimal, from_latin1};
use crate::avro::{Fixed, Kind, Logical, NESTING_MAX, NodeId, Record, Schema};
use crate::json::Json;

/// Writes a JSON value as the schema's type. A member that is missing takes its field's default; a
/// member that no field has is refused.
pub fn encode(schema: &Schema, value: &Value, style: DataStyle) -> Result<Vec<u8>, DataError> {
    let mut writer = Writer { schema, style, out: Vec::new(), path: Vec::new() };
    writer.value(schema.root(), value)?;
    Ok(writer.out)
}

struct Writer<'a> {
    schema: &'a Schema,
    style: DataStyle,
    out: Vec<u8>,
    path: Vec<String>,
}

impl Writer<'_> {
    /// Only the types that hold others are here, so that the frames of a deep value stay small.
    fn value(&mut self, id: NodeId, value: &Value) -> Result<(), DataError> {
        if self.path.len() >= NESTING_MAX {
            return Err(DataError::TooLarge { limit: NESTING_MAX, what: "nested values" });
        }
        let schema = self.schema;
        match (schema.kind(id), value) {
            (Kind::Array(inner), Value::Array(items)) => self.items(*inner, items),
            (Kind::Map(inner), Value::Object(members)) => self.entries(*inner, members),
            (Kind::Record(record), Value::Object(members)) => self.record(record, members),
            (Kind::Union(branches), value) => self.union(branches, value),
            (kind, value) => self.leaf(id, kind, value),
        }
    }

    fn leaf(&mut self, id: NodeId, kind: &Kind, value: &Value) -> Result<(), DataError> {
        if self.style == DataStyle::Plain
            && let Some(logical) = self.schema.logical(id)
            && let Some(bytes) = plain(logical, kind, value)
        {
            self.out.extend_from_slice(&bytes);
            return Ok(());
        }
        match (kind, value) {
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(value)) => self.out.push(u8::from(*value)),
            (Kind::Int, Value::Number(number)) => {
                match number.as_i64().filter(|value| i32::try_from(*value).is_ok()) {
                    Some(value) => put_long(&mut self.out, value),
                    None => return self.refuse(format!("{number} is no 32-bit integer")),
                }
            }
            (Kind::Long, Value::Number(number)) => match number.as_i64() {
                Some(value) => put_long(&mut self.out, value),
                None => return self.refuse(format!("{number} is no 64-bit integer")),
            },
            (Kind::Float, value) if float(value).is_some() => {
                #[expect(clippy::cast_possible_truncation, reason = "the type has 32 bits")]
                let narrow = float(value).unwrap_or_default() as f32;
                self.out.extend_from_slice(&narrow.to_le_bytes());
            }
            (Kind::Double, value) if float(value).is_some() => {
                self.out.extend_from_slice(&float(value).unwrap_or_default().to_le_bytes());
            }
            (Kind::String, Value::String(text)) => put_sized(&mut self.out, text.as_bytes()),
            (Kind::Bytes, Value::String(text)) => {
                let bytes = self.bytes(text)?;
                put_sized(&mut self.out, &bytes);
            }
            (Kind::Fixed(fixed), Value::String(text)) => {
                let bytes = self.bytes(text)?;
                if bytes.len() != fixed.size {
                    let (found, size) = (bytes.len(), fixed.size);
                    return self.refuse(format!("{found} bytes, where {size} are expected"));
                }
                self.out.extend_from_slice(&bytes);
            }
            (Kind::Enum(enumeration), Value::String(text)) => {
                match enumeration.symbols.iter().position(|symbol| symbol == text) {
                    Some(place) => put_len(&mut self.out, place),
                    None => {
                        return self.refuse(format!("{} has no symbol {text:?}", enumeration.name));
                    }
                }
            }
            (kind, value) => return self.refuse(format!("{} expected, found {value}", said(kind))),
        }
        Ok(())
    }

    fn items(&mut self, inner: NodeId, items: &[Value]) -> Result<(), DataError> {
        if !items.is_empty() {
            put_len(&mut self.out, items.len());
        }
        for (at, item) in items.iter().enumerate() {
            self.within(at.to_string(), |writer| writer.value(inner, item))?;
        }
        self.out.push(0);
        Ok(())
    }

    fn entries(&mut self, inner: NodeId, members: &Map<String, Value>) -> Result<(), DataError> {
        if !members.is_empty() {
            put_len(&mut self.out, members.len());
        }
        for (name, item) in members {
            put_sized(&mut self.out, name.as_bytes());
            self.within(name.clone(), |writer| writer.value(inner, item))?;
        }
        self.out.push(0);
        Ok(())
    }

    fn record(&mut self, record: &Record, members: &Map<String, Value>) -> Result<(), DataError> {
        if let Some(unknown) = members.keys().find(|name| record.field(name).is_none()) {
            return self.refuse(format!("{} has no field {unknown:?}", record.name));
        }
        for field in &record.fields {
            let written = members.get(&field.name);
            self.within(field.name.clone(), |writer| match (written, &field.default) {
                (Some(value), _) => writer.value(field.schema, value),
                (None, Some(default)) => writer.default(field.schema, default),
                (None, None) => writer.refuse("missing, and it has no default"),
            })?;
        }
        Ok(())
    }

    /// A default is written in Avro's style, but without the names of union branches.
    fn default(&mut self, id: NodeId, value: &Json) -> Result<(), DataError> {
        let style = std::mem::replace(&mut self.style, DataStyle::Avro);
        let done = match self.schema.kind(id) {
            Kind::Union(branches) => self.first_that_fits(branches, &value.to_serde()),
            _ => self.value(id, &value.to_serde()),
        };
        self.style = style;
        done
    }

    fn union(&mut self, branches: &[NodeId], value: &Value) -> Result<(), DataError> {
        let named = match value {
            Value::Object(members) if members.len() == 1 => members.iter().next(),
            _ => None,
        };
        if let Some((name, inner)) = named {
            let schema = self.schema;
            let place = branches.iter().position(|id| schema.kind(*id).branch_name() == *name);
            if let Some(place) = place {
                put_len(&mut self.out, place);
                return self.within(name.clone(), |writer| writer.value(branches[place], inner));
            }
        }
        if self.style == DataStyle::Avro && !value.is_null() {
            let expected = r#"a value of a union is written with its branch: {"string": "x"}"#;
            return self.refuse(format!("{expected}; found {value}"));
        }
        self.first_that_fits(branches, value)
    }

    fn first_that_fits(&mut self, branches: &[NodeId], value: &Value) -> Result<(), DataError> {
        let start = self.out.len();
        let mut last = None;
        for (place, branch) in branches.iter().enumerate() {
            put_len(&mut self.out, place);
            let depth = self.path.len();
            match self.value(*branch, value) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.out.truncate(start);
                    self.path.truncate(depth);
                    last = Some(error);
                }
            }
        }
        // With one branch beside null, its own complaint says more than "nothing fits".
        match last {
            Some(error) if branches.len() <= 2 => Err(error),
            _ => self.refuse(format!("no branch of the union takes {value}")),
        }
    }

    fn bytes(&self, text: &str) -> Result<Vec<u8>, DataError> {
        from_latin1(text)
            .ok_or_else(|| self.mismatch("bytes are written as characters from U+0000 to U+00FF"))
    }

    fn within(
        &mut self,
        step: String,
        f: impl FnOnce(&mut Self) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.path.push(step);
        f(self)?;
        self.path.pop();
        Ok(())
    }

    fn refuse(&self, reason: impl Into<String>) -> Result<(), DataError> {
        Err(self.mismatch(reason))
    }

    fn mismatch(&self, reason: impl Into<String>) -> DataError {
        DataError::Mismatch { path: format!("/{}", self.path.join("/")), reason: reason.into() }
    }
}

/// The bytes of a value written for people; none if it is written as the type below.
fn plain(logical: Logical, kind: &Kind, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match (logical, kind) {
        (Logical::Decimal { precision, scale }, Kind::Bytes | Kind::Fixed(_)) => {
            let bytes = decimal_bytes(value, precision, scale)?;
            match kind {
                Kind::Fixed(Fixed { size, .. }) => out = decimal::widened(bytes, *size)?,
                _ => put_sized(&mut out, &bytes),
            }
        }
        (Logical::BigDecimal, _) => {
            let (digits, scale) = decimal::without_point(&decimal_text(value)?)?;
            let mut inner = Vec::new();
            put_sized(&mut inner, &decimal::bytes(&digits)?);
            put_len(&mut inner, scale);
            put_sized(&mut out, &inner);
        }
        (Logical::Uuid, Kind::Fixed(_)) => out = calendar::uuid_bytes(value.as_str()?)?,
        (Logical::Duration, _) => out = calendar::duration_bytes(value)?,
        (_, Kind::Int | Kind::Long) => {
            let number = calendar::read(logical, value.as_str()?)?;
            if matches!(kind, Kind::Int) && i32::try_from(number).is_err() {
                return None;
            }
            put_long(&mut out, number);
        }
        _ => return None,
    }
    Some(out)
}

fn decimal_bytes(value: &Value, precision: u32, scale: u32) -> Option<Vec<u8>> {
    let (digits, places) = decimal::without_point(&decimal_text(value)?)?;
    let missing = usize::try_from(scale).ok()?.checked_sub(places)?;
    if digits.len() + missing > 2 * NUMBER_BYTES_MAX {
        return None;
    }
    let digits = format!("{digits}{}", "0".repeat(missing));
    let significant = digits.trim_start_matches(['-', '0']).len();
    if significant > usize::try_from(precision).ok()? {
        return None;
    }
    decimal::bytes(&digits)
}

fn decimal_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn said(kind: &Kind) -> String {
    match kind.name() {
        Some(name) => format!("{} {name}", kind.type_name()),
        None => kind.type_name().to_owned(),
    }
}

fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    put_long(out, i64::try_from(len).expect("what fits memory has fewer than 2^63 parts"));
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}
