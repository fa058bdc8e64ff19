//! Joins of frames that end.

use datafusion::common::JoinType as Join;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, when};
use tidemill_spark_connect::{self as proto, Expression, JoinType};

use super::super::error::{Kind, Result, SparkError};
use super::super::frame::{Frame, Named};
use super::Walk;

impl<'a> Walk<'a> {
    pub(super) async fn join(&mut self, join: &'a proto::Join) -> Result<Frame> {
        let left = self.input(join.left.as_deref()).await?;
        let right = self.input(join.right.as_deref()).await?.apart_from(&left)?;
        let condition = join.join_condition.as_ref();
        join_frames(self, left, right, join.join_type(), condition, &join.using_columns)
    }
}

/// Two frames whose columns have different names in their plans, joined.
pub(super) fn join_frames(
    walk: &Walk<'_>,
    left: Frame,
    right: Frame,
    kind: JoinType,
    condition: Option<&Expression>,
    names: &[String],
) -> Result<Frame> {
    if left.streaming || right.streaming {
        return Err(SparkError::unsupported_stream("Join"));
    }
    let kind = match kind {
        JoinType::Inner | JoinType::Cross | JoinType::Unspecified => Join::Inner,
        JoinType::FullOuter => Join::Full,
        JoinType::LeftOuter => Join::Left,
        JoinType::RightOuter => Join::Right,
        JoinType::LeftAnti => Join::LeftAnti,
        JoinType::LeftSemi => Join::LeftSemi,
    };
    if !names.is_empty() {
        return using(left, right, kind, names);
    }
    let mut both = left.columns.clone();
    both.extend(right.columns.iter().cloned());
    let condition = match condition {
        None => None,
        Some(condition) => {
            // The condition sees both sides, whatever the join leaves of them.
            let cross = LogicalPlanBuilder::from(left.plan.clone())
                .cross_join(right.plan.clone())?
                .build()?;
            let seen =
                Frame { plan: cross, columns: both.clone(), streaming: false, watermark: None };
            Some(walk.expression(condition, &seen)?.expr)
        }
    };
    let columns = match kind {
        Join::LeftAnti | Join::LeftSemi => left.columns.clone(),
        _ => both,
    };
    let builder = LogicalPlanBuilder::from(left.plan);
    let plan = match (condition, kind) {
        (None, Join::Inner) => builder.cross_join(right.plan)?.build()?,
        (condition, _) => {
            builder.join_on(right.plan, kind, [condition.unwrap_or_else(|| lit(true))])?.build()?
        }
    };
    Ok(Frame { plan, columns, streaming: false, watermark: None })
}

/// The columns that both sides have by these names stand once, and first.
fn using(left: Frame, right: Frame, kind: Join, names: &[String]) -> Result<Frame> {
    let mut pairs = Vec::with_capacity(names.len());
    for name in names {
        let place = |frame: &Frame, side: &str| {
            frame.find(std::slice::from_ref(name), None).map(|(place, _)| place).map_err(|_| {
                let known = frame.names().iter().map(|one| format!("`{one}`")).collect::<Vec<_>>();
                let text = format!(
                    "USING column `{name}` cannot be resolved on the {side} side of the join. The \
                     {side}-side columns: [{}].",
                    known.join(", ")
                );
                SparkError::new(Kind::Analysis, "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", &text)
                    .with("colName", format!("`{name}`"))
                    .with("side", side)
            })
        };
        pairs.push((place(&left, "left")?, place(&right, "right")?));
    }
    let on: Vec<Expr> =
        pairs.iter().map(|(one, two)| left.column(*one).eq(right.column(*two))).collect();
    let plan = LogicalPlanBuilder::from(left.plan.clone())
        .join_on(right.plan.clone(), kind, on)?
        .build()?;
    if matches!(kind, Join::LeftAnti | Join::LeftSemi) {
        return Ok(Frame { plan, ..left });
    }
    let mut named = Vec::new();
    for (one, two) in &pairs {
        let name = left.columns[*one].name.clone();
        let expr = match kind {
            Join::Right => right.column(*two).alias(&name),
            Join::Full => when(left.column(*one).is_not_null(), left.column(*one))
                .otherwise(right.column(*two))?,
            _ => left.column(*one),
        };
        named.push(Named { name, expr });
    }
    let rest = |frame: &Frame, keys: Vec<usize>| -> Vec<Named> {
        let named = frame.all().into_iter().enumerate();
        named.filter(|(place, _)| !keys.contains(place)).map(|(_, one)| one).collect()
    };
    named.extend(rest(&left, pairs.iter().map(|(one, _)| *one).collect()));
    named.extend(rest(&right, pairs.iter().map(|(_, two)| *two).collect()));
    let mut columns = left.columns;
    columns.extend(right.columns);
    Frame { plan, columns, streaming: false, watermark: None }.project(named)
}
