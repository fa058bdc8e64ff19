//! From a client's plan to a [`Frame`]: relations to plan nodes, names to columns, functions to
//! DataFusion's or our own.

mod aggregate;
mod cast;
mod expressions;
mod frames;
mod join;
mod literals;
mod relations;
mod select;
mod sources;
mod windows;

use std::sync::Arc;

use tidemill_spark_connect::{RelType, Relation};

use super::error::{Result, SparkError};
use super::frame::Frame;
use super::sessions::Session;
use crate::session::Core;

pub(super) use cast::cast_to;
pub(super) use expressions::Resolved;
pub(super) use literals::literal;
pub(super) use sources::{canonical, lowered, memory};

/// Relations inside relations at most, views included.
const DEPTH_MAX: usize = 120;

/// Resolves plans of one session.
pub(super) struct Resolver {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

/// One walk over a plan.
pub(super) struct Walk<'a> {
    pub(super) resolver: &'a Resolver,
    depth: usize,
    /// Subqueries of the plan, by their number: `WithRelations` brings them.
    references: Vec<&'a Relation>,
}

impl Resolver {
    pub(super) fn new(core: &Arc<Core>, session: &Arc<Session>) -> Resolver {
        Resolver { core: Arc::clone(core), session: Arc::clone(session) }
    }

    /// The frame that a relation describes.
    pub(super) async fn frame(&self, relation: &Relation) -> Result<Frame> {
        let mut walk = Walk { resolver: self, depth: 0, references: Vec::new() };
        walk.relation(relation).await
    }
}

impl<'a> Walk<'a> {
    /// A relation below the one being resolved.
    pub(super) async fn input(&mut self, relation: Option<&'a Relation>) -> Result<Frame> {
        let relation =
            relation.ok_or_else(|| SparkError::invalid_plan("a relation without input"))?;
        self.relation(relation).await
    }

    /// Boxed, because a plan has plans inside.
    pub(super) fn relation(
        &mut self,
        relation: &'a Relation,
    ) -> tidemill_runtime::BoxFuture<'_, Result<Frame>> {
        Box::pin(async move {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                let what = format!("a plan of more than {DEPTH_MAX} relations inside each other");
                return Err(SparkError::unsupported(what));
            }
            let kind = relation.rel_type.as_ref();
            let kind = kind.ok_or_else(|| SparkError::unsupported("a relation of unknown kind"))?;
            let frame = self.kind(kind).await?;
            self.depth -= 1;
            let plan_id = relation.common.as_ref().and_then(|common| common.plan_id);
            Ok(frame.came_through(plan_id))
        })
    }

    async fn kind(&mut self, kind: &'a RelType) -> Result<Frame> {
        match kind {
            RelType::Read(read) => self.read(read).await,
            RelType::Project(project) => self.project(project).await,
            RelType::Filter(filter) => self.filter(filter).await,
            RelType::Join(join) => self.join(join).await,
            RelType::SetOp(operation) => self.set_operation(operation).await,
            RelType::Sort(sort) => self.sort(sort).await,
            RelType::Limit(limit) => self.limit(limit).await,
            RelType::Offset(offset) => self.offset(offset).await,
            RelType::Aggregate(aggregate) => self.aggregate(aggregate).await,
            RelType::Sql(sql) => self.sql(sql).await,
            RelType::WithRelations(with) => self.with_relations(with).await,
            RelType::LocalRelation(local) => self.local(local),
            RelType::Range(range) => self.range(range),
            RelType::Deduplicate(deduplicate) => self.deduplicate(deduplicate).await,
            RelType::SubqueryAlias(alias) => {
                Ok(self.input(alias.input.as_deref()).await?.aliased(&alias.alias))
            }
            RelType::Repartition(same) => self.input(same.input.as_deref()).await,
            RelType::RepartitionByExpression(same) => self.input(same.input.as_deref()).await,
            RelType::Hint(hint) => self.input(hint.input.as_deref()).await,
            RelType::ToDf(to_df) => self.renamed_all(to_df).await,
            RelType::WithColumnsRenamed(renamed) => self.with_columns_renamed(renamed).await,
            RelType::WithColumns(with) => self.with_columns(with).await,
            RelType::Drop(drop) => self.drop_columns(drop).await,
            RelType::ToSchema(to_schema) => self.with_schema(to_schema).await,
            RelType::Unpivot(unpivot) => self.unpivot(unpivot).await,
            RelType::FillNa(fill) => self.fill_na(fill).await,
            RelType::DropNa(drop) => self.drop_na(drop).await,
            RelType::Replace(replace) => self.replace(replace).await,
            RelType::Sample(sample) => self.sample(sample).await,
            RelType::WithWatermark(with) => self.with_watermark(with).await,
            RelType::Tail(_) | RelType::ShowString(_) | RelType::HtmlString(_) => {
                Err(SparkError::invalid_plan(format!("{} stands for itself only", kind.name())))
            }
            other => Err(SparkError::unsupported(format!("relation {}", other.name()))),
        }
    }
}
