//! Spark's types: as messages, as DDL (`id STRING, age INT`), as JSON (`StructType.json()`), and the
//! Arrow types that carry them. A timestamp is a moment with microseconds in UTC.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};
use serde_json::Value;
use tidemill_spark_connect::{self as proto, DataTypeKind};

use super::error::{Kind, Result, SparkError};
use crate::sql::types::map_entries;

/// Types inside types at most.
const DEPTH_MAX: usize = 32;
/// Characters of a schema at most.
const SCHEMA_CHARS_MAX: usize = 1 << 20;

/// A moment.
pub(super) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// Wall time.
pub(super) fn timestamp_ntz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

pub(super) fn list_of(item: DataType, nullable: bool) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, nullable)))
}

/// The Arrow type of a type in a plan.
pub(super) fn from_proto(data_type: &proto::DataType) -> Result<DataType> {
    let Some(kind) = &data_type.kind else {
        return Err(SparkError::invalid_plan("a data type without kind"));
    };
    Ok(match kind {
        DataTypeKind::Null(_) => DataType::Null,
        DataTypeKind::Binary(_) => DataType::Binary,
        DataTypeKind::Boolean(_) => DataType::Boolean,
        DataTypeKind::Byte(_) => DataType::Int8,
        DataTypeKind::Short(_) => DataType::Int16,
        DataTypeKind::Integer(_) => DataType::Int32,
        DataTypeKind::Long(_) => DataType::Int64,
        DataTypeKind::Float(_) => DataType::Float32,
        DataTypeKind::Double(_) => DataType::Float64,
        DataTypeKind::Decimal(decimal) => {
            decimal_type(decimal.precision.unwrap_or(10), decimal.scale.unwrap_or(0))?
        }
        DataTypeKind::String(_) | DataTypeKind::Char(_) | DataTypeKind::VarChar(_) => {
            DataType::Utf8
        }
        DataTypeKind::Date(_) => DataType::Date32,
        DataTypeKind::Timestamp(_) => timestamp(),
        DataTypeKind::TimestampNtz(_) => timestamp_ntz(),
        DataTypeKind::DayTimeInterval(_) => DataType::Duration(TimeUnit::Microsecond),
        DataTypeKind::YearMonthInterval(_) => DataType::Interval(IntervalUnit::YearMonth),
        DataTypeKind::Array(array) => {
            let item = array.element_type.as_deref().map(from_proto).transpose()?;
            list_of(item.unwrap_or(DataType::Null), array.contains_null)
        }
        DataTypeKind::Map(map) => {
            let key = map.key_type.as_deref().map(from_proto).transpose()?;
            let value = map.value_type.as_deref().map(from_proto).transpose()?;
            let (key, value) = (key.unwrap_or(DataType::Null), value.unwrap_or(DataType::Null));
            DataType::Map(map_entries(key, value), false)
        }
        DataTypeKind::Struct(fields) => {
            let field = |field: &proto::StructField| {
                let data_type = field.data_type.as_ref().map(from_proto).transpose()?;
                let data_type = data_type.unwrap_or(DataType::Null);
                Ok(Field::new(&field.name, data_type, field.nullable))
            };
            DataType::Struct(fields.fields.iter().map(field).collect::<Result<Fields>>()?)
        }
        DataTypeKind::Unparsed(text) => parse(&text.data_type_string)?,
        other => {
            return Err(SparkError::unsupported(format!("data type {}", other.name())));
        }
    })
}

fn decimal_type(precision: i32, scale: i32) -> Result<DataType> {
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if (0..=precision as i8).contains(&scale) => {
            Ok(DataType::Decimal128(precision, scale))
        }
        _ => {
            let text =
                format!("Decimal precision {precision} or scale {scale} exceeds max precision 38.");
            Err(SparkError::new(
                Kind::Analysis,
                "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                "22003",
                &text,
            ))
        }
    }
}

