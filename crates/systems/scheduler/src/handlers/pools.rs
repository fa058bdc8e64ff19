//! `/pools`: list, get, add, change, remove, and many at once. A pool's slots are what the scheduler
//! gives out; a change is in force with the next task that starts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::body::Body;
use super::bulk::{self, Entity};
use super::error::ApiError;
use super::query::Query;
use crate::dag::DEFAULT_POOL;
use crate::shell::Command;
use crate::store::{POOL_ORDERS, PoolUse, SlotPool};

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 256;

/// Airflow's `PoolBody`, and its `PoolPatchBody`, which calls the name `pool` too.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolBody {
    #[serde(alias = "pool")]
    name: Option<String>,
    slots: Option<i64>,
    #[serde(default, deserialize_with = "super::body::present")]
    description: Option<Option<String>>,
    include_deferred: Option<bool>,
    team_name: Option<String>,
}

/// `GET /pools`.
pub(super) async fn list(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let filter = query.list("pool_name_pattern", POOL_ORDERS)?;
    query.finish()?;
    let page = api.settings.pools(&filter).await?;
    let taken = api.settings.pool_use().await?;
    let shown: Vec<Value> = page.items.iter().map(|pool| shown(pool, &taken)).collect();
    Ok(Json(json!({ "pools": shown, "total_entries": page.total })))
}

/// `GET /pools/{pool_name}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let pool = api.settings.pool(&name).await?.ok_or_else(|| unknown(&name))?;
    Ok(Json(shown(&pool, &api.settings.pool_use().await?)))
}

/// `POST /pools`.
pub(super) async fn post(
    State(api): State<Api>,
    Body(body): Body<PoolBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    body.check()?;
    let pool = body.into_new()?;
    if !api.settings.add_pool(&pool).await? {
        return Err(ApiError::not_unique());
    }
    changed(&api).await;
    let taken = api.settings.pool_use().await?;
    Ok((StatusCode::CREATED, Json(shown(&pool, &taken))))
}

/// `PATCH /pools/{pool_name}`.
pub(super) async fn patch(
    State(api): State<Api>,
    Path(name): Path<String>,
    mut query: Query,
    Body(body): Body<PoolBody>,
) -> Result<Json<Value>, ApiError> {
    if body.name.as_ref().is_some_and(|given| *given != name) {
        let detail = "Invalid body, pool name from request body doesn't match uri parameter";
        return Err(ApiError::bad_request(detail));
    }
    let body = PoolBody { name: Some(name.clone()), ..body };
    body.check()?;
    let old = api.settings.pool(&name).await?.ok_or_else(|| unknown(&name))?;
    let mask = query.many("update_mask");
    if mask.is_empty() && name != DEFAULT_POOL {
        for (field, is_given) in
            [("slots", body.slots.is_some()), ("include_deferred", body.include_deferred.is_some())]
        {
            if !is_given {
                return Err(ApiError::missing(&[field]));
            }
        }
    }
    let pool = body.into_changed(old, &mask)?;
    api.settings.put_pool(&pool).await?;
    changed(&api).await;
    Ok(Json(shown(&pool, &api.settings.pool_use().await?)))
}

/// `DELETE /pools/{pool_name}`.
pub(super) async fn delete(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    PoolBody::remove(&api, &name).await?.then_some(()).ok_or_else(|| unknown(&name))?;
    changed(&api).await;
    Ok(StatusCode::NO_CONTENT)
}

/// `PATCH /pools`: many at once.
pub(super) async fn bulk(
    State(api): State<Api>,
    Body(body): Body<bulk::BulkBody<PoolBody>>,
) -> Result<Json<Value>, ApiError> {
    let done = bulk::run(&api, body).await;
    changed(&api).await;
    done
}

/// The scheduler looks at the pools again. One that stands by or stops has no use for that.
async fn changed(api: &Api) {
    let _ = api.commands.give(Command::PoolsChanged).await;
}

impl Entity for PoolBody {
    type Stored = SlotPool;
    const KIND: (&'static str, &'static str) = ("pools", "pool names");

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn check(&self) -> Result<(), ApiError> {
        if self.name().is_empty() {
            return Err(ApiError::missing(&["body", "name"]));
        }
        if self.name().chars().count() > NAME_CHARS_MAX {
            let message = format!("String should have at most {NAME_CHARS_MAX} characters");
            return Err(ApiError::invalid(&["body", "name"], message));
        }
        if self.slots.is_some_and(|slots| slots < -1) {
            let message = "Input should be greater than or equal to -1";
            return Err(ApiError::invalid(&["body", "slots"], message));
        }
        super::body::no_team(self.team_name.as_deref())
    }

    async fn find(api: &Api, name: &str) -> Result<Option<SlotPool>, ApiError> {
        Ok(api.settings.pool(name).await?)
    }

    async fn save(api: &Api, stored: &SlotPool) -> Result<(), ApiError> {
        Ok(api.settings.put_pool(stored).await?)
    }

    async fn remove(api: &Api, name: &str) -> Result<bool, ApiError> {
        if name == DEFAULT_POOL {
            return Err(ApiError::bad_request("Default Pool can't be deleted"));
        }
        Ok(api.settings.delete_pool(name).await?)
    }

    fn into_new(self) -> Result<SlotPool, ApiError> {
        let slots = self.slots.ok_or_else(|| ApiError::missing(&["body", "slots"]))?;
        Ok(SlotPool {
            slots,
            description: self.description.flatten(),
            include_deferred: self.include_deferred.unwrap_or(false),
            name: self.name.unwrap_or_default(),
        })
    }

    fn into_changed(self, mut old: SlotPool, mask: &[String]) -> Result<SlotPool, ApiError> {
        let changes_slots = |field: &String| matches!(field.trim(), "slots" | "include_deferred");
        if old.name == DEFAULT_POOL && (mask.is_empty() || !mask.iter().all(changes_slots)) {
            let detail = "Only slots and included_deferred can be modified on Default Pool";
            return Err(ApiError::bad_request(detail));
        }
        let is_meant = |field: &str| mask.is_empty() || mask.iter().any(|name| name == field);
        if let Some(slots) = self.slots.filter(|_| is_meant("slots")) {
            old.slots = slots;
        }
        if let Some(description) = self.description.filter(|_| is_meant("description")) {
            old.description = description;
        }
        if let Some(include) = self.include_deferred.filter(|_| is_meant("include_deferred")) {
            old.include_deferred = include;
        }
        Ok(old)
    }
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("The Pool with name: `{name}` was not found"))
}

/// Airflow's `PoolResponse`.
fn shown(pool: &SlotPool, taken: &BTreeMap<String, PoolUse>) -> Value {
    let PoolUse { running, queued, scheduled } = taken.get(&pool.name).copied().unwrap_or_default();
    let occupied = running + queued;
    json!({
        "name": pool.name,
        "slots": pool.slots,
        "description": pool.description,
        "include_deferred": pool.include_deferred,
        "occupied_slots": occupied,
        "running_slots": running,
        "queued_slots": queued,
        "scheduled_slots": scheduled,
        "open_slots": if pool.slots == -1 { -1 } else { pool.slots - occupied },
        "deferred_slots": 0,
        "team_name": null,
    })
}
