//! A table: its columns and options.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use uuid::Uuid;

use super::options::TableOptions;
use super::types::ColumnType;
use crate::error::CqlError;
use crate::storage::engine::SpaceId;
use crate::storage::key;
use crate::storage::row::ColumnId;

/// The longest name of a keyspace, table or type: it becomes a file name in Cassandra.
pub(crate) const NAME_CHARS_MAX: usize = 48;

/// What part a column has in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Decides which partition.
    PartitionKey,
    /// Decides which row, and their order.
    Clustering,
    /// One value per partition.
    Static,
    /// One value per row.
    Regular,
}

impl ColumnKind {
    /// As `system_schema.columns` writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ColumnKind::PartitionKey => "partition_key",
            ColumnKind::Clustering => "clustering",
            ColumnKind::Static => "static",
            ColumnKind::Regular => "regular",
        }
    }

    /// Whether it is part of the primary key.
    pub(crate) fn is_key(self) -> bool {
        matches!(self, ColumnKind::PartitionKey | ColumnKind::Clustering)
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Names it in stored rows.
    pub(crate) id: ColumnId,
    /// Its name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) column_type: ColumnType,
    /// Its part.
    pub(crate) kind: ColumnKind,
    /// Whether a clustering column sorts downwards.
    pub(crate) descending: bool,
}

/// A column that is gone; a new one of its name must not show its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DroppedColumn {
    /// Its name.
    pub(crate) name: String,
    /// Its type, by its words.
    pub(crate) type_text: String,
    /// Whether it was static.
    pub(crate) is_static: bool,
    /// Milliseconds since 1970.
    pub(crate) dropped_ms: i64,
}

/// A table at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Names the table for ever.
    pub(crate) id: Uuid,
    /// Where its rows are; another one after TRUNCATE.
    pub(crate) space: SpaceId,
    /// Its keyspace.
    pub(crate) keyspace: String,
    /// Its name.
    pub(crate) name: String,
    /// Partition key, clustering, then static and regular columns, each by name.
    pub(crate) columns: Vec<Column>,
    /// How many columns make up the partition key.
    pub(crate) partition_key_count: usize,
    /// How many columns make up the clustering.
    pub(crate) clustering_count: usize,
    /// Everything WITH says.
    pub(crate) options: TableOptions,
    /// Columns that are gone.
    pub(crate) dropped: Vec<DroppedColumn>,
    /// The id of the next new column.
    pub(crate) next_column_id: ColumnId,
    /// Types of the partition key.
    pub(crate) key_types: Vec<CqlType>,
}

impl Table {
    /// A table of these columns, in any order; key columns among themselves in theirs.
    pub(crate) fn new(
        id: Uuid,
        keyspace: &str,
        name: &str,
        mut columns: Vec<Column>,
        options: TableOptions,
    ) -> Table {
        let next_column_id = columns.iter().map(|column| column.id + 1).max().unwrap_or(0);
        sort(&mut columns);
        let count = |kind| columns.iter().filter(|column| column.kind == kind).count();
        let partition_key_count = count(ColumnKind::PartitionKey);
        let clustering_count = count(ColumnKind::Clustering);
        let key_types = columns[..partition_key_count]
            .iter()
            .map(|column| column.column_type.cql.clone())
            .collect();
        Table {
            id,
            space: id,
            keyspace: keyspace.to_owned(),
            name: name.to_owned(),
            columns,
            partition_key_count,
            clustering_count,
            options,
            dropped: Vec::new(),
            next_column_id,
            key_types,
        }
    }

    /// The same table with other columns.
    pub(crate) fn with_columns(&self, columns: Vec<Column>) -> Table {
        let mut table =
            Table::new(self.id, &self.keyspace, &self.name, columns, self.options.clone());
        table.space = self.space;
        table.dropped = self.dropped.clone();
        table.next_column_id = table.next_column_id.max(self.next_column_id);
        table
    }

    /// The columns of the partition key.
    pub(crate) fn partition_key(&self) -> &[Column] {
        &self.columns[..self.partition_key_count]
    }

    /// The clustering columns.
    pub(crate) fn clustering(&self) -> &[Column] {
        &self.columns[self.partition_key_count..][..self.clustering_count]
    }

    /// All columns that are no key.
    pub(crate) fn values(&self) -> &[Column] {
        &self.columns[self.partition_key_count + self.clustering_count..]
    }

    /// Where a column stands in [`Table::columns`].
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A column by name.
    pub(crate) fn column(&self, name: &str) -> Result<&Column, CqlError> {
        self.index_of(name).map(|at| &self.columns[at]).ok_or_else(|| {
            CqlError::invalid(format!(
                "Undefined column name {name} in table {}.{}",
                self.keyspace, self.name
            ))
        })
    }

    /// Whether it counts.
    pub(crate) fn is_counter(&self) -> bool {
        self.values().iter().any(|column| column.column_type.cql == CqlType::Counter)
    }

    /// Clustering components as comparable bytes.
    pub(crate) fn encode_clustering(&self, components: &[Bytes]) -> Vec<u8> {
        let types = self.clustering().iter();
        key::clustering(types.map(|it| (&it.column_type.cql, it.descending)), components)
    }
}

/// Key columns stay in order; statics and regulars sort by name.
fn sort(columns: &mut [Column]) {
    let rank = |column: &Column| match column.kind {
        ColumnKind::PartitionKey => 0,
        ColumnKind::Clustering => 1,
        ColumnKind::Static => 2,
        ColumnKind::Regular => 3,
    };
    // The sort is stable: the order of key columns is the order given.
    columns.sort_by(|a, b| {
        let by_name = if rank(a) >= 2 { a.name.cmp(&b.name) } else { std::cmp::Ordering::Equal };
        rank(a).cmp(&rank(b)).then(by_name)
    });
}
