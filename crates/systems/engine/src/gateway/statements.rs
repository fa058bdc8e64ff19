//! `POST /sessions/{session}/statements`: one statement, executed beside the request.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sql;

use super::Gateway;
use super::answer::Refusal;
use super::operations::Operation;
use super::sessions::OPERATIONS_MAX;

/// The body. Other fields that Flink's clients send change nothing here.
#[derive(Deserialize)]
pub(super) struct Request {
    statement: String,
}

pub(super) async fn execute(
    State(gateway): State<Arc<Gateway>>,
    Path(session): Path<String>,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let session = gateway.sessions.get(&session)?;
    let Json(request) = request.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let handle = gateway.sessions.world.random.uuid().to_string();
    let operation = Arc::new(Operation::new(handle.clone()));
    {
        let mut operations = session.operations.lock();
        if operations.len() >= OPERATIONS_MAX {
            let ended = operations.iter().position(|operation| !operation.is_running());
            match ended {
                Some(ended) => operations.remove(ended),
                None => {
                    return Err(Refusal::busy(format!("{OPERATIONS_MAX} statements are running")));
                }
            };
        }
        operations.push(Arc::clone(&operation));
    }
    let core = Arc::clone(&gateway.core);
    gateway.sessions.tasks.spawn("statement", async move {
        let work = async {
            let mut statements = sql::parse(&request.statement)?;
            let Some(located) = statements.pop().filter(|_| statements.is_empty()) else {
                let at = sql::Location { line: 1, column: 1 };
                let message = "Only single statement supported.";
                return Err(sql::SqlError::invalid(at, message));
            };
            session.session.lock().await.execute(&located, &core).await
        };
        let work = std::panic::AssertUnwindSafe(work).catch_unwind();
        tokio::select! {
            outcome = work => operation.finish(match outcome {
                Ok(outcome) => outcome.map_err(|error| error.to_string()),
                Err(_) => Err("Internal error: the statement panicked".to_owned()),
            }),
            () = operation.cancelled() => {}
        }
    });
    Ok(Json(json!({ "operationHandle": handle })))
}
