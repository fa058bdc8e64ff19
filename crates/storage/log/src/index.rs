//! What the two indexes have in common: sorted entries of fixed size, searched by halving, in memory
//! while a segment is being written and in the file afterwards.

use std::io;

use tidemill_runtime::DiskFile;

/// One entry of an index, as Kafka stores it.
pub(crate) trait Entry: Copy {
    /// Bytes in the file.
    const BYTES: usize;

    /// Reads an entry of exactly [`Entry::BYTES`].
    fn decode(bytes: &[u8]) -> Self;

    /// Appends the entry's bytes.
    fn encode(&self, bytes: &mut Vec<u8>);
}

/// All entries in the content of an index file. A torn last entry is left out.
pub(crate) fn decode_all<E: Entry>(bytes: &[u8]) -> Vec<E> {
    bytes.chunks_exact(E::BYTES).map(E::decode).collect()
}

/// The content of an index file.
pub(crate) fn encode_all<'a, E: Entry + 'a>(entries: impl Iterator<Item = &'a E>) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.for_each(|entry| entry.encode(&mut bytes));
    bytes
}

/// The last entry for which `holds`, which is true for a prefix of the entries.
pub(crate) fn last_in_memory<E: Entry>(entries: &[E], holds: impl Fn(&E) -> bool) -> Option<E> {
    let count = entries.partition_point(holds);
    Some(entries[count.checked_sub(1)?])
}

/// As [`last_in_memory`], reading only the entries that are looked at. No mapping: a file that
/// shrinks under a mapping kills the process.
pub(crate) fn last_in_file<E: Entry>(
    file: &dyn DiskFile,
    holds: impl Fn(&E) -> bool,
) -> io::Result<Option<E>> {
    let (mut low, mut high) = (0, file.len()? / E::BYTES as u64);
    let (mut bytes, mut found) = (vec![0; E::BYTES], None);
    while low < high {
        let middle = low + (high - low) / 2;
        file.read_exact_at(&mut bytes, middle * E::BYTES as u64)?;
        let entry = E::decode(&bytes);
        if holds(&entry) {
            found = Some(entry);
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(found)
}