/// A type as a message.
pub(super) fn to_proto(data_type: &DataType) -> proto::DataType {
    let kind = match data_type {
        DataType::Null => DataTypeKind::Null(proto::NullType::default()),
        DataType::Boolean => DataTypeKind::Boolean(proto::BooleanType::default()),
        DataType::Int8 => DataTypeKind::Byte(proto::ByteType::default()),
        DataType::Int16 | DataType::UInt8 => DataTypeKind::Short(proto::ShortType::default()),
        DataType::Int32 | DataType::UInt16 => DataTypeKind::Integer(proto::IntegerType::default()),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => {
            DataTypeKind::Long(proto::LongType::default())
        }
        DataType::Float16 | DataType::Float32 => DataTypeKind::Float(proto::FloatType::default()),
        DataType::Float64 => DataTypeKind::Double(proto::DoubleType::default()),
        DataType::Decimal128(precision, scale) => DataTypeKind::Decimal(proto::DecimalType {
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
            ..proto::DecimalType::default()
        }),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            DataTypeKind::Binary(proto::BinaryType::default())
        }
        DataType::Date32 | DataType::Date64 => DataTypeKind::Date(proto::DateType::default()),
        DataType::Timestamp(_, Some(_)) => DataTypeKind::Timestamp(proto::TimestampType::default()),
        DataType::Timestamp(_, None) => {
            DataTypeKind::TimestampNtz(proto::TimestampNtzType::default())
        }
        DataType::Duration(_) => DataTypeKind::DayTimeInterval(proto::DayTimeIntervalType {
            start_field: Some(0),
            end_field: Some(3),
            ..proto::DayTimeIntervalType::default()
        }),
        DataType::List(item) | DataType::LargeList(item) => {
            DataTypeKind::Array(Box::new(proto::ArrayType {
                element_type: Some(Box::new(to_proto(item.data_type()))),
                contains_null: item.is_nullable(),
                ..proto::ArrayType::default()
            }))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                DataTypeKind::Map(Box::new(proto::MapType {
                    key_type: Some(Box::new(to_proto(fields[0].data_type()))),
                    value_type: Some(Box::new(to_proto(fields[1].data_type()))),
                    value_contains_null: fields[1].is_nullable(),
                    ..proto::MapType::default()
                }))
            }
            _ => DataTypeKind::String(string_type()),
        },
        DataType::Struct(fields) => DataTypeKind::Struct(struct_type(fields)),
        _ => DataTypeKind::String(string_type()),
    };
    proto::DataType { kind: Some(kind) }
}

fn string_type() -> proto::StringType {
    proto::StringType { collation: "UTF8_BINARY".to_owned(), ..proto::StringType::default() }
}

fn struct_type(fields: &Fields) -> proto::StructType {
    let field = |field: &Arc<Field>| proto::StructField {
        name: field.name().clone(),
        data_type: Some(to_proto(field.data_type())),
        nullable: field.is_nullable(),
        metadata: None,
    };
    proto::StructType { fields: fields.iter().map(field).collect(), ..Default::default() }
}

/// A schema as a message.
pub(super) fn schema_to_proto(schema: &Schema) -> proto::DataType {
    proto::DataType { kind: Some(DataTypeKind::Struct(struct_type(schema.fields()))) }
}

/// A type as DDL or as JSON; a list of fields is a struct.
pub(super) fn parse(text: &str) -> Result<DataType> {
    if text.len() > SCHEMA_CHARS_MAX {
        let most = SCHEMA_CHARS_MAX;
        return Err(SparkError::argument(format!("a schema of more than {most} characters")));
    }
    let text = text.trim();
    if text.starts_with('{') || text.starts_with('"') {
        let json: Value = serde_json::from_str(text)
            .map_err(|error| SparkError::argument(format!("the schema is no JSON: {error}")))?;
        return from_json(&json, 0);
    }
    Ddl::new(text).whole()
}

/// The fields of a schema.
pub(super) fn parse_schema(text: &str) -> Result<Schema> {
    match parse(text)? {
        DataType::Struct(fields) => Ok(Schema::new(fields)),
        other => Ok(Schema::new(vec![Field::new("value", other, true)])),
    }
}

