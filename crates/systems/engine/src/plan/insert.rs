//! `INSERT INTO`: the query's columns against the sink's, then the dataflow.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use crate::catalog::options::Connector;
use crate::catalog::{Catalog, Relation, Table, qualified};
use crate::sql::query::{self, Mode};
use crate::sql::statement::{ColumnKind, CreateView, Insert};
use crate::sql::types::SqlType;
use crate::sql::{Location, SqlError};

use super::binder::{Binder, explain_error};
use super::functions::Functions;
use super::optimize::analyze;
use super::scans::StreamScans;
use super::stream::{StreamPlan, StreamPlanner};

/// Plans an `INSERT` as a stream.
pub(crate) fn plan_insert(
    catalog: &Catalog,
    functions: &Functions,
    insert: &Insert,
) -> Result<StreamPlan, SqlError> {
    query::check(&insert.query, Mode::Streaming)?;
    let sink = sink_of(catalog, insert)?;
    let binder = Binder::new(catalog, functions, &StreamScans);
    let plan = binder.query(&insert.query)?;
    let plan = analyze(plan).map_err(|error| explain_error(&error, insert.query.at))?;
    let plan = into_sink(plan, insert, &sink)?;
    let plan = StreamPlanner::plan(&binder, plan, sink)
        .map_err(|error| explain_error(&error, insert.query.at))?;
    Ok(plan)
}

/// Whether a view's query means something.
pub(crate) fn check_view(
    catalog: &Catalog,
    functions: &Functions,
    view: &CreateView,
) -> Result<(), SqlError> {
    let binder = Binder::new(catalog, functions, &StreamScans);
    let plan = binder.query(&view.query)?;
    let columns = plan.schema().fields().len();
    if !view.columns.is_empty() && view.columns.len() != columns {
        let message = format!(
            "VIEW definition and input fields not match: {} columns are named, the query has \
             {columns}",
            view.columns.len()
        );
        return Err(SqlError::invalid(view.query.at, message));
    }
    Ok(())
}

fn sink_of(catalog: &Catalog, insert: &Insert) -> Result<Arc<Table>, SqlError> {
    let at = insert.table_at;
    match catalog.get(&insert.table) {
        Some(Relation::Table(table)) if table.connector.is_sink() => {
            for column in &table.columns {
                if let ColumnKind::Metadata { is_virtual: false, .. } = &column.kind {
                    let message = format!("writing metadata column '{}'", column.name);
                    return Err(SqlError::unsupported(at, message));
                }
            }
            if let Connector::Kafka(kafka) = &table.connector
                && kafka.format.name() == "avro-confluent"
            {
                return Err(SqlError::unsupported(
                    at,
                    "writing format 'avro-confluent'; use 'json' or 'raw'",
                ));
            }
            Ok(Arc::clone(table))
        }
        Some(Relation::Table(table)) => Err(SqlError::invalid(
            at,
            format!(
                "Connector '{}' can only be used as a source. It cannot be used as a sink.",
                table.connector.name()
            ),
        )),
        Some(Relation::View(_)) => Err(SqlError::invalid(
            at,
            format!("View '{}' cannot be written to", qualified(&insert.table)),
        )),
        None => Err(SqlError::invalid(at, format!("Object '{}' not found", insert.table))),
    }
}

/// The query's columns under the sink's names and types, missing ones as NULL.
fn into_sink(plan: LogicalPlan, insert: &Insert, sink: &Table) -> Result<LogicalPlan, SqlError> {
    let at = insert.table_at;
    let targets: Vec<(&str, &SqlType)> =
        sink.physical().map(|(column, sql_type, _)| (column.name.as_str(), sql_type)).collect();
    let written: Vec<usize> = if insert.columns.is_empty() {
        (0..targets.len()).collect()
    } else {
        insert.columns.iter().map(|name| target(name, &targets, at)).collect::<Result<_, _>>()?
    };
    let schema = Arc::clone(plan.schema());
    let given = schema.columns();
    if given.len() != written.len() {
        return Err(mismatch("Different number of columns.", &plan, sink, &written, at));
    }
    let mut exprs: Vec<Expr> = Vec::with_capacity(targets.len());
    for (index, (name, sql_type)) in targets.iter().enumerate() {
        let wanted = sql_type.arrow();
        let Some(position) = written.iter().position(|written| *written == index) else {
            exprs.push(cast(lit(ScalarValue::Null), wanted).alias(*name));
            continue;
        };
        let found = schema.field(position).data_type();
        if !implicitly_castable(found, sql_type) {
            let cause =
                format!("Incompatible types for sink column '{name}' at position {position}.");
            return Err(mismatch(&cause, &plan, sink, &written, at));
        }
        let column = Expr::Column(given[position].clone());
        let column = if *found == wanted { column } else { cast(column, wanted) };
        exprs.push(column.alias(*name));
    }
    LogicalPlanBuilder::from(plan)
        .project(exprs)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| explain_error(&error, insert.query.at))
}

fn target(name: &str, targets: &[(&str, &SqlType)], at: Location) -> Result<usize, SqlError> {
    targets
        .iter()
        .position(|(target, _)| *target == name)
        .ok_or_else(|| SqlError::invalid(at, format!("Unknown target column '{name}'")))
}

/// Flink's implicit casts: the same kind of type, or a wider number.
fn implicitly_castable(found: &DataType, wanted: &SqlType) -> bool {
    if *found == DataType::Null || *found == wanted.arrow() {
        return true;
    }
    let rank = |sql_type: &SqlType| match sql_type {
        SqlType::TinyInt => Some(1),
        SqlType::SmallInt => Some(2),
        SqlType::Int => Some(3),
        SqlType::BigInt => Some(4),
        SqlType::Decimal(..) => Some(5),
        SqlType::Float => Some(6),
        SqlType::Double => Some(7),
        _ => None,
    };
    let found = SqlType::from_arrow(found);
    if let (Some(found), Some(wanted)) = (rank(&found), rank(wanted)) {
        return found <= wanted;
    }
    match (&found, wanted) {
        (SqlType::String, SqlType::String) | (SqlType::Bytes, SqlType::Bytes) => true,
        (
            SqlType::Timestamp(_) | SqlType::TimestampLtz(_),
            SqlType::Timestamp(_) | SqlType::TimestampLtz(_),
        ) => true,
        (SqlType::Row(found), SqlType::Row(wanted)) => {
            let pairs = found.iter().zip(wanted);
            found.len() == wanted.len()
                && pairs
                    .into_iter()
                    .all(|((_, found), (_, wanted))| implicitly_castable(&found.arrow(), wanted))
        }
        (SqlType::Array(found), SqlType::Array(wanted)) => {
            implicitly_castable(&found.arrow(), wanted)
        }
        _ => false,
    }
}

fn mismatch(
    cause: &str,
    plan: &LogicalPlan,
    sink: &Table,
    written: &[usize],
    at: Location,
) -> SqlError {
    let query: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), SqlType::from_arrow(field.data_type())))
        .collect();
    let columns: Vec<String> = sink
        .physical()
        .map(|(column, sql_type, _)| format!("{}: {sql_type}", column.name))
        .collect();
    let columns: Vec<&str> = written.iter().map(|index| columns[*index].as_str()).collect();
    let mut message = format!(
        "Column types of query result and sink for '{}' do not match.\nCause: {cause}\n\n",
        qualified(&sink.name)
    );
    let _ = write!(
        message,
        "Query schema: [{}]\nSink schema:  [{}]",
        query.join(", "),
        columns.join(", ")
    );
    SqlError::invalid(at, message)
}
