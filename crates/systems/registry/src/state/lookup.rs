//! Whether a schema is registered already.

use super::{References, SchemaView, State, Stored, kind_named};
use crate::entity::{ContentDigest, Metadata, Reference, RuleSet};
use crate::error::RegistryError;
use crate::schema::{Parsed, SchemaType, Strictness};
use crate::settings::Settings;
use crate::state::Registration;
use crate::subject::{context_of, relative_to};

/// A schema as it would be registered.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(super) kind: SchemaType,
    pub(super) parsed: Parsed,
    pub(super) references: Vec<Reference>,
    pub(super) metadata: Option<Metadata>,
    pub(super) rule_set: Option<RuleSet>,
    pub(super) digest: ContentDigest,
}

impl Candidate {
    /// The schema under an id and a version that it has, or is given.
    pub(super) fn view(&self, subject: &str, version: i32, id: i32) -> SchemaView {
        SchemaView {
            subject: Some(subject.to_owned()),
            version: Some(version),
            id: Some(id),
            digest: self.digest,
            schema_type: self.kind.as_str().to_owned(),
            references: self.references.clone(),
            metadata: self.metadata.clone(),
            rule_set: self.rule_set.clone(),
            schema: self.parsed.text().to_owned(),
            timestamp: None,
            deleted: None,
        }
    }
}

impl State {
    /// The schema of a request parsed, in its canonical text; none if the request has none.
    pub(super) fn candidate(
        &self,
        request: &Registration,
        strictness: Strictness,
        normalize: bool,
    ) -> Result<Option<Candidate>, RegistryError> {
        let Some(text) = request.schema.as_deref().filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let kind =
            kind_named(request.schema_type.as_deref()).map_err(RegistryError::InvalidSchema)?;
        let invalid = |reason: String| {
            let kind = kind.as_str();
            RegistryError::InvalidSchema(format!(
                "Invalid schema of type {kind}, details: {reason}"
            ))
        };
        let live_only = strictness == Strictness::New;
        let mut texts = References { live_only, ..References::new(self) };
        let mut references = request.references.clone();
        for reference in &mut references {
            let at = relative_to(&request.subject, &reference.subject);
            let depth = super::REFERENCE_DEPTH_MAX;
            reference.version =
                texts.add(&reference.name, &at, reference.version, depth).map_err(invalid)?;
        }
        let mut parsed = Parsed::parse(kind, text, &texts.texts, strictness).map_err(invalid)?;
        if normalize && !self.mode_in_scope(Some(&request.subject)).imports() {
            parsed = parsed.normalized();
            references.sort_by(|a, b| (&a.subject, a.version).cmp(&(&b.subject, b.version)));
            references.dedup();
        }
        let (metadata, rule_set) = (request.metadata.clone(), request.rule_set.clone());
        let digest =
            ContentDigest::of(parsed.text(), &references, metadata.as_ref(), rule_set.as_ref());
        Ok(Some(Candidate { kind, parsed, references, metadata, rule_set, digest }))
    }

    /// The schema where it is registered under the subject, or under the same name in another
    /// context.
    pub fn lookup(&self, request: &Registration, shown: bool) -> Result<SchemaView, RegistryError> {
        if let Some(found) = self.lookup_in(request, shown)? {
            return Ok(found);
        }
        for subject in self.same_name_elsewhere(&request.subject) {
            let there = Registration { subject, ..request.clone() };
            // What it builds on may be missing there.
            if let Ok(Some(found)) = self.lookup_in(&there, shown) {
                return Ok(found);
            }
        }
        Err(match self.has_subjects(Some(&request.subject), shown) {
            true => RegistryError::SchemaNotInSubject,
            false => RegistryError::SubjectNotFound(request.subject.clone()),
        })
    }

    fn lookup_in(
        &self,
        request: &Registration,
        shown: bool,
    ) -> Result<Option<SchemaView>, RegistryError> {
        let settings = self.settings_in_scope(Some(&request.subject));
        if let Some(found) = self.lookup_as_is(request, &settings, shown, false)? {
            return Ok(Some(found));
        }
        let Some(latest) = self.latest(&request.subject) else {
            return Ok(None);
        };
        // Registered, it would take metadata and rules from the version before.
        let mut completed = request.clone();
        completed.complete(&settings, Some(&latest.value), None);
        if completed == *request {
            return Ok(None);
        }
        self.lookup_as_is(&completed, &settings, shown, false)
    }

    /// The schema where it is registered under the subject with exactly its metadata and rules.
    pub(super) fn lookup_as_is(
        &self,
        request: &Registration,
        settings: &Settings,
        shown: bool,
        latest_only: bool,
    ) -> Result<Option<SchemaView>, RegistryError> {
        let normalize = request.normalize || settings.normalize == Some(true);
        let Some(candidate) = self.candidate(request, Strictness::Stored, normalize)? else {
            return Ok(None);
        };
        let subject = request.subject.as_str();
        if latest_only {
            return match self.latest(subject) {
                Some(latest) if self.is_same(&candidate, latest)? => {
                    Ok(Some(SchemaView::of(latest)))
                }
                _ => Ok(None),
            };
        }
        if let Some((id, Some(stored))) = self.by_digest(subject, candidate.digest)
            && (shown || !stored.value.deleted)
        {
            return Ok(Some(candidate.view(subject, stored.value.version, id)));
        }
        for stored in self.versions(subject).rev().filter(|s| shown || !s.value.deleted) {
            if self.is_same(&candidate, stored)? {
                return Ok(Some(SchemaView::of(stored)));
            }
        }
        Ok(None)
    }

    /// The id of a content in the subject's context, and the version of the subject that has it: the
    /// newest live one, else the newest.
    pub(super) fn by_digest(
        &self,
        subject: &str,
        digest: ContentDigest,
    ) -> Option<(i32, Option<&Stored>)> {
        let context = context_of(subject).to_owned();
        let id = self.id_of(&context, digest)?;
        let places = self.ids.get(&(context, id))?;
        let own = places.iter().filter(|(at, _)| at == subject);
        let stored = own.filter_map(|(_, version)| self.stored(subject, *version));
        let newest = stored.max_by_key(|stored| (!stored.value.deleted, stored.value.version));
        Some((id, newest))
    }

    /// Whether a schema is the one stored, be it sent with the texts it builds on repeated in it, or
    /// without the version that its metadata name.
    pub(super) fn is_same(
        &self,
        candidate: &Candidate,
        stored: &Stored,
    ) -> Result<bool, RegistryError> {
        let value = &stored.value;
        let resolved_inline = candidate.references.is_empty() && !value.references.is_empty();
        let same_references = candidate.references == value.references;
        Ok((resolved_inline || same_references)
            && same_metadata(candidate, stored)
            && candidate.parsed.is_equivalent(self.parsed(stored)?.as_ref()))
    }
}

fn same_metadata(candidate: &Candidate, stored: &Stored) -> bool {
    let value = &stored.value;
    let named = |metadata: &Option<Metadata>| {
        metadata.as_ref().and_then(Metadata::version).and_then(|version| version.parse().ok())
    };
    let bare = |metadata: &Option<Metadata>| metadata.clone().unwrap_or_default().without_version();
    let metadata = match (named(&candidate.metadata), named(&value.metadata)) {
        (None, Some(_)) => bare(&candidate.metadata) == bare(&value.metadata),
        (Some(version), None) => {
            version == value.version && bare(&candidate.metadata) == bare(&value.metadata)
        }
        (Some::<i32>(_), Some::<i32>(_)) | (None, None) => candidate.metadata == value.metadata,
    };
    metadata && candidate.rule_set == value.rule_set
}
