//! Statements one after the other: a catalog, settings, and what each statement does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::batch;
use crate::catalog::options::duration;
use crate::catalog::{Catalog, Relation, qualified};
use crate::config::Config;
use crate::ends::Ends;
use crate::jobs::{JobSpec, Jobs};
use crate::plan::functions::Functions;
use crate::plan::insert::{check_view, plan_insert};
use crate::runtime::job::JobSettings;
use crate::runtime::status::JobStatus;
use crate::sql::query::{self, Mode};
use crate::sql::statement::{ColumnKind, Insert, Located, Statement};
use crate::sql::types::SqlType;
use crate::sql::{Location, SqlError, SqlErrorKind};

const CHECKPOINT_INTERVAL: &str = "execution.checkpointing.interval";
const IDLE_TIMEOUT: &str = "table.exec.source.idle-timeout";
const JOB_NAME: &str = "pipeline.name";
const ON_MISMATCH: &str = "tidemill.state.on-mismatch";
const RUNTIME_MODE: &str = "execution.runtime-mode";
const TIME_ZONE: &str = "table.local-time-zone";

/// What sessions share.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) functions: Functions,
    pub(crate) ends: Arc<dyn Ends>,
    pub(crate) jobs: Jobs,
}

/// What a statement gave.
pub(crate) enum Outcome {
    /// It is done.
    Ok,
    /// Rows for the caller, and whether they are a query's.
    Rows { rows: Vec<RecordBatch>, schema: Arc<Schema>, is_query: bool },
    /// Jobs were started.
    Jobs(Vec<JobStatus>),
}

/// A catalog and settings.
#[derive(Clone, Default)]
pub(crate) struct Session {
    pub(crate) catalog: Catalog,
    settings: BTreeMap<String, String>,
    /// Where its statements come from, if from a file.
    pub(crate) file: Option<String>,
}

impl Session {
    pub(crate) fn new(catalog: Catalog) -> Session {
        Session { catalog, ..Session::default() }
    }

