//! `/subjects/{subject}/versions`: the history of a subject.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal, Text};
use super::request::{Body, Params, SchemaBody};
use super::{App, Shared, SubjectPath};
use crate::config::Profile;
use crate::entity::RuleSet;
use crate::error::RegistryError;
use crate::state::{Deleted, SchemaView, VersionId};
use crate::subject::is_valid;

/// `GET …/versions?deleted&deletedOnly&deletedAsNegative&offset&limit`.
pub(super) async fn list(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<i32>> {
    let subject = path.subject(&app)?;
    let negative = query.flag("deletedAsNegative");
    let deleted = if negative { Deleted::Shown } else { query.deleted() };
    let versions = app.service.ask(|state| state.version_numbers(&subject, deleted))?;
    let number =
        |(version, deleted): (i32, bool)| if negative && deleted { -version } else { version };
    Ok(Answer(query.page(versions.into_iter().map(number).collect(), usize::MAX)?))
}

/// `POST …/versions?normalize&force&format`: registers a schema.
pub(super) async fn register(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
    Body(body): Body<SchemaBody>,
) -> Outcome<Value> {
    body.rule_set().map_or(Ok(()), RuleSet::check).map_err(RegistryError::InvalidRuleSet)?;
    let subject = path.subject(&app)?;
    if !is_valid(&subject, false) {
        return Err(RegistryError::InvalidSubject(subject).into());
    }
    let request = body.for_subject(subject, &query);
    let mut view = app.service.write(move |state| state.register(&request)).await?;
    if let Some(format) = query.format() {
        view.schema = app.service.ask(|state| state.formatted(&view, format))?;
    }
    Ok(Answer(match app.profile {
        Profile::V7 => json!({"id": view.id}),
        Profile::V8 => SchemaView { subject: None, ..view }.to_json(Profile::V8),
    }))
}

/// `GET …/versions/{version}?deleted&format`.
pub(super) async fn get(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Value> {
    Ok(Answer(find(&app, &path, &query)?.to_json(app.profile)))
}

/// `GET …/versions/{version}/schema?deleted&format`: the text alone.
pub(super) async fn text(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Result<Text, Refusal> {
    Ok(Text(find(&app, &path, &query)?.schema))
}

/// `GET …/versions/{version}/referencedby?deleted&offset&limit`: ids of the schemas that build on it.
pub(super) async fn referenced_by(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<i32>> {
    let (subject, version) = (path.subject(&app)?, VersionId::parse(&path.version)?);
    let shown = query.flag("deleted");
    let ids = app.service.ask(|state| state.referenced_by(&subject, version, shown))?;
    Ok(Answer(query.page(ids, usize::MAX)?))
}

/// `DELETE …/versions/{version}?permanent`: gives its number.
pub(super) async fn delete(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<i32> {
    let (subject, version) = (path.subject(&app)?, VersionId::parse(&path.version)?);
    let permanent = query.flag("permanent");
    let plan = app.service.write(move |state| state.delete_version(&subject, version, permanent));
    Ok(Answer(plan.await?))
}

fn find(app: &App, path: &SubjectPath, query: &Params) -> Result<SchemaView, RegistryError> {
    let (subject, version) = (path.subject(app)?, VersionId::parse(&path.version)?);
    app.service.ask(|state| {
        let mut view = state.version(&subject, version, query.flag("deleted"))?;
        if let Some(format) = query.format() {
            view.schema = state.formatted(&view, format)?;
        }
        Ok(view)
    })
}
