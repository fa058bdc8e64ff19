//! Values of a document into columns, by Flink's rules for each type.

use std::collections::HashMap;

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use base64::Engine as _;

use crate::catalog::options::JsonOptions;
use crate::time::{self, Civil};

use super::super::column::Column;
use super::scan::{Problem, Scanner, Value, compact, unescape};

/// Wanted fields of an object, found by name.
#[derive(Debug)]
pub(super) struct Fields {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    types: Vec<DataType>,
    /// Fields of fields that are objects.
    inner: Vec<Option<Fields>>,
    /// The field expected next: documents of one topic mostly have the same order.
    expected: usize,
    /// In which document a field was seen last.
    seen: Vec<u64>,
    document: u64,
}

impl Fields {
    pub(super) fn new(fields: &[FieldRef]) -> Fields {
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let by_name = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let inner = fields.iter().map(|field| inner_fields(field.data_type())).collect();
        let types = fields.iter().map(|field| field.data_type().clone()).collect();
        let seen = vec![0; names.len()];
        Fields { names, by_name, types, inner, expected: 0, seen, document: 0 }
    }

    fn begin(&mut self) {
        self.expected = 0;
        self.document += 1;
    }

    #[inline]
    fn find(&mut self, key: &[u8]) -> Option<usize> {
        let expected = self.expected;
        let found = match self.names.get(expected) {
            Some(name) if name.as_bytes() == key => expected,
            _ => *self.by_name.get(std::str::from_utf8(key).ok()?)?,
        };
        self.expected = found + 1;
        Some(found)
    }
}

/// The fields of the objects in a column: its own, its items', its values'.
fn inner_fields(data_type: &DataType) -> Option<Fields> {
    match data_type {
        DataType::Struct(fields) => Some(Fields::new(&fields.iter().cloned().collect::<Vec<_>>())),
        DataType::List(item) => inner_fields(item.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => inner_fields(fields.get(1)?.data_type()),
            _ => None,
        },
        _ => None,
    }
}

