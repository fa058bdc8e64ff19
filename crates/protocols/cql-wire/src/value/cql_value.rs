//! A value that somebody looked into.

use std::net::IpAddr;

use bigdecimal::BigDecimal;
use bytes::Bytes;
use num_bigint::BigInt;
use uuid::Uuid;

/// Months, days and nanoseconds: a month has no fixed number of days, a day no fixed number of
/// nanoseconds. All three have the same sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CqlDuration {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Nanoseconds.
    pub nanoseconds: i64,
}

/// A value of any CQL type. Collections hold no nulls; tuples and user-defined types may.
#[derive(Debug, Clone, PartialEq)]
pub enum CqlValue {
    /// `ascii`.
    Ascii(String),
    /// `bigint`.
    Bigint(i64),
    /// `blob`, and classes of the server's own.
    Blob(Bytes),
    /// `boolean`.
    Boolean(bool),
    /// `counter`.
    Counter(i64),
    /// `date`: days, 1970-01-01 is 2^31.
    Date(u32),
    /// `decimal`.
    Decimal(BigDecimal),
    /// `double`.
    Double(f64),
    /// `duration`.
    Duration(CqlDuration),
    /// `float`.
    Float(f32),
    /// `inet`.
    Inet(IpAddr),
    /// `int`.
    Int(i32),
    /// `smallint`.
    Smallint(i16),
    /// `text`.
    Text(String),
    /// `time`: nanoseconds since midnight.
    Time(i64),
    /// `timestamp`: milliseconds since 1970.
    Timestamp(i64),
    /// `timeuuid`.
    Timeuuid(Uuid),
    /// `tinyint`.
    Tinyint(i8),
    /// `uuid`.
    Uuid(Uuid),
    /// `varint`.
    Varint(BigInt),
    /// `list<…>`.
    List(Vec<CqlValue>),
    /// `set<…>`, in the order of the encoding.
    Set(Vec<CqlValue>),
    /// `map<…, …>`, in the order of the encoding.
    Map(Vec<(CqlValue, CqlValue)>),
    /// `tuple<…>`; fields left out at the end are missing.
    Tuple(Vec<Option<CqlValue>>),
    /// A user-defined type's fields in order; those left out at the end are missing.
    Udt(Vec<Option<CqlValue>>),
    /// `vector<…, n>`.
    Vector(Vec<CqlValue>),
    /// No bytes, where the type allows that.
    Empty,
}
