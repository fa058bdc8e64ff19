//! The 21 nationalities of version 1.4: one file each, all of the same shape.
//!
//! The lists are short and our own; what follows the original are the forms of numbers and codes,
//! including those that are wrong in the real world.

mod au;
mod br;
mod ca;
mod ch;
mod de;
mod dk;
mod es;
mod fi;
mod fr;
mod gb;
mod ie;
mod r#in;
mod ir;
mod mx;
mod nl;
mod no;
mod nz;
mod rs;
mod tr;
mod ua;
mod us;

use super::draw::Draw;
use super::identity::Subject;

/// All of them, by code: a seed of 18 characters ends with an index into this order.
pub(super) const ALL: [&Nationality; 21] = [
    &au::AU,
    &br::BR,
    &ca::CA,
    &ch::CH,
    &de::DE,
    &dk::DK,
    &es::ES,
    &fi::FI,
    &fr::FR,
    &gb::GB,
    &ie::IE,
    &r#in::IN,
    &ir::IR,
    &mx::MX,
    &nl::NL,
    &no::NO,
    &nz::NZ,
    &rs::RS,
    &tr::TR,
    &ua::UA,
    &us::US,
];

/// The nationality with a code, in either case: `us`.
pub(super) fn named(code: &str) -> Option<&'static Nationality> {
    ALL.iter().find(|nationality| nationality.code.eq_ignore_ascii_case(code)).copied()
}

/// What people of one country are called, where they live, and how their numbers look.
#[derive(Debug)]
pub(super) struct Nationality {
    /// ISO 3166-1 alpha-2.
    pub(super) code: &'static str,
    /// In English.
    pub(super) country: &'static str,
    pub(super) titles: Titles,
    pub(super) female: Words,
    pub(super) male: Words,
    pub(super) last: Words,
    pub(super) streets: Words,
    pub(super) cities: Words,
    pub(super) states: Words,
    pub(super) postcode: Postcode,
    /// A telephone at home.
    pub(super) phone: Pattern,
    /// A mobile telephone.
    pub(super) cell: Pattern,
    pub(super) id: Id,
}

/// A list, its items separated by `|`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words(pub(super) &'static str);

impl Words {
    pub(super) fn all(self) -> impl Iterator<Item = &'static str> {
        self.0.split('|')
    }

    pub(super) fn one(self, draw: &mut Draw) -> &'static str {
        let index = draw.below(self.all().count() as u64);
        self.all().nth(index as usize).unwrap_or_default()
    }
}

/// Forms of a number, separated by `|`. In a form `#` is a digit, `%` a digit from 2, `@` a
/// capital letter, `{abc}` one of those characters; anything else is itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern(pub(super) &'static str);

impl Pattern {
    pub(super) fn fill(self, draw: &mut Draw) -> String {
        let mut form = Words(self.0).one(draw);
        let mut filled = String::with_capacity(form.len());
        while let Some(first) = form.chars().next() {
            let (step, rest) = form.split_at(first.len_utf8());
            form = rest;
            match step {
                "#" => filled.push(draw.one_of("0123456789")),
                "%" => filled.push(draw.one_of("23456789")),
                "@" => filled.push(draw.one_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
                "{" => {
                    let (choice, rest) = form.split_once('}').unwrap_or((form, ""));
                    form = rest;
                    filled.push(draw.one_of(choice));
                }
                other => filled.push_str(other),
            }
        }
        filled
    }
}

/// How people are addressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Titles {
    pub(super) male: &'static str,
    pub(super) female: Words,
}

impl Titles {
    const ENGLISH: Titles = Titles { male: "Mr", female: Words("Miss|Mrs|Ms") };
    const FRENCH: Titles = Titles { male: "Monsieur", female: Words("Mademoiselle|Madame") };
}

/// A number in most countries, text in some: the drift that every typed consumer trips on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Postcode {
    /// From the first to the second, both included.
    Number(i64, i64),
    /// Of this form.
    Text(Pattern),
}

/// The identity number: its name, and how it is made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Id {
    /// Name `""`, value `null`.
    Absent,
    /// Of a form that has nothing to do with the person.
    Pattern(&'static str, Pattern),
    /// From the person's sex, name and birthday, or with check digits.
    Computed(&'static str, fn(&mut Draw, &Subject<'_>) -> String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_found_in_either_case() {
        assert!(ALL.is_sorted_by_key(|nationality| nationality.code));
        assert_eq!(named("gb").map(|found| found.country), Some("United Kingdom"));
        assert!(named("ZZ").is_none());
    }

    #[test]
    fn every_list_is_long_enough_and_says_nothing_twice() {
        for nationality in ALL {
            let Nationality { code, female, male, last, streets, cities, states, .. } = nationality;
            for (list, least) in
                [(female, 30), (male, 30), (last, 30), (streets, 15), (cities, 20), (states, 5)]
            {
                let mut items: Vec<&str> = list.all().collect();
                assert!(items.iter().all(|item| !item.is_empty() && item.trim() == *item));
                items.sort_unstable();
                assert!(items.windows(2).all(|pair| pair[0] != pair[1]), "{code}: {items:?}");
                assert!(items.len() >= least, "{code}: {items:?}");
            }
        }
    }

    #[test]
    fn a_pattern_fills_its_signs_and_keeps_the_rest() {
        let filled = Pattern("(0{67}) @##-%%|(0{67}) @##-%%").fill(&mut Draw::keyed("", 0));
        let bytes = filled.as_bytes();
        assert_eq!((bytes.len(), &filled[..2], &filled[3..5], bytes[8]), (11, "(0", ") ", b'-'));
        assert!(b"67".contains(&bytes[2]) && bytes[5].is_ascii_uppercase(), "{filled}");
        assert!(bytes[9] >= b'2' && bytes[10] >= b'2', "{filled}");
    }
}
