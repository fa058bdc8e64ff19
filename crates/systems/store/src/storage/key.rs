//! Keys of rows: token, partition key, clustering. See `docs/formats/store.md`.

use bytes::{BufMut, Bytes, BytesMut};
use tidemill_cql_wire::CqlType;

use super::byte_comparable::{AFTER, BEFORE, TERMINATOR, put_component};
use super::murmur3;

/// Ends the key of a partition's header; sorts before every row.
const HEADER: u8 = 0x00;
/// The longest partition key, serialized, and the longest encoded key: 64 KiB.
pub(crate) const KEY_BYTES_MAX: usize = u16::MAX as usize;
/// Bytes of the token at the front of every key.
const TOKEN_BYTES: usize = 8;

/// A partition key as drivers and `token()` see it: one component as it is, more of them each with
/// length and end.
pub(crate) fn serialize_partition_key(components: &[Bytes]) -> Bytes {
    if let [only] = components {
        return only.clone();
    }
    let mut out = BytesMut::new();
    for component in components {
        out.put_u16(u16::try_from(component.len()).unwrap_or(u16::MAX));
        out.put_slice(component);
        out.put_u8(0);
    }
    out.freeze()
}

/// The token of a partition key's components.
pub(crate) fn token_of(components: &[Bytes]) -> i64 {
    murmur3::token(&serialize_partition_key(components))
}

/// Eight bytes that sort like tokens.
pub(crate) fn token_bytes(token: i64) -> [u8; TOKEN_BYTES] {
    (token ^ i64::MIN).to_be_bytes()
}

/// The token a key starts with.
pub(crate) fn token_in(key: &[u8]) -> Option<i64> {
    let bytes = key.first_chunk::<TOKEN_BYTES>()?;
    Some(i64::from_be_bytes(*bytes) ^ i64::MIN)
}

/// What all keys of one partition start with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartitionPrefix(Vec<u8>);

impl PartitionPrefix {
    /// Of a partition key's components and their types.
    pub(crate) fn new<'a>(
        types: impl IntoIterator<Item = &'a CqlType>,
        components: &[Bytes],
    ) -> PartitionPrefix {
        let mut out = Vec::with_capacity(48);
        out.extend_from_slice(&token_bytes(token_of(components)));
        for (cql_type, component) in types.into_iter().zip(components) {
            put_component(cql_type, component, false, &mut out);
        }
        out.push(TERMINATOR);
        PartitionPrefix(out)
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key of the partition's header: static row, partition and range deletions.
    pub(crate) fn header(&self) -> Bytes {
        self.with(&[HEADER])
    }

    /// The key of a row with this clustering, encoded by [`clustering`].
    pub(crate) fn row(&self, clustering: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.0.len() + clustering.len() + 1);
        out.put_slice(&self.0);
        out.put_slice(clustering);
        out.put_u8(TERMINATOR);
        out.freeze()
    }

    /// A bound after everything of the partition.
    pub(crate) fn end(&self) -> Bytes {
        self.with(&[0xFF])
    }

    /// The bytes followed by others.
    pub(crate) fn with(&self, more: &[u8]) -> Bytes {
        [self.0.as_slice(), more].concat().into()
    }

    /// What remains of one of the partition's keys behind the prefix.
    pub(crate) fn strip<'a>(&self, key: &'a [u8]) -> Option<&'a [u8]> {
        key.strip_prefix(self.0.as_slice())
    }
}

/// Clustering components as comparable bytes, without terminator; types carry their direction.
pub(crate) fn clustering<'a>(
    types: impl IntoIterator<Item = (&'a CqlType, bool)>,
    components: &[Bytes],
) -> Vec<u8> {
    let mut out = Vec::new();
    for ((cql_type, descending), component) in types.into_iter().zip(components) {
        put_component(cql_type, component, descending, &mut out);
    }
    out
}

/// One end of a range of clusterings: a prefix, and whether it lies before or after what starts
/// with it. The bytes compare with the clusterings of rows that end with their terminator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClusteringBound(pub(crate) Bytes);

impl ClusteringBound {
    /// Before all that starts with the prefix; an empty prefix is before everything.
    pub(crate) fn before(prefix: &[u8]) -> ClusteringBound {
        ClusteringBound([prefix, &[BEFORE]].concat().into())
    }

    /// After all that starts with the prefix; an empty prefix is after everything.
    pub(crate) fn after(prefix: &[u8]) -> ClusteringBound {
        ClusteringBound([prefix, &[AFTER]].concat().into())
    }
}

/// A range of clusterings between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Where it starts.
    pub(crate) start: ClusteringBound,
    /// Where it ends.
    pub(crate) end: ClusteringBound,
}

impl Slice {
    /// All rows of a partition.
    pub(crate) fn all() -> Slice {
        Slice { start: ClusteringBound::before(&[]), end: ClusteringBound::after(&[]) }
    }

    /// All rows whose clustering starts with the prefix; one row if it is complete.
    pub(crate) fn of_prefix(prefix: &[u8]) -> Slice {
        Slice { start: ClusteringBound::before(prefix), end: ClusteringBound::after(prefix) }
    }

    /// Whether nothing can lie in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether a row's clustering, with its terminator, lies in it.
    pub(crate) fn contains(&self, clustering: &[u8]) -> bool {
        *self.start.0 <= *clustering && *clustering <= *self.end.0
    }
}

/// Ring order of everything after `token`, as a first key.
pub(crate) fn after_token(token: i64) -> Option<Bytes> {
    token.checked_add(1).map(at_token)
}

/// The first key that could have `token`.
pub(crate) fn at_token(token: i64) -> Bytes {
    Bytes::copy_from_slice(&token_bytes(token))
}
