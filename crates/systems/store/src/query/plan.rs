//! A statement that is understood, ready to be run many times.

use std::sync::Arc;

use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::BatchKind;
use tidemill_cql_wire::response::ColumnSpec;

use super::batch;
use super::context::Preparing;
use super::literal::Receiver;
use super::modification::ModificationPlan;
use super::select::SelectPlan;
use super::term::TypedTerm;
use crate::cql::Parsed;
use crate::cql::names::QualifiedName;
use crate::cql::statements::Statement;
use crate::error::CqlError;
use crate::schema::table::Table;
use crate::schema::{Schema, keyspace_of};

/// What a statement does.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// SELECT.
    Select(Box<SelectPlan>),
    /// INSERT, UPDATE, DELETE.
    Modification(Box<ModificationPlan>),
    /// BEGIN BATCH.
    Batch(Box<BatchPlan>),
    /// Everything else: run as it is written.
    Other(Box<Statement>),
}

/// A batch written in CQL.
#[derive(Debug, Clone)]
pub(crate) struct BatchPlan {
    /// How it is applied.
    pub(crate) kind: BatchKind,
    /// Its modifications.
    pub(crate) plans: Vec<ModificationPlan>,
    /// USING TIMESTAMP of the whole.
    pub(crate) timestamp: Option<TypedTerm>,
}

/// A plan and what clients are told about it.
#[derive(Debug, Clone)]
pub(crate) struct PreparedPlan {
    /// The plan.
    pub(crate) plan: Plan,
    /// The markers, in order.
    pub(crate) markers: Vec<ColumnSpec>,
    /// The markers that make up the partition key.
    pub(crate) partition_key: Vec<u16>,
}

impl PreparedPlan {
    /// Understands a statement. `keyspace` is that of names without one.
    pub(crate) fn new(
        parsed: Parsed,
        schema: &Schema,
        keyspace: Option<&str>,
    ) -> Result<PreparedPlan, CqlError> {
        let Parsed { statement, markers: names } = parsed;
        match statement {
            Statement::Select(select) => {
                let (table, mut preparing) = start(&select.table, schema, keyspace, names)?;
                let plan = SelectPlan::prepare(&select, table, &mut preparing)?;
                let partition_key = plan.restrictions.key_markers();
                let markers = preparing.finish();
                Ok(PreparedPlan { plan: Plan::Select(Box::new(plan)), markers, partition_key })
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => {
                let (table, mut preparing) = start(table_of(&statement), schema, keyspace, names)?;
                let plan = modification(&statement, table, &mut preparing)?;
                let partition_key = plan.restrictions.key_markers();
                let markers = preparing.finish();
                let plan = Plan::Modification(Box::new(plan));
                Ok(PreparedPlan { plan, markers, partition_key })
            }
            Statement::Batch(batch) => {
                let mut plans = Vec::with_capacity(batch.statements.len());
                let mut specs: Vec<Option<ColumnSpec>> = vec![None; names.len()];
                let mut timestamp = None;
                for statement in &batch.statements {
                    let (table, mut preparing) =
                        start(table_of(statement), schema, keyspace, names.clone())?;
                    preparing.restore(specs);
                    if timestamp.is_none()
                        && let Some(term) = &batch.using.timestamp
                    {
                        let receiver = Receiver::new("[timestamp]", CqlType::Bigint);
                        timestamp = Some(TypedTerm::prepare(term, &receiver, &mut preparing)?);
                    }
                    plans.push(modification(statement, table, &mut preparing)?);
                    specs = preparing.save();
                }
                if batch.using.ttl.is_some() {
                    return Err(CqlError::invalid(
                        "Global TTL on the BATCH statement is not supported.",
                    ));
                }
                batch::check(batch.kind, &plans.iter().collect::<Vec<_>>(), timestamp.is_some())?;
                let plan = BatchPlan { kind: batch.kind, plans, timestamp };
                let markers = specs.into_iter().flatten().collect();
                let plan = Plan::Batch(Box::new(plan));
                Ok(PreparedPlan { plan, markers, partition_key: Vec::new() })
            }
            other => Ok(PreparedPlan {
                plan: Plan::Other(Box::new(other)),
                markers: Vec::new(),
                partition_key: Vec::new(),
            }),
        }
    }

    /// The columns of its result, if they are known before it runs.
    pub(crate) fn columns(&self) -> Option<&Arc<Vec<ColumnSpec>>> {
        match &self.plan {
            Plan::Select(plan) => Some(&plan.selection.columns),
            Plan::Modification(_) | Plan::Batch(_) | Plan::Other(_) => None,
        }
    }
}

fn start(
    name: &QualifiedName,
    schema: &Schema,
    keyspace: Option<&str>,
    markers: Vec<Option<String>>,
) -> Result<(Arc<Table>, Preparing), CqlError> {
    let table = schema.resolve(name, keyspace)?.clone();
    let keyspace = keyspace_of(name, keyspace)?;
    let Some(keyspace) = schema.keyspace(keyspace).cloned() else {
        return Err(CqlError::invalid(format!("keyspace {keyspace} does not exist")));
    };
    let preparing = Preparing::new(keyspace, &table.name, markers);
    Ok((table, preparing))
}

fn table_of(statement: &Statement) -> &QualifiedName {
    match statement {
        Statement::Insert(insert) => &insert.table,
        Statement::Update(update) => &update.table,
        Statement::Delete(delete) => &delete.table,
        other => unreachable!("only modifications come here, not {other:?}"),
    }
}

fn modification(
    statement: &Statement,
    table: Arc<Table>,
    preparing: &mut Preparing,
) -> Result<ModificationPlan, CqlError> {
    match statement {
        Statement::Insert(insert) => ModificationPlan::insert(insert, table, preparing),
        Statement::Update(update) => ModificationPlan::update(update, table, preparing),
        Statement::Delete(delete) => ModificationPlan::delete(delete, table, preparing),
        other => unreachable!("only modifications come here, not {other:?}"),
    }
}
