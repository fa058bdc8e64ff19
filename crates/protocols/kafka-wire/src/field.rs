//! How each type of a table's column stands on the wire.

use bytes::Bytes;
use uuid::Uuid;

use crate::ErrorCode;
use crate::decode::{DecodeError, DecodeReason, Reader};
use crate::encode::{EncodeError, Writer};

/// A type that can stand in a message.
pub(crate) trait Field: Sized {
    /// Bytes a value takes at least: what judges the count of an array.
    fn bytes_min(version: i16, flexible: bool) -> usize;
    fn read(input: &mut Reader) -> Result<Self, DecodeError>;
    fn write(&self, out: &mut Writer<'_>) -> Result<(), EncodeError>;
}

/// A type that has a null of its own on the wire; `Option` of it is a field.
pub(crate) trait Nullable: Field {
    fn nullable_bytes_min(version: i16, flexible: bool) -> usize {
        Self::bytes_min(version, flexible)
    }
    fn read_nullable(input: &mut Reader) -> Result<Option<Self>, DecodeError>;
    fn write_nullable(value: Option<&Self>, out: &mut Writer<'_>) -> Result<(), EncodeError>;
}

impl<T: Nullable> Field for Option<T> {
    fn bytes_min(version: i16, flexible: bool) -> usize {
        T::nullable_bytes_min(version, flexible)
    }

    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        T::read_nullable(input)
    }

    fn write(&self, out: &mut Writer<'_>) -> Result<(), EncodeError> {
        T::write_nullable(self.as_ref(), out)
    }
}

macro_rules! fixed {
    ($($type:ty, $bytes:literal, $method:ident;)*) => { $(
        impl Field for $type {
            fn bytes_min(_version: i16, _flexible: bool) -> usize {
                $bytes
            }

            fn read(input: &mut Reader) -> Result<Self, DecodeError> {
                input.$method()
            }

            fn write(&self, out: &mut Writer<'_>) -> Result<(), EncodeError> {
                out.$method(*self);
                Ok(())
            }
        }
    )* };
}

fixed! {
    i8, 1, i8;
    i16, 2, i16;
    i32, 4, i32;
    i64, 8, i64;
    Uuid, 16, uuid;
}

impl Field for bool {
    fn bytes_min(_version: i16, _flexible: bool) -> usize {
        1
    }

    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        Ok(input.i8()? != 0)
    }

    fn write(&self, out: &mut Writer<'_>) -> Result<(), EncodeError> {
        out.i8(i8::from(*self));
        Ok(())
    }
}

impl Field for ErrorCode {
    fn bytes_min(_version: i16, _flexible: bool) -> usize {
        2
    }

    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        Ok(ErrorCode::from_code(input.i16()?))
    }

    fn write(&self, out: &mut Writer<'_>) -> Result<(), EncodeError> {
        out.i16(self.code());
        Ok(())
    }
}

/// A length field and what it measures; the null is a length of its own.
macro_rules! measured {
    ([$($generic:tt)*] $type:ty, $long:literal) => {
        impl $($generic)* Field for $type {
            fn bytes_min(_version: i16, flexible: bool) -> usize {
                if flexible { 1 } else { $long }
            }

            fn read(input: &mut Reader) -> Result<Self, DecodeError> {
                Ok(Self::read_nullable(input)?.ok_or(DecodeReason::Null)?)
            }

            fn write(&self, out: &mut Writer<'_>) -> Result<(), EncodeError> {
                Self::write_nullable(Some(self), out)
            }
        }
    };
}

measured!([] String, 2);
measured!([] Bytes, 4);
measured!([<T: Field>] Vec<T>, 4);

impl Nullable for String {
    fn read_nullable(input: &mut Reader) -> Result<Option<Self>, DecodeError> {
        input.nullable_string()
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer<'_>) -> Result<(), EncodeError> {
        out.nullable_string(value.map(String::as_str))
    }
}

impl Nullable for Bytes {
    fn read_nullable(input: &mut Reader) -> Result<Option<Self>, DecodeError> {
        input.nullable_bytes()
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer<'_>) -> Result<(), EncodeError> {
        out.nullable_bytes(value.map(|bytes| &bytes[..]))
    }
}

impl<T: Field> Nullable for Vec<T> {
    fn read_nullable(input: &mut Reader) -> Result<Option<Self>, DecodeError> {
        input.nullable_array(T::bytes_min(input.version(), input.is_flexible()), T::read)
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer<'_>) -> Result<(), EncodeError> {
        out.array_length(value.map(Vec::len))?;
        value.into_iter().flatten().try_for_each(|element| element.write(out))
    }
}
