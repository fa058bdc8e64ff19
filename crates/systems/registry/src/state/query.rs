//! Questions that change nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{State, Stored};
use crate::config::Profile;
use crate::entity::{ContentDigest, Metadata, Reference, RuleSet};
use crate::error::RegistryError;
use crate::subject::{
    ANY_CONTEXT, DEFAULT_CONTEXT, Qualified, context_of, context_prefix, is_within,
};

/// A version as a client names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionId {
    /// The last one that is not deleted.
    Latest,
    /// By number, from 1.
    Number(i32),
}

impl VersionId {
    /// `latest`, `-1`, or a number from 1.
    pub fn parse(text: &str) -> Result<VersionId, RegistryError> {
        let invalid = || RegistryError::InvalidVersion(text.to_owned());
        if text.trim().eq_ignore_ascii_case("latest") {
            return Ok(VersionId::Latest);
        }
        match text.trim().parse().map_err(|_| invalid())? {
            -1 => Ok(VersionId::Latest),
            number if number > 0 => Ok(VersionId::Number(number)),
            _ => Err(invalid()),
        }
    }

    /// As Schema Registry counts: -1 for the latest.
    pub fn number(self) -> i32 {
        match self {
            VersionId::Latest => -1,
            VersionId::Number(number) => number,
        }
    }
}

/// Whether soft-deleted versions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// They do not.
    Hidden,
    /// They do.
    Shown,
    /// They alone.
    Only,
}

impl Deleted {
    fn admits(self, deleted: bool) -> bool {
        match self {
            Deleted::Hidden => !deleted,
            Deleted::Shown => true,
            Deleted::Only => deleted,
        }
    }
}

/// A registered schema as clients see it.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaView {
    /// Where it is registered; none in answers about an id.
    pub subject: Option<String>,
    /// Its version there.
    pub version: Option<i32>,
    /// Its id; none in answers about an id.
    pub id: Option<i32>,
    /// The digest of its content.
    pub digest: ContentDigest,
    /// The name of its kind.
    pub schema_type: String,
    /// What it builds on.
    pub references: Vec<Reference>,
    /// Data about it.
    pub metadata: Option<Metadata>,
    /// Rules for its data.
    pub rule_set: Option<RuleSet>,
    /// Its text.
    pub schema: String,
    /// When it was written, in ms; none if that is not what was asked.
    pub timestamp: Option<i64>,
    /// Whether it is soft-deleted; none if that is not what was asked.
    pub deleted: Option<bool>,
}

impl SchemaView {
    pub(super) fn of(stored: &Stored) -> SchemaView {
        let value = &stored.value;
        SchemaView {
            subject: Some(value.subject.clone()),
            version: Some(value.version),
            id: Some(value.id),
            digest: stored.digest,
            schema_type: value.schema_type.clone().unwrap_or_else(|| "AVRO".to_owned()),
            references: value.references.clone(),
            metadata: value.metadata.clone(),
            rule_set: value.rule_set.clone(),
            schema: value.schema.clone(),
            timestamp: Some(stored.timestamp),
            deleted: Some(value.deleted),
        }
    }

    /// The body of an answer. Empty members are left out; version 7 knows fewer.
    pub fn to_json(&self, profile: Profile) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("subject", self.subject.as_ref().map(|subject| json!(subject)));
        put("version", self.version.map(|version| json!(version)));
        put("id", self.id.map(|id| json!(id)));
        let newer = profile == Profile::V8;
        put("guid", newer.then(|| json!(self.digest.guid())));
        let named = newer || self.schema_type != "AVRO";
        put("schemaType", named.then(|| json!(self.schema_type)));
        put("references", (!self.references.is_empty()).then(|| json!(self.references)));
        put("metadata", self.metadata.as_ref().map(|metadata| json!(metadata)));
        put("ruleSet", self.rule_set.as_ref().map(|rules| json!(rules)));
        put("schema", Some(json!(self.schema)));
        put("ts", self.timestamp.filter(|_| newer).map(|timestamp| json!(timestamp)));
        put("deleted", self.deleted.filter(|_| newer).map(|deleted| json!(deleted)));
        Value::Object(body)
    }
}

impl State {
    /// The known contexts; the default one first.
    pub fn contexts(&self) -> Vec<String> {
        let known = self.contexts.iter().map(|(_, context)| context.clone());
        std::iter::once(DEFAULT_CONTEXT.to_owned()).chain(known).collect()
    }

    /// Subjects whose name starts with `prefix`, in its context or ([`ANY_CONTEXT`]) in all. A
    /// subject is deleted when all its versions are.
    pub fn subjects(&self, prefix: &str, deleted: Deleted) -> Vec<String> {
        let in_prefix = prefix_test(prefix);
        let admitted = self.subjects.iter().filter(|(subject, versions)| {
            let gone = versions.values().all(|stored| stored.value.deleted);
            in_prefix(subject) && deleted.admits(gone)
        });
        admitted.map(|(subject, _)| subject.clone()).collect()
    }

