//! `/contexts`: registries within the registry.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::answer::{Answer, Outcome, Refusal};
use super::request::Params;
use super::{Shared, SubjectPath};
use crate::subject::context_prefix;

/// `GET /contexts?contextPrefix&offset&limit`.
pub(super) async fn list(State(app): Shared, query: Params) -> Outcome<Vec<String>> {
    let mut contexts = app.service.ask(|state| state.contexts());
    if let Some(prefix) = query.get("contextPrefix") {
        contexts.retain(|context| context.starts_with(prefix));
    }
    Ok(Answer(query.page(contexts, usize::MAX)?))
}

/// `DELETE /contexts/{context}`: an empty one.
pub(super) async fn delete(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
) -> Result<Response, Refusal> {
    let context = context_prefix(&path.context()?);
    app.service.write(move |state| state.delete_context(&context)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
