//! Configuration values that carry their unit: `"64MiB"`, `"30s"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a value with a unit could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {kind}; write a number with a unit, such as {example}")]
pub struct UnitError {
    value: String,
    kind: &'static str,
    example: &'static str,
}

/// A number of bytes: `"512B"`, `"64KiB"`, `"1GiB"`; powers of 1024 (KB, MB and GB mean 1000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const BYTE_UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteSize {
    /// So many times 1024 bytes.
    pub const fn kib(n: u64) -> ByteSize {
        ByteSize(n << 10)
    }

    /// So many times 1024² bytes.
    pub const fn mib(n: u64) -> ByteSize {
        ByteSize(n << 20)
    }

    /// So many times 1024³ bytes.
    pub const fn gib(n: u64) -> ByteSize {
        ByteSize(n << 30)
    }

    /// As a length in memory; what does not fit is the largest length there is.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<ByteSize, UnitError> {
        parse(text, &BYTE_UNITS).map(ByteSize).ok_or_else(|| UnitError {
            value: text.to_owned(),
            kind: "size",
            example: "\"64MiB\"",
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = BYTE_UNITS[..3]
            .iter()
            .find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size));
        let (unit, size) = exact.copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

/// A length of time: `"250ms"`, `"30s"`, `"5m"`, `"1h"`, `"7d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

const TIME_UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Span {
    /// So many milliseconds.
    pub const fn ms(n: u64) -> Span {
        Span(Duration::from_millis(n))
    }

    /// So many seconds.
    pub const fn secs(n: u64) -> Span {
        Span(Duration::from_secs(n))
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Span, UnitError> {
        parse(text, &TIME_UNITS).map(Span::ms).ok_or_else(|| UnitError {
            value: text.to_owned(),
            kind: "duration",
            example: "\"30s\"",
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
        let exact =
            units.into_iter().find(|(_, length)| ms >= *length && ms.is_multiple_of(*length));
        let (unit, length) = exact.unwrap_or(("ms", 1));
        write!(f, "{}{unit}", ms / length)
    }
}

/// A decimal number and one of the units, as a whole number of the smallest unit.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let (number, unit) = (text[..end].replace('_', ""), text[end..].trim());
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*factor);
    }
    let scaled = number.parse::<f64>().ok()? * *factor as f64;
    (scaled.is_finite() && scaled < u64::MAX as f64).then_some(scaled as u64)
}

macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

as_text!(ByteSize);
as_text!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_read_back_what_they_print() {
        for (text, bytes) in [("64MiB", 64 << 20), ("1.5KiB", 1536), ("10 KB", 10_000), ("7B", 7)] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!(size.0, bytes, "{text}");
            assert_eq!(size.to_string().parse::<ByteSize>().unwrap(), size, "{text}");
        }
        for (text, ms) in [("250ms", 250), ("90s", 90_000), ("5m", 300_000), ("7d", 604_800_000)] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span, Span::ms(ms), "{text}");
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span, "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_an_example() {
        for text in ["64", "", "MiB", "-1s", "1 parsec", "99999999999GiB"] {
            let error = text.parse::<ByteSize>().unwrap_err().to_string();
            assert!(error.contains("64MiB"), "{text}: {error}");
        }
        assert!("10".parse::<Span>().unwrap_err().to_string().contains("30s"));
    }
}
