//! `<query_parameters>`: what QUERY and EXECUTE run with. Spec v5, section 4.1.4.
//!
//! v3 and v4 flags are one byte, v5 flags four; v4 adds unset values; v5 adds keyspace and
//! now_in_seconds.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Consistency, Reader, SerialConsistency, Version, WireError, WireWrite};

const VALUES: u32 = 0x01;
const SKIP_METADATA: u32 = 0x02;
const PAGE_SIZE: u32 = 0x04;
const PAGING_STATE: u32 = 0x08;
const SERIAL_CONSISTENCY: u32 = 0x10;
const DEFAULT_TIMESTAMP: u32 = 0x20;
pub(super) const NAMES_FOR_VALUES: u32 = 0x40;
const KEYSPACE: u32 = 0x80;
const NOW_IN_SECONDS: u32 = 0x100;

const NULL: i32 = -1;
const UNSET: i32 = -2;

/// A bound value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Bytes of the bound type; may be none.
    Set(Bytes),
    /// No value: deletes what it is written to.
    Null,
    /// Leave what it would be written to as it is (v4 on).
    Unset,
}

impl Value {
    fn decode(reader: &mut Reader, version: Version) -> Result<Value, WireError> {
        let length = reader.int()?;
        match usize::try_from(length) {
            Ok(length) => Ok(Value::Set(reader.take("[value]", length)?)),
            Err(_) if length == UNSET && version >= Version::V4 => Ok(Value::Unset),
            Err(_) if length == NULL || version < Version::V4 => Ok(Value::Null),
            Err(_) => Err(WireError::invalid("ByteBuf length", length)),
        }
    }

    fn encode(&self, body: &mut BytesMut) {
        match self {
            Value::Set(bytes) => body.put_value(Some(bytes)),
            Value::Null => body.put_i32(NULL),
            Value::Unset => body.put_i32(UNSET),
        }
    }
}

/// The values of a statement's markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// In the order of the markers.
    Positional(Vec<Value>),
    /// By the markers' names.
    Named(Vec<(String, Value)>),
}

impl Default for Values {
    fn default() -> Values {
        Values::Positional(Vec::new())
    }
}

impl Values {
    pub(super) fn decode(
        reader: &mut Reader,
        version: Version,
        named: bool,
    ) -> Result<Values, WireError> {
        let count = usize::from(reader.short()?);
        let capacity = reader.capacity(count, 4);
        if !named {
            let mut values = Vec::with_capacity(capacity);
            for _ in 0..count {
                values.push(Value::decode(reader, version)?);
            }
            return Ok(Values::Positional(values));
        }
        let mut values = Vec::with_capacity(capacity);
        for _ in 0..count {
            values.push((reader.string()?, Value::decode(reader, version)?));
        }
        Ok(Values::Named(values))
    }

