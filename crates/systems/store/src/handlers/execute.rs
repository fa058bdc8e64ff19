//! EXECUTE: run a kept statement. After a change of the schema it is planned again.

use tidemill_cql_wire::request::Execute;

use super::{Context, with_fresh_plans};
use crate::error::CqlError;
use crate::execution::{Execution, positional};

/// Finds and runs it.
pub(crate) fn handle(context: &Context, execute: &Execute) -> Result<(), CqlError> {
    let prepared = context.database.prepared().get(&execute.id)?;
    with_fresh_plans(|| {
        let schema = context.database.catalog().schema();
        let plan = prepared.plan(&schema)?;
        let values = positional(&execute.parameters.values, &plan.markers, true)?;
        let execution = Execution {
            database: &context.database,
            parameters: &execute.parameters,
            keyspace: prepared.keyspace.as_deref().or(context.keyspace.as_deref()),
            known_metadata: execute.result_metadata_id.as_ref(),
            reply: &context.reply,
        };
        execution.run(&plan, &values)
    })
}
