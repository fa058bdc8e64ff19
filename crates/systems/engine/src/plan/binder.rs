//! Names to tables, functions and types: what DataFusion's SQL planner asks for.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::datatype::DataTypeExt;
use datafusion::common::{DFSchema, DataFusionError, Result, TableReference, plan_err};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource,
    WindowUDF, ident,
};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast;

use crate::catalog::{Catalog, Relation, Table};
use crate::sql::query::{self, Query, Tumble};
use crate::sql::statement::{ColumnKind, CreateView};
use crate::sql::types::SqlType;
use crate::sql::{Location, SqlError};

use super::functions::Functions;

/// Views inside views at most.
const VIEW_DEPTH_MAX: usize = 16;

/// Where the rows of a table come from: the difference between streaming and batch.
pub(crate) trait Scans {
    /// The leaf for a table's delivered columns.
    fn table(&self, table: &Arc<Table>) -> Result<Arc<dyn TableSource>>;

    /// The leaf, or plan, for a window over `input`.
    fn tumble(&self, window: &Tumble, input: LogicalPlan) -> Result<Arc<dyn TableSource>>;
}

/// Plans queries over one catalog.
pub(crate) struct Binder<'a> {
    catalog: &'a Catalog,
    functions: &'a Functions,
    scans: &'a dyn Scans,
    /// Those of the query being planned.
    windows: &'a [Tumble],
    depth: usize,
    config: ConfigOptions,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        functions: &'a Functions,
        scans: &'a dyn Scans,
    ) -> Binder<'a> {
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(datafusion::functions::core::planner::CoreFunctionPlanner::default()),
            Arc::new(datafusion::functions::datetime::planner::DatetimeFunctionPlanner),
            Arc::new(datafusion::functions::unicode::planner::UnicodeFunctionPlanner),
            Arc::new(datafusion::functions_nested::planner::NestedFunctionPlanner),
            Arc::new(datafusion::functions_nested::planner::FieldAccessPlanner),
            Arc::new(datafusion::functions_aggregate::planner::AggregateFunctionPlanner),
        ];
        let config = ConfigOptions::default();
        Binder { catalog, functions, scans, windows: &[], depth: 0, config, planners }
    }

    /// The plan of a query, names resolved, nothing optimised.
    pub(crate) fn query(&self, query: &Query) -> Result<LogicalPlan, SqlError> {
        self.tables_exist(query)?;
        let inner = self.inside(&query.windows);
        let mut ast = query.ast.clone();
        query::name_columns(&mut ast);
        let plan = inner.planner().sql_statement_to_plan(ast::Statement::Query(ast));
        plan.map_err(|error| explain_error(&error, query.at))
    }

    fn inside<'b>(&'b self, windows: &'b [Tumble]) -> Binder<'b> {
        Binder {
            catalog: self.catalog,
            functions: self.functions,
            scans: self.scans,
            windows,
            depth: self.depth + 1,
            config: self.config.clone(),
            planners: self.planners.clone(),
        }
    }

    fn planner(&self) -> SqlToRel<'_, Binder<'a>> {
        let options = ParserOptions::new()
            .with_enable_ident_normalization(false)
            .with_collect_spans(true)
            .with_map_string_types_to_utf8view(false);
        SqlToRel::new_with_options(self, options)
    }

    /// Refuses unknown tables with their place, which DataFusion does not keep.
    fn tables_exist(&self, query: &Query) -> Result<(), SqlError> {
        for window in &query.windows {
            if self.catalog.get(&window.table).is_none() {
                return Err(not_found(&window.table, window.at));
            }
        }
        let mut missing = None;
        query::for_each_table(&query.ast, &mut |parts, at| {
            let known = local_name(parts).is_some_and(|name| {
                query.windows.iter().any(|window| window.marker == name)
                    || self.catalog.get(&name).is_some()
            });
            if !known && missing.is_none() {
                let at = if at == Location::default() { query.at } else { at };
                missing = Some(not_found(&parts.join("."), at));
            }
        });
        missing.map_or(Ok(()), Err)
    }

    /// A table, its computed columns included.
    pub(crate) fn table(&self, table: &Arc<Table>) -> Result<Arc<dyn TableSource>> {
        let scan = self.scans.table(table)?;
        if !table.has_computed_columns() {
            return Ok(scan);
        }
        let plan = LogicalPlanBuilder::scan(table.name.as_str(), scan, None)?.build()?;
        let plan = self.with_computed_columns(table, plan)?;
        Ok(Arc::new(PlanSource::new(plan)))
    }

    /// All declared columns over a scan of the delivered ones. A computed column may not use
    /// another computed one, as in Flink.
    fn with_computed_columns(&self, table: &Table, scan: LogicalPlan) -> Result<LogicalPlan> {
        let schema = Arc::clone(scan.schema());
        let columns = table
            .columns
            .iter()
            .map(|column| match &column.kind {
                ColumnKind::Computed { expr, .. } => {
                    Ok(self.expression(expr, &schema)?.alias(&column.name))
                }
                _ => Ok(ident(&column.name)),
            })
            .collect::<Result<Vec<Expr>>>()?;
        LogicalPlanBuilder::from(scan).project(columns)?.build()
    }

    /// An expression over the columns of `schema`.
    pub(crate) fn expression(&self, expr: &ast::Expr, schema: &DFSchema) -> Result<Expr> {
        self.planner().sql_to_expr(expr.clone(), schema, &mut PlannerContext::new())
    }

    /// A table or view by name, as a plan.
    pub(crate) fn relation(&self, name: &str) -> Result<LogicalPlan> {
        let source = self.source(name)?;
        LogicalPlanBuilder::scan(name, source, None)?.build()
    }

    fn source(&self, name: &str) -> Result<Arc<dyn TableSource>> {
        match self.catalog.get(name) {
            Some(Relation::Table(table)) if table.connector.is_source() => self.table(table),
            Some(Relation::Table(table)) => plan_err!(
                "Connector '{}' can only be used as a sink. It cannot be used as a source.",
                table.connector.name()
            ),
            Some(Relation::View(view)) => self.view(view),
            None => plan_err!("Object '{name}' not found"),
        }
    }

    fn view(&self, view: &CreateView) -> Result<Arc<dyn TableSource>> {
        if self.depth >= VIEW_DEPTH_MAX {
            return plan_err!("View '{}' refers to itself", view.name);
        }
        let plan = self
            .inside(&[])
            .query(&view.query)
            .map_err(|error| DataFusionError::Plan(error.message))?;
        Ok(Arc::new(PlanSource::new(rename(plan, &view.columns)?)))
    }
}

