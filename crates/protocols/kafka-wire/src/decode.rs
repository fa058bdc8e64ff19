//! Reading a message: every length is judged before it is believed.

use std::fmt;

use bytes::{Buf, Bytes};
use uuid::Uuid;

/// Elements for which an array takes memory at once; beyond, it grows as they arrive.
const ARRAY_RESERVED_MAX: usize = 256;

/// Why a message could not be read, and in which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    path: String,
    reason: DecodeReason,
}

/// What was wrong with the bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeReason {
    /// The frame ends inside a field.
    #[error("{needed} bytes needed, {remaining} remain")]
    TooShort {
        /// Bytes the field takes at least.
        needed: usize,
        /// Bytes the frame still has.
        remaining: usize,
    },
    /// An array announces more elements than the rest of the frame can hold.
    #[error("{count} elements announced, {remaining} bytes remain")]
    ArrayTooLong {
        /// Elements announced.
        count: usize,
        /// Bytes the frame still has.
        remaining: usize,
    },
    /// A length below zero that does not mean null.
    #[error("length {0}")]
    NegativeLength(i64),
    /// Null where this version has a value.
    #[error("null, which this version does not allow")]
    Null,
    /// A string that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A variable-length number of more bits than its type.
    #[error("variable-length number too long")]
    VarintTooLong,
    /// Bytes after the last field.
    #[error("{0} bytes after the last field")]
    Trailing(usize),
    /// A version this library does not know.
    #[error("version {0} is not known")]
    Version(i16),
}

impl DecodeError {
    pub(crate) fn new(reason: DecodeReason) -> DecodeError {
        DecodeError { path: String::new(), reason }
    }

    /// What was wrong.
    pub fn reason(&self) -> &DecodeReason {
        &self.reason
    }

    /// The error as seen from the structure that holds the field.
    #[cold]
    pub(crate) fn within(mut self, field: &str) -> DecodeError {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{field}{joint}{}", self.path);
        self
    }

    #[cold]
    fn at(self, index: usize) -> DecodeError {
        self.within(&format!("[{index}]"))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}", self.reason)
        } else {
            write!(f, "{}: {}", self.path, self.reason)
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeReason> for DecodeError {
    fn from(reason: DecodeReason) -> DecodeError {
        DecodeError::new(reason)
    }
}

/// Takes fields from the front of a frame.
pub(crate) struct Reader {
    bytes: Bytes,
    version: i16,
    flexible: bool,
}

impl Reader {
    pub(crate) fn new(bytes: Bytes, version: i16, flexible: bool) -> Reader {
        Reader { bytes, version, flexible }
    }

    pub(crate) fn version(&self) -> i16 {
        self.version
    }

    pub(crate) fn is_flexible(&self) -> bool {
        self.flexible
    }

    pub(crate) fn rest(self) -> Bytes {
        self.bytes
    }

    /// Fails if anything is left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.bytes.len() {
            0 => Ok(()),
            left => Err(DecodeReason::Trailing(left).into()),
        }
    }

    fn need(&self, needed: usize) -> Result<(), DecodeError> {
        let remaining = self.bytes.len();
        if needed > remaining {
            return Err(DecodeReason::TooShort { needed, remaining }.into());
        }
        Ok(())
    }

    pub(crate) fn i8(&mut self) -> Result<i8, DecodeError> {
        self.need(1)?;
        Ok(self.bytes.get_i8())
    }

    pub(crate) fn i16(&mut self) -> Result<i16, DecodeError> {
        self.need(2)?;
        Ok(self.bytes.get_i16())
    }

    pub(crate) fn i32(&mut self) -> Result<i32, DecodeError> {
        self.need(4)?;
        Ok(self.bytes.get_i32())
    }

    pub(crate) fn i64(&mut self) -> Result<i64, DecodeError> {
        self.need(8)?;
        Ok(self.bytes.get_i64())
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.need(16)?;
        Ok(Uuid::from_u128(self.bytes.get_u128()))
    }

    /// A 32-bit number, seven bits per byte, the lowest first.
    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            self.need(1)?;
            let byte = self.bytes.get_u8();
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeReason::VarintTooLong.into())
    }

    /// A length as flexible versions write it: one more than it is, 0 for null.
    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok((self.unsigned_varint()? as usize).checked_sub(1))
    }

    fn length(length: i64) -> Result<Option<usize>, DecodeError> {
        match length {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(length) => Ok(Some(length)),
                Err(_) => Err(DecodeReason::NegativeLength(length).into()),
            },
        }
    }

    fn take(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        self.need(length)?;
        Ok(self.bytes.split_to(length))
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<String>, DecodeError> {
        let length = if self.flexible {
            self.compact_length()?
        } else {
            Reader::length(self.i16()?.into())?
        };
        let Some(length) = length else { return Ok(None) };
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| DecodeReason::NotUtf8)?;
        Ok(Some(text.to_owned()))
    }

    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let length = if self.flexible {
            self.compact_length()?
        } else {
            Reader::length(self.i32()?.into())?
        };
        length.map(|length| self.take(length)).transpose()
    }

    /// An array whose elements take at least `element_bytes_min` bytes each.
    pub(crate) fn nullable_array<T>(
        &mut self,
        element_bytes_min: usize,
        mut element: impl FnMut(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let count = if self.flexible {
            self.compact_length()?
        } else {
            Reader::length(self.i32()?.into())?
        };
        let Some(count) = count else { return Ok(None) };
        let remaining = self.bytes.len();
        if count > remaining / element_bytes_min.max(1) {
            return Err(DecodeReason::ArrayTooLong { count, remaining }.into());
        }
        let mut array = Vec::with_capacity(count.min(ARRAY_RESERVED_MAX));
        for index in 0..count {
            array.push(element(self).map_err(|error| error.at(index))?);
        }
        Ok(Some(array))
    }

    /// The tagged fields at the end of a structure of a flexible version (KIP-482). `known` takes
    /// a field with a reader of its bytes and says whether it knows the tag; what nobody knows is
    /// skipped.
    pub(crate) fn tagged_fields(
        &mut self,
        mut known: impl FnMut(u32, &mut Reader) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let length = self.unsigned_varint()? as usize;
            let mut field = Reader::new(self.take(length)?, self.version, self.flexible);
            if known(tag, &mut field)? {
                field.finish()?;
            }
        }
        Ok(())
    }
}
