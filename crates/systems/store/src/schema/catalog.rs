//! Where the schema of now is kept, and how it changes: one change at a time, durable before it is
//! seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use parking_lot::{Mutex, RwLock};
use tidemill_cql_wire::response::SchemaChange;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::Schema;
use super::codec;
use super::keyspace::{Keyspace, UserType};
use super::table::Table;
use super::types::ColumnType;
use crate::error::CqlError;
use crate::storage::engine::{Durability, Engine, SpaceId, Write};
use crate::storage::purge::Purge;

/// Where the server keeps what is no table's: identity, schema, prepared statements. Their keys
/// start with 0, 1 to 3, and 4.
pub(crate) const SYSTEM_SPACE: SpaceId = SpaceId::from_u128(1);
/// Changes a slow connection may lag behind before it misses some.
const EVENTS_KEPT: usize = 256;

/// The schema of now.
pub(crate) struct Catalog {
    engine: Arc<dyn Engine>,
    purge: Arc<Purge>,
    current: RwLock<Arc<Schema>>,
    changing: Mutex<()>,
    events: broadcast::Sender<SchemaChange>,
}

/// What a change leaves behind.
pub(crate) struct Changed {
    /// The keyspaces it touched, as they are now; `None` for one that is gone.
    pub(crate) keyspace: (String, Option<Keyspace>),
    /// What clients are told; `None` if nothing changed after all.
    pub(crate) event: Option<SchemaChange>,
}

fn corrupt(error: codec::CorruptSchema) -> CqlError {
    CqlError::server(error.to_string())
}

impl Catalog {
    /// Reads what is stored, beside the keyspaces of the system. The system's space must be there.
    /// Spaces that no table owns are left by a crash between two steps of a change: they go.
    pub(crate) fn open(
        engine: Arc<dyn Engine>,
        system: Vec<Keyspace>,
        purge: Arc<Purge>,
    ) -> Result<Catalog, CqlError> {
        let mut keyspaces = load(&*engine)?;
        let owned: Vec<SpaceId> = keyspaces
            .values()
            .flat_map(|keyspace| keyspace.tables.values().map(|table| table.space))
            .collect();
        for space in engine.spaces() {
            if space != SYSTEM_SPACE && !owned.contains(&space) {
                engine.drop_space(space)?;
            }
        }
        keyspaces.extend(system.into_iter().map(|it| (it.name.clone(), Arc::new(it))));
        let version = version_of(&keyspaces);
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let current = RwLock::new(Arc::new(Schema { keyspaces, version }));
        let catalog = Catalog { engine, purge, current, changing: Mutex::new(()), events };
        catalog.schema().keyspaces.values().for_each(|keyspace| catalog.set_grace(keyspace));
        Ok(catalog)
    }

    /// The schema of now.
    pub(crate) fn schema(&self) -> Arc<Schema> {
        self.current.read().clone()
    }

    /// Hears of every change from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<SchemaChange> {
        self.events.subscribe()
    }

    /// Makes one change. `change` gets the schema of now; what it returns is made durable, then
    /// seen by everybody, then told to those who listen. `after` runs once nobody can see what was
    /// there before.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&Schema) -> Result<Changed, CqlError>,
    ) -> Result<Option<SchemaChange>, CqlError> {
        let _alone = self.changing.lock();
        let before = self.schema();
        let changed = change(&before)?;
        let (name, keyspace) = changed.keyspace;
        let old = records(before.keyspace(&name).map(|it| &**it));
        let new = records(keyspace.as_ref());
        let mut writes = Vec::new();
        for (key, value) in &new {
            if old.get(key) != Some(value) {
                let (key, value) = (key.clone(), Some(value.clone()));
                writes.push(Write { space: SYSTEM_SPACE, key, value });
            }
        }
        for key in old.keys().filter(|key| !new.contains_key(*key)) {
            writes.push(Write { space: SYSTEM_SPACE, key: key.clone(), value: None });
        }
        if writes.is_empty() {
            return Ok(None);
        }
        for table in keyspace.iter().flat_map(|keyspace| keyspace.tables.values()) {
            self.engine.create_space(table.space)?;
        }
        self.engine.commit(&writes, Durability::Disk)?;
        let mut keyspaces = before.keyspaces.clone();
        keyspace.iter().for_each(|keyspace| self.set_grace(keyspace));
        match keyspace {
            Some(keyspace) => keyspaces.insert(name, Arc::new(keyspace)),
            None => keyspaces.remove(&name),
        };
        let version = version_of(&keyspaces);
        *self.current.write() = Arc::new(Schema { keyspaces, version });
        if let Some(event) = &changed.event {
            // Nobody listens: nobody to tell.
            let _ = self.events.send(event.clone());
        }
        Ok(changed.event)
    }

    /// Removes spaces that no table of now owns, after a change took them away.
    pub(crate) fn drop_spaces(&self, spaces: &[SpaceId]) -> Result<(), CqlError> {
        spaces.iter().try_for_each(|space| {
            self.purge.forget(*space);
            self.engine.drop_space(*space).map_err(CqlError::from)
        })
    }

    /// Tells compaction how long deletions are kept.
    fn set_grace(&self, keyspace: &Keyspace) {
        for table in keyspace.tables.values().filter(|_| !keyspace.is_system) {
            let seconds = i64::from(table.options.integer("gc_grace_seconds"));
            self.purge.set_grace(table.space, seconds);
        }
    }
}