/// The columns of a view under their new names.
fn rename(plan: LogicalPlan, names: &[String]) -> Result<LogicalPlan> {
    if names.is_empty() {
        return Ok(plan);
    }
    let columns = plan.schema().columns();
    if names.len() != columns.len() {
        return plan_err!(
            "The number of fields in the view's column list ({}) does not match the query ({})",
            names.len(),
            columns.len()
        );
    }
    let renamed =
        columns.into_iter().zip(names).map(|(column, name)| Expr::Column(column).alias(name));
    LogicalPlanBuilder::from(plan).project(renamed.collect::<Vec<_>>())?.build()
}

fn local_name(parts: &[String]) -> Option<String> {
    match parts {
        [name] => Some(name.clone()),
        [database, name] if database == "default_database" => Some(name.clone()),
        [catalog, database, name]
            if catalog == "default_catalog" && database == "default_database" =>
        {
            Some(name.clone())
        }
        _ => None,
    }
}

fn not_found(name: &str, at: Location) -> SqlError {
    SqlError::invalid(at, format!("Object '{name}' not found"))
}

impl ContextProvider for Binder<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        if let Some(window) = self.windows.iter().find(|window| window.marker == name.table()) {
            let input = self.inside(&[]).relation(&window.table)?;
            return self.scans.tumble(window, input);
        }
        self.source(name.table())
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(FlinkTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.functions.scalar(name)
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.functions.aggregate(name)
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.config
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.scalar_names()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.functions.aggregate_names()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A table that is a plan: computed columns, views.
struct PlanSource {
    schema: SchemaRef,
    plan: LogicalPlan,
}

impl PlanSource {
    fn new(plan: LogicalPlan) -> PlanSource {
        let fields: Vec<FieldRef> = plan.schema().fields().iter().cloned().collect();
        PlanSource { schema: Arc::new(Schema::new(fields)), plan }
    }
}

/// A plan as a table.
pub(crate) fn plan_source(plan: LogicalPlan) -> Arc<dyn TableSource> {
    Arc::new(PlanSource::new(plan))
}

impl TableSource for PlanSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}

/// Flink's types in `CAST`, where DataFusion's meaning differs or is missing.
#[derive(Debug)]
struct FlinkTypes;

