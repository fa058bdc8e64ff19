//! A new schema beside those registered before.

use std::sync::Arc;

use tidemill_schema::compatibility::{Level, Previous, check};

use super::lookup::Candidate;
use super::{Registration, State, Stored, VersionId};
use crate::error::RegistryError;
use crate::schema::{Parsed, SchemaType, Strictness};
use crate::settings::Settings;

impl State {
    /// What the subject's level has against a schema: beside one version, or beside those that
    /// registering it would be checked against. Nothing if it is compatible.
    pub fn check_compatibility(
        &self,
        request: &Registration,
        beside: Option<VersionId>,
    ) -> Result<Vec<String>, RegistryError> {
        let subject = request.subject.as_str();
        let previous: Vec<&Stored> = match beside {
            None => self.live(subject).collect(),
            Some(VersionId::Latest) => self.latest(subject).into_iter().collect(),
            Some(version) => {
                let found = self.find(subject, version, false);
                vec![found.ok_or(RegistryError::VersionNotFound(version.number()))?]
            }
        };
        let settings = self.settings_in_scope(Some(subject));
        let checked = settings.validate_new_schemas != Some(false);
        let strictness = if checked { Strictness::New } else { Strictness::Stored };
        let normalize = request.normalize || settings.normalize == Some(true);
        let candidate = self.candidate(request, strictness, normalize)?;
        let empty = || RegistryError::InvalidSchema("Empty schema".to_owned());
        self.compare(&candidate.ok_or_else(empty)?, &settings, &previous)
    }

    /// The same for versions given oldest first.
    pub(super) fn compare(
        &self,
        new: &Candidate,
        settings: &Settings,
        previous: &[&Stored],
    ) -> Result<Vec<String>, RegistryError> {
        let level = settings.compatibility_level.unwrap_or(self.default_level);
        let previous = same_group(new, settings, previous);
        let mut messages = self.differences(level, new, &previous)?;
        if !messages.is_empty() {
            let fields = settings.validate_fields.unwrap_or(false);
            messages.push(format!("{{validateFields: '{fields}', compatibility: '{level}'}}"));
        }
        Ok(messages)
    }

    fn differences(
        &self,
        level: Level,
        new: &Candidate,
        previous: &[&Stored],
    ) -> Result<Vec<String>, RegistryError> {
        let mut compared = Vec::new();
        for stored in level.compared(previous) {
            let parsed = self.parsed(stored)?;
            if stored_kind(stored) != Some(new.kind) {
                // Newer versions speak first.
                let found = avro_differences(level, new, &compared);
                let other = "Incompatible because of different schema type".to_owned();
                return Ok(if found.is_empty() { vec![other] } else { found });
            }
            if new.kind != SchemaType::Avro && !new.parsed.is_equivalent(&parsed) {
                return Err(not_comparable(new.kind, level, stored));
            }
            compared.push((*stored, parsed));
        }
        Ok(avro_differences(level, new, &compared))
    }
}

/// `compared` is newest first.
fn avro_differences(
    level: Level,
    new: &Candidate,
    compared: &[(&Stored, Arc<Parsed>)],
) -> Vec<String> {
    let Some(schema) = new.parsed.avro() else { return Vec::new() };
    let previous = compared.iter().rev().filter_map(|(stored, parsed)| {
        let (version, text) = (stored.value.version, stored.value.schema.as_str());
        Some(Previous { version, schema: parsed.avro()?, text })
    });
    check(level, schema, &previous.collect::<Vec<_>>())
}

fn stored_kind(stored: &Stored) -> Option<SchemaType> {
    SchemaType::named(stored.value.schema_type.as_deref())
}

/// Said instead of a verdict that nobody worked out.
fn not_comparable(kind: SchemaType, level: Level, beside: &Stored) -> RegistryError {
    let (kind, subject, version) = (kind.as_str(), &beside.value.subject, beside.value.version);
    RegistryError::NotPermitted(format!(
        "The compatibility of {kind} schemas is not checked by this registry, and subject {subject} has level \
         {level}: version {version} cannot be compared. Set the level to NONE \
         (PUT /config/{subject} {{\"compatibility\": \"NONE\"}}) to register it unchecked"
    ))
}

/// The versions that the settings put into one group with the new schema.
fn same_group<'a>(
    new: &Candidate,
    settings: &Settings,
    previous: &[&'a Stored],
) -> Vec<&'a Stored> {
    let Some(group) = &settings.compatibility_group else {
        return previous.to_vec();
    };
    let value_in = |metadata: &Option<crate::entity::Metadata>| {
        metadata.as_ref()?.properties.as_ref()?.get(group).cloned()
    };
    let own = value_in(&new.metadata);
    previous.iter().filter(|stored| value_in(&stored.value.metadata) == own).copied().collect()
}
