//! The relations every query has: project, filter, sort, limit, union and the like.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlanBuilder, cast, lit};
use tidemill_spark_connect::{self as proto, GroupType, SetOpType};

use super::super::error::{Kind, Result, SparkError};
use super::super::frame::{Frame, Named};
use super::super::functions;
use super::super::types;
use super::expressions::{child, name_parts};
use super::{Resolver, Walk};

/// Rows of `range` at most: they are made in memory.
const RANGE_ROWS_MAX: i64 = 10_000_000;

impl<'a> Walk<'a> {
    pub(super) async fn project(&mut self, project: &'a proto::Project) -> Result<Frame> {
        let input = match project.input.as_deref() {
            Some(input) => self.relation(input).await?,
            None => one_row()?,
        };
        let named = self.select(&project.expressions, &input)?;
        // An aggregate without keys makes one row of all, as in Spark.
        if named.iter().any(|one| functions::aggregate::is_in(&one.expr)) {
            return self.group(input, &[], &project.expressions, GroupType::Groupby, false);
        }
        functions::generate::project(input, named)
    }

    pub(super) async fn filter(&mut self, filter: &'a proto::Filter) -> Result<Frame> {
        let input = self.input(filter.input.as_deref()).await?;
        let condition = self.expression(child(filter.condition.as_ref())?, &input)?;
        let data_type = condition.expr.get_type(input.plan.schema())?;
        if !matches!(data_type, DataType::Boolean | DataType::Null) {
            let shown = types::simple_string(&data_type).to_uppercase();
            let text = format!(
                "The condition \"{}\" of type \"{shown}\" is not a boolean expression.",
                condition.sql
            );
            let class = "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN";
            return Err(SparkError::new(Kind::Analysis, class, "42K09", &text));
        }
        let plan = LogicalPlanBuilder::from(input.plan.clone()).filter(condition.expr)?.build()?;
        Ok(input.with_plan(plan))
    }

    pub(super) async fn sort(&mut self, sort: &'a proto::Sort) -> Result<Frame> {
        let input = self.input(sort.input.as_deref()).await?;
        if input.streaming {
            return Err(SparkError::unsupported_stream("Sorting"));
        }
        let orders = self.orders(&sort.order, &input)?;
        let plan = LogicalPlanBuilder::from(input.plan.clone()).sort(orders)?.build()?;
        Ok(input.with_plan(plan))
    }

    pub(super) async fn limit(&mut self, limit: &'a proto::Limit) -> Result<Frame> {
        let input = self.input(limit.input.as_deref()).await?;
        fetch(input, 0, Some(limit.limit))
    }

    pub(super) async fn offset(&mut self, offset: &'a proto::Offset) -> Result<Frame> {
        let input = self.input(offset.input.as_deref()).await?;
        fetch(input, offset.offset, None)
    }

    pub(super) async fn set_operation(&mut self, set: &'a proto::SetOperation) -> Result<Frame> {
        let left = self.input(set.left_input.as_deref()).await?;
        let right = self.input(set.right_input.as_deref()).await?;
        let right = match set.by_name() {
            true => by_name(&left, right, set.allow_missing_columns())?,
            false => right,
        };
        set_frames(left, right, set.set_op_type(), set.is_all())
    }

    pub(super) async fn renamed_all(&mut self, to_df: &'a proto::ToDf) -> Result<Frame> {
        let input = self.input(to_df.input.as_deref()).await?;
        let (found, wanted) = (to_df.column_names.len(), input.columns.len());
        if found != wanted {
            let text = format!("The number of columns doesn't match. Old: {wanted}, new: {found}.");
            let class = "ASSIGNMENT_ARITY_MISMATCH";
            return Err(SparkError::new(Kind::Analysis, class, "42802", &text));
        }
        let named = input.all().into_iter().zip(&to_df.column_names);
        let named = named.map(|(one, name)| Named { name: name.clone(), expr: one.expr }).collect();
        input.project(named)
    }

    pub(super) async fn with_columns_renamed(
        &mut self,
        renamed: &'a proto::WithColumnsRenamed,
    ) -> Result<Frame> {
        let input = self.input(renamed.input.as_deref()).await?;
        let mut named = input.all();
        let pairs = renamed.renames.iter().map(|one| (&one.col_name, &one.new_col_name));
        for (from, to) in pairs.chain(&renamed.rename_columns_map) {
            // A name that is not there changes nothing, as in Spark.
            for one in named.iter_mut().filter(|one| one.name.eq_ignore_ascii_case(from)) {
                one.name.clone_from(to);
            }
        }
        input.project(named)
    }

