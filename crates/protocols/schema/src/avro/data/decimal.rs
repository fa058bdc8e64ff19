//! Numbers of any length: two's-complement bytes, most significant first, to decimal digits and back.

use super::NUMBER_BYTES_MAX;

/// Places of a decimal point that are written out; beyond, the text would be mostly zeros.
const SCALE_MAX: u64 = 1000;

/// The number as decimal digits with its sign; none if it is longer than is read.
pub(super) fn digits(bytes: &[u8]) -> Option<String> {
    if bytes.len() > NUMBER_BYTES_MAX {
        return None;
    }
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude = bytes.to_vec();
    if negative {
        negate(&mut magnitude);
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut magnitude {
            let value = (rest << 8) | u32::from(*byte);
            *byte = u8::try_from(value / 10).expect("rest < 10, so the quotient is below 256");
            rest = value % 10;
        }
        digits.push(char::from_digit(rest, 10).expect("a rest of a division by 10"));
    }
    if digits.is_empty() {
        digits.push('0');
    }
    if negative {
        digits.push('-');
    }
    Some(digits.into_iter().rev().collect())
}

/// The shortest bytes of a number written in decimal digits; none if it is none.
pub(super) fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    // A byte holds more than two digits.
    if digits.is_empty() || digits.len() > 2 * NUMBER_BYTES_MAX {
        return None;
    }
    let mut magnitude: Vec<u8> = Vec::new();
    for c in digits.chars() {
        let mut carry = c.to_digit(10)?;
        for byte in magnitude.iter_mut().rev() {
            let value = u32::from(*byte) * 10 + carry;
            *byte = (value & 0xff) as u8;
            carry = value >> 8;
        }
        if carry > 0 {
            magnitude.insert(0, u8::try_from(carry).ok()?);
        }
    }
    // Room for the sign.
    magnitude.insert(0, 0);
    if negative {
        negate(&mut magnitude);
    }
    while magnitude.len() > 1
        && ((magnitude[0] == 0 && magnitude[1] & 0x80 == 0)
            || (magnitude[0] == 0xff && magnitude[1] & 0x80 != 0))
    {
        magnitude.remove(0);
    }
    Some(magnitude)
}

/// Makes a number longer without changing it; none if it is longer already.
pub(super) fn widened(bytes: Vec<u8>, len: usize) -> Option<Vec<u8>> {
    let missing = len.checked_sub(bytes.len())?;
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
    Some(std::iter::repeat_n(sign, missing).chain(bytes).collect())
}

/// Digits with a point before the last `scale` of them. A scale that would print more than
/// [`SCALE_MAX`] zeros is written as an exponent.
pub(super) fn with_point(digits: &str, scale: i64) -> String {
    if scale.unsigned_abs() > SCALE_MAX {
        return format!("{digits}e{}", scale.saturating_neg());
    }
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let Ok(places) = usize::try_from(scale) else {
        let zeros = usize::try_from(scale.unsigned_abs()).unwrap_or(0);
        return format!("{sign}{digits}{}", "0".repeat(if digits == "0" { 0 } else { zeros }));
    };
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// The digits of a decimal number without its point, and how many stood after it.
pub(super) fn without_point(text: &str) -> Option<(String, usize)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let valid = !unsigned.is_empty() && all_digits(unsigned) && all_digits(fraction);
    valid.then(|| (format!("{whole}{fraction}"), fraction.len()))
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
        *byte = value;
        carry = overflow;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_go_to_digits_and_back() {
        for (number, len) in [
            ("0", 1),
            ("1", 1),
            ("-1", 1),
            ("127", 1),
            ("128", 2),
            ("-128", 1),
            ("-129", 2),
            ("123456789012345678901234567890", 13),
            ("-99999999999999999999", 9),
        ] {
            let bytes = bytes(number).unwrap();
            assert_eq!(bytes.len(), len, "{number}");
            assert_eq!(digits(&bytes).unwrap(), number);
            let wide = widened(bytes, 16).unwrap();
            assert_eq!(digits(&wide).unwrap(), number, "widened");
        }
        assert_eq!(digits(&[]).unwrap(), "0");
        assert_eq!(digits(&[1; NUMBER_BYTES_MAX + 1]), None);
        assert!(bytes("12a").is_none() && bytes("").is_none() && bytes("-").is_none());
    }

    #[test]
    fn the_point_stands_before_the_last_digits() {
        for (digits, scale, text) in [
            ("1250", 2, "12.50"),
            ("-5", 2, "-0.05"),
            ("7", 0, "7"),
            ("7", -2, "700"),
            ("0", 3, "0.000"),
            ("7", 5000, "7e-5000"),
        ] {
            assert_eq!(with_point(digits, scale), text);
        }
        assert_eq!(without_point("-12.50"), Some(("-1250".to_owned(), 2)));
        assert_eq!(without_point("."), None);
    }
}
