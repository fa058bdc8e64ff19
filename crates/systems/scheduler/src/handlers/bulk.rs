//! `PATCH` on a whole collection: Airflow's bulk create, update and delete of variables,
//! connections and pools. Each action stands alone: one that fails is told under `errors`, and the
//! others happen.

use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::error::ApiError;

/// Most entities of one request.
const ENTITIES_MAX: usize = 10_000;

/// Airflow's `BulkBody`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkBody<T> {
    actions: Vec<Action<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase", deny_unknown_fields)]
enum Action<T> {
    Create {
        entities: Vec<T>,
        #[serde(default)]
        action_on_existence: OnExistence,
    },
    Update {
        entities: Vec<T>,
        update_mask: Option<Vec<String>>,
        #[serde(default)]
        action_on_non_existence: OnNonExistence,
    },
    Delete {
        entities: Vec<Named<T>>,
        #[serde(default)]
        action_on_non_existence: OnNonExistence,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnExistence {
    #[default]
    Fail,
    Skip,
    Overwrite,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnNonExistence {
    #[default]
    Fail,
    Skip,
}

/// What is deleted: by name, or by a whole entity.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Named<T> {
    Name(String),
    Whole(T),
}

/// What can be changed in bulk.
pub(super) trait Entity: Sized + Send + Sync {
    /// What is kept of it.
    type Stored: Send + Sync;
    /// What many of it are called, and what their names are called.
    const KIND: (&'static str, &'static str);

    fn name(&self) -> &str;
    /// What is wrong with it before anything is looked up.
    fn check(&self) -> Result<(), ApiError>;
    fn find(
        api: &Api,
        name: &str,
    ) -> impl Future<Output = Result<Option<Self::Stored>, ApiError>> + Send;
    fn save(api: &Api, stored: &Self::Stored) -> impl Future<Output = Result<(), ApiError>> + Send;
    fn remove(api: &Api, name: &str) -> impl Future<Output = Result<bool, ApiError>> + Send;
    fn into_new(self) -> Result<Self::Stored, ApiError>;
    /// With the fields it gives, of those a mask names.
    fn into_changed(self, old: Self::Stored, mask: &[String]) -> Result<Self::Stored, ApiError>;
}

/// What one kind of action did.
#[derive(Debug, Default)]
struct Done {
    success: Vec<String>,
    errors: Vec<Value>,
}

impl Done {
    fn note(&mut self, result: Result<Vec<String>, ApiError>) {
        match result {
            Ok(names) => self.success.extend(names),
            Err(error) => self.errors.push(error.in_bulk()),
        }
    }

    fn shown(self) -> Value {
        json!({ "success": self.success, "errors": self.errors })
    }
}

/// Does all actions, in order.
pub(super) async fn run<T: Entity>(api: &Api, body: BulkBody<T>) -> Result<Json<Value>, ApiError> {
    check(&body)?;
    let (mut create, mut update, mut delete) = (None, None, None);
    for action in body.actions {
        match action {
            Action::Create { entities, action_on_existence } => {
                let done: &mut Done = create.get_or_insert_default();
                done.note(create_all(api, entities, action_on_existence).await);
            }
            Action::Update { entities, update_mask, action_on_non_existence } => {
                let done: &mut Done = update.get_or_insert_default();
                let mask = update_mask.unwrap_or_default();
                done.note(update_all(api, entities, &mask, action_on_non_existence).await);
            }
            Action::Delete { entities, action_on_non_existence } => {
                let done: &mut Done = delete.get_or_insert_default();
                done.note(delete_all(api, entities, action_on_non_existence).await);
            }
        }
    }
    let mut shown = Map::new();
    for (name, done) in [("create", create), ("update", update), ("delete", delete)] {
        shown.insert(name.to_owned(), done.map_or(Value::Null, Done::shown));
    }
    Ok(Json(Value::Object(shown)))
}

fn check<T: Entity>(body: &BulkBody<T>) -> Result<(), ApiError> {
    let mut count = 0;
    for action in &body.actions {
        match action {
            Action::Create { entities, .. } | Action::Update { entities, .. } => {
                count += entities.len();
                entities.iter().try_for_each(Entity::check)?;
            }
            Action::Delete { entities, .. } => count += entities.len(),
        }
    }
    if count > ENTITIES_MAX {
        let detail = format!("at most {ENTITIES_MAX} entities can be changed at once");
        return Err(ApiError::bad_request(detail));
    }
    Ok(())
}

async fn create_all<T: Entity>(
    api: &Api,
    entities: Vec<T>,
    existing: OnExistence,
) -> Result<Vec<String>, ApiError> {
    let mut found = Vec::with_capacity(entities.len());
    for entity in &entities {
        found.push(T::find(api, entity.name()).await?);
    }
    let known: Vec<&str> = entities
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_some())
        .map(|(entity, _)| entity.name())
        .collect();
    if existing == OnExistence::Fail && !known.is_empty() {
        let (kind, names) = T::KIND;
        let detail = format!("The {kind} with these {names}: {} already exist.", set(&known));
        return Err(ApiError::new(axum::http::StatusCode::CONFLICT, detail));
    }
    let mut done = Vec::with_capacity(entities.len());
    for (entity, found) in entities.into_iter().zip(found) {
        let name = entity.name().to_owned();
        let stored = match found {
            Some(_) if existing == OnExistence::Skip => continue,
            Some(old) => entity.into_changed(old, &[])?,
            None => entity.into_new()?,
        };
        T::save(api, &stored).await?;
        done.push(name);
    }
    Ok(done)
}

async fn update_all<T: Entity>(
    api: &Api,
    entities: Vec<T>,
    mask: &[String],
    missing: OnNonExistence,
) -> Result<Vec<String>, ApiError> {
    let mut found = Vec::with_capacity(entities.len());
    for entity in &entities {
        found.push(T::find(api, entity.name()).await?);
    }
    let unknown: Vec<&str> = entities
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_none())
        .map(|(entity, _)| entity.name())
        .collect();
    fail_if_missing::<T>(&unknown, missing)?;
    let mut done = Vec::with_capacity(entities.len());
    for (entity, found) in entities.into_iter().zip(found) {
        let Some(old) = found else { continue };
        let name = entity.name().to_owned();
        T::save(api, &entity.into_changed(old, mask)?).await?;
        done.push(name);
    }
    Ok(done)
}

async fn delete_all<T: Entity>(
    api: &Api,
    entities: Vec<Named<T>>,
    missing: OnNonExistence,
) -> Result<Vec<String>, ApiError> {
    let names: Vec<&str> = entities
        .iter()
        .map(|entity| match entity {
            Named::Name(name) => name.as_str(),
            Named::Whole(entity) => entity.name(),
        })
        .collect();
    let mut unknown = Vec::new();
    for name in &names {
        if T::find(api, name).await?.is_none() {
            unknown.push(*name);
        }
    }
    fail_if_missing::<T>(&unknown, missing)?;
    let mut done = Vec::with_capacity(names.len());
    for name in names {
        if T::remove(api, name).await? {
            done.push(name.to_owned());
        }
    }
    Ok(done)
}

fn fail_if_missing<T: Entity>(unknown: &[&str], missing: OnNonExistence) -> Result<(), ApiError> {
    if missing == OnNonExistence::Skip || unknown.is_empty() {
        return Ok(());
    }
    let (kind, names) = T::KIND;
    let detail = format!("The {kind} with these {names}: {} were not found.", set(unknown));
    Err(ApiError::not_found(detail))
}

/// Names as Python writes a set.
fn set(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    format!("{{{}}}", names.join(", "))
}