    pub(super) async fn with_columns(&mut self, with: &'a proto::WithColumns) -> Result<Frame> {
        let input = self.input(with.input.as_deref()).await?;
        let mut named = input.all();
        for alias in &with.aliases {
            let expr = self.expression(child(alias.expr.as_deref())?, &input)?.expr;
            let [name] = alias.name.as_slice() else {
                return Err(SparkError::unsupported("a column with several names"));
            };
            let mut replaced = false;
            for one in named.iter_mut().filter(|one| one.name.eq_ignore_ascii_case(name)) {
                one.expr = expr.clone();
                one.name.clone_from(name);
                replaced = true;
            }
            if !replaced {
                named.push(Named { name: name.clone(), expr });
            }
        }
        functions::generate::project(input, named)
    }

    pub(super) async fn drop_columns(&mut self, drop: &'a proto::DropColumns) -> Result<Frame> {
        let input = self.input(drop.input.as_deref()).await?;
        let mut gone: Vec<usize> = Vec::new();
        for name in &drop.column_names {
            let same = |place: &usize| input.columns[*place].name.eq_ignore_ascii_case(name);
            gone.extend((0..input.columns.len()).filter(same));
        }
        for column in &drop.columns {
            // A column that is not there changes nothing, as in Spark.
            let Ok(resolved) = self.expression(column, &input) else { continue };
            gone.extend((0..input.columns.len()).filter(|at| input.column(*at) == resolved.expr));
        }
        let named = input.all().into_iter().enumerate();
        let named = named.filter(|(place, _)| !gone.contains(place)).map(|(_, one)| one).collect();
        input.project(named)
    }

    /// A plan that is not part of the client's: of a view, of SQL.
    pub(super) async fn nested(&mut self, relation: &proto::Relation) -> Result<Frame> {
        let references = self.references.clone();
        let mut walk = Walk { resolver: self.resolver, depth: self.depth + 1, references };
        walk.relation(relation).await
    }

    pub(super) async fn with_relations(&mut self, with: &'a proto::WithRelations) -> Result<Frame> {
        self.references.extend(&with.references);
        self.input(with.root.as_deref()).await
    }

    /// A frame among the relations that came with the plan, by the name a query gave it.
    pub(super) fn reference(&self, name: &str) -> Option<&'a proto::Relation> {
        use tidemill_spark_connect::RelType;
        self.references.iter().rev().copied().find(|relation| match &relation.rel_type {
            Some(RelType::SubqueryAlias(alias)) => alias.alias.eq_ignore_ascii_case(name),
            _ => false,
        })
    }

    pub(super) fn local(&mut self, local: &proto::LocalRelation) -> Result<Frame> {
        let schema = local.schema.as_deref().filter(|text| !text.is_empty());
        let schema = schema.map(types::parse_schema).transpose()?;
        let batches = match &local.data {
            Some(data) => super::sources::read_ipc(data)?,
            None => Vec::new(),
        };
        super::sources::memory(batches, schema)
    }

    pub(super) fn range(&mut self, range: &proto::Range) -> Result<Frame> {
        let (start, end, step) = (range.start.unwrap_or(0), range.end, range.step.max(1));
        let step = if range.step < 0 { range.step } else { step };
        let span = i128::from(end) - i128::from(start);
        let rows = (span + i128::from(step) - i128::from(step.signum())) / i128::from(step);
        let rows = i64::try_from(rows.max(0)).unwrap_or(i64::MAX);
        if rows > RANGE_ROWS_MAX {
            let what = format!("a range of {rows} rows; {RANGE_ROWS_MAX} are the most");
            return Err(SparkError::unsupported(what));
        }
        let values: Int64Array = (0..rows).map(|row| start + row * step).collect();
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(values)])
            .map_err(|error| SparkError::runtime(error.to_string()))?;
        super::sources::memory(vec![batch], None)
    }

    pub(super) async fn deduplicate(&mut self, of: &'a proto::Deduplicate) -> Result<Frame> {
        let input = self.input(of.input.as_deref()).await?;
        let mut keys = Vec::new();
        for name in &of.column_names {
            keys.push(input.find(&name_parts(name)?, None)?.0);
        }
        if of.all_columns_as_keys() || keys.is_empty() {
            keys = (0..input.columns.len()).collect();
        }
        if input.streaming {
            return super::windows::deduplicate(input, &keys, of.within_watermark());
        }
        let on: Vec<Expr> = keys.iter().map(|place| input.column(*place)).collect();
        let all: Vec<Expr> = (0..input.columns.len()).map(|place| input.column(place)).collect();
        let builder = LogicalPlanBuilder::from(input.plan.clone());
        let plan = match keys.len() == input.columns.len() {
            true => builder.distinct()?.build()?,
            false => builder.distinct_on(on, all, None)?.build()?,
        };
        Ok(input.with_plan(plan))
    }

    pub(super) async fn with_schema(&mut self, to: &'a proto::ToSchema) -> Result<Frame> {
        let input = self.input(to.input.as_deref()).await?;
        let schema = to.schema.as_ref().map(types::from_proto).transpose()?;
        let Some(DataType::Struct(fields)) = schema else {
            return Err(SparkError::invalid_plan("a schema that is no struct"));
        };
        let mut named = Vec::with_capacity(fields.len());
        for field in &fields {
            let (place, _) = input.find(std::slice::from_ref(field.name()), None)?;
            let (expr, from) = (input.column(place), input.data_type(place));
            let expr = super::cast::cast_to(expr, from, field.data_type(), false)?;
            named.push(Named { name: field.name().clone(), expr });
        }
        input.project(named)
    }
}