fn too_deep() -> SparkError {
    SparkError::argument(format!("more than {DEPTH_MAX} types inside each other"))
}

fn from_json(json: &Value, depth: usize) -> Result<DataType> {
    if depth > DEPTH_MAX {
        return Err(too_deep());
    }
    let wrong = || {
        SparkError::argument(format!("Failed to convert the JSON string '{json}' to a data type."))
    };
    if let Some(name) = json.as_str() {
        return Ddl::new(name).whole();
    }
    let inner = |key: &str| from_json(json.get(key).ok_or_else(wrong)?, depth + 1);
    let flag = |key: &str| json.get(key).and_then(Value::as_bool).unwrap_or(true);
    match json.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let fields = json.get("fields").and_then(Value::as_array).ok_or_else(wrong)?;
            let field = |field: &Value| {
                let name = field.get("name").and_then(Value::as_str).ok_or_else(wrong)?;
                let data_type = from_json(field.get("type").ok_or_else(wrong)?, depth + 1)?;
                let nullable = field.get("nullable").and_then(Value::as_bool).unwrap_or(true);
                Ok(Field::new(name, data_type, nullable))
            };
            Ok(DataType::Struct(fields.iter().map(field).collect::<Result<Fields>>()?))
        }
        Some("array") => Ok(list_of(inner("elementType")?, flag("containsNull"))),
        Some("map") => {
            Ok(DataType::Map(map_entries(inner("keyType")?, inner("valueType")?), false))
        }
        _ => Err(wrong()),
    }
}

/// The type as Spark writes it in `simpleString`.
pub(super) fn simple_string(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "int".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float16 | DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp".to_owned(),
        DataType::Timestamp(_, None) => "timestamp_ntz".to_owned(),
        DataType::Duration(_) => "interval day to second".to_owned(),
        DataType::Interval(_) => "interval".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => {
            format!("array<{}>", simple_string(item.data_type()))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "map<{},{}>",
                simple_string(fields[0].data_type()),
                simple_string(fields[1].data_type())
            ),
            _ => "string".to_owned(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}:{}", field.name(), simple_string(field.data_type())))
                .collect();
            format!("struct<{}>", fields.join(","))
        }
        _ => "string".to_owned(),
    }
}

/// A schema as DDL.
pub(super) fn ddl_of(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => {
            let field = |field: &Arc<Field>| {
                let not_null = if field.is_nullable() { "" } else { " NOT NULL" };
                let name = field.name();
                let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let name = if plain { name.clone() } else { format!("`{name}`") };
                format!("{name} {}{not_null}", simple_string(field.data_type()).to_uppercase())
            };
            fields.iter().map(field).collect::<Vec<_>>().join(",")
        }
        other => simple_string(other).to_uppercase(),
    }
}

/// What `printSchema` shows; `level` is how deep it goes.
pub(super) fn tree_string(schema: &Schema, level: Option<i32>) -> String {
    let deepest = level.filter(|level| *level > 0).map_or(usize::MAX, |level| level as usize);
    let mut text = String::from("root\n");
    for field in schema.fields() {
        tree_field(field.name(), field.data_type(), field.is_nullable(), 1, deepest, &mut text);
    }
    text
}

