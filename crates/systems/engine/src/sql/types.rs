//! Flink's types, and the Arrow types that carry them.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::error::SqlError;
use super::tokens::Cursor;

/// Nesting of ROW, ARRAY and MAP at most.
const DEPTH_MAX: u32 = 32;

/// A type as Flink writes it. `CHAR(n)` and `VARCHAR(n)` are `STRING`: Flink does not enforce
/// lengths by default either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlType {
    /// Text.
    String,
    /// TRUE or FALSE.
    Boolean,
    /// 8 bits.
    TinyInt,
    /// 16 bits.
    SmallInt,
    /// 32 bits.
    Int,
    /// 64 bits.
    BigInt,
    /// 32 bits, IEEE 754.
    Float,
    /// 64 bits, IEEE 754.
    Double,
    /// Precision and scale.
    Decimal(u8, i8),
    /// Days.
    Date,
    /// Time of day, milliseconds.
    Time,
    /// Wall time without zone; decimals of a second.
    Timestamp(u8),
    /// A moment; decimals of a second.
    TimestampLtz(u8),
    /// Bytes.
    Bytes,
    /// Named fields.
    Row(Vec<(String, SqlType)>),
    /// Values of one type.
    Array(Box<SqlType>),
    /// Keys and values.
    Map(Box<SqlType>, Box<SqlType>),
}

impl SqlType {
    /// The Arrow type of a column of this type. Inner values may be NULL.
    pub fn arrow(&self) -> DataType {
        match self {
            SqlType::String => DataType::Utf8,
            SqlType::Boolean => DataType::Boolean,
            SqlType::TinyInt => DataType::Int8,
            SqlType::SmallInt => DataType::Int16,
            SqlType::Int => DataType::Int32,
            SqlType::BigInt => DataType::Int64,
            SqlType::Float => DataType::Float32,
            SqlType::Double => DataType::Float64,
            SqlType::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            SqlType::Date => DataType::Date32,
            SqlType::Time => DataType::Time32(TimeUnit::Millisecond),
            SqlType::Timestamp(digits) => DataType::Timestamp(unit(*digits), None),
            SqlType::TimestampLtz(digits) => {
                DataType::Timestamp(unit(*digits), Some(Arc::from("UTC")))
            }
            SqlType::Bytes => DataType::Binary,
            SqlType::Row(fields) => DataType::Struct(
                fields
                    .iter()
                    .map(|(name, field)| Field::new(name, field.arrow(), true))
                    .collect::<Fields>(),
            ),
            SqlType::Array(item) => {
                DataType::List(Arc::new(Field::new_list_field(item.arrow(), true)))
            }
            SqlType::Map(key, value) => {
                DataType::Map(map_entries(key.arrow(), value.arrow()), false)
            }
        }
    }

    /// The type that an Arrow type carries, for messages and results.
    pub fn from_arrow(data_type: &DataType) -> SqlType {
        match data_type {
            DataType::Boolean => SqlType::Boolean,
            DataType::Int8 => SqlType::TinyInt,
            DataType::Int16 | DataType::UInt8 => SqlType::SmallInt,
            DataType::Int32 | DataType::UInt16 => SqlType::Int,
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => SqlType::BigInt,
            DataType::Float16 | DataType::Float32 => SqlType::Float,
            DataType::Float64 => SqlType::Double,
            DataType::Decimal128(precision, scale) => SqlType::Decimal(*precision, *scale),
            DataType::Date32 | DataType::Date64 => SqlType::Date,
            DataType::Time32(_) | DataType::Time64(_) => SqlType::Time,
            DataType::Timestamp(unit, None) => SqlType::Timestamp(digits(unit)),
            DataType::Timestamp(unit, Some(_)) => SqlType::TimestampLtz(digits(unit)),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => SqlType::Bytes,
            DataType::Struct(fields) => SqlType::Row(
                fields
                    .iter()
                    .map(|field| (field.name().clone(), SqlType::from_arrow(field.data_type())))
                    .collect(),
            ),
            DataType::List(item) => SqlType::Array(Box::new(SqlType::from_arrow(item.data_type()))),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => SqlType::Map(
                    Box::new(SqlType::from_arrow(fields[0].data_type())),
                    Box::new(SqlType::from_arrow(fields[1].data_type())),
                ),
                _ => SqlType::String,
            },
            _ => SqlType::String,
        }
    }

    /// Name and attributes as the SQL gateway's JSON has them (`LogicalTypeJsonSerializer`).
    pub fn logical_type_json(&self, nullable: bool) -> serde_json::Value {
        use serde_json::json;
        let with = |name: &str, extra: serde_json::Value| {
            let mut json = json!({ "type": name, "nullable": nullable });
            if let (Some(json), serde_json::Value::Object(extra)) = (json.as_object_mut(), extra) {
                json.extend(extra);
            }
            json
        };
        match self {
            SqlType::String => with("VARCHAR", json!({ "length": i32::MAX })),
            SqlType::Bytes => with("VARBINARY", json!({ "length": i32::MAX })),
            SqlType::Int => with("INTEGER", json!({})),
            SqlType::Decimal(precision, scale) => {
                with("DECIMAL", json!({ "precision": precision, "scale": scale }))
            }
            SqlType::Time => with("TIME_WITHOUT_TIME_ZONE", json!({ "precision": 3 })),
            SqlType::Timestamp(digits) => {
                with("TIMESTAMP_WITHOUT_TIME_ZONE", json!({ "precision": digits }))
            }
            SqlType::TimestampLtz(digits) => {
                with("TIMESTAMP_WITH_LOCAL_TIME_ZONE", json!({ "precision": digits }))
            }
            SqlType::Row(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, field)| {
                        json!({ "name": name, "fieldType": field.logical_type_json(true) })
                    })
                    .collect();
                with("ROW", json!({ "fields": fields }))
            }
            SqlType::Array(item) => {
                with("ARRAY", json!({ "elementType": item.logical_type_json(true) }))
            }
            SqlType::Map(key, value) => with(
                "MAP",
                json!({ "keyType": key.logical_type_json(true),
                        "valueType": value.logical_type_json(true) }),
            ),
            simple => with(&simple.to_string(), json!({})),
        }
    }
}

