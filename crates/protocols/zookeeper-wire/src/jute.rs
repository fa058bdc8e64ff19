//! Jute's primitives: big-endian numbers, buffers and strings behind their length, vectors behind
//! their count. A length of -1 is null.

use bytes::{Buf, BufMut, Bytes};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The record goes on behind the end of the frame.
    #[error("{wanted} bytes wanted, {left} left")]
    Short {
        /// Bytes the record needs.
        wanted: usize,
        /// Bytes there are.
        left: usize,
    },
    /// A length or count that no buffer can have.
    #[error("a length of {0}")]
    Length(i32),
    /// A string that is not UTF-8.
    #[error("a string that is not UTF-8")]
    Utf8,
    /// A number that stands for nothing.
    #[error("unknown {what} {value}")]
    Unknown {
        /// What the number should be.
        what: &'static str,
        /// The number.
        value: i32,
    },
}

/// What has a form on the wire.
pub trait Jute: Sized {
    /// Takes the value from the front of the bytes.
    fn read(reader: &mut Reader) -> Result<Self, DecodeError>;

    /// Appends the value.
    fn write(&self, to: &mut Vec<u8>);

    /// The value as bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }
}

/// Bytes being read from the front. Buffers taken from it share its memory.
#[derive(Debug, Clone)]
pub struct Reader(Bytes);

impl Reader {
    /// Reads these bytes.
    pub fn new(bytes: Bytes) -> Reader {
        Reader(bytes)
    }

    /// Bytes not read yet.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// The next value of this type.
    pub fn take<T: Jute>(&mut self) -> Result<T, DecodeError> {
        T::read(self)
    }

    fn need(&self, wanted: usize) -> Result<(), DecodeError> {
        let left = self.0.len();
        if wanted > left { Err(DecodeError::Short { wanted, left }) } else { Ok(()) }
    }

    /// A length: `None` for null.
    fn length(&mut self) -> Result<Option<usize>, DecodeError> {
        match i32::read(self)? {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| DecodeError::Length(length)),
        }
    }
}

impl Jute for i32 {
    fn read(reader: &mut Reader) -> Result<i32, DecodeError> {
        reader.need(4)?;
        Ok(reader.0.get_i32())
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.put_i32(*self);
    }
}

impl Jute for i64 {
    fn read(reader: &mut Reader) -> Result<i64, DecodeError> {
        reader.need(8)?;
        Ok(reader.0.get_i64())
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.put_i64(*self);
    }
}

impl Jute for bool {
    fn read(reader: &mut Reader) -> Result<bool, DecodeError> {
        reader.need(1)?;
        Ok(reader.0.get_u8() != 0)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.put_u8(u8::from(*self));
    }
}

/// A buffer that may be null.
impl Jute for Option<Bytes> {
    fn read(reader: &mut Reader) -> Result<Option<Bytes>, DecodeError> {
        let Some(length) = reader.length()? else { return Ok(None) };
        reader.need(length)?;
        Ok(Some(reader.0.split_to(length)))
    }

    fn write(&self, to: &mut Vec<u8>) {
        match self {
            None => to.put_i32(-1),
            Some(bytes) => {
                put_length(bytes.len(), to);
                to.extend_from_slice(bytes);
            }
        }
    }
}

/// A string that may be null.
impl Jute for Option<String> {
    fn read(reader: &mut Reader) -> Result<Option<String>, DecodeError> {
        let Some(bytes) = reader.take::<Option<Bytes>>()? else { return Ok(None) };
        let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError::Utf8)?;
        Ok(Some(text.to_owned()))
    }

    fn write(&self, to: &mut Vec<u8>) {
        match self {
            None => to.put_i32(-1),
            Some(text) => text.write(to),
        }
    }
}

/// A string; null is read as empty, because some clients write an empty one so.
impl Jute for String {
    fn read(reader: &mut Reader) -> Result<String, DecodeError> {
        Ok(reader.take::<Option<String>>()?.unwrap_or_default())
    }

    fn write(&self, to: &mut Vec<u8>) {
        put_length(self.len(), to);
        to.extend_from_slice(self.as_bytes());
    }
}

/// A vector; null is read as empty.
impl<T: Jute> Jute for Vec<T> {
    fn read(reader: &mut Reader) -> Result<Vec<T>, DecodeError> {
        let count = reader.length()?.unwrap_or(0);
        // No element is shorter than its own length, so a count alone reserves little.
        let mut elements = Vec::with_capacity(count.min(reader.left() / 4));
        for _ in 0..count {
            elements.push(reader.take()?);
        }
        Ok(elements)
    }

    fn write(&self, to: &mut Vec<u8>) {
        put_length(self.len(), to);
        for element in self {
            element.write(to);
        }
    }
}

fn put_length(length: usize, to: &mut Vec<u8>) {
    to.put_i32(i32::try_from(length).expect("frames are far shorter than 2 GiB"));
}

/// Declares records: structs whose fields are on the wire one after the other.
macro_rules! records {
    ($($(#[$meta:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        pub struct $name {
            $($(#[$of_field])* pub $field: $kind,)*
        }

        impl $crate::jute::Jute for $name {
            fn read(
                reader: &mut $crate::jute::Reader,
            ) -> Result<$name, $crate::jute::DecodeError> {
                Ok($name { $($field: reader.take()?,)* })
            }

            fn write(&self, to: &mut Vec<u8>) {
                $($crate::jute::Jute::write(&self.$field, to);)*
            }
        }
    )*};
}

pub(crate) use records;

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader {
        Reader::new(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn a_null_buffer_is_not_an_empty_one() {
        assert_eq!(None::<Bytes>.to_bytes(), [0xff; 4]);
        assert_eq!(Some(Bytes::new()).to_bytes(), [0; 4]);
        assert_eq!(reader(&[0xff; 4]).take::<Option<Bytes>>(), Ok(None));
        assert_eq!(reader(&[0; 4]).take::<Option<Bytes>>(), Ok(Some(Bytes::new())));
    }

    #[test]
    fn a_length_is_checked_before_anything_is_allocated() {
        let announced = [0x7f, 0xff, 0xff, 0xff, 1, 2];
        let short = reader(&announced).take::<Option<Bytes>>();
        assert_eq!(short, Err(DecodeError::Short { wanted: 0x7fff_ffff, left: 2 }));
        let vector = reader(&announced).take::<Vec<i32>>();
        assert_eq!(vector, Err(DecodeError::Short { wanted: 4, left: 2 }));
        let negative = reader(&[0xff, 0xff, 0xff, 0xfe]).take::<Option<Bytes>>();
        assert_eq!(negative, Err(DecodeError::Length(-2)));
    }

    #[test]
    fn a_string_is_utf_8_and_a_null_one_is_empty() {
        assert_eq!(reader(&[0, 0, 0, 1, 0xff]).take::<String>(), Err(DecodeError::Utf8));
        assert_eq!(reader(&[0xff; 4]).take::<String>(), Ok(String::new()));
    }
}