    pub(super) fn encode(&self, body: &mut BytesMut) {
        match self {
            Values::Positional(values) => {
                body.put_count(values.len());
                for value in values {
                    value.encode(body);
                }
            }
            Values::Named(values) => {
                body.put_count(values.len());
                for (name, value) in values {
                    body.put_string(name);
                    value.encode(body);
                }
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Positional(values) => values.len(),
            Values::Named(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a statement is run with.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryParameters {
    /// The level asked for.
    pub consistency: Consistency,
    /// Values of the markers.
    pub values: Values,
    /// The client has the result metadata and does not want it again.
    pub skip_metadata: bool,
    /// Rows per page; `None` or below 1: all in one.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub paging_state: Option<Bytes>,
    /// The level of a conditional update's first phase.
    pub serial_consistency: SerialConsistency,
    /// Microseconds; what USING TIMESTAMP would say.
    pub timestamp: Option<i64>,
    /// The keyspace of names without one (v5).
    pub keyspace: Option<String>,
    /// What the server shall take for now (v5).
    pub now_in_seconds: Option<i32>,
}

impl Default for QueryParameters {
    fn default() -> QueryParameters {
        QueryParameters {
            consistency: Consistency::One,
            values: Values::default(),
            skip_metadata: false,
            page_size: None,
            paging_state: None,
            serial_consistency: SerialConsistency::default(),
            timestamp: None,
            keyspace: None,
            now_in_seconds: None,
        }
    }
}

/// Flags: one byte before v5, four from it on.
pub(super) fn read_flags(reader: &mut Reader, version: Version) -> Result<u32, WireError> {
    if version >= Version::V5 {
        // Reinterpreted, not converted: it is a set of bits.
        Ok(reader.int()? as u32)
    } else {
        Ok(u32::from(reader.byte()?))
    }
}

pub(super) fn write_flags(flags: u32, version: Version, body: &mut BytesMut) {
    if version >= Version::V5 { body.put_u32(flags) } else { body.put_u8(flags as u8) }
}

impl QueryParameters {
    pub(super) fn decode(
        reader: &mut Reader,
        version: Version,
    ) -> Result<QueryParameters, WireError> {
        let consistency = Consistency::from_number(reader.short()?)?;
        let flags = read_flags(reader, version)?;
        let mut parameters = QueryParameters { consistency, ..QueryParameters::default() };
        if flags & VALUES != 0 {
            let named = flags & NAMES_FOR_VALUES != 0;
            parameters.values = Values::decode(reader, version, named)?;
        }
        parameters.skip_metadata = flags & SKIP_METADATA != 0;
        if flags & PAGE_SIZE != 0 {
            parameters.page_size = Some(reader.int()?);
        }
        if flags & PAGING_STATE != 0 {
            parameters.paging_state = reader.bytes()?;
        }
        parameters.decode_tail(reader, version, flags)?;
        Ok(parameters)
    }

    /// What BATCH has too: serial consistency, timestamp, keyspace, now.
    pub(super) fn decode_tail(
        &mut self,
        reader: &mut Reader,
        version: Version,
        flags: u32,
    ) -> Result<(), WireError> {
        if flags & SERIAL_CONSISTENCY != 0 {
            self.serial_consistency = SerialConsistency::from_number(reader.short()?)?;
        }
        if flags & DEFAULT_TIMESTAMP != 0 {
            let timestamp = reader.long()?;
            if timestamp == i64::MIN {
                return Err(WireError::invalid("timestamp, out of bound", timestamp));
            }
            self.timestamp = Some(timestamp);
        }
        if version >= Version::V5 && flags & KEYSPACE != 0 {
            self.keyspace = Some(reader.string()?);
        }
        if version >= Version::V5 && flags & NOW_IN_SECONDS != 0 {
            self.now_in_seconds = Some(reader.int()?);
        }
        Ok(())
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        body.put_u16(self.consistency.number());
        let mut flags = self.tail_flags(version);
        if !self.values.is_empty() {
            flags |= VALUES;
            if matches!(self.values, Values::Named(_)) {
                flags |= NAMES_FOR_VALUES;
            }
        }
        for (present, flag) in [
            (self.skip_metadata, SKIP_METADATA),
            (self.page_size.is_some(), PAGE_SIZE),
            (self.paging_state.is_some(), PAGING_STATE),
        ] {
            flags |= if present { flag } else { 0 };
        }
        write_flags(flags, version, body);
        if flags & VALUES != 0 {
            self.values.encode(body);
        }
        if let Some(page_size) = self.page_size {
            body.put_i32(page_size);
        }
        if let Some(paging_state) = &self.paging_state {
            body.put_value(Some(paging_state));
        }
        self.encode_tail(version, body);
    }

    pub(super) fn tail_flags(&self, version: Version) -> u32 {
        let mut flags = 0;
        let is_v5 = version >= Version::V5;
        for (present, flag) in [
            (self.serial_consistency != SerialConsistency::default(), SERIAL_CONSISTENCY),
            (self.timestamp.is_some(), DEFAULT_TIMESTAMP),
            (is_v5 && self.keyspace.is_some(), KEYSPACE),
            (is_v5 && self.now_in_seconds.is_some(), NOW_IN_SECONDS),
        ] {
            flags |= if present { flag } else { 0 };
        }
        flags
    }

    pub(super) fn encode_tail(&self, version: Version, body: &mut BytesMut) {
        if self.serial_consistency != SerialConsistency::default() {
            body.put_u16(self.serial_consistency.number());
        }
        if let Some(timestamp) = self.timestamp {
            body.put_i64(timestamp);
        }
        if version < Version::V5 {
            return;
        }
        if let Some(keyspace) = &self.keyspace {
            body.put_string(keyspace);
        }
        if let Some(now) = self.now_in_seconds {
            body.put_i32(now);
        }
    }
}