impl TypePlanner for FlinkTypes {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        use ast::DataType as Sql;
        let exact = |digits: &Option<u64>| digits.map_or(6, |digits| digits.min(9) as u8);
        let planned = match sql_type {
            Sql::String(_) | Sql::Varchar(_) | Sql::Char(_) | Sql::Character(_) => SqlType::String,
            Sql::Boolean => SqlType::Boolean,
            Sql::TinyInt(_) => SqlType::TinyInt,
            Sql::SmallInt(_) => SqlType::SmallInt,
            Sql::Int(_) | Sql::Integer(_) => SqlType::Int,
            Sql::BigInt(_) => SqlType::BigInt,
            Sql::Float(_) => SqlType::Float,
            Sql::Double(_) | Sql::DoublePrecision => SqlType::Double,
            Sql::Date => SqlType::Date,
            Sql::Time(_, ast::TimezoneInfo::None) => SqlType::Time,
            Sql::Timestamp(
                digits,
                ast::TimezoneInfo::None | ast::TimezoneInfo::WithoutTimeZone,
            ) => SqlType::Timestamp(exact(digits)),
            Sql::Bytes(_) | Sql::Binary(_) | Sql::Varbinary(_) => SqlType::Bytes,
            Sql::Decimal(info) | Sql::Numeric(info) | Sql::Dec(info) => decimal(info)?,
            Sql::Custom(name, arguments)
                if name.to_string().eq_ignore_ascii_case("TIMESTAMP_LTZ") =>
            {
                let digits = arguments.first().and_then(|digits| digits.parse().ok());
                SqlType::TimestampLtz(digits.unwrap_or(6).min(9))
            }
            Sql::Array(ast::ArrayElemTypeDef::AngleBracket(item)) => {
                let Some(item) = self.plan_type_field(item)? else { return Ok(None) };
                SqlType::Array(Box::new(SqlType::from_arrow(item.data_type())))
            }
            other => return plan_err!("Unknown identifier '{other}': it is no type"),
        };
        Ok(Some(planned.arrow().into_nullable_field_ref()))
    }
}

fn decimal(info: &ast::ExactNumberInfo) -> Result<SqlType> {
    let (precision, scale) = match info {
        ast::ExactNumberInfo::None => (10, 0),
        ast::ExactNumberInfo::Precision(precision) => (*precision, 0),
        ast::ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if (0..=precision as i8).contains(&scale) => {
            Ok(SqlType::Decimal(precision, scale))
        }
        _ => plan_err!("Decimal precision must be between 1 and 38 (both inclusive)."),
    }
}

/// DataFusion's error in Calcite's words where there are some, with the place if it is known.
pub(crate) fn explain_error(error: &DataFusionError, otherwise: Location) -> SqlError {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let at = span
        .map_or(otherwise, |span| Location { line: span.start.line, column: span.start.column });
    let root = error.find_root();
    let message = match root {
        DataFusionError::SchemaError(schema, _) => match &**schema {
            datafusion::common::SchemaError::FieldNotFound { field, .. } => match &field.relation {
                Some(table) => format!("Column '{}' not found in table '{table}'", field.name),
                None => format!("Column '{}' not found in any table", field.name),
            },
            datafusion::common::SchemaError::AmbiguousReference { field } => {
                format!("Column '{}' is ambiguous", field.name)
            }
            other => other.to_string(),
        },
        other => other.strip_backtrace(),
    };
    let message = message.strip_prefix("Error during planning: ").unwrap_or(&message);
    if let Some(rest) = message.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or(rest).to_ascii_uppercase();
        return SqlError::invalid(at, format!("No match found for function signature {name}"));
    }
    if let Some(what) = message.strip_prefix("This feature is not implemented: ") {
        return SqlError::unsupported(at, what);
    }
    SqlError::invalid(at, message)
}

/// A window's columns behind those of its input: `window_start`, `window_end`, `window_time`.
pub(crate) fn window_columns(time: &DataType) -> [(&'static str, DataType); 3] {
    let bound = DataType::Timestamp(TimeUnit::Millisecond, None);
    [("window_start", bound.clone()), ("window_end", bound), ("window_time", time.clone())]
}

/// A column of the input of a window, for messages.
pub(crate) fn time_column(window: &Tumble, input: &LogicalPlan) -> Result<DataType> {
    match input.schema().field_with_unqualified_name(&window.time_column) {
        Ok(field) => Ok(field.data_type().clone()),
        Err(_) => {
            plan_err!("Column '{}' not found in table '{}'", window.time_column, window.table)
        }
    }
}
