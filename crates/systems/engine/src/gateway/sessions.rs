//! `/sessions`: opened, looked at, kept alive, closed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tidemill_runtime::{Tasks, World};

use crate::catalog::Catalog;
use crate::session::Session;

use super::Gateway;
use super::answer::Refusal;
use super::operations::Operation;

/// Operations that a session remembers at most; the oldest goes for a new one.
pub(super) const OPERATIONS_MAX: usize = 100;

/// All open sessions.
pub(crate) struct Sessions {
    catalog: Catalog,
    sessions_max: usize,
    pub(super) world: World,
    pub(super) tasks: Tasks,
    open: Mutex<HashMap<String, Arc<OpenSession>>>,
}

/// A session and what it was asked.
pub(super) struct OpenSession {
    pub(super) handle: String,
    /// Statements of one session run one after the other.
    pub(super) session: tokio::sync::Mutex<Session>,
    pub(super) operations: Mutex<Vec<Arc<Operation>>>,
    used_at: Mutex<Duration>,
}

impl Sessions {
    pub(super) fn new(
        catalog: Catalog,
        sessions_max: usize,
        world: World,
        tasks: Tasks,
    ) -> Sessions {
        Sessions { catalog, sessions_max, world, tasks, open: Mutex::default() }
    }

    fn open_one(&self) -> String {
        let handle = self.world.random.uuid().to_string();
        let now = self.world.clock.monotonic();
        let session = Arc::new(OpenSession {
            handle: handle.clone(),
            session: tokio::sync::Mutex::new(Session::new(self.catalog.clone())),
            operations: Mutex::default(),
            used_at: Mutex::new(now),
        });
        let mut open = self.open.lock();
        if open.len() >= self.sessions_max.max(1) {
            let idle = open.values().min_by_key(|session| *session.used_at.lock());
            if let Some(idle) = idle.map(|session| session.handle.clone()) {
                open.remove(&idle);
            }
        }
        open.insert(handle.clone(), session);
        handle
    }

    /// The session, which was used just now.
    pub(super) fn get(&self, handle: &str) -> Result<Arc<OpenSession>, Refusal> {
        let found = self.open.lock().get(handle).cloned();
        let session = found
            .ok_or_else(|| Refusal::not_found(format!("Session '{handle}' does not exist.")))?;
        *session.used_at.lock() = self.world.clock.monotonic();
        Ok(session)
    }
}

impl OpenSession {
    pub(super) fn operation(&self, handle: &str) -> Result<Arc<Operation>, Refusal> {
        let operations = self.operations.lock();
        let found = operations.iter().find(|operation| operation.handle == handle);
        found.cloned().ok_or_else(|| {
            Refusal::not_found(format!("Can not find the submitted operation '{handle}'."))
        })
    }
}

/// `POST /sessions`.
pub(super) async fn open(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    Json(json!({ "sessionHandle": gateway.sessions.open_one() }))
}

/// `GET /sessions/{session}`.
pub(super) async fn config(
    State(gateway): State<Arc<Gateway>>,
    Path(session): Path<String>,
) -> Result<Json<Value>, Refusal> {
    gateway.sessions.get(&session)?;
    Ok(Json(json!({ "properties": {} })))
}

/// `POST /sessions/{session}/heartbeat`.
pub(super) async fn heartbeat(
    State(gateway): State<Arc<Gateway>>,
    Path(session): Path<String>,
) -> Result<Json<Value>, Refusal> {
    gateway.sessions.get(&session)?;
    Ok(Json(json!({})))
}

/// `DELETE /sessions/{session}`. Jobs that it started go on.
pub(super) async fn close(
    State(gateway): State<Arc<Gateway>>,
    Path(session): Path<String>,
) -> Result<Json<Value>, Refusal> {
    gateway.sessions.get(&session)?;
    gateway.sessions.open.lock().remove(&session);
    Ok(Json(json!({ "status": "CLOSED" })))
}
