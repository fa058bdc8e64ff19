//! Deletions: soft first, then permanent.

use super::{Plan, State, Stored, VersionId};
use crate::error::RegistryError;
use crate::record::{DEFAULT_TENANT, Key, Payload, Record};
use crate::subject::{Qualified, context_of};

impl State {
    /// Deletes one version. Softly: it is hidden, its id still works. Permanently: after that, it is
    /// gone; with the last one go the subject's configuration and mode.
    pub fn delete_version(
        &self,
        subject: &str,
        version: VersionId,
        permanent: bool,
    ) -> Result<Plan<i32>, RegistryError> {
        let Some(stored) = self.find(subject, version, true) else {
            return Err(match self.has_subjects(Some(subject), true) {
                true => RegistryError::VersionNotFound(version.number()),
                false => RegistryError::SubjectNotFound(subject.to_owned()),
            });
        };
        let place = || (subject.to_owned(), stored.value.version);
        let (subject_name, number) = place();
        if stored.value.deleted && !permanent {
            return Err(RegistryError::VersionSoftDeleted {
                subject: subject_name,
                version: number,
            });
        }
        self.check_writable(Some(subject))?;
        if !self.builders(&place(), permanent).is_empty() {
            return Err(RegistryError::ReferenceExists { subject: subject_name, version: number });
        }
        if permanent && !stored.value.deleted {
            return Err(RegistryError::VersionNotSoftDeleted {
                subject: subject_name,
                version: number,
            });
        }
        let key = Key::Schema { subject: subject_name, version: number };
        if !permanent {
            let mut value = stored.value.clone();
            value.deleted = true;
            let record = Record::new(key, Payload::Schema(Box::new(value)));
            return Ok(Plan { records: vec![record], answer: number });
        }
        let mut records = self.kept_ids(subject, &[stored]);
        records.push(Record::tombstone(key));
        if self.versions(subject).count() == 1 {
            records.extend(self.settings_ends(subject));
        }
        Ok(Plan { records, answer: number })
    }

    /// Deletes all versions of a subject; gives their numbers.
    pub fn delete_subject(
        &self,
        subject: &str,
        permanent: bool,
    ) -> Result<Plan<Vec<i32>>, RegistryError> {
        let name = || subject.to_owned();
        if !self.has_subjects(Some(subject), true) {
            return Err(RegistryError::SubjectNotFound(name()));
        }
        if !permanent && !self.has_subjects(Some(subject), false) {
            return Err(RegistryError::SubjectSoftDeleted(name()));
        }
        self.check_writable(Some(subject))?;
        let targets: Vec<&Stored> = match permanent {
            true => self.versions(subject).collect(),
            false => self.live(subject).collect(),
        };
        for stored in &targets {
            let version = stored.value.version;
            if self.built_on_elsewhere(subject, version, permanent) {
                return Err(RegistryError::ReferenceExists { subject: name(), version });
            }
            if permanent && !stored.value.deleted {
                return Err(RegistryError::SubjectNotSoftDeleted(name()));
            }
        }
        let versions: Vec<i32> = targets.iter().map(|stored| stored.value.version).collect();
        let records = if permanent {
            let mut records = self.kept_ids(subject, &targets);
            let key = |version: &i32| Key::Schema { subject: name(), version: *version };
            // The newest first: a version may build on an older one.
            records.extend(versions.iter().rev().map(|version| Record::tombstone(key(version))));
            records.extend(self.settings_ends(subject));
            records
        } else {
            // Up to the last version of all, not only of those that are live: the topic keeps one such
            // record, and it must delete again what an earlier one deleted.
            let last = self.versions(subject).next_back().map_or(0, |last| last.value.version);
            vec![Record::new(Key::DeleteSubject(name()), Payload::DeleteSubject(last))]
        };
        Ok(Plan { records, answer: versions })
    }

    /// Removes an empty context. `written` is the context as a subject: `:.name:`.
    pub fn delete_context(&self, written: &str) -> Result<Plan<()>, RegistryError> {
        if self.has_subjects(Some(written), true) {
            return Err(RegistryError::ContextNotEmpty(written.to_owned()));
        }
        let context = Qualified::parse(written).context.to_owned();
        let key = Key::Context { tenant: DEFAULT_TENANT.to_owned(), context };
        Ok(Plan { records: vec![Record::tombstone(key)], answer: () })
    }

    /// Whether a schema of another subject builds on a version.
    fn built_on_elsewhere(&self, subject: &str, version: i32, shown: bool) -> bool {
        let ids = self.builders(&(subject.to_owned(), version), shown);
        ids.iter().any(|(context, id)| {
            self.visible_places(context, *id, shown).iter().any(|(place, _)| place != subject)
        })
    }

    /// A note of the highest ids, if one of them is about to lose its last record: compaction would
    /// make the registry forget it and give it again.
    pub(super) fn kept_ids(&self, subject: &str, ending: &[&Stored]) -> Vec<Record> {
        let highest = self.highest.get(context_of(subject));
        if !ending.iter().any(|stored| Some(&stored.value.id) == highest) {
            return Vec::new();
        }
        let ids = self.highest.iter().map(|(context, id)| (context.clone(), *id)).collect();
        vec![Record::new(Key::Noop, Payload::HighestIds(ids))]
    }

    fn settings_ends(&self, subject: &str) -> Vec<Record> {
        let named = Some(subject.to_owned());
        let mut records = Vec::new();
        if self.modes.contains_key(&named) {
            records.push(Record::tombstone(Key::Mode(named.clone())));
        }
        if self.settings.contains_key(&named) {
            records.push(Record::tombstone(Key::Config(named)));
        }
        records
    }
}
