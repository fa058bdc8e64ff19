//! `/compatibility`: would it be accepted?

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::request::{Body, Params, SchemaBody};
use super::{App, Shared, SubjectPath};
use crate::error::RegistryError;
use crate::state::VersionId;

/// `POST /compatibility/subjects/{subject}/versions?normalize&verbose`: beside the versions that
/// registering it would be checked against.
pub(super) async fn with_level(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
    Body(body): Body<SchemaBody>,
) -> Outcome<Value> {
    verdict(&app, &path, &query, body, None)
}

/// `POST /compatibility/subjects/{subject}/versions/{version}?normalize&verbose`: beside one.
pub(super) async fn with_version(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
    Body(body): Body<SchemaBody>,
) -> Outcome<Value> {
    let version = VersionId::parse(&path.version)?;
    verdict(&app, &path, &query, body, Some(version))
}

fn verdict(
    app: &App,
    path: &SubjectPath,
    query: &Params,
    body: SchemaBody,
    beside: Option<VersionId>,
) -> Outcome<Value> {
    let request = body.for_subject(path.subject(app)?, query);
    let verbose = query.flag("verbose");
    let messages = match app.service.ask(|state| state.check_compatibility(&request, beside)) {
        Ok(messages) => messages,
        // Who asks for reasons is told this one too.
        Err(RegistryError::InvalidSchema(reason)) if verbose => vec![reason],
        Err(error) => return Err(error.into()),
    };
    let mut body = json!({"is_compatible": messages.is_empty()});
    if verbose {
        body["messages"] = json!(messages);
    }
    Ok(Answer(body))
}