/// The records of a keyspace.
fn records(keyspace: Option<&Keyspace>) -> BTreeMap<Bytes, Bytes> {
    let mut records = BTreeMap::new();
    let Some(keyspace) = keyspace.filter(|it| !it.is_system) else { return records };
    let name = &keyspace.name;
    records.insert(codec::keyspace_key(name), codec::encode_keyspace(keyspace));
    for (number, user_type) in (0..).zip(in_order_of_use(keyspace)) {
        let key = codec::type_key(name, &user_type.udt.name);
        records.insert(key, codec::encode_type(user_type, number));
    }
    for table in keyspace.tables.values() {
        records.insert(codec::table_key(name, &table.name), codec::encode_table(table));
    }
    records
}

/// Types such that each comes behind those it uses.
pub(crate) fn in_order_of_use(keyspace: &Keyspace) -> Vec<&UserType> {
    let mut ordered: Vec<&UserType> = Vec::new();
    let mut waiting: Vec<&UserType> = keyspace.types.values().collect();
    // Types cannot use one another in a circle: each round places at least one.
    while !waiting.is_empty() {
        let (ready, later): (Vec<_>, Vec<_>) = waiting.iter().partition(|it| {
            let mut others = waiting.iter().filter(|other| other.udt.name != it.udt.name);
            !others.any(|other| {
                let uses = |field: &ColumnType| super::types::mentions(&field.cql, &other.udt.name);
                it.fields.iter().any(uses)
            })
        });
        if ready.is_empty() {
            ordered.extend(later);
            return ordered;
        }
        ordered.extend(ready);
        waiting = later;
    }
    ordered
}

fn load(engine: &dyn Engine) -> Result<BTreeMap<String, Arc<Keyspace>>, CqlError> {
    let mut keyspaces: BTreeMap<String, Keyspace> = BTreeMap::new();
    let mut types = Vec::new();
    let mut tables = Vec::new();
    for entry in engine.range(SYSTEM_SPACE, b"1", b"4", false)? {
        let (key, record) = entry?;
        let key = String::from_utf8_lossy(&key).into_owned();
        let parts: Vec<&str> = key.split('\0').collect();
        match parts.as_slice() {
            ["1", name] => {
                let keyspace = codec::decode_keyspace(name, &record).map_err(corrupt)?;
                keyspaces.insert((*name).to_owned(), keyspace);
            }
            ["2", keyspace, name] => {
                let raw = codec::decode_type(&record).map_err(corrupt)?;
                types.push((raw.number, (*keyspace).to_owned(), (*name).to_owned(), raw.fields));
            }
            ["3", keyspace, name] => {
                tables.push(((*keyspace).to_owned(), (*name).to_owned(), record));
            }
            _ => return Err(CqlError::server(format!("unknown record {key:?} in the schema"))),
        }
    }
    types.sort();
    for (_, keyspace, name, fields) in types {
        let Some(keyspace) = keyspaces.get_mut(&keyspace) else { continue };
        let fields = fields.into_iter().map(|(field, text)| {
            let resolved = codec::resolve_text(&text, keyspace).map_err(corrupt)?;
            Ok((field, resolved))
        });
        let fields = fields.collect::<Result<_, CqlError>>()?;
        let user_type = UserType::new(&keyspace.name, &name, fields);
        keyspace.types.insert(name, user_type);
    }
    for (keyspace, name, record) in tables {
        let Some(keyspace) = keyspaces.get_mut(&keyspace) else { continue };
        let table: Table = codec::decode_table(&name, keyspace, &record).map_err(corrupt)?;
        engine.create_space(table.space)?;
        keyspace.tables.insert(name, Arc::new(table));
    }
    Ok(keyspaces.into_iter().map(|(name, keyspace)| (name, Arc::new(keyspace))).collect())
}

/// The same schema has the same version, after a restart too.
fn version_of(keyspaces: &BTreeMap<String, Arc<Keyspace>>) -> Uuid {
    let mut content = BytesMut::new();
    for keyspace in keyspaces.values() {
        for (key, record) in records(Some(keyspace)) {
            content.extend_from_slice(&key);
            content.extend_from_slice(&record);
        }
    }
    uuid::Builder::from_md5_bytes(Md5::digest(&content).into()).into_uuid()
}

/// The id Cassandra gives a table of the system: made from its names.
pub(crate) fn system_table_id(keyspace: &str, table: &str) -> Uuid {
    let digest = Md5::digest(format!("{keyspace}{table}"));
    uuid::Builder::from_md5_bytes(digest.into()).into_uuid()
}
