//! Runs plans: reads at once, writes through the shards, everything else by hand.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::Response;
use tidemill_cql_wire::request::{BatchKind, QueryParameters, Value, Values};
use tidemill_cql_wire::response::{ColumnSpec, ResponseBody, ResultResponse, Rows};

use crate::cql::statements::Statement;
use crate::database::Database;
use crate::error::CqlError;
use crate::prepared::metadata_id;
use crate::query::batch::{self, Conditional};
use crate::query::context::Binding;
use crate::query::modification::{BoundModification, ModificationPlan};
use crate::query::plan::{BatchPlan, Plan, PreparedPlan};
use crate::query::select::{PageRequest, SelectPlan};
use crate::query::{ddl, describe};
use crate::reply::Reply;
use crate::schema::keyspace::SYSTEM_KEYSPACES;
use crate::storage::partition::StoredRows;
use crate::system;

/// Statements in a batch above which the author is warned, and partitions likewise.
const BATCH_PARTITIONS_WARN: usize = 10;

/// What a statement runs for.
pub(crate) struct Execution<'a> {
    /// What it runs on.
    pub(crate) database: &'a Arc<Database>,
    /// Consistency, paging, time.
    pub(crate) parameters: &'a QueryParameters,
    /// The keyspace of names without one.
    pub(crate) keyspace: Option<&'a str>,
    /// The metadata id the client knows (v5 EXECUTE).
    pub(crate) known_metadata: Option<&'a Bytes>,
    /// Where the answer goes.
    pub(crate) reply: &'a Reply,
}

