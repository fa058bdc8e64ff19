//! What is registered: the content of the topic as it stands, and what requests do to it.
//!
//! Synchronous and deterministic. [`State::apply`] takes the topic's records in order; nothing else
//! changes the state. A request that writes is *planned*: it gives the records to append and the
//! answer to send once they are applied, so that the state is at every moment what a restart would
//! read back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use tidemill_schema::compatibility::Level;

use crate::entity::ContentDigest;
use crate::error::RegistryError;
use crate::record::{Key, Payload, Record, SchemaValue};
use crate::schema::{Parsed, SchemaType, Strictness};
use crate::settings::{Mode, Settings};
use crate::subject::{context_of, is_within, relative_to};

mod compare;
mod delete;
mod lookup;
mod query;
mod register;
mod settings;

#[cfg(test)]
mod tests;

pub use query::{Deleted, SchemaView, VersionId};
pub use register::Registration;
pub use settings::SettingsUpdate;

/// Schemas that build on one another, at most, from the last to the first.
const REFERENCE_DEPTH_MAX: usize = 100;

/// A write: records for the topic, and the answer to send when they are applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<T> {
    /// In the order in which they are to be appended; possibly none.
    pub records: Vec<Record>,
    /// What the client is told.
    pub answer: T,
}

impl<T> Plan<T> {
    /// Nothing to write.
    fn nothing(answer: T) -> Plan<T> {
        Plan { records: Vec::new(), answer }
    }
}

/// A record that contradicts what the topic said before. It is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "id {id} of {subject:?} version {version} belongs to another schema already; the record is left out"
)]
pub struct Conflict {
    subject: String,
    version: i32,
    id: i32,
}

/// A version of a subject.
#[derive(Debug, Clone)]
struct Stored {
    value: SchemaValue,
    /// When its record was written, in ms.
    timestamp: i64,
    digest: ContentDigest,
    parsed: OnceLock<Arc<Parsed>>,
}

/// Subject and version.
type Place = (String, i32);
/// Context and id.
type ContextId = (String, i32);

/// Everything that is registered.
#[derive(Debug, Clone)]
pub struct State {
    default_level: Level,
    subjects: BTreeMap<String, BTreeMap<i32, Stored>>,
    settings: BTreeMap<Option<String>, Settings>,
    modes: BTreeMap<Option<String>, Mode>,
    /// Tenant and context.
    contexts: BTreeSet<(String, String)>,
    /// Where each id is registered, soft-deleted versions among them.
    ids: BTreeMap<ContextId, BTreeSet<Place>>,
    /// The ids of each content; more than one only where they were imported.
    digests: HashMap<(String, ContentDigest), BTreeSet<i32>>,
    /// Which ids build on a version.
    referenced: BTreeMap<Place, BTreeSet<ContextId>>,
    /// The highest id given in each context.
    highest: BTreeMap<String, i32>,
}

impl State {
    /// An empty registry.
    pub fn new(default_level: Level) -> State {
        State {
            default_level,
            subjects: BTreeMap::new(),
            settings: BTreeMap::new(),
            modes: BTreeMap::new(),
            contexts: BTreeSet::new(),
            ids: BTreeMap::new(),
            digests: HashMap::new(),
            referenced: BTreeMap::new(),
            highest: BTreeMap::new(),
        }
    }