impl Resolver {
    /// The relation of a temporary view.
    pub(super) fn view(&self, name: &str) -> Option<Arc<proto::Relation>> {
        self.session.views.lock().get(&name.to_lowercase()).cloned()
    }
}

/// A frame of one row without columns: what a `SELECT` without `FROM` is over.
pub(super) fn one_row() -> Result<Frame> {
    Frame::new(LogicalPlanBuilder::empty(true).build()?, false)
}

pub(super) fn fetch(input: Frame, skip: i32, fetch: Option<i32>) -> Result<Frame> {
    if input.streaming {
        return Err(SparkError::unsupported_stream("Limit"));
    }
    let count = |number: i32| {
        usize::try_from(number).map_err(|_| {
            let text = format!("The limit like expression \"{number}\" is invalid. It must be equal to or greater than 0.");
            let class = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE";
            SparkError::new(Kind::Analysis, class, "42K0E", &text)
        })
    };
    let fetch = fetch.map(count).transpose()?;
    let plan = LogicalPlanBuilder::from(input.plan.clone()).limit(count(skip)?, fetch)?.build()?;
    Ok(input.with_plan(plan))
}

/// The rows of both frames by one of the set operations, under the left one's names.
pub(super) fn set_frames(left: Frame, right: Frame, kind: SetOpType, all: bool) -> Result<Frame> {
    let (found, wanted) = (right.columns.len(), left.columns.len());
    if found != wanted {
        let text = format!(
            "UNION can only be performed on inputs with the same number of columns, but the \
             first input has {wanted} columns and the second input has {found} columns."
        );
        return Err(SparkError::new(Kind::Analysis, "NUM_COLUMNS_MISMATCH", "42826", &text));
    }
    let streaming = left.streaming || right.streaming;
    // Both sides under the left one's names.
    let named = right.all().into_iter().zip(&left.columns);
    let named = named.map(|(one, to)| Named { name: to.own.clone(), expr: one.expr });
    let right = right.clone().project(named.collect())?;
    let (columns, watermark) = (left.columns.clone(), left.watermark.clone());
    let builder = LogicalPlanBuilder::from(left.plan);
    let plan = match kind {
        SetOpType::Union if all => builder.union(right.plan)?.build()?,
        SetOpType::Union => builder.union_distinct(right.plan)?.build()?,
        SetOpType::Intersect => LogicalPlanBuilder::intersect(builder.build()?, right.plan, all)?,
        SetOpType::Except => LogicalPlanBuilder::except(builder.build()?, right.plan, all)?,
        SetOpType::Unspecified => {
            return Err(SparkError::invalid_plan("a set operation without kind"));
        }
    };
    let mut frame = Frame::new(plan, streaming)?;
    for (column, from) in frame.columns.iter_mut().zip(columns) {
        column.name = from.name;
    }
    frame.watermark = watermark;
    Ok(frame)
}

/// The right side's columns in the order of the left side's names.
fn by_name(left: &Frame, right: Frame, allow_missing: bool) -> Result<Frame> {
    let mut named = Vec::with_capacity(left.columns.len());
    for (place, column) in left.columns.iter().enumerate() {
        let found = right.find(std::slice::from_ref(&column.name), None);
        let expr = match found {
            Ok((found, _)) => right.column(found),
            Err(_) if allow_missing => {
                cast(lit(datafusion::common::ScalarValue::Null), left.data_type(place).clone())
            }
            Err(error) => return Err(error),
        };
        named.push(Named { name: column.name.clone(), expr });
    }
    right.project(named)
}

/// Rows in memory as a table.
pub(super) fn mem_table(
    schema: &arrow::datatypes::SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<Arc<dyn datafusion::logical_expr::TableSource>> {
    let table = MemTable::try_new(Arc::clone(schema), vec![batches])?;
    Ok(provider_as_source(Arc::new(table)))
}
