//! BATCH: several modifications as one.

use std::sync::Arc;

use tidemill_cql_wire::request::{Batch, Statement};

use super::{Context, with_fresh_plans};
use crate::cql::parse_statement;
use crate::error::CqlError;
use crate::execution::{Execution, positional};
use crate::query::plan::PreparedPlan;

/// Plans or finds each, and runs them together.
pub(crate) fn handle(context: &Context, batch: &Batch) -> Result<(), CqlError> {
    let keyspace = batch.parameters.keyspace.as_deref().or(context.keyspace.as_deref());
    with_fresh_plans(|| {
        let schema = context.database.catalog().schema();
        let mut statements = Vec::with_capacity(batch.statements.len());
        for statement in &batch.statements {
            let (plan, is_prepared) = match &statement.statement {
                Statement::Query(query) => {
                    let parsed = parse_statement(query)?;
                    (Arc::new(PreparedPlan::new(parsed, &schema, keyspace)?), false)
                }
                Statement::Prepared(id) => {
                    (context.database.prepared().get(id)?.plan(&schema)?, true)
                }
            };
            let values = positional(&statement.values, &plan.markers, is_prepared)?;
            statements.push((plan, values));
        }
        let execution = Execution {
            database: &context.database,
            parameters: &batch.parameters,
            keyspace,
            known_metadata: None,
            reply: &context.reply,
        };
        execution.batch_message(batch.kind, &statements)
    })
}