    /// Takes the next record of the topic, written at `timestamp` (ms).
    pub fn apply(&mut self, record: Record, timestamp: i64) -> Result<(), Conflict> {
        match (record.key, record.payload) {
            (Key::Schema { .. }, Some(Payload::Schema(value))) => {
                return self.put_version(*value, timestamp);
            }
            (Key::Schema { subject, version }, _) => self.remove_version(&subject, version),
            (Key::Config(subject), Some(Payload::Config(settings))) => {
                self.settings.insert(subject, *settings);
            }
            (Key::Config(subject), _) => {
                self.settings.remove(&subject);
            }
            (Key::Mode(subject), Some(Payload::Mode(mode))) => {
                self.modes.insert(subject, mode);
            }
            (Key::Mode(subject), _) => {
                self.modes.remove(&subject);
            }
            (Key::Context { tenant, context }, Some(_)) => {
                self.contexts.insert((tenant, context));
            }
            (Key::Context { tenant, context }, None) => {
                self.contexts.remove(&(tenant, context));
            }
            (Key::DeleteSubject(subject), Some(Payload::DeleteSubject(last))) => {
                let versions = self.subjects.get_mut(&subject).into_iter().flatten();
                for (_, stored) in versions.filter(|(version, _)| **version <= last) {
                    stored.value.deleted = true;
                }
            }
            (Key::ClearSubject(named), Some(_)) => self.clear(named.as_deref()),
            (Key::Noop, Some(Payload::HighestIds(ids))) => {
                for (context, id) in ids {
                    let highest = self.highest.entry(context).or_default();
                    *highest = id.max(*highest);
                }
            }
            // What such a record removed is not there to be removed: old topics hold them.
            (Key::DeleteSubject(_) | Key::ClearSubject(_) | Key::Noop, _) => {}
        }
        Ok(())
    }

    fn put_version(&mut self, value: SchemaValue, timestamp: i64) -> Result<(), Conflict> {
        let (subject, version, id) = (value.subject.clone(), value.version, value.id);
        let context = context_of(&subject).to_owned();
        if self.places(&(context.clone(), id)).any(|other| other.value.schema != value.schema) {
            return Err(Conflict { subject, version, id });
        }
        self.remove_version(&subject, version);
        let highest = self.highest.entry(context.clone()).or_default();
        *highest = id.max(*highest);
        let place = (subject.clone(), version);
        self.ids.entry((context.clone(), id)).or_default().insert(place);
        for reference in &value.references {
            let target = (relative_to(&subject, &reference.subject), reference.version);
            self.referenced.entry(target).or_default().insert((context.clone(), id));
        }
        let digest = value.digest();
        self.digests.entry((context, digest)).or_default().insert(id);
        let stored = Stored { value, timestamp, digest, parsed: OnceLock::new() };
        self.subjects.entry(subject).or_default().insert(version, stored);
        Ok(())
    }

    fn remove_version(&mut self, subject: &str, version: i32) {
        let Some(versions) = self.subjects.get_mut(subject) else { return };
        let Some(stored) = versions.remove(&version) else { return };
        if versions.is_empty() {
            self.subjects.remove(subject);
        }
        let context = context_of(subject).to_owned();
        let id = (context.clone(), stored.value.id);
        if let Some(places) = self.ids.get_mut(&id) {
            places.remove(&(subject.to_owned(), version));
            if places.is_empty() {
                self.ids.remove(&id);
            }
        }
        self.forget_content(&id, stored.digest);
        for reference in &stored.value.references {
            let target = (relative_to(subject, &reference.subject), reference.version);
            self.forget_reference(&id, target);
        }
    }

    /// The places where an id is still registered.
    fn places(&self, id: &ContextId) -> impl Iterator<Item = &Stored> {
        let places = self.ids.get(id).into_iter().flatten();
        places.filter_map(|(subject, version)| self.stored(subject, *version))
    }

    /// An id stands for a content as long as one of its places has it.
    fn forget_content(&mut self, id: &ContextId, digest: ContentDigest) {
        if self.places(id).any(|stored| stored.digest == digest) {
            return;
        }
        let key = (id.0.clone(), digest);
        if let Some(ids) = self.digests.get_mut(&key) {
            ids.remove(&id.1);
            if ids.is_empty() {
                self.digests.remove(&key);
            }
        }
    }

    /// An id builds on a version as long as one of its places does.
    fn forget_reference(&mut self, id: &ContextId, target: Place) {
        let builds = |stored: &Stored| {
            let value = &stored.value;
            value.references.iter().any(|reference| {
                reference.version == target.1
                    && relative_to(&value.subject, &reference.subject) == target.0
            })
        };
        if self.places(id).any(builds) {
            return;
        }
        if let Some(ids) = self.referenced.get_mut(&target) {
            ids.remove(id);
            if ids.is_empty() {
                self.referenced.remove(&target);
            }
        }
    }

