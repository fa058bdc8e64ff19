//! `/mode`: who may write.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome};
use super::request::{Body, Params};
use super::{Shared, SubjectPath};
use crate::error::RegistryError;
use crate::settings::Mode;

/// The body of a change; null clears.
#[derive(Debug, Deserialize)]
pub(super) struct ModeBody {
    mode: Option<String>,
}

/// `GET /mode[/{subject}]?defaultToGlobal`.
pub(super) async fn get(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Value> {
    let target = path.target()?;
    let mode = app.service.ask(|state| match query.flag("defaultToGlobal") {
        true => Some(state.mode_in_scope(target.as_deref())),
        false => state.own_mode(target.as_deref()),
    });
    let missing = || RegistryError::NoSubjectMode(target.clone().unwrap_or_default());
    Ok(Answer(json!({"mode": mode.ok_or_else(missing)?})))
}

/// `PUT /mode[/{subject}]?force`: echoes the request.
pub(super) async fn put(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
    Body(body): Body<ModeBody>,
) -> Outcome<Value> {
    let invalid = RegistryError::InvalidMode(
        "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.",
    );
    let mode = match &body.mode {
        Some(name) => Some(Mode::named(name).ok_or(invalid)?),
        None => None,
    };
    let (target, force) = (path.target()?, query.flag("force"));
    app.service.write(move |state| state.set_mode(target.as_deref(), mode, force)).await?;
    Ok(Answer(json!({"mode": body.mode})))
}

/// `DELETE /mode[/{subject}]?recursive`: gives the mode that was set.
pub(super) async fn delete(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Map<String, Value>> {
    let (target, recursive) = (path.target()?, query.flag("recursive"));
    let deleted = app.service.write(move |state| state.delete_mode(target.as_deref(), recursive));
    let mode = deleted.await?.map(|mode| ("mode".to_owned(), json!(mode)));
    Ok(Answer(mode.into_iter().collect()))
}