/// Reads one document.
pub(super) struct Reader<'a> {
    scanner: Scanner<'a>,
    options: &'a JsonOptions,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], options: &'a JsonOptions) -> Result<Reader<'a>, Problem> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Reader { scanner: Scanner::new(text), options }),
            Err(error) => Err(Problem {
                what: "invalid UTF-8".to_owned(),
                at: error.valid_up_to(),
                is_type: false,
            }),
        }
    }

    /// The whole document into row `row` of the columns.
    pub(super) fn document(
        &mut self,
        fields: &mut Fields,
        columns: &mut [Column],
        row: usize,
    ) -> Result<(), Problem> {
        self.scanner.skip_space();
        if self.scanner.peek() != Some(b'{') {
            return Err(self.scanner.unexpected("an object"));
        }
        self.object(fields, columns, row)?;
        self.scanner.skip_space();
        match self.scanner.peek() {
            None => Ok(()),
            Some(_) => Err(self.scanner.unexpected("the end of the document")),
        }
    }

    /// The cursor stands at the brace.
    fn object(
        &mut self,
        fields: &mut Fields,
        columns: &mut [Column],
        row: usize,
    ) -> Result<(), Problem> {
        fields.begin();
        self.scanner.at += 1;
        if !self.scanner.take(b'}') {
            loop {
                self.field(fields, columns, row)?;
                if !self.scanner.take(b',') {
                    break;
                }
            }
            self.scanner.expect(b'}')?;
        }
        for (index, column) in columns.iter_mut().enumerate() {
            if fields.seen[index] != fields.document {
                if self.options.fail_on_missing_field {
                    let what = format!("Could not find field with name '{}'.", fields.names[index]);
                    return Err(Problem { what, at: self.scanner.at, is_type: true });
                }
                column.push_null();
            }
        }
        Ok(())
    }

    #[inline]
    fn field(
        &mut self,
        fields: &mut Fields,
        columns: &mut [Column],
        row: usize,
    ) -> Result<(), Problem> {
        self.scanner.skip_space();
        if self.scanner.peek() != Some(b'"') {
            return Err(self.scanner.unexpected("a field name in quotes"));
        }
        let (raw, escaped) = self.scanner.string()?;
        let mut plain = Vec::new();
        let key = if escaped {
            unescape(raw, &mut plain).map_err(|what| self.scanner.problem(what))?;
            &plain
        } else {
            raw
        };
        let found = fields.find(key);
        self.scanner.expect(b':')?;
        let Some(index) = found else {
            self.scanner.value()?;
            return Ok(());
        };
        if fields.seen[index] == fields.document {
            columns[index].truncate(row);
        }
        fields.seen[index] = fields.document;
        let data_type = &fields.types[index];
        let inner = fields.inner[index].as_mut();
        let column = &mut columns[index];
        self.value(data_type, inner, column, row).map_err(|mut problem| {
            if problem.is_type {
                problem.what = format!(
                    "Fail to deserialize at field: {}. {}",
                    fields.names[index], problem.what
                );
            }
            problem
        })
    }

    /// One value into row `row` of a column. With `ignore_parse_errors` a value of the wrong type
    /// is NULL.
    fn value(
        &mut self,
        data_type: &DataType,
        inner: Option<&mut Fields>,
        column: &mut Column,
        row: usize,
    ) -> Result<(), Problem> {
        self.scanner.skip_space();
        let start = self.scanner.at;
        let read = match (self.scanner.peek(), &mut *column) {
            (Some(b'{'), Column::Struct { columns, .. }) => match inner {
                Some(fields) => self.object(fields, columns, row),
                None => Err(self.scanner.problem("an object without fields")),
            }
            .map(|()| column.close(true)),
            (Some(b'['), Column::List { .. }) => self.array(data_type, inner, column),
            (Some(b'{'), Column::Map { .. }) => self.map(data_type, inner, column),
            _ => {
                let value = self.scanner.value()?;
                push(value, column, self.options).map_err(|what| Problem {
                    what,
                    at: start,
                    is_type: true,
                })
            }
        };
        match read {
            Err(problem) if problem.is_type && self.options.ignore_parse_errors => {
                // The document is sound: go to the end of this value and forget it.
                self.scanner.at = start;
                self.scanner.value()?;
                column.truncate(row);
                column.push_null();
                Ok(())
            }
            other => other,
        }
    }

    fn array(
        &mut self,
        data_type: &DataType,
        mut inner: Option<&mut Fields>,
        column: &mut Column,
    ) -> Result<(), Problem> {
        let (DataType::List(item), Column::List { column: items, .. }) = (data_type, &mut *column)
        else {
            return Err(self.scanner.problem("an array"));
        };
        self.scanner.at += 1;
        if !self.scanner.take(b']') {
            loop {
                let row = items.len();
                self.value(item.data_type(), inner.as_deref_mut(), items, row)?;
                if !self.scanner.take(b',') {
                    break;
                }
            }
            self.scanner.expect(b']')?;
        }
        column.close(true);
        Ok(())
    }

    fn map(
        &mut self,
        data_type: &DataType,
        mut inner: Option<&mut Fields>,
        column: &mut Column,
    ) -> Result<(), Problem> {
        let entry_types = match data_type {
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) => fields,
                _ => return Err(self.scanner.problem("a map")),
            },
            _ => return Err(self.scanner.problem("a map")),
        };
        let Column::Map { key: keys, value: values, .. } = &mut *column else {
            return Err(self.scanner.problem("a map"));
        };
        self.scanner.at += 1;
        if !self.scanner.take(b'}') {
            loop {
                self.scanner.skip_space();
                if self.scanner.peek() != Some(b'"') {
                    return Err(self.scanner.unexpected("a field name in quotes"));
                }
                let at = self.scanner.at;
                let (raw, escaped) = self.scanner.string()?;
                push(Value::Text(raw, escaped), keys, self.options).map_err(|what| Problem {
                    what,
                    at,
                    is_type: true,
                })?;
                self.scanner.expect(b':')?;
                let row = values.len();
                self.value(entry_types[1].data_type(), inner.as_deref_mut(), values, row)?;
                if !self.scanner.take(b',') {
                    break;
                }
            }
            self.scanner.expect(b'}')?;
        }
        column.close(true);
        Ok(())
    }
}

/// A value that is no container of the column's kind.
#[inline]
fn push(value: Value<'_>, column: &mut Column, options: &JsonOptions) -> Result<(), String> {
    if value == Value::Null {
        column.push_null();
        return Ok(());
    }
    if let Column::Text(bytes) = column {
        match value {
            Value::Text(raw, false) => bytes.push(raw),
            Value::Text(raw, true) => {
                if let Err(what) = unescape(raw, bytes.open()) {
                    bytes.abandon();
                    return Err(what.to_owned());
                }
                bytes.close();
            }
            Value::Number(text) => bytes.push(text.as_bytes()),
            Value::True => bytes.push(b"true"),
            Value::False => bytes.push(b"false"),
            Value::Object(text) | Value::Array(text) => {
                compact(text, bytes.open());
                bytes.close();
            }
            Value::Null => {}
        }
        return Ok(());
    }
    push_typed(value, column, options)
}