    /// Forgets what is soft-deleted.
    fn clear(&mut self, named: Option<&str>) {
        let mut gone = Vec::new();
        for (subject, versions) in &self.subjects {
            if is_within(subject, named) {
                let deleted = versions.iter().filter(|(_, stored)| stored.value.deleted);
                gone.extend(deleted.map(|(version, _)| (subject.clone(), *version)));
            }
        }
        gone.iter().for_each(|(subject, version)| self.remove_version(subject, *version));
    }

    /// The id of a content in a context: the lowest, if it has several.
    fn id_of(&self, context: &str, digest: ContentDigest) -> Option<i32> {
        self.digests.get(&(context.to_owned(), digest))?.first().copied()
    }

    fn stored(&self, subject: &str, version: i32) -> Option<&Stored> {
        self.subjects.get(subject)?.get(&version)
    }

    /// The versions of a subject, oldest first.
    fn versions(&self, subject: &str) -> impl DoubleEndedIterator<Item = &Stored> {
        self.subjects.get(subject).into_iter().flat_map(BTreeMap::values)
    }

    fn live(&self, subject: &str) -> impl DoubleEndedIterator<Item = &Stored> {
        self.versions(subject).filter(|stored| !stored.value.deleted)
    }

    fn latest(&self, subject: &str) -> Option<&Stored> {
        self.live(subject).next_back()
    }

    /// The texts that a stored schema builds on, each after its own.
    fn parsed(&self, stored: &Stored) -> Result<Arc<Parsed>, RegistryError> {
        if let Some(parsed) = stored.parsed.get() {
            return Ok(Arc::clone(parsed));
        }
        let value = &stored.value;
        let parse = || {
            let kind = kind_named(value.schema_type.as_deref())?;
            let mut texts = References { state: self, live_only: false, ..References::new(self) };
            for reference in &value.references {
                let at = relative_to(&value.subject, &reference.subject);
                texts.add(&reference.name, &at, reference.version, REFERENCE_DEPTH_MAX)?;
            }
            Parsed::parse(kind, &value.schema, &texts.texts, Strictness::Stored)
        };
        let parsed = parse().map_err(|reason| {
            let (subject, version) = (&value.subject, value.version);
            let what = format!("version {version} of subject {subject} cannot be read");
            RegistryError::InvalidSchema(format!("{what}: {reason}"))
        })?;
        Ok(Arc::clone(stored.parsed.get_or_init(|| Arc::new(parsed))))
    }
}

fn kind_named(name: Option<&str>) -> Result<SchemaType, String> {
    let unknown = || format!("Invalid schema type {}", name.unwrap_or_default());
    SchemaType::named(name).ok_or_else(unknown)
}

/// Collects the texts that a schema builds on.
struct References<'a> {
    state: &'a State,
    /// Whether soft-deleted versions are out of reach, as they are for new schemas.
    live_only: bool,
    seen: BTreeSet<String>,
    texts: Vec<String>,
}

impl<'a> References<'a> {
    fn new(state: &'a State) -> References<'a> {
        References { state, live_only: true, seen: BTreeSet::new(), texts: Vec::new() }
    }

    /// Adds what stands under a name, after what that builds on. Gives its version.
    fn add(
        &mut self,
        name: &str,
        subject: &str,
        version: i32,
        depth: usize,
    ) -> Result<i32, String> {
        let found = match version {
            -1 => self.state.latest(subject),
            version => self.state.stored(subject, version),
        };
        let found = found.filter(|stored| !(self.live_only && stored.value.deleted));
        let value = &found
            .ok_or_else(|| {
                format!("No schema reference found for subject \"{subject}\" and version {version}")
            })?
            .value;
        if !self.seen.insert(name.to_owned()) {
            return Ok(value.version);
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("more than {REFERENCE_DEPTH_MAX} schemas build on one another"));
        };
        for reference in &value.references {
            let at = relative_to(subject, &reference.subject);
            self.add(&reference.name, &at, reference.version, depth)?;
        }
        self.texts.push(value.schema.clone());
        Ok(value.version)
    }
}
