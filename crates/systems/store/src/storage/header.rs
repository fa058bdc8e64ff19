//! A partition's header: its deletion, its range tombstones, its static row.

use bytes::{BufMut, Bytes, BytesMut};

use super::cell::Deletion;
use super::key::{ClusteringBound, Slice};
use super::row::RowData;
use super::row_codec::{self, CorruptRow, Input};

/// How many range tombstones a partition may keep. Adjacent ones of one deletion are joined; past
/// this number a range delete is refused rather than slowing every read.
pub(crate) const RANGE_TOMBSTONES_MAX: usize = 100_000;

/// What belongs to a partition and to no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Everything in the partition before it was deleted.
    pub(crate) deletion: Deletion,
    /// Sorted, disjoint ranges of clusterings, each with the deletion that covers it.
    pub(crate) ranges: Vec<(Slice, Deletion)>,
    /// The static row.
    pub(crate) statics: RowData,
}

impl Default for Header {
    fn default() -> Header {
        Header { deletion: Deletion::NONE, ranges: Vec::new(), statics: RowData::default() }
    }
}

impl Header {
    /// The deletion that covers a row: the partition's or a range's. `clustering` ends with its
    /// terminator.
    pub(crate) fn deletion_of(&self, clustering: &[u8]) -> Deletion {
        let at = self.ranges.partition_point(|(slice, _)| *slice.end.0 < *clustering);
        match self.ranges.get(at) {
            Some((slice, deletion)) if slice.contains(clustering) => self.deletion.max(*deletion),
            _ => self.deletion,
        }
    }

    /// Deletes the whole partition.
    pub(crate) fn delete(&mut self, deletion: Deletion) {
        self.deletion = self.deletion.max(deletion);
        let covering = self.deletion;
        self.ranges.retain(|(_, range)| *range > covering);
        self.statics.prune(covering);
    }

    /// Deletes a range of rows. Where ranges overlap, the later deletion stays.
    pub(crate) fn delete_range(&mut self, slice: &Slice, deletion: Deletion) {
        if slice.is_empty() || self.deletion.covers(deletion.timestamp) {
            return;
        }
        let mut bounds: Vec<&ClusteringBound> = vec![&slice.start, &slice.end];
        bounds.extend(self.ranges.iter().flat_map(|(known, _)| [&known.start, &known.end]));
        bounds.sort();
        bounds.dedup();
        let mut cut: Vec<(Slice, Deletion)> = Vec::with_capacity(bounds.len());
        for pair in bounds.windows(2) {
            let part = Slice { start: pair[0].clone(), end: pair[1].clone() };
            let known = self.ranges.iter().filter(|(known, _)| overlaps(known, &part));
            let new = overlaps(slice, &part).then_some(deletion);
            let Some(winner) = known.map(|(_, known)| *known).chain(new).max() else { continue };
            match cut.last_mut() {
                Some((last, same)) if *same == winner && last.end == part.start => {
                    last.end = part.end;
                }
                _ => cut.push((part, winner)),
            }
        }
        self.ranges = cut;
    }

    /// Its bytes: the static row as a row without clustering, then deletions.
    pub(crate) fn encode(&self, pk: &[Bytes]) -> Bytes {
        let mut out = BytesMut::new();
        let statics = row_codec::encode(pk, &[], &self.statics);
        out.put_u32(u32::try_from(statics.len()).unwrap_or(u32::MAX));
        out.put_slice(&statics);
        row_codec::put_deletion(self.deletion, &mut out);
        tidemill_cql_wire::value::write_unsigned_vint(self.ranges.len() as u64, &mut out);
        for (slice, deletion) in &self.ranges {
            for bound in [&slice.start, &slice.end] {
                tidemill_cql_wire::value::write_unsigned_vint(bound.0.len() as u64, &mut out);
                out.put_slice(&bound.0);
            }
            row_codec::put_deletion(*deletion, &mut out);
        }
        out.freeze()
    }

    /// Partition key and header.
    pub(crate) fn decode(stored: &Bytes) -> Result<(Vec<Bytes>, Header), CorruptRow> {
        let (length, rest) = stored.split_first_chunk::<4>().ok_or(CorruptRow)?;
        let length = u32::from_be_bytes(*length) as usize;
        let statics = rest.get(..length).ok_or(CorruptRow)?;
        let (pk, _, statics) = row_codec::decode(&stored.slice_ref(statics))?;
        let mut input = Input { all: stored, rest: &rest[length..] };
        let deletion = input.deletion()?;
        let count = input.count()?;
        let mut ranges = Vec::with_capacity(count);
        for _ in 0..count {
            let start = ClusteringBound(input.bytes()?);
            let end = ClusteringBound(input.bytes()?);
            ranges.push((Slice { start, end }, input.deletion()?));
        }
        Ok((pk, Header { deletion, ranges, statics }))
    }
}

fn overlaps(a: &Slice, b: &Slice) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slice(from: u8, to: u8) -> Slice {
        Slice { start: ClusteringBound::before(&[from]), end: ClusteringBound::after(&[to]) }
    }

    proptest! {
        #[test]
        fn range_tombstones_answer_like_all_deletions_asked_one_by_one(
            deletes in prop::collection::vec((0..9_u8, 0..9_u8, 1..5_i64), 0..8),
        ) {
            let mut header = Header::default();
            for (from, to, timestamp) in &deletes {
                let deletion = Deletion { timestamp: *timestamp, second: 0 };
                header.delete_range(&slice(*from, *to), deletion);
            }
            for row in 0..9_u8 {
                let expected = deletes.iter()
                    .filter(|(from, to, _)| (*from..=*to).contains(&row))
                    .map(|(_, _, timestamp)| *timestamp).max();
                let found = header.deletion_of(&[row, crate::storage::byte_comparable::TERMINATOR]);
                let found = (!found.is_none()).then_some(found.timestamp);
                prop_assert_eq!(found, expected, "row {} in {:?}", row, deletes);
            }
            let key = [Bytes::from_static(b"k")];
            let (pk, read) = Header::decode(&header.encode(&key)).unwrap();
            prop_assert_eq!((&pk[..], read), (&key[..], header));
        }

    }
}