fn tree_field(
    name: &str,
    data_type: &DataType,
    nullable: bool,
    depth: usize,
    deepest: usize,
    text: &mut String,
) {
    use std::fmt::Write as _;
    let kind = match data_type {
        DataType::Struct(_) => "struct".to_owned(),
        DataType::List(_) => "array".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        DataType::Int64 => "long".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int16 => "short".to_owned(),
        DataType::Int8 => "byte".to_owned(),
        other => simple_string(other),
    };
    let prefix = format!(" |{}-- ", "    |".repeat(depth - 1));
    let label = if ["element", "key", "value"].contains(&name) && depth > 1 {
        let word = if name == "element" { "containsNull" } else { "valueContainsNull" };
        match name {
            "key" => format!("{prefix}{name}: {kind}"),
            _ => format!("{prefix}{name}: {kind} ({word} = {nullable})"),
        }
    } else {
        format!("{prefix}{name}: {kind} (nullable = {nullable})")
    };
    let _ = writeln!(text, "{label}");
    if depth >= deepest {
        return;
    }
    match data_type {
        DataType::Struct(fields) => {
            for field in fields {
                let nullable = field.is_nullable();
                tree_field(field.name(), field.data_type(), nullable, depth + 1, deepest, text);
            }
        }
        DataType::List(item) => {
            let nullable = item.is_nullable();
            tree_field("element", item.data_type(), nullable, depth + 1, deepest, text);
        }
        DataType::Map(entries, _) => {
            if let DataType::Struct(fields) = entries.data_type() {
                for (name, field) in ["key", "value"].into_iter().zip(fields) {
                    let nullable = field.is_nullable();
                    tree_field(name, field.data_type(), nullable, depth + 1, deepest, text);
                }
            }
        }
        _ => {}
    }
}

