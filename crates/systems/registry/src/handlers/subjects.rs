//! `/subjects`: what is registered under which name.

use axum::extract::{Path, State};
use serde_json::Value;

use super::answer::{Answer, Outcome};
use super::request::{Body, Params, SchemaBody};
use super::{Shared, SubjectPath};

/// `GET /subjects?subjectPrefix&deleted&deletedOnly&offset&limit`.
pub(super) async fn list(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<String>> {
    let (prefix, deleted) = (path.prefix(&query)?, query.deleted());
    let subjects = app.service.ask(|state| state.subjects(&prefix, deleted));
    Ok(Answer(query.page(subjects, usize::MAX)?))
}

/// `POST /subjects/{subject}?normalize&deleted&format`: the version that a schema has there.
pub(super) async fn lookup(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
    Body(body): Body<SchemaBody>,
) -> Outcome<Value> {
    let request = body.for_subject(path.subject(&app)?, &query);
    let view = app.service.ask(|state| {
        let mut view = state.lookup(&request, query.flag("deleted"))?;
        if let Some(format) = query.format() {
            view.schema = state.formatted(&view, format)?;
        }
        Ok::<_, crate::error::RegistryError>(view)
    })?;
    Ok(Answer(view.to_json(app.profile)))
}

/// `GET /subjects/{subject}/metadata?key&value&deleted`: the latest version with these properties.
pub(super) async fn latest_with_metadata(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Value> {
    let subject = path.subject(&app)?;
    let wanted: Vec<(String, String)> = query
        .all("key")
        .zip(query.all("value"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let shown = query.flag("deleted");
    let view = app.service.ask(|state| {
        let mut view = state.latest_with_metadata(&subject, &wanted, shown)?;
        if let Some(format) = query.format() {
            view.schema = state.formatted(&view, format)?;
        }
        Ok::<_, crate::error::RegistryError>(view)
    })?;
    Ok(Answer(view.to_json(app.profile)))
}

/// `DELETE /subjects/{subject}?permanent`: all its versions; gives their numbers.
pub(super) async fn delete(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<i32>> {
    let (subject, permanent) = (path.subject(&app)?, query.flag("permanent"));
    let deleted = app.service.write(move |state| state.delete_subject(&subject, permanent));
    Ok(Answer(deleted.await?))
}
