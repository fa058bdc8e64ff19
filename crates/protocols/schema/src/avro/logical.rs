//! Logical types: what the values of a type mean to people.
//! Spec: <https://avro.apache.org/docs/1.12.0/specification/#logical-types>

use super::{Fixed, Kind, Node, NodeId, Schema};
use crate::json::{Json, Members};

/// The meaning of a type's values. A reader that does not know one reads the type below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    /// A number of `precision` decimal digits, `scale` of them after the point.
    Decimal {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A number that carries its scale.
    BigDecimal,
    /// A UUID, as text or as 16 bytes.
    Uuid,
    /// Days since 1970-01-01.
    Date,
    /// Milliseconds since midnight.
    TimeMillis,
    /// Microseconds since midnight.
    TimeMicros,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    TimestampMillis,
    /// Microseconds since 1970-01-01T00:00:00Z.
    TimestampMicros,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    TimestampNanos,
    /// Milliseconds since 1970-01-01T00:00:00 on the local clock.
    LocalTimestampMillis,
    /// Microseconds since 1970-01-01T00:00:00 on the local clock.
    LocalTimestampMicros,
    /// Nanoseconds since 1970-01-01T00:00:00 on the local clock.
    LocalTimestampNanos,
    /// Months, days and milliseconds, 4 bytes each, little-endian.
    Duration,
}

impl Logical {
    /// Its value of `logicalType`.
    pub fn name(self) -> &'static str {
        match self {
            Logical::Decimal { .. } => "decimal",
            Logical::BigDecimal => "big-decimal",
            Logical::Uuid => "uuid",
            Logical::Date => "date",
            Logical::TimeMillis => "time-millis",
            Logical::TimeMicros => "time-micros",
            Logical::TimestampMillis => "timestamp-millis",
            Logical::TimestampMicros => "timestamp-micros",
            Logical::TimestampNanos => "timestamp-nanos",
            Logical::LocalTimestampMillis => "local-timestamp-millis",
            Logical::LocalTimestampMicros => "local-timestamp-micros",
            Logical::LocalTimestampNanos => "local-timestamp-nanos",
            Logical::Duration => "duration",
        }
    }
}

impl Schema {
    /// The logical type of a type; none if it names none, or one that does not fit.
    pub fn logical(&self, id: NodeId) -> Option<Logical> {
        of(self.node(id))
    }
}

pub(super) fn of(node: &Node) -> Option<Logical> {
    let name = node.properties.get("logicalType").and_then(Json::as_text)?;
    let found = match (name, &node.kind) {
        ("decimal", Kind::Bytes | Kind::Fixed(_)) => decimal(&node.kind, &node.properties)?,
        ("big-decimal", Kind::Bytes) => Logical::BigDecimal,
        ("uuid", Kind::String | Kind::Fixed(Fixed { size: 16, .. })) => Logical::Uuid,
        ("date", Kind::Int) => Logical::Date,
        ("time-millis", Kind::Int) => Logical::TimeMillis,
        ("time-micros", Kind::Long) => Logical::TimeMicros,
        ("timestamp-millis", Kind::Long) => Logical::TimestampMillis,
        ("timestamp-micros", Kind::Long) => Logical::TimestampMicros,
        ("timestamp-nanos", Kind::Long) => Logical::TimestampNanos,
        ("local-timestamp-millis", Kind::Long) => Logical::LocalTimestampMillis,
        ("local-timestamp-micros", Kind::Long) => Logical::LocalTimestampMicros,
        ("local-timestamp-nanos", Kind::Long) => Logical::LocalTimestampNanos,
        ("duration", Kind::Fixed(Fixed { size: 12, .. })) => Logical::Duration,
        _ => return None,
    };
    Some(found)
}

fn decimal(kind: &Kind, properties: &Members) -> Option<Logical> {
    let number = |name: &str| match properties.get(name) {
        Some(Json::Int(value)) => u32::try_from(*value).ok().filter(|n| *n <= i32::MAX as u32),
        _ => None,
    };
    let precision = number("precision").filter(|precision| *precision > 0)?;
    let scale = if properties.get("scale").is_some() { number("scale")? } else { 0 };
    let fits = match kind {
        // As many digits as every number of that many bytes has at least.
        Kind::Fixed(fixed) => {
            let bits = 8.0 * fixed.size as f64 - 1.0;
            f64::from(precision) <= (2f64.log10() * bits).floor()
        }
        _ => true,
    };
    (fits && scale <= precision).then_some(Logical::Decimal { precision, scale })
}
