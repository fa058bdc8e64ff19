//! Record batches as a client encodes them.

/// What goes into one batch.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Timestamp and value of each record.
    pub(crate) records: Vec<(i64, Vec<u8>)>,
    pub(crate) attributes: i16,
    pub(crate) producer: (i64, i16, i32),
}

impl Batch {
    pub(crate) fn of(records: Vec<(i64, Vec<u8>)>) -> Batch {
        Batch { records, attributes: 0, producer: (-1, -1, -1) }
    }

    /// So many records of one byte each, all with this timestamp.
    pub(crate) fn at(timestamp: i64, count: usize) -> Batch {
        Batch::of(vec![(timestamp, b"v".to_vec()); count])
    }

    /// One record with a value of so many bytes.
    pub(crate) fn sized(timestamp: i64, value_bytes: usize) -> Batch {
        Batch::of(vec![(timestamp, vec![b'v'; value_bytes])])
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
            body.extend(record(timestamp - first, number as i64, value));
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

fn record(timestamp_delta: i64, offset_delta: i64, value: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    varint(timestamp_delta, &mut body);
    varint(offset_delta, &mut body);
    varint(-1, &mut body);
    varint(value.len() as i64, &mut body);
    body.extend(value);
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
