//! Numbers: `+ - * / %`, and `abs`, `exp`, `log`, `log10`, `round`.

use bigdecimal::{BigDecimal, RoundingMode, Signed as _, Zero as _};
use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::{CqlValue, decode, encode};

use super::Function;
use crate::error::CqlError;
use crate::schema::types::plain_text;

/// The largest scale of a decimal that is computed with: beyond it a few bytes stand for more digits
/// than memory holds.
const DECIMAL_SCALE_MAX: i64 = 10_000;
/// Digits behind the point that a division of decimals keeps.
const DECIMAL_SCALE: i64 = 32;

const NUMBERS: [CqlType; 8] = [
    CqlType::Tinyint,
    CqlType::Smallint,
    CqlType::Int,
    CqlType::Bigint,
    CqlType::Float,
    CqlType::Double,
    CqlType::Varint,
    CqlType::Decimal,
];

/// Whether a type can be computed with.
pub(crate) fn check(symbol: char, cql: &CqlType) -> Result<(), CqlError> {
    if NUMBERS.contains(cql) || *cql == CqlType::Counter {
        return Ok(());
    }
    Err(CqlError::invalid(format!(
        "the '{symbol}' operation is not supported between operands of type {}",
        plain_text(cql)
    )))
}

fn failed(symbol: char, why: &str) -> CqlError {
    CqlError::invalid(format!("the operation '{symbol}' failed: {why}"))
}

/// A value to compute with.
pub(super) fn operand(cql: &CqlType, bytes: &Bytes) -> Result<CqlValue, CqlError> {
    let value = decode(cql, bytes).map_err(|error| CqlError::invalid(error.to_string()))?;
    if let CqlValue::Decimal(number) = &value
        && number.as_bigint_and_exponent().1.abs() > DECIMAL_SCALE_MAX
    {
        return Err(CqlError::invalid(format!(
            "a decimal with a scale beyond {DECIMAL_SCALE_MAX} cannot be computed with"
        )));
    }
    Ok(value)
}

/// Two numbers of one type. Whole numbers wrap around as Java's do.
pub(crate) fn apply(symbol: char, cql: &CqlType, a: &Bytes, b: &Bytes) -> Result<Bytes, CqlError> {
    let read = |bytes| operand(cql, bytes);
    macro_rules! whole {
        ($variant:ident, $x:expr, $y:expr) => {{
            let (x, y) = ($x, $y);
            CqlValue::$variant(match symbol {
                '+' => x.wrapping_add(y),
                '-' => x.wrapping_sub(y),
                '*' => x.wrapping_mul(y),
                _ if y == 0 => return Err(failed(symbol, "/ by zero")),
                '/' => x.wrapping_div(y),
                _ => x.wrapping_rem(y),
            })
        }};
    }
    macro_rules! fraction {
        ($variant:ident, $x:expr, $y:expr) => {
            CqlValue::$variant(match symbol {
                '+' => $x + $y,
                '-' => $x - $y,
                '*' => $x * $y,
                '/' => $x / $y,
                _ => $x % $y,
            })
        };
    }
    let value = match (read(a)?, read(b)?) {
        (CqlValue::Tinyint(x), CqlValue::Tinyint(y)) => whole!(Tinyint, x, y),
        (CqlValue::Smallint(x), CqlValue::Smallint(y)) => whole!(Smallint, x, y),
        (CqlValue::Int(x), CqlValue::Int(y)) => whole!(Int, x, y),
        (CqlValue::Bigint(x), CqlValue::Bigint(y)) => whole!(Bigint, x, y),
        (CqlValue::Counter(x), CqlValue::Counter(y)) => whole!(Counter, x, y),
        (CqlValue::Float(x), CqlValue::Float(y)) => fraction!(Float, x, y),
        (CqlValue::Double(x), CqlValue::Double(y)) => fraction!(Double, x, y),
        (CqlValue::Varint(x), CqlValue::Varint(y)) => CqlValue::Varint(match symbol {
            '+' => x + y,
            '-' => x - y,
            '*' => x * y,
            _ if y.is_zero() => return Err(failed(symbol, "BigInteger divide by zero")),
            '/' => x / y,
            _ => x % y,
        }),
        (CqlValue::Decimal(x), CqlValue::Decimal(y)) => CqlValue::Decimal(match symbol {
            '+' => x + y,
            '-' => x - y,
            '*' => x * y,
            _ if y.is_zero() => return Err(failed(symbol, "BigInteger divide by zero")),
            '/' => divide(&x, &y),
            _ => x % y,
        }),
        _ => return Ok(Bytes::new()),
    };
    Ok(encode(cql, &value))
}

/// A quotient with as many digits as are needed, up to the limit.
pub(super) fn divide(x: &BigDecimal, y: &BigDecimal) -> BigDecimal {
    (x / y).with_scale_round(DECIMAL_SCALE, RoundingMode::HalfUp).normalized()
}

pub(super) fn named(name: &str) -> Vec<Function> {
    if !["abs", "exp", "log", "log10", "round"].contains(&name) {
        return Vec::new();
    }
    let name = name.to_owned();
    let one = |cql: &CqlType| {
        let (kind, name) = (cql.clone(), name.clone());
        Function::new(vec![cql.clone()], cql.clone(), move |arguments, _| {
            let value = operand(&kind, &arguments[0])?;
            Ok(Some(encode(&kind, &compute(&name, value))))
        })
    };
    NUMBERS.iter().map(one).collect()
}

fn compute(name: &str, value: CqlValue) -> CqlValue {
    let real = |number: f64| match name {
        "abs" => number.abs(),
        "exp" => number.exp(),
        "log" => number.ln(),
        "log10" => number.log10(),
        _ => (number + 0.5).floor(),
    };
    // A whole number stays whole; its absolute value and rounding need no fractions.
    let exact = name == "abs" || name == "round";
    match value {
        CqlValue::Tinyint(n) if exact => {
            CqlValue::Tinyint(if name == "abs" { n.wrapping_abs() } else { n })
        }
        CqlValue::Smallint(n) if exact => {
            CqlValue::Smallint(if name == "abs" { n.wrapping_abs() } else { n })
        }
        CqlValue::Int(n) if exact => {
            CqlValue::Int(if name == "abs" { n.wrapping_abs() } else { n })
        }
        CqlValue::Bigint(n) if exact => {
            CqlValue::Bigint(if name == "abs" { n.wrapping_abs() } else { n })
        }
        CqlValue::Tinyint(n) => CqlValue::Tinyint(real(f64::from(n)) as i8),
        CqlValue::Smallint(n) => CqlValue::Smallint(real(f64::from(n)) as i16),
        CqlValue::Int(n) => CqlValue::Int(real(f64::from(n)) as i32),
        CqlValue::Bigint(n) => CqlValue::Bigint(real(n as f64) as i64),
        CqlValue::Float(n) => CqlValue::Float(real(f64::from(n)) as f32),
        CqlValue::Double(n) => CqlValue::Double(real(n)),
        CqlValue::Varint(n) if name == "abs" => CqlValue::Varint(n.abs()),
        CqlValue::Decimal(n) if name == "abs" => CqlValue::Decimal(n.abs()),
        CqlValue::Decimal(n) if name == "round" => {
            CqlValue::Decimal(n.with_scale_round(0, RoundingMode::HalfUp))
        }
        other => other,
    }
}
