//! `/sessions/{session}/operations/{operation}`: how a statement is doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tidemill_runtime::Shutdown;

use crate::session::Outcome;

use super::Gateway;
use super::answer::Refusal;
use super::results::Results;

/// A statement on its way.
pub(super) struct Operation {
    pub(super) handle: String,
    state: Mutex<State_>,
    stop: Shutdown,
}

#[derive(Clone)]
enum State_ {
    Running,
    Finished(Arc<Results>),
    Failed(String),
    Canceled,
}

impl Operation {
    pub(super) fn new(handle: String) -> Operation {
        Operation { handle, state: Mutex::new(State_::Running), stop: Shutdown::default() }
    }

    pub(super) fn finish(&self, outcome: Result<Outcome, String>) {
        let mut state = self.state.lock();
        if let State_::Running = *state {
            *state = match outcome {
                Ok(outcome) => State_::Finished(Arc::new(Results::new(outcome))),
                Err(reason) => State_::Failed(reason),
            };
        }
    }

    pub(super) async fn cancelled(&self) {
        self.stop.requested().await;
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(*self.state.lock(), State_::Running)
    }

    fn cancel_now(&self) {
        let mut state = self.state.lock();
        if let State_::Running = *state {
            *state = State_::Canceled;
        }
        self.stop.request();
    }

    /// Flink's name of the state.
    fn status(&self) -> &'static str {
        match *self.state.lock() {
            State_::Running => "RUNNING",
            State_::Finished(_) => "FINISHED",
            State_::Failed(_) => "ERROR",
            State_::Canceled => "CANCELED",
        }
    }

    /// The results; none while it runs.
    pub(super) fn results(&self) -> Result<Option<Arc<Results>>, Refusal> {
        match &*self.state.lock() {
            State_::Running => Ok(None),
            State_::Finished(results) => Ok(Some(Arc::clone(results))),
            State_::Failed(reason) => Err(Refusal::failed(reason.clone())),
            State_::Canceled => Err(Refusal::failed("the operation was canceled")),
        }
    }
}

/// `GET …/status`.
pub(super) async fn status(
    State(gateway): State<Arc<Gateway>>,
    Path((session, operation)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let operation = gateway.sessions.get(&session)?.operation(&operation)?;
    Ok(Json(json!({ "status": operation.status() })))
}

/// `POST …/cancel`.
pub(super) async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    Path((session, operation)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let operation = gateway.sessions.get(&session)?.operation(&operation)?;
    operation.cancel_now();
    Ok(Json(json!({ "status": operation.status() })))
}

/// `DELETE …/close`.
pub(super) async fn close(
    State(gateway): State<Arc<Gateway>>,
    Path((session, operation)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let session = gateway.sessions.get(&session)?;
    session.operation(&operation)?.cancel_now();
    session.operations.lock().retain(|known| known.handle != operation);
    Ok(Json(json!({ "status": "CLOSED" })))
}