    /// Executes one statement.
    pub(crate) async fn execute(
        &mut self,
        located: &Located,
        core: &Core,
    ) -> Result<Outcome, SqlError> {
        let at = located.at;
        match &located.statement {
            Statement::Select(query) => {
                let result = batch::select(core, &self.catalog, query).await?;
                Ok(Outcome::Rows { schema: result.schema, rows: result.batches, is_query: true })
            }
            Statement::Insert(insert) => {
                let spec = self.job(insert, core, None)?;
                Ok(Outcome::Jobs(vec![core.jobs.submit(spec)]))
            }
            Statement::StatementSet(inserts) => {
                // All are planned before one starts.
                let specs = inserts
                    .iter()
                    .enumerate()
                    .map(|(index, insert)| self.job(insert, core, Some(index)))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Outcome::Jobs(specs.into_iter().map(|spec| core.jobs.submit(spec)).collect()))
            }
            Statement::Explain(statement) => self.explain(statement, core, at),
            Statement::StopJob(id) => match core.jobs.cancel(id) {
                Some(_) => Ok(Outcome::Ok),
                None => Err(SqlError::invalid(at, format!("Could not find job '{id}'"))),
            },
            Statement::ShowJobs => Ok(show_jobs(core)),
            other => self.catalog_statement(other, core, at),
        }
    }

    /// Statements that look at or change the catalog and the settings only.
    fn catalog_statement(
        &mut self,
        statement: &Statement,
        core: &Core,
        at: Location,
    ) -> Result<Outcome, SqlError> {
        match statement {
            Statement::CreateTable(create) => self.catalog.create_table(create, at)?,
            Statement::CreateView(create) => {
                check_view(&self.catalog, &core.functions, create)?;
                self.catalog.create_view(create, at)?;
            }
            Statement::Drop(drop) => self.catalog.drop_relation(drop, at)?,
            Statement::Set(Some((key, value))) => {
                check_setting(key, value, at)?;
                self.settings.insert(key.clone(), value.clone());
            }
            Statement::Set(None) => {
                let pairs =
                    self.settings.iter().map(|(key, value)| vec![key.clone(), value.clone()]);
                return Ok(table(&["key", "value"], pairs.collect()));
            }
            Statement::Reset(Some(key)) => {
                self.settings.remove(key);
            }
            Statement::Reset(None) => self.settings.clear(),
            Statement::ShowTables => {
                let names = self.catalog.relations().map(|(name, _)| vec![name.to_owned()]);
                return Ok(table(&["table name"], names.collect()));
            }
            Statement::ShowViews => {
                let views = self.catalog.relations();
                let views = views.filter(|(_, relation)| matches!(relation, Relation::View(_)));
                let names = views.map(|(name, _)| vec![name.to_owned()]);
                return Ok(table(&["view name"], names.collect()));
            }
            Statement::ShowCreateTable(name) => return self.show_create(name, at),
            Statement::Describe(name) => return self.describe(name, core, at),
            _ => return Err(SqlError::unsupported(at, "this statement here")),
        }
        Ok(Outcome::Ok)
    }

    fn job(&self, insert: &Insert, core: &Core, index: Option<usize>) -> Result<JobSpec, SqlError> {
        let plan = plan_insert(&self.catalog, &core.functions, insert)?;
        let name = match (self.settings.get(JOB_NAME), index) {
            (Some(name), None | Some(0)) => name.clone(),
            (Some(name), Some(index)) => format!("{name}-{}", index + 1),
            // Flink's name for it.
            (None, _) => format!("insert-into_{}", qualified(&insert.table)),
        };
        Ok(JobSpec {
            name,
            file: self.file.clone(),
            statement: insert.text.clone(),
            plan,
            settings: self.job_settings(&core.config, insert.at)?,
            place: None,
            sink: None,
        })
    }

    fn job_settings(&self, config: &Config, at: Location) -> Result<JobSettings, SqlError> {
        let span = |key: &str, default: Duration| match self.settings.get(key) {
            Some(value) => duration(key, value, at),
            None => Ok(default),
        };
        let idle = span(IDLE_TIMEOUT, config.source_idle_timeout.0)?;
        Ok(JobSettings {
            checkpoint_interval: span(CHECKPOINT_INTERVAL, config.checkpoint_interval.0)?
                .max(Duration::from_millis(1)),
            idle_timeout: (!idle.is_zero()).then_some(idle),
            discard_state: self.settings.get(ON_MISMATCH).is_some_and(|value| value == "discard"),
            groups_max: config.window_groups_max,
            end_is_pause: false,
        })
    }

    fn explain(
        &self,
        statement: &Statement,
        core: &Core,
        at: Location,
    ) -> Result<Outcome, SqlError> {
        let text = match statement {
            Statement::Insert(insert) => {
                plan_insert(&self.catalog, &core.functions, insert)?.explain()
            }
            Statement::StatementSet(inserts) => inserts
                .iter()
                .map(|insert| Ok(plan_insert(&self.catalog, &core.functions, insert)?.explain()))
                .collect::<Result<Vec<_>, SqlError>>()?
                .join("\n"),
            Statement::Select(query) => {
                query::check(query, Mode::Batch)?;
                batch::explain(core, &self.catalog, query)?
            }
            _ => return Err(SqlError::unsupported(at, "EXPLAIN of this statement")),
        };
        Ok(table(&["result"], vec![vec![text]]))
    }

    fn show_create(&self, name: &str, at: Location) -> Result<Outcome, SqlError> {
        match self.catalog.get(name) {
            Some(Relation::Table(found)) => Ok(table(&["result"], vec![vec![found.text.clone()]])),
            Some(Relation::View(_)) => Err(SqlError::invalid(
                at,
                format!("SHOW CREATE TABLE is only supported for tables, but {name} is a view."),
            )),
            None => Err(SqlError::invalid(at, format!("Object '{name}' not found"))),
        }
    }

    fn describe(&self, name: &str, core: &Core, at: Location) -> Result<Outcome, SqlError> {
        let columns = ["name", "type", "null", "key", "extras", "watermark"];
        let rows = match self.catalog.get(name) {
            Some(Relation::Table(found)) => {
                found.columns.iter().map(|column| describe_column(found, column)).collect()
            }
            Some(Relation::View(_)) => {
                let schema = batch::schema_of(core, &self.catalog, name, at)?;
                schema
                    .fields()
                    .iter()
                    .map(|field| {
                        let sql_type = SqlType::from_arrow(field.data_type()).to_string();
                        [field.name().clone(), sql_type, "TRUE".into()]
                            .into_iter()
                            .chain([String::new(), String::new(), String::new()])
                            .collect()
                    })
                    .collect()
            }
            None => {
                let message = format!(
                    "Tables or views with the identifier '{}' doesn't exist.",
                    qualified(name)
                );
                return Err(SqlError::invalid(at, message));
            }
        };
        Ok(table(&columns, rows))
    }

    /// Executes the statements of a project's file. Nobody would see the rows of a query here.
    pub(crate) async fn execute_file(&mut self, text: &str, core: &Core) -> Result<(), SqlError> {
        self.settings.clear();
        for located in crate::sql::parse(text)? {
            match located.statement {
                Statement::CreateTable(_)
                | Statement::CreateView(_)
                | Statement::Drop(_)
                | Statement::Set(Some(_))
                | Statement::Reset(_)
                | Statement::Insert(_)
                | Statement::StatementSet(_) => {
                    self.execute(&located, core).await?;
                }
                _ => {
                    return Err(SqlError {
                        kind: SqlErrorKind::Unsupported,
                        at: located.at,
                        message: "a pipeline's file holds CREATE, DROP, SET, RESET and INSERT only"
                            .to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn describe_column(
    found: &crate::catalog::Table,
    column: &crate::sql::statement::Column,
) -> Vec<String> {
    let (sql_type, not_null, extras) = match &column.kind {
        ColumnKind::Physical { sql_type, not_null } => {
            (sql_type.to_string(), *not_null, String::new())
        }
        ColumnKind::Metadata { sql_type, key, is_virtual } => {
            let suffix = if *is_virtual { " VIRTUAL" } else { "" };
            (sql_type.to_string(), false, format!("METADATA FROM '{key}'{suffix}"))
        }
        ColumnKind::Computed { text, .. } => (String::new(), false, format!("AS {text}")),
    };
    let is_key = found.primary_key.contains(&column.name);
    let key = if is_key { format!("PRI({})", found.primary_key.join(", ")) } else { String::new() };
    let watermark = found
        .watermark
        .as_ref()
        .filter(|watermark| watermark.column == column.name)
        .map(|watermark| watermark.text.clone())
        .unwrap_or_default();
    let nullable = if not_null || is_key { "FALSE" } else { "TRUE" };
    vec![column.name.clone(), sql_type, nullable.to_owned(), key, extras, watermark]
}

fn show_jobs(core: &Core) -> Outcome {
    let rows = core.jobs.list().into_iter().map(|job| {
        let started = job.with(|progress| progress.started_at_ms);
        let started = crate::time::show_timestamp(&crate::time::Civil::from_millis(started), 'T');
        let identity = &job.identity;
        vec![identity.id.clone(), identity.name.clone(), job.state().name().to_owned(), started]
    });
    table(&["job id", "job name", "status", "start time"], rows.collect())
}

/// Text columns.
fn table(names: &[&str], rows: Vec<Vec<String>>) -> Outcome {
    let fields: Vec<Field> =
        names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = (0..names.len()).map(|column| {
        let values = rows.iter().map(|row| row.get(column).map(String::as_str));
        Arc::new(values.collect::<StringArray>()) as ArrayRef
    });
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.collect());
    Outcome::Rows { rows: batch.into_iter().collect(), schema, is_query: false }
}

/// Settings are few, and one that has no effect here is refused.
fn check_setting(key: &str, value: &str, at: Location) -> Result<(), SqlError> {
    let one_of = |choices: &[&str]| {
        if choices.contains(&value) {
            return Ok(());
        }
        let message = format!(
            "Invalid value '{value}' for option '{key}'. Expected one of: [{}].",
            choices.join(", ")
        );
        Err(SqlError::invalid(at, message))
    };
    match key {
        CHECKPOINT_INTERVAL | IDLE_TIMEOUT => duration(key, value, at).map(|_| ()),
        JOB_NAME if value.trim().is_empty() => {
            Err(SqlError::invalid(at, format!("Option '{key}' is empty.")))
        }
        JOB_NAME => Ok(()),
        ON_MISMATCH => one_of(&["fail", "discard"]),
        RUNTIME_MODE => one_of(&["streaming", "batch", "STREAMING", "BATCH"]),
        TIME_ZONE => one_of(&["UTC"]),
        _ => Err(SqlError::invalid(
            at,
            format!(
                "Unsupported option '{key}'.\n\nSupported options:\n\n{}",
                [CHECKPOINT_INTERVAL, RUNTIME_MODE, JOB_NAME, IDLE_TIMEOUT, TIME_ZONE, ON_MISMATCH]
                    .join("\n")
            ),
        )),
    }
}