    /// Whether the subject, or one in the context, has versions.
    pub fn has_subjects(&self, named: Option<&str>, shown: bool) -> bool {
        self.subjects.iter().any(|(subject, versions)| {
            is_within(subject, named)
                && versions.values().any(|stored| shown || !stored.value.deleted)
        })
    }

    /// The versions of a subject, oldest first; with their state of deletion.
    pub fn version_numbers(
        &self,
        subject: &str,
        deleted: Deleted,
    ) -> Result<Vec<(i32, bool)>, RegistryError> {
        if !self.has_subjects(Some(subject), deleted != Deleted::Hidden) {
            return Err(RegistryError::SubjectNotFound(subject.to_owned()));
        }
        let versions = self.versions(subject).map(|stored| &stored.value);
        let admitted = versions.filter(|value| deleted.admits(value.deleted));
        Ok(admitted.map(|value| (value.version, value.deleted)).collect())
    }

    /// All versions of the subjects with a prefix.
    pub fn schemas(&self, prefix: &str, deleted: Deleted, latest_only: bool) -> Vec<SchemaView> {
        let in_prefix = prefix_test(prefix);
        let mut views = Vec::new();
        for versions in self.subjects.iter().filter(|(subject, _)| in_prefix(subject)) {
            let admitted =
                versions.1.values().filter(|stored| deleted.admits(stored.value.deleted));
            match latest_only {
                true => views.extend(admitted.last().map(SchemaView::of)),
                false => views.extend(admitted.map(SchemaView::of)),
            }
        }
        views
    }

    /// A version of a subject; in the default context also of the subject of that name in another
    /// one.
    pub fn version(
        &self,
        subject: &str,
        version: VersionId,
        shown: bool,
    ) -> Result<SchemaView, RegistryError> {
        if let Some(stored) = self.find(subject, version, shown) {
            return Ok(SchemaView::of(stored));
        }
        let elsewhere = self
            .same_name_elsewhere(subject)
            .find_map(|subject| self.find(&subject, version, shown).map(SchemaView::of));
        elsewhere.ok_or_else(|| match self.has_subjects(Some(subject), shown) {
            true => RegistryError::VersionNotFound(version.number()),
            false => RegistryError::SubjectNotFound(subject.to_owned()),
        })
    }

    pub(super) fn find(&self, subject: &str, version: VersionId, shown: bool) -> Option<&Stored> {
        match version {
            VersionId::Latest => self.latest(subject),
            VersionId::Number(number) => {
                self.stored(subject, number).filter(|stored| shown || !stored.value.deleted)
            }
        }
    }

    /// An unqualified subject in every known context.
    pub(super) fn same_name_elsewhere(&self, subject: &str) -> impl Iterator<Item = String> {
        let own = Qualified::parse(subject);
        let contexts = self.contexts.iter().filter(move |_| !own.has_context());
        contexts.map(move |(_, context)| Qualified { context, name: own.name }.written())
    }

    /// The latest version whose metadata hold all the properties.
    pub fn latest_with_metadata(
        &self,
        subject: &str,
        wanted: &[(String, String)],
        shown: bool,
    ) -> Result<SchemaView, RegistryError> {
        let holds = |stored: &&Stored| {
            let metadata = stored.value.metadata.as_ref();
            let properties = metadata.and_then(|metadata| metadata.properties.as_ref());
            properties.is_some_and(|properties| {
                wanted.iter().all(|(key, value)| properties.get(key) == Some(value))
            })
        };
        let visible = self.versions(subject).filter(|stored| shown || !stored.value.deleted);
        match visible.rev().find(holds) {
            Some(stored) => Ok(SchemaView::of(stored)),
            None if self.has_subjects(Some(subject), shown) => {
                Err(RegistryError::SchemaNotInSubject)
            }
            None => Err(RegistryError::SubjectNotFound(subject.to_owned())),
        }
    }

    /// A schema by its id: in the subject named or its context, else in every context. Soft-deleted
    /// ones are found, because data written with them is still there.
    pub fn by_id(&self, id: i32, subject: Option<&str>) -> Result<SchemaView, RegistryError> {
        let stored = self.stored_by_id(id, subject);
        let view = stored.map(SchemaView::of).ok_or_else(|| id_not_found(id))?;
        // Without a subject in the question there is none in the answer.
        Ok(match subject {
            Some(_) => SchemaView { id: None, ..view },
            None => SchemaView { id: None, subject: None, version: None, ..view },
        })
    }

    fn stored_by_id(&self, id: i32, subject: Option<&str>) -> Option<&Stored> {
        let named = subject.unwrap_or_default();
        let own = Qualified::parse(named);
        if let Some(found) = self.in_subject_by_id(id, named) {
            return Some(found);
        }
        if own.name.is_empty() || own.has_context() {
            return None;
        }
        let mut elsewhere = self.same_name_elsewhere(named);
        elsewhere
            .find_map(|subject| self.in_subject_by_id(id, &subject))
            .or_else(|| self.in_subject_by_id(id, &context_prefix(own.context)))
    }