impl Execution<'_> {
    /// Runs a plan. The answer goes to the reply, now or once it is durable; an error is returned
    /// and nothing is sent.
    pub(crate) fn run(&self, plan: &PreparedPlan, values: &[Value]) -> Result<(), CqlError> {
        match &plan.plan {
            Plan::Select(plan) => self.select(plan, values),
            Plan::Modification(plan) => self.modify(plan, values),
            Plan::Batch(plan) => self.batch(plan, values),
            Plan::Other(statement) => self.other(statement),
        }
    }

    fn binding<'v>(&'v self, values: &'v [Value]) -> Binding<'v> {
        let environment = self.database.environment();
        let now = match self.parameters.now_in_seconds {
            Some(now) => i64::from(now),
            None => environment.now_seconds(),
        };
        Binding { values, environment, now }
    }

    fn timestamp(&self) -> i64 {
        self.parameters.timestamp.unwrap_or_else(|| self.database.environment().timestamp())
    }

    fn respond(&self, result: ResultResponse, warnings: Vec<String>) {
        let body = ResponseBody::Result(result);
        self.reply.send(Response { warnings, ..Response::from(body) });
    }

    fn select(&self, plan: &SelectPlan, values: &[Value]) -> Result<(), CqlError> {
        let page = PageRequest {
            page_size: self.parameters.page_size,
            paging_state: self.parameters.paging_state.clone(),
        };
        let table = &plan.table;
        let binding = self.binding(values);
        let mut rows = if SYSTEM_KEYSPACES.contains(&table.keyspace.as_str()) {
            let schema = self.database.catalog().schema();
            let source = system::rows(self.database, &schema, table)?;
            plan.run(&source, binding, &page)?
        } else {
            let source = StoredRows { engine: self.database.engine(), space: table.space };
            plan.run(&source, binding, &page)?
        };
        self.finish_metadata(&mut rows);
        self.respond(ResultResponse::Rows(rows), plan.warnings());
        Ok(())
    }

    /// Leaves out metadata that the client has; sends those that have changed with their new id.
    fn finish_metadata(&self, rows: &mut Rows) {
        let metadata = &mut rows.metadata;
        if let Some(known) = self.known_metadata {
            let id = metadata_id(&metadata.columns);
            if *known != id {
                metadata.new_metadata_id = Some(id);
                return;
            }
        }
        metadata.no_metadata = self.parameters.skip_metadata;
    }

    fn modify(&self, plan: &ModificationPlan, values: &[Value]) -> Result<(), CqlError> {
        let conditional = (!plan.conditions.is_none()).then(|| Conditional {
            columns: match plan.conditions.columns() {
                columns if columns.is_empty() => None,
                columns => Some(columns),
            },
            is_batch: false,
        });
        // A conditional update's time is the server's: the client's may lie in the past.
        let timestamp = match conditional {
            Some(_) => self.database.environment().timestamp(),
            None => self.timestamp(),
        };
        let change = plan.bind(&self.binding(values), timestamp)?;
        self.write(vec![change], conditional, Vec::new())
    }

    fn batch(&self, plan: &BatchPlan, values: &[Value]) -> Result<(), CqlError> {
        let binding = self.binding(values);
        let timestamp = match &plan.timestamp {
            Some(term) => match term.bytes(&binding)? {
                Some(bytes) => bytes[..].try_into().map(i64::from_be_bytes).unwrap_or(0),
                None => return Err(CqlError::invalid("Invalid null value of timestamp")),
            },
            None => self.batch_timestamp(&plan.plans.iter().collect::<Vec<_>>()),
        };
        let changes: Vec<BoundModification> = plan
            .plans
            .iter()
            .map(|plan| plan.bind(&binding, timestamp))
            .collect::<Result<_, _>>()?;
        self.write_batch(plan.kind, &plan.plans.iter().collect::<Vec<_>>(), changes)
    }

    fn batch_timestamp(&self, plans: &[&ModificationPlan]) -> i64 {
        if plans.iter().any(|plan| !plan.conditions.is_none()) {
            self.database.environment().timestamp()
        } else {
            self.timestamp()
        }
    }

    /// Runs the statements of a BATCH message, each with its own values.
    pub(crate) fn batch_message(
        &self,
        kind: BatchKind,
        statements: &[(Arc<PreparedPlan>, Vec<Value>)],
    ) -> Result<(), CqlError> {
        let mut plans = Vec::with_capacity(statements.len());
        for (prepared, _) in statements {
            let Plan::Modification(plan) = &prepared.plan else {
                return Err(CqlError::invalid(
                    "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are \
                     allowed.",
                ));
            };
            plans.push(&**plan);
        }
        batch::check(kind, &plans, false)?;
        let timestamp = self.batch_timestamp(&plans);
        let mut changes = Vec::with_capacity(plans.len());
        for (plan, (_, values)) in plans.iter().zip(statements) {
            changes.push(plan.bind(&self.binding(values), timestamp)?);
        }
        self.write_batch(kind, &plans, changes)
    }

    fn write_batch(
        &self,
        kind: BatchKind,
        plans: &[&ModificationPlan],
        changes: Vec<BoundModification>,
    ) -> Result<(), CqlError> {
        if changes.is_empty() {
            self.respond(ResultResponse::Void, Vec::new());
            return Ok(());
        }
        let is_conditional = plans.iter().any(|plan| !plan.conditions.is_none());
        let conditional = is_conditional.then(|| {
            let mut all: Vec<usize> =
                plans.iter().flat_map(|plan| plan.conditions.columns()).collect();
            all.dedup();
            let columns = (!all.is_empty()).then_some(all);
            Conditional { columns, is_batch: true }
        });
        let mut partitions: Vec<_> = changes
            .iter()
            .flat_map(|change| change.keys.iter().map(|(_, prefix)| prefix))
            .collect();
        partitions.sort();
        partitions.dedup();
        let mut warnings = Vec::new();
        if kind == BatchKind::Unlogged && partitions.len() > BATCH_PARTITIONS_WARN {
            warnings.push(format!(
                "Unlogged batch covering {} partitions detected against table [{}.{}]. You should \
                 use a logged batch for atomicity, or asynchronous writes for performance.",
                partitions.len(),
                changes[0].table.keyspace,
                changes[0].table.name
            ));
        }
        self.write(changes, conditional, warnings)
    }

    fn write(
        &self,
        changes: Vec<BoundModification>,
        conditional: Option<Conditional>,
        warnings: Vec<String>,
    ) -> Result<(), CqlError> {
        if conditional.is_some() {
            batch::check_one_partition(&changes)?;
        }
        let now = self.binding(&[]).now;
        let (database, reply) = (self.database, self.reply.clone());
        let tokens = batch::tokens(&changes);
        let change = |view: &mut crate::storage::writer::WriteView<'_>| {
            batch::apply(view, &changes, conditional.as_ref(), database.environment(), now)
        };
        let done = move |outcome: Result<Option<Rows>, _>| match outcome {
            Ok(rows) => {
                let result = rows.map_or(ResultResponse::Void, ResultResponse::Rows);
                let body = ResponseBody::Result(result);
                reply.send(Response { warnings, ..Response::from(body) });
            }
            Err(poisoned) => reply.fail(CqlError::from(poisoned)),
        };
        database.writer().write(&tokens, change, done)
    }

    fn other(&self, statement: &Statement) -> Result<(), CqlError> {
        if let Some(outcome) = ddl::execute(self.database, statement, self.keyspace) {
            let outcome = outcome?;
            let result = match outcome.change {
                Some(change) => ResultResponse::SchemaChange(change),
                None => ResultResponse::Void,
            };
            self.respond(result, outcome.warnings);
            return Ok(());
        }
        match statement {
            Statement::Use(statement) => {
                let name = &statement.keyspace;
                if self.database.catalog().schema().keyspace(name).is_none() {
                    return Err(CqlError::invalid(format!("Keyspace '{name}' does not exist")));
                }
                self.reply.set_keyspace(name);
                self.respond(ResultResponse::SetKeyspace(name.clone()), Vec::new());
                Ok(())
            }
            Statement::Describe(statement) => {
                let schema = self.database.catalog().schema();
                let name = self.database.cluster_name();
                let rows = describe::describe(statement, &schema, self.keyspace, name)?;
                self.respond(ResultResponse::Rows(rows), Vec::new());
                Ok(())
            }
            Statement::Unsupported(statement) => Err(unsupported(&statement.what)),
            other => unreachable!("every other statement has a plan of its own: {other:?}"),
        }
    }
}

