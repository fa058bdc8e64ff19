//! Type descriptions, as result metadata carries them (`[option]`, spec section 4.2.5.2).

mod class_name;
mod option;

use std::fmt;
use std::sync::Arc;

pub(crate) use option::{read_type, write_type};

/// How deep types may nest. Cassandra knows no limit; a description this deep is an attack.
const TYPE_DEPTH_MAX: usize = 64;

/// A user-defined type: its name and fields in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UdtType {
    /// The keyspace it lives in.
    pub keyspace: String,
    /// Its name.
    pub name: String,
    /// Names and types, in the order of the encoding.
    pub fields: Vec<(String, CqlType)>,
}

/// A CQL type. Whether a collection is frozen does not travel and is not said here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CqlType {
    /// US-ASCII text.
    Ascii,
    /// Signed 64 bits.
    Bigint,
    /// Any bytes.
    Blob,
    /// One byte, 0 or 1.
    Boolean,
    /// A 64 bit counter.
    Counter,
    /// Days since -2^31, where 1970-01-01 is 2^31.
    Date,
    /// A scale of 32 bits and a varint.
    Decimal,
    /// IEEE 754, 64 bits.
    Double,
    /// Months, days, nanoseconds.
    Duration,
    /// IEEE 754, 32 bits.
    Float,
    /// An IPv4 or IPv6 address.
    Inet,
    /// Signed 32 bits.
    Int,
    /// Signed 16 bits.
    Smallint,
    /// UTF-8 text.
    Text,
    /// Nanoseconds since midnight.
    Time,
    /// Milliseconds since 1970.
    Timestamp,
    /// A version 1 UUID, ordered by its time.
    Timeuuid,
    /// Signed 8 bits.
    Tinyint,
    /// A UUID of any version.
    Uuid,
    /// A signed number of any size.
    Varint,
    /// An ordered collection.
    List(Box<CqlType>),
    /// A sorted collection of distinct elements.
    Set(Box<CqlType>),
    /// A collection sorted by key.
    Map(Box<CqlType>, Box<CqlType>),
    /// Fields without names.
    Tuple(Vec<CqlType>),
    /// Fields with names.
    Udt(Arc<UdtType>),
    /// A fixed number of elements.
    Vector(Box<CqlType>, u16),
    /// A class of the server's own, by its full name.
    Custom(String),
}

/// Natives: option id, CQL name, class name, fixed length of a value in bytes.
type Native = (CqlType, u16, &'static str, &'static str, Option<usize>);

static NATIVES: [Native; 20] = [
    (CqlType::Ascii, 0x01, "ascii", "AsciiType", None),
    (CqlType::Bigint, 0x02, "bigint", "LongType", Some(8)),
    (CqlType::Blob, 0x03, "blob", "BytesType", None),
    (CqlType::Boolean, 0x04, "boolean", "BooleanType", Some(1)),
    (CqlType::Counter, 0x05, "counter", "CounterColumnType", Some(8)),
    (CqlType::Decimal, 0x06, "decimal", "DecimalType", None),
    (CqlType::Double, 0x07, "double", "DoubleType", Some(8)),
    (CqlType::Float, 0x08, "float", "FloatType", Some(4)),
    (CqlType::Int, 0x09, "int", "Int32Type", Some(4)),
    (CqlType::Timestamp, 0x0B, "timestamp", "TimestampType", Some(8)),
    (CqlType::Uuid, 0x0C, "uuid", "UUIDType", Some(16)),
    (CqlType::Text, 0x0D, "text", "UTF8Type", None),
    (CqlType::Varint, 0x0E, "varint", "IntegerType", None),
    (CqlType::Timeuuid, 0x0F, "timeuuid", "TimeUUIDType", Some(16)),
    (CqlType::Inet, 0x10, "inet", "InetAddressType", None),
    // Cassandra's own SimpleDate, Time, Short and Byte types count as variable in a vector.
    (CqlType::Date, 0x11, "date", "SimpleDateType", None),
    (CqlType::Time, 0x12, "time", "TimeType", None),
    (CqlType::Smallint, 0x13, "smallint", "ShortType", None),
    (CqlType::Tinyint, 0x14, "tinyint", "ByteType", None),
    (CqlType::Duration, 0x15, "duration", "DurationType", None),
];

impl CqlType {
    fn native(&self) -> Option<&'static Native> {
        NATIVES.iter().find(|native| native.0 == *self)
    }

    /// The native type of this CQL name (lower case); `varchar` is `text`.
    pub fn native_named(name: &str) -> Option<CqlType> {
        if name == "varchar" {
            return Some(CqlType::Text);
        }
        NATIVES.iter().find(|native| native.2 == name).map(|native| native.0.clone())
    }

    /// The length of an element in a vector, if all values have the same.
    pub fn fixed_bytes(&self) -> Option<usize> {
        match self {
            CqlType::Vector(element, dimension) => {
                element.fixed_bytes().map(|bytes| bytes * usize::from(*dimension))
            }
            native => native.native().and_then(|native| native.4),
        }
    }

    /// Whether it is a list, a set or a map.
    pub fn is_collection(&self) -> bool {
        matches!(self, CqlType::List(_) | CqlType::Set(_) | CqlType::Map(..))
    }

    /// The class name Cassandra uses for it, as custom types are described.
    pub fn class_name(&self) -> String {
        class_name::class_name(self)
    }

    /// The type of a class name; what is not known stays [`CqlType::Custom`].
    pub fn from_class_name(name: &str) -> CqlType {
        class_name::parse(name).unwrap_or_else(|| CqlType::Custom(name.to_owned()))
    }
}

impl fmt::Display for CqlType {
    /// As CQL writes it, without `frozen`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CqlType::List(element) => write!(f, "list<{element}>"),
            CqlType::Set(element) => write!(f, "set<{element}>"),
            CqlType::Map(key, value) => write!(f, "map<{key}, {value}>"),
            CqlType::Vector(element, dimension) => write!(f, "vector<{element}, {dimension}>"),
            CqlType::Udt(udt) => f.write_str(&udt.name),
            CqlType::Custom(class) => write!(f, "'{class}'"),
            CqlType::Tuple(fields) => {
                f.write_str("tuple<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{field}")?;
                }
                f.write_str(">")
            }
            native => f.write_str(native.native().map_or("", |native| native.2)),
        }
    }
}