fn push_typed(value: Value<'_>, column: &mut Column, options: &JsonOptions) -> Result<(), String> {
    let mut plain = Vec::new();
    let text = match value {
        Value::Text(raw, false) => std::str::from_utf8(raw).ok(),
        Value::Text(raw, true) => {
            unescape(raw, &mut plain).map_err(str::to_owned)?;
            std::str::from_utf8(&plain).ok()
        }
        Value::Number(text) => Some(text),
        _ => None,
    };
    let wrong = |wanted: &str| format!("{} is no {wanted}", quoted(value));
    // Flink reads numbers and dates from strings too, never from containers.
    macro_rules! read {
        ($plain:expr, $wanted:expr, $read:expr) => {{
            let read = text.and_then($read).ok_or_else(|| wrong($wanted))?;
            $plain.push(read);
        }};
    }
    match column {
        Column::Boolean(plain) => match (value, text) {
            (Value::True, _) => plain.push(true),
            (Value::False, _) => plain.push(false),
            (_, Some(text)) if text.trim().eq_ignore_ascii_case("true") => plain.push(true),
            (_, Some(text)) if text.trim().eq_ignore_ascii_case("false") => plain.push(false),
            _ => return Err(wrong("BOOLEAN")),
        },
        Column::Int8(plain) => read!(plain, "TINYINT", |text: &str| text.trim().parse().ok()),
        Column::Int16(plain) => read!(plain, "SMALLINT", |text: &str| text.trim().parse().ok()),
        Column::Int32(plain) => read!(plain, "INT", |text: &str| text.trim().parse().ok()),
        Column::Int64(plain) => read!(plain, "BIGINT", |text: &str| text.trim().parse().ok()),
        Column::Float32(plain) => read!(plain, "FLOAT", |text: &str| real(text).map(|n| n as f32)),
        Column::Float64(plain) => read!(plain, "DOUBLE", real),
        Column::Decimal(plain, precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let wanted = format!("DECIMAL({precision}, {scale})");
            read!(plain, &wanted, |text: &str| decimal(text.trim(), precision, scale));
        }
        Column::Date(plain) => read!(plain, "DATE (yyyy-MM-dd)", |text: &str| {
            let seconds = time::parse_date(text)?.seconds()?;
            i32::try_from(seconds / 86_400).ok()
        }),
        Column::Time(plain) => read!(plain, "TIME (HH:mm:ss)", time::parse_time),
        Column::Timestamp(plain, unit, zone) => {
            let (unit, zoned) = (*unit, zone.is_some());
            let separator = if options.iso_timestamps { b'T' } else { b' ' };
            let wanted = timestamp_name(options.iso_timestamps, zoned);
            read!(plain, wanted, |text: &str| {
                time::parse_timestamp(text, separator, zoned).and_then(|at| in_unit(&at, unit))
            });
        }
        Column::Binary(bytes) => match value {
            Value::Text(..) => {
                let text = text.ok_or_else(|| wrong("BYTES"))?;
                let engine = base64::engine::general_purpose::STANDARD;
                bytes.push(&engine.decode(text).map_err(|_| wrong("BYTES (base64)"))?);
            }
            _ => return Err(wrong("BYTES (base64)")),
        },
        Column::Text(_) => {}
        Column::Struct { .. } => return Err(wrong("ROW (object)")),
        Column::List { .. } => return Err(wrong("ARRAY")),
        Column::Map { .. } => return Err(wrong("MAP (object)")),
    }
    Ok(())
}

fn timestamp_name(iso: bool, zoned: bool) -> &'static str {
    match (iso, zoned) {
        (false, false) => "TIMESTAMP (yyyy-MM-dd HH:mm:ss.SSS)",
        (false, true) => "TIMESTAMP_LTZ (yyyy-MM-dd HH:mm:ss.SSSZ)",
        (true, false) => "TIMESTAMP (yyyy-MM-ddTHH:mm:ss.SSS)",
        (true, true) => "TIMESTAMP_LTZ (yyyy-MM-ddTHH:mm:ss.SSSZ)",
    }
}

fn in_unit(at: &Civil, unit: TimeUnit) -> Option<i64> {
    let seconds = at.seconds()?;
    match unit {
        TimeUnit::Second => Some(seconds),
        TimeUnit::Millisecond => at.millis(),
        TimeUnit::Microsecond => Some(seconds * 1_000_000 + i64::from(at.nanos / 1000)),
        TimeUnit::Nanosecond => seconds.checked_mul(1_000_000_000)?.checked_add(at.nanos.into()),
    }
}

/// A finite number; Java's spellings of infinity are not JSON.
fn real(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// The number times 10^scale, rounded half up as Java does; none if it has too many digits.
fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0_i128;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    let shift = exponent.checked_sub(fraction.len() as i32)?.checked_add(i32::from(scale))?;
    if shift >= 0 {
        let factor = 10_i128.checked_pow(shift as u32);
        number = if number == 0 { 0 } else { number.checked_mul(factor?)? };
    } else {
        number = match 10_i128.checked_pow(shift.unsigned_abs()) {
            Some(factor) => number / factor + i128::from(number % factor >= factor / 2),
            None => 0,
        };
    }
    let fits = number < 10_i128.checked_pow(u32::from(precision))?;
    fits.then_some(if negative { -number } else { number })
}

/// A value as a reason shows it: not its whole length.
fn quoted(value: Value<'_>) -> String {
    const SHOWN_CHARS_MAX: usize = 64;
    let cut = |text: &str| match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match value {
        Value::Text(raw, _) => format!("\"{}\"", cut(&String::from_utf8_lossy(raw))),
        Value::Number(text) | Value::Object(text) | Value::Array(text) => cut(text),
        Value::True => "true".to_owned(),
        Value::False => "false".to_owned(),
        Value::Null => "null".to_owned(),
    }
}
