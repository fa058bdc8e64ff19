//! Passwords: a common word, or by the rule `password=CHARSETS,MIN-MAX`.

use super::draw::Draw;
use super::nationalities::Words;

/// Letters in a password by rule.
const LENGTH_MAX: u32 = 64;

/// Letters in a password whose rule gives no lower bound.
const LENGTH_LEAST: u32 = 8;

const CHARSETS: [(&str, &str); 4] = [
    ("special", " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("lower", "abcdefghijklmnopqrstuvwxyz"),
    ("number", "0123456789"),
];

const COMMON: Words = Words(
    "anchor|banana|butterfly|candle|cheese|chocolate|coffee|compass|cookie|crystal|diamond|dolphin|\
     dragonfly|eclipse|falcon|firefly|galaxy|ginger|guitar|hammer|harvest|horizon|iceberg|island|\
     jupiter|kitchen|ladybug|lantern|lemonade|lighthouse|magic|marble|midnight|mirror|monsoon|\
     mountain|mustang|nebula|ocean|orchid|paprika|pelican|pepper|phoenix|pickle|planet|pumpkin|\
     puzzle|quartz|rainbow|raven|rocket|saffron|sailor|satellite|shadow|silver|snowman|sparrow|\
     sunrise|sunshine|thunder|tomato|tornado|travel|tulip|turtle|umbrella|vanilla|velvet|violin|\
     volcano|walnut|waterfall|whisper|winter|zeppelin",
);

/// Characters to choose from, and how many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PasswordRule {
    characters: String,
    least: u32,
    most: u32,
}

impl PasswordRule {
    /// Reads `upper,lower,1-16`. `None` if no set of characters is named: then it is a common word.
    pub(super) fn parse(rule: &str) -> Option<PasswordRule> {
        let mut characters = String::new();
        for (name, set) in CHARSETS {
            if rule.split(',').any(|part| part == name) {
                characters.push_str(set);
            }
        }
        if characters.is_empty() {
            return None;
        }
        let length = rule.rsplit(',').next().unwrap_or_default();
        let (first, second) = length.split_once('-').unwrap_or((length, length));
        let (first, second) = (first.trim().parse::<u32>().ok(), second.trim().parse::<u32>().ok());
        // One bound that is no number spoils both, as in the original.
        let bounds =
            first.zip(second).map(|(first, second)| (first.min(second), first.max(second)));
        let within = 1..=LENGTH_MAX;
        let least = bounds.map(|(least, _)| least).filter(|least| within.contains(least));
        let least = least.unwrap_or(LENGTH_LEAST);
        let most = bounds.map(|(_, most)| most).filter(|most| within.contains(most));
        let most = most.filter(|most| *most >= least).unwrap_or(LENGTH_MAX);
        Some(PasswordRule { characters, least, most })
    }
}

/// A password by the rule, or a common word.
pub(super) fn password(rule: Option<&PasswordRule>, draw: &mut Draw) -> String {
    match rule {
        None => COMMON.one(draw).to_owned(),
        Some(PasswordRule { characters, least, most }) => {
            let length = draw.range(i64::from(*least), i64::from(*most));
            draw.text(characters, usize::try_from(length).unwrap_or(0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_characters_and_a_length() {
        for (rule, set, least, most) in [
            ("upper,4-6", "ABC", 4, 6),
            ("number,12", "0123456789", 12, 12),
            ("lower,6-4", "abc", 4, 6),
            ("number,lower", "abc0", 8, 64),
            ("upper,0-99", "ABC", 8, 64),
        ] {
            let parsed = PasswordRule::parse(rule).unwrap();
            assert_eq!((parsed.least, parsed.most), (least, most), "{rule}");
            assert!(set.chars().all(|sign| parsed.characters.contains(sign)), "{rule}");
            for index in 0..100 {
                let password = password(Some(&parsed), &mut Draw::keyed(rule, index));
                assert!((least..=most).contains(&(password.len() as u32)), "{rule}: {password}");
                assert!(password.chars().all(|sign| parsed.characters.contains(sign)), "{rule}");
            }
        }
        assert_eq!(PasswordRule::parse("7-9"), None);
    }
}
