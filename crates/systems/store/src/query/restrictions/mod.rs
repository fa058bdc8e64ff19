//! WHERE: what of it chooses partitions, what chooses rows in them, what must be filtered.

mod builder;
mod finish;
mod gathered;
mod values;

use std::sync::Arc;

use bytes::Bytes;

use super::context::Preparing;
use super::filter::Filter;
use super::term::{TypedIn, TypedTerm};
use crate::cql::statements::relation::Relation;
use crate::error::CqlError;
use crate::schema::table::Table;
use crate::storage::key::PartitionPrefix;

use builder::Builder;
pub(crate) use values::{required, tokens};

/// What the WHERE belongs to: each has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// SELECT.
    Select { allow_filtering: bool },
    /// UPDATE, and INSERT's implied one.
    Update,
    /// DELETE: ranges are allowed.
    Delete,
}

/// A partition key's components, and the prefix of its keys.
pub(crate) type NamedPartition = (Arc<[Bytes]>, PartitionPrefix);

/// One end of a slice: values and whether it includes them.
type Bound = (Vec<TypedTerm>, bool);

/// What is said of one or more clustering columns in a row.
#[derive(Debug, Clone)]
enum ClusteringPart {
    /// These values.
    Equal(Vec<TypedTerm>),
    /// One column, one of these values.
    In(TypedIn),
    /// Several columns, one of these tuples.
    InTuples(Vec<Vec<TypedTerm>>),
    /// Several columns, one of the tuples of a list.
    InTupleList(TypedTerm, usize),
    /// Between two bounds; always the last.
    Slice { lower: Option<Bound>, upper: Option<Bound> },
}

impl ClusteringPart {
    fn is_slice(&self) -> bool {
        matches!(self, ClusteringPart::Slice { .. })
    }
}

/// What one partition key column must be.
#[derive(Debug, Clone)]
enum KeyPart {
    Equal(TypedTerm),
    In(TypedIn),
}

/// `token(…)` between two bounds.
#[derive(Debug, Clone, Default)]
struct TokenRange {
    lower: Option<(TypedTerm, bool)>,
    upper: Option<(TypedTerm, bool)>,
}

/// A WHERE that is understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restrictions {
    key: Vec<KeyPart>,
    token: Option<TokenRange>,
    clustering: Vec<ClusteringPart>,
    /// Clustering columns that the parts cover.
    clustering_columns: usize,
    /// Whatever only looking at rows can tell.
    pub(crate) filters: Vec<Filter>,
    /// Whether any clustering column is restricted.
    pub(crate) restricts_clustering: bool,
    /// Whether any key part is an IN.
    pub(crate) has_key_in: bool,
}

impl Restrictions {
    /// Understands a WHERE.
    pub(crate) fn prepare(
        relations: &[Relation],
        table: &Table,
        purpose: Purpose,
        preparing: &mut Preparing,
    ) -> Result<Restrictions, CqlError> {
        let mut builder = Builder::new(table, purpose);
        for relation in relations {
            builder.relation(relation, preparing)?;
        }
        builder.finish()
    }

    /// The key of INSERT: one value per key column, clustering included as far as it is given.
    pub(crate) fn of_insert(key: Vec<TypedTerm>, clustering: Vec<TypedTerm>) -> Restrictions {
        Restrictions {
            key: key.into_iter().map(KeyPart::Equal).collect(),
            clustering_columns: clustering.len(),
            restricts_clustering: !clustering.is_empty(),
            clustering: if clustering.is_empty() {
                Vec::new()
            } else {
                vec![ClusteringPart::Equal(clustering)]
            },
            ..Restrictions::default()
        }
    }

    /// Whether it names its partitions.
    pub(crate) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Whether it names whole clusterings: each is one row.
    pub(crate) fn names_rows(&self, table: &Table) -> bool {
        self.clustering_columns == table.clustering_count
            && !self.clustering.iter().any(ClusteringPart::is_slice)
    }

    /// Whether the clustering is restricted by a slice.
    pub(crate) fn has_slice(&self) -> bool {
        self.clustering.iter().any(ClusteringPart::is_slice)
    }

    /// Whether any clustering column is restricted by an IN.
    pub(crate) fn has_clustering_in(&self) -> bool {
        self.clustering.iter().any(|part| {
            matches!(
                part,
                ClusteringPart::In(_)
                    | ClusteringPart::InTuples(_)
                    | ClusteringPart::InTupleList(..)
            )
        })
    }

    /// Clustering columns that are covered.
    pub(crate) fn clustering_columns(&self) -> usize {
        self.clustering_columns
    }

    /// Markers of the partition key in its order, if each is one marker.
    pub(crate) fn key_markers(&self) -> Vec<u16> {
        let markers = self.key.iter().map(|part| match part {
            KeyPart::Equal(term) => term.marker().and_then(|at| u16::try_from(at).ok()),
            KeyPart::In(_) => None,
        });
        markers.collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}
