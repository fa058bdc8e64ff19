//! Record batches as a client encodes them.

/// What goes into one batch.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Timestamp and value of each record.
    pub(crate) records: Vec<(i64, Vec<u8>)>,
    /// Of the records that have one.
    pub(crate) keys: Vec<String>,
    pub(crate) attributes: i16,
    pub(crate) producer: (i64, i16, i32),
}

impl Batch {
    pub(crate) fn of(records: Vec<(i64, Vec<u8>)>) -> Batch {
        Batch { records, keys: Vec::new(), attributes: 0, producer: (-1, -1, -1) }
    }

    /// So many records of one byte each, all with this timestamp.
    pub(crate) fn at(timestamp: i64, count: usize) -> Batch {
        Batch::of(vec![(timestamp, b"v".to_vec()); count])
    }

    /// One record with a value of so many bytes.
    pub(crate) fn sized(timestamp: i64, value_bytes: usize) -> Batch {
        Batch::of(vec![(timestamp, vec![b'v'; value_bytes])])
    }

    /// Records with keys; an empty value deletes its key.
    pub(crate) fn keyed(timestamp: i64, records: &[(&str, &str)]) -> Batch {
        let values = records.iter().map(|(_, value)| (timestamp, value.as_bytes().to_vec()));
        let keys = records.iter().map(|(key, _)| (*key).to_owned()).collect();
        Batch { keys, ..Batch::of(values.collect()) }
    }

    /// A commit or abort marker.
    pub(crate) fn marker(producer: (i64, i16), commits: bool) -> Batch {
        let key = String::from_utf8(vec![0, 0, 0, u8::from(commits)]).unwrap();
        Batch {
            keys: vec![key],
            attributes: 0x30,
            producer: (producer.0, producer.1, -1),
            ..Batch::of(vec![(0, vec![0; 6])])
        }
    }

    /// The bytes, with base offset 0.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let first = self.records.first().map_or(-1, |(timestamp, _)| *timestamp);
        let newest = self.records.iter().map(|(timestamp, _)| *timestamp).max().unwrap_or(-1);
        let mut body = Vec::new();
        body.extend(self.attributes.to_be_bytes());
        body.extend((self.records.len() as i32 - 1).to_be_bytes());
        body.extend(first.to_be_bytes());
        body.extend(newest.to_be_bytes());
        body.extend(self.producer.0.to_be_bytes());
        body.extend(self.producer.1.to_be_bytes());
        body.extend(self.producer.2.to_be_bytes());
        body.extend((self.records.len() as i32).to_be_bytes());
        for (number, (timestamp, value)) in self.records.iter().enumerate() {
            let key = self.keys.get(number).map(String::as_bytes);
            body.extend(record(timestamp - first, number as i64, key, value));
        }
        let mut bytes = Vec::new();
        bytes.extend(0_i64.to_be_bytes());
        bytes.extend((body.len() as i32 + 9).to_be_bytes());
        bytes.extend((-1_i32).to_be_bytes());
        bytes.push(2);
        bytes.extend(crc32c::crc32c(&body).to_be_bytes());
        bytes.extend(body);
        bytes
    }
}

/// A record with a key and no value deletes the key.
fn record(timestamp_delta: i64, offset_delta: i64, key: Option<&[u8]>, value: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    varint(timestamp_delta, &mut body);
    varint(offset_delta, &mut body);
    match key {
        None => varint(-1, &mut body),
        Some(key) => {
            varint(key.len() as i64, &mut body);
            body.extend(key);
        }
    }
    if key.is_some() && value.is_empty() {
        varint(-1, &mut body);
    } else {
        varint(value.len() as i64, &mut body);
        body.extend(value);
    }
    varint(0, &mut body);
    let mut bytes = Vec::new();
    varint(body.len() as i64, &mut bytes);
    bytes.extend(body);
    bytes
}

fn varint(number: i64, bytes: &mut Vec<u8>) {
    let mut zigzag = ((number << 1) ^ (number >> 63)) as u64;
    while zigzag >= 0x80 {
        bytes.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    bytes.push(zigzag as u8);
}

/// A record that was read: offset, timestamp, key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
}

/// The records of a whole uncompressed batch.
pub(crate) fn read(header: &tidemill_log::BatchHeader, batch: &[u8]) -> Vec<Read> {
    let mut rest = &batch[tidemill_log::batch::HEADER_BYTES..];
    let records = (0..header.record_count).map(|_| {
        take(&mut rest);
        rest = &rest[1..];
        let timestamp = header.base_timestamp + take(&mut rest);
        let offset = header.base_offset + take(&mut rest);
        let (key, value) = (text(&mut rest), text(&mut rest));
        assert_eq!(take(&mut rest), 0, "no headers");
        Read { offset, timestamp, key, value }
    });
    let records = records.collect();
    assert!(rest.is_empty(), "{rest:?}");
    records
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take(rest)).ok()?;
    let (text, after) = rest.split_at(length);
    *rest = after;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn take(rest: &mut &[u8]) -> i64 {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = rest[0];
        *rest = &rest[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (value >> 1) as i64 ^ -((value & 1) as i64);
        }
        shift += 7;
    }
}
