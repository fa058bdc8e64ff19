//! Writing a message.

use bytes::{BufMut, BytesMut};
use uuid::Uuid;

/// Why a message could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A version this library does not know.
    #[error("version {version} of {message} is not known")]
    Version {
        /// The message's name.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// Null in a version that has no null there.
    #[error("{field} is null, which version {version} cannot say")]
    Null {
        /// The field's name.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A string, byte string or array longer than its length field can say.
    #[error("{length} is more than a length field of this version can say")]
    TooLong {
        /// Bytes or elements.
        length: usize,
    },
}

/// Puts fields behind one another.
pub(crate) struct Writer<'a> {
    out: &'a mut BytesMut,
    version: i16,
    flexible: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut BytesMut, version: i16, flexible: bool) -> Writer<'a> {
        Writer { out, version, flexible }
    }

    pub(crate) fn version(&self) -> i16 {
        self.version
    }

    pub(crate) fn is_flexible(&self) -> bool {
        self.flexible
    }

    pub(crate) fn i8(&mut self, value: i8) {
        self.out.put_i8(value);
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.out.put_i16(value);
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.out.put_i32(value);
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.out.put_i64(value);
    }

    pub(crate) fn uuid(&mut self, value: Uuid) {
        self.out.put_u128(value.as_u128());
    }

    pub(crate) fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.put_u8(value as u8);
    }

    fn compact_length(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        let more = match length {
            None => 0,
            Some(length) => match i32::try_from(length) {
                Ok(length) if length < i32::MAX => length as u32 + 1,
                _ => return Err(EncodeError::TooLong { length }),
            },
        };
        self.unsigned_varint(more);
        Ok(())
    }

    fn length_32(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        let length = match length {
            None => -1,
            Some(length) => i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?,
        };
        self.i32(length);
        Ok(())
    }

    pub(crate) fn nullable_string(&mut self, text: Option<&str>) -> Result<(), EncodeError> {
        let length = text.map(str::len);
        if self.flexible {
            self.compact_length(length)?;
        } else {
            let length = match length {
                None => -1,
                Some(length) => {
                    i16::try_from(length).map_err(|_| EncodeError::TooLong { length })?
                }
            };
            self.i16(length);
        }
        self.out.put_slice(text.unwrap_or_default().as_bytes());
        Ok(())
    }

    pub(crate) fn nullable_bytes(&mut self, bytes: Option<&[u8]>) -> Result<(), EncodeError> {
        let length = bytes.map(<[u8]>::len);
        if self.flexible {
            self.compact_length(length)?
        } else {
            self.length_32(length)?
        };
        self.out.put_slice(bytes.unwrap_or_default());
        Ok(())
    }

    /// The count in front of an array's elements.
    pub(crate) fn array_length(&mut self, count: Option<usize>) -> Result<(), EncodeError> {
        if self.flexible { self.compact_length(count) } else { self.length_32(count) }
    }

    /// The tagged fields at the end of a structure: how many, then as collected.
    pub(crate) fn tagged_fields(&mut self, fields: &TaggedFields) {
        self.unsigned_varint(fields.count);
        self.out.put_slice(&fields.bytes);
    }
}

/// Tagged fields (KIP-482) on their way into a message, in the order of their tags.
#[derive(Default)]
pub(crate) struct TaggedFields {
    count: u32,
    bytes: BytesMut,
}

impl TaggedFields {
    /// Adds a field; `write` puts its value.
    pub(crate) fn add(
        &mut self,
        tag: u32,
        version: i16,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut value = BytesMut::new();
        write(&mut Writer::new(&mut value, version, true))?;
        let length = value.len();
        let size = u32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        let mut out = Writer::new(&mut self.bytes, version, true);
        out.unsigned_varint(tag);
        out.unsigned_varint(size);
        out.out.put_slice(&value);
        self.count += 1;
        Ok(())
    }
}
