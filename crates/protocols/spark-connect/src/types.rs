//! Types of columns, and what several messages share.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use super::*;

/// Message `spark.connect.DataType`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DataType {
    #[prost(
        oneof = "DataTypeKind",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 25, 23, 26, 27, 24, 28"
    )]
    pub kind: Option<DataTypeKind>,
}

/// The kinds of `DataType` (`kind`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum DataTypeKind {
    #[prost(message, tag = "1")]
    Null(NullType),
    #[prost(message, tag = "2")]
    Binary(BinaryType),
    #[prost(message, tag = "3")]
    Boolean(BooleanType),
    #[prost(message, tag = "4")]
    Byte(ByteType),
    #[prost(message, tag = "5")]
    Short(ShortType),
    #[prost(message, tag = "6")]
    Integer(IntegerType),
    #[prost(message, tag = "7")]
    Long(LongType),
    #[prost(message, tag = "8")]
    Float(FloatType),
    #[prost(message, tag = "9")]
    Double(DoubleType),
    #[prost(message, tag = "10")]
    Decimal(DecimalType),
    #[prost(message, tag = "11")]
    String(StringType),
    #[prost(message, tag = "12")]
    Char(CharType),
    #[prost(message, tag = "13")]
    VarChar(VarCharType),
    #[prost(message, tag = "14")]
    Date(DateType),
    #[prost(message, tag = "15")]
    Timestamp(TimestampType),
    #[prost(message, tag = "16")]
    TimestampNtz(TimestampNtzType),
    #[prost(message, tag = "17")]
    CalendarInterval(CalendarIntervalType),
    #[prost(message, tag = "18")]
    YearMonthInterval(YearMonthIntervalType),
    #[prost(message, tag = "19")]
    DayTimeInterval(DayTimeIntervalType),
    #[prost(message, tag = "20")]
    Array(Box<ArrayType>),
    #[prost(message, tag = "21")]
    Struct(StructType),
    #[prost(message, tag = "22")]
    Map(Box<MapType>),
    #[prost(message, tag = "25")]
    Variant(Opaque),
    #[prost(message, tag = "23")]
    Udt(Opaque),
    #[prost(message, tag = "26")]
    Geometry(Opaque),
    #[prost(message, tag = "27")]
    Geography(Opaque),
    #[prost(message, tag = "24")]
    Unparsed(UnparsedType),
    #[prost(message, tag = "28")]
    Time(TimeType),
}

impl DataTypeKind {
    /// The protocol's name of the kind, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            DataTypeKind::Null(_) => "null",
            DataTypeKind::Binary(_) => "binary",
            DataTypeKind::Boolean(_) => "boolean",
            DataTypeKind::Byte(_) => "byte",
            DataTypeKind::Short(_) => "short",
            DataTypeKind::Integer(_) => "integer",
            DataTypeKind::Long(_) => "long",
            DataTypeKind::Float(_) => "float",
            DataTypeKind::Double(_) => "double",
            DataTypeKind::Decimal(_) => "decimal",
            DataTypeKind::String(_) => "string",
            DataTypeKind::Char(_) => "char",
            DataTypeKind::VarChar(_) => "var_char",
            DataTypeKind::Date(_) => "date",
            DataTypeKind::Timestamp(_) => "timestamp",
            DataTypeKind::TimestampNtz(_) => "timestamp_ntz",
            DataTypeKind::CalendarInterval(_) => "calendar_interval",
            DataTypeKind::YearMonthInterval(_) => "year_month_interval",
            DataTypeKind::DayTimeInterval(_) => "day_time_interval",
            DataTypeKind::Array(_) => "array",
            DataTypeKind::Struct(_) => "struct",
            DataTypeKind::Map(_) => "map",
            DataTypeKind::Variant(_) => "variant",
            DataTypeKind::Udt(_) => "udt",
            DataTypeKind::Geometry(_) => "geometry",
            DataTypeKind::Geography(_) => "geography",
            DataTypeKind::Unparsed(_) => "unparsed",
            DataTypeKind::Time(_) => "time",
        }
    }
}

