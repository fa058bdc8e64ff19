use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

fn records(count: i64) -> Vec<Record> {
    (0..count)
        .map(|n| Record {
            offset: 40 + n,
            timestamp: 1_700_000_000_000 + n * 3,
            key: (n % 3 != 0).then(|| Bytes::from(format!("key {n}"))),
            value: (n % 4 != 0).then(|| Bytes::from(vec![b'v'; n as usize])),
            headers: (0..n % 3)
                .map(|h| Header { key: "same".into(), value: (h > 0).then(|| "x".into()) })
                .collect(),
        })
        .collect()
}

fn batch(records: &[Record], compression: Compression) -> Bytes {
    let offset = records.first().map_or(0, |record| record.offset);
    let mut builder = BatchBuilder::new(compression).base_offset(offset).producer(7, 1, 5);
    for record in records {
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder.push(record.timestamp, key, value, &record.headers);
    }
    builder.build()
}

fn all(bytes: &Bytes) -> Result<Vec<Record>, RecordError> {
    decode(bytes).collect()
}

#[test]
fn records_come_back_from_every_codec() {
    let records = records(500);
    for codec in Compression::ALL {
        let bytes = batch(&records, codec);
        assert_eq!(all(&bytes).unwrap(), records, "{codec}");
        let header = batches(&bytes).next().unwrap().unwrap().header;
        assert_eq!(header.compression().unwrap(), codec);
        assert_eq!((header.base_offset, header.last_offset()), (40, 539));
        assert_eq!((header.base_sequence, header.last_sequence()), (5, 504));
        assert_eq!(header.max_timestamp, records[499].timestamp);
        assert_eq!(header.size(), bytes.len());
    }
}

#[test]
fn a_batch_cut_off_at_the_end_is_left_out() {
    let (first, second) =
        (batch(&records(3), Compression::None), batch(&records(2), Compression::Gzip));
    let whole = Bytes::from([first.clone(), second].concat());
    for cut in 0..whole.len() {
        let expected = if cut < first.len() { 0 } else { 3 };
        assert_eq!(all(&whole.slice(..cut)).unwrap().len(), expected, "{cut}");
    }
    assert_eq!(all(&whole).unwrap().len(), 5);
}

#[test]
fn a_changed_byte_behind_the_checksum_is_found() {
    let bytes = batch(&records(3), Compression::None);
    for at in 17..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 0x10;
        assert!(all(&changed.into()).is_err(), "{at}");
    }
}

#[test]
fn an_old_message_set_is_named() {
    let mut bytes = batch(&records(1), Compression::None).to_vec();
    bytes[16] = 1;
    assert_eq!(all(&bytes.into()), Err(RecordError::Magic(1)));
}

#[test]
fn control_records_are_left_out_and_the_broker_s_time_counts_for_all() {
    let mut markers = BatchBuilder::new(Compression::None).control();
    markers.push(1, Some(b"\0\0\0\0"), Some(b""), &[]);
    assert_eq!(all(&markers.build()).unwrap(), []);

    let mut bytes = BytesMut::from(&batch(&records(3), Compression::None)[..]);
    bytes[22] |= 0x08;
    bytes[35..43].copy_from_slice(&99i64.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    assert!(all(&bytes.freeze()).unwrap().iter().all(|record| record.timestamp == 99));
}

#[test]
fn decompression_stops_at_its_bound() {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.push(0, None, Some(&vec![0; 4 << 20]), &[]);
    let plain = builder.build();
    for codec in &Compression::ALL[1..] {
        let mut builder = BatchBuilder::new(*codec);
        builder.push(0, None, Some(&vec![0; 4 << 20]), &[]);
        let bytes = builder.build();
        assert!(bytes.len() < plain.len() / 15, "{codec}: {}", bytes.len());
        let bounded: Result<Vec<_>, _> = decode_bounded(&bytes, 1 << 20).collect();
        assert_eq!(bounded, Err(RecordError::TooLarge { max: 1 << 20 }), "{codec}");
        assert_eq!(all(&bytes).unwrap().len(), 1, "{codec}");
    }
}

#[test]
fn bare_and_framed_snappy_are_both_read() {
    let plain = Bytes::from(vec![b's'; 100_000]);
    let bare: Bytes = snap::raw::Encoder::new().compress_vec(&plain).unwrap().into();
    let framed = Compression::Snappy.compress(plain.clone());
    for packed in [bare, framed] {
        assert_eq!(Compression::Snappy.decompress(&packed, 200_000).unwrap(), plain);
    }
    // A stream of a few bytes that announces gigabytes.
    let bomb = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1]);
    assert!(Compression::Snappy.decompress(&bomb, usize::MAX).is_err());
}

fn short() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop::option::of(prop::collection::vec(any::<u8>(), 0..40))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_records_come_back(
        values in prop::collection::vec(
            (any::<i64>(), short(), short(), prop::collection::vec(("[a-zé→]{0,5}", short()), 0..3)),
            1..20,
        ),
        codec in 0..5usize,
    ) {
        let records: Vec<Record> = values
            .into_iter()
            .zip(0..)
            .map(|((timestamp, key, value, headers), offset)| Record {
                offset,
                timestamp,
                key: key.map(Bytes::from),
                value: value.map(Bytes::from),
                headers: headers
                    .into_iter()
                    .map(|(key, value)| Header { key, value: value.map(Bytes::from) })
                    .collect(),
            })
            .collect();
        prop_assert_eq!(all(&batch(&records, Compression::ALL[codec])).unwrap(), records);
    }

    /// With the checksum made right again, so that the reader behind it meets the damage.
    #[test]
    fn damaged_batches_are_an_error_and_never_a_panic(at in any::<usize>(), to: u8, codec in 0..5usize) {
        let mut bytes = batch(&records(20), Compression::ALL[codec]).to_vec();
        let at = 21 + at % (bytes.len() - 21);
        bytes[at] = to;
        let checksum = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
        let _ = all(&bytes.into());
    }
}