/// Reads DDL.
struct Ddl<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Ddl<'a> {
    fn new(text: &'a str) -> Ddl<'a> {
        Ddl { text, at: 0 }
    }

    /// One type, or the fields of a struct.
    fn whole(mut self) -> Result<DataType> {
        let data_type = self.data_type(0);
        self.space();
        match data_type {
            Ok(data_type) if self.at == self.text.len() => Ok(data_type),
            Err(deep) if deep.kind == Kind::Argument => Err(deep),
            _ => {
                self.at = 0;
                let fields = self.fields(0, None)?;
                self.space();
                if self.at < self.text.len() {
                    return Err(self.wrong());
                }
                Ok(DataType::Struct(fields))
            }
        }
    }

    fn wrong(&self) -> SparkError {
        let rest = self.text[self.at..].trim_start();
        let near: String = rest.chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        let position = self.text[..self.at].chars().count() as u64;
        SparkError::syntax(&near, self.text, 1, position)
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.take(wanted) { Ok(()) } else { Err(self.wrong()) }
    }

    /// A word, or anything in backticks.
    fn name(&mut self) -> Result<String> {
        if self.take('`') {
            let rest = &self.text[self.at..];
            let end = rest.find('`').ok_or_else(|| self.wrong())?;
            self.at += end + 1;
            return Ok(rest[..end].to_owned());
        }
        self.space();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || c == '-'));
        let word = &rest[..end.unwrap_or(rest.len())];
        if word.is_empty() {
            return Err(self.wrong());
        }
        self.at += word.len();
        Ok(word.to_owned())
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.space();
        let rest = &self.text[self.at..];
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !rest[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if found {
            self.at += word.len();
        }
        found
    }

    fn fields(&mut self, depth: usize, end: Option<char>) -> Result<Fields> {
        let mut fields = Vec::new();
        if end.is_some_and(|end| self.peek() == Some(end)) {
            return Ok(Fields::empty());
        }
        loop {
            let name = self.name()?;
            self.take(':');
            let data_type = self.data_type(depth + 1)?;
            let not_null = self.keyword("NOT");
            if not_null && !self.keyword("NULL") {
                return Err(self.wrong());
            }
            if self.keyword("COMMENT") {
                self.comment()?;
            }
            fields.push(Field::new(name, data_type, !not_null));
            if !self.take(',') {
                return Ok(fields.into());
            }
        }
    }

    fn comment(&mut self) -> Result<()> {
        let quote = self.peek().filter(|quote| ['\'', '"'].contains(quote));
        let quote = quote.ok_or_else(|| self.wrong())?;
        self.at += 1;
        let end = self.text[self.at..].find(quote).ok_or_else(|| self.wrong())?;
        self.at += end + 1;
        Ok(())
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType> {
        if depth > DEPTH_MAX {
            return Err(too_deep());
        }
        let start = self.at;
        let name = self.name()?;
        Ok(match name.to_ascii_lowercase().as_str() {
            "string" => DataType::Utf8,
            "char" | "character" | "varchar" => {
                self.numbers()?;
                DataType::Utf8
            }
            "boolean" => DataType::Boolean,
            "tinyint" | "byte" => DataType::Int8,
            "smallint" | "short" => DataType::Int16,
            "int" | "integer" => DataType::Int32,
            "bigint" | "long" => DataType::Int64,
            "float" | "real" => DataType::Float32,
            "double" => DataType::Float64,
            "decimal" | "dec" | "numeric" => match self.numbers()?.as_slice() {
                [] => decimal_type(10, 0)?,
                [precision] => decimal_type(*precision, 0)?,
                [precision, scale, ..] => decimal_type(*precision, *scale)?,
            },
            "date" => DataType::Date32,
            "timestamp" | "timestamp_ltz" => timestamp(),
            "timestamp_ntz" => timestamp_ntz(),
            "binary" => DataType::Binary,
            "void" | "null" => DataType::Null,
            "array" => {
                self.expect('<')?;
                let item = self.data_type(depth + 1)?;
                self.expect('>')?;
                list_of(item, true)
            }
            "map" => {
                self.expect('<')?;
                let key = self.data_type(depth + 1)?;
                self.expect(',')?;
                let value = self.data_type(depth + 1)?;
                self.expect('>')?;
                DataType::Map(map_entries(key, value), false)
            }
            "struct" => {
                self.expect('<')?;
                let fields = self.fields(depth, Some('>'))?;
                self.expect('>')?;
                DataType::Struct(fields)
            }
            _ => {
                let position = self.text[..start].chars().count() as u64;
                let shown = name.to_uppercase();
                let text = format!("Unsupported data type \"{shown}\" at position {position}.");
                return Err(SparkError::new(Kind::Parse, "UNSUPPORTED_DATATYPE", "0A000", &text)
                    .with("typeName", format!("\"{shown}\"")));
            }
        })
    }

    /// `(10, 2)`, or nothing.
    fn numbers(&mut self) -> Result<Vec<i32>> {
        let mut numbers = Vec::new();
        if !self.take('(') {
            return Ok(numbers);
        }
        loop {
            let number = self.name()?.parse().map_err(|_| self.wrong())?;
            numbers.push(number);
            if !self.take(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_reads_the_same_from_ddl_and_from_json() {
        let ddl = "id STRING NOT NULL, `post code` int COMMENT 'a', tags array<struct<k:string,v:decimal(5,2)>>, \
                   m map<string,timestamp>";
        let json = r#"{"type":"struct","fields":[
            {"name":"id","type":"string","nullable":false,"metadata":{}},
            {"name":"post code","type":"integer","nullable":true},
            {"name":"tags","type":{"type":"array","containsNull":true,"elementType":{"type":"struct","fields":[
                {"name":"k","type":"string","nullable":true},{"name":"v","type":"decimal(5,2)","nullable":true}]}}},
            {"name":"m","type":{"type":"map","keyType":"string","valueType":"timestamp","valueContainsNull":true}}]}"#;
        let from_ddl = parse(ddl).unwrap();
        assert_eq!(from_ddl, parse(json).unwrap());
        assert_eq!(
            simple_string(&from_ddl),
            "struct<id:string,post code:int,tags:array<struct<k:string,v:decimal(5,2)>>,m:map<string,timestamp>>"
        );
        assert_eq!(from_proto(&to_proto(&from_ddl)).unwrap(), from_ddl);
    }

    #[test]
    fn a_wrong_schema_says_where() {
        let error = parse("id STRING, age").unwrap_err();
        assert_eq!(error.class, "PARSE_SYNTAX_ERROR");
        assert_eq!(parse("id blob").unwrap_err().class, "UNSUPPORTED_DATATYPE");
        let deep = "array<".repeat(50) + "int" + &">".repeat(50);
        assert!(parse(&deep).unwrap_err().message.contains("inside each other"));
    }
}
