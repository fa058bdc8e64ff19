//! `ExecutePlan`: a relation's rows, or a command's effect.

use std::sync::Arc;

use futures::FutureExt as _;
use tidemill_spark_connect::status::{Code, Status};
use tidemill_spark_connect::{ExecutePlanRequest, PlanOp, RequestOptionKind};

use crate::spark::error::{Result, SparkError};
use crate::spark::execute::{command, query};
use crate::spark::http2::Answer;
use crate::spark::operations::Operation;
use crate::spark::service::{Service, status};
use crate::spark::sessions::Session;

pub(in crate::spark) async fn handle(
    service: &Arc<Service>,
    request: ExecutePlanRequest,
    answer: &mut Answer,
) -> std::result::Result<(), Status> {
    let session = service.session(&request)?;
    let reattachable = request.request_options.iter().any(|option| {
        matches!(&option.request_option, Some(RequestOptionKind::ReattachOptions(options))
            if options.reattachable)
    });
    let begun = session.begin(request.operation_id, request.tags, reattachable);
    let operation = begun.map_err(|error| status(&error, &session))?;
    let plan = request.plan.and_then(|plan| plan.op_type);
    let running = run(Arc::clone(service), Arc::clone(&session), Arc::clone(&operation), plan);
    service.tasks.spawn("spark operation", running);
    stream(&operation, 0, &session, answer).await
}

/// Sends an operation's responses until it is over.
pub(in crate::spark) async fn stream(
    operation: &Arc<Operation>,
    from: u64,
    session: &Session,
    answer: &mut Answer,
) -> std::result::Result<(), Status> {
    match operation.send(from, answer).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(status(&error, session)),
        Err(_) => {
            // Nobody can come back for it.
            if !operation.is_reattachable() {
                operation.release_all();
                session.forget(&operation.id);
            }
            Err(Status::new(Code::Cancelled, "the client went away"))
        }
    }
}

async fn run(
    service: Arc<Service>,
    session: Arc<Session>,
    operation: Arc<Operation>,
    plan: Option<PlanOp>,
) {
    let work = std::panic::AssertUnwindSafe(execute(&service, &session, &operation, plan));
    let result = tokio::select! {
        result = work.catch_unwind() => {
            result.unwrap_or_else(|_| Err(SparkError::runtime("the plan panicked")))
        }
        () = operation.interrupt.requested() => Err(SparkError::cancelled()),
    };
    operation.end(result, service.world.clock.monotonic());
}

async fn execute(
    service: &Arc<Service>,
    session: &Arc<Session>,
    operation: &Operation,
    plan: Option<PlanOp>,
) -> Result<()> {
    match plan {
        Some(PlanOp::Root(relation)) => query::run(service, session, operation, &relation).await,
        Some(PlanOp::Command(made)) => command::run(service, session, operation, made).await,
        Some(PlanOp::CompressedOperation(_)) => {
            let text =
                "The Spark Connect plan is invalid. It is compressed, which was not offered.";
            let kind = crate::spark::error::Kind::Spark;
            Err(SparkError::new(kind, "CONNECT_INVALID_PLAN.CANNOT_PARSE", "56K00", text))
        }
        None => Err(SparkError::invalid_plan("it is empty")),
    }
}
