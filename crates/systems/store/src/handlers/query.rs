//! QUERY: a statement as text.

use tidemill_cql_wire::request::Query;

use super::{Context, with_fresh_plans};
use crate::cql::parse_statement;
use crate::error::CqlError;
use crate::execution::{Execution, positional};
use crate::query::plan::PreparedPlan;

/// Plans and runs it.
pub(crate) fn handle(context: &Context, query: &Query) -> Result<(), CqlError> {
    let keyspace = query.parameters.keyspace.as_deref().or(context.keyspace.as_deref());
    with_fresh_plans(|| {
        let parsed = parse_statement(&query.query)?;
        let schema = context.database.catalog().schema();
        let plan = PreparedPlan::new(parsed, &schema, keyspace)?;
        let values = positional(&query.parameters.values, &plan.markers, false)?;
        let execution = Execution {
            database: &context.database,
            parameters: &query.parameters,
            keyspace,
            known_metadata: None,
            reply: &context.reply,
        };
        execution.run(&plan, &values)
    })
}
