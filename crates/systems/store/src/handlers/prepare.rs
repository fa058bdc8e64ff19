//! PREPARE: keep a statement. Its id is made from keyspace and text, as Cassandra's is.

use std::sync::Arc;

use tidemill_cql_wire::Response;
use tidemill_cql_wire::request::Prepare;
use tidemill_cql_wire::response::{
    Prepared, PreparedMetadata, ResponseBody, ResultMetadata, ResultResponse,
};

use super::Context;
use crate::cql::parse_statement;
use crate::error::CqlError;
use crate::prepared::metadata_id;
use crate::query::plan::PreparedPlan;

/// Plans it, keeps it, describes it.
pub(crate) fn handle(context: &Context, prepare: &Prepare) -> Result<(), CqlError> {
    let keyspace = prepare.keyspace.as_deref().or(context.keyspace.as_deref());
    let parsed = parse_statement(&prepare.query)?;
    let schema = context.database.catalog().schema();
    let plan = Arc::new(PreparedPlan::new(parsed, &schema, keyspace)?);
    let kept =
        context.database.prepared().keep(&prepare.query, keyspace, schema.version, plan.clone())?;
    let columns = plan.columns().cloned().unwrap_or_default();
    let no_metadata = columns.is_empty();
    let prepared = Prepared {
        id: kept.id.clone(),
        result_metadata_id: Some(metadata_id(&columns)),
        metadata: PreparedMetadata {
            columns: plan.markers.clone(),
            partition_key: plan.partition_key.clone(),
        },
        result_metadata: ResultMetadata { no_metadata, ..ResultMetadata::of(columns) },
    };
    let body = ResponseBody::Result(ResultResponse::Prepared(Box::new(prepared)));
    context.reply.send(Response::from(body));
    Ok(())
}
