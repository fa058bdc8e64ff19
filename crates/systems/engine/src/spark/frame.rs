//! A resolved data frame: a plan, and under which names its columns can be found.
//!
//! Spark allows two columns of one name, finds names whatever their case, and tells the columns of
//! two joined frames apart by where they come from. DataFusion does none of this. So a plan's own
//! column names are unique here, and the names a user sees are kept beside them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::error::{Result, SparkError};

/// A plan with named columns.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) plan: LogicalPlan,
    /// As many as the plan has, in its order.
    pub(super) columns: Vec<FrameColumn>,
    /// It never ends.
    pub(super) streaming: bool,
    /// The column of event time, by its name in the plan, and how late rows may be.
    pub(super) watermark: Option<Watermark>,
}

/// A column of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrameColumn {
    /// The name a user sees.
    pub(super) name: String,
    /// The name in the plan.
    pub(super) own: String,
    /// The frame's aliases and tables.
    pub(super) qualifiers: Vec<String>,
    /// Numbers of the relations it came through: `df["a"]` names one.
    pub(super) plan_ids: Vec<i64>,
}

/// `withWatermark`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watermark {
    /// The column's name in the plan.
    pub(super) column: String,
    pub(super) delay_ms: i64,
}

/// An expression with the name its column gets.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) expr: Expr,
}

impl Frame {
    /// A plan whose columns keep their names; of two with one name each stays reachable.
    pub(super) fn new(plan: LogicalPlan, streaming: bool) -> Result<Frame> {
        let columns = plan.schema().columns();
        let named = columns
            .into_iter()
            .map(|column| Named { name: column.name.clone(), expr: Expr::Column(column) })
            .collect();
        let empty = Frame { plan, columns: Vec::new(), streaming, watermark: None };
        empty.project(named)
    }

    /// An expression for the column at a place.
    pub(super) fn column(&self, place: usize) -> Expr {
        Expr::Column(Column::new_unqualified(&self.columns[place].own))
    }

    /// The type of the column at a place.
    pub(super) fn data_type(&self, place: usize) -> &DataType {
        self.plan.schema().field(place).data_type()
    }

    /// The columns under the names a user sees.
    pub(super) fn schema(&self) -> SchemaRef {
        let fields = self.plan.schema().fields().iter().zip(&self.columns);
        let field = |(field, column): (&Arc<Field>, &FrameColumn)| {
            Field::new(&column.name, field.data_type().clone(), field.is_nullable())
        };
        Arc::new(Schema::new(fields.map(field).collect::<Vec<_>>()))
    }

    /// The columns' names, for suggestions.
    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// All columns as they are.
    pub(super) fn all(&self) -> Vec<Named> {
        (0..self.columns.len())
            .map(|place| Named { name: self.columns[place].name.clone(), expr: self.column(place) })
            .collect()
    }

    /// The same columns over another plan.
    pub(super) fn with_plan(self, plan: LogicalPlan) -> Frame {
        Frame { plan, ..self }
    }

    /// One column per expression. A column that is only handed on keeps its origins.
    pub(super) fn project(self, named: Vec<Named>) -> Result<Frame> {
        let mut taken = HashSet::new();
        let mut columns = Vec::with_capacity(named.len());
        let mut exprs = Vec::with_capacity(named.len());
        for Named { name, expr } in named {
            let from = match &expr {
                Expr::Column(column) => self.columns.iter().find(|known| known.own == column.name),
                _ => None,
            };
            let own = free(&name, &mut taken);
            let (qualifiers, plan_ids) = match from {
                // Under another name it is another column.
                Some(from) if from.name == name => (from.qualifiers.clone(), from.plan_ids.clone()),
                _ => (Vec::new(), Vec::new()),
            };
            exprs.push(match &expr {
                Expr::Column(column) if column.relation.is_none() && column.name == own => expr,
                _ => expr.alias(&own),
            });
            columns.push(FrameColumn { name, own, qualifiers, plan_ids });
        }
        let watermark = self.watermark.as_ref().and_then(|watermark| {
            let place = exprs.iter().position(|expr| is_column(expr, &watermark.column))?;
            let column = columns[place].own.clone();
            Some(Watermark { column, delay_ms: watermark.delay_ms })
        });
        let plan = LogicalPlanBuilder::from(self.plan).project(exprs)?.build()?;
        Ok(Frame { plan, columns, streaming: self.streaming, watermark })
    }

