//! `spark.sql`: a query is handed back to be read later, a command is carried out at once.

use std::sync::Arc;

use arrow::array::RecordBatch;
use tidemill_spark_connect::{LocalRelation, RelType, Relation, Sql, SqlCommand};

use crate::spark::catalog;
use crate::spark::error::{Result, SparkError};
use crate::spark::execute::query::ipc;
use crate::spark::resolve::Resolver;
use crate::spark::service::Service;
use crate::spark::sessions::Session;
use crate::spark::sql::{Asked, refuse_arguments, statement};

/// The relation that stands for the statement's result.
pub(super) async fn run(
    service: &Arc<Service>,
    session: &Arc<Session>,
    command: SqlCommand,
) -> Result<Relation> {
    let input = command.input.unwrap_or_else(|| of_text(&command.sql));
    let text = text_of(&input).unwrap_or(&command.sql).to_owned();
    refuse_arguments(&command.args, &command.pos_args)?;
    let resolver = Resolver::new(&service.core, session);
    match statement(&text)? {
        Asked::Query(_) => {
            // Errors are told here, not when the rows are read.
            resolver.frame(&input).await?;
            Ok(input)
        }
        Asked::CreateView { name, query, replace } => {
            let relation = of_text(&query);
            resolver.frame(&relation).await?;
            session.create_view(&name, relation, replace)?;
            Ok(nothing())
        }
        Asked::DropView { name, if_exists } => {
            let gone = session.views.lock().remove(&name.to_lowercase());
            match gone.is_some() || if_exists {
                true => Ok(nothing()),
                false => Err(SparkError::table_not_found(&name)),
            }
        }
        Asked::ShowTables => local(&catalog::shown_tables(session)?),
        Asked::Set { key, value } => {
            session.conf.lock().set(&key, &value)?;
            Ok(nothing())
        }
    }
}

/// The text of a query, which may bring frames with it.
fn text_of(relation: &Relation) -> Option<&str> {
    match &relation.rel_type {
        Some(RelType::Sql(sql)) => Some(&sql.query),
        Some(RelType::WithRelations(with)) => match &with.root.as_ref()?.rel_type {
            Some(RelType::Sql(sql)) => Some(&sql.query),
            _ => None,
        },
        _ => None,
    }
}

fn of_text(query: &str) -> Relation {
    let sql = Sql { query: query.to_owned(), ..Sql::default() };
    Relation { common: None, rel_type: Some(RelType::Sql(sql)) }
}

fn nothing() -> Relation {
    let empty = LocalRelation { data: None, schema: Some("struct<>".to_owned()) };
    Relation { common: None, rel_type: Some(RelType::LocalRelation(empty)) }
}

fn local(batch: &RecordBatch) -> Result<Relation> {
    let rows = LocalRelation { data: Some(ipc(batch)?.into()), schema: None };
    Ok(Relation { common: None, rel_type: Some(RelType::LocalRelation(rows)) })
}
