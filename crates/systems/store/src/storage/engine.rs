//! What the store needs of an ordered key-value engine: spaces, gets, ranges, atomic commits.

use bytes::Bytes;
use uuid::Uuid;

/// Names one ordered set of keys: a table's rows, the schema, the prepared statements.
pub(crate) type SpaceId = Uuid;

/// How far a commit goes before it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// In the operating system's hands: survives the process.
    Buffer,
    /// On the disk: survives the machine.
    Disk,
}

/// One change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// Where.
    pub(crate) space: SpaceId,
    /// The key.
    pub(crate) key: Bytes,
    /// The new value; `None` removes the key.
    pub(crate) value: Option<Bytes>,
}

/// Why the engine did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// The space is gone: the table was dropped or truncated. Plan again.
    #[error("space {0} does not exist")]
    NoSpace(SpaceId),
    /// The disk, or what is on it. After a failed commit every later one fails too.
    #[error("{0}")]
    Storage(String),
}

/// Keys and values in the order of the keys.
pub(crate) type Entries<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), EngineError>> + 'a>;

/// An ordered key-value engine. Reads see committed writes only, and a range sees those of the
/// moment it was started.
pub(crate) trait Engine: Send + Sync + 'static {
    /// Makes a space, if it is not there.
    fn create_space(&self, space: SpaceId) -> Result<(), EngineError>;

    /// Removes a space and all that is in it. No error if it is not there.
    fn drop_space(&self, space: SpaceId) -> Result<(), EngineError>;

    /// All spaces.
    fn spaces(&self) -> Vec<SpaceId>;

    /// The value of a key.
    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>, EngineError>;

    /// Entries from `start` (in) to `end` (out); backwards if `reverse`.
    fn range(
        &self,
        space: SpaceId,
        start: &[u8],
        end: &[u8],
        reverse: bool,
    ) -> Result<Entries<'_>, EngineError>;

    /// All writes or none of them.
    fn commit(&self, writes: &[Write], durability: Durability) -> Result<(), EngineError>;

    /// Makes durable all that was committed to the buffer.
    fn sync(&self) -> Result<(), EngineError>;

    /// About how many bytes a space takes on the disk.
    fn disk_bytes(&self, space: SpaceId) -> u64;
}
