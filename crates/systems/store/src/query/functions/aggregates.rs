//! `count`, `min`, `max`, `sum`, `avg`.

use bigdecimal::{BigDecimal, RoundingMode};
use bytes::Bytes;
use num_bigint::BigInt;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::{CqlValue, encode};

use super::arithmetic::{apply, divide, operand};
use super::cast::count_bytes;
use crate::error::CqlError;
use crate::storage::byte_comparable::compare;

/// Which aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    /// How many values.
    Count,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// All values together.
    Sum,
    /// Their mean; whole numbers give whole means.
    Avg,
}

/// The aggregate of a name and the type it gives for an argument's type.
pub(crate) fn aggregate(name: &str, argument: &CqlType) -> Option<(Aggregate, CqlType)> {
    let is_number = super::arithmetic::check('+', argument).is_ok();
    let found = match name {
        "count" => return Some((Aggregate::Count, CqlType::Bigint)),
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "sum" if is_number => Aggregate::Sum,
        "avg" if is_number => Aggregate::Avg,
        _ => return None,
    };
    Some((found, argument.clone()))
}

/// Types `sum` and `avg` take, in the order Cassandra lists them.
const SUMMED: [CqlType; 9] = [
    CqlType::Varint,
    CqlType::Smallint,
    CqlType::Tinyint,
    CqlType::Bigint,
    CqlType::Float,
    CqlType::Int,
    CqlType::Double,
    CqlType::Decimal,
    CqlType::Counter,
];

/// What is said when `sum` or `avg` gets something else.
pub(crate) fn no_aggregate(name: &str) -> CqlError {
    let signatures: Vec<_> =
        SUMMED.iter().map(|cql| format!("system.{name} : ({cql}) -> {cql}")).collect();
    CqlError::invalid(format!(
        "Invalid call to function {name}, none of its type signatures match (known type \
         signatures: {})",
        signatures.join(", ")
    ))
}

/// What an aggregate has seen of one group.
#[derive(Debug, Clone)]
pub(crate) struct AggregateState {
    kind: Aggregate,
    cql: CqlType,
    count: u64,
    value: Option<Bytes>,
    /// For the mean: a sum that cannot overflow.
    sum: Option<Sum>,
}

#[derive(Debug, Clone)]
enum Sum {
    Whole(BigInt),
    Decimal(BigDecimal),
    Real(f64),
}

impl AggregateState {
    /// Nothing seen.
    pub(crate) fn new(kind: Aggregate, cql: CqlType) -> AggregateState {
        AggregateState { kind, cql, count: 0, value: None, sum: None }
    }

    /// Sees one value; nulls do not count.
    pub(crate) fn add(&mut self, value: Option<Bytes>) -> Result<(), CqlError> {
        let Some(value) = value else { return Ok(()) };
        self.count += 1;
        match self.kind {
            Aggregate::Count => {}
            Aggregate::Avg => self.add_to_sum(&value)?,
            Aggregate::Sum => {
                self.value = Some(match &self.value {
                    Some(sum) => apply('+', &self.cql, sum, &value)?,
                    None => value,
                });
            }
            Aggregate::Min | Aggregate::Max => {
                let better = |known: &Bytes| {
                    let order = compare(&self.cql, &value, known);
                    if self.kind == Aggregate::Min { order.is_lt() } else { order.is_gt() }
                };
                if self.value.as_ref().is_none_or(better) {
                    self.value = Some(value);
                }
            }
        }
        Ok(())
    }

    fn add_to_sum(&mut self, value: &Bytes) -> Result<(), CqlError> {
        let value = operand(&self.cql, value)?;
        let one = match value {
            CqlValue::Tinyint(n) => Sum::Whole(n.into()),
            CqlValue::Smallint(n) => Sum::Whole(n.into()),
            CqlValue::Int(n) => Sum::Whole(n.into()),
            CqlValue::Bigint(n) | CqlValue::Counter(n) => Sum::Whole(n.into()),
            CqlValue::Varint(n) => Sum::Whole(n),
            CqlValue::Decimal(n) => Sum::Decimal(n),
            CqlValue::Float(n) => Sum::Real(f64::from(n)),
            CqlValue::Double(n) => Sum::Real(n),
            _ => return Ok(()),
        };
        self.sum = Some(match (self.sum.take(), one) {
            (Some(Sum::Whole(a)), Sum::Whole(b)) => Sum::Whole(a + b),
            (Some(Sum::Decimal(a)), Sum::Decimal(b)) => Sum::Decimal(a + b),
            (Some(Sum::Real(a)), Sum::Real(b)) => Sum::Real(a + b),
            (_, one) => one,
        });
        Ok(())
    }

    /// What it comes to.
    pub(crate) fn finish(&self) -> Option<Bytes> {
        match self.kind {
            Aggregate::Count => Some(count_bytes(self.count)),
            Aggregate::Min | Aggregate::Max => self.value.clone(),
            // A sum and a mean of nothing are zero.
            Aggregate::Sum => self.value.clone().or_else(|| super::from_text(&self.cql, "0").ok()),
            Aggregate::Avg => Some(self.mean()),
        }
    }

    fn mean(&self) -> Bytes {
        use bigdecimal::ToPrimitive as _;
        let Some(sum) = &self.sum else {
            return super::from_text(&self.cql, "0").unwrap_or_default();
        };
        let value = match sum {
            Sum::Real(sum) => {
                let mean = sum / self.count as f64;
                if self.cql == CqlType::Float {
                    CqlValue::Float(mean as f32)
                } else {
                    CqlValue::Double(mean)
                }
            }
            Sum::Decimal(sum) => {
                // The mean keeps the sum's digits behind the point, as Java's division does.
                let (_, scale) = sum.as_bigint_and_exponent();
                let mean = divide(sum, &BigDecimal::from(self.count));
                CqlValue::Decimal(mean.with_scale_round(scale, RoundingMode::HalfEven))
            }
            Sum::Whole(sum) => {
                let mean = sum / BigInt::from(self.count);
                let small = mean.to_i64().unwrap_or_default();
                match self.cql {
                    CqlType::Tinyint => CqlValue::Tinyint(small as i8),
                    CqlType::Smallint => CqlValue::Smallint(small as i16),
                    CqlType::Int => CqlValue::Int(small as i32),
                    CqlType::Varint => CqlValue::Varint(mean),
                    _ => CqlValue::Bigint(small),
                }
            }
        };
        encode(&self.cql, &value)
    }
}
