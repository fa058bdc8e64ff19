//! `/schemas/ids/{id}`: what a record's five bytes lead to.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal, Text};
use super::request::Params;
use super::{App, Shared, SubjectPath};
use crate::error::RegistryError;
use crate::state::SchemaView;
use crate::subject::{DEFAULT_CONTEXT, context_of};

/// `GET /schemas/ids/{id}?subject&format&fetchMaxId`.
pub(super) async fn schema(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Value> {
    let view = find(&app, &path, &query)?;
    let mut body = view.to_json(app.profile);
    if query.flag("fetchMaxId") {
        let context = view.subject.as_deref().map_or(DEFAULT_CONTEXT, context_of);
        let highest = app.service.ask(|state| state.highest_id(context));
        body["maxId"] = json!(highest);
    }
    Ok(Answer(body))
}

/// `GET /schemas/ids/{id}/schema?subject&format`: the text alone.
pub(super) async fn text(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Result<Text, Refusal> {
    Ok(Text(find(&app, &path, &query)?.schema))
}

/// `GET /schemas/ids/{id}/subjects?subject&deleted&offset&limit`.
pub(super) async fn subjects(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<String>> {
    let mut subjects: Vec<String> =
        places(&app, &path, &query)?.into_iter().map(|(subject, _)| subject).collect();
    subjects.dedup();
    Ok(Answer(query.page(subjects, usize::MAX)?))
}

/// `GET /schemas/ids/{id}/versions?subject&deleted&offset&limit`.
pub(super) async fn versions(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<Value>> {
    let places = query.page(places(&app, &path, &query)?, usize::MAX)?;
    let body = |(subject, version)| json!({"subject": subject, "version": version});
    Ok(Answer(places.into_iter().map(body).collect()))
}

fn places(
    app: &App,
    path: &SubjectPath,
    query: &Params,
) -> Result<Vec<(String, i32)>, RegistryError> {
    let (id, subject) = (path.id()?, path.subject_of_id(app, query)?);
    let shown = query.flag("deleted");
    app.service.ask(|state| state.places_of_id(id, subject.as_deref(), shown))
}

fn find(app: &App, path: &SubjectPath, query: &Params) -> Result<SchemaView, RegistryError> {
    let (id, subject) = (path.id()?, path.subject_of_id(app, query)?);
    app.service.ask(|state| {
        let mut view = state.by_id(id, subject.as_deref())?;
        if let Some(format) = query.format() {
            view.schema = state.formatted(&view, format)?;
        }
        Ok(view)
    })
}
