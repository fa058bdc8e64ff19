//! Identity numbers that depend on the person, in the forms that the original answers.
//!
//! Where the original computes with the wrong year or month (Denmark and Germany write years since
//! 1900 in three digits, France counts months from 0, Finland fails to read the date), so do we:
//! who tests against this must meet what the real service sends.

use jiff::civil::DateTime;

use super::draw::Draw;
use super::nationalities::Words;

/// What identity numbers are made from.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) is_male: bool,
    pub(super) last_name: &'a str,
    /// In UTC.
    pub(super) born: DateTime,
}

impl Subject<'_> {
    /// Day and month in two digits each, then the years since 1900.
    fn birthday(&self) -> String {
        let born = self.born;
        format!("{:02}{:02}{}", born.day(), born.month(), born.year() - 1900)
    }
}

/// Canada: nine digits, the last of which makes the Luhn sum a multiple of ten.
pub(super) fn social_insurance_number(draw: &mut Draw, _: &Subject<'_>) -> String {
    let mut number = draw.digits(8);
    let sum: u32 = number
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    number.push_str(&((10 - sum % 10) % 10).to_string());
    number
}

/// The offices that number the insured in Germany.
const PENSION_OFFICES: Words = Words(
    "02|03|04|08|09|10|11|12|13|14|15|16|17|18|19|20|21|23|24|25|26|28|29|38|39|40|42|43|44|45|46|\
     47|48|49|50|51|52|53|54|55|56|57|58|59|60|61|62|63|64|65|66|67|68|69|70|71|72|73|74|75|76|77|\
     78|79|80|81|82|89",
);

/// Germany: office, birthday, first letter of the family name, a number that is below 50 for men,
/// and a digit.
pub(super) fn pension_insurance_number(draw: &mut Draw, subject: &Subject<'_>) -> String {
    let office = PENSION_OFFICES.one(draw);
    let initial = subject.last_name.chars().next().unwrap_or('X');
    let number = if subject.is_male { draw.range(0, 49) } else { draw.range(50, 99) };
    format!("{office} {} {initial} {number:02}{}", subject.birthday(), draw.range(0, 9))
}

/// Denmark: birthday and four digits.
pub(super) fn civil_registration_number(draw: &mut Draw, subject: &Subject<'_>) -> String {
    format!("{}-{}", subject.birthday(), draw.digits(4))
}

/// Finland: only the number in the middle is real, odd for men.
pub(super) fn personal_identity_code(draw: &mut Draw, subject: &Subject<'_>) -> String {
    let parity = draw.one_of(if subject.is_male { "13579" } else { "02468" });
    format!("NaNNA{}{parity}undefined", draw.digits(2))
}

/// France: sex, year, month, place and order, and a key modulo 97.
pub(super) fn insee_number(draw: &mut Draw, subject: &Subject<'_>) -> String {
    let (sex, born) = (if subject.is_male { 1 } else { 2 }, subject.born);
    let number = format!("{sex}{}{:02}{}", born.year() - 1900, born.month() - 1, draw.digits(8));
    let value = number.bytes().fold(0, |value, digit| (value * 10 + u64::from(digit - b'0')) % 97);
    format!("{number} {:02}", 97 - value)
}

/// Norway: birthday, a number that tells century and sex, and two check digits.
pub(super) fn birth_number(draw: &mut Draw, subject: &Subject<'_>) -> String {
    let born = subject.born;
    let birthday = format!("{:02}{:02}{:02}", born.day(), born.month(), born.year() % 100);
    let (low, high) = if born.year() >= 2000 { (500, 999) } else { (0, 499) };
    loop {
        // Odd for men. One number in nine has no check digits or ends with 0; then another is drawn.
        let number = draw.range(low / 2, high / 2) * 2 + i64::from(subject.is_male);
        let digits = format!("{birthday}{number:03}");
        let Some(first) = check_digit(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) else { continue };
        let digits = format!("{digits}{first}");
        match check_digit(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) {
            Some(second) if second > 0 => return format!("{digits}{second}"),
            _ => {}
        }
    }
}

