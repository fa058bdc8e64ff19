//! A new schema.

use super::lookup::Candidate;
use super::{Plan, SchemaView, State, Stored};
use crate::entity::{Metadata, Reference, RuleSet};
use crate::error::RegistryError;
use crate::record::{DEFAULT_TENANT, Key, Payload, Record, SchemaValue};
use crate::schema::Strictness;
use crate::settings::{Mode, Settings};
use crate::subject::{Qualified, context_of, context_prefix};

/// A request that brings a schema: to register it, to look it up, or to compare it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Registration {
    /// The subject, qualified.
    pub subject: String,
    /// The schema's text; none or blank repeats the version before.
    pub schema: Option<String>,
    /// The name of its kind; none is Avro.
    pub schema_type: Option<String>,
    /// What it builds on.
    pub references: Vec<Reference>,
    /// Data about it.
    pub metadata: Option<Metadata>,
    /// Rules for its data.
    pub rule_set: Option<RuleSet>,
    /// The version it must become; none: the next, -1: the next, named in its metadata.
    pub version: Option<i32>,
    /// Its id, where ids come from elsewhere.
    pub id: Option<i32>,
    /// Whether it is normalised first.
    pub normalize: bool,
    /// Whether it is registered in spite of the compatibility level.
    pub force: bool,
}

impl Registration {
    /// Fills in metadata and rules from the settings and from the version before. A new version is
    /// named in the metadata where the request asks for it.
    pub(super) fn complete(
        &mut self,
        settings: &Settings,
        previous: Option<&SchemaValue>,
        new_version: Option<i32>,
    ) {
        let own = self.metadata.as_ref().or(previous.and_then(|old| old.metadata.as_ref()));
        let merged = Metadata::merged(settings.default_metadata.as_ref(), own);
        let mut metadata = Metadata::merged(merged.as_ref(), settings.override_metadata.as_ref());
        let own = self.rule_set.as_ref().or(previous.and_then(|old| old.rule_set.as_ref()));
        let merged = RuleSet::merged(settings.default_rule_set.as_ref(), own);
        let rule_set = RuleSet::merged(merged.as_ref(), settings.override_rule_set.as_ref());
        let is_named = metadata.as_ref().is_some_and(|metadata| metadata.version().is_some());
        if let Some(version) = new_version
            && (self.version.is_some() || is_named)
        {
            metadata = Some(Metadata::with_version(metadata, version));
        }
        if metadata.is_some() || rule_set.is_some() {
            self.metadata = metadata;
            self.rule_set = rule_set;
        }
    }

    /// A request without a text repeats the version before.
    fn take_schema(&mut self, previous: Option<&SchemaValue>) -> Result<(), RegistryError> {
        if self.schema.as_ref().is_some_and(|text| !text.trim().is_empty()) {
            return Ok(());
        }
        let empty = || RegistryError::InvalidSchema("Empty schema".to_owned());
        let previous = previous.ok_or_else(empty)?;
        self.schema = Some(previous.schema.clone());
        self.schema_type.clone_from(&previous.schema_type);
        self.references.clone_from(&previous.references);
        Ok(())
    }
}

impl State {
    /// Registers a schema, or finds it registered.
    pub fn register(&self, request: &Registration) -> Result<Plan<SchemaView>, RegistryError> {
        let settings = self.settings_in_scope(Some(&request.subject));
        if !settings.adds_to_schemas()
            && let Some(found) = self.registered_before(request, &settings)?
        {
            return Ok(Plan::nothing(found));
        }
        let mode = self.mode_in_scope(Some(&request.subject));
        check_mode(request, mode)?;
        let mut request = request.clone();
        let new_version = self.next_version(&request.subject);
        if !mode.imports() {
            let previous = self.latest(&request.subject).map(|stored| &stored.value);
            request.take_schema(previous)?;
            request.complete(&settings, previous, Some(new_version));
        }
        let checked = request.id.is_none() && settings.validate_new_schemas != Some(false);
        let strictness = if checked { Strictness::New } else { Strictness::Stored };
        let normalize = request.normalize || settings.normalize == Some(true);
        let candidate = self.candidate(&request, strictness, normalize)?;
        let empty = || RegistryError::InvalidSchema("Empty schema".to_owned());
        let candidate = candidate.ok_or_else(empty)?;
        self.plan_version(&request, &candidate, (&settings, mode), new_version)
    }

    /// The request's schema where it stands under the subject already.
    fn registered_before(
        &self,
        request: &Registration,
        settings: &Settings,
    ) -> Result<Option<SchemaView>, RegistryError> {
        let latest_only = request.version == Some(-1);
        let Some(found) = self.lookup_as_is(request, settings, false, latest_only)? else {
            return Ok(None);
        };
        let same_id = request.id.is_none() || request.id == found.id;
        if request.version.is_none() || latest_only {
            return Ok(same_id.then_some(found));
        }
        if request.id.is_none() || !same_id {
            return Ok(None);
        }
        if request.version == found.version {
            return Ok(Some(found));
        }
        // The same schema may have been imported under several versions.
        let other = self.stored(&request.subject, request.version.unwrap_or_default());
        let same = |stored: &&Stored| {
            !stored.value.deleted
                && Some(stored.value.id) == found.id
                && stored.digest == found.digest
        };
        Ok(other.filter(same).map(SchemaView::of))
    }

