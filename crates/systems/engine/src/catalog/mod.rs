//! Tables and views by name. One catalog, `default_catalog`, with one database,
//! `default_database`, as a Flink session starts with.

pub mod options;
pub mod table;

mod taken;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sql::statement::{CreateTable, CreateView, Drop};
use crate::sql::{Location, SqlError};

pub use table::{MetadataKey, ScanColumn, ScanOrigin, Table};

/// Tables and views of one catalog at most.
const RELATIONS_MAX: usize = 10_000;

/// A table, or a query with a name.
#[derive(Debug, Clone)]
pub enum Relation {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<CreateView>),
}

/// Everything that has a name. Cheap to clone: a session starts with a copy of the project's.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    relations: BTreeMap<String, Relation>,
}

impl Catalog {
    /// What has this name.
    pub fn get(&self, name: &str) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// All names with what they stand for, in order.
    pub fn relations(&self) -> impl Iterator<Item = (&str, &Relation)> {
        self.relations.iter().map(|(name, relation)| (name.as_str(), relation))
    }

    /// Checks a table's columns and options and takes it in.
    pub fn create_table(&mut self, create: &CreateTable, at: Location) -> Result<(), SqlError> {
        let exists = self.relations.contains_key(&create.name);
        if exists && create.if_not_exists {
            return Ok(());
        }
        let table = Table::resolve(create, at)?;
        self.insert(&create.name, Relation::Table(Arc::new(table)), at)
    }

    /// Takes a view in; the caller has planned its query.
    pub fn create_view(&mut self, create: &CreateView, at: Location) -> Result<(), SqlError> {
        if self.relations.contains_key(&create.name) && create.if_not_exists {
            return Ok(());
        }
        self.insert(&create.name, Relation::View(Arc::new(create.clone())), at)
    }

    /// Forgets a table or view.
    pub fn drop_relation(&mut self, drop: &Drop, at: Location) -> Result<(), SqlError> {
        let found = match self.relations.get(&drop.name) {
            Some(Relation::Table(_)) => !drop.view,
            Some(Relation::View(_)) => drop.view,
            None => false,
        };
        if found {
            self.relations.remove(&drop.name);
            return Ok(());
        }
        if drop.if_exists {
            return Ok(());
        }
        let kind = if drop.view { "View" } else { "Table" };
        let message = format!("{kind} with identifier '{}' does not exist.", qualified(&drop.name));
        Err(SqlError::invalid(at, message))
    }

    fn insert(&mut self, name: &str, relation: Relation, at: Location) -> Result<(), SqlError> {
        if self.relations.contains_key(name) {
            let message = format!(
                "Could not execute CreateTable in path `default_catalog`.`default_database`.`{name}`: \
                 Table (or view) {} already exists in Catalog default_catalog.",
                format_args!("default_database.{name}")
            );
            return Err(SqlError::invalid(at, message));
        }
        if self.relations.len() == RELATIONS_MAX {
            return Err(SqlError::invalid(
                at,
                format!("more than {RELATIONS_MAX} tables and views"),
            ));
        }
        self.relations.insert(name.to_owned(), relation);
        Ok(())
    }
}

/// The name with its catalog and database, as messages show it.
pub fn qualified(name: &str) -> String {
    format!("default_catalog.default_database.{name}")
}
