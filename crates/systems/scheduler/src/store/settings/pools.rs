//! Pools: how many tasks that share something run at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ListFilter, Page, Settings, StoreError, Table};
use crate::store::database::{Row, Session, Sql};

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotPool {
    /// Its name.
    pub name: String,
    /// Slots that are taken by queued and running tasks; -1 is no limit.
    pub slots: i64,
    /// For people.
    pub description: Option<String>,
    /// Whether deferred tasks keep their slots. Nothing is deferred here; it is kept as it was set.
    pub include_deferred: bool,
}

/// Slots of a pool that are taken, or asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// By tasks that run.
    pub running: i64,
    /// By tasks that were handed to the executor.
    pub queued: i64,
    /// By tasks that wait for slots.
    pub scheduled: i64,
}

/// What pools can be ordered by: the API's name, the column.
pub const POOL_ORDERS: &[(&str, &str)] = &[("name", "name"), ("pool", "name"), ("id", "id")];

const TABLE: Table =
    Table { name: "pool", columns: "name, slots, description, include_deferred", key: "name" };

impl Settings {
    /// A pool.
    pub async fn pool(&self, name: &str) -> Result<Option<SlotPool>, StoreError> {
        self.one(&TABLE, name, read_pool).await
    }

    /// Pools.
    pub async fn pools(&self, filter: &ListFilter) -> Result<Page<SlotPool>, StoreError> {
        self.list(&TABLE, filter, read_pool).await
    }

    /// What is taken of every pool that is used.
    pub async fn pool_use(&self) -> Result<BTreeMap<String, PoolUse>, StoreError> {
        // The sum of whole numbers is a decimal in PostgreSQL.
        let found = Sql::new(
            "SELECT pool, state, CAST(sum(pool_slots) AS BIGINT) AS n FROM task_instance \
             WHERE state IN ('scheduled', 'queued', 'running', 'restarting') GROUP BY pool, state",
        );
        let mut pools: BTreeMap<String, PoolUse> = BTreeMap::new();
        for row in found.fetch(&mut self.database.acquire().await?.session()).await? {
            let (slots, state) = (row.get::<i64>("n")?, row.get::<String>("state")?);
            let taken = pools.entry(row.get("pool")?).or_default();
            match state.as_str() {
                "scheduled" => taken.scheduled += slots,
                "queued" => taken.queued += slots,
                _ => taken.running += slots,
            }
        }
        Ok(pools)
    }

    /// Adds a pool; false if there is one of that name, which stays as it is.
    pub async fn add_pool(&self, pool: &SlotPool) -> Result<bool, StoreError> {
        Ok(self.insert_pool("DO NOTHING", pool).await? > 0)
    }

    /// Adds or replaces a pool.
    pub async fn put_pool(&self, pool: &SlotPool) -> Result<(), StoreError> {
        let replace = "DO UPDATE SET slots = excluded.slots, description = excluded.description, \
             include_deferred = excluded.include_deferred";
        self.insert_pool(replace, pool).await?;
        Ok(())
    }

    /// Removes a pool; whether there was one.
    pub async fn delete_pool(&self, name: &str) -> Result<bool, StoreError> {
        self.delete(&TABLE, name).await
    }

    async fn insert_pool(&self, conflict: &str, pool: &SlotPool) -> Result<u64, StoreError> {
        let insert = format!(
            "INSERT INTO pool (name, slots, description, include_deferred) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (name) {conflict}"
        );
        let insert = Sql::new(insert).bind(pool.name.as_str()).bind(pool.slots);
        let insert = insert.bind(pool.description.as_deref());
        self.change(insert.bind(i64::from(pool.include_deferred))).await
    }
}

/// The slots of every pool.
pub(in crate::store) async fn slots(
    session: &mut Session<'_>,
) -> Result<BTreeMap<Arc<str>, i64>, StoreError> {
    let found = Sql::new("SELECT name, slots FROM pool").fetch(session).await?;
    let slots = |row: &Row| Ok((row.get::<String>("name")?.into(), row.get("slots")?));
    found.iter().map(slots).collect()
}

fn read_pool(row: &Row) -> Result<SlotPool, StoreError> {
    Ok(SlotPool {
        name: row.get("name")?,
        slots: row.get("slots")?,
        description: row.get("description")?,
        include_deferred: row.flag("include_deferred")?,
    })
}
