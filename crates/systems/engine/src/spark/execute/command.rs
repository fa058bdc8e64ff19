//! Commands: views, streaming queries, writes.

use std::sync::Arc;

use tidemill_spark_connect::{CommandType, ExecuteResult, SqlCommandResult};

use crate::spark::error::{Result, SparkError};
use crate::spark::operations::Operation;
use crate::spark::resolve::Resolver;
use crate::spark::service::Service;
use crate::spark::sessions::Session;
use crate::spark::streams;

pub(in crate::spark) async fn run(
    service: &Arc<Service>,
    session: &Arc<Session>,
    operation: &Operation,
    command: tidemill_spark_connect::Command,
) -> Result<()> {
    let command = command.command_type;
    let command = command.ok_or_else(|| SparkError::unsupported("a command of unknown kind"))?;
    let name = command.name();
    match command {
        CommandType::WriteStreamOperationStart(start) => {
            let started = streams::start(service, session, &start).await?;
            operation.result(ExecuteResult::WriteStreamOperationStartResult(started)).await
        }
        CommandType::StreamingQueryCommand(asked) => {
            let result = streams::command(service, asked).await?;
            operation.result(ExecuteResult::StreamingQueryCommandResult(result)).await
        }
        CommandType::StreamingQueryManagerCommand(asked) => {
            let result = streams::manage(service, session, asked).await?;
            operation.result(ExecuteResult::StreamingQueryManagerCommandResult(result)).await
        }
        CommandType::CreateDataframeView(view) => {
            let relation = view.input;
            let relation = relation.ok_or_else(|| SparkError::invalid_plan("a view of nothing"))?;
            // What cannot be planned is told now, not when the view is read.
            Resolver::new(&service.core, session).frame(&relation).await?;
            let name = match view.is_global {
                true => format!("global_temp.{}", view.name),
                false => view.name.clone(),
            };
            session.create_view(&name, relation, view.replace)
        }
        CommandType::WriteOperation(write) => super::write::run(service, session, &write).await,
        CommandType::SqlCommand(sql) => {
            let relation = super::sql::run(service, session, sql).await?;
            let result = SqlCommandResult { relation: Some(relation) };
            operation.result(ExecuteResult::SqlCommandResult(result)).await
        }
        // Caches of a client that ends; there are none here.
        CommandType::MlCommand(_) | CommandType::RemoveCachedRemoteRelationCommand(_) => Ok(()),
        CommandType::RegisterFunction(function) => Err(SparkError::unsupported(format!(
            "user-defined function {} in Python",
            function.function_name
        ))),
        _ => Err(SparkError::unsupported(format!("command {name}"))),
    }
}