/// The digit that makes a weighted sum a multiple of 11, if there is one.
fn check_digit(digits: &str, weights: &[u32]) -> Option<u32> {
    let weighted = digits.chars().filter_map(|digit| digit.to_digit(10)).zip(weights);
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
    Some((11 - sum % 11) % 11).filter(|digit| *digit < 10)
}

/// United States: neither 000 nor 666 nor 9xx in front, no group of zeros.
pub(super) fn social_security_number(draw: &mut Draw, _: &Subject<'_>) -> String {
    let area = draw.range(1, 898);
    let area = if area >= 666 { area + 1 } else { area };
    format!("{area:03}-{:02}-{:04}", draw.range(1, 99), draw.range(1, 9999))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const WOMAN: Subject<'_> =
        Subject { is_male: false, last_name: "Öztürk", born: date(2000, 3, 5).at(9, 8, 7, 0) };
    const MAN: Subject<'_> =
        Subject { is_male: true, last_name: "Berg", born: date(1967, 12, 31).at(0, 0, 0, 0) };

    fn many(make: fn(&mut Draw, &Subject<'_>) -> String, subject: &Subject<'_>) -> Vec<String> {
        (0..500).map(|index| make(&mut Draw::keyed("identity", index), subject)).collect()
    }

    #[test]
    fn a_social_insurance_number_passes_the_luhn_check() {
        for number in many(social_insurance_number, &MAN) {
            let digits = number.bytes().map(|digit| u32::from(digit - b'0'));
            let doubled = digits.zip([1, 2].into_iter().cycle()).map(|(digit, by)| digit * by);
            let sum: u32 = doubled.map(|digit| digit / 10 + digit % 10).sum();
            assert_eq!((number.len(), sum % 10), (9, 0), "{number}");
        }
    }

    #[test]
    fn a_birth_number_passes_both_checks_and_tells_the_sex() {
        for (subject, birthday, odd) in [(WOMAN, "050300", false), (MAN, "311267", true)] {
            for number in many(birth_number, &subject) {
                let digits: Vec<u32> =
                    number.bytes().map(|digit| u32::from(digit - b'0')).collect();
                let sum = |weights: &[u32]| -> u32 {
                    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
                };
                assert!(number.len() == 11 && number.starts_with(birthday), "{number}");
                assert_eq!(digits[8] % 2 == 1, odd, "{number}");
                assert_eq!(sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11, 0, "{number}");
                assert_eq!(sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11, 0, "{number}");
            }
        }
    }

    #[test]
    fn an_insee_number_and_its_key_add_up_to_a_multiple_of_97() {
        for number in many(insee_number, &MAN) {
            let (number, key) = number.split_once(' ').unwrap();
            assert!(number.starts_with("16711"), "{number}");
            assert_eq!((number.parse::<u64>().unwrap() + key.parse::<u64>().unwrap()) % 97, 0);
        }
    }

    #[test]
    fn a_social_security_number_is_one_that_could_be_issued() {
        for number in many(social_security_number, &MAN) {
            let (area, rest) = number.split_once('-').unwrap();
            assert!(!["000", "666"].contains(&area) && !area.starts_with('9'), "{number}");
            assert!(!rest.starts_with("00-") && !rest.ends_with("-0000"), "{number}");
        }
    }

    #[test]
    fn birthdays_are_written_as_the_original_writes_them() {
        for (make, subject, form) in [
            (civil_registration_number as fn(&mut Draw, &Subject<'_>) -> String, MAN, "311267-"),
            (civil_registration_number, WOMAN, "0503100-"),
        ] {
            assert!(many(make, &subject).iter().all(|number| number.starts_with(form)), "{form}");
        }
        let german = &many(pension_insurance_number, &WOMAN)[0];
        assert_eq!((&german[2..14], german.len()), (" 0503100 Ö ", 17), "{german}");
        assert!(many(personal_identity_code, &MAN).iter().all(|code| code.len() == 17));
    }
}
