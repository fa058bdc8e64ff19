//! What is appended is what is read: offsets, limits, time.

use tidemill_log::{BatchError, BatchHeader, LogConfig, LogError, TimestampMatch};

use crate::batches::Batch;
use crate::world::{Bench, page_cache, small};

fn header(log: &Bench, offset: i64) -> BatchHeader {
    let bytes = log.read(offset, 1, true).unwrap().bytes().unwrap();
    BatchHeader::check(&bytes).unwrap()
}

#[test]
fn an_offset_inside_a_batch_gives_the_whole_batch() {
    let log = Bench::new(small());
    assert_eq!(log.put(&Batch::at(1, 5)), 0);
    assert_eq!(log.put(&Batch::at(2, 3)), 5);
    for offset in 0..5 {
        assert_eq!(header(&log, offset).base_offset, 0, "{offset}");
    }
    for offset in 5..8 {
        assert_eq!(header(&log, offset).base_offset, 5, "{offset}");
    }
    assert!(log.read(8, 1, true).unwrap().is_empty());
    for offset in [-1, 9] {
        let error = log.read(offset, 1, true).unwrap_err();
        assert!(matches!(error, LogError::OutOfRange { start: 0, end: 8, .. }), "{error}");
    }
}

#[test]
fn every_offset_of_every_segment_is_found() {
    let log = Bench::new(small());
    let mut bases = Vec::new();
    for number in 0..120 {
        let count = 1 + number % 4;
        let base = log.put(&Batch::of(vec![(0, vec![7; number * 7 % 150]); count]));
        bases.push((base, base + count as i64 - 1));
    }
    assert!(log.files(".log").len() > 5, "{:?}", log.files(".log"));
    assert_eq!(log.offsets_from(0), bases);
    for (base, last) in &bases {
        for offset in *base..=*last {
            assert_eq!(header(&log, offset).base_offset, *base, "{offset}");
        }
    }
    let from_middle: Vec<_> =
        log.batch_headers(bases[40].1).map(|header| header.unwrap().base_offset).collect();
    assert_eq!(from_middle, bases[40..].iter().map(|(base, _)| *base).collect::<Vec<_>>());
}

#[test]
fn a_read_gives_whole_batches_within_its_limits() {
    let config = LogConfig { segment_bytes: 100_000, ..small() };
    let log = Bench::new(config);
    let size = Batch::sized(0, 50).encode().len();
    for _ in 0..100 {
        log.put(&Batch::sized(0, 50));
    }
    for (offset, limit, max_bytes, at_least_one, batches) in [
        (0, 100, size, false, 1),
        (0, 100, size - 1, false, 0),
        (0, 100, size - 1, true, 1),
        (0, 100, 0, true, 1),
        (0, 100, 3 * size - 1, false, 2),
        (3, 100, 50 * size, false, 50),
        (3, 100, 50 * size + 1, false, 50),
        (3, 20, 50 * size, false, 17),
        (3, 4, 50 * size, false, 1),
        (3, 3, 50 * size, true, 0),
        (0, i64::MAX, usize::MAX, false, 100),
        (60, i64::MAX, 40 * size, false, 40),
        (99, i64::MAX, usize::MAX, false, 1),
    ] {
        let slice = log.read_below(offset, limit, max_bytes, at_least_one).unwrap();
        let case = format!("{offset} {limit} {max_bytes} {at_least_one}");
        assert_eq!(slice.len(), batches * size, "{case}");
        let bytes = slice.bytes().unwrap();
        let first = BatchHeader::check(&bytes).map(|header| header.base_offset);
        assert_eq!(first.unwrap_or(offset), offset, "{case}");
    }
}

#[test]
fn what_is_no_record_batch_is_refused_and_leaves_nothing() {
    let log = Bench::new(small());
    let good = Batch::at(1, 2).encode();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let with_count = |count: i32| {
        let mut bytes = good.clone();
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        bytes
    };
    let trailing = [good.clone(), vec![1, 2, 3]].concat();
    let is = |check: fn(&BatchError) -> bool| check;
    for (bytes, expected) in [
        (Vec::new(), is(|e| matches!(e, BatchError::Empty))),
        (good[..60].to_vec(), is(|e| matches!(e, BatchError::Truncated { .. }))),
        (good[..good.len() - 1].to_vec(), is(|e| matches!(e, BatchError::Truncated { .. }))),
        (trailing, is(|e| matches!(e, BatchError::Truncated { .. }))),
        (changed(16, 1), is(|e| matches!(e, BatchError::Magic(1)))),
        (changed(70, 0xff), is(|e| matches!(e, BatchError::Crc { .. }))),
        (changed(8, 0x80), is(|e| matches!(e, BatchError::Length(_)))),
        (changed(8, 0x7f), is(|e| matches!(e, BatchError::Truncated { .. }))),
        (with_count(3), is(|e| matches!(e, BatchError::Count { .. }))),
        (with_count(-1), is(|e| matches!(e, BatchError::Count { .. }))),
    ] {
        match log.append(&mut bytes.clone(), 0).unwrap_err() {
            LogError::Batch(error) => assert!(expected(&error), "{error}"),
            other => panic!("{other}"),
        }
    }
    let error = log.append(&mut Batch::sized(0, 3000).encode(), 0).unwrap_err();
    assert!(matches!(error, LogError::TooLarge { max: 2048, .. }), "{error}");
    assert_eq!((log.end_offset(), log.size_bytes()), (0, 0));
}