    /// The same columns, none of which has a name in `taken`: so that two frames can be joined.
    pub(super) fn apart_from(self, other: &Frame) -> Result<Frame> {
        let mut taken: HashSet<String> =
            other.columns.iter().map(|column| column.own.clone()).collect();
        if self.columns.iter().all(|column| !taken.contains(&column.own)) {
            return Ok(self);
        }
        let mut columns = self.columns.clone();
        let mut exprs = Vec::with_capacity(columns.len());
        let mut watermark = self.watermark.clone();
        for column in &mut columns {
            let own = free(&column.own, &mut taken);
            exprs.push(Expr::Column(Column::new_unqualified(&column.own)).alias(&own));
            if let Some(watermark) = watermark.as_mut().filter(|mark| mark.column == column.own) {
                watermark.column.clone_from(&own);
            }
            column.own = own;
        }
        let plan = LogicalPlanBuilder::from(self.plan).project(exprs)?.build()?;
        Ok(Frame { plan, columns, streaming: self.streaming, watermark })
    }

    /// Notes which relation of the client's plan this is.
    pub(super) fn came_through(mut self, plan_id: Option<i64>) -> Frame {
        if let Some(plan_id) = plan_id {
            for column in &mut self.columns {
                column.plan_ids.push(plan_id);
            }
        }
        self
    }

    /// The frame under an alias.
    pub(super) fn aliased(mut self, alias: &str) -> Frame {
        for column in &mut self.columns {
            column.qualifiers = vec![alias.to_lowercase()];
        }
        self
    }

    /// The places of the columns that a name of one or more parts may mean, and how many parts of
    /// it were the column's own.
    fn candidates(&self, parts: &[String], plan_id: Option<i64>) -> (Vec<usize>, usize) {
        let matching = |name: &str, qualifier: Option<&str>| -> Vec<usize> {
            let places = 0..self.columns.len();
            places
                .filter(|place| {
                    let column = &self.columns[*place];
                    column.name.eq_ignore_ascii_case(name)
                        && qualifier.is_none_or(|qualifier| {
                            column.qualifiers.iter().any(|one| one.eq_ignore_ascii_case(qualifier))
                        })
                })
                .collect()
        };
        let (mut found, mut used) = (Vec::new(), 0);
        if let [qualifier, name, ..] = parts {
            (found, used) = (matching(name, Some(qualifier)), 2);
        }
        if found.is_empty()
            && let Some(name) = parts.first()
        {
            (found, used) = (matching(name, None), 1);
        }
        if let Some(plan_id) = plan_id {
            let of_it = |place: &usize| self.columns[*place].plan_ids.contains(&plan_id);
            let own: Vec<usize> = found.iter().copied().filter(of_it).collect();
            if !own.is_empty() {
                found = own;
            }
        }
        (found, used)
    }

    /// The column that a name means, and the parts of the name that are left: fields inside of it.
    pub(super) fn find<'p>(
        &self,
        parts: &'p [String],
        plan_id: Option<i64>,
    ) -> Result<(usize, &'p [String])> {
        let (found, used) = self.candidates(parts, plan_id);
        match found.as_slice() {
            [] => Err(SparkError::unresolved_column(&parts.join("."), &self.names())),
            [place] => Ok((*place, &parts[used..])),
            several => {
                // Twice the same column is no ambiguity.
                let first = &self.columns[several[0]];
                if several.iter().all(|place| self.columns[*place].own == first.own) {
                    return Ok((several[0], &parts[used..]));
                }
                let shown = |place: &usize| {
                    let column = &self.columns[*place];
                    let qualifier = column.qualifiers.first();
                    let prefix = qualifier.map(|one| format!("{one}.")).unwrap_or_default();
                    format!("{prefix}{}", column.name)
                };
                let all: Vec<String> = several.iter().map(shown).collect();
                Err(SparkError::ambiguous_column(&parts.join("."), &all))
            }
        }
    }
}

fn is_column(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Column(column) => column.name == name,
        Expr::Alias(alias) => is_column(&alias.expr, name),
        _ => false,
    }
}

/// A name that nobody has yet.
fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let mut own = name.to_owned();
    let mut number = 2;
    while !taken.insert(own.clone()) {
        own = format!("{name}#{number}");
        number += 1;
    }
    own
}