/// What Cassandra says where it is told not to offer something.
fn unsupported(what: &str) -> CqlError {
    match what {
        "CREATE INDEX" | "CREATE CUSTOM INDEX" => {
            CqlError::invalid("User creation of secondary indexes is not allowed")
        }
        "CREATE MATERIALIZED VIEW" => {
            CqlError::invalid("Materialized views are disabled. Enable in cassandra.yaml to use.")
        }
        "CREATE FUNCTION" | "CREATE OR REPLACE" | "CREATE AGGREGATE" => CqlError::invalid(
            "User-defined functions are disabled in cassandra.yaml - set \
             user_defined_functions_enabled=true to enable",
        ),
        _ if ["ROLE", "USER", "PERMISSIONS", "GRANT", "REVOKE", "IDENTITY", "ALL"]
            .iter()
            .any(|word| what.contains(word)) =>
        {
            CqlError::unauthorized(
                "You have to be logged in and not anonymous to perform this request",
            )
        }
        _ => CqlError::invalid(format!("{what} is not supported by this server")),
    }
}

/// The values of a statement's markers, in their order.
pub(crate) fn positional(
    values: &Values,
    markers: &[ColumnSpec],
    is_prepared: bool,
) -> Result<Vec<Value>, CqlError> {
    match values {
        Values::Positional(values) if values.len() == markers.len() => Ok(values.clone()),
        Values::Positional(values) if is_prepared => Err(CqlError::invalid(format!(
            "there were {} markers(?) in CQL but {} bound variables",
            markers.len(),
            values.len()
        ))),
        // One name may stand for several markers.
        Values::Named(named) => {
            let value = |marker: &ColumnSpec| {
                let found = named.iter().find(|(name, _)| *name == marker.name);
                found.map(|(_, value)| value.clone()).ok_or_else(amount)
            };
            markers.iter().map(value).collect()
        }
        Values::Positional(_) => Err(amount()),
    }
}

fn amount() -> CqlError {
    CqlError::invalid("Invalid amount of bind variables")
}
