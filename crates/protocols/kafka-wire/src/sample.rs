//! Messages out of a string of choices, for property tests: a shorter string gives a simpler
//! message, so what fails shrinks by itself.

use bytes::Bytes;
use uuid::Uuid;

use crate::ErrorCode;

/// Where a sample's content comes from.
pub(crate) struct Choices<'a> {
    choices: std::slice::Iter<'a, u8>,
    version: i16,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(choices: &'a [u8], version: i16) -> Choices<'a> {
        Choices { choices: choices.iter(), version }
    }

    pub(crate) fn version(&self) -> i16 {
        self.version
    }

    fn byte(&mut self) -> u8 {
        self.choices.next().copied().unwrap_or(0)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }
}

/// What can be made out of choices.
pub(crate) trait Sample: Sized {
    fn sample(choices: &mut Choices<'_>) -> Self;
}

macro_rules! numbers {
    ($($type:ty),*) => { $(
        impl Sample for $type {
            fn sample(choices: &mut Choices<'_>) -> $type {
                match choices.byte() % 4 {
                    0 => 0,
                    1 => -1,
                    2 => choices.byte() as $type,
                    _ => <$type>::from_be_bytes(choices.bytes()),
                }
            }
        }
    )* };
}

numbers!(i8, i16, i32, i64);

impl Sample for bool {
    fn sample(choices: &mut Choices<'_>) -> bool {
        choices.byte() % 2 == 1
    }
}

impl Sample for Uuid {
    fn sample(choices: &mut Choices<'_>) -> Uuid {
        Uuid::from_bytes(choices.bytes())
    }
}

impl Sample for ErrorCode {
    fn sample(choices: &mut Choices<'_>) -> ErrorCode {
        ErrorCode::from_code(i16::sample(choices))
    }
}

impl Sample for String {
    fn sample(choices: &mut Choices<'_>) -> String {
        let length = choices.byte() % 12;
        (0..length)
            .map(|_| ['a', 'é', '→', '\0', '\u{1f30a}'][usize::from(choices.byte() % 5)])
            .collect()
    }
}

impl Sample for Bytes {
    fn sample(choices: &mut Choices<'_>) -> Bytes {
        let length = choices.byte();
        (0..length).map(|_| choices.byte()).collect()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(choices: &mut Choices<'_>) -> Vec<T> {
        let length = choices.byte() % 4;
        (0..length).map(|_| T::sample(choices)).collect()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(choices: &mut Choices<'_>) -> Option<T> {
        (!choices.byte().is_multiple_of(4)).then(|| T::sample(choices))
    }
}