/// The entries of a map, named as Arrow's builders name them.
pub fn map_entries(key: DataType, value: DataType) -> FieldRef {
    let fields =
        Fields::from(vec![Field::new("keys", key, false), Field::new("values", value, true)]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

fn unit(digits: u8) -> TimeUnit {
    match digits {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

fn digits(unit: &TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::String => f.write_str("STRING"),
            SqlType::Boolean => f.write_str("BOOLEAN"),
            SqlType::TinyInt => f.write_str("TINYINT"),
            SqlType::SmallInt => f.write_str("SMALLINT"),
            SqlType::Int => f.write_str("INT"),
            SqlType::BigInt => f.write_str("BIGINT"),
            SqlType::Float => f.write_str("FLOAT"),
            SqlType::Double => f.write_str("DOUBLE"),
            SqlType::Decimal(precision, scale) => write!(f, "DECIMAL({precision}, {scale})"),
            SqlType::Date => f.write_str("DATE"),
            SqlType::Time => f.write_str("TIME(3)"),
            SqlType::Timestamp(digits) => write!(f, "TIMESTAMP({digits})"),
            SqlType::TimestampLtz(digits) => write!(f, "TIMESTAMP_LTZ({digits})"),
            SqlType::Bytes => f.write_str("BYTES"),
            SqlType::Row(fields) => {
                f.write_str("ROW<")?;
                for (index, (name, field)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{name}` {field}")?;
                }
                f.write_str(">")
            }
            SqlType::Array(item) => write!(f, "ARRAY<{item}>"),
            SqlType::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
        }
    }
}

/// Reads a type; `NOT NULL` after it is left to the caller.
pub(super) struct TypeParser<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    depth: u32,
    /// `>>` is one token and closes two types; this one is still to be taken.
    half_closed: bool,
}

impl<'c, 'a> TypeParser<'c, 'a> {
    pub(super) fn read(cursor: &'c mut Cursor<'a>) -> Result<SqlType, SqlError> {
        let mut parser = TypeParser { cursor, depth: 0, half_closed: false };
        let sql_type = parser.sql_type()?;
        if parser.half_closed {
            return Err(parser.cursor.unexpected("the end of the type"));
        }
        Ok(sql_type)
    }

    fn sql_type(&mut self) -> Result<SqlType, SqlError> {
        let at = self.cursor.location();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(SqlError::invalid(at, format!("types nest deeper than {DEPTH_MAX}")));
        }
        let (found, name) = (self.cursor.peek(), self.cursor.identifier()?.to_ascii_uppercase());
        let sql_type = match name.as_str() {
            "STRING" => SqlType::String,
            "CHAR" | "CHARACTER" | "VARCHAR" => {
                self.arguments::<u32>(1)?;
                SqlType::String
            }
            "BOOLEAN" => SqlType::Boolean,
            "TINYINT" => SqlType::TinyInt,
            "SMALLINT" => SqlType::SmallInt,
            "INT" | "INTEGER" => SqlType::Int,
            "BIGINT" => SqlType::BigInt,
            "FLOAT" => SqlType::Float,
            "DOUBLE" => {
                self.cursor.take_word("PRECISION");
                SqlType::Double
            }
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal(at)?,
            "DATE" => SqlType::Date,
            "TIME" => {
                self.arguments::<u8>(1)?;
                self.cursor.take_words(&["WITHOUT", "TIME", "ZONE"]);
                SqlType::Time
            }
            "TIMESTAMP" => self.timestamp(at)?,
            "TIMESTAMP_LTZ" => SqlType::TimestampLtz(self.fraction(at)?),
            "BYTES" => SqlType::Bytes,
            "BINARY" | "VARBINARY" => {
                self.arguments::<u32>(1)?;
                SqlType::Bytes
            }
            "ROW" => self.row()?,
            "ARRAY" => {
                self.open()?;
                let item = self.nested()?;
                self.close()?;
                SqlType::Array(Box::new(item))
            }
            "MAP" => {
                self.open()?;
                let key = self.nested()?;
                self.cursor.expect(&Token::Comma)?;
                let value = self.nested()?;
                self.close()?;
                SqlType::Map(Box::new(key), Box::new(value))
            }
            _ => {
                return Err(SqlError::unexpected(&found.to_string(), at, "a type, such as STRING"));
            }
        };
        self.depth -= 1;
        Ok(sql_type)
    }

    /// A type inside another one. NOT NULL is accepted and not enforced: a JSON document may
    /// lack anything.
    fn nested(&mut self) -> Result<SqlType, SqlError> {
        let sql_type = self.sql_type()?;
        if !self.half_closed {
            let _ = self.cursor.take_words(&["NOT", "NULL"]) || self.cursor.take_word("NULL");
        }
        Ok(sql_type)
    }

    fn row(&mut self) -> Result<SqlType, SqlError> {
        let round = self.cursor.take(&Token::LParen);
        if !round {
            self.open()?;
        }
        let mut fields = Vec::new();
        loop {
            let at = self.cursor.location();
            let name = self.cursor.identifier()?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(SqlError::invalid(at, format!("Field names must be unique: '{name}'")));
            }
            fields.push((name, self.nested()?));
            if let Token::SingleQuotedString(_) = self.cursor.peek() {
                self.cursor.advance();
            }
            if self.half_closed || !self.cursor.take(&Token::Comma) {
                break;
            }
        }
        if round {
            self.cursor.expect(&Token::RParen)?
        } else {
            self.close()?
        }
        Ok(SqlType::Row(fields))
    }

    fn decimal(&mut self, at: super::Location) -> Result<SqlType, SqlError> {
        let arguments = self.arguments::<u8>(2)?;
        let precision = arguments.first().copied().unwrap_or(10);
        let scale = arguments.get(1).copied().unwrap_or(0);
        if !(1..=DECIMAL128_MAX_PRECISION).contains(&precision) {
            return Err(SqlError::invalid(
                at,
                "Decimal precision must be between 1 and 38 (both inclusive).",
            ));
        }
        if scale > precision {
            return Err(SqlError::invalid(
                at,
                format!(
                    "Decimal scale must be between 0 and the precision {precision} (both inclusive)."
                ),
            ));
        }
        Ok(SqlType::Decimal(precision, scale as i8))
    }

    fn timestamp(&mut self, at: super::Location) -> Result<SqlType, SqlError> {
        let digits = self.fraction(at)?;
        if self.cursor.take_words(&["WITH", "LOCAL", "TIME", "ZONE"]) {
            return Ok(SqlType::TimestampLtz(digits));
        }
        if self.cursor.take_words(&["WITH", "TIME", "ZONE"]) {
            return Err(SqlError::unsupported(
                at,
                "Type is not supported: TIMESTAMP WITH TIME ZONE; use TIMESTAMP_LTZ",
            ));
        }
        self.cursor.take_words(&["WITHOUT", "TIME", "ZONE"]);
        Ok(SqlType::Timestamp(digits))
    }

    /// Decimals of a second; 6 unless said.
    fn fraction(&mut self, at: super::Location) -> Result<u8, SqlError> {
        let digits = self.arguments::<u8>(1)?.first().copied().unwrap_or(6);
        if digits > 9 {
            return Err(SqlError::invalid(
                at,
                "Timestamp precision must be between 0 and 9 (both inclusive).",
            ));
        }
        Ok(digits)
    }

    /// `(1, 2)`, at most so many numbers; none without parentheses.
    fn arguments<T: std::str::FromStr>(&mut self, most: usize) -> Result<Vec<T>, SqlError> {
        let mut arguments = Vec::new();
        if self.cursor.take(&Token::LParen) {
            arguments.push(self.cursor.number()?);
            while arguments.len() < most && self.cursor.take(&Token::Comma) {
                arguments.push(self.cursor.number()?);
            }
            self.cursor.expect(&Token::RParen)?;
        }
        Ok(arguments)
    }

    fn open(&mut self) -> Result<(), SqlError> {
        self.cursor.expect(&Token::Lt)
    }

    fn close(&mut self) -> Result<(), SqlError> {
        if self.half_closed {
            self.half_closed = false;
            return Ok(());
        }
        if self.cursor.take(&Token::ShiftRight) {
            self.half_closed = true;
            return Ok(());
        }
        self.cursor.expect(&Token::Gt)
    }
}
