//! `/config`: what may be registered.

use axum::extract::{Path, State};
use serde_json::{Map, Value};

use super::answer::{Answer, Outcome};
use super::request::{Body, Params};
use super::{Shared, SubjectPath};
use crate::error::RegistryError;
use crate::settings::Settings;
use crate::state::SettingsUpdate;

/// `GET /config[/{subject}]?defaultToGlobal`.
pub(super) async fn get(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    query: Params,
) -> Outcome<Settings> {
    let target = path.target()?;
    let settings = app.service.ask(|state| match query.flag("defaultToGlobal") {
        true => Some(state.settings_in_scope(target.as_deref())),
        false => state.own_settings(target.as_deref()),
    });
    let missing = || RegistryError::NoSubjectConfig(target.clone().unwrap_or_default());
    Ok(Answer(settings.ok_or_else(missing)?))
}

/// `PUT /config[/{subject}]`: sets what is in the body; a null clears. Answers in the request's
/// words: `compatibility`, where an answer of `GET` says `compatibilityLevel`.
pub(super) async fn put(
    State(app): Shared,
    Path(path): Path<SubjectPath>,
    Body(update): Body<Map<String, Value>>,
) -> Outcome<Map<String, Value>> {
    let target = path.target()?;
    let update = SettingsUpdate(update);
    let settings =
        app.service.write(move |state| state.set_settings(target.as_deref(), &update)).await?;
    let settings = serde_json::to_value(settings).unwrap_or_default();
    let renamed = |(name, value): (&String, &Value)| {
        let name = if name == "compatibilityLevel" { "compatibility" } else { name };
        (name.to_owned(), value.clone())
    };
    Ok(Answer(settings.as_object().into_iter().flatten().map(renamed).collect()))
}

/// `DELETE /config[/{subject}]`: gives what was set.
pub(super) async fn delete(State(app): Shared, Path(path): Path<SubjectPath>) -> Outcome<Settings> {
    let target = path.target()?;
    let deleted = app.service.write(move |state| state.delete_settings(target.as_deref()));
    Ok(Answer(deleted.await?))
}