    fn plan_version(
        &self,
        request: &Registration,
        candidate: &Candidate,
        (settings, mode): (&Settings, Mode),
        new_version: i32,
    ) -> Result<Plan<SchemaView>, RegistryError> {
        let subject = request.subject.as_str();
        let mut id = request.id;
        if let Some((known, stored)) = self.by_digest(subject, candidate.digest)
            && id.is_none_or(|id| id == known)
        {
            let live = stored.filter(|stored| !stored.value.deleted);
            if let (None, Some(stored)) = (request.version, live) {
                return Ok(Plan::nothing(candidate.view(subject, stored.value.version, known)));
            }
            // The content is registered elsewhere: it keeps its id here.
            id = Some(known);
        }
        if request.version.is_none() {
            for stored in self.live(subject).rev() {
                if id.is_none_or(|id| id == stored.value.id) && self.is_same(candidate, stored)? {
                    let value = &stored.value;
                    return Ok(Plan::nothing(candidate.view(subject, value.version, value.id)));
                }
            }
        }
        if !mode.imports() && !request.force {
            let messages =
                self.compare(candidate, settings, &self.live(subject).collect::<Vec<_>>())?;
            if !messages.is_empty() {
                let subject = subject.to_owned();
                return Err(RegistryError::Incompatible { subject, messages });
            }
        }
        let version = match request.version {
            Some(version) if version > 0 && mode.imports() => version,
            Some(version) if version > 0 && version != new_version => {
                return Err(RegistryError::InvalidSchema(
                    "Version is not one more than previous version".to_owned(),
                ));
            }
            _ => new_version,
        };
        let id = match id {
            Some(id) => {
                self.check_id(id, subject, candidate)?;
                id
            }
            None => self.highest.get(context_of(subject)).copied().unwrap_or_default() + 1,
        };
        let records = self.records_of(subject, version, id, candidate);
        Ok(Plan { records, answer: candidate.view(subject, version, id) })
    }

    fn next_version(&self, subject: &str) -> i32 {
        self.versions(subject).next_back().map_or(1, |last| last.value.version.saturating_add(1))
    }

    /// An id from elsewhere may not stand for another schema here.
    fn check_id(&self, id: i32, subject: &str, new: &Candidate) -> Result<(), RegistryError> {
        let context = context_of(subject);
        let known = (context.to_owned(), id);
        if self.places(&known).any(|stored| stored.digest != new.digest) {
            let context = context_prefix(context);
            return Err(RegistryError::NotPermitted(format!(
                "Overwrite new schema with id {id} in context {context} is not permitted."
            )));
        }
        Ok(())
    }

    /// The context if it is new, the ends of older versions with the same content that are deleted,
    /// and the version itself.
    fn records_of(&self, subject: &str, version: i32, id: i32, new: &Candidate) -> Vec<Record> {
        // An import may put another schema in the place of the one with the highest id.
        let replaced = self.stored(subject, version).filter(|stored| stored.value.id != id);
        let mut records = replaced.map_or_else(Vec::new, |old| self.kept_ids(subject, &[old]));
        let qualified = Qualified::parse(subject);
        let context = (DEFAULT_TENANT.to_owned(), qualified.context.to_owned());
        if qualified.has_context() && !self.contexts.contains(&context) {
            let (tenant, context) = context;
            records.push(Record::new(Key::Context { tenant, context }, Payload::Context));
        }
        for old in self.versions(subject).map(|stored| &stored.value) {
            let place = (subject.to_owned(), old.version);
            if old.deleted
                && old.id == id
                && old.version < version
                && self.builders(&place, true).is_empty()
            {
                let subject = subject.to_owned();
                records.push(Record::tombstone(Key::Schema { subject, version: old.version }));
            }
        }
        let value = SchemaValue {
            subject: subject.to_owned(),
            version,
            id,
            md5: None,
            schema_type: Some(new.kind.as_str().to_owned()),
            references: new.references.clone(),
            metadata: new.metadata.clone(),
            rule_set: new.rule_set.clone(),
            schema: new.parsed.text().to_owned(),
            deleted: false,
        };
        let key = Key::Schema { subject: subject.to_owned(), version };
        records.push(Record::new(key, Payload::Schema(Box::new(value))));
        records
    }
}

fn check_mode(request: &Registration, mode: Mode) -> Result<(), RegistryError> {
    let subject = &request.subject;
    let missing = match mode {
        mode if mode.is_read_only() => "in read-only mode",
        _ if request.id.is_some() && !mode.imports() => "not in import mode",
        mode if request.id.is_none() && mode != Mode::ReadWrite => "not in read-write mode",
        _ => return Ok(()),
    };
    let context = context_prefix(context_of(subject));
    Err(RegistryError::NotPermitted(format!("Subject {subject} in context {context} is {missing}")))
}
