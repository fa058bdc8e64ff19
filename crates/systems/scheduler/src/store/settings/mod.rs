//! What people set for all DAGs: variables, connections and pools.
//!
//! As in Airflow, tasks look into the environment first (`AIRFLOW_VAR_…`, `AIRFLOW_CONN_…`), then
//! here; people see here only. Values, passwords and extras are sealed on disk, and what a task was
//! given is masked in every log from then on.

mod connections;
mod environment;
mod pools;
mod uri;
mod variables;

pub use connections::{CONNECTION_ORDERS, Connection};
pub use environment::Environment;
pub(super) use pools::slots;
pub use pools::{POOL_ORDERS, PoolUse, SlotPool};
pub use uri::ConnectionError;
pub use variables::{VARIABLE_ORDERS, Variable};

use super::StoreError;
use super::cipher::Cipher;
use super::database::{Pool, Row, Sql};
use super::mask::Masks;
use super::read::Page;

/// Variables, connections and pools. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Settings {
    database: Pool,
    cipher: Cipher,
    environment: Environment,
    masks: Masks,
}

/// Which of a list, in which order.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Names like this: SQL's `LIKE`, without regard to case; several are joined by `|`.
    pub pattern: Option<String>,
    /// Columns of the list's own table, and whether descending.
    pub order: Vec<(&'static str, bool)>,
    /// At most so many.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

/// What is listed: where it is, and what it is called there.
struct Table {
    name: &'static str,
    columns: &'static str,
    key: &'static str,
}

impl Settings {
    pub(super) fn new(database: Pool, cipher: Cipher, environment: Environment) -> Settings {
        Settings { database, cipher, environment, masks: Masks::default() }
    }

    /// What the environment is said to hold.
    pub fn set_environment(&mut self, environment: Environment) {
        self.environment = environment;
    }

    /// Secrets that tasks were given.
    pub fn masks(&self) -> Masks {
        self.masks.clone()
    }

    /// Closes the connections to the database.
    pub async fn close(&self) {
        self.database.close().await;
    }

    async fn list<T>(
        &self,
        table: &Table,
        filter: &ListFilter,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let mut lent = self.database.acquire().await?;
        let session = &mut lent.session();
        let mut count = Sql::new(format!("SELECT count(*) AS n FROM {} WHERE 1 = 1", table.name));
        like(&mut count, table.key, filter.pattern.as_deref());
        let total = count.fetch_count(session).await?;
        let mut list =
            Sql::new(format!("SELECT {} FROM {} WHERE 1 = 1", table.columns, table.name));
        like(&mut list, table.key, filter.pattern.as_deref());
        list.push(" ORDER BY ");
        for (column, descending) in &filter.order {
            list.push(column).push(if *descending { " DESC, " } else { ", " });
        }
        list.push("id LIMIT ").push_bind(filter.limit).push(" OFFSET ").push_bind(filter.offset);
        let found = list.fetch(session).await?;
        Ok(Page { items: found.iter().map(read).collect::<Result<_, _>>()?, total })
    }

    async fn one<T>(
        &self,
        table: &Table,
        key: &str,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let Table { name, columns, key: column } = table;
        let found = Sql::new(format!("SELECT {columns} FROM {name} WHERE {column} = $1")).bind(key);
        let mut lent = self.database.acquire().await?;
        found.fetch_first(&mut lent.session()).await?.as_ref().map(read).transpose()
    }

    /// Whether it was there.
    async fn delete(&self, table: &Table, key: &str) -> Result<bool, StoreError> {
        let delete = Sql::new(format!("DELETE FROM {} WHERE {} = $1", table.name, table.key));
        Ok(self.change(delete.bind(key)).await? > 0)
    }

    async fn change(&self, sql: Sql) -> Result<u64, StoreError> {
        sql.execute(&mut self.database.acquire().await?.session()).await
    }

    fn unsealed(&self, place: &str, sealed: &str) -> Result<String, StoreError> {
        let unsealed = self.cipher.unseal(place, sealed);
        unsealed.ok_or_else(|| StoreError::Sealed { what: place.to_owned() })
    }
}

/// Airflow's patterns: alternatives joined by `|`, `%` and `_` as in `LIKE`, without regard to case.
fn like(sql: &mut Sql, column: &str, pattern: Option<&str>) {
    let Some(pattern) = pattern else { return };
    sql.push(" AND (");
    for (place, part) in pattern.split('|').enumerate() {
        sql.push(if place == 0 { "lower(" } else { " OR lower(" }).push(column).push(") LIKE ");
        sql.push_bind(format!("%{}%", part.trim().to_lowercase()));
    }
    sql.push(")");
}

#[cfg(test)]
mod tests;
