//! `groupBy` and `agg`.

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, GroupingSet, LogicalPlanBuilder};
use tidemill_spark_connect::{self as proto, Expression, GroupType};

use super::super::error::{Kind, Result, SparkError};
use super::super::frame::{Frame, Named};
use super::super::functions;
use super::{Walk, windows};

impl<'a> Walk<'a> {
    pub(super) async fn aggregate(&mut self, aggregate: &'a proto::Aggregate) -> Result<Frame> {
        let input = self.input(aggregate.input.as_deref()).await?;
        let kind = aggregate.group_type();
        if matches!(kind, GroupType::Pivot | GroupType::GroupingSets) {
            let what = if kind == GroupType::Pivot { "pivot" } else { "grouping sets" };
            return Err(SparkError::unsupported(what));
        }
        let groups = &aggregate.grouping_expressions;
        let items = &aggregate.aggregate_expressions;
        self.group(input, groups, items, kind, true)
    }

    /// Groups `input` and computes `items` per group; the keys come first if they are wanted.
    pub(super) fn group(
        &self,
        input: Frame,
        groups: &[Expression],
        items: &[Expression],
        kind: GroupType,
        with_keys: bool,
    ) -> Result<Frame> {
        let keys = self.select(groups, &input)?;
        let items = self.select(items, &input)?;
        let width = input.columns.len();
        let (keyed, keys) = windows::keys(input, keys)?;
        let mut calls = Calls { keys: &keys, keyed: &keyed, found: Vec::new() };
        let mut outputs = Vec::with_capacity(items.len());
        for item in items {
            outputs.push(Named { name: item.name, expr: calls.take_out(item.expr)? });
        }
        let found = calls.found;
        let group_exprs: Vec<Expr> = keys
            .iter()
            .flat_map(|key| key.columns.iter())
            .map(|column| Expr::Column(Column::new_unqualified(column)))
            .collect();
        let group_exprs = match kind {
            GroupType::Rollup => vec![Expr::GroupingSet(GroupingSet::Rollup(group_exprs))],
            GroupType::Cube => vec![Expr::GroupingSet(GroupingSet::Cube(group_exprs))],
            _ => group_exprs,
        };
        let plan =
            LogicalPlanBuilder::from(keyed.plan.clone()).aggregate(group_exprs, found)?.build()?;
        let mut named = Vec::new();
        if with_keys {
            for (place, key) in keys.iter().enumerate() {
                let name = keyed.columns[width + place].name.clone();
                named.push(Named { name, expr: key.value.clone() });
            }
        }
        named.extend(outputs);
        let watermark = keyed.watermark.clone();
        let frame = Frame { plan, columns: Vec::new(), streaming: keyed.streaming, watermark };
        frame.project(named)
    }
}

/// The aggregate functions of some expressions.
struct Calls<'a> {
    keys: &'a [windows::Key],
    keyed: &'a Frame,
    found: Vec<Expr>,
}

impl Calls<'_> {
    /// The expression over the aggregate's output: keys and functions become its columns.
    fn take_out(&mut self, expr: Expr) -> Result<Expr> {
        let mut stray = None;
        let rewritten = expr.transform_down(|part| {
            if let Some(key) = self.keys.iter().find(|key| key.expr == part) {
                return Ok(Transformed::new(key.value.clone(), true, TreeNodeRecursion::Jump));
            }
            match part {
                Expr::AggregateFunction(_) => {
                    let column = self.column_of(part);
                    Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
                }
                Expr::Column(column) => {
                    stray.get_or_insert(column.name.clone());
                    Ok(Transformed::no(Expr::Column(column)))
                }
                other => Ok(Transformed::no(other)),
            }
        })?;
        match stray {
            None => Ok(rewritten.data),
            Some(own) => {
                let column = self.keyed.columns.iter().find(|column| column.own == own);
                let name = column.map_or(own, |column| column.name.clone());
                let text = format!(
                    "The non-aggregating expression \"{name}\" is based on columns which are not \
                     participating in the GROUP BY clause. Add the columns or the expression to the \
                     GROUP BY, aggregate the expression, or use \"any_value({name})\" if you do not \
                     care which of the values within a group is returned."
                );
                Err(SparkError::new(Kind::Analysis, "MISSING_AGGREGATION", "42803", &text)
                    .with("expression", format!("\"{name}\"")))
            }
        }
    }

    /// The column with the value of a function; the same function is computed once.
    fn column_of(&mut self, call: Expr) -> Expr {
        let same = self.found.iter().position(|known| match known {
            Expr::Alias(alias) => *alias.expr == call,
            _ => false,
        });
        let place = same.unwrap_or(self.found.len());
        let name = functions::aggregate::column_name(&call, place);
        if same.is_none() {
            self.found.push(call.alias(&name));
        }
        Expr::Column(Column::new_unqualified(name))
    }
}
