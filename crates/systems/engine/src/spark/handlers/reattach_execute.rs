//! `ReattachExecute`: the responses after the last one that the client saw.

use std::sync::Arc;

use tidemill_spark_connect::ReattachExecuteRequest;
use tidemill_spark_connect::status::Status;

use crate::spark::error::{Kind, SparkError};
use crate::spark::http2::Answer;
use crate::spark::service::{Service, status};

use super::execute_plan::stream;

pub(in crate::spark) async fn handle(
    service: &Arc<Service>,
    request: ReattachExecuteRequest,
    answer: &mut Answer,
) -> Result<(), Status> {
    let session = service.session(&request)?;
    let found = session.operation(&request.operation_id).and_then(|operation| {
        if !operation.is_reattachable() {
            let class = "INVALID_CURSOR.NOT_REATTACHABLE";
            let text = "The cursor is invalid. The cursor is not reattachable.";
            return Err(SparkError::new(Kind::Handle, class, "HY109", text));
        }
        let number = match request.last_response_id.as_deref() {
            Some(last) if !last.is_empty() => operation.after(last)?,
            _ => 0,
        };
        Ok((operation, number))
    });
    let (operation, number) = found.map_err(|error| status(&error, &session))?;
    stream(&operation, number, &session, answer).await
}
