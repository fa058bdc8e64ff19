//! `/schemas`: everything that is registered.

use axum::extract::{Path, State};
use serde_json::Value;

use super::answer::{Answer, Outcome};
use super::request::Params;
use super::{Shared, SubjectPath};
use crate::schema::SchemaType;

/// Schemas in one answer.
const SCHEMAS_MAX: usize = 1000;

/// `GET /schemas?subjectPrefix&deleted&latestOnly&offset&limit`.
pub(super) async fn list(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Vec<Value>> {
    let (prefix, deleted) = (path.prefix(&query)?, query.deleted());
    let latest_only = query.flag("latestOnly");
    let schemas = app.service.ask(|state| state.schemas(&prefix, deleted, latest_only));
    let page = query.page(schemas, SCHEMAS_MAX)?;
    Ok(Answer(page.iter().map(|schema| schema.to_json(app.profile)).collect()))
}

/// `GET /schemas/types`.
pub(super) async fn types() -> Answer<[&'static str; 3]> {
    Answer(SchemaType::NAMES)
}
