//! A table whose columns and options have been checked.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::sql::statement::{Column, ColumnKind, CreateTable, Watermark};
use crate::sql::types::SqlType;
use crate::sql::{Location, SqlError};

use super::options::{Connector, Format};
use super::qualified;

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Columns in the order declared.
    pub columns: Vec<Column>,
    /// The columns that a source delivers: physical and metadata ones, in the order declared.
    pub scan: Vec<ScanColumn>,
    /// Names of the key's columns.
    pub primary_key: Vec<String>,
    /// The time attribute.
    pub watermark: Option<Watermark>,
    /// Where its rows are.
    pub connector: Connector,
    /// `CREATE TABLE …`, as written.
    pub text: String,
}

/// A column that a source delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// What it is taken from.
    pub origin: ScanOrigin,
}

/// What a delivered column is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanOrigin {
    /// The field of the same name in the record's value.
    Value,
    /// The record beside its value.
    Metadata(MetadataKey),
}

/// What a record carries beside its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataKey {
    /// Name of the topic.
    Topic,
    /// Partition.
    Partition,
    /// Offset in the partition.
    Offset,
    /// When the record was made.
    Timestamp,
    /// The key's bytes; in Flink the key is read through `key.format`.
    Key,
    /// The headers.
    Headers,
}

impl MetadataKey {
    const ALL: [(&'static str, MetadataKey); 6] = [
        ("headers", MetadataKey::Headers),
        ("key", MetadataKey::Key),
        ("offset", MetadataKey::Offset),
        ("partition", MetadataKey::Partition),
        ("timestamp", MetadataKey::Timestamp),
        ("topic", MetadataKey::Topic),
    ];

    /// Whether a column of this type can hold it.
    fn fits(self, sql_type: &SqlType) -> bool {
        match self {
            MetadataKey::Topic => *sql_type == SqlType::String,
            MetadataKey::Partition => matches!(sql_type, SqlType::Int | SqlType::BigInt),
            MetadataKey::Offset => *sql_type == SqlType::BigInt,
            MetadataKey::Timestamp => {
                matches!(sql_type, SqlType::Timestamp(_) | SqlType::TimestampLtz(_))
            }
            MetadataKey::Key => matches!(sql_type, SqlType::Bytes | SqlType::String),
            MetadataKey::Headers => match sql_type {
                SqlType::Map(key, value) => {
                    **key == SqlType::String && matches!(**value, SqlType::Bytes | SqlType::String)
                }
                _ => false,
            },
        }
    }
}

impl Table {
    /// Checks what stands in a `CREATE TABLE`.
    pub(super) fn resolve(create: &CreateTable, at: Location) -> Result<Table, SqlError> {
        let connector = Connector::resolve(&create.options, at)?;
        let scan = create
            .columns
            .iter()
            .filter_map(|column| scan_column(column, &create.name, &connector).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let table = Table {
            name: create.name.clone(),
            columns: create.columns.clone(),
            scan,
            primary_key: create.primary_key.clone(),
            watermark: create.watermark.clone(),
            connector,
            text: create.text.clone(),
        };
        table.check(at)?;
        Ok(table)
    }

    /// Columns that a sink takes, in the order declared.
    pub fn physical(&self) -> impl Iterator<Item = (&Column, &SqlType, bool)> {
        self.columns.iter().filter_map(|column| match &column.kind {
            ColumnKind::Physical { sql_type, not_null } => {
                let key = self.primary_key.contains(&column.name);
                Some((column, sql_type, *not_null || key))
            }
            _ => None,
        })
    }

    /// The columns that a source delivers, as a schema. All may be NULL: a document may lack
    /// anything.
    pub fn scan_schema(&self) -> SchemaRef {
        let fields =
            self.scan.iter().map(|column| Field::new(&column.name, column.sql_type.arrow(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The columns that a sink takes, as a schema.
    pub fn sink_schema(&self) -> SchemaRef {
        let fields = self
            .physical()
            .map(|(column, sql_type, _)| Field::new(&column.name, sql_type.arrow(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Whether some column is an expression over others.
    pub fn has_computed_columns(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.kind, ColumnKind::Computed { .. }))
    }

    fn check(&self, at: Location) -> Result<(), SqlError> {
        let key = !self.primary_key.is_empty();
        match &self.connector {
            Connector::Kafka(kafka) => {
                if key {
                    return Err(SqlError::invalid(
                        at,
                        format!(
                            "The Kafka table '{}' with '{}' format doesn't support defining PRIMARY \
                             KEY constraint on the table, because it can't guarantee the semantic of \
                             primary key.",
                            qualified(&self.name),
                            kafka.format.name()
                        ),
                    ));
                }
                for field in &kafka.key_fields {
                    if !self.physical().any(|(column, ..)| column.name == *field) {
                        let message = format!(
                            "Could not find the field '{field}' in the table schema for usage in \
                             the key format."
                        );
                        return Err(SqlError::invalid(at, message));
                    }
                }
                if kafka.format == Format::Raw && self.physical().count() != 1 {
                    return Err(SqlError::invalid(
                        at,
                        "The 'raw' format only supports single physical column.",
                    ));
                }
            }
            Connector::Cassandra(cassandra) => {
                if !key {
                    let message = "The cassandra connector upserts by key: declare PRIMARY KEY \
                                   (…) NOT ENFORCED";
                    return Err(SqlError::invalid(at, message));
                }
                for (column, (_, at)) in &cassandra.cql_types {
                    if !self.physical().any(|(known, ..)| known.name == *column) {
                        let message =
                            format!("'tidemill.cql.type.{column}' names no column of the table");
                        return Err(SqlError::invalid(*at, message));
                    }
                }
            }
            Connector::Datagen(_)
            | Connector::Print { .. }
            | Connector::Blackhole
            | Connector::Spark { .. } => {}
        }
        Ok(())
    }
}

fn scan_column(
    column: &Column,
    table: &str,
    connector: &Connector,
) -> Result<Option<ScanColumn>, SqlError> {
    let (sql_type, origin) = match &column.kind {
        ColumnKind::Physical { sql_type, .. } => (sql_type, ScanOrigin::Value),
        ColumnKind::Computed { .. } => return Ok(None),
        ColumnKind::Metadata { sql_type, key, .. } => {
            let known = MetadataKey::ALL.iter().find(|(name, _)| name == key);
            let (true, Some((_, known))) = (matches!(connector, Connector::Kafka(_)), known) else {
                let names: Vec<&str> = match connector {
                    Connector::Kafka(_) => MetadataKey::ALL.iter().map(|(name, _)| *name).collect(),
                    _ => Vec::new(),
                };
                return Err(SqlError::invalid(
                    column.at,
                    format!(
                        "Invalid metadata key '{key}' in column '{}' of table '{}'. The connector \
                         '{}' supports the following metadata keys for reading:\n{}",
                        column.name,
                        qualified(table),
                        connector.name(),
                        names.join("\n")
                    ),
                ));
            };
            if !known.fits(sql_type) {
                return Err(SqlError::invalid(
                    column.at,
                    format!(
                        "Invalid data type for metadata column '{}' of table '{}'. The column cannot \
                         be declared as '{sql_type}' for metadata key '{key}'.",
                        column.name,
                        qualified(table)
                    ),
                ));
            }
            (sql_type, ScanOrigin::Metadata(*known))
        }
    };
    Ok(Some(ScanColumn { name: column.name.clone(), sql_type: sql_type.clone(), origin }))
}

/// Whether a column of this type can be a time attribute.
pub fn is_rowtime_type(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, _))
}
