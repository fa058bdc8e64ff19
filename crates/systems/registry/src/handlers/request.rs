//! Parts of requests: subjects in paths, queries, and bodies.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::App;
use super::answer::Refusal;
use crate::entity::{Metadata, Reference, RuleSet};
use crate::error::RegistryError;
use crate::state::{Deleted, Registration};
use crate::subject::{
    ANY_CONTEXT, DEFAULT_CONTEXT, Qualified, context_from_path, context_prefix, normalized,
};

/// Subject, version, id and the like in a path. Which of them are there, the route says.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct SubjectPath {
    context: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    pub(super) guid: String,
}

impl SubjectPath {
    /// The context that the path names; the default one if it names none.
    pub(super) fn context(&self) -> Result<String, RegistryError> {
        let Some(written) = &self.context else {
            return Ok(DEFAULT_CONTEXT.to_owned());
        };
        context_from_path(written).ok_or_else(|| {
            RegistryError::http(400, format!("Context name '{written}' cannot contain a colon"))
        })
    }

    /// The subject, qualified by the context of the path, or the one that its alias names.
    pub(super) fn subject(&self, app: &App) -> Result<String, RegistryError> {
        let subject = self.qualified(self.subject.as_deref().unwrap_or_default())?;
        Ok(app.service.ask(|state| state.alias_of(&subject)).unwrap_or(subject))
    }

    /// What settings are about: a subject, a context, or (none) everything. Aliases do not count.
    pub(super) fn target(&self) -> Result<Option<String>, RegistryError> {
        let named = self.qualified(self.subject.as_deref().unwrap_or_default())?;
        Ok(Some(named).filter(|named| !named.is_empty()))
    }

    /// A subject or prefix without a context in the one of the path.
    pub(super) fn qualified(&self, written: &str) -> Result<String, RegistryError> {
        if written.starts_with(":.") || written.starts_with(ANY_CONTEXT) {
            return Ok(normalized(written));
        }
        let context = self.context()?;
        Ok(Qualified { context: &context, name: written }.written())
    }

    /// The subject that a question about an id is asked for; a context of the path counts as one.
    pub(super) fn subject_of_id(
        &self,
        app: &App,
        query: &Params,
    ) -> Result<Option<String>, RegistryError> {
        let named = query.get("subject").filter(|subject| !subject.is_empty());
        let context = self.context()?;
        let written = match named {
            Some(subject) => self.qualified(subject)?,
            None if context == DEFAULT_CONTEXT => return Ok(None),
            None => context_prefix(&context),
        };
        Ok(Some(app.service.ask(|state| state.alias_of(&written)).unwrap_or(written)))
    }

    /// The prefix of subjects to list: all contexts, unless the path or the query names one.
    pub(super) fn prefix(&self, query: &Params) -> Result<String, RegistryError> {
        match (query.get("subjectPrefix"), &self.context) {
            (None, None) => Ok(ANY_CONTEXT.to_owned()),
            (prefix, _) => self.qualified(prefix.unwrap_or_default()),
        }
    }

    pub(super) fn id(&self) -> Result<i32, RegistryError> {
        self.id.parse().map_err(|_| RegistryError::no_such_path())
    }
}

/// The parameters of a query, in order; a name may come more than once.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// `true` in any case; everything else is false.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Which versions are shown; `deletedOnly` counts more than `deleted`.
    pub(super) fn deleted(&self) -> Deleted {
        match (self.flag("deletedOnly"), self.flag("deleted")) {
            (true, _) => Deleted::Only,
            (false, true) => Deleted::Shown,
            (false, false) => Deleted::Hidden,
        }
    }

    /// The form of a schema's text that is asked for, if it is not the usual one.
    pub(super) fn format(&self) -> Option<&str> {
        self.get("format").map(str::trim).filter(|format| !format.is_empty())
    }

    /// The part of a list between `offset` and `limit`; a limit that is not above 0, or above the
    /// largest one, is that one.
    pub(super) fn page<T>(&self, list: Vec<T>, limit_max: usize) -> Result<Vec<T>, RegistryError> {
        let number = |name: &str| match self.get(name) {
            None => Ok(-1),
            Some(text) => text.parse::<i64>().map_err(|_| RegistryError::no_such_path()),
        };
        let offset = usize::try_from(number("offset")?).unwrap_or(0);
        let limit = usize::try_from(number("limit")?).unwrap_or(0);
        let limit = if (1..=limit_max).contains(&limit) { limit } else { limit_max };
        Ok(list.into_iter().skip(offset).take(limit).collect())
    }
}

impl FromRequestParts<Arc<App>> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Params, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        let pairs = pairs.map_err(|error| RegistryError::http(400, error.to_string()))?;
        Ok(Params(pairs.0))
    }
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Body<T>, Refusal> {
        let limit = app.request_bytes_max;
        let bytes = to_bytes(request.into_body(), limit).await.map_err(|_| {
            RegistryError::http(413, format!("the request is larger than {limit} bytes"))
        })?;
        if bytes.is_empty() || &bytes[..] == b"null" {
            return Err(RegistryError::http(422, "the request may not be null").into());
        }
        let body = serde_json::from_slice(&bytes);
        Ok(Body(body.map_err(|error| RegistryError::http(400, error.to_string()))?))
    }
}

/// The body that brings a schema.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SchemaBody {
    schema: Option<String>,
    schema_type: Option<String>,
    references: Option<Vec<Reference>>,
    metadata: Option<Metadata>,
    rule_set: Option<RuleSet>,
    version: Option<i32>,
    id: Option<i32>,
}

impl SchemaBody {
    /// The request for a subject. A version of 0 and an id below 0 say nothing.
    pub(super) fn for_subject(self, subject: String, query: &Params) -> Registration {
        Registration {
            subject,
            schema: self.schema,
            schema_type: self.schema_type.filter(|name| !name.is_empty()),
            references: self.references.unwrap_or_default(),
            metadata: self.metadata,
            rule_set: self.rule_set,
            version: self.version.filter(|version| *version != 0),
            id: self.id.filter(|id| *id >= 0),
            normalize: query.flag("normalize"),
            force: query.flag("force"),
        }
    }

    pub(super) fn rule_set(&self) -> Option<&RuleSet> {
        self.rule_set.as_ref()
    }
}