/// Message `spark.connect.DataType.NULL`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct NullType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Binary`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct BinaryType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Boolean`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct BooleanType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Byte`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ByteType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Short`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ShortType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Integer`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct IntegerType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Long`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LongType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Float`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct FloatType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Double`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DoubleType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Decimal`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DecimalType {
    #[prost(int32, optional, tag = "1")]
    pub scale: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub precision: Option<i32>,
    #[prost(uint32, tag = "3")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.String`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StringType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
    #[prost(string, tag = "2")]
    pub collation: String,
}

/// Message `spark.connect.DataType.Char`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CharType {
    #[prost(int32, tag = "1")]
    pub length: i32,
    #[prost(uint32, tag = "2")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.VarChar`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct VarCharType {
    #[prost(int32, tag = "1")]
    pub length: i32,
    #[prost(uint32, tag = "2")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Date`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DateType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Timestamp`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct TimestampType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.TimestampNTZ`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct TimestampNtzType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.CalendarInterval`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CalendarIntervalType {
    #[prost(uint32, tag = "1")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.YearMonthInterval`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct YearMonthIntervalType {
    #[prost(int32, optional, tag = "1")]
    pub start_field: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub end_field: Option<i32>,
    #[prost(uint32, tag = "3")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.DayTimeInterval`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DayTimeIntervalType {
    #[prost(int32, optional, tag = "1")]
    pub start_field: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub end_field: Option<i32>,
    #[prost(uint32, tag = "3")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Array`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArrayType {
    #[prost(message, optional, boxed, tag = "1")]
    pub element_type: Option<Box<DataType>>,
    #[prost(bool, tag = "2")]
    pub contains_null: bool,
    #[prost(uint32, tag = "3")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Struct`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StructType {
    #[prost(message, repeated, tag = "1")]
    pub fields: Vec<StructField>,
    #[prost(uint32, tag = "2")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Map`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MapType {
    #[prost(message, optional, boxed, tag = "1")]
    pub key_type: Option<Box<DataType>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub value_type: Option<Box<DataType>>,
    #[prost(bool, tag = "3")]
    pub value_contains_null: bool,
    #[prost(uint32, tag = "4")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.Unparsed`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnparsedType {
    #[prost(string, tag = "1")]
    pub data_type_string: String,
}

/// Message `spark.connect.DataType.Time`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct TimeType {
    #[prost(int32, optional, tag = "1")]
    pub precision: Option<i32>,
    #[prost(uint32, tag = "2")]
    pub type_variation_reference: u32,
}

/// Message `spark.connect.DataType.StructField`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StructField {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub data_type: Option<DataType>,
    #[prost(bool, tag = "3")]
    pub nullable: bool,
    #[prost(string, optional, tag = "4")]
    pub metadata: Option<String>,
}

/// Message `spark.connect.StorageLevel`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StorageLevel {
    #[prost(bool, tag = "1")]
    pub use_disk: bool,
    #[prost(bool, tag = "2")]
    pub use_memory: bool,
    #[prost(bool, tag = "3")]
    pub use_off_heap: bool,
    #[prost(bool, tag = "4")]
    pub deserialized: bool,
    #[prost(int32, tag = "5")]
    pub replication: i32,
}

/// Message `spark.connect.Bools`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Bools {
    #[prost(bool, repeated, tag = "1")]
    pub values: Vec<bool>,
}

/// Message `spark.connect.Ints`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Ints {
    #[prost(int32, repeated, tag = "1")]
    pub values: Vec<i32>,
}

/// Message `spark.connect.Longs`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Longs {
    #[prost(int64, repeated, tag = "1")]
    pub values: Vec<i64>,
}

/// Message `spark.connect.Floats`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Floats {
    #[prost(float, repeated, tag = "1")]
    pub values: Vec<f32>,
}

/// Message `spark.connect.Doubles`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Doubles {
    #[prost(double, repeated, tag = "1")]
    pub values: Vec<f64>,
}

/// Message `spark.connect.Strings`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Strings {
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}
