//! Names with or without their keyspace.

/// A table's or type's name as a statement writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QualifiedName {
    /// The keyspace, if it is written.
    pub(crate) keyspace: Option<String>,
    /// The name.
    pub(crate) name: String,
}
