//! `GET …/result/{token}`: rows, page by page, in the JSON of Flink's gateway.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::catalog::options::JsonOptions;
use crate::formats::write_value;
use crate::session::Outcome;
use crate::sql::types::SqlType;

use super::Gateway;
use super::answer::Refusal;

/// Rows of one page at most.
const PAGE_ROWS_MAX: usize = 1000;

/// Rows of a finished statement.
pub(super) struct Results {
    columns: Value,
    rows: Vec<RecordBatch>,
    count: usize,
    is_query: bool,
    job: Option<String>,
    kind: &'static str,
}

impl Results {
    pub(super) fn new(outcome: Outcome) -> Results {
        match outcome {
            Outcome::Ok => Results::text("result", &["OK".to_owned()], None, "SUCCESS"),
            Outcome::Jobs(jobs) => {
                let ids: Vec<String> = jobs.iter().map(|job| job.identity.id.clone()).collect();
                Results::text("job id", &ids, ids.first().cloned(), "SUCCESS_WITH_CONTENT")
            }
            Outcome::Rows { rows, schema, is_query } => Results {
                columns: columns(&schema),
                count: rows.iter().map(RecordBatch::num_rows).sum(),
                rows,
                is_query,
                job: None,
                kind: "SUCCESS_WITH_CONTENT",
            },
        }
    }

    /// One column of text.
    fn text(name: &str, values: &[String], job: Option<String>, kind: &'static str) -> Results {
        use arrow::array::{ArrayRef, StringArray};
        let values = Arc::new(StringArray::from_iter_values(values)) as ArrayRef;
        let rows: Vec<RecordBatch> =
            RecordBatch::try_from_iter([(name, values)]).into_iter().collect();
        let columns = rows.first().map_or(Value::Null, |batch| columns(batch.schema_ref()));
        let count = rows.iter().map(RecordBatch::num_rows).sum();
        Results { columns, rows, count, is_query: false, job, kind }
    }

    fn pages(&self) -> usize {
        self.count.div_ceil(PAGE_ROWS_MAX).max(1)
    }

    fn page(&self, number: usize) -> Vec<Value> {
        let (mut skip, mut data) = (number * PAGE_ROWS_MAX, Vec::new());
        for batch in &self.rows {
            if skip >= batch.num_rows() {
                skip -= batch.num_rows();
                continue;
            }
            for row in skip..batch.num_rows() {
                if data.len() == PAGE_ROWS_MAX {
                    return data;
                }
                let fields: Vec<Value> =
                    batch.columns().iter().map(|column| cell(column, row)).collect();
                data.push(json!({ "kind": "INSERT", "fields": fields }));
            }
            skip = 0;
        }
        data
    }
}

fn columns(schema: &SchemaRef) -> Value {
    let columns = schema.fields().iter().map(|field| {
        let sql_type = SqlType::from_arrow(field.data_type());
        json!({ "name": field.name(), "logicalType": sql_type.logical_type_json(true),
                "comment": null })
    });
    columns.collect()
}

/// A value as JSON. Timestamps have the `T` of ISO 8601, as in Flink's row format.
fn cell(column: &dyn Array, row: usize) -> Value {
    let options = JsonOptions { iso_timestamps: true, ..JsonOptions::default() };
    let mut text = Vec::new();
    write_value(column, row, &options, &mut text);
    serde_json::from_slice(&text).unwrap_or(Value::Null)
}

/// The page with this number; the one after the last says that it was the last.
pub(super) async fn fetch(
    State(gateway): State<Arc<Gateway>>,
    Path((session, operation, token)): Path<(String, String, usize)>,
) -> Result<Json<Value>, Refusal> {
    let open = gateway.sessions.get(&session)?;
    let uri = |token: usize| {
        format!("/v1/sessions/{session}/operations/{operation}/result/{token}?rowFormat=JSON")
    };
    let Some(results) = open.operation(&operation)?.results()? else {
        return Ok(Json(json!({ "resultType": "NOT_READY", "nextResultUri": uri(token) })));
    };
    let is_end = token >= results.pages();
    let data = if is_end { Vec::new() } else { results.page(token) };
    let mut answer = json!({
        "resultType": if is_end { "EOS" } else { "PAYLOAD" },
        "isQueryResult": results.is_query,
        "resultKind": results.kind,
        "results": { "columns": results.columns, "rowFormat": "JSON", "data": data },
    });
    if let Some(job) = &results.job {
        answer["jobID"] = json!(job);
    }
    if !is_end {
        answer["nextResultUri"] = json!(uri(token + 1));
    }
    Ok(Json(answer))
}