    /// An id in a subject, or, for a context alone, in any subject of it.
    fn in_subject_by_id(&self, id: i32, subject: &str) -> Option<&Stored> {
        let own = Qualified::parse(subject);
        let places = self.ids.get(&(own.context.to_owned(), id))?;
        let mut inside = places.iter().filter(|(at, _)| own.name.is_empty() || at == subject).rev();
        inside.find_map(|(subject, version)| self.stored(subject, *version))
    }

    /// Where an id is registered.
    pub fn places_of_id(
        &self,
        id: i32,
        subject: Option<&str>,
        shown: bool,
    ) -> Result<Vec<(String, i32)>, RegistryError> {
        let stored = self.stored_by_id(id, subject).ok_or(RegistryError::SchemaNotInSubject)?;
        let context = context_of(&stored.value.subject);
        Ok(self.visible_places(context, id, shown))
    }

    pub(super) fn visible_places(&self, context: &str, id: i32, shown: bool) -> Vec<(String, i32)> {
        let places = self.ids.get(&(context.to_owned(), id)).into_iter().flatten();
        let visible = places.filter(|(subject, version)| {
            let stored = self.stored(subject, *version);
            stored.is_some_and(|stored| shown || !stored.value.deleted)
        });
        visible.cloned().collect()
    }

    /// A schema by the digest of its content.
    pub fn by_guid(&self, guid: &str) -> Result<SchemaView, RegistryError> {
        let found = self.ids_of_guid(guid).into_iter().next();
        let stored =
            found.and_then(|(context, id)| self.in_subject_by_id(id, &context_prefix(&context)));
        let view = stored.map(SchemaView::of);
        let view = view.ok_or_else(|| RegistryError::SchemaNotFound(guid.to_owned()))?;
        Ok(SchemaView { id: None, subject: None, version: None, ..view })
    }

    /// The ids that a content has, by context.
    pub fn ids_of_guid(&self, guid: &str) -> Vec<(String, i32)> {
        let Some(digest) = ContentDigest::from_guid(guid) else { return Vec::new() };
        let id = |context: String| self.id_of(&context, digest).map(|id| (context, id));
        self.contexts().into_iter().filter_map(id).collect()
    }

    /// The ids of the schemas that build on a version.
    pub fn referenced_by(
        &self,
        subject: &str,
        version: VersionId,
        shown: bool,
    ) -> Result<Vec<i32>, RegistryError> {
        let target = self.version(subject, version, true)?;
        let place = (target.subject.unwrap_or_default(), target.version.unwrap_or_default());
        let ids: BTreeSet<_> = self.builders(&place, shown);
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    }

    /// The ids that build on a version and are registered somewhere.
    pub(super) fn builders(&self, place: &(String, i32), shown: bool) -> BTreeSet<(String, i32)> {
        let ids = self.referenced.get(place).into_iter().flatten();
        ids.filter(|(context, id)| !self.visible_places(context, *id, shown).is_empty())
            .cloned()
            .collect()
    }

    /// The highest id of a schema's context.
    pub fn highest_id(&self, context: &str) -> i32 {
        self.highest.get(context).copied().unwrap_or(1)
    }

    /// A schema's text in another form.
    pub fn formatted(&self, view: &SchemaView, format: &str) -> Result<String, RegistryError> {
        let context = view.subject.as_deref().map_or(DEFAULT_CONTEXT, context_of).to_owned();
        let id = self.id_of(&context, view.digest);
        let found = id.and_then(|id| self.in_subject_by_id(id, &context_prefix(&context)));
        let by_guid = || {
            let (context, id) = self.ids_of_guid(&view.digest.guid()).into_iter().next()?;
            self.in_subject_by_id(id, &context_prefix(&context))
        };
        let Some(stored) = found.or_else(by_guid) else {
            return Ok(view.schema.clone());
        };
        self.parsed(stored)?.formatted(format).ok_or_else(|| {
            RegistryError::NotPermitted(format!(
                "format {format:?} of a Protobuf schema registered as text is not supported here"
            ))
        })
    }

    /// How many subjects and versions there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.subjects.len(), self.subjects.values().map(|versions| versions.len()).sum())
    }
}

fn id_not_found(id: i32) -> RegistryError {
    RegistryError::SchemaNotFound(id.to_string())
}

/// Whether a subject starts with a prefix that may name its context.
fn prefix_test(prefix: &str) -> impl Fn(&str) -> bool {
    let any = prefix.strip_prefix(ANY_CONTEXT).map(str::to_owned);
    let own = Qualified::parse(prefix);
    let (context, name) = (own.context.to_owned(), own.name.to_owned());
    move |subject: &str| {
        let qualified = Qualified::parse(subject);
        match &any {
            Some(name) => qualified.name.starts_with(name.as_str()),
            None => qualified.context == context && qualified.name.starts_with(name.as_str()),
        }
    }
}