#[test]
fn segments_are_rolled_by_time_and_by_full_indexes_too() {
    let log = Bench::new(LogConfig { segment_bytes: 1 << 20, segment_ms: 1000, ..small() });
    for timestamp in [0, 900, 1000, 1001, 1500, 2002] {
        log.put(&Batch::at(timestamp, 1));
    }
    let bases =
        ["00000000000000000000.log", "00000000000000000003.log", "00000000000000000005.log"];
    assert_eq!(log.files(".log"), bases);

    let log = Bench::new(LogConfig { segment_bytes: 1 << 20, index_bytes_max: 24, ..small() });
    for _ in 0..50 {
        log.put(&Batch::sized(0, 100));
    }
    assert!(log.files(".log").len() > 3);
}

#[test]
fn a_time_leads_to_the_first_record_at_or_after_it() {
    let log = Bench::new(page_cache());
    // The first record at or after each time, by brute force.
    let mut records = Vec::new();
    for number in 0..80_i64 {
        // Time mostly grows, with older records in between.
        let times: Vec<i64> =
            (0..3).map(|i| 1000 + number * 10 - (number % 7) * 25 + i * 4).collect();
        log.put(&Batch::of(times.iter().map(|time| (*time, vec![0; 40])).collect()));
        records.extend(times);
    }
    assert!(log.files(".log").len() > 4);
    for ms in (900..1900).chain([i64::MIN, i64::MAX]) {
        let expected = records.iter().position(|time| *time >= ms).map(|i| (i as i64, records[i]));
        let found = match log.offset_for_timestamp(ms).unwrap() {
            Some(TimestampMatch::Record { offset, timestamp }) => Some((offset, timestamp)),
            None => None,
            Some(TimestampMatch::Batch(slice)) => panic!("{slice:?}"),
        };
        assert_eq!(found, expected, "{ms}");
    }
    let newest = *records.iter().max().unwrap();
    let first = records.iter().position(|time| *time == newest).unwrap() as i64;
    match log.max_timestamp().unwrap() {
        Some((timestamp, TimestampMatch::Record { offset, .. })) => {
            assert_eq!((timestamp, offset), (newest, first));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_compressed_batch_is_given_to_be_decoded_and_append_time_needs_no_decoding() {
    let log = Bench::new(page_cache());
    let compressed = Batch { attributes: 4, ..Batch::at(100, 3) };
    let append_time = Batch { attributes: 4 | 8, ..Batch::at(200, 3) };
    log.put(&compressed);
    log.put(&append_time);
    match log.offset_for_timestamp(50).unwrap() {
        Some(TimestampMatch::Batch(slice)) => {
            let bytes = slice.bytes().unwrap();
            assert_eq!(BatchHeader::check(&bytes).unwrap().last_offset(), 2);
        }
        other => panic!("{other:?}"),
    }
    let found = log.offset_for_timestamp(150).unwrap();
    assert!(
        matches!(found, Some(TimestampMatch::Record { offset: 3, timestamp: 200 })),
        "{found:?}"
    );
    let found = log.offset_for_timestamp_from(50, 4).unwrap();
    assert!(
        matches!(found, Some(TimestampMatch::Record { offset: 4, timestamp: 200 })),
        "{found:?}"
    );
}

#[test]
fn searches_by_time_see_only_what_is_durable() {
    let log = Bench::new(small());
    log.put(&Batch::at(10, 1));
    log.append(&mut Batch::at(20, 1).encode(), 0).unwrap();
    assert!(log.offset_for_timestamp(15).unwrap().is_none());
    assert!(matches!(log.max_timestamp().unwrap(), Some((10, _))));
    log.flush().unwrap();
    assert!(log.offset_for_timestamp(15).unwrap().is_some());
    assert!(matches!(log.max_timestamp().unwrap(), Some((20, _))));
}

#[test]
fn an_empty_log_has_no_times_and_nothing_to_read() {
    let log = Bench::new(small());
    assert!(log.max_timestamp().unwrap().is_none());
    assert!(log.offset_for_timestamp(0).unwrap().is_none());
    assert!(log.read(0, 100, true).unwrap().bytes().unwrap().is_empty());
    assert_eq!(log.batch_headers(0).count(), 0);
}
