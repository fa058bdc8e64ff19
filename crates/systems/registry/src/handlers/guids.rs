//! `/schemas/guids/{guid}`: schemas by their content.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::request::Params;
use super::{Shared, SubjectPath};

/// `GET /schemas/guids/{guid}?format`.
pub(super) async fn schema(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Value> {
    let view = app.service.ask(|state| {
        let mut view = state.by_guid(&path.guid)?;
        if let Some(format) = query.format() {
            view.schema = state.formatted(&view, format)?;
        }
        Ok::<_, crate::error::RegistryError>(view)
    })?;
    Ok(Answer(view.to_json(app.profile)))
}

/// `GET /schemas/guids/{guid}/ids`: its id in each context.
pub(super) async fn ids(State(app): Shared, Path(path): Path<SubjectPath>) -> Answer<Vec<Value>> {
    let ids = app.service.ask(|state| state.ids_of_guid(&path.guid));
    let body = |(context, id)| json!({"context": context, "id": id});
    Answer(ids.into_iter().map(body).collect())
}
