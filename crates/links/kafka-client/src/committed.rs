//! Which batches of a fetch a reader of committed records sees.
//!
//! A broker hands out whole stretches of its log and says beside them which transactions in it were
//! aborted, by producer and first offset; leaving them out is the client's part (KIP-98, "Reading
//! transactional messages").

use std::collections::HashSet;

use bytes::{Bytes, BytesMut};
use tidemill_kafka_wire::messages::fetch::AbortedTransaction;
use tidemill_kafka_wire::records;

/// The offset after the last whole batch; `None` if there is no whole one.
pub(crate) fn next_offset(bytes: &Bytes) -> Option<i64> {
    let last = records::batches(bytes).map_while(Result::ok).last()?;
    Some(last.header.last_offset() + 1)
}

/// The batches without those of aborted transactions.
pub(crate) fn committed(bytes: Bytes, mut aborted: Vec<AbortedTransaction>) -> Bytes {
    if aborted.is_empty() {
        return bytes;
    }
    aborted.sort_unstable_by_key(|one| std::cmp::Reverse(one.first_offset));
    let mut kept = BytesMut::with_capacity(bytes.len());
    let mut open: HashSet<i64> = HashSet::new();
    let mut at = 0;
    for batch in records::batches(&bytes).map_while(Result::ok) {
        let header = &batch.header;
        while let Some(begun) = aborted.pop_if(|one| one.first_offset <= header.last_offset()) {
            open.insert(begun.producer_id);
        }
        let end = at + header.size();
        if header.is_control() {
            // The end of the transaction; what this producer writes from here on is another one.
            open.remove(&header.producer_id);
            kept.extend_from_slice(&bytes[at..end]);
        } else if !(header.is_transactional() && open.contains(&header.producer_id)) {
            kept.extend_from_slice(&bytes[at..end]);
        }
        at = end;
    }
    // What is cut off, or cannot be read, is for the reader to say.
    kept.extend_from_slice(&bytes[at..]);
    kept.freeze()
}

#[cfg(test)]
mod tests {
    use tidemill_kafka_wire::records::{BatchBuilder, Compression, Marker};

    use super::*;

    fn data(offset: i64, producer_id: i64, value: &str) -> Bytes {
        let mut batch = BatchBuilder::new(Compression::None).base_offset(offset);
        if producer_id >= 0 {
            batch = batch.producer(producer_id, 0, 0).transactional();
        }
        batch.push(0, None, Some(value.as_bytes()), &[]);
        batch.build()
    }

    fn marker(offset: i64, producer_id: i64, commits: bool) -> Bytes {
        let mut bytes = Marker { commits, coordinator_epoch: 0 }.batch(producer_id, 0, 0).to_vec();
        bytes[..8].copy_from_slice(&offset.to_be_bytes());
        bytes.into()
    }

    fn values(bytes: &Bytes) -> Vec<String> {
        records::decode(bytes)
            .map(|record| String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn records_of_aborted_transactions_are_left_out() {
        let log = [
            data(0, 7, "aborted"),
            data(1, -1, "plain"),
            data(2, 8, "of another producer"),
            marker(3, 7, false),
            data(4, 7, "committed"),
            marker(5, 7, true),
            marker(6, 8, true),
        ];
        let bytes = Bytes::from(log.concat());
        let aborted = vec![AbortedTransaction { producer_id: 7, first_offset: 0 }];
        let seen = committed(bytes.clone(), aborted);
        assert_eq!(values(&seen), ["plain", "of another producer", "committed"]);
        assert_eq!(next_offset(&bytes), Some(7));
    }

    #[test]
    fn a_producer_may_abort_twice_and_commit_between() {
        let log = [
            data(0, 7, "first"),
            marker(1, 7, false),
            data(2, 7, "second"),
            marker(3, 7, true),
            data(4, 7, "third"),
            marker(5, 7, false),
        ];
        let bytes = Bytes::from(log.concat());
        let aborted =
            [4, 0].map(|first_offset| AbortedTransaction { producer_id: 7, first_offset });
        assert_eq!(values(&committed(bytes, aborted.to_vec())), ["second"]);
    }

    #[test]
    fn a_batch_that_is_cut_off_stays_as_it_is() {
        let whole = data(0, 7, "aborted");
        let cut = data(1, -1, "cut off");
        let bytes = Bytes::from([&whole[..], &cut[..20]].concat());
        let aborted = vec![AbortedTransaction { producer_id: 7, first_offset: 0 }];
        assert_eq!(committed(bytes.clone(), aborted), cut.slice(..20));
        assert_eq!(next_offset(&bytes), Some(1));
        assert_eq!(next_offset(&Bytes::new()), None);
    }
}
