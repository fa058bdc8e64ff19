//! Kept statements: by id, across restarts, planned again when the schema has changed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use md5::{Digest, Md5};
use parking_lot::{Mutex, RwLock};
use tidemill_cql_wire::response::ColumnSpec;
use tidemill_cql_wire::{Reader, WireWrite};
use uuid::Uuid;

use crate::cql::parse_statement;
use crate::error::CqlError;
use crate::query::plan::PreparedPlan;
use crate::schema::Schema;
use crate::schema::catalog::SYSTEM_SPACE;
use crate::storage::engine::{Durability, Engine, Write};

/// What the keys of kept statements start with, and what the next kind of keys does.
const PREFIX: &[u8] = b"4";
const PREFIX_END: &[u8] = b"5";
const VERSION: u8 = 1;

/// A kept statement.
pub(crate) struct PreparedStatement {
    /// What clients call it.
    pub(crate) id: Bytes,
    /// CQL.
    pub(crate) query: String,
    /// The keyspace of names without one.
    pub(crate) keyspace: Option<String>,
    plan: RwLock<Option<(Uuid, Arc<PreparedPlan>)>>,
}

impl PreparedStatement {
    /// Its plan for the schema of now.
    pub(crate) fn plan(&self, schema: &Schema) -> Result<Arc<PreparedPlan>, CqlError> {
        if let Some((version, plan)) = &*self.plan.read()
            && *version == schema.version
        {
            return Ok(plan.clone());
        }
        let parsed = parse_statement(&self.query)?;
        let plan = Arc::new(PreparedPlan::new(parsed, schema, self.keyspace.as_deref())?);
        *self.plan.write() = Some((schema.version, plan.clone()));
        Ok(plan)
    }
}

#[derive(Default)]
struct Known {
    by_id: HashMap<Bytes, Arc<PreparedStatement>>,
    /// Ids from the oldest.
    order: VecDeque<Bytes>,
}

/// All kept statements; the oldest go when there are too many.
pub(crate) struct PreparedStatements {
    engine: Arc<dyn Engine>,
    known: Mutex<Known>,
    count_max: usize,
}

impl PreparedStatements {
    /// Reads what is stored. The space must be there.
    pub(crate) fn open(
        engine: Arc<dyn Engine>,
        count_max: usize,
    ) -> Result<PreparedStatements, CqlError> {
        let mut known = Known::default();
        for entry in engine.range(SYSTEM_SPACE, PREFIX, PREFIX_END, false)? {
            let (key, value) = entry?;
            let id = key.slice(PREFIX.len()..);
            let Some((keyspace, query)) = decode(value) else { continue };
            known.order.push_back(id.clone());
            let plan = RwLock::new(None);
            let statement = PreparedStatement { id: id.clone(), query, keyspace, plan };
            known.by_id.insert(id, Arc::new(statement));
        }
        Ok(PreparedStatements { engine, known: Mutex::new(known), count_max: count_max.max(1) })
    }

    /// Keeps a statement. It has been planned, so that no broken one is kept.
    pub(crate) fn keep(
        &self,
        query: &str,
        keyspace: Option<&str>,
        version: Uuid,
        plan: Arc<PreparedPlan>,
    ) -> Result<Arc<PreparedStatement>, CqlError> {
        let id = id_of(query, keyspace);
        let mut known = self.known.lock();
        if let Some(statement) = known.by_id.get(&id) {
            *statement.plan.write() = Some((version, plan));
            return Ok(statement.clone());
        }
        let statement = Arc::new(PreparedStatement {
            id: id.clone(),
            query: query.to_owned(),
            keyspace: keyspace.map(str::to_owned),
            plan: RwLock::new(Some((version, plan))),
        });
        known.by_id.insert(id.clone(), statement.clone());
        known.order.push_back(id.clone());
        let value = Some(encode(keyspace, query));
        let mut writes = vec![Write { space: SYSTEM_SPACE, key: key_of(&id), value }];
        while known.order.len() > self.count_max {
            let Some(oldest) = known.order.pop_front() else { break };
            known.by_id.remove(&oldest);
            writes.push(Write { space: SYSTEM_SPACE, key: key_of(&oldest), value: None });
        }
        // A client prepares again what a crash forgets: no need to wait for the disk.
        self.engine.commit(&writes, Durability::Buffer)?;
        Ok(statement)
    }

    /// A kept statement.
    pub(crate) fn get(&self, id: &Bytes) -> Result<Arc<PreparedStatement>, CqlError> {
        let found = self.known.lock().by_id.get(id).cloned();
        found.ok_or_else(|| CqlError::unprepared(id.clone()))
    }

    /// Id, keyspace and text of all of them.
    pub(crate) fn list(&self) -> Vec<(Bytes, Option<String>, String)> {
        let known = self.known.lock();
        let one =
            |it: &Arc<PreparedStatement>| (it.id.clone(), it.keyspace.clone(), it.query.clone());
        known.by_id.values().map(one).collect()
    }
}

/// Cassandra's id: MD5 of keyspace and text.
fn id_of(query: &str, keyspace: Option<&str>) -> Bytes {
    let mut digest = Md5::new();
    digest.update(keyspace.unwrap_or_default());
    digest.update(query);
    Bytes::copy_from_slice(&digest.finalize())
}

fn key_of(id: &Bytes) -> Bytes {
    [PREFIX, id].concat().into()
}

fn encode(keyspace: Option<&str>, query: &str) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(VERSION);
    out.put_u8(u8::from(keyspace.is_some()));
    out.put_string(keyspace.unwrap_or_default());
    out.put_long_string(query);
    out.freeze()
}

fn decode(value: Bytes) -> Option<(Option<String>, String)> {
    let mut reader = Reader::new(value);
    if reader.byte().ok()? != VERSION {
        return None;
    }
    let has_keyspace = reader.byte().ok()? != 0;
    let keyspace = reader.string().ok()?;
    Some((has_keyspace.then_some(keyspace), reader.long_string().ok()?))
}

/// Names a result's columns: the same columns have the same id.
pub(crate) fn metadata_id(columns: &[ColumnSpec]) -> Bytes {
    let mut digest = Md5::new();
    for column in columns {
        digest.update(&*column.keyspace);
        digest.update(&*column.table);
        digest.update(&column.name);
        digest.update(column.cql_type.class_name());
    }
    Bytes::copy_from_slice(&digest.finalize())
}
