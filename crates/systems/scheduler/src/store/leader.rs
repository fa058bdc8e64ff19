//! The one row of PostgreSQL's table `leader`: who leads, until when, in which term.
//!
//! Only the server's clock is asked. An expired lease can be taken by anybody, one's own at any time:
//! it is that of the process before this one.

use std::time::Duration;

use super::StoreError;
use super::database::{Pool, Row, Sql};

/// The server's clock, in microseconds.
const NOW: &str = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Its name.
    pub node: String,
    /// Where its REST API listens.
    pub address: String,
}

/// The row, as one scheduler sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LeaderTable {
    pool: Pool,
    node: String,
    address: String,
}

impl LeaderTable {
    pub(super) fn new(pool: Pool, node: &str, address: &str) -> LeaderTable {
        LeaderTable { pool, node: node.to_owned(), address: address.to_owned() }
    }

    /// Takes the lease if nobody has it; the new term.
    pub async fn claim(&self, lease: Duration) -> Result<Option<i64>, StoreError> {
        let claim = format!(
            "INSERT INTO leader (name, term, batch, holder, address, source, fencing, until_us) \
             VALUES ('scheduler', 1, 0, $1, $2, 'database', 0, {NOW} + $3) \
             ON CONFLICT (name) DO UPDATE SET term = leader.term + 1, batch = 0, \
             holder = excluded.holder, address = excluded.address, source = excluded.source, \
             fencing = 0, until_us = {NOW} + $3 \
             WHERE leader.until_us < {NOW} OR leader.holder = excluded.holder RETURNING term"
        );
        self.seen().await?;
        let claim = Sql::new(claim).bind(self.node.as_str()).bind(self.address.as_str());
        let row = self.first(claim.bind(micros(lease))).await?;
        row.map(|row| row.get("term")).transpose()
    }

    /// Begins a term for a lease that is kept elsewhere, under its fencing number; none if a higher
    /// number was here before.
    pub async fn claim_for(&self, source: &str, fencing: i64) -> Result<Option<i64>, StoreError> {
        let claim = "INSERT INTO leader \
             (name, term, batch, holder, address, source, fencing, until_us) \
             VALUES ('scheduler', 1, 0, $1, $2, $3, $4, 0) \
             ON CONFLICT (name) DO UPDATE SET term = leader.term + 1, batch = 0, \
             holder = excluded.holder, address = excluded.address, source = excluded.source, \
             fencing = excluded.fencing, until_us = 0 \
             WHERE leader.source <> excluded.source OR leader.fencing <= excluded.fencing \
             RETURNING term";
        self.seen().await?;
        let claim = Sql::new(claim).bind(self.node.as_str()).bind(self.address.as_str());
        let row = self.first(claim.bind(source).bind(fencing)).await?;
        row.map(|row| row.get("term")).transpose()
    }

    /// Keeps the lease of a term; how many others wait for it, or none if the term has ended.
    pub async fn renew(&self, term: i64, lease: Duration) -> Result<Option<i64>, StoreError> {
        let renew = format!(
            "UPDATE leader SET until_us = {NOW} + $3 \
             WHERE name = 'scheduler' AND term = $1 AND holder = $2"
        );
        let renew = Sql::new(renew).bind(term).bind(self.node.as_str()).bind(micros(lease));
        let mut lent = self.pool.acquire().await?;
        if renew.execute(&mut lent.session()).await? != 1 {
            return Ok(None);
        }
        drop(lent);
        self.seen().await?;
        let others =
            format!("SELECT count(*) AS n FROM node WHERE name <> $1 AND seen_us > {NOW} - $2");
        let others = Sql::new(others).bind(self.node.as_str()).bind(micros(lease));
        Ok(Some(others.fetch_count(&mut self.pool.acquire().await?.session()).await?))
    }

    /// Ends a term at once.
    pub async fn release(&self, term: i64) -> Result<(), StoreError> {
        let release = "UPDATE leader SET until_us = 0 WHERE name = 'scheduler' AND term = $1";
        self.first(Sql::new(release).bind(term)).await?;
        Ok(())
    }

    /// Who leads, or led last.
    pub async fn look(&self) -> Result<Option<Leader>, StoreError> {
        let row = self.first(Sql::new("SELECT holder, address FROM leader")).await?;
        let leader =
            |row: Row| Ok(Leader { node: row.get("holder")?, address: row.get("address")? });
        row.map(leader).transpose()
    }

    async fn seen(&self) -> Result<(), StoreError> {
        let seen = format!(
            "INSERT INTO node (name, address, seen_us) VALUES ($1, $2, {NOW}) \
             ON CONFLICT (name) DO UPDATE SET address = excluded.address, seen_us = {NOW}"
        );
        self.first(Sql::new(seen).bind(self.node.as_str()).bind(self.address.as_str())).await?;
        Ok(())
    }

    async fn first(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        sql.fetch_first(&mut self.pool.acquire().await?.session()).await
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX / 2)
}
