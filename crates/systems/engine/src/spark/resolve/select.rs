//! SQL's queries as frames.

use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use tidemill_spark_connect::{self as proto, Expression, GroupType, SortOrder};

use super::super::error::{Result, SparkError};
use super::super::frame::{Frame, Named};
use super::super::functions;
use super::super::sql::{Asked, Node, Select, statement};
use super::Walk;
use super::join::join_frames;
use super::relations::{fetch, one_row, set_frames};

impl Walk<'_> {
    /// The frame of a query's text.
    pub(super) async fn sql(&mut self, query: &proto::Sql) -> Result<Frame> {
        super::super::sql::refuse_arguments(&query.args, &query.pos_args)?;
        match statement(&query.query)? {
            Asked::Query(node) => self.node(&node).await,
            _ => Err(SparkError::unsupported("a command as a relation")),
        }
    }

    /// Boxed, because a query has queries inside; how deep they go the parser has bounded.
    fn node<'w>(&'w mut self, node: &'w Node) -> tidemill_runtime::BoxFuture<'w, Result<Frame>> {
        Box::pin(async move {
            match node {
                Node::Table(name) => self.named_table(name).await,
                Node::Aliased(inner, alias) => Ok(self.node(inner).await?.aliased(alias)),
                Node::Join { left, right, kind, on, using } => {
                    let left = self.node(left).await?;
                    let right = self.node(right).await?.apart_from(&left)?;
                    join_frames(self, left, right, *kind, on.as_ref(), using)
                }
                Node::Select(select) => self.selected(select).await,
                Node::Set { left, right, kind, all } => {
                    let left = self.node(left).await?;
                    let right = self.node(right).await?;
                    set_frames(left, right, *kind, *all)
                }
                Node::Ordered { input, by, limit, offset } => {
                    let mut frame = self.node(input).await?;
                    if !by.is_empty() {
                        frame = match (self.orders(by, &frame), input.as_ref()) {
                            (Ok(orders), _) => sorted(frame, orders)?,
                            (Err(_), Node::Select(select)) if !select.distinct => {
                                self.sorted_by_hidden(select, by).await?
                            }
                            (Err(error), _) => return Err(error),
                        };
                    }
                    if limit.is_some() || *offset > 0 {
                        frame = fetch(frame, *offset, *limit)?;
                    }
                    Ok(frame)
                }
                Node::Values(rows) => self.values(rows),
            }
        })
    }

    /// `ORDER BY` of what is not selected: computed beside the items, and left away afterwards.
    async fn sorted_by_hidden(&mut self, select: &Select, by: &[SortOrder]) -> Result<Frame> {
        let mut wide = select.clone();
        wide.items.extend(by.iter().filter_map(|order| order.child.as_deref().cloned()));
        let frame = self.selected(&wide).await?;
        let kept = frame.columns.len() - by.len();
        let mut orders = Vec::with_capacity(by.len());
        for (place, order) in by.iter().enumerate() {
            let hidden = SortOrder { child: None, ..order.clone() };
            orders.push(super::expressions::directed(frame.column(kept + place), &hidden));
        }
        let frame = sorted(frame, orders)?;
        let mut named = frame.all();
        named.truncate(kept);
        frame.project(named)
    }

    async fn selected(&mut self, select: &Select) -> Result<Frame> {
        let mut input = match &select.from {
            Some(from) => self.node(from).await?,
            None => one_row()?,
        };
        if let Some(filter) = &select.filter {
            let condition = self.expression(filter, &input)?.expr;
            let plan = LogicalPlanBuilder::from(input.plan.clone()).filter(condition)?.build()?;
            input = input.with_plan(plan);
        }
        let named = self.select(&select.items, &input);
        let aggregates = match &named {
            Ok(named) => named.iter().any(|one| functions::aggregate::is_in(&one.expr)),
            Err(_) => true,
        };
        let grouped = !select.groups.is_empty() || aggregates || select.having.is_some();
        let frame = match grouped {
            true => self.grouped(input, select)?,
            false => functions::generate::project(input, named?)?,
        };
        if !select.distinct {
            return Ok(frame);
        }
        let plan = LogicalPlanBuilder::from(frame.plan.clone()).distinct()?.build()?;
        Ok(frame.with_plan(plan))
    }

    /// What `HAVING` asks is computed beside the items, and left away afterwards.
    fn grouped(&self, input: Frame, select: &Select) -> Result<Frame> {
        let mut items = select.items.clone();
        items.extend(select.having.clone());
        let frame = self.group(input, &select.groups, &items, GroupType::Groupby, false)?;
        if select.having.is_none() {
            return Ok(frame);
        }
        let last = frame.columns.len() - 1;
        let condition = frame.column(last);
        let plan = LogicalPlanBuilder::from(frame.plan.clone()).filter(condition)?.build()?;
        let frame = frame.with_plan(plan);
        let mut named = frame.all();
        named.truncate(last);
        frame.project(named)
    }

    fn values(&self, rows: &[Vec<Expression>]) -> Result<Frame> {
        let empty = one_row()?;
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|one| Ok(self.expression(one, &empty)?.expr)).collect())
            .collect::<Result<Vec<Vec<Expr>>>>()?;
        let plan = LogicalPlanBuilder::values(rows)?.build()?;
        let columns = plan.schema().columns().into_iter().enumerate();
        let named = columns
            .map(|(place, column)| Named {
                name: format!("col{}", place + 1),
                expr: Expr::Column(column),
            })
            .collect();
        let frame = Frame { plan, columns: Vec::new(), streaming: false, watermark: None };
        frame.project(named)
    }
}

fn sorted(frame: Frame, orders: Vec<Sort>) -> Result<Frame> {
    if frame.streaming {
        return Err(SparkError::unsupported_stream("Sorting"));
    }
    let plan = LogicalPlanBuilder::from(frame.plan.clone()).sort(orders)?.build()?;
    Ok(frame.with_plan(plan))
}
